"""Whose turn a job is: taken by one worker at a time, kept by word from it, ended once.

A worker's turn is told from another's by the number of attempts: whoever comes back too late changes nothing.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import as_time, reading, transaction
from saas.base.errors import Said
from saas.base.ids import PLATFORM, JobId, TenantId
from saas.base.scope import tenant_scope
from saas.events.rules import EventKind
from saas.jobs.commands import signal, tell_job
from saas.jobs.rules import JITTER_BPS_MOST, LEASE, JobStatus, wait_after

NEVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A job that is this worker's until its lease ends."""

    id: JobId
    kind: str
    input: Mapping[str, Any]
    attempts: int
    tries_from: int
    cancel_requested: bool
    created_by: UUID | None

    @property
    def tries(self) -> int:
        """Attempts since a person last had it tried again, this one included."""
        return self.attempts - self.tries_from


async def brands_with_work(after: TenantId) -> list[TenantId]:
    """The brands whose jobs are due to be looked at, those numbered above ``after`` first, so that all get a turn."""
    with tenant_scope(PLATFORM):
        async with reading() as tx:
            rows = await tx.rows("SELECT tenant_id FROM tenant_work WHERE due_at <= $1", clock.now())
    return sorted((TenantId(row["tenant_id"]) for row in rows), key=lambda brand: (brand <= after, brand))


async def all_brands() -> list[TenantId]:
    """Every brand."""
    with tenant_scope(PLATFORM):
        async with reading() as tx:
            rows = await tx.rows("SELECT id FROM tenant WHERE id <> $1 ORDER BY id", PLATFORM)
    return [TenantId(row["id"]) for row in rows]


async def take(kinds: Collection[str]) -> Taken | None:
    """Take the brand's next job that is due, or whose worker has fallen silent."""
    async with transaction() as tx:
        now = clock.now()
        skip = f"{tx.for_update} SKIP LOCKED" if tx.for_update else ""
        row = await tx.row(
            f"UPDATE job SET status = 'running', attempts = attempts + 1, lease_until = $3, "
            f"started_at = coalesce(started_at, $2) WHERE tenant_id = $1 AND id = ("
            f"SELECT id FROM job WHERE tenant_id = $1 AND kind {tx.within(4, 'text')} AND "
            f"((status = 'queued' AND run_at <= $2) OR (status = 'running' AND lease_until <= $2)) "
            f"ORDER BY run_at, id LIMIT 1{skip}) "
            f"RETURNING id, kind, input, attempts, tries_from, cancel_requested, created_by",
            tx.tenant_id,
            now,
            now + LEASE,
            list(kinds),
        )
        if row is None:
            return None
        taken = Taken(**{**row, "input": orjson.loads(row["input"])})
        tell_job(EventKind.JOB_STARTED, taken.id, taken.kind)
    return taken


async def look_again_later() -> None:
    """Say when the brand is next to be looked at: when a job is due, a lease ends, or a schedule falls due."""
    async with transaction() as tx:
        # Whoever asks for work holds this row until it is committed, so nothing that was asked for is overlooked.
        await tx.rows(f"SELECT due_at FROM tenant_work WHERE tenant_id = $1{tx.for_update}", tx.tenant_id)
        due = await tx.value(
            "SELECT min(moment) FROM (SELECT CASE WHEN status = 'queued' THEN run_at ELSE lease_until END AS moment "
            "FROM job WHERE tenant_id = $1 AND status IN ('queued', 'running') "
            "UNION ALL SELECT next_at FROM schedule WHERE tenant_id = $1 AND NOT paused) AS waiting",
            tx.tenant_id,
        )
        await tx.execute("UPDATE tenant_work SET due_at = $2 WHERE tenant_id = $1", tx.tenant_id, as_time(due) or NEVER)


async def renew(taken: Taken, done: int, total: int | None, step: str | None, *, news: bool = False) -> bool | None:
    """Keep the job and say how far it is; answers whether it is to be given up, None when another worker has it.

    With ``news`` those who follow are told to look.
    """
    async with transaction() as tx:
        row = await tx.row(
            "UPDATE job SET lease_until = $4, done = $5, total = $6, step = $7 "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'running' AND attempts = $3 RETURNING cancel_requested",
            tx.tenant_id,
            taken.id,
            taken.attempts,
            clock.now() + LEASE,
            done,
            total,
            step,
        )
        if row is not None and news:
            tell_job(EventKind.JOB_PROGRESSED, taken.id, taken.kind)
    return None if row is None else bool(row["cancel_requested"])


_ENDS = {
    JobStatus.DONE: EventKind.JOB_DONE,
    JobStatus.FAILED: EventKind.JOB_FAILED,
    JobStatus.CANCELLED: EventKind.JOB_CANCELLED,
}


async def end(taken: Taken, status: JobStatus, why: Said | None = None) -> bool:
    """Bring the job to its end, if it is still this worker's."""
    error = None if why is None else orjson.dumps(why._asdict()).decode()
    async with transaction() as tx:
        ended = await tx.execute(
            "UPDATE job SET status = $4, error = $5, finished_at = $6, lease_until = NULL, "
            "done = CASE WHEN $4 = 'done' THEN coalesce(total, done) ELSE done END "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'running' AND attempts = $3",
            tx.tenant_id,
            taken.id,
            taken.attempts,
            status.value,
            error,
            clock.now(),
        )
        if ended:
            tell_job(_ENDS[status], taken.id, taken.kind)
    return ended == 1


async def try_again(taken: Taken, *, counts: bool) -> None:
    """Put the job back: later when the attempt ``counts``, else at once and as if it had not been taken."""
    async with transaction() as tx:
        wait = wait_after(taken.tries, secrets.randbelow(JITTER_BPS_MOST + 1))
        at = clock.now() + wait if counts else clock.now()
        await tx.execute(
            "UPDATE job SET status = 'queued', lease_until = NULL, run_at = $4, attempts = $5 "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'running' AND attempts = $3",
            tx.tenant_id,
            taken.id,
            taken.attempts,
            at,
            taken.attempts - (not counts),
        )
        await signal(tx, at)
