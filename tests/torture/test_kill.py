"""The server is killed (-9) amid writes; whatever was not answered is sent twice more, and has happened once."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx

from bench.databases import as_server
from saas.base.db import open_database, reading
from saas.proof.checks import broken, seal_chains, verify_chains
from tests.factories import LOTUS, as_tenant
from tests.torture.shop import TABLES, Shop, Write, open_shop
from tests.torture.sizes import SIZE, chance

WRITERS = 6
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def zygote(url: str, port: int) -> Iterator["subprocess.Popen[str]"]:
    """What servers are forked from."""
    environment = {**os.environ, "DATABASE_URL": as_server(url), "PORT": str(port)}
    command = [sys.executable, "-m", "tests.torture.zygote"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603  # ours
        yield process


async def start(parent: "subprocess.Popen[str]", client: httpx.AsyncClient) -> int:
    """A server that answers; its process number."""
    assert parent.stdin and parent.stdout
    parent.stdin.write("\n")
    parent.stdin.flush()
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    for _ in range(600):
        try:
            assert (await client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            await asyncio.sleep(0.02)
        else:
            return pid
    raise AssertionError("the server does not answer")


class Storm:
    """Writers that go on until there is nobody to answer."""

    def __init__(self, shop: Shop, client: httpx.AsyncClient, random: Random) -> None:
        self.shop, self.client, self.random = shop, client, random
        self.answered: dict[str, tuple[Write, str]] = {}
        self.unanswered: list[Write] = []
        self.retried = 0

    async def until_killed(self, pid: int) -> None:
        """Write from all sides, and kill the server after a moment."""
        writers = [asyncio.create_task(self._write()) for _ in range(WRITERS)]
        await asyncio.sleep(self.random.uniform(0.02, 0.3))
        os.kill(pid, signal.SIGKILL)
        await asyncio.gather(*writers)

    async def _write(self) -> None:
        while True:
            write = self.shop.write(self.random)
            try:
                self._keep(write, await self.shop.send(self.client, write))
            except httpx.TransportError:
                self.unanswered.append(write)
                return

    def _keep(self, write: Write, made: str) -> None:
        known = self.answered.setdefault(write.given["idempotencyKey"], (write, made))
        assert known[1] == made, "the same key made two things"
        if write.mutation == "placeOrder":
            self.shop.placed.append(made)

    async def retry(self) -> None:
        """Send everything that was not answered twice more."""
        for write in self.unanswered:
            made = await self.shop.send(self.client, write)
            assert await self.shop.send(self.client, write) == made
            self._keep(write, made)
            self.retried += 1
        self.unanswered.clear()


async def test_a_server_that_is_killed_loses_and_doubles_nothing(database_url: str) -> None:
    random = chance()
    async with open_database(database_url):
        shop = await open_shop()
    port = free_port()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        storm = Storm(shop, client, random)
        with zygote(database_url, port) as parent:
            for _ in range(SIZE.kills):
                pid = await start(parent, client)
                await storm.retry()
                await storm.until_killed(pid)
            pid = await start(parent, client)
            await storm.retry()
            os.kill(pid, signal.SIGKILL)
            assert parent.stdin
            parent.stdin.close()
    print(f"kills={SIZE.kills} writes={len(storm.answered)} retried={storm.retried}")  # the figures
    async with open_database(database_url):
        await everything_happened_once(storm)


async def everything_happened_once(storm: Storm) -> None:
    """There is exactly what was answered, and the books and chains hold."""
    with as_tenant(LOTUS):
        assert await broken() == []
        await seal_chains(everything=True)
        assert [chain.violations for chain in await verify_chains()] == [[], []]
        made = Counter(write.mutation for write, _ in storm.answered.values())
        async with reading() as tx:
            for mutation, table in TABLES.items():
                there = await tx.value(f"SELECT count(*) FROM {table} r WHERE r.tenant_id = $1", LOTUS)
                before = {"enrol": 4, "placeOrder": 1, "requestPayout": 0}[mutation]
                assert there - before == made[mutation], mutation
            paid = await tx.value(
                "SELECT count(*) FROM ledger_transaction WHERE tenant_id = $1 AND kind = 'accrual'", LOTUS
            )
    assert paid - 1 == made["payOrder"]
