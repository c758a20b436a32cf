"""Jobs: asked for with the business, done once whatever happens to workers, given up when somebody says so."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import InvalidInput, NotFound, Said, WrongState
from saas.base.ids import JobId, new_id
from saas.base.paging import PageRequest
from saas.jobs import lease
from saas.jobs.commands import cancel, enqueue, waits_already
from saas.jobs.lease import NEVER
from saas.jobs.queries import JobView, job, jobs
from saas.jobs.rules import ATTEMPTS_MOST, LEASE, JobStatus
from saas.jobs.worker import LeaseLost, Progress, run_due, run_worker
from tenants.actors import system
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.payouts.people import started

ACTOR = system(LOTUS, "tests")


class Work:
    """A handler that writes down what it was given."""

    def __init__(self, expected: int = 1) -> None:
        self.seen: list[Any] = []
        self.expected = expected
        self.enough = asyncio.Event()

    async def __call__(self, given: Mapping[str, Any], progress: Progress) -> None:
        self.seen.append(given["n"])
        await progress.report(1, 2, "first half")
        await asyncio.sleep(0)
        await progress.report(2, 2, "second half")
        if len(self.seen) >= self.expected:
            self.enough.set()


@pytest.fixture(autouse=True)
async def brands(db: Database) -> None:
    """Lotus and Cedar."""
    await make_tenants()


async def ask(n: int, tenant: Any = LOTUS, **more: Any) -> JobId:
    with as_tenant(tenant):
        return await enqueue("count", {"n": n}, actor=system(tenant, "tests"), **more)


async def state(job_id: JobId) -> JobView:
    with as_tenant(LOTUS):
        return await job(job_id)


async def test_a_job_is_done_once_with_its_input_and_says_how_far_it_is(db: Database) -> None:
    work, id_ = Work(), await ask(7)
    assert (await state(id_)).status is JobStatus.QUEUED
    assert await run_due({"count": work}) == 1
    assert await run_due({"count": work}) == 0
    found = await state(id_)
    assert work.seen == [7]
    assert (found.status, found.done, found.total, found.step) == (JobStatus.DONE, 2, 2, "second half")
    assert found.started_at and found.finished_at and found.error is None


async def test_what_is_rolled_back_was_never_asked_for(db: Database) -> None:
    with as_tenant(LOTUS), pytest.raises(RuntimeError):
        async with transaction():
            await enqueue("count", {"n": 1}, actor=ACTOR)
            raise RuntimeError
    assert await run_due({"count": Work()}) == 0


async def test_every_brand_gets_its_turn_and_sees_its_own(db: Database) -> None:
    work = Work()
    first = [await ask(n) for n in (1, 2)]
    await ask(20, CEDAR)
    assert await run_due({"count": work}) == 3
    assert work.seen == [1, 20, 2]
    with as_tenant(CEDAR):
        with pytest.raises(NotFound):
            await job(first[0])
        with pytest.raises(NotFound):
            await cancel(first[0], system(CEDAR, "tests"))
        assert len((await jobs(PageRequest())).items) == 1


async def test_a_later_job_waits_for_its_moment(db: Database) -> None:
    work, now = Work(), clock.now()
    await ask(1, run_at=now + timedelta(hours=1))
    assert await run_due({"count": work}) == 0
    await ask(2)
    assert await run_due({"count": work}) == 1
    assert await lease.brands_with_work(LOTUS) == []
    with clock.at(now + timedelta(hours=1)):
        assert await run_due({"count": work}) == 1
    assert work.seen == [2, 1]
    with clock.at(NEVER - timedelta(days=1)):
        assert await lease.brands_with_work(LOTUS) == []


async def test_many_workers_never_run_one_job_twice(db: Database) -> None:
    work = Work(12)
    for n in range(12):
        await ask(n)
    workers = [asyncio.create_task(run_worker({"count": work}, slots=2)) for _ in range(2)]
    await asyncio.wait_for(work.enough.wait(), 30)
    await asyncio.sleep(0.1)
    for one in workers:
        one.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert sorted(work.seen) == list(range(12))


async def test_who_counts_on_a_job_that_waits_holds_it_until_the_end(db: Database) -> None:
    """It must not begin before it can see what is written here."""
    waiting = await ask(1)
    with as_tenant(LOTUS):
        async with transaction() as tx:
            assert await waits_already(tx, "count", clock.now())
            taking = asyncio.create_task(lease.take(["count"]))
            done, _ = await asyncio.wait({taking}, timeout=1)
            assert [one.result() for one in done] in ([], [None])  # SQLite lets nobody write meanwhile
        taken = await taking or await lease.take(["count"])
    assert taken is not None
    assert taken.id == waiting


async def test_what_is_asked_for_while_a_worker_looks_away_is_not_overlooked(db: Database) -> None:
    with as_tenant(LOTUS):
        await cancel(await ask(0), system(LOTUS, "tests"))
        await lease.look_again_later()
        async with transaction():
            await enqueue("count", {"n": 1}, actor=system(LOTUS, "tests"))
            looking = await started(lease.look_again_later())
        await looking
    assert await lease.brands_with_work(LOTUS) == [LOTUS]


async def test_a_worker_hears_of_new_work_without_waiting(db: Database) -> None:
    work = Work()
    worker = asyncio.create_task(run_worker({"count": work}, slots=1))
    await asyncio.sleep(0.2)  # it has found nothing and waits
    await ask(1)
    began = asyncio.get_running_loop().time()
    await asyncio.wait_for(work.enough.wait(), 5)
    assert asyncio.get_running_loop().time() - began < 0.8
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_a_dead_workers_job_passes_to_another_after_its_lease(db: Database) -> None:
    work, id_, now = Work(), await ask(1), clock.now()
    with as_tenant(LOTUS):
        taken = await lease.take(["count"])
        assert taken is not None
        await lease.look_again_later()
        assert await lease.take(["count"]) is None
    assert await run_due({"count": work}) == 0
    with clock.at(now + LEASE + timedelta(seconds=1)):
        assert await run_due({"count": work}) == 1
    assert work.seen == [1]
    with as_tenant(LOTUS):  # the first one was only slow, and comes back
        with pytest.raises(LeaseLost):
            await Progress(taken).report(1, 2, "late")
        assert not await lease.end(taken, JobStatus.FAILED)
    assert (await state(id_)).status is JobStatus.DONE


async def test_a_worker_that_comes_back_disturbs_nobody(db: Database) -> None:
    """It was silent for too long; the job is another's by now, and still running."""
    id_, now = await ask(1), clock.now()
    with as_tenant(LOTUS):
        first = await lease.take(["count"])
        with clock.at(now + LEASE + timedelta(seconds=1)):
            second = await lease.take(["count"])
            assert first is not None and second is not None
            await lease.renew(second, 1, 2, "the other's")
            with pytest.raises(LeaseLost):
                await Progress(first).report(2, 2, "late")
            assert not await lease.end(first, JobStatus.FAILED)
            await lease.try_again(first, counts=True)
            found = await state(id_)
            assert (found.status, found.step) == (JobStatus.RUNNING, "the other's")
            assert await lease.end(second, JobStatus.DONE)


