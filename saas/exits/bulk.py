"""Exits for inactivity of everybody who sold nothing, as a job: more of them than one answer can wait for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saas.base.db import transaction
from saas.base.errors import Rejected
from saas.base.idempotency import claim
from saas.base.ids import DistributorId, JobId, new_id
from saas.base.paging import PAGE_MAX, PageRequest
from saas.base.text import reason_of
from saas.exits.errors import ExitAlreadyOpen
from saas.exits.inactivity import inactive_distributors
from saas.exits.quoting import QuoteInactive, quote_inactive
from saas.jobs.commands import asked_by, enqueue, said_by
from saas.jobs.queries import JobView, job
from saas.jobs.worker import Handler, Progress
from saas.payouts.people import staff_member
from tenants import audit
from tenants.actors import Actor

JOB = "exit.quote_inactive"
"""The kind of its jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteAllInactive:
    """Ask for the exits of all distributors that sold nothing for ``days``."""

    days: int
    reason: str
    idempotency_key: str


async def start_inactive(command: QuoteAllInactive, actor: Actor) -> JobView:
    """Have a worker open exits for everybody who is inactive; the same key answers the same job.

    Raises ``InvalidInput``, ``ReasonRefused``, ``Forbidden`` or ``IdempotencyConflict``.
    """
    staff_member(actor)
    reason, job_id = reason_of(command.reason), JobId(new_id())
    async with transaction():
        await inactive_distributors(command.days, PageRequest(1))
        earlier = await claim("exit.start_inactive", command.idempotency_key, command, job_id)
        if earlier is not None:
            return await job(JobId(earlier))
        await audit.record(actor, "exit.start_inactive", str(job_id), days=command.days, reason=reason)
        given = {"days": command.days, "reason": reason, "actor": said_by(actor)}
        await enqueue(JOB, given, actor=actor, job_id=job_id)
        return await job(job_id)


async def quote_all_inactive(given: Mapping[str, Any], progress: Progress) -> None:
    """The handler of ``JOB``: each exit is opened in a transaction of its own, and those that cannot be are left out.

    Given up, or done again, it leaves those that are open and opens no second one.
    """
    actor, after, quoted = asked_by(given), None, 0
    while True:
        page = await inactive_distributors(given["days"], PageRequest(PAGE_MAX, after))
        for one in page.items:
            await progress.report(quoted)
            quoted += await _quote(one.distributor_id, given, progress.job_id, actor)
        if not page.has_next:
            return
        after = page.cursors[-1]


async def _quote(distributor_id: DistributorId, given: Mapping[str, Any], job_id: JobId, actor: Actor) -> bool:
    command = QuoteInactive(
        distributor_ids=[distributor_id],
        days=given["days"],
        reason=given["reason"],
        heir_id=None,
        idempotency_key=f"job:{job_id}:{distributor_id}",
        dry_run=False,
    )
    try:
        await quote_inactive(command, actor)
    except (Rejected, ExitAlreadyOpen):
        return False  # it sold meanwhile, somebody was faster, or an heir has to be named by a person
    return True


HANDLERS: Mapping[str, Handler] = {JOB: quote_all_inactive}
"""Who does it."""
