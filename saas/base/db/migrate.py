"""Bringing a database to a version: up, down, one process at a time, all of it or nothing."""

import pkgutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget
from tortoise.migrations.schema_editor import AsyncpgSchemaEditor, SqliteSchemaEditor

from saas.base.db import migrations
from saas.base.db.database import current_database, finish
from saas.base.db.ddl import APP_ROLE
from saas.base.db.mistakes import reached
from saas.base.db.postgres import PostgresOrm
from saas.base.db.sqlite import SqliteOrm, connect_file, sqlite_path
from saas.base.ids import PLATFORM

APP = "banyan"
ADVISORY_LOCK = 0x62616E79616E  # "banyan"
LATEST = "__latest__"
ZERO = "__first__"

CREATE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {APP_ROLE} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


class MigrationUnknown(ValueError):
    """No migration has that name."""


async def migrate(url: str, target: str = LATEST, *, progress: Callable[[str], None] | None = None) -> None:
    """Apply or take back migrations until ``target`` is the last one applied.

    ``url`` must log in as the owner of the tables on PostgreSQL (the application's role may not alter them).
    Raises ``MigrationUnknown``, and ``DatabaseUnusable`` when the database cannot be opened.
    """
    names = _names()
    if target not in (LATEST, ZERO, *names):
        raise MigrationUnknown(f"There is no migration {target}. There are: {', '.join(names)}")

    def tell(event: str, app: str, name: str) -> None:
        if progress is not None and event.endswith("_done"):
            progress(f"{'applied' if event.startswith('apply') else 'took back'} {name}")

    async with _owner(url) as client:
        editor = SqliteSchemaEditor if client.capabilities.dialect == "sqlite" else AsyncpgSchemaEditor
        executor = MigrationExecutor(client, {APP: {"migrations": "saas.base.db.migrations", "models": []}})
        await executor.recorder.ensure_schema(editor(client, atomic=False))
        if client.capabilities.dialect != "sqlite":
            await client.execute_query(f"GRANT SELECT ON tortoise_migrations TO {APP_ROLE}")
        await executor.migrate([MigrationTarget(app_label=APP, name=target)], progress=tell)


def _names() -> list[str]:
    return sorted(found.name for found in pkgutil.iter_modules(migrations.__path__))


async def missing_migrations() -> list[str]:
    """The migrations this code knows that the open database has not had. One that it does not know is no harm."""
    async with current_database().begin(PLATFORM, read_only=True) as tx:
        rows = await tx.rows("SELECT name FROM tortoise_migrations WHERE app = $1", APP)
    return sorted(set(_names()) - {row["name"] for row in rows})


@asynccontextmanager
async def _owner(url: str) -> AsyncIterator[BaseDBAsyncClient]:
    """A connection with one transaction around everything, and nobody else migrating."""
    if url.startswith("sqlite:"):
        with reached():
            path = sqlite_path(url)
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = await connect_file(path)
        try:
            async with connection.execute("BEGIN EXCLUSIVE"):
                pass
            yield SqliteOrm(connection)
            await finish(connection.commit())
        finally:
            await finish(connection.close())
    else:
        with reached():
            server = await asyncpg.connect(url)
        try:
            async with server.transaction():
                await server.execute("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)
                await server.execute(CREATE_ROLE)
                await server.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
                yield PostgresOrm(server)
        finally:
            await server.close()
