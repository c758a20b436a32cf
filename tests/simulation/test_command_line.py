"""The worker and the proof as an operator starts them, and the worker that lives in a server."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from asgi_lifespan import LifespanManager

import main
from bench.databases import as_server
from saas.base import clock
from saas.base.db import open_database, reading, transaction
from saas.base.settings import get_settings
from saas.jobs.queries import job
from saas.jobs.rules import JobStatus
from saas.simulation.commands import Simulate, simulate
from saas.simulation.queries import finished, simulation
from saas.simulation.views import SimulationView
from tenants.actors import system
from tests.factories import LOTUS, as_tenant
from tests.test_main import ROOT, command
from tests.world import populate


async def asked() -> SimulationView:
    """A simulation of what Lotus pays, over all of its past."""
    today = clock.now().date()
    with as_tenant(LOTUS):
        wanted = Simulate(number=1, since=today - timedelta(days=300), until=today)
        return await simulate(wanted, system(LOTUS, "tests"))


async def done(view: SimulationView) -> None:
    """Wait until somebody has done it; it comes to what was paid."""
    with as_tenant(LOTUS):
        async with asyncio.timeout(60):
            while (await job(view.job_id)).status is not JobStatus.DONE:  # noqa: ASYNC110  # another process does it
                await asyncio.sleep(0.1)
        found = finished(await simulation(view.id))
        assert (found.orders, found.winners, found.losers) == (1, 0, 0)
        assert found.draft == found.real


async def test_a_worker_of_its_own_does_what_waits_and_ends_when_it_is_told_to(database_url: str) -> None:
    async with open_database(database_url):
        await populate()
        view = await asked()
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "main.py",
            "worker",
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": as_server(database_url)},
            stderr=subprocess.DEVNULL,
        )
        try:
            await done(view)
        finally:
            worker.terminate()
        assert await asyncio.wait_for(worker.wait(), 30) == 0


async def test_a_server_does_it_unless_it_is_told_not_to(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = get_settings().model_copy(update={"database_url": as_server(database_url)})
    monkeypatch.setattr(main, "get_settings", lambda: settings)
    async with LifespanManager(main.app()):
        await populate()
        await done(await asked())
    idle = settings.model_copy(update={"worker_in_server": False})
    monkeypatch.setattr(main, "get_settings", lambda: idle)
    async with LifespanManager(main.app()):
        view = await asked()
        await asyncio.sleep(1.5)
        with as_tenant(LOTUS):
            assert (await job(view.job_id)).status is JobStatus.QUEUED


async def test_the_proof_says_what_differs_and_fails(database_url: str) -> None:
    async with open_database(database_url):
        await populate()
        with as_tenant(LOTUS):
            async with reading() as tx:
                label = await tx.value("SELECT label FROM settlement WHERE tenant_id = $1", LOTUS)
    proved = await asyncio.to_thread(command, database_url, "recompute", "--period", label)
    assert proved.returncode == 0, proved
    assert proved.stdout.splitlines()[0] == "lotus: orders 1, shares 3, awards 0, differences 0"
    async with open_database(database_url):
        with as_tenant(LOTUS):
            async with transaction() as tx:
                await tx.execute(
                    "UPDATE commission SET amount_minor = amount_minor + 1 WHERE tenant_id = $1 AND level = 1", LOTUS
                )
    broken = await asyncio.to_thread(command, database_url, "recompute", "--period", label, "--tenant", "lotus")
    assert broken.returncode == 1, broken
    assert "differences 1" in broken.stdout and "levels level 1: stored 29701" in broken.stdout
    nothing = await asyncio.to_thread(command, database_url, "recompute", "--period", "1999-01")
    assert nothing.returncode == 1 and "No brand settled" in nothing.stdout
    stranger = await asyncio.to_thread(command, database_url, "recompute", "--period", label, "--tenant", "nobody")
    assert stranger.returncode == 1 and "NOT_FOUND" in stranger.stdout
