"""What a period's orders say, read as sums: a few statements and a few rows, however many orders there were.

Paid orders that are not cancelled count, in the program's currency, by the moment of their payment and the path they
keep; goods that came back are taken off the period in which they came back. Who stood where, with which tier and
status, is as of the period's end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Tx, as_time, reading
from saas.base.db.where import Where
from saas.base.ids import OrderId
from saas.base.money import share
from saas.network.history import Roll
from saas.network.rules import SEGMENT, segment
from saas.performance.rules import ChannelOrder, Firsts, Holder, PeriodBook, Scope, Tally, once_key, seat_of
from tenants.program.calendar import period_bounds, period_days, period_label, start_of_day
from tenants.program.components import EventBonus
from tenants.program.document import Program
from tenants.program.parts import PeriodLength
from tenants.program.versions import program


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPeriod:
    """A month, quarter or year of the brand: days ``[first, until)``, and the moments at which they begin."""

    length: PeriodLength
    first: date
    until: date
    since_at: datetime
    until_at: datetime
    time_zone: str

    @property
    def label(self) -> str:
        """What people call it."""
        return period_label(self.length, self.first)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.until_at <= clock.now()

    @property
    def judged_at(self) -> datetime:
        """The last moment of the period; of one that still runs, now."""
        return min(self.until_at - timedelta.resolution, clock.now())


def calendar_period(length: PeriodLength, day: date, time_zone: str) -> CalendarPeriod:
    """The period that a day of the brand is in."""
    first, until = period_days(length, day)
    since_at, until_at = period_bounds(length, day, time_zone)
    return CalendarPeriod(
        length=length, first=first, until=until, since_at=since_at, until_at=until_at, time_zone=time_zone
    )


class _Lead(NamedTuple):
    """An order that a partner has its part of: both paths, and the part's rate."""

    path: str
    partner_path: str
    bps: int


_BOOKED = "o.status <> 'cancelled' AND o.paid_at IS NOT NULL"
_KEPT = "l.amount_minor - l.refunded_minor"
"""What is left of a line after returns: a first order in a channel is one that stays."""
_LINES = "JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id"


async def fill(book: PeriodBook, content: Program, period: CalendarPeriod) -> None:
    """Read the period's orders into the book."""
    async with reading() as tx:
        leads = await _leads(tx, content.currency, period)
        for tally in book.tallies.values():
            await _fill_tally(tx, tally, content.currency, period, leads)
        await _take_off(tx, list(book.tallies.values()), content.currency, period)
        for firsts in book.firsts.values():
            await _fill_firsts(tx, firsts, content.currency, period)


async def taken(
    book: PeriodBook,
    content: Program,
    period: CalendarPeriod,
    holders: Mapping[str, Holder],
    *,
    awarded_until: date | None = None,
) -> set[tuple[str, str]]:
    """Which of the book's first orders in a channel are none: there was one before the period, or it was paid for.

    ``awarded_until``: only what was paid for periods that ended by then, for who asks about the past again.
    """
    found: set[tuple[str, str]] = set()
    async with reading() as tx:
        for one in book.components:
            if not isinstance(one, EventBonus):
                continue
            candidates = {
                once_key(one, holders[seat].id, channel): (holders[seat].id, channel)
                for (seat, channel), order in book.firsts[one.key].by_seat.items()
                if order.amount_minor >= one.minimum_minor
            }
            where = Where(tx)
            where.add("component = $", one.key)
            where.within("once_key", list(candidates))
            if awarded_until is not None:
                where.add("period_until <= $", awarded_until)
            used = await tx.rows(f"SELECT once_key FROM award WHERE {where.sql}", *where.args)
            found.update((one.key, row["once_key"]) for row in used)
            earlier = await _sold_before(tx, one, content.currency, period, list(candidates.values()))
            found.update((one.key, key) for key, pair in candidates.items() if pair in earlier)
    return found


def holders_of(people: Roll, book: PeriodBook, period: CalendarPeriod) -> dict[str, Holder]:
    """How everybody whom the book mentions stood at the period's end, by seat."""
    paths = [path for tally in book.tallies.values() for path in tally.by_path]
    seats = {path[at : at + SEGMENT] for path in paths for at in range(0, len(path), SEGMENT)}
    seats.update(seat for firsts in book.firsts.values() for seat, _ in firsts.by_seat)
    return {seat: Holder(*people.chain(seat, period.judged_at)[0]) for seat in seats}