async def test_word_from_the_worker_keeps_the_job(db: Database) -> None:
    await ask(1)
    now = clock.now()
    with as_tenant(LOTUS):
        taken = await lease.take(["count"])
        assert taken is not None
        with clock.at(now + LEASE - timedelta(seconds=5)):
            await Progress(taken).report(1, 2, "working")
        with clock.at(now + LEASE + timedelta(seconds=5)):
            assert await lease.take(["count"]) is None


async def test_what_crashes_is_tried_again_later_and_in_the_end_fails_readably(db: Database) -> None:
    attempts = 0

    async def crash(_: Mapping[str, Any], __: Progress) -> None:
        nonlocal attempts
        attempts += 1
        raise ZeroDivisionError

    id_, now = await ask(1), clock.now()
    assert await run_due({"count": crash}) == 1
    waiting = await state(id_)
    assert (waiting.status, waiting.attempts) == (JobStatus.QUEUED, 1)
    assert waiting.run_at > now + timedelta(seconds=4)
    for hour in range(1, 20):
        with clock.at(now + timedelta(hours=hour)):
            await run_due({"count": crash})
    dead = await state(id_)
    assert (dead.status, attempts) == (JobStatus.FAILED, ATTEMPTS_MOST)
    assert dead.error is not None
    assert "5 times" in dead.error.en and "ZeroDivisionError" in dead.error.en and "5 次" in dead.error.zh


