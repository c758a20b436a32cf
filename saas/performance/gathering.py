"""What a period's orders say, read as sums: a few statements and a few rows, however many orders there were.

Paid orders count, in the program's currency, by the moment of their payment and the path they keep. One that was
cancelled in the same period never counted; later it is taken off the period in which it was cancelled, as goods that
came back are taken off the period in which they came back. So a period that is over has figures that never change. Who
stood where, with which tier and status, is as of the period's end.

What is asked once more later is asked as of the moment at which it was known: orders that were paid into the period
since do not count, and the first order in a channel is the one that had not been undone by then.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from saas.base.db import Tx, as_time, reading
from saas.base.db.where import Where
from saas.base.ids import OrderId
from saas.base.money import share
from saas.network.history import Roll
from saas.network.rules import SEGMENT, segment
from saas.performance.firsts import fill_firsts
from saas.performance.reads import LINES, CalendarPeriod, decided, in_effect, limited, narrowed
from saas.performance.rules import Holder, PeriodBook, Tally
from tenants.program.document import Program
from tenants.program.versions import program


class _Lead(NamedTuple):
    """An order that a partner has its part of: both paths, and the part's rate."""

    path: str
    partner_path: str
    bps: int


async def fill(book: PeriodBook, content: Program, period: CalendarPeriod, known_at: datetime | None = None) -> None:
    """Read the period's orders into the book, as they were known at a moment, or as they are now."""
    async with reading() as tx:
        leads = await _leads(tx, content.currency, period)
        for tally in book.tallies.values():
            await _fill_tally(tx, tally, content.currency, period, known_at, leads)
        await _take_off(tx, list(book.tallies.values()), content.currency, period)
        for firsts in book.firsts.values():
            await fill_firsts(tx, firsts, content.currency, period, known_at)


def holders_of(people: Roll, book: PeriodBook, period: CalendarPeriod) -> dict[str, Holder]:
    """How everybody whom the book mentions stood at the period's end, by seat."""
    paths = [path for tally in book.tallies.values() for path in tally.by_path]
    seats = {path[at : at + SEGMENT] for path in paths for at in range(0, len(path), SEGMENT)}
    seats.update(seat for firsts in book.firsts.values() for seat, _ in firsts.by_seat)
    return {seat: Holder(*people.chain(seat, period.judged_at)[0]) for seat in seats}


async def _fill_tally(
    tx: Tx,
    tally: Tally,
    currency: str,
    period: CalendarPeriod,
    known_at: datetime | None,
    leads: Mapping[OrderId, _Lead],
) -> None:
    where = Where(tx, "o")
    narrowed(where, tally.scope, currency, period)
    booked = f"{decided(where, known_at)} AND (o.undone_at IS NULL OR o.undone_at >= {where.arg(period.until_at)})"
    await _sum(tx, tally, where, booked, leads)


async def _sum(tx: Tx, tally: Tally, where: Where, booked: str, leads: Mapping[OrderId, _Lead], sign: int = 1) -> None:
    """Count the orders of a condition, each lead's part for its partner; with -1 take them off."""
    rows = await tx.rows(
        f"SELECT o.path, CAST(count(DISTINCT o.id) AS bigint) AS orders, CAST(sum(l.quantity) AS bigint) AS pieces, "
        f"CAST(sum(l.amount_minor) AS bigint) AS amount_minor FROM sales_order o {LINES} "
        f"WHERE {where.sql} AND {booked} GROUP BY o.path",
        *where.args,
    )
    for row in rows:
        tally.put(row["path"], sign * row["orders"], sign * row["pieces"], sign * row["amount_minor"])
    if not leads:
        return
    rows = await tx.rows(
        f"SELECT o.id, CAST(sum(l.amount_minor) AS bigint) AS amount_minor FROM cross_region_lead c "
        f"JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = c.order_id {LINES} "
        f"WHERE {where.sql} AND {booked} GROUP BY o.id",
        *where.args,
    )
    for row in rows:
        lead = leads[row["id"]]
        part = sign * share(row["amount_minor"], lead.bps)
        tally.put(lead.path, 0, 0, -part)
        tally.put(lead.partner_path, 0, 0, part)


class Partnered(NamedTuple):
    """A cross-region lead: the order's own path and version, and its partner's path when the order was decided."""

    path: str
    program_number: int
    partner_path: str


async def partnered(tx: Tx, currency: str, since: datetime, until: datetime) -> dict[OrderId, Partnered]:
    """The leads among the orders paid in ``[since, until)``, also of those that were cancelled since."""
    rows = await tx.rows(
        "WITH RECURSIVE above (order_id, path, program_number, decided_at, distributor_id, height) AS ("
        "SELECT o.id, o.path, o.program_number, coalesce(o.decided_at, o.paid_at), c.distributor_id, 0 "
        "FROM cross_region_lead c JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = c.order_id "
        "WHERE o.tenant_id = $1 AND o.currency = $2 AND o.paid_at >= $3 AND o.paid_at < $4 "
        "UNION ALL SELECT a.order_id, a.path, a.program_number, a.decided_at, s.sponsor_id, a.height + 1 "
        "FROM above a JOIN sponsorship s ON s.tenant_id = $1 AND s.distributor_id = a.distributor_id "
        "AND s.valid_from <= a.decided_at AND (s.valid_until IS NULL OR s.valid_until > a.decided_at) "
        "WHERE s.sponsor_id IS NOT NULL) "
        "SELECT a.order_id, a.path, a.program_number, d.no FROM above a "
        "JOIN distributor d ON d.tenant_id = $1 AND d.id = a.distributor_id ORDER BY a.order_id, a.height DESC",
        tx.tenant_id,
        currency,
        since,
        until,
    )
    found: dict[OrderId, Partnered] = {}
    for row in rows:
        before = found.get(row["order_id"])
        above = before.partner_path if before else ""
        found[row["order_id"]] = Partnered(row["path"], row["program_number"], above + segment(row["no"]))
    return found


