"""The two databases of the hand-written handlers: drivers as they are, one transaction a request, the tenant set."""

import asyncio
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Self
from uuid import UUID

import aiosqlite
import asyncpg
from asyncpg.pool import PoolConnectionProxy

from saas.base.db.ddl import APP_ROLE

READERS = 4
POOL = 10


class Session(ABC):
    """One transaction."""

    for_share = ""
    laterally = False

    @abstractmethod
    async def rows(self, sql: str, *args: object) -> Sequence[Mapping[str, Any]]:
        """The rows of a query."""

    @abstractmethod
    async def execute(self, sql: str, *args: object) -> bool:
        """Run a statement; whether it touched a row."""

    async def insert(self, table: str, rows: Sequence[Mapping[str, object]], conflict: str = "") -> bool:
        """Insert rows by one statement; whether any went in."""
        sql = _insert(table, tuple(rows[0]), len(rows), conflict)
        return await self.execute(sql, *(value for row in rows for value in row.values()))


@lru_cache(maxsize=64)
def _insert(table: str, columns: Sequence[str], count: int, conflict: str) -> str:
    width = len(columns)
    rows = (", ".join(f"${row * width + i}" for i in range(1, width + 1)) for row in range(count))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join(f'({row})' for row in rows)} {conflict}"


class Store(ABC):
    """A database."""

    @abstractmethod
    def begin(self, tenant_id: int, *, writing: bool) -> AbstractAsyncContextManager[Session]:
        """A transaction of a tenant."""

    @abstractmethod
    async def close(self) -> None:
        """Close every connection."""


class PostgresSession(Session):
    """asyncpg, as it is."""

    for_share = " FOR SHARE"
    laterally = True

    def __init__(self, connection: "PoolConnectionProxy[Any]") -> None:
        self._connection = connection

    async def rows(self, sql: str, *args: object) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = await self._connection.fetch(sql, *args)
        return found

    async def execute(self, sql: str, *args: object) -> bool:
        return not (await self._connection.execute(sql, *args)).endswith(" 0")


class PostgresStore(Store):
    """A pool under the role that row-level security binds."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the pool."""

        async def as_it_is(_: object) -> None:
            """No round trip when a connection comes back: transactions leave nothing behind."""

        settings = {"role": APP_ROLE}
        return cls(await asyncpg.create_pool(url, min_size=1, max_size=POOL, server_settings=settings, reset=as_it_is))

    @asynccontextmanager
    async def begin(self, tenant_id: int, *, writing: bool) -> AsyncIterator[Session]:
        mode = "" if writing else " ISOLATION LEVEL REPEATABLE READ READ ONLY"
        async with self._pool.acquire() as connection:
            await connection.execute(f"BEGIN{mode}; SET LOCAL app.tenant = '{tenant_id}'")
            try:
                yield PostgresSession(connection)
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")

    async def close(self) -> None:
        await self._pool.close()


sqlite3.register_adapter(UUID, str)
sqlite3.register_adapter(datetime, lambda moment: moment.astimezone(UTC).isoformat(" "))
sqlite3.register_adapter(date, lambda day: day.isoformat())
sqlite3.register_converter("uuid", lambda raw: UUID(raw.decode()))
sqlite3.register_converter("timestamptz", lambda raw: datetime.fromisoformat(raw.decode()))


class SqliteSession(Session):
    """aiosqlite, as it is."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def rows(self, sql: str, *args: object) -> Sequence[Mapping[str, Any]]:
        found = await self._connection.execute_fetchall(_numbered(sql), args)
        return [dict(row) for row in found]

    async def execute(self, sql: str, *args: object) -> bool:
        async with self._connection.execute(_numbered(sql), args) as cursor:
            return cursor.rowcount > 0


@lru_cache(maxsize=64)
def _numbered(sql: str) -> str:
    return re.sub(r"\$(\d+)", r"?\1", sql)


class SqliteStore(Store):
    """One writing connection and some that read."""

    def __init__(self, writer: aiosqlite.Connection, readers: Sequence[aiosqlite.Connection]) -> None:
        self._writer = writer
        self._all = [writer, *readers]
        self._writing = asyncio.Lock()
        self._readers: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        for reader in readers:
            self._readers.put_nowait(reader)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the file, with the product's settings."""
        path = url.removeprefix("sqlite:///")
        connections = []
        for _ in range(1 + READERS):
            connection = await aiosqlite.connect(path, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)
            connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", "busy_timeout = 30000", "synchronous = NORMAL", "foreign_keys = ON"):
                await connection.execute(f"PRAGMA {pragma}")
            connections.append(connection)
        return cls(connections[0], connections[1:])

    @asynccontextmanager
    async def begin(self, tenant_id: int, *, writing: bool) -> AsyncIterator[Session]:
        if writing:
            async with self._writing, self._begun(self._writer, "BEGIN IMMEDIATE") as session:
                yield session
        else:
            reader = await self._readers.get()
            try:
                async with self._begun(reader, "BEGIN") as session:
                    yield session
            finally:
                self._readers.put_nowait(reader)

    @asynccontextmanager
    async def _begun(self, connection: aiosqlite.Connection, begin: str) -> AsyncIterator[Session]:
        await connection.execute(begin)
        try:
            yield SqliteSession(connection)
        except BaseException:
            await connection.rollback()
            raise
        await connection.commit()

    async def close(self) -> None:
        for connection in self._all:
            await connection.close()


async def open_store(url: str) -> Store:
    """Open either database."""
    return await (SqliteStore if url.startswith("sqlite:") else PostgresStore).open(url)
