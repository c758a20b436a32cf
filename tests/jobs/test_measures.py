"""Figures of jobs and books, as Prometheus reads them: each brand's own."""

from saas.base.db import Database
from saas.base.metrics import REGISTRY
from saas.jobs.commands import enqueue
from saas.jobs.measures import measure
from saas.jobs.tasks import Task
from saas.jobs.worker import run_due
from saas.proof.commands import check_books
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.jobs.test_dead_letters import ACTOR, crash, dead


def figure(name: str, tenant: int, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"tenant": str(tenant), **labels})


async def test_jobs_that_wait_or_are_dead_and_books_that_hold_are_counted(db: Database) -> None:
    await make_tenants()
    ended = REGISTRY.get_sample_value("banyan_jobs_ended_total", {"kind": "count", "status": "failed"}) or 0
    await dead(crash)
    assert REGISTRY.get_sample_value("banyan_jobs_ended_total", {"kind": "count", "status": "failed"}) == ended + 1
    with as_tenant(LOTUS):
        await enqueue("count", {}, actor=ACTOR)
        await measure()
    with as_tenant(CEDAR):
        await measure()
    assert [figure("banyan_dead_jobs", tenant) for tenant in (LOTUS, CEDAR)] == [1, 0]
    waiting = [figure("banyan_jobs", tenant, status="queued") for tenant in (LOTUS, CEDAR)]
    assert waiting == [1, 0]
    with as_tenant(LOTUS):
        await enqueue(Task.CHECK_BOOKS, {}, actor=ACTOR)
    assert await run_due({Task.CHECK_BOOKS: check_books}) == 1
    with as_tenant(LOTUS):
        await measure()
    assert figure("banyan_books_hold", LOTUS) == 1
    checked = figure("banyan_books_checked_timestamp_seconds", LOTUS)
    assert checked
    assert figure("banyan_jobs", LOTUS, status="queued") == 1, "the other one still waits"
