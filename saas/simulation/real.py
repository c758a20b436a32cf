"""What was really paid on the orders of a span, and for the calendar periods inside of it, as sums."""

from saas.base.clock import local_day
from saas.base.db import Tx
from saas.simulation.replay import Span
from saas.simulation.sums import Sums


async def really_paid(tx: Tx, span: Span, currency: str) -> tuple[Sums, int]:
    """The sums by place and by distributor, and how many lines the limit on a line had shrunk.

    Commission of cancelled orders, or given up, is not among it. Returns are left out on both sides of a comparison:
    what they took back is among it.
    """
    sums, capped = Sums(), 0
    of_span = (tx.tenant_id, span.since, span.until, currency)
    rows = await tx.rows(
        "SELECT beneficiary_id, component, level, tier, count(*) FILTER (WHERE amount_minor > 0) AS shares, "
        "CAST(sum(amount_minor) AS bigint) AS amount_minor, "
        "count(*) FILTER (WHERE reason IN ('capped', 'capped_to_zero')) AS capped FROM commission "
        "WHERE tenant_id = $1 AND earned_at >= $2 AND earned_at < $3 AND currency = $4 "
        "AND (status NOT IN ('nothing', 'reversed') OR reversed_minor > 0 OR reason = 'capped_to_zero') "
        "GROUP BY beneficiary_id, component, level, tier",
        *of_span,
    )
    for owner, component, level, tier, shares, amount_minor, shrunk in (row.values() for row in rows):
        if amount_minor:
            sums.put((component, level, tier), shares, amount_minor)
            sums.give(owner, amount_minor)
        capped += shrunk
    if capped:  # which is seldom, and worth another look at all of the rows
        capped = await tx.value(
            "SELECT count(DISTINCT line_id) FROM commission WHERE tenant_id = $1 AND earned_at >= $2 "
            "AND earned_at < $3 AND currency = $4 AND (status <> 'reversed' OR reversed_minor > 0) "
            "AND reason IN ('capped', 'capped_to_zero')",
            *of_span,
        )
    return sums, capped


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
