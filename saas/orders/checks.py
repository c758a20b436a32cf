"""Lifts of pieces with volume, checked against the orders: no more stands than the pieces that are left bring."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

from saas.base.checks import Violation, violations
from saas.base.db import Tx, reading
from saas.base.ids import DistributorId, OrderLineId
from saas.commissions.lifts import due, taken_minor
from saas.commissions.shares import LEAD
from saas.commissions.volumes import Count, Counter
from saas.orders.counting import COLUMNS, ORDER, SOLD, SoldLine, Tally, counted, in_order, lines_of, tallies
from tenants import registry
from tenants.program.versions import StoredProgram, program

_NAMES = [column.rpartition(" ")[2].rpartition(".")[2] for column in COLUMNS.split(", ")]
_MOVING = ("pending", "available", "settled")


class _Share(NamedTuple):
    """A share of an evened lift, the seller's or its partner's."""

    component: str
    amount_minor: int
    reversed_minor: int
    status: str


async def trace_codes_stand() -> list[Violation]:
    """A line has no more trace codes than pieces, and none that stands once its order is cancelled."""
    return await violations(
        "trace_codes_stand",
        "SELECT CAST(l.id AS text) AS subject, l.quantity AS expected, count(*) AS actual FROM trace_code t "
        "JOIN order_line l ON l.tenant_id = t.tenant_id AND l.id = t.line_id AND l.order_id = t.order_id "
        "WHERE t.tenant_id = $1 GROUP BY l.id, l.quantity HAVING count(*) > l.quantity "
        "UNION ALL SELECT t.code, 0, 1 FROM trace_code t JOIN sales_order o ON o.tenant_id = t.tenant_id "
        "AND o.id = t.order_id WHERE t.tenant_id = $1 AND o.status = 'cancelled' AND t.freed_at IS NULL",
    )


async def lifts_within_pieces() -> list[Violation]:
    """No seller has more lift than its pieces bring, counters say what the orders say, and shares lost what was evened.

    Sellers are looked at one by one, whatever the brand's size.
    """
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT DISTINCT program_number FROM sales_order WHERE tenant_id = $1 AND program_number IS NOT NULL",
            tx.tenant_id,
        )
        versions = in_order([await program(row["program_number"]) for row in rows])
        if not any(stored.compiled.needs_pieces for stored in versions):
            return []
        counters, shares = await _counters(tx), await _evened_shares(tx)
        found: list[Violation] = []
        async for lines in _sellers(tx, (await registry.this_brand()).time_zone):
            found += _of_seller(lines, versions, counters.pop(lines[0].seller_id, {}), shares)
    return found


def _of_seller(
    lines: Sequence[SoldLine],
    versions: Sequence[StoredProgram],
    counters: Mapping[tuple[Counter, int], Count],
    shares: Mapping[OrderLineId, Sequence[_Share]],
) -> Iterator[Violation]:
    so_far = set[int]()
    for stored in versions:
        so_far.add(stored.number)
        made = tallies((line for line in lines if line.program_number in so_far), stored)
        for counter, tally in made.items():
            yield from _of_counter(stored, counter, tally, shares)
            kept, now = counters.get((counter, stored.number)), counted(stored, counter.component, tally)
            for name, is_kept, should in zip(("pieces", "open"), kept or (), now, strict=False):
                if is_kept != should:
                    yield Violation(f"lifts_within_pieces_{name}", _told(counter), should, is_kept)


def _of_counter(
    stored: StoredProgram, counter: Counter, tally: Tally, shares: Mapping[OrderLineId, Sequence[_Share]]
) -> Iterator[Violation]:
    lifted = [line.lifted(counter.component) for line in tally.lines]
    brings = due(stored.compiled.volumes[counter.component], tally.before, lifted)
    stands = sum(one.standing_minor for one in lifted)
    if stands > brings:
        yield Violation("lifts_within_pieces_stand", f"{_told(counter)} program {stored.number}", brings, stands)
    for line, lift in zip(tally.lines, lifted, strict=True):
        for share in shares.get(line.id, ()) if lift.evened_minor else ():
            lost = taken_minor(share.amount_minor, line.paid(counter.component, stored), lift)
            ours = share.component.removesuffix(LEAD) == counter.component
            if ours and share.status in _MOVING and share.reversed_minor != lost:
                yield Violation("lifts_within_pieces_lost", f"{line.id} {share.component}", lost, share.reversed_minor)


def _told(counter: Counter) -> str:
    return f"{counter.seller_id} {counter.component} {counter.period_from}"


async def _counters(tx: Tx) -> dict[DistributorId, dict[tuple[Counter, int], Count]]:
    """The counters that payments go by, of each seller, with the version they were made for."""
    rows = await tx.rows(
        "SELECT distributor_id, component, period_from, program_number, pieces, open_minor FROM period_volume "
        "WHERE tenant_id = $1 AND component <> '' AND program_number <> 0",
        tx.tenant_id,
    )
    found: defaultdict[DistributorId, dict[tuple[Counter, int], Count]] = defaultdict(dict)
    for row in rows:
        counter = Counter(row["distributor_id"], row["component"], row["period_from"])
        found[counter.seller_id][counter, row["program_number"]] = Count(row["pieces"], row["open_minor"])
    return found


async def _evened_shares(tx: Tx) -> Mapping[OrderLineId, Sequence[_Share]]:
    rows = await tx.rows(
        "SELECT line_id, component, amount_minor, reversed_minor, status FROM commission "
        "WHERE tenant_id = $1 AND evened_minor > 0",
        tx.tenant_id,
    )
    found: defaultdict[OrderLineId, list[_Share]] = defaultdict(list)
    for row in rows:
        found[row["line_id"]].append(
            _Share(row["component"], row["amount_minor"], row["reversed_minor"], row["status"])
        )
    return found


async def _sellers(tx: Tx, time_zone: str) -> AsyncIterator[Sequence[SoldLine]]:
    """The lines of each seller, the oldest first."""
    rows = tx.batches(
        f"SELECT {COLUMNS} {SOLD} WHERE o.tenant_id = $1 AND o.paid_at IS NOT NULL AND o.status <> 'cancelled' "
        f"ORDER BY o.seller_id, {ORDER}",
        tx.tenant_id,
    )
    waiting: list[SoldLine] = []
    async with aclosing(rows) as batches:
        async for batch in batches:
            lines = list(lines_of((dict(zip(_NAMES, row, strict=True)) for row in batch), time_zone))
            for line in lines:
                if waiting and waiting[-1].id == line.id:  # its shares were parted by the end of a batch
                    waiting[-1].kept.update(line.kept)
                    continue
                if waiting and waiting[-1].seller_id != line.seller_id:
                    yield waiting
                    waiting = []
                waiting.append(line)
    if waiting:
        yield waiting