def _narrowed(where: Where, scope: Scope, currency: str, period: CalendarPeriod) -> None:
    """Orders of the period, as far as the scope is in effect, and the lines it is limited to."""
    since, until = period.since_at, period.until_at
    if scope.effective_from is not None:
        since = max(since, start_of_day(scope.effective_from, period.time_zone))
    if scope.effective_until is not None:
        until = min(until, start_of_day(scope.effective_until, period.time_zone))
    where.add("o.paid_at >= $", since)
    where.add("o.paid_at < $", until)
    where.add("o.currency = $", currency)
    _limited(where, scope)


def _limited(where: Where, scope: Scope) -> None:
    if (only := scope.only) is not None:
        where.within_any({"l.sku": only.products, "l.category": only.categories})


async def _fill_tally(
    tx: Tx, tally: Tally, currency: str, period: CalendarPeriod, leads: Mapping[OrderId, _Lead]
) -> None:
    where = Where(tx, "o")
    _narrowed(where, tally.scope, currency, period)
    rows = await tx.rows(
        f"SELECT o.path, CAST(count(DISTINCT o.id) AS bigint) AS orders, CAST(sum(l.quantity) AS bigint) AS pieces, "
        f"CAST(sum(l.amount_minor) AS bigint) AS amount_minor FROM sales_order o {_LINES} "
        f"WHERE {where.sql} AND {_BOOKED} GROUP BY o.path",
        *where.args,
    )
    for row in rows:
        tally.put(row["path"], row["orders"], row["pieces"], row["amount_minor"])
    if not leads:
        return
    where = Where(tx, "o")
    _narrowed(where, tally.scope, currency, period)
    rows = await tx.rows(
        f"SELECT o.id, CAST(sum(l.amount_minor) AS bigint) AS amount_minor FROM cross_region_lead c "
        f"JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = c.order_id {_LINES} "
        f"WHERE {where.sql} AND {_BOOKED} GROUP BY o.id",
        *where.args,
    )
    for row in rows:
        lead = leads[row["id"]]
        part = share(row["amount_minor"], lead.bps)
        tally.put(lead.path, 0, 0, -part)
        tally.put(lead.partner_path, 0, 0, part)


class Partnered(NamedTuple):
    """A cross-region lead: the order's own path and version, and its partner's path when the order was decided."""

    path: str
    program_number: int
    partner_path: str