async def _leads(tx: Tx, currency: str, period: CalendarPeriod) -> dict[OrderId, _Lead]:
    """The period's leads, each at the rate of its order's program."""
    return await _rated(await partnered(tx, currency, period.since_at, period.until_at))


async def _rated(found: Mapping[OrderId, Partnered]) -> dict[OrderId, _Lead]:
    rates: dict[int, int] = {}
    for number in {one.program_number for one in found.values()}:
        lead = (await program(number)).program.territory.cross_region_lead
        rates[number] = 0 if lead is None else lead.performance_to_region_bps
    return {id_: _Lead(path, above, rates[number]) for id_, (path, number, above) in found.items()}


_BACK = (
    "FROM return_case r JOIN sales_order o ON o.tenant_id = r.tenant_id AND o.id = r.order_id "
    "LEFT JOIN cross_region_lead c ON c.tenant_id = o.tenant_id AND c.order_id = o.id"
)


async def _take_off(tx: Tx, tallies: Sequence[Tally], currency: str, period: CalendarPeriod) -> None:
    """Take off what came back or was cancelled in the period, whenever it was sold: a closed one never changes."""
    await _take_off_cancelled(tx, tallies, currency, period)
    span = await tx.rows(
        f"SELECT o.paid_at, c.order_id {_BACK} WHERE r.tenant_id = $1 AND r.received_at >= $2 AND r.received_at < $3 "
        f"AND o.currency = $4 ORDER BY o.paid_at",
        *(tx.tenant_id, period.since_at, period.until_at, currency),
    )
    if not span:
        return
    leads: dict[OrderId, _Lead] = {}
    shared = [row["paid_at"] for row in span if row["order_id"] is not None]
    if shared:
        leads = await _rated(await partnered(tx, currency, shared[0], shared[-1] + timedelta.resolution))
    for tally in tallies:
        await _take_off_tally(tx, tally, currency, period, leads)


async def _take_off_cancelled(tx: Tx, tallies: Sequence[Tally], currency: str, period: CalendarPeriod) -> None:
    """Take off orders that were cancelled in the period and sold before it."""
    gone = "o.undone_at >= {since} AND o.undone_at < {until} AND o.paid_at < {since}"
    where = Where(tx, "o")
    where.add("o.currency = $", currency)
    moments = {"since": where.arg(period.since_at), "until": where.arg(period.until_at)}
    span = await tx.row(
        f"SELECT min(o.paid_at) AS first, max(o.paid_at) AS last FROM sales_order o "
        f"WHERE {where.sql} AND {gone.format(**moments)}",
        *where.args,
    )
    first, last = (None, None) if span is None else (as_time(span["first"]), as_time(span["last"]))
    if first is None or last is None:
        return
    leads = await _rated(await partnered(tx, currency, first, last + timedelta.resolution))
    for tally in tallies:
        where = Where(tx, "o")
        where.add("o.currency = $", currency)
        in_effect(where, tally.scope, period)
        limited(where, tally.scope)
        moments = {"since": where.arg(period.since_at), "until": where.arg(period.until_at)}
        await _sum(tx, tally, where, gone.format(**moments), leads, -1)


async def _take_off_tally(
    tx: Tx, tally: Tally, currency: str, period: CalendarPeriod, leads: Mapping[OrderId, _Lead]
) -> None:
    """An order is one order less when its last piece is back. A partner's part is of all that came back so far."""
    where = Where(tx, "r")
    where.add("r.received_at < $", period.until_at)
    where.add("o.currency = $", currency)
    in_effect(where, tally.scope, period)
    limited(where, tally.scope)
    since = where.arg(period.since_at)
    now = f"r.received_at >= {since}"
    rows = await tx.rows(
        f"SELECT o.path, count(DISTINCT CASE WHEN r.whole AND {now} THEN o.id END) AS orders, "
        f"CAST(sum(CASE WHEN {now} THEN b.quantity END) AS bigint) AS pieces, "
        f"CAST(sum(CASE WHEN {now} THEN b.refund_minor END) AS bigint) AS now_minor, "
        f"CAST(sum(b.refund_minor) AS bigint) AS all_minor, c.order_id AS lead_id {_BACK} {LINES} "
        f"LEFT JOIN return_line b ON b.tenant_id = r.tenant_id AND b.return_id = r.id AND b.line_id = l.id "
        f"WHERE {where.sql} AND o.id IN (SELECT n.order_id FROM return_case n WHERE n.tenant_id = $1 "
        f"AND n.received_at >= {since}) GROUP BY o.path, c.order_id",
        *where.args,
    )
    for row in rows:
        back = row["now_minor"] or 0
        tally.put(row["path"], -row["orders"], -(row["pieces"] or 0), -back)
        if back and row["lead_id"] is not None:
            lead = leads[row["lead_id"]]
            part = share(row["all_minor"], lead.bps) - share(row["all_minor"] - back, lead.bps)
            tally.put(lead.path, 0, 0, part)
            tally.put(lead.partner_path, 0, 0, -part)
