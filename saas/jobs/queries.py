"""Jobs as they are read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from saas.base.db import Row, Tx, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound, Said
from saas.base.ids import JobId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.jobs.rules import JobStatus

_COLUMNS = (
    "id, kind, status, run_at, done, total, step, attempts, cancel_requested, error, created_by, created_at, "
    "started_at, finished_at, schedule, due_at, dismissed_at, dismissal"
)
_DEAD = "status = 'failed' AND dismissed_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job. ``done`` of ``total`` is how far it is within ``step``; ``error`` why it failed.

    ``schedule`` and ``due_at`` say which schedule set it off, and the moment that had come; ``dismissal`` why a person
    put it aside after it had failed.
    """

    id: JobId
    kind: str
    status: JobStatus
    run_at: datetime
    done: int
    total: int | None
    step: str | None
    attempts: int
    cancel_requested: bool
    error: Said | None
    created_by: UUID | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    schedule: str | None
    due_at: datetime | None
    dismissed_at: datetime | None
    dismissal: str | None

    @property
    def dead(self) -> bool:
        """Whether it failed for good, and nobody has said what is to become of it."""
        return self.status is JobStatus.FAILED and self.dismissed_at is None


async def job(job_id: JobId) -> JobView:
    """One job. Raises ``NotFound``."""
    async with reading() as tx:
        found = await read_job(tx, job_id)
    if found is None:
        raise NotFound("id", kind="job", value=job_id)
    return found


async def jobs_by_id(ids: Collection[JobId]) -> Mapping[JobId, JobView]:
    """These jobs, in one query; those the brand does not have are left out."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM job WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')}", tx.tenant_id, list(ids)
        )
    return {view.id: view for view in map(_view, rows)}


async def dead_jobs() -> int:
    """How many jobs failed for good and wait for a person."""
    async with reading() as tx:
        return int(await tx.value(f"SELECT count(*) FROM job WHERE tenant_id = $1 AND {_DEAD}", tx.tenant_id))


async def jobs(
    request: PageRequest,
    *,
    kinds: Sequence[str] | None = None,
    statuses: Sequence[str] | None = None,
    dead: bool = False,
) -> Page[JobView]:
    """A page of jobs, the latest first; with ``dead`` only those that failed for good and wait for a person."""
    async with reading() as tx:
        where = Where(tx)
        if kinds is not None:
            where.within("kind", list(kinds))
        if statuses is not None:
            where.within("status", list(statuses))
        if dead:
            where.add("dismissed_at IS NULL AND status = $", JobStatus.FAILED.value)
        if request.after is not None:
            moment, id_ = decode_cursor(request.after, datetime, UUID)
            where.after(("created_at", "id"), (moment, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM job WHERE {where.sql} ORDER BY created_at DESC, id DESC LIMIT {request.first + 1}",
            *where.args,
        )
    views = [_view(row) for row in rows]
    return page_of(views, request, [encode_cursor(view.created_at, view.id) for view in views])


async def read_job(tx: Tx, job_id: JobId) -> JobView | None:
    """One job within a transaction, or none."""
    row = await tx.row(f"SELECT {_COLUMNS} FROM job WHERE tenant_id = $1 AND id = $2", tx.tenant_id, job_id)
    return None if row is None else _view(row)


def _view(row: Row) -> JobView:
    error = Said(**orjson.loads(row["error"])) if row["error"] else None
    return JobView(**{**row, "status": JobStatus(row["status"]), "error": error})
