"""Proof of the counts that commission was computed by: the pieces that a line found sold before it in its period.

Where nothing was undone, the lines of a counter follow one another without a gap and without overlapping, after all
that was sold under earlier versions. Where orders were undone, nobody can have found more than was sold in all.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from saas.base.db import Tx
from saas.base.ids import DistributorId, OrderLineId
from saas.orders.counting import SoldLine, Tally, in_order, sold_lines, tallies
from tenants.program.calendar import period_days, start_of_day
from tenants.program.versions import program

Sale = tuple[DistributorId, int, date]
"""A seller, the version an order was paid under, and the day."""


class Miscount(NamedTuple):
    """What a line was computed by, and what it can have found at most."""

    counted: int
    possible: int


async def miscounts(tx: Tx, sales: Collection[Sale], time_zone: str) -> Mapping[tuple[OrderLineId, str], Miscount]:
    """By line and component, the counts that cannot be, in the periods that these sales are in."""
    spans = [
        period_days(counter.period, day)
        for _, number, day in sales
        for counter in (await program(number)).compiled.needs_pieces
    ]
    if not spans:
        return {}
    sellers = {seller_id for seller_id, _, _ in sales}
    lines = await sold_lines(sellers, spans, time_zone)
    cancelled = await _cancelled(tx, sellers, (min(spans)[0], max(until for _, until in spans)), time_zone)
    place = {line.id: at for at, line in enumerate(lines)}
    found: dict[tuple[OrderLineId, str], Miscount] = {}
    so_far = set[int]()
    for stored in in_order([await program(number) for number in {line.program_number for line in lines}]):
        so_far.add(stored.number)
        for counter, tally in tallies((line for line in lines if line.program_number in so_far), stored).items():
            gone = cancelled.get(counter.seller_id, 0)
            for line, miscount in _wrong(counter.component, tally, gone, place):
                found[line.id, counter.component] = miscount
    return found


def _wrong(
    component: str, tally: Tally, cancelled: int, place: Mapping[OrderLineId, int]
) -> Iterator[tuple[SoldLine, Miscount]]:
    """The lines that were computed by a wrong count."""
    lines, others = sorted(tally.lines, key=lambda line: line.kept[component].before), tally.others
    sold = sum(line.pieces for line in others)
    whole = not cancelled and not any(line.returned for line in (*lines, *others))
    if whole and _all_before(others, lines, place):
        for line in lines:
            if line.kept[component].before != sold:
                yield line, Miscount(line.kept[component].before, sold)
            sold += line.pieces
        return
    most = sold + cancelled + sum(line.pieces for line in lines)
    for line in lines:
        if not 0 <= line.kept[component].before <= most - line.pieces:
            yield line, Miscount(line.kept[component].before, most - line.pieces)


def _all_before(others: Sequence[SoldLine], lines: Sequence[SoldLine], place: Mapping[OrderLineId, int]) -> bool:
    """Whether all that others sold was booked before the first of these lines: a late payment may follow a version."""
    first = min((place[line.id] for line in lines), default=0)
    return all(place[line.id] < first for line in others)


async def _cancelled(
    tx: Tx, sellers: Collection[DistributorId], span: tuple[date, date], time_zone: str
) -> Mapping[DistributorId, int]:
    """The pieces of orders that these sellers sold on these days and that were cancelled."""
    rows = await tx.rows(
        f"SELECT o.seller_id, CAST(sum(l.quantity) AS bigint) AS pieces FROM sales_order o "
        f"JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id WHERE o.tenant_id = $1 "
        f"AND o.seller_id {tx.within(2, 'uuid')} AND o.status = 'cancelled' AND o.paid_at >= $3 AND o.paid_at < $4 "
        f"GROUP BY o.seller_id",
        tx.tenant_id,
        sorted(sellers),
        *(start_of_day(day, time_zone) for day in span),
    )
    return {row["seller_id"]: row["pieces"] for row in rows}
