"""What was really paid on the orders of a span, and for the calendar periods inside of it, as sums."""

from contextlib import aclosing
from uuid import UUID

import orjson

from saas.base.clock import local_day
from saas.base.db import Tx
from saas.commissions.rules import Share
from saas.simulation.replay import SHRINKABLE, Span, was_capped
from saas.simulation.sums import Sums

_REASONS = {reason.value: reason for reason in SHRINKABLE}
_SHRINKABLE = ", ".join(f"'{reason}'" for reason in sorted(_REASONS))


async def really_paid(tx: Tx, span: Span, currency: str) -> tuple[Sums, int]:
    """The sums by place and by distributor, and how many lines the limit on a line had shrunk.

    Commission of cancelled orders, or given up, is not among it, nor what was evened of others because of them, which
    the company has. Returns are left out on both sides of a comparison: what they took back is among it.
    """
    sums = Sums()
    of_span = (tx.tenant_id, span.since, span.until, currency)
    rows = await tx.rows(
        "SELECT beneficiary_id, component, level, tier, count(*) AS shares, "
        "CAST(sum(amount_minor) AS bigint) AS amount_minor FROM commission "
        "WHERE tenant_id = $1 AND earned_at >= $2 AND earned_at < $3 AND currency = $4 "
        "AND (status NOT IN ('nothing', 'reversed') OR reversed_minor > 0 AND order_id NOT IN ("
        "SELECT o.id FROM sales_order o WHERE o.tenant_id = $1 AND o.status = 'cancelled' AND o.undone_at >= $2)) "
        "GROUP BY beneficiary_id, component, level, tier",
        *of_span,
    )
    for owner, component, level, tier, shares, amount_minor in (row.values() for row in rows):
        sums.put((component, level, tier), shares, amount_minor)
        sums.give(owner, amount_minor)
    for owner, component, level, tier, amount_minor in await _evened(tx, of_span):
        sums.put((component, level, tier), 0, -amount_minor)
        sums.give(owner, -amount_minor)
        sums.company_minor += amount_minor
    return sums, await _capped_lines(tx, of_span)


async def _evened(tx: Tx, of_span: tuple[object, ...]) -> list[tuple[UUID, str, int, str | None, int]]:
    """What cancelled orders took back of others: a replay without them does not pay it."""
    rows = await tx.rows(
        "SELECT k.beneficiary_id, k.component, k.level, k.tier, CAST(sum(e.amount_minor) AS bigint) AS amount_minor "
        "FROM commission_evening e JOIN commission k ON k.tenant_id = e.tenant_id AND k.id = e.commission_id "
        "JOIN sales_order o ON o.tenant_id = k.tenant_id AND o.id = k.order_id "
        "WHERE k.tenant_id = $1 AND k.earned_at >= $2 AND k.earned_at < $3 AND k.currency = $4 "
        "AND o.status <> 'cancelled' AND (k.status <> 'reversed' OR k.reversed_minor > 0) "
        "GROUP BY k.beneficiary_id, k.component, k.level, k.tier",
        *of_span,
    )
    return [(row["beneficiary_id"], row["component"], row["level"], row["tier"], row["amount_minor"]) for row in rows]


async def _capped_lines(tx: Tx, of_span: tuple[object, ...]) -> int:
    """On how many lines of orders that stand the limit shrank a share."""
    shares = tx.batches(
        f"SELECT CAST(k.line_id AS text), k.component, k.level, k.rate_bps, k.per_piece_minor, k.base_minor, "
        f"k.quantity, k.amount_minor, k.reason, k.detail FROM commission k "
        f"JOIN sales_order o ON o.tenant_id = k.tenant_id AND o.id = k.order_id "
        f"WHERE k.tenant_id = $1 AND k.earned_at >= $2 AND k.earned_at < $3 AND k.currency = $4 "
        f"AND (k.status <> 'reversed' OR k.reversed_minor > 0) AND o.status <> 'cancelled' "
        f"AND k.reason IN ({_SHRINKABLE})",
        *of_span,
    )
    lines = set[str]()
    async with aclosing(shares) as batches:
        async for rows in batches:
            for line, component, level, rate, each, base, quantity, amount, reason, detail in rows:
                why, numbers = _REASONS[reason], _numbers(detail)
                share = Share(component, level, None, None, rate, each, base, quantity, amount, why, numbers)
                if was_capped(share):
                    lines.add(line)
    return len(lines)


def _numbers(detail: str | None) -> tuple[int, ...]:
    return tuple(orjson.loads(detail)) if detail else ()


async def really_awarded(tx: Tx, span: Span, currency: str) -> Sums:
    """The awards of the calendar periods inside the span."""
    sums = Sums()
    rows = await tx.rows(
        "SELECT distributor_id, component, tier, count(*) AS awards, CAST(sum(amount_minor) AS bigint) AS amount_minor "
        "FROM award WHERE tenant_id = $1 AND period_from >= $2 AND period_until <= $3 AND currency = $4 "
        "AND status IN ('available', 'settled') GROUP BY distributor_id, component, tier",
        tx.tenant_id,
        *_days(span),
        currency,
    )
    for owner, component, tier, awards, amount_minor in (row.values() for row in rows):
        sums.put((component, None, tier), awards, amount_minor)
        sums.give(owner, amount_minor)
    return sums


def _days(span: Span) -> tuple[object, object]:
    return local_day(span.since, span.time_zone), local_day(span.until, span.time_zone)
