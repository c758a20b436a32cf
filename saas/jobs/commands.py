"""Asking for work, in the transaction of the business that needs it, so that neither exists without the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakSet

import orjson

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.errors import NotFound, WrongState
from saas.base.idempotency import claim
from saas.base.ids import JobId, new_id
from saas.base.scope import current_tenant
from saas.base.text import reason_of
from saas.events.commands import tell
from saas.events.rules import Event, EventKind
from saas.jobs.queries import JobView, job, read_job
from saas.jobs.rules import QUIET, JobStatus
from saas.jobs.tasks import MAY_START, Task
from tenants import audit
from tenants.actors import Actor, Role
from tenants.errors import Forbidden

Wake = Callable[[], None]

waiting: "WeakSet[Wake]" = WeakSet()
"""What this process calls when it has asked for work, so that a worker beside it need not wait for its next look."""

_COLUMNS = (
    *("id", "kind", "input", "status", "run_at", "created_by", "created_at", "done", "attempts", "tries_from"),
    *("schedule", "due_at"),
)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The moment of a schedule that sets a job off."""

    task: Task
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTask:
    """Have a recurring task done at once."""

    task: Task
    idempotency_key: str


async def enqueue(
    kind: str,
    given: Mapping[str, object],
    *,
    actor: Actor,
    run_at: datetime | None = None,
    job_id: JobId | None = None,
    occurrence: Occurrence | None = None,
) -> JobId:
    """Ask for a job of ``kind`` with ``given`` as its input (what JSON can say), now or from ``run_at`` on.

    Joins the running transaction; whoever is in one calls this as its last write, since all who ask for work of one
    brand wait for one another. Of one ``occurrence`` there is one job, whoever asks.
    """
    id_, now = job_id or JobId(new_id()), clock.now()
    row = (
        *(id_, kind, orjson.dumps(given, default=str).decode(), JobStatus.QUEUED.value, run_at or now),
        *(actor.id, now, 0, 0, 0),
        *((occurrence.task.value, occurrence.due_at) if occurrence else (None, None)),
    )
    async with transaction() as tx:
        if await tx.insert_many("job", _COLUMNS, [row], or_ignore=occurrence is not None):
            tell_job(EventKind.JOB_QUEUED, id_, kind)
        await signal(tx, run_at or now)
        tx.after_commit(_wake)
    return id_


async def start(command: StartTask, actor: Actor) -> JobView:
    """Have a task done by a worker at once; the same key answers the same job.

    Raises ``Forbidden`` for who may not do the same by hand, or ``IdempotencyConflict``.
    """
    may = MAY_START[command.task]
    if actor.role not in may:
        raise Forbidden("input.task", role=actor.role, needed=" / ".join(sorted(may)))
    job_id = JobId(new_id())
    async with transaction():
        earlier = await claim("task.start", command.idempotency_key, command, job_id)
        if earlier is not None:
            return await job(JobId(earlier))
        await audit.record(actor, "task.start", str(job_id), task=command.task)
        await enqueue(command.task, {"actor": said_by(actor)}, actor=actor, job_id=job_id)
        return await job(job_id)


def said_by(actor: Actor) -> Mapping[str, object]:
    """Who asks for a job, as part of its input."""
    return {"role": actor.role, "id": actor.id, "label": actor.label}


def asked_by(given: Mapping[str, Any]) -> Actor:
    """Who asked for a job, by its input: the one it is done and written down for."""
    by = given["actor"]
    return Actor(tenant_id=current_tenant(), role=Role(by["role"]), id=by["id"] and UUID(by["id"]), label=by["label"])


async def cancel(job_id: JobId, actor: Actor) -> JobView:
    """Give a job up: at once while it waits, at its next report while it runs.

    Raises ``NotFound``, or ``WrongState`` when it has come to an end.
    """
    async with transaction() as tx:
        ended = await tx.execute(
            "UPDATE job SET status = 'cancelled', cancel_requested = $3, finished_at = $4 "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'queued'",
            tx.tenant_id,
            job_id,
            True,
            clock.now(),
        )
        told = ended or await tx.execute(
            "UPDATE job SET cancel_requested = $3 WHERE tenant_id = $1 AND id = $2 AND status = 'running'",
            tx.tenant_id,
            job_id,
            True,
        )
        found = await _found(tx, job_id, told, "queued / running")
        if ended:
            tell_job(EventKind.JOB_CANCELLED, job_id, found.kind)
        await audit.record(actor, "job.cancel", str(job_id), kind=found.kind)
    return found


