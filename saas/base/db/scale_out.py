"""From one PostgreSQL server to many: tables of tenants spread by ``tenant_id`` over the nodes of a Citus cluster.

The statements come from the catalogue of the database itself: what row-level security is forced on belongs to tenants
and is distributed, the few global tables are copied to every node, foreign keys go before and come back after.
docs/scaling.md has the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from saas.base.db.migrate import ADVISORY_LOCK
from saas.base.db.mistakes import DatabaseUnusable, reached

_TABLES = """
SELECT c.relname AS name, c.relforcerowsecurity AS of_tenants,
has_table_privilege('banyan_app', c.oid, 'SELECT') AS served
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text AS name, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_DISTRIBUTED = "SELECT table_name::text AS name FROM citus_tables"
_HAS_CITUS = "SELECT to_regclass('citus_tables') IS NOT NULL AND to_regproc('create_reference_table') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Table:
    """A table the server works with; ``of_tenants`` when its rows are theirs."""

    name: str
    of_tenants: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key, as PostgreSQL writes it."""

    table: str
    name: str
    definition: str


def plan(tables: Sequence[Table], keys: Sequence[ForeignKey], distributed: frozenset[str]) -> list[str]:
    """The statements that distribute what is not distributed yet; none when everything is."""
    due = [table for table in tables if table.name not in distributed]
    if not due:
        return []
    spread = [table for table in tables if table.of_tenants]
    first = next((table.name for table in spread if table.name in distributed), spread[0].name)
    return [
        "SET LOCAL citus.multi_shard_modify_mode = 'sequential'",
        *(f"ALTER TABLE {key.table} DROP CONSTRAINT {key.name}" for key in keys),
        *(f"SELECT create_reference_table('{table.name}')" for table in due if not table.of_tenants),
        *(_distribute(table.name, first) for table in due if table.of_tenants),
        *(f"ALTER TABLE {key.table} ADD CONSTRAINT {key.name} {key.definition}" for key in keys),
    ]


def _distribute(table: str, first: str) -> str:
    beside = "" if table == first else f", colocate_with => '{first}'"
    return f"SELECT create_distributed_table('{table}', 'tenant_id'{beside})"


async def scale_out(url: str, *, dry_run: bool = False, progress: Callable[[str], None] = print) -> list[str]:
    """Distribute the tables, in one transaction; a second time there is nothing left to do. Answers the statements.

    ``url`` logs in as the owner of the tables. A dry run only tells what would be run, with or without Citus. Raises
    ``DatabaseUnusable`` for anything but PostgreSQL with the extension.
    """
    if not url.startswith(("postgresql:", "postgres:")):
        raise DatabaseUnusable("Only a PostgreSQL database can be scaled out. Move the data there first.")
    with reached():
        server = await asyncpg.connect(url)
    try:
        async with server.transaction():
            await server.execute("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)
            has_citus = await server.fetchval(_HAS_CITUS)
            if not has_citus and not dry_run:
                raise DatabaseUnusable("This database has no Citus. Run CREATE EXTENSION citus on every node first.")
            statements = await _planned(server, has_citus=has_citus)
            for statement in statements:
                progress(statement)
                if not dry_run:
                    await server.execute(statement)
        if not dry_run:
            await server.execute(_settings(await server.fetchval("SELECT current_database()")))
    finally:
        await server.close()
    return statements


async def _planned(server: "asyncpg.Connection[asyncpg.Record]", *, has_citus: bool) -> list[str]:
    tables = [Table(row["name"], row["of_tenants"]) for row in await server.fetch(_TABLES) if row["served"]]
    keys = [ForeignKey(*row) for row in await server.fetch(_FOREIGN_KEYS)]
    distributed = await server.fetch(_DISTRIBUTED) if has_citus else []
    return plan(tables, keys, frozenset(row["name"] for row in distributed))


def _settings(database: str) -> str:
    """Row-level security reads a setting that each transaction makes; the nodes have to hear of it."""
    return f"ALTER DATABASE \"{database}\" SET citus.propagate_set_commands = 'local'"
