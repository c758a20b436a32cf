"""What periods that are over and not closed may still bring to one distributor."""

from collections.abc import Sequence
from datetime import datetime

from saas.base.db import Tx, reading
from saas.base.ids import DistributorId
from saas.network.rules import SEGMENT, segment
from saas.performance.planning import reigns
from saas.performance.queries import periods_due
from saas.performance.reads import CalendarPeriod
from saas.performance.rules import components_of
from tenants.program.versions import program


async def awards_to_come(distributor_id: DistributorId, ended_by: datetime) -> Sequence[CalendarPeriod]:
    """Periods that ended at ``ended_by`` or before, pay by sales, and in which it or its team sold; the earliest first.

    Whether they award anything is known when they are closed.
    """
    return [
        period
        for period in await periods_due()
        if period.until_at <= ended_by and await _pays(period) and await _sold(distributor_id, period)
    ]


async def _pays(period: CalendarPeriod) -> bool:
    async with reading():
        content = (await program((await reigns()).at(period.judged_at))).program
    return bool(components_of(content, period.length))


async def _sold(distributor_id: DistributorId, period: CalendarPeriod) -> bool:
    """Whether an order of the period counts for it: as seller, above its seller, or as the partner of a lead."""
    async with reading() as tx:
        seat = segment(
            await tx.value("SELECT no FROM distributor WHERE tenant_id = $1 AND id = $2", tx.tenant_id, distributor_id)
        )
        rows = await tx.rows(
            "SELECT DISTINCT o.path FROM sales_order o WHERE o.tenant_id = $1 AND o.paid_at >= $2 AND o.paid_at < $3 "
            "AND o.path LIKE $4",
            tx.tenant_id,
            period.since_at,
            period.until_at,
            f"%{seat}%",
        )
        # The digits of a seat may also stand across two others of a path.
        above = any(
            row["path"][at : at + SEGMENT] == seat for row in rows for at in range(0, len(row["path"]), SEGMENT)
        )
        return above or await _partner(tx, distributor_id, period)


async def _partner(tx: Tx, distributor_id: DistributorId, period: CalendarPeriod) -> bool:
    row = await tx.row(
        "SELECT c.order_id FROM cross_region_lead c JOIN sales_order o ON o.tenant_id = c.tenant_id "
        "AND o.id = c.order_id WHERE c.tenant_id = $1 AND c.distributor_id = $2 AND o.paid_at >= $3 "
        "AND o.paid_at < $4 LIMIT 1",
        tx.tenant_id,
        distributor_id,
        period.since_at,
        period.until_at,
    )
    return row is not None
