"""Readings that rest on PostgreSQL: whoever comes next ends them, and else they are ended soon."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from saas.base import clock
from saas.base.db import Database, open_database, reading, resting, transaction
from saas.base.ids import TenantId, new_id
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

COLUMNS = ("id", "sku", "name", "status", "created_at")
WHO = "SELECT pg_backend_pid()"
COUNT = "SELECT count(*) FROM product WHERE tenant_id = $1"
RESTING = "idle in transaction"
STATES = (
    "SELECT pid, state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name = 'banyan'"
)


@pytest.fixture
def long_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody comes too late."""
    monkeypatch.setattr(resting, "REST", timedelta(hours=1))


@asynccontextmanager
async def opened(url: str, pool_size: int = 2) -> AsyncIterator[tuple[Database, "asyncpg.Connection[Any]"]]:
    """The database, and somebody who looks on."""
    async with open_database(url, pool_size=pool_size) as database:
        await make_tenants()
        watching = await asyncpg.connect(url)
        try:
            yield database, watching
        finally:
            await watching.close()


async def read(tenant: TenantId, sql: str = WHO) -> int:
    with as_tenant(tenant):
        async with reading() as tx:
            return int(await tx.value(sql, *([tenant] if "$1" in sql else [])))


async def write(tenant: TenantId) -> int:
    with as_tenant(tenant):
        async with transaction() as tx:
            await tx.insert_many("product", COLUMNS, [(new_id(), "A", "A", "active", clock.now())])
            return int(await tx.value(WHO))


async def states(watching: "asyncpg.Connection[Any]") -> list[str]:
    return sorted(row["state"] for row in await watching.fetch(STATES))


async def all_idle(watching: "asyncpg.Connection[Any]") -> None:
    async with asyncio.timeout(10):
        while set(await states(watching)) != {"idle"}:  # noqa: ASYNC110  # a database tells nobody
            await asyncio.sleep(0.001)


async def test_whoever_comes_next_takes_it_and_reads_what_is_there_by_then(postgres_url: str, long_rest: None) -> None:
    async with opened(postgres_url) as (_, watching):
        before = await read(LOTUS)
        assert await states(watching) == [RESTING]
        async with watching.transaction():
            await watching.execute(f"SET LOCAL app.tenant = '{LOTUS}'")
            await watching.execute(
                "INSERT INTO product (tenant_id, id, sku, name, status, created_at) "
                "VALUES ($1, $2, 'B', 'B', 'active', now())",
                *(LOTUS, new_id()),
            )
        assert await read(LOTUS, COUNT) == 1
        assert await read(CEDAR, COUNT) == 0
        assert await read(CEDAR) == before == await write(CEDAR)
        assert (await read(CEDAR, COUNT), await read(LOTUS, COUNT)) == (1, 1)


async def test_it_is_ended_when_nobody_comes(postgres_url: str) -> None:
    async with opened(postgres_url) as (database, watching):
        await read(LOTUS)
        assert database.connections()["busy"] == 0
        await all_idle(watching)
        assert await read(LOTUS, COUNT) == 0


async def test_none_rests_while_somebody_waits(postgres_url: str) -> None:
    """With one connection, those who read at once get it one after the other, whoever writes among them."""
    async with opened(postgres_url, pool_size=1) as (database, watching):
        async with asyncio.timeout(10):
            await asyncio.gather(*(read(LOTUS) for _ in range(20)), write(LOTUS), *(read(CEDAR) for _ in range(20)))
        async with asyncio.timeout(10):
            while database.connections() != {"open": 1, "busy": 0, "most": 1}:  # noqa: ASYNC110  # nor does a pool
                await asyncio.sleep(0.001)
        await all_idle(watching)


async def test_one_that_was_lost_while_it_rested_is_nobodys(postgres_url: str, long_rest: None) -> None:
    async with opened(postgres_url) as (_, watching):
        for _ in range(5):
            lost = await read(LOTUS)
            await watching.execute("SELECT pg_terminate_backend($1, 5000)", lost)
            await asyncio.sleep(0.05)  # what it was sent last is read in the meantime
            assert await read(LOTUS) != lost


async def test_a_reading_that_failed_is_rolled_back_at_once(postgres_url: str) -> None:
    async with opened(postgres_url) as (_, watching):
        with as_tenant(LOTUS), pytest.raises(asyncpg.UndefinedTableError):
            async with reading() as tx:
                await tx.rows("SELECT 1 FROM nothing_of_that_name")
        assert set(await states(watching)) == {"idle"}
        assert await read(LOTUS, COUNT) == 0


async def test_closing_ends_what_rests(postgres_url: str, long_rest: None) -> None:
    async with opened(postgres_url) as (_, watching):
        await asyncio.gather(read(LOTUS), read(CEDAR))
        assert RESTING in await states(watching)
    async with open_database(postgres_url):
        assert await read(LOTUS, COUNT) == 0
