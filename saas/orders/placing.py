"""Placing orders (docs/rules.md §4); ``steps`` has what happens to them afterwards.

Everything works on batches; one order is a batch of one. A single order raises what is wrong with it; of a bulk each
order has its own verdict, and the good ones are kept.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from saas.base import clock
from saas.base.clock import local_day
from saas.base.db import Tx, reading, transaction
from saas.base.errors import DomainError, IdempotencyConflict, Rejected
from saas.base.idempotency import Claim, claim_each, fingerprint, look_up
from saas.base.ids import DistributorId, OrderId, new_id
from saas.catalog.queries import by_sku
from saas.commissions.commands import Accrual, PaidLine
from saas.network.queries import Chain, chains, find
from saas.network.standstill import stand_still
from saas.orders.draft import Ground, OrderDraft, PlaceOrder, Seller, draft
from saas.orders.errors import ReservedForBrand
from saas.orders.payment import Payable, book, decide, unchanged_since
from saas.orders.rules import hold_until
from tenants import audit, registry
from tenants.actors import Actor, Role
from tenants.program.pricing import PricePolicy
from tenants.program.versions import StoredProgram, active_program

_OPERATION = "order.place"
_IMPORT = "import"
_RESERVED = {
    "number": "number",
    "placed_at": "placedAt",
    "paid_at": "paidAt",
    "shipped_at": "shippedAt",
    "delivered_at": "deliveredAt",
}
_ORDER_COLUMNS = (
    "id", "number", "seller_id", "customer", "self_purchase", "channel", "region", "source", "status", "currency",
    "goods_minor", "freight_minor", "tax_minor", "program_number", "path", "placed_at", "paid_at", "shipped_at",
    "delivered_at", "hold_until",
)  # fmt: skip
_LINE_COLUMNS = (
    "id", "order_id", "line_no", "product_id", "sku", "quantity", "amount_minor", "company_minor", "category",
)  # fmt: skip
_CASE_COLUMNS = (
    "id", "order_id", "line_id", "seller_id", "sku", "verdict", "quantity", "amount_minor", "lowest_minor",
    "highest_minor", "status", "opened_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one order of a bulk.

    ``order_id`` is absent when ``errors`` tell why. ``replayed``: the key had made that order before, and nothing was
    done. ``goods_minor`` is what its goods cost, ``accrual`` the commission of an order that was placed as paid.
    """

    order_id: OrderId | None = None
    errors: Sequence[DomainError] = ()
    replayed: bool = False
    goods_minor: int = 0
    accrual: Accrual | None = None


