"""Placing orders (docs/rules.md §4); ``steps`` has what happens to them afterwards.

Everything works on batches; one order is a batch of one. A single order raises what is wrong with it; of a bulk each
order has its own verdict, and the good ones are kept.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from saas.base import clock
from saas.base.clock import local_day
from saas.base.db import Taken, Tx, reading, transaction
from saas.base.db.tx import open_tx
from saas.base.errors import IdempotencyConflict, Rejected
from saas.base.idempotency import claim_later
from saas.base.ids import DistributorId, OrderId, new_id
from saas.catalog.queries import by_sku
from saas.commissions.commands import Accrual, PaidLine
from saas.events.commands import hush
from saas.network.queries import chains, find
from saas.network.standstill import stand_still
from saas.orders.candidates import Candidate, Gathered, Verdict, judge, settle
from saas.orders.draft import Ground, OrderDraft, PlaceOrder, Seller
from saas.orders.errors import NumberTaken
from saas.orders.facts import Evidence, LeadAsked, Payable, as_member, find_servers, partner_of
from saas.orders.facts import gather as gather_facts
from saas.orders.payment import book, decide, members_of, tell_paid, tell_placed, unchanged_since
from saas.orders.queries import OrderView
from saas.orders.rules import hold_until
from saas.orders.telling import Told, tell
from saas.orders.trace_codes import taken_codes, write_codes
from tenants import audit, registry
from tenants.actors import Actor, Role
from tenants.program.pricing import PricePolicy
from tenants.program.versions import active_program

_T = TypeVar("_T")
_OPERATION = "order.place"
_IMPORT = "import"
_ORDER_COLUMNS = (
    "id", "number", "seller_id", "customer", "self_purchase", "channel", "region", "source", "status", "currency",
    "goods_minor", "freight_minor", "tax_minor", "program_number", "path", "placed_at", "paid_at", "shipped_at",
    "delivered_at", "hold_until", "decided_at", "for_member",
)  # fmt: skip
_LINE_COLUMNS = (
    "id", "order_id", "line_no", "product_id", "sku", "quantity", "amount_minor", "company_minor", "category",
)  # fmt: skip
_CASE_COLUMNS = (
    "id", "order_id", "line_id", "seller_id", "sku", "verdict", "quantity", "amount_minor", "lowest_minor",
    "highest_minor", "status", "opened_at",
)  # fmt: skip


class _Raced(Rejected):
    """Another transaction took a number or a trace code between our look and our write."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that stands, told as it was written; ``told`` is absent when its key had made it before."""

    id: OrderId
    told: Told | None


async def place_order(asked: PlaceOrder, actor: Actor) -> OrderId:
    """Place one order; with ``paid_at`` it is paid at once. The same key and content answer the same order.

    Raises ``Rejected`` with everything that is wrong, or ``IdempotencyConflict`` for a key used with other content.
    """
    return (await place_and_tell(asked, actor)).id


async def place_and_tell(asked: PlaceOrder, actor: Actor) -> Placed:
    """Like ``place_order``, with what reading the order would answer."""

    async def place(*, hopefully: bool) -> Placed:
        async with transaction() as tx:
            source = _source(actor)
            (candidate,), gathered = await _place(tx, [asked], ["input"], actor, source, hopefully=hopefully)
            verdict = candidate.verdict()
            if verdict.order_id is None:
                conflict = next((error for error in verdict.errors if isinstance(error, IdempotencyConflict)), None)
                raise conflict or Rejected(verdict.errors)
            if not verdict.replayed:
                await audit.record(actor, _OPERATION, str(verdict.order_id), paid=verdict.accrual is not None)
            return Placed(verdict.order_id, _told(candidate, gathered, source))

    if open_tx() is None:
        with suppress(Taken, _Raced):
            return await place(hopefully=True)
    return await _twice(partial(place, hopefully=False))


async def place_orders(asked: Sequence[PlaceOrder], actor: Actor, *, imported: bool = False) -> list[Verdict]:
    """Place many orders in one transaction, each accepted or refused by itself, in as many statements as one.

    ``imported`` orders may have been paid before the last change of program or tree: they follow both as they stand.
    """

    async def place() -> list[Verdict]:
        async with transaction() as tx:
            source = _IMPORT if imported else _source(actor)
            candidates, _ = await _place(tx, asked, _paths(asked), actor, source, hopefully=False)
            verdicts = [candidate.verdict() for candidate in candidates]
            placed = sum(verdict.order_id is not None and not verdict.replayed for verdict in verdicts)
            if placed:
                await audit.record(actor, _OPERATION, None, placed=placed, asked=len(asked), imported=imported)
            return verdicts

    return await _twice(place)


