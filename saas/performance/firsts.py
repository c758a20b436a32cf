"""The first orders in a channel: which one speaks for a seller, and which are none because there was one before."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import orjson

from saas.base.db import Tx, as_time, reading
from saas.base.db.where import Where
from saas.performance.reads import LINES, CalendarPeriod, decided, limited, narrowed
from saas.performance.rules import ChannelOrder, Firsts, Holder, PeriodBook, Scope, once_key, seat_of
from tenants.program.calendar import start_of_day
from tenants.program.components import EventBonus
from tenants.program.document import Program


async def taken(
    book: PeriodBook,
    content: Program,
    period: CalendarPeriod,
    holders: Mapping[str, Holder],
    *,
    awarded_until: date | None = None,
    known_at: datetime | None = None,
) -> set[tuple[str, str]]:
    """Which of the book's first orders in a channel are none: there was one before the period, or it was paid for.

    ``awarded_until``: only what was paid for periods that ended by then, ``known_at``: only what was known and paid
    for before that moment; for who asks about the past again.
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
            if known_at is not None:
                before = "SELECT p.id FROM period_close p WHERE p.tenant_id = $1 AND p.closed_at < $"
                where.add(f"close_id IN ({before})", known_at)
            used = await tx.rows(f"SELECT once_key FROM award WHERE {where.sql}", *where.args)
            found.update((one.key, row["once_key"]) for row in used)
            earlier = await _sold_before(tx, one, content.currency, period, list(candidates.values()), known_at)
            found.update((one.key, key) for key, pair in candidates.items() if pair in earlier)
    return found


def _standing(where: Where, known_at: datetime | None) -> str:
    """The condition that an order was paid and not undone, by what was known at a moment."""
    paid = decided(where, known_at)
    undone = "o.undone_at IS NULL"
    return f"{paid} AND " + (undone if known_at is None else f"({undone} OR o.undone_at > {where.arg(known_at)})")


def _kept(where: Where, known_at: datetime | None) -> tuple[str, str]:
    """Amount and pieces that were left of a line after returns: a first order in a channel is one that stays."""
    if known_at is None:
        return "l.amount_minor - l.refunded_minor", "l.quantity - l.returned"
    back = (
        "coalesce((SELECT sum(b.{}) FROM return_line b JOIN return_case r ON r.tenant_id = b.tenant_id "
        "AND r.id = b.return_id WHERE b.tenant_id = l.tenant_id AND b.line_id = l.id "
        f"AND r.received_at <= {where.arg(known_at)}), 0)"
    )
    return f"l.amount_minor - {back.format('refund_minor')}", f"l.quantity - {back.format('quantity')}"


async def fill_firsts(tx: Tx, firsts: Firsts, currency: str, period: CalendarPeriod, known_at: datetime | None) -> None:
    """Keep of each seller and channel the order that speaks for it in the period."""
    where = Where(tx, "o")
    narrowed(where, firsts.scope, currency, period)
    if firsts.channels is not None:
        where.within("o.channel", list(firsts.channels))
    least = where.arg(firsts.minimum_minor)
    standing, (kept, left) = _standing(where, known_at), _kept(where, known_at)
    short = f"CASE WHEN sum({kept}) >= CAST({least} AS bigint) THEN 0 ELSE"
    rows = await tx.rows(
        f"SELECT path, channel, id, paid_at, CAST(amount_minor AS bigint) AS amount_minor FROM ("
        f"SELECT o.path, o.channel, o.id, o.paid_at, sum({kept}) AS amount_minor, "
        f"row_number() OVER (PARTITION BY o.seller_id, o.channel "
        f"ORDER BY {short} 1 END, {short} -sum({kept}) END, o.paid_at, o.id) AS place "
        f"FROM sales_order o {LINES} WHERE {where.sql} AND {standing} AND o.channel IS NOT NULL "
        f"AND {left} > 0 GROUP BY o.path, o.channel, o.seller_id, o.id, o.paid_at) AS ranked "
        f"WHERE place = 1",
        *where.args,
    )
    for row in rows:
        paid_at = as_time(row["paid_at"])
        if paid_at is not None:
            firsts.put(seat_of(row["path"]), row["channel"], ChannelOrder(paid_at, row["id"], row["amount_minor"]))


async def _sold_before(
    tx: Tx,
    component: EventBonus,
    currency: str,
    period: CalendarPeriod,
    pairs: Sequence[tuple[UUID, str]],
    known_at: datetime | None,
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
    limited(lines, Scope(component.only))
    least = where.arg(component.minimum_minor)
    standing, (kept, left) = _standing(where, known_at), _kept(where, known_at)
    whose = "o.seller_id = v.seller_id AND " if component.once == "distributor" else ""
    rows = await tx.rows(
        f"SELECT v.seller_id, v.channel FROM {asked} AS v WHERE EXISTS (SELECT 1 FROM sales_order o "
        f"WHERE {whose}o.channel = v.channel AND {where.sql} AND {standing} AND (SELECT sum({kept}) "
        f"FROM order_line l WHERE l.order_id = o.id AND {left} > 0 AND {lines.sql}) "
        f">= CAST({least} AS bigint))",
        *where.args,
    )
    return {(UUID(str(row["seller_id"])), row["channel"]) for row in rows}
