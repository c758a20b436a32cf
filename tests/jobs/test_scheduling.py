"""Schedules: each moment makes one job, whoever sees that it has come; a brand changes its own and nobody else's."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import ReasonRefused
from saas.base.ids import PLATFORM
from saas.base.paging import PageRequest
from saas.base.scope import tenant_scope
from saas.jobs import lease
from saas.jobs.queries import JobView, jobs
from saas.jobs.recurrence import Every, Recurrence
from saas.jobs.scheduling import (
    Schedule,
    SetSchedule,
    fire_due,
    keep_schedules,
    pause_schedule,
    schedules,
    set_schedule,
)
from saas.jobs.tasks import USUAL, Task
from saas.jobs.worker import Progress, run_due, run_worker
from tenants import audit, registry
from tenants.actors import system
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.payouts.people import started

ACTOR = system(LOTUS, "tests")
EVENING = datetime(2026, 3, 10, 12, tzinfo=UTC)
"""20:00 in Shanghai: everything of the night is still to come."""
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def brands(db: Database) -> None:
    """Lotus and Cedar."""
    registry.forget()
    await make_tenants()


class Tally:
    """Does every task, and counts."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.handlers = {task.value: self._of(task) for task in Task}

    def _of(self, task: Task) -> Any:
        async def handler(given: Mapping[str, Any], progress: Progress) -> None:
            assert given["actor"]["role"] == "system"
            await asyncio.sleep(0)
            self.seen.append(task)

        return handler


async def of(task: Task) -> Schedule:
    return next(one for one in await schedules() if one.task is task)


async def fired(task: Task) -> list[JobView]:
    return [one for one in (await jobs(PageRequest(), kinds=[task])).items if one.schedule == task]


async def test_a_brand_has_the_usual_schedules_before_and_after_a_worker_came_by(db: Database) -> None:
    with as_tenant(LOTUS), clock.at(EVENING):
        before = await schedules()
        assert {one.task for one in before if one.paused} == {task for task in Task if USUAL[task].paused}
        await keep_schedules()
        await keep_schedules()
        assert await schedules() == before
        assert (await of(Task.RELEASE)).next_runs[0] == datetime(2026, 3, 10, 17, tzinfo=UTC), "01:00 in Shanghai"


async def test_what_moves_money_or_closes_a_period_waits_for_the_brand_to_say_so() -> None:
    assert {task for task in Task if USUAL[task].paused} == {
        Task.CLOSE_PERIODS,
        Task.CLOSE_SETTLEMENTS,
        Task.SWEEP,
        Task.SEND,
    }


async def test_each_night_each_task_is_done_once(db: Database) -> None:
    work = Tally()
    with as_tenant(LOTUS), clock.at(EVENING):
        await keep_schedules()
    with clock.at(EVENING + timedelta(hours=2)):
        assert await run_due(work.handlers) == 0
    for night in (1, 2):
        with clock.at(EVENING + night * DAY):
            await run_due(work.handlers)
            await run_due(work.handlers)
        usual = [task for task in Task if not USUAL[task].paused]
        assert sorted(work.seen) == sorted(usual * night)
    with as_tenant(CEDAR):
        assert (await jobs(PageRequest())).items == [], "nobody has looked after Cedar"


async def test_nights_that_were_missed_are_made_up_for_once(db: Database) -> None:
    with as_tenant(LOTUS):
        with clock.at(EVENING):
            await keep_schedules()
        with clock.at(EVENING + 40 * DAY):
            await fire_due()
            (made,) = await fired(Task.RELEASE)
            assert made.due_at == datetime(2026, 4, 18, 17, tzinfo=UTC), "the last one"
            assert (await of(Task.RELEASE)).next_runs[0] == datetime(2026, 4, 19, 17, tzinfo=UTC)
            assert await fire_due() == 0


async def test_a_moment_makes_one_job_however_many_workers_see_it(db: Database) -> None:
    with as_tenant(LOTUS):
        with clock.at(EVENING):
            await keep_schedules()
        with clock.at(EVENING + DAY):
            made = await asyncio.gather(*[fire_due() for _ in range(8)])
            assert sum(made) == len([task for task in Task if not USUAL[task].paused])
            assert len(await fired(Task.RELEASE)) == 1


async def test_a_moment_that_has_made_its_job_makes_no_other_even_when_the_schedule_is_set_back(db: Database) -> None:
    """What the row says is one fence, the job's unique key the other."""
    with as_tenant(LOTUS):
        with clock.at(EVENING):
            await keep_schedules()
        with clock.at(EVENING + DAY):
            await fire_due()
            async with transaction() as tx:
                await tx.execute("UPDATE schedule SET next_at = $2 WHERE tenant_id = $1", LOTUS, EVENING)
            await fire_due()
            assert len(await fired(Task.RELEASE)) == 1


