"""The ceiling of the import: the rows it wrote, written again by bare SQL.

``copy_orders`` reads what the product's import left in one database and inserts it into another in which only the
brand stands: the same tables, the same rows, the same transactions, by the fastest plain statement each driver has.
Reading and preparing are not timed.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from datetime import date
from sqlite3 import Connection, connect
from time import perf_counter
from typing import Any, TypeAlias

import asyncpg

from saas.base.db.ddl import APP_ROLE
from saas.imports.orders import BATCH

Row: TypeAlias = Mapping[str, Any]
Batch: TypeAlias = dict[str, Sequence[Row]]

_OF_ORDERS = {
    "idempotency": "operation = 'order.place' AND result {ids}",
    "sales_order": "id {ids}",
    "order_line": "order_id {ids}",
    "commission": "order_id {ids}",
    "ledger_transaction": "reference_id {ids}",
    "ledger_entry": "transaction_id IN (SELECT id FROM ledger_transaction WHERE tenant_id = {tenant} "
    "AND reference_id {ids})",
}
_CONFLICTS = {
    "balance": "ON CONFLICT (tenant_id, owner_id, account, currency) "
    "DO UPDATE SET amount_minor = balance.amount_minor + excluded.amount_minor",
    "sales_day": "ON CONFLICT (tenant_id, distributor_id, day, currency) DO UPDATE SET orders = sales_day.orders + "
    "excluded.orders, pieces = sales_day.pieces + excluded.pieces, "
    "amount_minor = sales_day.amount_minor + excluded.amount_minor",
}
TABLES = (*_OF_ORDERS, *_CONFLICTS, "audit_log")
"""What an import writes, apart from the brand."""


class Copy(ABC):
    """From one database to another of the same kind."""

    def __init__(self, tenant_id: int) -> None:
        self.tenant_id = tenant_id

    @abstractmethod
    async def read(self, table: str, condition: str, *args: object) -> Sequence[Row]:
        """Rows of the source."""

    @abstractmethod
    async def write(self, batch: Batch) -> float:
        """Insert a batch in one transaction; the seconds it took."""

    def ids(self, number: int) -> str:
        """The condition "is one of the ids in ``$number``"."""
        return f"= ANY(${number}::uuid[])"

    async def batch(self, ids: Sequence[object], audited: Row) -> Batch:
        """What the transaction of these orders wrote."""
        own = self._list(ids)
        found: Batch = {}
        for table, condition in _OF_ORDERS.items():
            found[table] = await self.read(table, condition.format(ids=self.ids(2), tenant="$1"), own)
        found["balance"] = list(_balances(self.tenant_id, found["ledger_entry"]))
        found["sales_day"] = list(_sales(self.tenant_id, found["sales_order"], found["order_line"]))
        found["audit_log"] = [audited]
        return found

    def _list(self, ids: Sequence[object]) -> object:
        return list(ids)


def _balances(tenant_id: int, entries: Sequence[Row]) -> Iterator[Row]:
    sums: dict[tuple[Any, str, str], int] = {}
    for entry in entries:
        if entry["owner_id"] is not None:
            key = (entry["owner_id"], entry["account"], entry["currency"])
            sums[key] = sums.get(key, 0) + entry["amount_minor"]
    for owner_id, account, currency in sorted(sums):
        amount_minor = sums[owner_id, account, currency]
        yield {
            "tenant_id": tenant_id,
            "owner_id": owner_id,
            "account": account,
            "currency": currency,
            "amount_minor": amount_minor,
        }


def _sales(tenant_id: int, orders: Sequence[Row], lines: Sequence[Row]) -> Iterator[Row]:
    pieces = {line["order_id"]: line["quantity"] for line in lines}
    sums: dict[tuple[Any, Any, str], tuple[int, int, int]] = {}
    for order in orders:
        # Paid at noon in New York, which is the same day in UTC. SQLite keeps days and moments as text.
        paid_at = order["paid_at"]
        day = paid_at[:10] if isinstance(paid_at, str) else date(paid_at.year, paid_at.month, paid_at.day)
        key = (order["seller_id"], day, order["currency"])
        before = sums.get(key, (0, 0, 0))
        sums[key] = (before[0] + 1, before[1] + pieces[order["id"]], before[2] + order["goods_minor"])
    names = ("tenant_id", "distributor_id", "day", "currency", "orders", "pieces", "amount_minor")
    for key in sorted(sums):
        yield dict(zip(names, (tenant_id, *key, *sums[key]), strict=True))


class PostgresCopy(Copy):
    """asyncpg: a statement per table, its rows as one array per column."""

    def __init__(self, tenant_id: int, source: "asyncpg.Connection[Any]", target: "asyncpg.Connection[Any]") -> None:
        super().__init__(tenant_id)
        self._source = source
        self._target = target
        self._inserts: dict[str, str] = {}

    async def read(self, table: str, condition: str, *args: object) -> Sequence[Row]:
        found: Sequence[Row] = await self._source.fetch(
            f"SELECT * FROM {table} WHERE tenant_id = $1 AND {condition}", self.tenant_id, *args
        )
        return found

    async def prepare(self) -> None:
        """Write the statements, with the types of the columns."""
        for table in TABLES:
            selected = await self._target.prepare(f"SELECT * FROM {table}")
            columns = selected.get_attributes()
            names = ", ".join(column.name for column in columns)
            arrays = ", ".join(f"${i}::{column.type.name}[]" for i, column in enumerate(columns, start=1))
            self._inserts[table] = (
                f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) {_CONFLICTS.get(table, '')}"
            )

    async def write(self, batch: Batch) -> float:
        by_column = [
            (self._inserts[table], list(zip(*(row.values() for row in rows), strict=True)))
            for table, rows in batch.items()
            if rows
        ]
        began = perf_counter()
        await self._target.execute(f"BEGIN; SET LOCAL app.tenant = '{self.tenant_id}'")
        for insert, arrays in by_column:
            await self._target.execute(insert, *arrays)
        await self._target.execute("COMMIT")
        return perf_counter() - began


class SqliteCopy(Copy):
    """sqlite3: ``executemany`` per table."""

    def __init__(self, tenant_id: int, source: Connection, target: Connection) -> None:
        super().__init__(tenant_id)
        self._source = source
        self._target = target

    async def read(self, table: str, condition: str, *args: object) -> Sequence[Row]:
        sql = f"SELECT * FROM {table} WHERE tenant_id = ?1 AND {condition.replace('$', '?')}"
        cursor = self._source.execute(sql, (self.tenant_id, *args))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor]

    async def write(self, batch: Batch) -> float:
        statements = []
        for table, rows in batch.items():
            names = rows[0].keys() if rows else ()
            marks = ", ".join("?" * len(names))
            insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) {_CONFLICTS.get(table, '')}"
            statements.append((insert, [tuple(row.values()) for row in rows]))
        began = perf_counter()
        self._target.execute("BEGIN IMMEDIATE")
        for insert, values in statements:
            if values:
                self._target.executemany(insert, values)
        self._target.execute("COMMIT")
        return perf_counter() - began

    def ids(self, number: int) -> str:
        return f"IN (SELECT value FROM json_each(${number}))"

    def _list(self, ids: Sequence[object]) -> object:
        return "[" + ", ".join(f'"{id_}"' for id_ in ids) + "]"


async def copy_orders(source_url: str, target_url: str, slug: str) -> float:
    """Insert the orders of a brand into another database; the seconds that inserting took."""
    async with _copy(source_url, target_url, slug) as copy:
        orders = [row["id"] for row in await copy.read("sales_order", "true ORDER BY id")]
        audited = await copy.read("audit_log", "action = 'order.place' ORDER BY id")
        batches = [orders[at : at + BATCH] for at in range(0, len(orders), BATCH)]
        seconds = 0.0
        for ids, line in zip(batches, audited, strict=True):
            seconds += await copy.write(await copy.batch(ids, line))
        return seconds


@asynccontextmanager
async def _copy(source_url: str, target_url: str, slug: str) -> AsyncIterator[Copy]:
    number = "SELECT id FROM tenant WHERE slug = "
    if source_url.startswith("sqlite:"):
        paths = [url.removeprefix("sqlite:///") for url in (source_url, target_url)]
        source, target = (connect(path, isolation_level=None) for path in paths)
        with closing(source), closing(target):
            for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
                target.execute(f"PRAGMA {pragma}")
            (found,) = source.execute(f"{number}?", (slug,)).fetchone()
            yield SqliteCopy(found, source, target)
        return
    source_pg = await asyncpg.connect(source_url)
    target_pg = await asyncpg.connect(target_url, server_settings={"role": APP_ROLE})
    try:
        copy = PostgresCopy(await source_pg.fetchval(f"{number}$1", slug), source_pg, target_pg)
        await copy.prepare()
        yield copy
    finally:
        await source_pg.close()
        await target_pg.close()
