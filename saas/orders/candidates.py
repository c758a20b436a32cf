"""Orders on their way from what was asked to their verdict: judged, with the keys that may have made them before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import orjson

from saas.base.errors import DomainError, IdempotencyConflict, NotFound
from saas.base.idempotency import Claim, claim_each, fingerprint, look_up, said_before
from saas.base.ids import CommissionId, DistributorId, OrderId, new_id
from saas.commissions.commands import Accrual
from saas.network.queries import Chain
from saas.network.regions import Servers
from saas.network.rules import Status
from saas.orders.draft import Ground, OrderDraft, PlaceOrder, draft
from saas.orders.errors import LeadsNotShared, PartnerRefused, ReservedForBrand
from tenants.actors import Actor, Role
from tenants.program.versions import StoredProgram

_LATER = ("for_member", "served_by_id", "trace_codes")
"""What orders learned to say later: keys taken before stand for the same orders still."""

_RESERVED = {
    "number": "number",
    "placed_at": "placedAt",
    "paid_at": "paidAt",
    "shipped_at": "shippedAt",
    "delivered_at": "deliveredAt",
}


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
class Candidate:
    """One order on its way from what was asked to its verdict."""

    asked: PlaceOrder
    at: str
    claim: Claim
    draft: OrderDraft | None
    errors: Sequence[DomainError]
    foreign: bool = False
    """Nobody the asker may sell for: not even a key that was used before tells it anything."""
    earlier: UUID | None = None
    accrual: Accrual | None = None
    share_ids: Sequence[CommissionId] = ()
    """Of the accrual's shares, once they are written."""

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

    def follow(self, leader: "Candidate") -> None:
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
    servers: Servers = field(default_factory=Servers)
    standing_at: datetime | None = None
    """The moment the chains are of, where they are held still."""


def judge(asked: Sequence[PlaceOrder], paths: Sequence[str], actor: Actor, gathered: Gathered) -> Iterator[Candidate]:
    """Draft each order, or tell what is wrong with it."""
    numbers, codes = set(gathered.ground.taken_numbers), set(gathered.ground.taken_codes)
    sellers, own = gathered.ground.sellers, actor.role is Role.DISTRIBUTOR
    if own:  # a distributor sells for itself; nobody else exists for it
        sellers = {id_: seller for id_, seller in sellers.items() if id_ == actor.distributor_id}
    ground = replace(gathered.ground, taken_numbers=numbers, taken_codes=codes, sellers=sellers)
    for order, at in zip(asked, paths, strict=True):
        made = draft(order, ground, at)
        wrong = [*(_reserved(order, at) if own else ()), *_partner_objections(order, gathered, at, own=own)]
        if isinstance(made, OrderDraft):
            numbers.add(made.number)
            codes.update(code for line in order.lines for code in line.trace_codes)
            claim = Claim(order.idempotency_key, fingerprint(_content(order)), made.id)
            yield Candidate(order, at, claim, made, wrong)
        else:
            claim = Claim(order.idempotency_key, fingerprint(_content(order)), new_id())
            yield Candidate(order, at, claim, None, [*wrong, *made], foreign=order.seller_id not in sellers)


def _content(order: PlaceOrder) -> orjson.Fragment:
    """What the order's key stands for."""
    said = said_before(order, _LATER)
    said["lines"] = [said_before(line, _LATER) for line in order.lines]
    return orjson.Fragment(orjson.dumps(said, default=str))


def _partner_objections(order: PlaceOrder, gathered: Gathered, at: str, *, own: bool) -> Iterator[DomainError]:
    """A partner is another active distributor, where the program shares leads; nobody shares what it buys itself."""
    named, field = order.served_by_id, f"{at}.servedById"
    if named is None:
        return
    found = gathered.servers.by_id.get(named)
    if gathered.stored.compiled.lead is None:
        yield LeadsNotShared(field)
    elif found is None or (own and found.status is not Status.ACTIVE):
        yield NotFound(field, kind="distributor", value=named)
    elif found.status is not Status.ACTIVE or named == order.seller_id or order.self_purchase:
        yield PartnerRefused(field, code=found.code)


def _reserved(order: PlaceOrder, at: str) -> Iterator[DomainError]:
    """What a distributor does not say of its own order: that it was paid, and when anything happened."""
    for name, public in _RESERVED.items():
        if getattr(order, name) is not None:
            yield ReservedForBrand(f"{at}.{public}", what=public)


async def settle(candidates: Sequence[Candidate], operation: str, *, claiming: bool) -> None:
    """Take the keys of good orders, and tell which were used before: then the order of that time stands.

    The keys of refused orders are looked up, never taken: whoever mends the order may send it again.
    """
    leaders: dict[str, Candidate] = {}
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
