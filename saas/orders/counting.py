"""What the paid orders say about a seller's pieces and their lifts (docs/rules.md §3.2).

Counters of periods are made from it, undone orders are evened by it, and the books are checked against it. Lines come
in the order in which their payments were booked, so the newest is the last.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import orjson

from saas.base.clock import local_day
from saas.base.db import Row, current_tx
from saas.base.ids import DistributorId, OrderId, OrderLineId
from saas.commissions.lifts import Lifted, Paid, open_minor
from saas.commissions.rules import Reason, Share
from saas.commissions.volumes import Count, Counter
from tenants.program.calendar import period_days, start_of_day
from tenants.program.parts import PeriodLength
from tenants.program.versions import StoredProgram

_REASONS = {reason.value: reason for reason in Reason}
Days = tuple[date, date]
"""Days ``[first, until)`` of the brand's calendar."""


class Kept(NamedTuple):
    """A seller's share of an amount a piece with volume, as it was kept, before any limit, and what was evened.

    ``before``: the pieces of the period that it found sold before its line. ``paid_minor``: what was left of it under
    the limit, before a lead was shared.
    """

    before: int
    base_minor: int
    full_minor: int
    paid_minor: int
    lift_minor: int
    evened_minor: int


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line of a paid order that was not cancelled; ``kept`` by component."""

    id: OrderLineId
    order_id: OrderId
    seller_id: DistributorId
    program_number: int
    day: date
    sku: str
    category: str | None
    pieces: int
    returned: int
    kept: dict[str, Kept] = field(default_factory=dict)

    def lifted(self, component: str) -> Lifted:
        """The lift of a component that is kept of the line."""
        kept = self.kept[component]
        return Lifted(self.pieces, self.returned, kept.lift_minor, kept.evened_minor)

    def paid(self, component: str, stored: StoredProgram) -> Paid:
        """What was paid by a component that is kept of the line, which was sold under this version."""
        kept = self.kept[component]
        return Paid(kept.full_minor, kept.paid_minor, stored.compiled.limit_of(kept.base_minor))


@dataclass(slots=True)
class Tally:
    """What a program version counts for one counter: its own lines, and those sold under others."""

    lines: list[SoldLine] = field(default_factory=list)
    others: list[SoldLine] = field(default_factory=list)

    @property
    def before(self) -> int:
        """The pieces that are left of what others brought."""
        return sum(line.pieces - line.returned for line in self.others)


COLUMNS = (
    "o.id AS order_id, o.seller_id, o.program_number, o.paid_at, l.id, l.sku, l.category, l.quantity, l.returned, "
    "c.component, c.per_piece_minor, c.base_minor, c.amount_minor, c.reason, c.detail, c.evened_minor"
)
SOLD = (
    "FROM sales_order o JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id "
    "LEFT JOIN commission c ON c.tenant_id = l.tenant_id AND c.line_id = l.id AND c.level = 0 "
    "AND c.per_piece_minor IS NOT NULL AND c.detail IS NOT NULL"
)
ORDER = "o.decided_at, o.id, l.line_no, l.id"


async def sold_lines(sellers: Collection[DistributorId], spans: Iterable[Days], time_zone: str) -> list[SoldLine]:
    """The lines these sellers sold on these days, in one statement, the oldest first."""
    tx = current_tx()
    args: list[object] = [tx.tenant_id, sorted(sellers)]
    bounds = []
    for first, until in merged(spans):
        args += [start_of_day(first, time_zone), start_of_day(until, time_zone)]
        bounds.append(f"o.paid_at >= ${len(args) - 1} AND o.paid_at < ${len(args)}")
    rows = await tx.rows(
        f"SELECT {COLUMNS} {SOLD} WHERE o.tenant_id = $1 AND o.seller_id {tx.within(2, 'uuid')} "
        f"AND ({' OR '.join(bounds)}) AND o.status <> 'cancelled' ORDER BY {ORDER}",
        *args,
    )
    return list(lines_of(rows, time_zone))


def merged(spans: Iterable[Days]) -> Iterator[Days]:
    """The same days in spans that neither touch nor overlap."""
    current: Days | None = None
    for first, until in sorted(spans):
        if current is not None and first <= current[1]:
            current = (current[0], max(until, current[1]))
            continue
        if current is not None:
            yield current
        current = (first, until)
    if current is not None:
        yield current


def lines_of(rows: Iterable[Row], time_zone: str) -> Iterator[SoldLine]:
    """Lines from rows that repeat them for each share that is kept; rows of one line follow one another."""
    line: SoldLine | None = None
    for row in rows:
        if line is None or line.id != row["id"]:
            if line is not None:
                yield line
            line = SoldLine(
                row["id"],
                row["order_id"],
                row["seller_id"],
                row["program_number"],
                local_day(row["paid_at"], time_zone),
                row["sku"],
                row["category"],
                row["quantity"],
                row["returned"],
            )
        if row["component"] is not None:
            line.kept[row["component"]] = _kept(row)
    if line is not None:
        yield line


def _kept(row: Row) -> Kept:
    detail, reason = tuple(orjson.loads(row["detail"])), _REASONS[row["reason"]]
    base, each, amount = row["base_minor"], row["per_piece_minor"], row["amount_minor"]
    share = Share(row["component"], 0, None, None, None, each, base, row["quantity"], amount, reason, detail)
    whole = share.arithmetic.whole_minor
    paid = amount if whole is None else whole
    return Kept(detail[0], base, share.full_minor, paid, share.lift_minor, row["evened_minor"] or 0)


def tallies(lines: Iterable[SoldLine], stored: StoredProgram) -> dict[Counter, Tally]:
    """By counter, what a version makes of lines; those it has no share of were sold under others."""
    program = stored.compiled
    lengths: dict[str, PeriodLength] = {key: period for key, period, *_ in program.needs_pieces}
    found: dict[Counter, Tally] = {}
    for line in lines:
        for key in program.counters_for(line.sku, line.category, line.day):
            counter = Counter(line.seller_id, key, period_days(lengths[key], line.day)[0])
            tally = found.setdefault(counter, Tally())
            ours = line.program_number == stored.number and key in line.kept
            (tally.lines if ours else tally.others).append(line)
    return found


async def count(missing: Collection[Counter], stored: StoredProgram, time_zone: str) -> Mapping[Counter, Count]:
    """Counters as the paid orders say, in one statement."""
    lengths = {key: period for key, period, *_ in stored.compiled.needs_pieces}
    spans = {period_days(lengths[one.component], one.period_from) for one in missing}
    made = tallies(await sold_lines({one.seller_id for one in missing}, spans, time_zone), stored)
    return {one: counted(stored, one.component, made.get(one, Tally())) for one in missing}


def counted(stored: StoredProgram, component: str, tally: Tally) -> Count:
    """Where a counter stands."""
    lines = [line.lifted(component) for line in tally.lines]
    pieces = tally.before + sum(line.left for line in lines)
    return Count(pieces, open_minor(stored.compiled.volumes[component], tally.before, lines))


def in_order(versions: Iterable[StoredProgram]) -> Sequence[StoredProgram]:
    """Versions as they came into force."""
    return sorted(versions, key=lambda one: (one.activated_at, one.number))
