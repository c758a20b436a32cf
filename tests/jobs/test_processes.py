"""Workers as they run: processes on one database, some of which are killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from bench.databases import as_server
from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.ids import new_id
from saas.base.paging import PageRequest
from saas.imports.columns import ImportKind
from saas.imports.files import BringIn, bring_in
from saas.imports.views import ImportView, import_file
from saas.jobs.queries import jobs
from saas.jobs.rules import JobStatus
from saas.ledger.checks import run_checks
from tests.factories import LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import table, two_shops
from tests.test_main import ROOT

ORDERS = 600


@pytest.fixture
async def worker(db: Database) -> AsyncIterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts processes that do nothing but jobs, and ends them afterwards."""
    await two_shops()
    begun: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        begun.append(
            subprocess.Popen(  # our own program
                [sys.executable, "main.py", "worker"],
                cwd=ROOT,
                env={**os.environ, "DATABASE_URL": as_server(db.url)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        return begun[-1]

    yield begin
    for one in begun:
        one.kill()
        one.wait(30)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(6_000):  # only to end what hangs
        if await holds():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come to that in ten minutes")


async def file_of(orders: int, name: str) -> ImportView:
    """A file of so many orders, none of them paid, that waits for a worker."""
    rows = [f"{name}-{n},C,PLAIN,1,10.00" for n in range(orders)]
    content = "\n".join(["order_number,seller,sku,quantity,amount", *rows]).encode()
    command = BringIn(kind=ImportKind.ORDERS, name=name, content=content, idempotency_key=str(new_id()))
    return await bring_in(command, staff())


async def test_three_processes_do_each_job_once(worker: Callable[[], subprocess.Popen[bytes]]) -> None:
    with as_tenant(LOTUS):
        files = [await file_of(3, f"F{n}") for n in range(12)]
        for _ in range(3):
            worker()

        async def done() -> bool:
            now = (await jobs(PageRequest(50), kinds=["import"])).items
            return all(one.status in {JobStatus.DONE, JobStatus.FAILED} for one in now)

        await until(done)
        imported = (await jobs(PageRequest(50), kinds=["import"])).items
        # A busy machine may make a worker try again; what is written tells that each was done once.
        assert [one.status for one in imported] == [JobStatus.DONE] * 12
        found = [await import_file(one.id) for one in files]
        assert {(one.written, one.replayed, one.refused) for one in found} == {(3, 0, 0)}


async def test_a_killed_process_leaves_its_job_to_another_that_goes_on_where_it_was(
    worker: Callable[[], subprocess.Popen[bytes]],
) -> None:
    with as_tenant(LOTUS):
        file = await file_of(ORDERS, "K")
        first = worker()

        async def begun() -> bool:
            return (await import_file(file.id)).done > 0

        await until(begun)
        first.send_signal(signal.SIGKILL)
        first.wait(30)
        async with transaction() as tx:  # a minute passes
            await tx.execute(
                "UPDATE job SET lease_until = $2 WHERE tenant_id = $1 AND status = 'running'",
                *(LOTUS, clock.now() - timedelta(seconds=1)),
            )
            await tx.execute("UPDATE tenant_work SET due_at = $2 WHERE tenant_id = $1", LOTUS, clock.now())
        worker()

        async def done() -> bool:
            return (await import_file(file.id)).finished_at is not None

        await until(done)
        found = await import_file(file.id)
        assert (found.written, found.replayed, found.refused) == (ORDERS, 0, 0)
        assert await table("SELECT count(*) FROM sales_order WHERE tenant_id = $1") == [(ORDERS,)]
        assert await run_checks() == []