@dataclass(slots=True)
class _Candidate:
    """One order on its way from what was asked to its verdict."""

    asked: PlaceOrder
    claim: Claim
    draft: OrderDraft | None
    errors: Sequence[DomainError]
    foreign: bool = False
    """Nobody the asker may sell for: not even a key that was used before tells it anything."""
    earlier: UUID | None = None
    accrual: Accrual | None = None

    @property
    def accepted(self) -> OrderDraft | None:
        """What is to be written, if anything."""
        return None if self.errors or self.earlier else self.draft

    def settle(self, answer: UUID | DomainError) -> None:
        """The key was used before, or is none: all else is void."""
        if isinstance(answer, DomainError):
            self.errors = [answer]
        else:
            self.errors, self.earlier = [], answer

    def follow(self, leader: "_Candidate") -> None:
        """The same key came earlier in the same bulk."""
        if self.claim.fingerprint != leader.claim.fingerprint:
            self.settle(IdempotencyConflict("input.idempotencyKey", key=self.claim.key))
        elif leader.earlier or leader.accepted:
            self.settle(leader.earlier or leader.claim.result)
        else:
            self.errors = leader.errors

    def verdict(self) -> Verdict:
        """How it ended."""
        if self.earlier is not None:
            return Verdict(order_id=OrderId(self.earlier), replayed=True)
        if self.draft is None or self.errors:
            return Verdict(errors=self.errors)
        return Verdict(order_id=self.draft.id, goods_minor=self.draft.goods_minor, accrual=self.accrual)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Plain values that decide, as of now: the program in force, and the chain of each seller."""

    ground: Ground
    stored: StoredProgram
    chains: Mapping[DistributorId, Chain]
    time_zone: str


async def place_order(asked: PlaceOrder, actor: Actor) -> OrderId:
    """Place one order; with ``paid_at`` it is paid at once. The same key and content answer the same order.

    Raises ``Rejected`` with everything that is wrong, or ``IdempotencyConflict`` for a key used with other content.
    """
    async with transaction() as tx:
        (verdict,) = await _place(tx, [asked], ["input"], actor, _source(actor))
        if verdict.order_id is None:
            conflict = next((error for error in verdict.errors if isinstance(error, IdempotencyConflict)), None)
            raise conflict or Rejected(verdict.errors)
        if not verdict.replayed:
            await audit.record(actor, _OPERATION, str(verdict.order_id), paid=verdict.accrual is not None)
        return verdict.order_id


async def place_orders(asked: Sequence[PlaceOrder], actor: Actor, *, imported: bool = False) -> list[Verdict]:
    """Place many orders in one transaction, each accepted or refused by itself, in as many statements as one.

    ``imported`` orders may have been paid before the last change of program or tree: they follow both as they stand.
    """
    async with transaction() as tx:
        verdicts = await _place(tx, asked, _paths(asked), actor, _IMPORT if imported else _source(actor))
        placed = sum(verdict.order_id is not None and not verdict.replayed for verdict in verdicts)
        if placed:
            await audit.record(actor, _OPERATION, None, placed=placed, asked=len(asked), imported=imported)
        return verdicts


async def preview_orders(asked: Sequence[PlaceOrder], actor: Actor, *, imported: bool = False) -> list[Verdict]:
    """What ``place_orders`` would do now, down to the commission. Writes nothing; the ids mean nothing."""
    async with reading() as tx:
        gathered = await gather(tx, asked, imported=imported)
        candidates = list(_candidates(asked, _paths(asked), actor, gathered))
        await _settle(candidates, actor.operation(_OPERATION), claiming=False)
    _decide(candidates, gathered)
    return [candidate.verdict() for candidate in candidates]


def imagine_orders(asked: Sequence[PlaceOrder], actor: Actor, gathered: Gathered) -> list[Verdict]:
    """What ``place_orders`` would do in a brand that is still to be made. Needs no database."""
    candidates = list(_candidates(asked, _paths(asked), actor, gathered))
    _decide(candidates, gathered)
    return [candidate.verdict() for candidate in candidates]


def _paths(asked: Sequence[PlaceOrder]) -> list[str]:
    return [f"input.orders[{i}]" for i in range(len(asked))]


def _source(actor: Actor) -> str:
    if actor.role is Role.DISTRIBUTOR:
        return "distributor"
    return "api" if actor.role is Role.API_KEY else "brand"


async def _place(tx: Tx, asked: Sequence[PlaceOrder], paths: Sequence[str], actor: Actor, source: str) -> list[Verdict]:
    await stand_still()
    gathered = await gather(tx, asked, imported=source == _IMPORT)
    candidates = list(_candidates(asked, paths, actor, gathered))
    await _settle(candidates, actor.operation(_OPERATION), claiming=True)
    _decide(candidates, gathered)
    await _write(tx, [candidate for candidate in candidates if candidate.accepted], gathered, source)
    return [candidate.verdict() for candidate in candidates]


async def gather(tx: Tx, asked: Sequence[PlaceOrder], *, imported: bool) -> Gathered:
    """Read all that decides about some orders, in as many statements for a thousand as for one."""
    brand = await registry.this_brand()
    stored = await active_program()
    found = await chains({order.seller_id for order in asked})
    regions = await _regions(asked, stored.program.price_policy)
    now = clock.now()
    ground = Ground(
        now=now,
        today=local_day(now, brand.time_zone),
        time_zone=brand.time_zone,
        currency=stored.program.currency,
        prices=stored.program.price_policy,
        products=await by_sku({line.sku for order in asked for line in order.lines}),
        sellers={
            id_: Seller(
                one.members[0].code,
                one.members[0].status,
                None if imported else unchanged_since(stored, one),
                one.members[0].tier,
                regions.get(id_),
            )
            for id_, one in found.items()
        },
        taken_numbers=await _taken(tx, [order.number for order in asked if order.number is not None]),
    )
    return Gathered(ground, stored, found, brand.time_zone)


async def _regions(asked: Sequence[PlaceOrder], prices: PricePolicy) -> Mapping[DistributorId, str | None]:
    """The regions of those who buy for themselves, where purchase prices differ by region."""
    buyers = {order.seller_id for order in asked if order.self_purchase}
    if not buyers or not any(product.regional_purchase_price_minor for product in prices.products.values()):
        return {}
    return {id_: one.region for id_, one in (await find(buyers)).items()}


async def _taken(tx: Tx, numbers: Sequence[str]) -> set[str]:
    """Which numbers orders have already; one that is taken meanwhile meets the table's unique key."""
    if not numbers:
        return set()
    rows = await tx.rows(
        f"SELECT number FROM sales_order WHERE tenant_id = $1 AND number {tx.within(2, 'text')}", tx.tenant_id, numbers
    )
    return {row["number"] for row in rows}


