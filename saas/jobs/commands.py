"""Asking for work, in the transaction of the business that needs it, so that neither exists without the other."""

from collections.abc import Callable, Mapping
from datetime import datetime
from weakref import WeakSet

import orjson

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.errors import NotFound, WrongState
from saas.base.ids import JobId, new_id
from saas.jobs.queries import JobView, read_job
from saas.jobs.rules import JobStatus
from tenants import audit
from tenants.actors import Actor

Wake = Callable[[], None]

waiting: "WeakSet[Wake]" = WeakSet()
"""What this process calls when it has asked for work, so that a worker beside it need not wait for its next look."""


async def enqueue(kind: str, given: Mapping[str, object], *, actor: Actor, run_at: datetime | None = None) -> JobId:
    """Ask for a job of ``kind`` with ``given`` as its input (what JSON can say), now or from ``run_at`` on.

    Joins the running transaction; whoever is in one calls this as its last write, since all who ask for work of one
    brand wait for one another.
    """
    job_id, now = JobId(new_id()), clock.now()
    async with transaction() as tx:
        await tx.insert_many(
            "job",
            ("id", "kind", "input", "status", "run_at", "created_by", "created_at", "done", "attempts"),
            [
                (
                    job_id,
                    kind,
                    orjson.dumps(given, default=str).decode(),
                    JobStatus.QUEUED.value,
                    run_at or now,
                    actor.id,
                    now,
                    0,
                    0,
                )
            ],
        )
        await signal(tx, run_at or now)
        tx.after_commit(_wake)
    return job_id


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
        found = await read_job(tx, job_id)
        if found is None:
            raise NotFound("input.jobId", kind="job", value=job_id)
        if not told:
            raise WrongState("input.jobId", kind="job", state=found.status, needed="queued / running")
        await audit.record(actor, "job.cancel", str(job_id), kind=found.kind)
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
