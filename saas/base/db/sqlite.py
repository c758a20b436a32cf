"""SQLite through aiosqlite: one writer under BEGIN IMMEDIATE, several readers that wait for nobody (WAL)."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import aiosqlite
import orjson
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionWrapper

from saas.base.db.database import Database, finish
from saas.base.db.traced import traced_if_wanted
from saas.base.db.tx import ConstraintViolated, Observer, Row, Taken, Tx, conflict_clause
from saas.base.ids import TenantId, new_id
from saas.base.scope import ScopeMissing

BUSY_TIMEOUT_MS = 30_000
WRITER_CACHE = "cache_size = -65536"
"""64 MB, taken as they are needed. With the two of SQLite's own, a large transaction writes its pages out again and
again: changes to commission touch seven indexes, each in an order of its own."""

sqlite3.register_adapter(UUID, str)
sqlite3.register_adapter(datetime, lambda moment: moment.astimezone(UTC).isoformat(" "))
sqlite3.register_adapter(date, lambda day: day.isoformat())
sqlite3.register_converter("uuid", lambda raw: UUID(raw.decode()))
sqlite3.register_converter("timestamptz", lambda raw: datetime.fromisoformat(raw.decode()))
sqlite3.register_converter("date", lambda raw: date.fromisoformat(raw.decode()))
sqlite3.register_converter("boolean", lambda raw: raw == b"1")


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> str:
    """``$1`` is how PostgreSQL numbers a placeholder; SQLite says ``?1``."""
    return re.sub(r"\$(\d+)", r"?\1", sql)


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return orjson.dumps(value).decode()
    return value


class IdleClient(SqliteClient):
    """The client Tortoise is configured with. It never connects: transactions come from ``transaction()``."""

    def __init__(self, connection_name: str) -> None:
        super().__init__("", connection_name=connection_name)

    async def create_connection(self, with_db: bool) -> None:
        raise ScopeMissing("models answer inside transaction() or reading() only")


client_class = IdleClient


class SqliteOrm(SqliteTransactionWrapper):
    """Tortoise on a connection whose transaction somebody else began and will end."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        idle = IdleClient(connection_name=__name__)
        idle._connection = connection
        super().__init__(idle)

    async def execute_script(self, query: str) -> None:
        """One statement; ``executescript`` would commit what the caller has begun."""
        await _run(self._connection, query)

    def _in_transaction(self) -> Any:
        raise TypeError("use saas.base.db.transaction()")


class SqliteTx(Tx):
    """A transaction on one connection."""

    kind = "sqlite"
    for_update = ""
    for_share = ""
    laterally = False
    new_id = "new_id()"

    def __init__(
        self, connection: aiosqlite.Connection, tenant_id: TenantId, observer: Observer | None, *, read_only: bool
    ) -> None:
        super().__init__(tenant_id, observer, read_only=read_only)
        self._connection = connection
        self._orm: SqliteOrm | None = None

    @property
    def orm(self) -> BaseDBAsyncClient:
        self.observe("ORM")
        if self._orm is None:
            self._orm = SqliteOrm(self._connection)
        return self._orm

    async def rows(self, sql: str, *args: object) -> Sequence[Row]:
        self.observe(sql)
        try:
            found = await self._connection.execute_fetchall(_numbered(sql), [_plain(value) for value in args])
        except sqlite3.IntegrityError as exc:
            raise ConstraintViolated(str(exc)) from exc
        return [dict(row) for row in found]

    async def batches(
        self, sql: str, *args: object, size: int = 5_000
    ) -> AsyncGenerator[Sequence[Sequence[Any]], None]:
        self.observe(sql)
        async with self._connection.execute(_numbered(sql), [_plain(value) for value in args]) as cursor:
            while found := list(await cursor.fetchmany(size)):
                yield found

    async def execute(self, sql: str, *args: object) -> int:
        self.observe(sql)
        try:
            async with self._connection.execute(_numbered(sql), [_plain(value) for value in args]) as cursor:
                return max(cursor.rowcount, 0)
        except sqlite3.IntegrityError as exc:
            raise ConstraintViolated(str(exc)) from exc

    async def insert_many(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        or_ignore: bool = False,
        or_update: str = "",
    ) -> int:
        led = [(self.tenant_id, *row) for row in rows]
        if not led:
            return 0
        marks = ", ".join("?" * (len(columns) + 1))
        conflict = conflict_clause(or_ignore=or_ignore, or_update=or_update)
        return await self._run_many(f"INSERT INTO {table} ({_led(columns)}) VALUES ({marks}){conflict}", led)

    async def insert_later(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        or_update: str = "",
        or_taken: bool = False,
        where: str = "",
    ) -> None:
        listed = list(rows)
        if where and listed:
            marks = ", ".join(f"${i} AS {name}" for i, name in enumerate(("tenant_id", *columns), start=1))
            sql = f"INSERT INTO {table} ({_led(columns)}) SELECT * FROM (SELECT {marks}) AS listed WHERE {where}"
            await self._run_many(sql, [(self.tenant_id, *row) for row in listed])
        elif await self.insert_many(table, columns, listed, or_ignore=or_taken, or_update=or_update) < len(listed):
            raise Taken(table)

    async def _run_many(self, sql: str, led: Sequence[Sequence[object]]) -> int:
        self.observe(sql)
        try:
            async with self._connection.executemany(_numbered(sql), led) as cursor:
                return cursor.rowcount
        except sqlite3.IntegrityError as exc:
            raise ConstraintViolated(str(exc)) from exc

    async def flush(self) -> None:
        """Nothing waits: a statement costs no round trip."""

    def within(self, number: int, kind: str) -> str:
        return f"IN (SELECT value FROM json_each(${number}))"

    def recordset(self, number: int, **columns: str) -> str:
        selected = ", ".join(f"value ->> '{name}' AS {name}" for name in columns)
        # LIMIT makes SQLite write the list down first; joined as it is, it would be read again for every row.
        return f"(SELECT {selected} FROM json_each(${number}) LIMIT -1)"

    def sha256(self, text: str) -> str:
        return f"sha256({text})"

    async def weigh(self, name: str) -> None:
        """Nothing: SQLite is told by the order of its joins."""

    async def notify(self, channel: str, text: str) -> None:
        """Nothing: nobody listens to a file; whoever follows looks every second."""


