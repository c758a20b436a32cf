"""PostgreSQL connections, and what rests between two transactions: a reading whose COMMIT nobody has said yet.

A reading has nothing to be lost, so nobody has to wait for its COMMIT. Its connection rests for a moment instead, and
whoever begins next takes it and says both at once: a round trip and a walk through the pool less. Where nobody comes,
the COMMIT is said then (docs/adr/0040-readings-rest.md).
"""

import asyncio
from datetime import timedelta
from typing import Any, TypeAlias, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"

REST = timedelta(milliseconds=5)
"""How long a reading may stand open with nobody using it: several requests come within it where there are many."""
BEFORE = "COMMIT; "
"""What goes before the BEGIN on a connection that rested."""


class Connections:
    """The connections of a pool, of which some rest."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._resting: list[tuple[Connection, asyncio.TimerHandle]] = []
        self._waiting = 0
        self._closing = False
        self._ending: set[asyncio.Task[None]] = set()

    def count(self) -> dict[str, int]:
        """How many connections are open and busy, and the most there may be."""
        open_now = self._pool.get_size()
        busy = open_now - self._pool.get_idle_size() - len(self._resting)
        return {"open": open_now, "busy": busy, "most": self._pool.get_max_size()}

    async def take(self) -> tuple[Connection, str]:
        """A connection, the one that rested last if any does, and what has to be said on it first."""
        while self._resting:
            connection, timer = self._resting.pop()
            timer.cancel()
            if not lost(connection):
                return connection, BEFORE
            await self.give_back(connection)
        self._waiting += 1
        try:
            return await self._pool.acquire(), ""
        finally:
            self._waiting -= 1

    async def give_back(self, connection: Connection) -> None:
        """Nothing stands open on it."""
        await self._pool.release(cast("PoolConnectionProxy[Any]", connection))  # all of them come from there

    def rest(self, connection: Connection) -> bool:
        """Let it rest with a reading that is over; not while anybody waits for a connection."""
        if self._waiting or self._closing:
            return False
        timer = asyncio.get_running_loop().call_later(REST.total_seconds(), self._rested)
        self._resting.append((connection, timer))
        return True

    async def close(self) -> None:
        """End what rests, and close every connection when it has been given back."""
        self._closing = True
        for _, timer in list(self._resting):
            timer.cancel()
            self._rested()
        while self._ending:
            await asyncio.wait(self._ending)
        await self._pool.close()

    def _rested(self) -> None:
        """Nobody came for the one that has rested longest: its timer is the first that has run out."""
        connection, _ = self._resting.pop(0)
        task = asyncio.create_task(self._end(connection))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, connection: Connection) -> None:
        try:
            if not lost(connection):
                await connection.execute("COMMIT")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            pass  # lost meanwhile, with a reading that nobody needs any more; the pool opens another one
        finally:
            await self.give_back(connection)


def lost(connection: Connection) -> bool:
    """Whether it is closed; one that was lost has left the pool by itself and does not even answer that."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True
