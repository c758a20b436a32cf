"""Figures of each brand's jobs, counted anew by every worker now and then, whoever did them."""

from saas.base.db import reading
from saas.base.metrics import BOOKS_CHECKED, BOOKS_HOLD, DEAD_JOBS, JOBS
from saas.jobs.queries import dead_jobs
from saas.jobs.rules import JobStatus
from saas.jobs.tasks import Task

_WAITING = (JobStatus.QUEUED, JobStatus.RUNNING)
_CHECKED = (
    "SELECT status, finished_at FROM job WHERE tenant_id = $1 AND kind = $2 AND status IN ('done', 'failed') "
    "ORDER BY created_at DESC, id DESC LIMIT 1"
)


async def measure() -> None:
    """Count the active tenant's jobs that have not ended and those that are dead, and see how its books were found."""
    async with reading() as tx:
        tenant = str(tx.tenant_id)
        rows = await tx.rows(
            "SELECT status, count(*) AS many FROM job WHERE tenant_id = $1 AND status IN ('queued', 'running') "
            "GROUP BY status",
            tx.tenant_id,
        )
        checked = await tx.row(_CHECKED, tx.tenant_id, Task.CHECK_BOOKS)
        DEAD_JOBS.labels(tenant).set(await dead_jobs())
    found = {row["status"]: row["many"] for row in rows}
    for status in _WAITING:
        JOBS.labels(tenant, status).set(found.get(status, 0))
    if checked is not None:
        BOOKS_HOLD.labels(tenant).set(checked["status"] == JobStatus.DONE)
        BOOKS_CHECKED.labels(tenant).set(checked["finished_at"].timestamp())