async def test_a_refusal_is_not_tried_again(db: Database) -> None:
    async def refuse(_: Mapping[str, Any], __: Progress) -> None:
        raise InvalidInput("input", value="7", remedy=Said("give less", "请减少"))

    id_ = await ask(1)
    await run_due({"count": refuse})
    found = await state(id_)
    assert (found.status, found.attempts) == (JobStatus.FAILED, 1)
    assert found.error == Said("7 is not accepted here: give less.", "此处不接受 7：请减少。")


async def test_a_job_that_kills_its_workers_is_not_given_to_ever_more_of_them(db: Database) -> None:
    work, id_, now = Work(), await ask(1), clock.now()
    for turn in range(ATTEMPTS_MOST):
        with as_tenant(LOTUS), clock.at(now + turn * timedelta(minutes=2)):
            assert await lease.take(["count"]) is not None
    with clock.at(now + timedelta(hours=1)):
        await run_due({"count": work})
    found = await state(id_)
    assert (work.seen, found.status) == ([], JobStatus.FAILED)
    assert found.error is not None and "the worker stopped" in found.error.en


async def test_a_waiting_job_is_given_up_at_once_and_an_ended_one_is_not(db: Database) -> None:
    work, id_ = Work(), await ask(1)
    with as_tenant(LOTUS):
        assert (await cancel(id_, ACTOR)).status is JobStatus.CANCELLED
        assert await run_due({"count": work}) == 0
        with pytest.raises(WrongState):
            await cancel(id_, ACTOR)
        with pytest.raises(NotFound):
            await cancel(JobId(new_id()), ACTOR)


async def test_a_running_job_is_given_up_at_its_next_report(db: Database) -> None:
    reached: list[int] = []

    async def work(_: Mapping[str, Any], progress: Progress) -> None:
        for step in range(3):
            if step == 1:
                await cancel(progress.job_id, ACTOR)
            await progress.report(step, 3, f"step {step}")
            reached.append(step)

    id_ = await ask(1)
    await run_due({"count": work})
    found = await state(id_)
    assert (found.status, reached) == (JobStatus.CANCELLED, [0])
    assert found.finished_at is not None


async def test_a_worker_that_is_stopped_puts_its_job_back(db: Database) -> None:
    begun = asyncio.Event()

    async def endless(_: Mapping[str, Any], __: Progress) -> None:
        begun.set()
        await asyncio.sleep(60)

    id_ = await ask(1)
    worker = asyncio.create_task(run_worker({"count": endless}, slots=1))
    await asyncio.wait_for(begun.wait(), 10)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    found = await state(id_)
    assert (found.status, found.attempts) == (JobStatus.QUEUED, 0)
    work = Work()
    assert await run_due({"count": work}) == 1
    assert work.seen == [1]


async def test_a_kind_this_worker_does_not_know_is_left_to_others(db: Database) -> None:
    id_ = await ask(1)
    assert await run_due({"other": Work()}) == 0
    assert (await state(id_)).status is JobStatus.QUEUED
    assert await run_due({"count": Work()}) == 1


async def test_pages_by_kind_and_status(db: Database) -> None:
    ids = [await ask(n) for n in range(5)]
    with as_tenant(LOTUS):
        await cancel(ids[0], ACTOR)
        first = await jobs(PageRequest(first=3))
        rest = await jobs(PageRequest(first=3, after=first.cursors[-1]))
        assert [one.id for one in (*first.items, *rest.items)] == ids[::-1]
        assert [one.id for one in (await jobs(PageRequest(), statuses=["cancelled"])).items] == ids[:1]
        assert (await jobs(PageRequest(), kinds=["other"])).items == []
