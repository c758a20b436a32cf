"""Migrations: up, down, up again; on a database with rows in it; and what every table must look like."""

import re
import sqlite3
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from saas.base.db import Database, open_database, reading, transaction
from saas.base.db.ddl import APP_ROLE, Recheck
from saas.base.db.migrate import LATEST, ZERO, migrate
from saas.base.db.sqlite import sqlite_path
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.world import populate

GLOBAL_TABLES = {"tenant", "tenant_domain", "tenant_work", "tortoise_migrations", "sqlite_sequence"}


async def query(url: str, sql: str) -> Sequence[Any]:
    """Rows of a statement run by the owner, outside of the product's own connections."""
    if url.startswith("sqlite"):
        with sqlite3.connect(sqlite_path(url)) as file:
            return file.execute(sql).fetchall()
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def tables(url: str) -> set[str]:
    """Every table there is."""
    catalog = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if url.startswith("sqlite")
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    return {name for (name,) in await query(url, catalog)}


async def shape(url: str) -> list[Any]:
    """Everything a migration makes, to compare two states."""
    if url.startswith("sqlite"):
        return sorted(
            await query(url, "SELECT type, name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence'"), key=str
        )
    columns = await query(
        url,
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public'",
    )
    indexes = await query(url, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'")
    policies = await query(url, "SELECT tablename, qual, with_check FROM pg_policies")
    return sorted([*columns, *indexes, *policies], key=str)


async def test_up_down_up_comes_back_to_the_same_shape(database_url: str) -> None:
    before = await shape(database_url)
    await migrate(database_url, ZERO)
    assert await tables(database_url) <= GLOBAL_TABLES - {"tenant", "tenant_domain", "tenant_work"}
    await migrate(database_url, LATEST)
    assert await shape(database_url) == before


async def test_migrating_twice_changes_nothing_and_keeps_every_row(database_url: str) -> None:
    async with open_database(database_url):
        await populate()
    counts = {
        name: (await query(database_url, f"SELECT count(*) FROM {name}"))[0][0] for name in await tables(database_url)
    }
    assert counts["distributor"] and counts["ledger_entry"] and counts["commission"]
    await migrate(database_url, LATEST)
    after = {name: (await query(database_url, f"SELECT count(*) FROM {name}"))[0][0] for name in counts}
    assert after == counts


async def test_a_populated_database_is_downgraded_and_upgraded(database_url: str) -> None:
    async with open_database(database_url):
        await populate()
    await migrate(database_url, ZERO)
    await migrate(database_url, LATEST)
    async with open_database(database_url):
        await populate()


async def test_a_populated_database_of_the_first_version_is_upgraded(database_url: str) -> None:
    """Nobody is lost, everybody has a standing, and the tables take what only the second version knows."""
    async with open_database(database_url):
        await populate()
    kept = ("distributor", "sales_order", "commission", "ledger_transaction", "statement", "program_version")
    await migrate(database_url, "0001_initial")
    before = {name: (await query(database_url, f"SELECT count(*) FROM {name}"))[0][0] for name in kept}
    await migrate(database_url, LATEST)
    assert {name: (await query(database_url, f"SELECT count(*) FROM {name}"))[0][0] for name in kept} == before
    assert await query(
        database_url,
        "SELECT count(*) FROM distributor d JOIN standing s ON s.tenant_id = d.tenant_id AND s.distributor_id = d.id "
        "AND s.tier = d.tier AND s.status = d.status AND s.valid_until IS NULL",
    ) == [(before["distributor"],)]
    async with open_database(database_url):
        with as_tenant(LOTUS):
            async with transaction() as tx:
                scheduled = "UPDATE program_version SET status = 'scheduled' WHERE tenant_id = $1 AND status = 'active'"
                assert await tx.execute(scheduled, LOTUS)
            with pytest.raises(Exception, match=r"(?i)check"):
                async with transaction() as tx:
                    await tx.execute("UPDATE program_version SET status = 'unheard' WHERE tenant_id = $1", LOTUS)


async def test_an_owner_that_is_no_superuser_upgrades_every_brands_rows(postgres_url: str) -> None:
    """Row-level security is forced on the owner too; a backfill that met it would find no row and say nothing."""
    async with open_database(postgres_url):
        await populate()
    role = f"owner_{uuid4().hex}"
    await query(postgres_url, f"CREATE ROLE {role} LOGIN PASSWORD 'plain' CREATEROLE")
    try:
        await query(postgres_url, f"ALTER DATABASE {postgres_url.partition('?')[0].rpartition('/')[2]} OWNER TO {role}")
        for table in await tables(postgres_url):
            await query(postgres_url, f"ALTER TABLE {table} OWNER TO {role}")
        owner = re.sub(r"//[^@]*@", f"//{role}:plain@", postgres_url)
        await migrate(owner, "0001_initial")
        await migrate(owner, LATEST)
        (people,) = await query(postgres_url, "SELECT count(*) FROM distributor")
        assert people[0] > 0
        assert await query(postgres_url, "SELECT count(*) FROM standing WHERE valid_until IS NULL") == [people]
        assert await query(
            postgres_url, "SELECT count(*) FROM sales_order WHERE paid_at IS NOT NULL AND decided_at IS NULL"
        ) == [(0,)]
    finally:
        await query(postgres_url, f"REASSIGN OWNED BY {role} TO CURRENT_USER")
        await query(postgres_url, f"DROP OWNED BY {role}")
        await query(postgres_url, f"DROP ROLE {role}")


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_condition_that_is_not_there_cannot_be_replaced(direction: str) -> None:
    with sqlite3.connect(":memory:") as file:
        file.execute("CREATE TABLE t (a text NOT NULL CHECK (a IN ('x', 'y')))")
        operation = Recheck("t", "t_a_check", "a IN ('other')", "a IN ('x')")
        with pytest.raises(sqlite3.Error, match=r"NOT NULL|malformed"):
            for sql in getattr(operation, direction)(False):
                file.execute(sql)
            file.execute("SELECT 1 FROM t")


async def test_every_table_of_a_tenant_is_led_by_it(database_url: str) -> None:
    """Primary keys, uniques and foreign keys begin with tenant_id: what isolation and Citus both need."""
    for table in await tables(database_url) - GLOBAL_TABLES:
        for columns in await keys(database_url, table):
            assert columns[0] == "tenant_id", (table, columns)


async def keys(url: str, table: str) -> list[list[str]]:
    """The columns of each primary, unique and foreign key of a table."""
    if url.startswith("sqlite"):
        found = []
        for _, index, unique, *_ in await query(url, f"PRAGMA index_list({table})"):
            if unique:
                found.append([row[2] for row in await query(url, f"PRAGMA index_info({index})")])
        foreign: dict[int, list[str]] = {}
        for row in await query(url, f"PRAGMA foreign_key_list({table})"):
            foreign.setdefault(row[0], []).append(row[3])
        return [*found, *foreign.values()]
    rows = await query(
        url,
        "SELECT array_agg(a.attname::text ORDER BY k.n) FROM pg_constraint c "
        "CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY k(attnum, n) "
        "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum "
        f"WHERE c.conrelid = '{table}'::regclass AND c.contype IN ('p', 'u', 'f') GROUP BY c.oid",
    )
    unique = await query(
        url,
        "SELECT array_agg(a.attname::text ORDER BY k.n) FROM pg_index i "
        "CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(attnum, n) "
        "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
        f"WHERE i.indrelid = '{table}'::regclass AND i.indisunique GROUP BY i.indexrelid",
    )
    return [list(columns) for (columns,) in [*rows, *unique]]


async def test_row_level_security_is_forced_on_every_table_of_a_tenant(postgres_url: str) -> None:
    rows = await query(
        postgres_url,
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, "
        "(SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid), pg_get_userbyid(c.relowner) "
        "FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace",
    )
    for table, forced, policies, owner in rows:
        if table not in GLOBAL_TABLES:
            assert (forced, policies) == (True, 1), table
        assert owner != APP_ROLE, f"{table} belongs to the role that row-level security should bind"


async def test_the_application_role_cannot_see_or_make_rows_of_another_brand(postgres_url: str) -> None:
    async with open_database(postgres_url):
        await populate()
        with as_tenant(CEDAR):
            async with reading() as tx:
                assert await tx.value("SELECT current_user::text") == APP_ROLE
                assert await tx.value("SELECT count(*) FROM distributor WHERE tenant_id = 1") == 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                async with transaction() as tx:
                    await tx.execute("INSERT INTO network_tree (tenant_id, next_no, moves) VALUES (1, 1, 0)")


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction", "audit_log", "idempotency", "statement"])
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET tenant_id = $1 WHERE tenant_id = $1", "DELETE FROM {} WHERE tenant_id = $1"]
)
async def test_what_is_append_only_can_be_neither_changed_nor_removed(db: Database, table: str, change: str) -> None:
    await populate()
    with as_tenant(LOTUS):
        async with reading() as tx:
            before = await tx.value(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", LOTUS)
        assert before
        with pytest.raises(Exception, match=r"append-only|permission denied"):
            async with transaction() as tx:
                await tx.execute(change.format(table), LOTUS)
        async with reading() as tx:
            assert await tx.value(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", LOTUS) == before
