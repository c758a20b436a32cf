"""Proof that what was settled is what the rules give: computed again, row by row, from what each order was decided on.

An order is computed anew by its version of the program and the chain of its path, with tiers and states of the moment
it was decided at. What was counted then (pieces sold before, own sales that were not enough) is taken as recorded; the
counts of pieces are held against the orders (``counts``). Awards of closed periods are decided again (``awarded``).
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from saas.base.clock import local_day
from saas.base.db import Tx, reading
from saas.base.ids import PLATFORM, DistributorId, OrderId, OrderLineId
from saas.commissions.commands import UNREACHED
from saas.commissions.queries import CommissionView, of_orders
from saas.commissions.rules import Facts, Line, LineResult, Member, Reason, Share, commission_for_line
from saas.network.history import Roll, roll
from saas.network.rules import SEGMENT
from saas.simulation.awarded import AwardDifference, recompute_awards
from saas.simulation.counts import Miscount, miscounts
from tenants import registry
from tenants.actors import system
from tenants.crossing import across_tenants
from tenants.program.components import LevelTable
from tenants.program.parts import PeriodLength
from tenants.program.versions import StoredProgram
from tenants.program.versions import program as program_version

_ORDERS_AT_ONCE = 500
_ENOUGH = 2**62
"""Own sales of whoever was not refused for too few of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A share that is not what the rules give; ``stored`` or ``computed`` is none when only the other one is there."""

    order: str
    line_no: int
    component: str
    level: int
    stored: str | None
    computed: str | None

    def __str__(self) -> str:
        where = f"order {self.order} line {self.line_no}, {self.component or 'company'} level {self.level}"
        return f"{where}: stored {self.stored or 'nothing'}, computed {self.computed or 'nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was computed again, and everything that differs; nothing may.

    Neither settlements nor closed ``periods``: there was nothing of the kind in the period asked for.
    """

    settlements: int
    orders: int
    shares: int
    periods: int
    awards: int
    differences: Sequence[Difference | AwardDifference]


class _Row(NamedTuple):
    """A line with its order's head."""

    order_id: OrderId
    seller_id: DistributorId
    number: str
    path: str
    paid_at: Any
    decided_at: Any
    self_purchase: bool
    program_number: int
    partner_path: str | None
    line_id: OrderLineId
    line_no: int
    sku: str
    category: str | None
    quantity: int
    amount_minor: int
    company_minor: int | None


async def recompute(period: str) -> Proof:
    """Compute again every order with commission in the settlements of a period, told by its label or by a day in it.

    The awards on them are decided again, and those of the calendar periods of that label or with that day.
    """
    people = await roll()
    orders = shares = 0
    differences: list[Difference | AwardDifference] = []
    async with reading() as tx:
        zone = (await registry.this_brand()).time_zone
        settlements = await _settlements(tx, period, zone)
        async for rows in _in_parts(tx, settlements):
            sales = {(one[0].seller_id, one[0].program_number, local_day(one[0].paid_at, zone)) for one in rows}
            wrong = await miscounts(tx, sales, zone)
            stored = await of_orders([one[0].order_id for one in rows])
            for lines in rows:
                program = await program_version(lines[0].program_number)
                orders += 1
                shares += len(stored[lines[0].order_id])
                differences += _compare(program, people, lines, stored[lines[0].order_id], zone)
                differences += _miscounted(lines, wrong)
        awarded = await recompute_awards(tx, period, settlements, people, zone)
    return Proof(
        settlements=len(settlements),
        orders=orders,
        shares=shares,
        periods=awarded.periods,
        awards=awarded.awards,
        differences=[*differences, *awarded.differences],
    )


async def prove_brands(period: str, slug: str | None, tell: Callable[[str], None]) -> tuple[int, int]:
    """Compute a period again for one brand or for all, and tell the outcome line by line.

    Answers how many settlements and closed periods there are, and how many differences. Raises ``NotFound``.
    """
    found = differences = 0
    only = None if slug is None else {(await registry.by_slug(slug)).id}
    actor = system(PLATFORM, "main.py recompute")
    async with across_tenants(actor, reason="proof of settled commission", only=only) as brands:
        async for _ in brands:
            proof = await recompute(period)
            name = (await registry.this_brand()).slug
            told = f"orders {proof.orders}, shares {proof.shares}, awards {proof.awards}"
            told += f", differences {len(proof.differences)}"
            some = proof.settlements + proof.periods
            tell(f"{name}: {told}" if some else f"{name}: nothing was settled in {period}")
            for difference in proof.differences:
                tell(f"  {difference}")
            found += some
            differences += len(proof.differences)
    return found, differences


async def _settlements(tx: Tx, period: str, zone: str) -> list[UUID]:
    rows = await tx.rows(
        "SELECT id, label, period_from, period_until FROM settlement WHERE tenant_id = $1 ORDER BY period_from",
        tx.tenant_id,
    )
    try:
        day = date.fromisoformat(period)
    except ValueError:
        return [row["id"] for row in rows if row["label"] == period]
    return [
        row["id"]
        for row in rows
        if local_day(row["period_from"], zone) <= day < local_day(row["period_until"], zone) or row["label"] == period
    ]