async def test_many_workers_do_a_schedules_job_once(db: Database) -> None:
    work = Tally()
    soon = clock.now() + timedelta(minutes=1)
    at = soon.replace(second=0, microsecond=0).astimezone().timetz()
    with as_tenant(LOTUS), clock.at(clock.now() - DAY):
        await set_schedule(SetSchedule(task=Task.RELEASE, recurrence=_daily(time(at.hour, at.minute))), ACTOR)
    workers = [asyncio.create_task(run_worker(work.handlers, slots=2)) for _ in range(3)]
    for _ in range(200):
        await asyncio.sleep(0.05)
        if work.seen:
            break
    await asyncio.sleep(0.3)
    for one in workers:
        one.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert work.seen == [Task.RELEASE]


def _daily(at: time) -> Recurrence:
    return Recurrence(every=Every.DAY, at=at)


async def test_a_schedule_that_is_changed_falls_due_at_its_new_time_and_says_who_changed_it(db: Database) -> None:
    weekly = Recurrence(every=Every.WEEK, at=time(7, 5), weekday=5)
    with as_tenant(LOTUS), clock.at(EVENING):
        tried = await set_schedule(SetSchedule(task=Task.RELEASE, recurrence=weekly, dry_run=True), ACTOR)
        assert (await of(Task.RELEASE)).recurrence == USUAL[Task.RELEASE].recurrence
        made = await set_schedule(SetSchedule(task=Task.RELEASE, recurrence=weekly), ACTOR)
        assert made.next_runs == tried.next_runs
        assert (await of(Task.RELEASE)).recurrence == weekly
        assert len(made.next_runs) == 5
        assert made.next_runs[0] == datetime(2026, 3, 12, 23, 5, tzinfo=UTC)
        assert await lease.brands_with_work(LOTUS) == []
        await lease.look_again_later()
        (line,) = (await audit.lines(PageRequest(), audit.Sought(action="schedule."))).items
        assert (line.action, line.subject, line.actor_label) == ("schedule.set", Task.RELEASE, "tests")
        await keep_schedules()
        assert (await of(Task.RELEASE)).recurrence == weekly, "what is usual takes no place that is taken"
    with clock.at(made.next_runs[0]):
        assert await lease.brands_with_work(LOTUS) == [LOTUS]
        with as_tenant(CEDAR):
            assert (await of(Task.RELEASE)).recurrence == USUAL[Task.RELEASE].recurrence


async def test_a_pause_ends_with_the_next_moment_and_makes_up_for_none(db: Database) -> None:
    with as_tenant(LOTUS):
        with clock.at(EVENING):
            await keep_schedules()
            assert (await pause_schedule(Task.RELEASE, "stocktaking", ACTOR, paused=True)).next_runs == []
            await pause_schedule(Task.RELEASE, "again", ACTOR, paused=True)
        with clock.at(EVENING + 3 * DAY):
            await fire_due()
            resumed = await pause_schedule(Task.RELEASE, "done", ACTOR, paused=False)
            assert resumed.next_runs[0] == datetime(2026, 3, 13, 17, tzinfo=UTC)
            await fire_due()
            assert await fired(Task.RELEASE) == []
        with clock.at(EVENING + 4 * DAY):
            await fire_due()
            assert len(await fired(Task.RELEASE)) == 1
        told = [line.action for line in (await audit.lines(PageRequest(), audit.Sought(action="schedule."))).items]
        assert told == ["schedule.resume", "schedule.pause"]
        with pytest.raises(ReasonRefused):
            await pause_schedule(Task.RELEASE, " ", ACTOR, paused=True)


async def test_a_pause_keeps_what_is_changed_meanwhile(db: Database) -> None:
    weekly = Recurrence(every=Every.WEEK, at=time(7, 5), weekday=5)
    with as_tenant(LOTUS), clock.at(EVENING):
        await keep_schedules()
        async with transaction():
            await set_schedule(SetSchedule(task=Task.RELEASE, recurrence=weekly), ACTOR)
            pausing = await started(pause_schedule(Task.RELEASE, "stocktaking", ACTOR, paused=True))
        assert (await pausing).recurrence == weekly
        now = await of(Task.RELEASE)
        assert (now.recurrence, now.paused) == (weekly, True)


async def test_a_suspended_brands_moments_pass_unused(db: Database) -> None:
    with as_tenant(LOTUS), clock.at(EVENING):
        await keep_schedules()
    with clock.at(EVENING + DAY):
        await registry.suspend_tenant(LOTUS, "unpaid", system(PLATFORM, "tests"))
        with as_tenant(LOTUS):
            await fire_due()
            assert await fired(Task.RELEASE) == []
            await lease.look_again_later()
        assert await lease.brands_with_work(LOTUS) == [], "nobody looks again and again"
        await registry.reactivate_tenant(LOTUS, "paid", system(PLATFORM, "tests"))
    with as_tenant(LOTUS), clock.at(EVENING + 2 * DAY):
        await fire_due()
        assert len(await fired(Task.RELEASE)) == 1
    with tenant_scope(PLATFORM):
        registry.forget()