class SqliteDatabase(Database):
    """A database file."""

    kind = SqliteTx.kind

    def __init__(self, writer: aiosqlite.Connection, readers: list[aiosqlite.Connection]) -> None:
        super().__init__()
        self._writer = writer
        self._writing = asyncio.Lock()
        self._all = [writer, *readers]
        self._tx = traced_if_wanted(SqliteTx, "rows", "execute", "_run_many")
        self._readers: asyncio.Queue[aiosqlite.Connection] = asyncio.Queue()
        for reader in readers:
            self._readers.put_nowait(reader)

    @classmethod
    async def connect(cls, url: str, *, readers: int) -> Self:
        """Open one writing and ``readers`` reading connections to ``sqlite:///path``."""
        path = sqlite_path(url)
        writer = await connect_file(path, WRITER_CACHE)
        reading = [await connect_file(path, "query_only = ON") for _ in range(readers)]
        return cls(writer, reading)

    async def close(self) -> None:
        for connection in self._all:
            await connection.close()

    def connections(self) -> dict[str, int]:
        busy = len(self._all) - 1 - self._readers.qsize() + self._writing.locked()
        return {"open": len(self._all), "busy": busy, "most": len(self._all)}

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId, *, read_only: bool) -> AsyncIterator[Tx]:
        if read_only:
            connection = await self._readers.get()
            try:
                async with self._begun(connection, "BEGIN"):
                    yield self._tx(connection, tenant_id, self.observer, read_only=True)
            finally:
                self._readers.put_nowait(connection)
        else:
            async with self._writing, self._begun(self._writer, "BEGIN IMMEDIATE"):
                yield self._tx(self._writer, tenant_id, self.observer, read_only=False)

    @asynccontextmanager
    async def _begun(self, connection: aiosqlite.Connection, begin: str) -> AsyncIterator[None]:
        try:
            await _run(connection, begin)
            yield
        except BaseException:
            await finish(connection.rollback())  # runs on the connection's thread, after whatever was under way
            raise
        await finish(_run(connection, "COMMIT"))


def _led(columns: Sequence[str]) -> str:
    return ", ".join(("tenant_id", *columns))


def sqlite_path(url: str) -> Path:
    """The file of ``sqlite:///relative`` or ``sqlite:////absolute``. Raises ``ValueError`` when it names none."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or ":memory:" in url or len(url) == len(prefix):
        raise ValueError("a SQLite address is sqlite:///FILE; an in-memory database would have no readers")
    return Path(url.removeprefix(prefix))


async def connect_file(path: Path, *pragmas: str) -> aiosqlite.Connection:
    """Open the file with the settings every connection needs."""
    _require_folder(path)
    connection = await aiosqlite.connect(path, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)
    connection.row_factory = sqlite3.Row
    settings = ("journal_mode = WAL", f"busy_timeout = {BUSY_TIMEOUT_MS}", "synchronous = NORMAL", "foreign_keys = ON")
    try:
        for pragma in (*settings, *pragmas):
            await _run(connection, f"PRAGMA {pragma}")
        await connection.create_function("new_id", 0, lambda: str(new_id()))
        await connection.create_function(
            "sha256", 1, lambda text: sha256(text.encode()).hexdigest(), deterministic=True
        )
    except BaseException:
        await finish(connection.close())
        raise
    return connection


def _require_folder(path: Path) -> None:
    """Refuse early what cannot be opened: aiosqlite's thread would outlive the loop and complain."""
    if not path.parent.is_dir() or path.is_dir():
        raise FileNotFoundError(f"{path} is no file in a folder that exists")


async def _run(connection: aiosqlite.Connection, sql: str) -> None:
    async with connection.execute(sql):
        pass