async def _twice(place: Callable[[], Awaitable[_T]]) -> _T:
    """Try again when somebody else took a number or a code meanwhile: now it is found taken, and refused by name."""
    try:
        return await place()
    except _Raced:
        if open_tx() is not None:  # what was written stays in the caller's transaction
            raise
        return await place()


async def preview_orders(asked: Sequence[PlaceOrder], actor: Actor, *, imported: bool = False) -> list[Verdict]:
    """What ``place_orders`` would do now, down to the commission. Writes nothing; the ids mean nothing."""
    async with reading() as tx:
        gathered = await gather(tx, asked, imported=imported)
        candidates = list(judge(asked, _paths(asked), actor, gathered))
        await settle(candidates, actor.operation(_OPERATION), claiming=False)
        await _decide(candidates, gathered, counting=False)
    return [candidate.verdict() for candidate in candidates]


def imagine_orders(asked: Sequence[PlaceOrder], actor: Actor, gathered: Gathered) -> list[Verdict]:
    """What ``place_orders`` would do in a brand that is still to be made. Needs no database."""
    candidates = list(judge(asked, _paths(asked), actor, gathered))
    payables, stored = _payables(candidates, gathered), gathered.stored
    _accrue(candidates, decide(payables, stored, members_of(gathered.chains), Evidence(stored.compiled)))
    return [candidate.verdict() for candidate in candidates]


def _paths(asked: Sequence[PlaceOrder]) -> list[str]:
    return [f"input.orders[{i}]" for i in range(len(asked))]


def _source(actor: Actor) -> str:
    if actor.role is Role.DISTRIBUTOR:
        return "distributor"
    return "api" if actor.role is Role.API_KEY else "brand"


async def _place(
    tx: Tx, asked: Sequence[PlaceOrder], paths: Sequence[str], actor: Actor, source: str, *, hopefully: bool
) -> tuple[Sequence[Candidate], Gathered]:
    """Place all that can be placed.

    ``hopefully``: the keys and numbers of a good order are taken together with all that it writes, in one statement;
    when somebody has one of them, ``Taken`` is raised and nothing stands. For one order that takes no other locks
    before: whoever holds its key might wait for them.
    """
    standing_at = await stand_still()
    gathered = replace(await gather(tx, asked, imported=source == _IMPORT), standing_at=standing_at)
    candidates = list(judge(asked, paths, actor, gathered))
    operation = actor.operation(_OPERATION)
    alone = candidates[0] if hopefully and not gathered.stored.compiled.needs_pieces else None
    later = alone is not None and alone.accepted is not None and await claim_later(operation, alone.claim)
    if not later:
        await settle(candidates, operation, claiming=True)
    evidence = await _decide(candidates, gathered, counting=True)
    accepted = [candidate for candidate in candidates if candidate.accepted]
    await _write(tx, accepted, gathered, evidence, source, hopefully=later)
    return candidates, gathered


async def gather(tx: Tx, asked: Sequence[PlaceOrder], *, imported: bool) -> Gathered:
    """Read all that decides about some orders, in as many statements for a thousand as for one."""
    brand = await registry.this_brand()
    now = clock.now()
    stored = await active_program(now)
    found = await chains({order.seller_id for order in asked})
    regions = await _regions(asked, stored.program.price_policy)
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
        taken_codes=frozenset(await taken_codes(tx, asked)),
    )
    return Gathered(ground, stored, found, brand.time_zone, await find_servers(map(_lead_asked, asked), stored))


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


async def _decide(candidates: Sequence[Candidate], gathered: Gathered, *, counting: bool) -> Evidence:
    """Commission of those that are paid as they are placed; answers what it was decided by."""
    payables, members = _payables(candidates, gathered), members_of(gathered.chains)
    evidence = await gather_facts(payables, members, gathered.stored, gathered.time_zone, counting=counting)
    _accrue(candidates, decide(payables, gathered.stored, members, evidence))
    return evidence


def _payables(candidates: Sequence[Candidate], gathered: Gathered) -> list[Payable]:
    stored, payables = gathered.stored, []
    for candidate in candidates:
        made, asked = candidate.accepted, candidate.asked
        if made is None or asked.paid_at is None:
            continue
        partner = partner_of(_lead_asked(asked), gathered.servers) if stored.compiled.lead else None
        payables.append(
            Payable(
                id=made.id,
                seller_id=asked.seller_id,
                self_purchase=asked.self_purchase,
                currency=gathered.ground.currency,
                paid_at=asked.paid_at,
                day=local_day(asked.paid_at, gathered.time_zone),
                hold_until=asked.delivered_at and hold_until(asked.delivered_at, stored.program.settlement.hold_days),
                lines=[PaidLine(one.id, one.sku, one.category, one.quantity, one.amount_minor) for one in made.lines],
                partner=as_member(partner),
            )
        )
    return payables


