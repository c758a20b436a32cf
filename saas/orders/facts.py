"""What decides an order's commission beside program and chain (docs/rules.md §3.1, §3.2, §3.8).

The pieces its seller sold in the period before, what its uplines sold themselves, and who serves the customer's region.
It is gathered for a whole batch at once and only as far as the program asks, then grows order by order.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import current_tx
from saas.base.ids import DistributorId, OrderId
from saas.base.money import share
from saas.commissions import volumes
from saas.commissions.commands import Accrual, PaidLine
from saas.commissions.rules import NO_FACTS, CompiledProgram, Facts, Member
from saas.commissions.volumes import UNMADE, Count, Counter
from saas.network.regions import Server, Servers, servers
from saas.orders.counting import count
from tenants.program.calendar import period_days
from tenants.program.document import CrossRegionLead
from tenants.program.parts import PeriodLength
from tenants.program.versions import StoredProgram

_NO_COUNT = Count(0, 0)

SETTLING = timedelta(minutes=1)
"""How long after a program came into force payments under the one before may still be on their way."""


class Payable(NamedTuple):
    """An order at the moment of its payment, on ``day`` in the brand's time zone.

    ``partner`` is the distributor of the customer's region, when the seller brought a customer of another's.
    """

    id: OrderId
    seller_id: DistributorId
    self_purchase: bool
    currency: str
    paid_at: datetime
    day: date
    hold_until: datetime | None
    lines: Sequence[PaidLine]
    partner: Member | None = None


class _Sold(NamedTuple):
    """What a distributor sold itself on the days ``[first, last]``."""

    seller_id: UUID
    first: date
    last: date


@dataclass(slots=True)
class Evidence:
    """The facts of orders that are paid one after the other, in the order in which they are paid."""

    program: CompiledProgram
    number: int = UNMADE
    """The version the counters are kept for."""
    counts: dict[Counter, Count] = field(default_factory=dict)
    own_sales: Mapping[_Sold, int] = field(default_factory=dict)
    _later: defaultdict[UUID, list[tuple[date, int]]] = field(default_factory=lambda: defaultdict(list))

    def of(self, payable: Payable, chain: Sequence[Member]) -> Facts:
        """What is to be known of the next order."""
        program = self.program
        if not program.needs_pieces and not program.qualifying:
            return NO_FACTS if payable.partner is None else NO_FACTS._replace(partner=payable.partner)
        counts = {key: self.counts.get(counter, _NO_COUNT) for key, counter in _counters(program, payable)}
        return Facts(
            {key: pieces for key, (pieces, _) in counts.items()},
            {(length, sold.seller_id): self._own_sales_of(sold) for length, sold in _uplines(program, payable, chain)},
            payable.partner,
            {key: open_minor for key, (_, open_minor) in counts.items() if open_minor},
        )

    def add(self, payable: Payable, accrual: Accrual) -> None:
        """Count an order that is paid, for those after it."""
        program = self.program
        if accrual.pieces:
            counters = dict(_counters(program, payable))
            for key, pieces in accrual.pieces.items():
                self.counts[counters[key]] = Count(pieces, accrual.open_lifts.get(key, 0))
        if program.qualifying:
            amount_minor = sum(line.amount_minor for line in payable.lines)
            partner_id = payable.partner and payable.partner.id
            for owner, part_minor in performance(payable.seller_id, partner_id, amount_minor, program.lead):
                self._later[owner].append((payable.day, part_minor))

    async def keep(self) -> None:
        """Write the counters back."""
        if self.counts:
            await volumes.keep(self.counts, self.number)

    def _own_sales_of(self, wanted: _Sold) -> int:
        later = self._later.get(wanted.seller_id, ())
        return self.own_sales.get(wanted, 0) + sum(
            amount for day, amount in later if wanted.first <= day <= wanted.last
        )


def performance(
    seller_id: DistributorId, partner_id: UUID | None, amount_minor: int, lead: CrossRegionLead | None
) -> Iterator[tuple[DistributorId, int]]:
    """Whose sales an order counts as, and with how much of its amount (docs/rules.md §3.8). The parts add up."""
    if lead is None or partner_id is None:
        yield seller_id, amount_minor
    else:
        part_minor = share(amount_minor, lead.performance_to_region_bps)
        yield seller_id, amount_minor - part_minor
        yield DistributorId(partner_id), part_minor


def _counters(program: CompiledProgram, payable: Payable) -> Iterator[tuple[str, Counter]]:
    for key, period, *_ in program.needs_pieces:
        yield key, Counter(payable.seller_id, key, period_days(period, payable.day)[0])


def _uplines(
    program: CompiledProgram, payable: Payable, chain: Sequence[Member]
) -> Iterator[tuple[PeriodLength, _Sold]]:
    """Which uplines' sales decide about an order: of the days of the period up to its own."""
    for length in program.qualifying:
        first, _ = period_days(length, payable.day)
        for member in chain[1 : program.chain_needed]:
            yield length, _Sold(member.id, first, payable.day)


