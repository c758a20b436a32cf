"""Who is reviewed at the close of a period, and what its review goes by; the judgement is the network's (``tiers``).

Reviewed is who was active at the period's end and still is. The tier judged is that of the period's end; one who got
another tier since then, or whose tier the brand has pinned, keeps what it has. Of several periods closed late the
latest one decides: after it, an earlier one is not reviewed any more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from saas.base import clock
from saas.base.clock import local_day
from saas.base.db import Row, Tx, as_time, reading
from saas.base.ids import DistributorId
from saas.network.rules import segment
from saas.network.tiers import Outcome, Review, TierHolder, carried, review, whole_periods
from saas.performance.reads import CalendarPeriod
from saas.performance.rules import NO_FIGURES, Figures
from tenants.program.document import Program


class Reviewed(NamedTuple):
    """A review with the figures it went by."""

    code: str
    review: Review
    figures: Figures


async def reviews(content: Program, period: CalendarPeriod, figures: Mapping[str, Figures]) -> Sequence[Reviewed]:
    """Review everybody, by code; three statements however many there are."""
    async with reading() as tx:
        if await _judged_later(tx, period):
            return []
        misses = await _misses(tx, period)
        rows = await _holders(tx, period.judged_at)
    today = local_day(clock.now(), period.time_zone)
    found = []
    for row in rows:
        since = as_time(row["held_since"])
        if since is None:
            continue
        settled = row["tier"] != row["tier_now"] or (row["pinned_until"] is not None and today < row["pinned_until"])
        holder = TierHolder(
            id=row["id"],
            code=row["code"],
            tier=row["tier"],
            periods_held=whole_periods(period.length, local_day(since, period.time_zone), period.until),
            misses=misses.get(row["id"], 0),
            pinned=settled,
        )
        sums = figures.get(segment(row["no"]), NO_FIGURES)
        found.append(Reviewed(row["code"], review(content, holder, sums), sums))
    return found


async def _holders(tx: Tx, judged_at: datetime) -> Sequence[Row]:
    """Everybody active then and now, with the tier of then and since when it was held without a break."""
    return await tx.rows(
        "SELECT d.id, d.no, d.code, d.tier AS tier_now, s.tier, p.until AS pinned_until, "
        "(SELECT min(h.valid_from) FROM standing h WHERE h.tenant_id = d.tenant_id AND h.distributor_id = d.id "
        "AND h.valid_from <= $2 AND h.tier = s.tier AND NOT EXISTS (SELECT 1 FROM standing o "
        "WHERE o.tenant_id = d.tenant_id AND o.distributor_id = d.id AND o.tier <> s.tier "
        "AND o.valid_from > h.valid_from AND o.valid_from <= $2)) AS held_since "
        "FROM distributor d JOIN standing s ON s.tenant_id = d.tenant_id AND s.distributor_id = d.id "
        "AND s.valid_from <= $2 AND (s.valid_until IS NULL OR s.valid_until > $2) "
        "LEFT JOIN tier_pin p ON p.tenant_id = d.tenant_id AND p.distributor_id = d.id "
        "WHERE d.tenant_id = $1 AND d.status = 'active' AND s.status = 'active' ORDER BY d.code",
        tx.tenant_id,
        judged_at,
    )


async def _judged_later(tx: Tx, period: CalendarPeriod) -> bool:
    later = await tx.value(
        "SELECT 1 FROM tier_review WHERE tenant_id = $1 AND period_from > $2 LIMIT 1", tx.tenant_id, period.first
    )
    return later is not None


async def _misses(tx: Tx, period: CalendarPeriod) -> dict[DistributorId, int]:
    """The misses in a row that everybody's last review counted."""
    rows = await tx.rows(
        "SELECT r.distributor_id, r.outcome, r.misses FROM tier_review r WHERE r.tenant_id = $1 AND r.period_from = "
        "(SELECT max(l.period_from) FROM tier_review l WHERE l.tenant_id = r.tenant_id "
        "AND l.distributor_id = r.distributor_id AND l.period_from < $2)",
        tx.tenant_id,
        period.first,
    )
    return {row["distributor_id"]: carried(Outcome(row["outcome"]), row["misses"]) for row in rows}
