"""PostgreSQL through asyncpg: BEGIN and the tenant in one round trip, under the application role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, NamedTuple, Self, cast

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient

from saas.base.db.database import Database, finish
from saas.base.db.ddl import APP_ROLE
from saas.base.db.inserting import ColumnTypes, Shape, Texts
from saas.base.db.listening import listen
from saas.base.db.resting import BEFORE, Connection, Connections, lost
from saas.base.db.traced import traced_if_wanted
from saas.base.db.tx import ConstraintViolated, Observer, Row, Taken, Tx, conflict_clause
from saas.base.ids import TenantId
from saas.base.scope import ScopeMissing

COLUMN_TYPES = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""


class IdleClient(AsyncpgDBClient):
    """The client Tortoise is configured with. It never connects: transactions come from ``transaction()``."""

    async def create_connection(self, with_db: bool) -> None:
        raise ScopeMissing("models answer inside transaction() or reading() only")


client_class = IdleClient


class PostgresOrm(TransactionWrapper):
    """Tortoise on a connection whose transaction somebody else began and will end."""

    def __init__(self, connection: Connection) -> None:
        idle = IdleClient(connection_name=__name__)
        idle._connection = cast("asyncpg.Connection[Any]", connection)
        super().__init__(idle)

    def _in_transaction(self) -> Any:
        raise TypeError("use saas.base.db.transaction()")


class _Waiting(NamedTuple):
    """Rows on their way into a table: its columns, as arrays or as the values of a single row."""

    shape: Shape
    columns: Sequence[object]
    rows: int


def _waiting(shape: Shape, rows: Iterable[Sequence[object]]) -> _Waiting | None:
    listed = rows if isinstance(rows, list) else list(rows)
    if len(listed) == 1:
        return _Waiting(shape._replace(single=True), listed[0], 1)
    return _Waiting(shape, list(zip(*listed, strict=True)), len(listed)) if listed else None


class PostgresTx(Tx):
    """A transaction on one connection of the pool."""

    kind = "postgresql"
    # No key ever changes, so rows that refer to a locked one may come: a foreign key that is checked while an order is
    # locked would otherwise wait for it, and whoever holds the order for what the checking transaction has locked.
    for_update = " FOR NO KEY UPDATE"
    for_share = " FOR SHARE"
    laterally = True
    rows_by_place = True
    # As RFC 9562 lays a version 7 out: 48 bits of milliseconds in front, the version in bits 52 to 55, the rest chance.
    new_id = (
        "CAST(encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING substring("
        "int8send(CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)) FROM 3) FROM 1 FOR 6), 52, 1), "
        "53, 1), 'hex') AS uuid)"
    )

    def __init__(
        self,
        connection: Connection,
        tenant_id: TenantId,
        texts: Texts,
        observer: Observer | None,
        *,
        read_only: bool,
    ) -> None:
        super().__init__(tenant_id, observer, read_only=read_only)
        self.connection = connection
        self._texts = texts
        self._orm: PostgresOrm | None = None
        self._waiting: list[_Waiting] = []

    @property
    def orm(self) -> BaseDBAsyncClient:
        if self._waiting:
            raise RuntimeError("rows wait to be inserted; await tx.flush() before using models")
        self.observe("ORM")
        if self._orm is None:
            self._orm = PostgresOrm(self.connection)
        return self._orm

    async def rows(self, sql: str, *args: object) -> Sequence[Row]:
        if self._waiting:
            await self.flush()
        self.observe(sql)
        try:
            return cast(Sequence[Row], await self.connection.fetch(sql, *args))
        except asyncpg.IntegrityConstraintViolationError as exc:
            raise ConstraintViolated(str(exc)) from exc

    async def batches(
        self, sql: str, *args: object, size: int = 5_000
    ) -> AsyncGenerator[Sequence[Sequence[Any]], None]:
        if self._waiting:
            await self.flush()
        self.observe(sql)
        # All rows are going to be read, so the plan for the first few of them is not the one to take.
        await self.connection.execute("SET LOCAL cursor_tuple_fraction = 1")
        cursor = await self.connection.cursor(sql, *args)
        while found := await cursor.fetch(size):
            yield found

    async def execute(self, sql: str, *args: object) -> int:
        if self._waiting:
            await self.flush()
        return await self._run(sql, *args)

    async def _run(self, sql: str, *args: object) -> int:
        self.observe(sql)
        try:
            status = await self.connection.execute(sql, *args)
        except asyncpg.IntegrityConstraintViolationError as exc:
            raise ConstraintViolated(str(exc)) from exc
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def insert_many(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        or_ignore: bool = False,
        or_update: str = "",
    ) -> int:
        conflict = conflict_clause(or_ignore=or_ignore, or_update=or_update)
        one = _waiting(Shape(table, tuple(columns), conflict), rows)
        if one is None:
            return 0
        await self._join(one)
        return await self._insert(self._lot())

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
        conflict = conflict_clause(or_ignore=or_taken, or_update=or_update)
        if (one := _waiting(Shape(table, tuple(columns), conflict, where, or_taken), rows)) is not None:
            await self._join(one)

    async def flush(self) -> None:
        if self._waiting:
            await self._insert(self._lot())

    async def _join(self, one: _Waiting) -> None:
        """Put it behind those that wait; parts of one statement do not see each other's rows, so not of one table."""
        if any(one.shape.table == other.shape.table for other in self._waiting):
            await self.flush()
        self._waiting.append(one)

    def _lot(self) -> list[_Waiting]:
        self.check_task()
        lot, self._waiting = self._waiting, []
        return lot

    async def _insert(self, inserts: Sequence[_Waiting]) -> int:
        """All of them in one statement; the answer is of the last one. Foreign keys are checked at its end."""
        sql = self._texts.text(tuple(one.shape for one in inserts))
        args = [column for one in inserts for column in one.columns]
        if len(inserts) == 1 and not inserts[0].shape.whole:
            return await self._run(sql, self.tenant_id, *args)
        (counts,) = await self.rows(sql, self.tenant_id, *args)
        found: list[int] = list(counts.values())
        for one, count in zip(inserts, found, strict=True):
            if one.shape.whole and count < one.rows:
                raise Taken(one.shape.table)
        return found[-1]

    def within(self, number: int, kind: str) -> str:
        return f"= ANY(${number}::{kind}[])"

    def recordset(self, number: int, **columns: str) -> str:
        selected = ", ".join(columns)
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"(SELECT {selected} FROM jsonb_to_recordset(${number}::jsonb) AS listed({typed}))"

    def sha256(self, text: str) -> str:
        return f"encode(sha256(convert_to({text}, 'UTF8')), 'hex')"

    async def weigh(self, name: str) -> None:
        await self.execute(f"ANALYZE {name}")

    async def notify(self, channel: str, text: str) -> None:
        await self.rows("SELECT pg_notify($1, $2)", channel, text)