async def retry(job_id: JobId, reason: str, actor: Actor) -> JobView:
    """Have a job that failed tried again, as often as a new one.

    Its attempts go on counting, so that a worker of before that comes back late is still told from the next. Raises
    ``NotFound``, ``WrongState`` or ``ReasonRefused``.
    """
    reason = reason_of(reason)
    async with transaction() as tx:
        again = await tx.execute(
            "UPDATE job SET status = 'queued', run_at = $3, tries_from = attempts, cancel_requested = $4, "
            "error = NULL, finished_at = NULL, dismissed_at = NULL, dismissed_by = NULL, dismissal = NULL "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'failed'",
            tx.tenant_id,
            job_id,
            clock.now(),
            False,
        )
        found = await _found(tx, job_id, again, "failed")
        tell_job(EventKind.JOB_QUEUED, job_id, found.kind)
        await audit.record(actor, "job.retry", str(job_id), kind=found.kind, reason=reason)
        await signal(tx, found.run_at)
        tx.after_commit(_wake)
    return found


async def dismiss(job_id: JobId, reason: str, actor: Actor) -> JobView:
    """Put a job that failed aside: nothing more is expected of it. It stays to be read, and can still be retried.

    Raises ``NotFound``, ``WrongState`` or ``ReasonRefused``.
    """
    reason = reason_of(reason)
    async with transaction() as tx:
        aside = await tx.execute(
            "UPDATE job SET dismissed_at = $3, dismissed_by = $4, dismissal = $5 "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'failed' AND dismissed_at IS NULL",
            tx.tenant_id,
            job_id,
            clock.now(),
            actor.id,
            reason,
        )
        found = await _found(tx, job_id, aside, "failed")
        await audit.record(actor, "job.dismiss", str(job_id), kind=found.kind, reason=reason)
    return found


async def waits_already(tx: Tx, kind: str, by: datetime) -> bool:
    """Whether a job of this kind is queued that will begin by a moment, and not before this transaction has ended.

    It is held here, and a worker takes none that is held: what this transaction writes, that job will see.
    """
    held = await tx.row(
        f"SELECT id FROM job WHERE tenant_id = $1 AND kind = $2 AND status = 'queued' AND run_at <= $3 "
        f"ORDER BY run_at, id LIMIT 1{tx.for_update}",
        *(tx.tenant_id, kind, by),
    )
    return held is not None


async def forget_done(tx: Tx, kind: str, before: datetime) -> int:
    """Drop jobs of a kind that came to their end before a moment, where nothing refers to them; answers how many."""
    return await tx.execute(
        "DELETE FROM job WHERE tenant_id = $1 AND kind = $2 AND status = 'done' AND finished_at < $3",
        *(tx.tenant_id, kind, before),
    )


def tell_job(event: EventKind, job_id: JobId, kind: str) -> None:
    """Tell those who follow the brand's jobs, in the running transaction."""
    if kind not in QUIET:
        tell([Event(event, job_id)])


async def _found(tx: Tx, job_id: JobId, changed: int, needed: str) -> JobView:
    """The job after a change. Raises ``NotFound``, or ``WrongState`` when nothing was changed."""
    found = await read_job(tx, job_id)
    if found is None:
        raise NotFound("input.jobId", kind="job", value=job_id)
    if not changed:
        state = "dismissed" if found.dismissed_at else found.status
        raise WrongState("input.jobId", kind="job", state=state, needed=needed)
    return found


async def signal(tx: Tx, at: datetime) -> None:
    """Have the brand's jobs looked at by ``at``."""
    await tx.execute(
        "INSERT INTO tenant_work (tenant_id, due_at) VALUES ($1, $2) ON CONFLICT (tenant_id) DO UPDATE "
        "SET due_at = CASE WHEN tenant_work.due_at < excluded.due_at THEN tenant_work.due_at ELSE excluded.due_at END",
        tx.tenant_id,
        at,
    )


def _wake() -> None:
    for wake in list(waiting):
        wake()
