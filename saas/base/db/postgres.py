"""PostgreSQL through asyncpg: BEGIN and the tenant in one round trip, under the application role."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeAlias, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient

from saas.base.db.database import Database, finish
from saas.base.db.ddl import APP_ROLE
from saas.base.db.tx import ConstraintViolated, Observer, Row, Tx, conflict_clause
from saas.base.ids import TenantId
from saas.base.scope import ScopeMissing

Connection: TypeAlias = "asyncpg.Connection[Any] | PoolConnectionProxy[Any]"
ColumnTypes: TypeAlias = dict[tuple[str, str], str]

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


class PostgresTx(Tx):
    """A transaction on one connection of the pool."""

    for_update = " FOR UPDATE"
    for_share = " FOR SHARE"
    # As RFC 9562 lays a version 7 out: 48 bits of milliseconds in front, the version in bits 52 to 55, the rest chance.
    new_id = (
        "CAST(encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING substring("
        "int8send(CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), "
        "'hex') AS uuid)"
    )

    def __init__(
        self,
        connection: Connection,
        tenant_id: TenantId,
        types: ColumnTypes,
        observer: Observer | None,
        *,
        read_only: bool,
    ) -> None:
        super().__init__(tenant_id, observer, read_only=read_only)
        self._connection = connection
        self._types = types
        self._orm: PostgresOrm | None = None

    @property
    def orm(self) -> BaseDBAsyncClient:
        self.observe("ORM")
        if self._orm is None:
            self._orm = PostgresOrm(self._connection)
        return self._orm

    async def rows(self, sql: str, *args: object) -> Sequence[Row]:
        self.observe(sql)
        try:
            return cast(Sequence[Row], await self._connection.fetch(sql, *args))
        except asyncpg.IntegrityConstraintViolationError as exc:
            raise ConstraintViolated(str(exc)) from exc

    async def batches(
        self, sql: str, *args: object, size: int = 5_000
    ) -> AsyncGenerator[Sequence[Sequence[Any]], None]:
        self.observe(sql)
        # All rows are going to be read, so the plan for the first few of them is not the one to take.
        await self._connection.execute("SET LOCAL cursor_tuple_fraction = 1")
        cursor = await self._connection.cursor(sql, *args)
        while found := await cursor.fetch(size):
            yield found

    async def execute(self, sql: str, *args: object) -> int:
        self.observe(sql)
        try:
            status = await self._connection.execute(sql, *args)
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
        by_column = list(zip(*rows, strict=True))
        if not by_column:
            return 0
        arrays = ", ".join(f"${i}::{self._types[table, name]}[]" for i, name in enumerate(columns, start=2))
        names = ", ".join(columns)
        conflict = conflict_clause(or_ignore=or_ignore, or_update=or_update)
        return await self.execute(
            f"INSERT INTO {table} (tenant_id, {names}) SELECT $1, * FROM unnest({arrays}){conflict}",
            self.tenant_id,
            *by_column,
        )

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


class PostgresDatabase(Database):
    """A pool of connections, each under the role that owns nothing."""

    kind = "postgresql"

    def __init__(self, pool: asyncpg.Pool[Any], types: ColumnTypes) -> None:
        super().__init__()
        self._pool = pool
        self._types = types

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
        await self._pool.close()

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId, *, read_only: bool) -> AsyncIterator[Tx]:
        mode = " ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else ""
        async with self._pool.acquire() as connection:
            try:
                await connection.execute(f"BEGIN{mode}; SET LOCAL app.tenant = '{int(tenant_id)}'")
                yield PostgresTx(connection, tenant_id, self._types, self.observer, read_only=read_only)
            except BaseException:
                await finish(_roll_back(connection))
                raise
            await finish(connection.execute("COMMIT"))


async def _roll_back(connection: Connection) -> None:
    """End whatever is open; a connection that cannot even do that is thrown away by the pool.

    One that was lost has left the pool by itself and answers nothing at all, not even whether it is closed.
    """
    try:
        if not connection.is_closed():
            await connection.execute("ROLLBACK")
    except (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
        with suppress(asyncpg.InterfaceError):
            connection.terminate()


async def _leave_as_is(connection: Connection) -> None:
    """No session state outlives a transaction (SET LOCAL only), so returning a connection costs no round trip."""
    if connection.is_in_transaction():
        connection.terminate()