def _lead_asked(asked: PlaceOrder) -> LeadAsked:
    return LeadAsked(asked.seller_id, asked.region, asked.self_purchase, asked.served_by_id)


def _accrue(candidates: Sequence[Candidate], accruals: Sequence[Accrual]) -> None:
    by_order = {accrual.order.id: accrual for accrual in accruals}
    for candidate in candidates:
        if candidate.accepted is not None:
            candidate.accrual = by_order.get(candidate.accepted.id)


class _Rows(NamedTuple):
    """What orders come to in the tables, before commission."""

    orders: list[tuple[Any, ...]]
    lines: list[tuple[object, ...]]
    cases: list[tuple[object, ...]]
    leads: list[tuple[object, ...]]


def _rows(candidates: Sequence[Candidate], gathered: Gathered, source: str) -> _Rows:
    rows = _Rows([], [], [], [])
    for candidate in candidates:
        made, accrual = candidate.accepted, candidate.accrual
        if made is None:
            continue
        company = accrual.company if accrual else {}
        if partner_id := _partner_id(made, accrual):
            rows.leads.append((made.id, partner_id))
        rows.orders.append(_order_row(made, accrual, gathered, source))
        for line in made.lines:
            id_, line_no, product_id, sku, category, quantity, amount_minor, case, _ = line
            sold = (id_, made.id, line_no, product_id, sku, quantity, amount_minor, company.get(id_), category)
            rows.lines.append(sold)
            if case is not None:
                band = (case.least_minor, case.most_minor, "open", gathered.ground.now)
                judged = (sku, case.verdict.value, quantity, amount_minor)
                rows.cases.append((new_id(), made.id, id_, made.asked.seller_id, *judged, *band))
    rows.orders.sort(key=itemgetter(1))  # two batches with the same numbers take them in the same order
    return rows


async def _write(
    tx: Tx, candidates: Sequence[Candidate], gathered: Gathered, evidence: Evidence, source: str, *, hopefully: bool
) -> None:
    rows = _rows(candidates, gathered, source)
    if not rows.orders:
        return
    if hopefully:
        await tx.insert_later("sales_order", _ORDER_COLUMNS, rows.orders, or_taken=True)
    elif await tx.insert_many("sales_order", _ORDER_COLUMNS, rows.orders, or_ignore=True) < len(rows.orders):
        raise await _numbers_raced(tx, candidates)
    await tx.insert_later("order_line", _LINE_COLUMNS, rows.lines)
    drafts = [(one.at, one.accepted) for one in candidates if one.accepted]
    if lost := await write_codes(tx, drafts, hopefully=hopefully):
        raise _Raced(lost)
    await tx.insert_later("price_case", _CASE_COLUMNS, rows.cases)
    await tx.insert_later("cross_region_lead", ("order_id", "distributor_id"), rows.leads)
    if source == _IMPORT:
        hush()  # of the past nobody needs to be told
    tell_placed([made for _, made in drafts])
    if accruals := [candidate.accrual for candidate in candidates if candidate.accrual]:
        share_ids = await book(accruals, evidence, fresh=True)
        for candidate in candidates:
            candidate.share_ids = share_ids.get(OrderId(candidate.claim.result), ())
        if source != _IMPORT:
            await tell_paid(accruals)


async def _numbers_raced(tx: Tx, candidates: Sequence[Candidate]) -> _Raced:
    """Which numbers others took."""
    ours = {one.draft.number: one for one in candidates if one.draft is not None}
    rows = await tx.rows(
        f"SELECT id, number FROM sales_order WHERE tenant_id = $1 AND number {tx.within(2, 'text')}",
        tx.tenant_id,
        list(ours),
    )
    lost = [ours[row["number"]] for row in rows if row["id"] != ours[row["number"]].claim.result]
    return _Raced([NumberTaken(f"{one.at}.number", number=one.asked.number) for one in lost])


def _partner_id(made: OrderDraft, accrual: Accrual | None) -> DistributorId | None:
    partner = accrual.order.facts.partner if accrual else None
    return DistributorId(partner.id) if partner else made.asked.served_by_id


def _told(candidate: Candidate, gathered: Gathered, source: str) -> Told | None:
    """What reading an order that was just written would answer."""
    made, accrual = candidate.accepted, candidate.accrual
    if made is None:
        return None
    row = dict(zip(_ORDER_COLUMNS, _order_row(made, accrual, gathered, source), strict=True))
    served_by_id = _partner_id(made, accrual)
    view = OrderView(**row, closed_at=None, cancelled_at=None, served_by_id=served_by_id)
    return tell(view, made, gathered.chains[made.asked.seller_id], accrual, candidate.share_ids)


def _order_row(made: OrderDraft, accrual: Accrual | None, gathered: Gathered, source: str) -> tuple[Any, ...]:
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
        gathered.standing_at if accrual else None,
        asked.for_member,
    )