async def _in_parts(tx: Tx, settlements: Sequence[UUID]) -> AsyncIterator[list[list[_Row]]]:
    """The orders of which something was settled then, some at a time, each with all of its lines."""
    lines = tx.batches(
        f"SELECT o.id, o.seller_id, o.number, o.path, o.paid_at, o.decided_at, o.self_purchase, o.program_number, "
        f"p.path, l.id, l.line_no, l.sku, l.category, l.quantity, l.amount_minor, l.company_minor "
        f"FROM sales_order o JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id "
        f"LEFT JOIN cross_region_lead c ON c.tenant_id = o.tenant_id AND c.order_id = o.id "
        f"LEFT JOIN distributor p ON p.tenant_id = c.tenant_id AND p.id = c.distributor_id "
        f"WHERE o.tenant_id = $1 AND o.id IN (SELECT k.order_id FROM statement s JOIN commission k "
        f"ON k.tenant_id = s.tenant_id AND k.statement_id = s.id "
        f"WHERE s.tenant_id = $1 AND s.settlement_id {tx.within(2, 'uuid')}) ORDER BY o.id, l.line_no",
        tx.tenant_id,
        list(settlements),
    )
    waiting: list[list[_Row]] = []
    async with aclosing(lines) as batches:
        async for rows in batches:
            for order_id, found in groupby(map(_Row._make, rows), key=itemgetter(0)):
                if waiting and waiting[-1][0].order_id == order_id:
                    waiting[-1] += found
                    continue
                if len(waiting) >= _ORDERS_AT_ONCE:
                    yield waiting
                    waiting = []
                waiting.append(list(found))
    if waiting:
        yield waiting


def _compare(
    program: StoredProgram, people: Roll, lines: Sequence[_Row], stored: Sequence[CommissionView], zone: str
) -> list[Difference]:
    """One order: what is stored beside what the rules give."""
    found: list[Difference] = []
    for row in lines:
        views = [view for view in stored if view.line_id == row.line_id]
        kept = {(view.share.component, view.share.level): (view.share, view.program_number) for view in views}
        result = _computed(program, people, row, [view.share for view in views], zone)
        due = [one for one in result.shares if one.reason not in UNREACHED]
        given = {(one.component, one.level): (one, program.number) for one in due}
        for component, level in sorted(kept.keys() | given.keys()):
            before, now = kept.get((component, level)), given.get((component, level))
            if before != now:
                found.append(
                    Difference(
                        order=row.number,
                        line_no=row.line_no,
                        component=component,
                        level=level,
                        stored=before and _told(*before),
                        computed=now and _told(*now),
                    )
                )
        if row.company_minor != result.company_minor:
            company = (str(row.company_minor), str(result.company_minor))
            found.append(
                Difference(
                    order=row.number,
                    line_no=row.line_no,
                    component="",
                    level=0,
                    stored=company[0],
                    computed=company[1],
                )
            )
    return found


def _miscounted(lines: Sequence[_Row], wrong: Mapping[tuple[OrderLineId, str], Miscount]) -> Iterator[Difference]:
    """What the lines of an order counted and cannot have found."""
    numbers = {row.line_id: row for row in lines}
    for (line_id, component), (counted, possible) in wrong.items():
        if line_id in numbers:
            yield Difference(
                order=numbers[line_id].number,
                line_no=numbers[line_id].line_no,
                component=component,
                level=0,
                stored=f"{counted} pieces before",
                computed=f"{possible} pieces before",
            )


def _computed(program: StoredProgram, people: Roll, row: _Row, kept: Sequence[Share], zone: str) -> LineResult:
    moment = row.decided_at or row.paid_at
    chain = [Member(one.id, one.tier, one.status) for one in people.chain(row.path, moment)]
    partner = None
    if row.partner_path is not None and program.compiled.lead is not None:
        one = people.chain(row.partner_path[-SEGMENT:], moment)[0]
        partner = Member(one.id, one.tier, one.status)
    facts = Facts(_pieces(kept), _own_sales(program, chain, kept), partner, _open_lifts(kept))
    line = Line(
        row.sku,
        row.category,
        row.quantity,
        row.amount_minor,
        local_day(row.paid_at, zone),
        row.self_purchase,
    )
    return commission_for_line(program.compiled, line, chain, facts)


def _pieces(kept: Sequence[Share]) -> Mapping[str, int]:
    """By component, the pieces sold before the line, as recorded with its shares."""
    before = {share.component: share.arithmetic.pieces_before for share in kept}
    return {component: pieces for component, pieces in before.items() if pieces is not None}


def _open_lifts(kept: Sequence[Share]) -> Mapping[str, int]:
    """By component, the lift of pieces before that the line made up for, as recorded with its shares."""
    made_up = {share.component: share.arithmetic.made_up_minor for share in kept}
    return {component: minor for component, minor in made_up.items() if minor is not None}


def _own_sales(
    program: StoredProgram, chain: Sequence[Member], kept: Sequence[Share]
) -> Mapping[tuple[PeriodLength, UUID], int]:
    """Own sales of the uplines: as recorded where they were not enough, enough elsewhere."""
    asked = {part.key: part.qualify for part in program.compiled.components if isinstance(part, LevelTable)}
    found = {(length, member.id): _ENOUGH for length in program.compiled.qualifying for member in chain}
    for share in kept:
        qualify, sold = asked.get(share.component), share.arithmetic.own_sales_minor
        if share.reason is Reason.NOT_QUALIFIED and qualify and share.beneficiary_id is not None and sold is not None:
            found[qualify.period, share.beneficiary_id] = sold
    return found


def _told(share: Share, program_number: int) -> str:
    value = f"{share.rate_bps} bps" if share.rate_bps is not None else f"{share.per_piece_minor} a piece"
    detail = f" {list(share.detail)}" if share.detail else ""
    return (
        f"{share.amount_minor} to {share.beneficiary_id} ({share.reason}, tier {share.tier}, {value} of "
        f"{share.base_minor}, {share.quantity} pieces{detail}, program {program_number})"
    )
