"""Doing the work: any number of workers, in servers or on their own, none of which runs another's job."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any, TypeAlias
from uuid import UUID

from saas.base.db.database import finish
from saas.base.errors import DomainError, Said
from saas.base.ids import JobId, TenantId
from saas.base.logs import about
from saas.base.metrics import JOBS_ENDED
from saas.base.scope import current_tenant, tenant_scope
from saas.base.tracing import span
from saas.jobs import lease
from saas.jobs.commands import waiting
from saas.jobs.lease import Taken
from saas.jobs.rules import ATTEMPTS_MOST, LEASE, JobStatus, why_crashed, why_refused
from saas.jobs.scheduling import fire_due

log = logging.getLogger("banyan.jobs")
alert = logging.getLogger("banyan.alert")

LOOK_EVERY = timedelta(seconds=1)
"""How often a worker looks for work that another process asked for."""

CHORES_EVERY = timedelta(minutes=5)
"""How often a worker does the chores of every brand."""

REPORT_EVERY = timedelta(milliseconds=250)
"""How often progress is written at most; a new step is written at once."""


NEWS_EVERY = 10
"""Into how many parts a step is divided for those who follow the job; a new step is news too."""


Report: TypeAlias = Callable[[int, int], Awaitable[None]]
"""Told how much of some work is done, and of how much; never inside ``transaction()``."""


class Cancelled(Exception):
    """Raised by ``Progress.report`` when somebody has given the job up."""


class LeaseLost(Exception):
    """Raised by ``Progress.report`` when the job has passed to another worker."""


class Progress:
    """A running job's word to those who wait for it."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken
        self._state: tuple[int, int | None, str | None] = (0, None, None)
        self._told_at: timedelta | None = None
        self._followed: tuple[str | None, int] | None = None

    @property
    def job_id(self) -> JobId:
        """The job."""
        return self._taken.id

    @property
    def asked_by(self) -> UUID | None:
        """The member who asked for it."""
        return self._taken.created_by

    async def report(self, done: int, total: int | None = None, step: str | None = None) -> None:
        """Say how far the work is; not inside ``transaction()``. Cheap: most calls write nothing.

        Raises ``Cancelled`` or ``LeaseLost``; either way the work is to stop, and must let it through.
        """
        new_step = step != self._state[2]
        self._state = (done, total, step)
        if new_step or self._told_at is None or _now() - self._told_at >= REPORT_EVERY:
            await self.check()

    async def check(self) -> None:
        """Write the latest word down, and learn whether to go on; as ``report``."""
        # A task of its own, so that it neither joins nor waits for what the work is reading.
        done, total, step = self._state
        reached = step, done * NEWS_EVERY // total if total else 0
        cancelled = await finish(lease.renew(self._taken, done, total, step, news=reached != self._followed))
        self._followed = reached
        self._told_at = _now()
        if cancelled is None:
            raise LeaseLost
        if cancelled:
            raise Cancelled

    async def stay(self) -> None:
        """Keep the lease while the work has nothing to report, until it is cancelled."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            if await lease.renew(self._taken, *self._state) is None:
                return


Handler: TypeAlias = Callable[[Mapping[str, Any], Progress], Awaitable[None]]
"""Does a job: its input, and whom to report to. Done twice it must come to the same, since a worker may die between."""


async def run_due(handlers: Mapping[str, Handler]) -> int:
    """Run every job that is due, one after the other, and answer how many there were."""
    done, last = 0, TenantId(0)
    while (found := await run_next(handlers, last)) is not None:
        last = found
        done += 1
    return done


async def run_next(handlers: Mapping[str, Handler], last: TenantId) -> TenantId | None:
    """Run one job that is due, of the brand after ``last`` when there are several; answers whose it was."""
    for brand in await lease.brands_with_work(last):
        with tenant_scope(brand):
            await fire_due()
            taken = await lease.take(handlers.keys())
            if taken is not None:
                await _carry_out(handlers[taken.kind], taken)
                return brand
            await lease.look_again_later()
    return None


Chore: TypeAlias = Callable[[], Awaitable[object]]
"""Done for every brand now and then, whoever else does it too."""


async def run_worker(handlers: Mapping[str, Handler], *, chores: Sequence[Chore] = (), slots: int = 2) -> None:
    """Work until cancelled, on up to ``slots`` jobs at once; what is under way then is put back for the next worker.

    It has been when this ends: a group waits for all of its tasks, where ``gather`` would go with the first.
    """
    async with asyncio.TaskGroup() as working:
        working.create_task(_keep_house(chores))
        for _ in range(slots):
            working.create_task(_slot(handlers))


async def do_chores(chores: Sequence[Chore]) -> None:
    """Do the chores of every brand; one that fails keeps no other from being done."""
    for brand in await lease.all_brands():
        with tenant_scope(brand):
            for chore in chores:
                try:
                    await chore()
                except Exception:
                    log.exception("a chore of brand %d failed", brand)


async def _keep_house(chores: Sequence[Chore]) -> None:
    while chores:
        try:
            await do_chores(chores)
        except Exception:
            log.exception("the brands could not be read; trying again")
        await asyncio.sleep(CHORES_EVERY.total_seconds())


async def _slot(handlers: Mapping[str, Handler]) -> None:
    called = asyncio.Event()
    wake = called.set
    waiting.add(wake)
    last = TenantId(0)
    while True:
        called.clear()
        try:
            found = await run_next(handlers, last)
        except Exception:
            log.exception("looking for work failed; trying again")
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            continue
        if found is not None:
            last = found
            continue
        with suppress(TimeoutError):
            await asyncio.wait_for(called.wait(), LOOK_EVERY.total_seconds())


async def _carry_out(handler: Handler, taken: Taken) -> None:
    """Do a job and bring it to an end, or put it back."""
    progress = Progress(taken)
    staying = asyncio.create_task(progress.stay())
    try:
        with about(job=str(taken.id), kind=taken.kind, tenant=current_tenant()), span(f"job {taken.kind}"):
            await _attempt(handler, taken, progress)
    except asyncio.CancelledError:
        await finish(lease.try_again(taken, counts=False))
        raise
    finally:
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)


async def _attempt(handler: Handler, taken: Taken, progress: Progress) -> None:
    if taken.tries > ATTEMPTS_MOST:
        await _fail(taken, why_crashed(ATTEMPTS_MOST, "the worker stopped"))
        return
    try:
        if taken.cancel_requested:
            raise Cancelled
        await handler(taken.input, progress)
    except Cancelled:
        await _end(taken, JobStatus.CANCELLED)
    except LeaseLost:
        log.warning("job %s of kind %s has passed to another worker", taken.id, taken.kind)
    except DomainError as refused:
        await _fail(taken, why_refused(refused))
    except Exception as fault:
        log.exception("job %s of kind %s, attempt %d", taken.id, taken.kind, taken.attempts)
        if taken.tries < ATTEMPTS_MOST:
            await lease.try_again(taken, counts=True)
        else:
            await _fail(taken, why_crashed(taken.tries, type(fault).__name__))
    else:
        await _end(taken, JobStatus.DONE)


async def _end(taken: Taken, status: JobStatus, why: Said | None = None) -> bool:
    ended = await lease.end(taken, status, why)
    if ended:
        JOBS_ENDED.labels(taken.kind, status).inc()
    return ended


async def _fail(taken: Taken, why: Said) -> None:
    """End a job as failed for good, and raise an alert: a person has to say what becomes of it.

    Why stands with the job, for those who may read it; it may quote what people wrote.
    """
    if await _end(taken, JobStatus.FAILED, why):
        alert.error("job %s of kind %s of brand %d failed for good", taken.id, taken.kind, current_tenant())


def _now() -> timedelta:
    return timedelta(seconds=monotonic())