class PostgresDatabase(Database):
    """A pool of connections, each under the role that owns nothing."""

    kind = PostgresTx.kind

    def __init__(self, pool: asyncpg.Pool[Any], types: ColumnTypes) -> None:
        super().__init__()
        self._connections = Connections(pool)
        self._texts = Texts(types)
        self._tx = traced_if_wanted(PostgresTx, "rows", "_run")

    @classmethod
    async def connect(cls, url: str, *, pool_size: int) -> Self:
        """Open a pool of up to ``pool_size`` connections."""
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=pool_size,
            server_settings={"role": APP_ROLE, "application_name": "banyan"},
            statement_cache_size=500,
            reset=_leave_as_is,
        )
        found = await pool.fetch(COLUMN_TYPES)
        return cls(pool, {(table, column): kind for table, column, kind in found})

    async def close(self) -> None:
        await self._connections.close()

    def connections(self) -> dict[str, int]:
        return self._connections.count()

    @asynccontextmanager
    async def listening(self, channel: str, heard: Callable[[str], None]) -> AsyncIterator[None]:
        hearing = asyncio.create_task(listen(self.url, channel, heard))
        try:
            yield
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    def begin(self, tenant_id: TenantId, *, read_only: bool) -> AbstractAsyncContextManager[Tx]:
        return _Block(self._connections, self._made, tenant_id, read_only=read_only)

    def go_on(
        self, block: AbstractAsyncContextManager[Tx], tenant_id: TenantId, *, read_only: bool
    ) -> AbstractAsyncContextManager[Tx]:
        """On the connection that ``block`` had, its COMMIT and the next BEGIN in one round trip."""
        following = _Block(self._connections, self._made, tenant_id, read_only=read_only)
        following.take_over(cast(_Block, block))  # it came from this database
        return following

    def _made(self, connection: Connection, tenant_id: TenantId, *, read_only: bool) -> PostgresTx:
        return self._tx(connection, tenant_id, self._texts, self.observer, read_only=read_only)


class _Block(AbstractAsyncContextManager[Tx]):
    """A transaction from BEGIN to its end. Written out, since every request walks through several."""

    __slots__ = ("_connection", "_connections", "_first", "_make", "_read_only", "_tenant_id")

    def __init__(
        self, connections: Connections, make: Callable[..., PostgresTx], tenant_id: TenantId, *, read_only: bool
    ) -> None:
        self._connections = connections
        self._make = make
        self._tenant_id = tenant_id
        self._read_only = read_only
        self._connection: Connection | None = None
        self._first = ""

    def take_over(self, before: _Block) -> None:
        """Begin where a reading stopped, which has nothing left to end."""
        self._connection, before._connection, self._first = before._connection, None, BEFORE

    async def __aenter__(self) -> Tx:
        if self._connection is None:
            self._connection, self._first = await self._connections.take()
        connection = self._connection
        mode = " ISOLATION LEVEL REPEATABLE READ READ ONLY" if self._read_only else ""
        try:
            await connection.execute(f"{self._first}BEGIN{mode}; SET LOCAL app.tenant = '{int(self._tenant_id)}'")
        except BaseException:
            await self._undo(connection)
            raise
        return self._make(connection, self._tenant_id, read_only=self._read_only)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if kind is not None:
            await self._undo(connection)
        elif not self._read_only or not self._connections.rest(connection):
            await self._commit(connection)

    async def _commit(self, connection: Connection) -> None:
        commit = connection.execute("COMMIT")
        try:  # of a reading nothing is lost: cancelled here, its connection is ended before anybody else has it
            await (commit if self._read_only else finish(commit))
        finally:
            await self._connections.give_back(connection)

    async def _undo(self, connection: Connection) -> None:
        self._connection = None
        try:
            await finish(_roll_back(connection))
        finally:
            await self._connections.give_back(connection)


async def _roll_back(connection: Connection) -> None:
    """End whatever is open; a connection that cannot even do that is thrown away by the pool."""
    try:
        if not lost(connection):
            await connection.execute("ROLLBACK")
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
        with suppress(asyncpg.InterfaceError):
            connection.terminate()


async def _leave_as_is(connection: asyncpg.Connection[Any]) -> None:
    """No session state outlives a transaction (SET LOCAL only), so returning a connection costs no round trip."""
    if connection.is_in_transaction():
        connection.terminate()
