"""Jobs that failed for good: kept, counted, told as an alert, tried again or put aside by a person with a reason."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import InvalidInput, NotFound, ReasonRefused, Said, WrongState
from saas.base.ids import JobId
from saas.base.paging import PageRequest
from saas.jobs import lease
from saas.jobs.commands import cancel, dismiss, enqueue, retry
from saas.jobs.queries import dead_jobs, job, jobs
from saas.jobs.rules import ATTEMPTS_MOST, JITTER_BPS_MOST, LEASE, JobStatus, wait_after
from saas.jobs.worker import Progress, run_due
from tenants import audit
from tenants.actors import system
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

ACTOR = system(LOTUS, "tests")
THEIRS = system(CEDAR, "tests")


@pytest.fixture(autouse=True)
async def brands(db: Database) -> None:
    """Lotus and Cedar."""
    await make_tenants()


async def refuse(_: Mapping[str, Any], __: Progress) -> None:
    raise InvalidInput("input", value="7", remedy=Said("give less", "请减少"))


async def crash(_: Mapping[str, Any], __: Progress) -> None:
    raise ZeroDivisionError


async def work(_: Mapping[str, Any], __: Progress) -> None:
    """Comes to its end."""


async def dead(handler: Any = refuse) -> JobId:
    """A job of Lotus that failed for good."""
    with as_tenant(LOTUS):
        id_ = await enqueue("count", {"n": 1}, actor=ACTOR)
    now = clock.now()
    for hour in range(ATTEMPTS_MOST):
        with clock.at(now + timedelta(hours=hour)):
            await run_due({"count": handler})
    return id_


async def test_it_is_kept_counted_and_told(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "banyan.alert"):
        id_ = await dead(crash)
    alerts = [record.getMessage() for record in caplog.records if record.name == "banyan.alert"]
    assert len(alerts) == 1
    assert str(id_) in alerts[0]
    assert "of brand 1 failed for good" in alerts[0]
    with as_tenant(LOTUS):
        assert (await job(id_)).dead
        assert await dead_jobs() == 1
        assert [one.id for one in (await jobs(PageRequest(), dead=True)).items] == [id_]
    with as_tenant(CEDAR):
        assert await dead_jobs() == 0


async def test_it_is_tried_again_as_often_as_a_new_one(db: Database) -> None:
    id_, now = await dead(crash), clock.now() + timedelta(days=1)
    with as_tenant(LOTUS), clock.at(now):
        again = await retry(id_, "the network is back", ACTOR)
        assert (again.status, again.error, again.finished_at, again.dead) == (JobStatus.QUEUED, None, None, False)
        assert await dead_jobs() == 0
    for hour in range(ATTEMPTS_MOST):
        with clock.at(now + timedelta(hours=hour)):
            await run_due({"count": crash})
    with as_tenant(LOTUS):
        found = await job(id_)
        assert (found.status, found.attempts) == (JobStatus.FAILED, 2 * ATTEMPTS_MOST)
        with clock.at(now + timedelta(days=1)):
            await retry(id_, "once more", ACTOR)
    with clock.at(now + timedelta(days=1)):
        assert await run_due({"count": work}) == 1
    with as_tenant(LOTUS):
        assert (await job(id_)).status is JobStatus.DONE
        told = (await audit.lines(PageRequest(), audit.Sought(action="job.retry"))).items
        assert [line.subject for line in told] == [str(id_)] * 2
        assert "once more" in told[0].detail


async def test_a_worker_of_before_that_comes_back_is_still_told_from_the_next(db: Database) -> None:
    """The attempts go on counting: were they counted anew, the first worker would hold the second one's turn."""
    with as_tenant(LOTUS):
        id_, now = await enqueue("count", {"n": 1}, actor=ACTOR), clock.now()
        late = await lease.take(["count"])
        assert late is not None
        for turn in range(ATTEMPTS_MOST):
            with clock.at(now + (turn + 1) * (LEASE + timedelta(hours=1))):
                await run_due({"count": crash})
        with clock.at(now + timedelta(days=1)):
            assert (await job(id_)).dead
            await retry(id_, "again", ACTOR)
            held = await lease.take(["count"])
            assert held is not None
            assert (late.tries, held.tries) == (1, 1)
            assert not await lease.end(late, JobStatus.FAILED)
            assert await lease.renew(late, 1, 2, "late") is None
            assert (await job(id_)).status is JobStatus.RUNNING


async def test_it_is_put_aside_and_can_be_tried_again_nevertheless(db: Database) -> None:
    id_ = await dead()
    with as_tenant(LOTUS):
        aside = await dismiss(id_, "the order was a mistake", ACTOR)
        assert (aside.status, aside.dismissal, aside.dead) == (JobStatus.FAILED, "the order was a mistake", False)
        assert await dead_jobs() == 0
        assert (await jobs(PageRequest(), dead=True)).items == []
        with pytest.raises(WrongState, match="dismissed"):
            await dismiss(id_, "again", ACTOR)
        (line,) = (await audit.lines(PageRequest(), audit.Sought(action="job.dismiss"))).items
        assert "the order was a mistake" in line.detail
        again = await retry(id_, "it was none", ACTOR)
        assert (again.status, again.dismissed_at, again.dismissal) == (JobStatus.QUEUED, None, None)


@pytest.mark.parametrize("change", [retry, dismiss])
async def test_only_what_failed_and_only_ones_own_and_only_with_a_reason(db: Database, change: Any) -> None:
    id_ = await dead()
    with as_tenant(CEDAR), pytest.raises(NotFound):
        await change(id_, "theirs", THEIRS)
    with as_tenant(LOTUS):
        before = await job(id_)
        with pytest.raises(ReasonRefused):
            await change(id_, "  ", ACTOR)
        assert await job(id_) == before
        waits = await enqueue("count", {"n": 2}, actor=ACTOR)
        with pytest.raises(WrongState):
            await change(waits, "too soon", ACTOR)
        await cancel(waits, ACTOR)
        with pytest.raises(WrongState):
            await change(waits, "given up", ACTOR)


@given(st.integers(1, 12), st.integers(0, JITTER_BPS_MOST))
def test_waits_double_and_are_never_shorter_for_their_jitter(attempts: int, jitter: int) -> None:
    wait = wait_after(attempts, jitter)
    assert wait_after(attempts) <= wait <= wait_after(attempts) * 3 / 2
    assert wait < wait_after(attempts + 1)
    assert wait_after(1) == timedelta(seconds=5)
