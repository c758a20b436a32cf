"""Opening a database, and the two blocks everything runs in: ``transaction()`` and ``reading()``."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import StrEnum
from typing import Any, TypeVar

from saas.base.db.going_on import begun
from saas.base.db.mistakes import reached
from saas.base.db.model import bound_models
from saas.base.db.tx import Observer, Tx, entered, open_tx
from saas.base.ids import TenantId
from saas.base.scope import current_tenant

T = TypeVar("T")

_open: list["Database"] = []


class Point(StrEnum):
    """Where a process may die: around each commit, and around whatever leaves the house."""

    BEFORE_COMMIT = "before a commit"
    AFTER_COMMIT = "after a commit"
    BEFORE_SEND = "before something is sent"
    UNHEARD = "after it was sent, before the answer is written down"
    AFTER_ANSWER = "after the answer was written down"


class Database(ABC):
    """An open database of either kind. One per process is current; ``open_database`` makes it so."""

    kind: str
    """``sqlite`` or ``postgresql``."""

    def __init__(self) -> None:
        self.url = ""
        """Where it is, for processes that help this one."""
        self.observer: Observer | None = None
        self.points: Callable[[Point], None] | None = None
        """Called at each ``Point``; tests make the process die there."""

    @abstractmethod
    async def close(self) -> None:
        """Close every connection; running transactions are rolled back."""

    @abstractmethod
    def connections(self) -> dict[str, int]:
        """How many connections are open and busy, and the most there may be."""

    @abstractmethod
    def begin(self, tenant_id: TenantId, *, read_only: bool) -> AbstractAsyncContextManager[Tx]:
        """Hold a connection with a transaction of ``tenant_id``; commit at the end, roll back on any exception."""

    @asynccontextmanager
    async def listening(self, channel: str, heard: Callable[[str], None]) -> AsyncIterator[None]:
        """Have ``heard`` called with what processes tell each other on ``channel``, within the block.

        With an empty text when something may have been missed. Where there is no such channel it is never called.
        """
        yield

    def go_on(
        self, block: AbstractAsyncContextManager[Tx], tenant_id: TenantId, *, read_only: bool
    ) -> AbstractAsyncContextManager[Tx]:
        """End ``block``, a transaction that only read, and begin another one, like ``begin``."""
        return _after(block, self.begin(tenant_id, read_only=read_only))


@asynccontextmanager
async def _after(
    block: AbstractAsyncContextManager[Tx], following: AbstractAsyncContextManager[Tx]
) -> AsyncIterator[Tx]:
    await block.__aexit__(None, None, None)
    async with following as tx:
        yield tx


@asynccontextmanager
async def open_database(url: str, *, pool_size: int = 10) -> AsyncIterator[Database]:
    """Open ``sqlite:///path`` or ``postgresql://…`` and make it the database of this process.

    Raises ``DatabaseUnusable`` when it cannot be opened.
    """
    with reached():
        database = await _connect(url, pool_size)
    database.url = url
    try:
        async with bound_models(type(database).__module__):
            _open.append(database)
            try:
                yield database
            finally:
                _open.remove(database)
    finally:
        await finish(database.close())


async def _connect(url: str, pool_size: int) -> Database:
    from saas.base.db.postgres import PostgresDatabase
    from saas.base.db.sqlite import SqliteDatabase

    if url.startswith("sqlite:"):
        return await SqliteDatabase.connect(url, readers=min(pool_size, 4))
    if url.startswith(("postgresql:", "postgres:")):
        return await PostgresDatabase.connect(url, pool_size=pool_size)
    raise ValueError("DATABASE_URL must begin with sqlite: or postgresql:")


class DatabaseNotOpen(RuntimeError):
    """A programming error: the database was asked for outside of ``open_database()``."""


def current_database() -> Database:
    """The database this process has open. Raises ``DatabaseNotOpen``."""
    if not _open:
        raise DatabaseNotOpen("no database is open; use open_database()")
    return _open[-1]


def passing(point: Point) -> None:
    """Say that a point is passed which no commit marks. Does nothing but in tests that have the process die there."""
    if (points := current_database().points) is not None:
        points(point)


@asynccontextmanager
async def transaction() -> AsyncIterator[Tx]:
    """A write transaction of the active tenant: all of it or nothing, whatever interrupts it.

    Inside another one of the same task it joins that one. Raises ``ScopeMissing`` without a tenant.
    """
    async with _block(read_only=False) as tx:
        yield tx


@asynccontextmanager
async def reading() -> AsyncIterator[Tx]:
    """A read-only view of one moment for the active tenant; on SQLite it waits for no writer."""
    async with _block(read_only=True) as tx:
        yield tx


@asynccontextmanager
async def _block(*, read_only: bool) -> AsyncIterator[Tx]:
    tenant_id = current_tenant()
    outer = open_tx()
    if outer is not None and outer.owned_by_caller():
        outer.check_join(tenant_id, read_only=read_only)
        yield outer
        return
    database = current_database()
    points = None if read_only else database.points
    async with begun(database, tenant_id, read_only=read_only) as tx:
        with entered(tx):
            yield tx
        if not read_only:
            await tx.conclude()
        if points is not None:
            points(Point.BEFORE_COMMIT)
    if points is not None:
        points(Point.AFTER_COMMIT)
    tx.committed()


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work`` to its end even when the caller is cancelled meanwhile; the cancellation is raised after."""
    task = asyncio.create_task(work)
    interrupted: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as exc:
            interrupted = exc
    result = task.result()
    if interrupted is not None:
        raise interrupted
    return result