def _candidates(
    asked: Sequence[PlaceOrder], paths: Sequence[str], actor: Actor, gathered: Gathered
) -> Iterator[_Candidate]:
    numbers = set(gathered.ground.taken_numbers)
    sellers, own = gathered.ground.sellers, actor.role is Role.DISTRIBUTOR
    if own:  # a distributor sells for itself; nobody else exists for it
        sellers = {id_: seller for id_, seller in sellers.items() if id_ == actor.distributor_id}
    ground = replace(gathered.ground, taken_numbers=numbers, sellers=sellers)
    for order, at in zip(asked, paths, strict=True):
        made = draft(order, ground, at)
        wrong = list(_reserved(order, at)) if own else []
        if isinstance(made, OrderDraft):
            numbers.add(made.number)
            claim = Claim(order.idempotency_key, fingerprint(order), made.id)
            yield _Candidate(order, claim, made, wrong)
        else:
            claim = Claim(order.idempotency_key, fingerprint(order), new_id())
            yield _Candidate(order, claim, None, [*wrong, *made], foreign=order.seller_id not in sellers)


def _reserved(order: PlaceOrder, at: str) -> Iterator[DomainError]:
    """What a distributor does not say of its own order: that it was paid, and when anything happened."""
    for name, public in _RESERVED.items():
        if getattr(order, name) is not None:
            yield ReservedForBrand(f"{at}.{public}", what=public)


async def _settle(candidates: Sequence[_Candidate], operation: str, *, claiming: bool) -> None:
    """Take the keys of good orders, and tell which were used before: then the order of that time stands.

    The keys of refused orders are looked up, never taken: whoever mends the order may send it again.
    """
    leaders: dict[str, _Candidate] = {}
    for candidate in candidates:
        leaders.setdefault(candidate.claim.key, candidate)
    good = {key: one.claim for key, one in leaders.items() if claiming and one.accepted}
    bad = {key: one.claim for key, one in leaders.items() if key not in good and not one.foreign}
    answers = {**(await look_up(operation, bad) if bad else {}), **await claim_each(operation, good)}
    for key, answer in answers.items():
        leaders[key].settle(answer)
    for candidate in candidates:
        leader = leaders[candidate.claim.key]
        if candidate is not leader:
            candidate.follow(leader)


def _decide(candidates: Sequence[_Candidate], gathered: Gathered) -> None:
    """Commission of those that are paid as they are placed."""
    hold_days = gathered.stored.program.settlement.hold_days
    paid: list[_Candidate] = []
    payables: list[Payable] = []
    for candidate in candidates:
        made, asked = candidate.accepted, candidate.asked
        if made is None or asked.paid_at is None:
            continue
        lines = [PaidLine(line.id, line.sku, line.category, line.quantity, line.amount_minor) for line in made.lines]
        hold = None if asked.delivered_at is None else hold_until(asked.delivered_at, hold_days)
        currency = gathered.ground.currency
        paid.append(candidate)
        payables.append(Payable(made.id, asked.seller_id, asked.self_purchase, currency, asked.paid_at, hold, lines))
    accruals = decide(payables, gathered.stored, gathered.chains, gathered.time_zone)
    for candidate, accrual in zip(paid, accruals, strict=True):
        candidate.accrual = accrual


async def _write(tx: Tx, candidates: Sequence[_Candidate], gathered: Gathered, source: str) -> None:
    orders, lines, cases = [], [], []
    for candidate in candidates:
        made, accrual = candidate.accepted, candidate.accrual
        if made is None:
            continue
        company = accrual.company if accrual else {}
        orders.append(_order_row(made, accrual, gathered, source))
        for line in made.lines:
            id_, line_no, product_id, sku, category, quantity, amount_minor, case = line
            lines.append((id_, made.id, line_no, product_id, sku, quantity, amount_minor, company.get(id_), category))
            if case is not None:
                band = (case.least_minor, case.most_minor, "open", gathered.ground.now)
                judged = (sku, case.verdict.value, quantity, amount_minor)
                cases.append((new_id(), made.id, id_, made.asked.seller_id, *judged, *band))
    if not orders:
        return
    await tx.insert_many("sales_order", _ORDER_COLUMNS, orders)
    await tx.insert_many("order_line", _LINE_COLUMNS, lines)
    if cases:
        await tx.insert_many("price_case", _CASE_COLUMNS, cases)
    if accruals := [candidate.accrual for candidate in candidates if candidate.accrual]:
        await book(accruals)


def _order_row(made: OrderDraft, accrual: Accrual | None, gathered: Gathered, source: str) -> tuple[object, ...]:
    asked = made.asked
    return (
        made.id,
        made.number,
        asked.seller_id,
        asked.customer,
        asked.self_purchase,
        asked.channel,
        asked.region,
        source,
        made.status.value,
        gathered.ground.currency,
        made.goods_minor,
        asked.freight_minor,
        asked.tax_minor,
        gathered.stored.number if accrual else None,
        gathered.chains[asked.seller_id].path if accrual else None,
        made.placed_at,
        asked.paid_at,
        asked.shipped_at,
        asked.delivered_at,
        accrual.order.hold_until if accrual else None,
    )