async def partnered(tx: Tx, currency: str, since: datetime, until: datetime) -> dict[OrderId, Partnered]:
    """The leads among the orders paid in ``[since, until)``."""
    rows = await tx.rows(
        f"WITH RECURSIVE above (order_id, path, program_number, decided_at, distributor_id, height) AS ("
        f"SELECT o.id, o.path, o.program_number, coalesce(o.decided_at, o.paid_at), c.distributor_id, 0 "
        f"FROM cross_region_lead c JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = c.order_id "
        f"WHERE o.tenant_id = $1 AND o.currency = $2 AND o.paid_at >= $3 AND o.paid_at < $4 AND {_BOOKED} "
        f"UNION ALL SELECT a.order_id, a.path, a.program_number, a.decided_at, s.sponsor_id, a.height + 1 "
        f"FROM above a JOIN sponsorship s ON s.tenant_id = $1 AND s.distributor_id = a.distributor_id "
        f"AND s.valid_from <= a.decided_at AND (s.valid_until IS NULL OR s.valid_until > a.decided_at) "
        f"WHERE s.sponsor_id IS NOT NULL) "
        f"SELECT a.order_id, a.path, a.program_number, d.no FROM above a "
        f"JOIN distributor d ON d.tenant_id = $1 AND d.id = a.distributor_id ORDER BY a.order_id, a.height DESC",
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
    """Take off what came back in the period, whenever it was sold: a closed period never changes."""
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


async def _take_off_tally(
    tx: Tx, tally: Tally, currency: str, period: CalendarPeriod, leads: Mapping[OrderId, _Lead]
) -> None:
    """An order is one order less when its last piece is back. A partner's part is of all that came back so far."""
    where = Where(tx, "r")
    where.add("r.received_at < $", period.until_at)
    where.add("o.currency = $", currency)
    if tally.scope.effective_from is not None:
        where.add("o.paid_at >= $", start_of_day(tally.scope.effective_from, period.time_zone))
    if tally.scope.effective_until is not None:
        where.add("o.paid_at < $", start_of_day(tally.scope.effective_until, period.time_zone))
    _limited(where, tally.scope)
    since = where.arg(period.since_at)
    now = f"r.received_at >= {since}"
    rows = await tx.rows(
        f"SELECT o.path, count(DISTINCT CASE WHEN r.whole AND {now} THEN o.id END) AS orders, "
        f"CAST(sum(CASE WHEN {now} THEN b.quantity END) AS bigint) AS pieces, "
        f"CAST(sum(CASE WHEN {now} THEN b.refund_minor END) AS bigint) AS now_minor, "
        f"CAST(sum(b.refund_minor) AS bigint) AS all_minor, c.order_id AS lead_id {_BACK} {_LINES} "
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


async def _fill_firsts(tx: Tx, firsts: Firsts, currency: str, period: CalendarPeriod) -> None:
    where = Where(tx, "o")
    _narrowed(where, firsts.scope, currency, period)
    if firsts.channels is not None:
        where.within("o.channel", list(firsts.channels))
    least = where.arg(firsts.minimum_minor)
    short = f"CASE WHEN sum({_KEPT}) >= CAST({least} AS bigint) THEN 0 ELSE"
    rows = await tx.rows(
        f"SELECT path, channel, id, paid_at, CAST(amount_minor AS bigint) AS amount_minor FROM ("
        f"SELECT o.path, o.channel, o.id, o.paid_at, sum({_KEPT}) AS amount_minor, "
        f"row_number() OVER (PARTITION BY o.seller_id, o.channel "
        f"ORDER BY {short} 1 END, {short} -sum({_KEPT}) END, o.paid_at, o.id) AS place "
        f"FROM sales_order o {_LINES} WHERE {where.sql} AND {_BOOKED} AND o.channel IS NOT NULL "
        f"AND l.quantity > l.returned GROUP BY o.path, o.channel, o.seller_id, o.id, o.paid_at) AS ranked "
        f"WHERE place = 1",
        *where.args,
    )
    for row in rows:
        paid_at = as_time(row["paid_at"])
        if paid_at is not None:
            firsts.put(seat_of(row["path"]), row["channel"], ChannelOrder(paid_at, row["id"], row["amount_minor"]))


async def _sold_before(
    tx: Tx, component: EventBonus, currency: str, period: CalendarPeriod, pairs: Sequence[tuple[UUID, str]]
) -> set[tuple[UUID, str]]:
    """Of these sellers and channels, where there was such an order before the period."""
    since = component.effective_from
    if not pairs or (since is not None and since >= period.first):
        return set()
    listed = [{"seller_id": str(seller_id), "channel": channel} for seller_id, channel in pairs]
    where = Where(tx, "o")
    asked = tx.recordset(int(where.arg(orjson.dumps(listed).decode())[1:]), seller_id="uuid", channel="text")
    where.add("o.paid_at < $", period.since_at)
    where.add("o.currency = $", currency)
    if since is not None:
        where.add("o.paid_at >= $", start_of_day(since, period.time_zone))
    lines = Where(tx, "l")
    lines.args = where.args
    _limited(lines, Scope(component.only))
    least = where.arg(component.minimum_minor)
    whose = "o.seller_id = v.seller_id AND " if component.once == "distributor" else ""
    rows = await tx.rows(
        f"SELECT v.seller_id, v.channel FROM {asked} AS v WHERE EXISTS (SELECT 1 FROM sales_order o "
        f"WHERE {whose}o.channel = v.channel AND {where.sql} AND {_BOOKED} AND (SELECT sum({_KEPT}) "
        f"FROM order_line l WHERE l.order_id = o.id AND l.quantity > l.returned AND {lines.sql}) "
        f">= CAST({least} AS bigint))",
        *where.args,
    )
    return {(UUID(str(row["seller_id"])), row["channel"]) for row in rows}
