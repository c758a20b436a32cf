"""Whether the server lives and is ready, and how it stops: as a load balancer and an operator meet it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from saas.base.db import Database, open_database
from saas.base.db.sqlite import sqlite_path
from saas.base.settings import Settings
from saas.jobs.queries import job
from saas.jobs.rules import JobStatus
from schema.health import stopping
from schema.http import make_app
from tests.base.test_migrations import query
from tests.factories import LOTUS, as_tenant
from tests.jobs.test_processes import file_of
from tests.orders.world import two_shops
from tests.test_main import ROOT
from tests.torture.test_kill import free_port

TOKEN = "figures"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
    "SECURE_COOKIES": "true",
    "SQLITE_IN_PRODUCTION": "true",
    "BASE_DOMAIN": "banyan.example",
}


async def asked(path: str) -> tuple[int, object]:
    """The answer of an application that nobody started."""
    transport = httpx.ASGITransport(app=make_app(Settings(_env_file=None)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get(path)
    return answer.status_code, answer.json()


async def test_ready_means_that_the_database_is_there_and_current(db: Database) -> None:
    assert await asked("/readyz") == (200, {"status": "ok"})
    await write(db, "DELETE FROM tortoise_migrations WHERE name = '0002_program_engine'")
    assert await asked("/readyz") == (503, {"status": "not ready", "why": "migrations"})
    assert await asked("/livez") == (200, {"status": "ok"})


async def test_a_migration_that_only_a_newer_server_knows_is_no_harm(db: Database) -> None:
    await write(db, "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('banyan', '9999', '2026-11-28')")
    assert await asked("/readyz") == (200, {"status": "ok"})


async def write(db: Database, sql: str) -> None:
    """A statement of the owner's."""
    if db.kind == "postgresql":
        await query(db.url, sql)
        return
    with contextlib.closing(sqlite3.connect(sqlite_path(db.url), isolation_level=None)) as file:
        file.execute(sql)


async def test_without_its_database_a_server_lives_and_is_not_ready(database_url: str) -> None:
    async with open_database(database_url) as database:
        await database.close()
        assert await asked("/readyz") == (503, {"status": "not ready", "why": "database"})
        assert await asked("/livez") == (200, {"status": "ok"})


async def test_one_that_stops_is_not_ready(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "begun", True)
    assert await asked("/readyz") == (503, {"status": "not ready", "why": "stopping"})
    assert await asked("/livez") == (200, {"status": "ok"})


@contextlib.asynccontextmanager
async def running(url: str, command: str, **variables: str) -> AsyncIterator["subprocess.Popen[str]"]:
    """``main.py COMMAND`` as production runs it; killed if it does not end by itself."""
    environment = {**os.environ, "DATABASE_URL": url, **PRODUCTION, **variables}
    process = subprocess.Popen(  # noqa: S603, ASYNC220  # our own program
        [sys.executable, "main.py", command], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.wait, 30)


async def answers(client: httpx.AsyncClient, path: str, status: int) -> httpx.Response:
    """The first answer of that status."""
    for _ in range(3_000):  # only to end what hangs
        with contextlib.suppress(httpx.TransportError):
            answer = await client.get(path)
            if answer.status_code == status:
                return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} never answered {status}")


async def test_a_server_that_is_told_to_stop_says_so_finishes_and_gives_its_jobs_back(sqlite_url: str) -> None:
    """As production: lines are JSON, figures are for who shows the token, nothing is left half done."""
    port, figures = free_port(), free_port()
    variables = {"PORT": str(port), "DRAIN_SECONDS": "2", "METRICS_PORT": str(figures), "METRICS_TOKEN": TOKEN}
    async with (
        open_database(sqlite_url),
        running(sqlite_url, "serve", **variables) as server,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        await two_shops()
        with as_tenant(LOTUS):
            files = [await file_of(20_000, f"long {n}") for n in range(4)]
            waits = [one.job_id for one in files if one.job_id]
            while {(await job(one)).status for one in waits} == {JobStatus.QUEUED}:  # noqa: ASYNC110  # another's work
                await asyncio.sleep(0.05)
        await shows_figures(client, f"http://127.0.0.1:{figures}/metrics")
        body = b'{"query": "{ me { id } }"}'
        lines = ("POST /graphql HTTP/1.1", "host: banyan.example", "content-type: application/json")
        head = "\r\n".join((*lines, f"content-length: {len(body)}", "", "")).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body[:9])
        await writer.drain()
        server.send_signal(signal.SIGTERM)
        assert (await answers(client, "/readyz", 503)).json()["why"] == "stopping"
        await accepts_no_more(port)
        writer.write(body[9:])
        answer = await reader.readuntil(b"}}}")
        assert b" 200 OK" in answer
        assert answer.endswith(b'{"data":{"me":null},"extensions":{"cost":{"requested":2,"allowed":500}}}')
        writer.close()
        await writer.wait_closed()
        _, written = await asyncio.to_thread(server.communicate, timeout=60)
        with as_tenant(LOTUS):
            left = [await job(one) for one in waits]
            assert {(one.status, one.attempts) for one in left if one.status is not JobStatus.DONE} == {
                (JobStatus.QUEUED, 0)
            }, "put back, as if nobody had taken them"
    assert {json.loads(line)["event"] for line in written.splitlines()} == {"request"}, written


async def shows_figures(client: httpx.AsyncClient, url: str) -> None:
    """Prometheus is answered when it shows the token."""
    assert (await client.get(url)).status_code == 401
    await answers(client, "/readyz", 200)
    told = (await client.get(url, headers={"authorization": f"Bearer {TOKEN}"})).text
    assert 'banyan_operations_total{operation="/readyz",outcome="ok"}' in told
    assert 'banyan_database_connections{state="most"}' in told


async def accepts_no_more(port: int) -> None:
    """Wait until nobody listens; whoever is connected stays so."""
    with contextlib.suppress(ConnectionRefusedError):
        while True:
            socket.create_connection(("127.0.0.1", port)).close()
            await asyncio.sleep(0.1)