async def gather(
    payables: Sequence[Payable],
    chains: Mapping[DistributorId, Sequence[Member]],
    stored: StoredProgram,
    time_zone: str,
    *,
    counting: bool,
) -> Evidence:
    """Read what the program asks about these orders, in as many statements for a thousand as for one.

    ``counting``: the orders are going to be paid, so that nobody else counts these sellers' pieces until then.
    """
    program = stored.compiled
    evidence = Evidence(program)
    if program.needs_pieces and payables:
        evidence.counts = await _counts(payables, stored, time_zone, counting=counting)
        # Payments under the version before see none of this one's locks, so what was counted beside them is no cache.
        settled = clock.now() - stored.activated_at > SETTLING
        evidence.number = stored.number if settled else UNMADE
    if program.qualifying and payables:
        wanted = {sold for one in payables for _, sold in _uplines(program, one, chains[one.seller_id])}
        evidence.own_sales = await _own_sales(sorted(wanted), payables[0].currency)
    return evidence


async def _own_sales(wanted: Sequence[_Sold], currency: str) -> Mapping[_Sold, int]:
    if not wanted:
        return {}
    tx = current_tx()
    listed = [
        {"n": n, "id": str(sold.seller_id), "first": sold.first, "last": sold.last} for n, sold in enumerate(wanted)
    ]
    rows = await tx.rows(
        f"SELECT v.n, CAST(sum(s.amount_minor) AS bigint) AS sold_minor "
        f"FROM {tx.recordset(2, n='bigint', id='uuid', first='date', last='date')} AS v "
        f"JOIN sales_day s ON s.tenant_id = $1 AND s.distributor_id = v.id AND s.currency = $3 "
        f"AND s.day >= v.first AND s.day <= v.last GROUP BY v.n",
        tx.tenant_id,
        orjson.dumps(listed).decode(),
        currency,
    )
    return {wanted[row["n"]]: row["sold_minor"] for row in rows}


async def _counts(
    payables: Sequence[Payable], stored: StoredProgram, time_zone: str, *, counting: bool
) -> dict[Counter, Count]:
    wanted = {counter for one in payables for _, counter in _counters(stored.compiled, one)}
    periods = {(counter.seller_id, counter.period_from) for counter in wanted}
    if counting:
        await volumes.lock(periods)
    found = await volumes.known(periods, stored.number)
    if missing := wanted - found.keys():
        found = {**found, **await count(missing, stored, time_zone)}
    return {counter: found[counter] for counter in wanted}


class LeadAsked(NamedTuple):
    """What tells who serves an order's customer: ``served_by_id`` when somebody said so, or else the region."""

    seller_id: DistributorId
    region: str | None
    self_purchase: bool
    served_by_id: DistributorId | None


async def find_servers(asked: Iterable[LeadAsked], stored: StoredProgram) -> Servers:
    """All that ``partner_of`` needs, in one statement, or none when no order of the program can have a partner."""
    if stored.compiled.lead is None:
        return Servers()
    open_ones = [one for one in asked if one.served_by_id or (one.region and not one.self_purchase)]
    if not open_ones:
        return Servers()
    named = {one.served_by_id for one in open_ones if one.served_by_id is not None}
    return await servers({one.seller_id for one in open_ones} | named, {one.region for one in open_ones if one.region})


def partner_of(asked: LeadAsked, found: Servers) -> Server | None:
    """The distributor of the customer's region: the one named, or else the only active one of the order's region."""
    if asked.served_by_id is not None:
        return found.by_id.get(asked.served_by_id)
    seller = found.by_id.get(asked.seller_id)
    if asked.self_purchase or asked.region is None or seller is None or seller.region == asked.region:
        return None
    sole = found.sole.get(asked.region)
    return None if sole is None or sole.id == asked.seller_id else sole


def as_member(found: Server | None) -> Member | None:
    """A partner as commission asks for it."""
    return None if found is None else Member(found.id, found.tier or None, found.status)
