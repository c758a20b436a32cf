"""All that a brand has in the database, to show that nothing of it changed and nothing of it was told."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from importlib import import_module
from pkgutil import iter_modules
from uuid import UUID

from saas.base.db import Row, migrations, reading
from saas.base.db.ddl import TenantTable
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope

Rows = Mapping[str, Sequence[Row]]
SHORTEST = 6
"""Words below this many letters say nothing about whose they are."""
SEEN = ("last_seen_at", "last_used_at")
"""When somebody was here last is noted on every call."""


def tenant_tables() -> list[str]:
    """Every table of the migrations that belongs to tenants."""
    modules = [import_module(f"{migrations.__name__}.{found.name}") for found in iter_modules(migrations.__path__)]
    return [made.name for m in modules for made in m.Migration.operations if isinstance(made, TenantTable)]


async def rows_of(tenant_id: TenantId, *, without: Sequence[str] = ()) -> Rows:
    """Every row of a tenant by table, in an order of its own."""
    with tenant_scope(tenant_id):
        async with reading() as tx:
            found = {
                table: [_row(row) for row in await tx.rows(f"SELECT * FROM {table} WHERE tenant_id = $1", tenant_id)]
                for table in tenant_tables()
                if table not in without
            }
    return {table: sorted(rows, key=lambda row: str(list(row.values()))) for table, rows in found.items()}


def _row(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in SEEN}


def changes(before: Rows, after: Rows) -> dict[str, list[Row]]:
    """The rows of each table that came, went or changed."""
    moved = {
        table: [row for row in after[table] if row not in rows] + [row for row in rows if row not in after[table]]
        for table, rows in before.items()
    }
    return {table: rows for table, rows in moved.items() if rows}


def secrets_of(rows: Rows) -> set[str]:
    """What nobody else may ever read: ids, words and large numbers of the rows."""
    return {text for table in rows.values() for row in table for value in row.values() for text in _told(value)}


def _told(value: object) -> Iterator[str]:
    if isinstance(value, UUID):
        yield value.hex
        yield str(value)
    elif isinstance(value, str) and len(value) >= SHORTEST:
        yield value
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 100_000:
        yield str(value)


def told(secrets: Set[str], answer: str) -> list[str]:
    """Which of the secrets an answer tells; a number inside of a longer one, of an id or a moment, does not count."""
    found = [secret for secret in secrets if secret in answer]
    return [one for one in found if not one.isdigit() or re.search(rf"(?<![0-9a-f.]){one}(?![0-9a-f])", answer)]
