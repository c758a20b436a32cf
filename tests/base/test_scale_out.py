"""Scaling out, as far as one server without Citus can tell: what would be run, its order, and that it changes nothing.

The functions of Citus are played by functions that note what they were asked and refuse what Citus refuses here.
"""

import asyncpg
import pytest

from saas.base.db.mistakes import DatabaseUnusable
from saas.base.db.scale_out import ForeignKey, Table, plan, scale_out
from tests.conftest import tenant_tables

PLAYED = """
CREATE TABLE citus_tables (table_name regclass, colocated text);
CREATE FUNCTION keyless(t regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT 1 FROM pg_constraint WHERE contype = 'f' AND (conrelid = t OR confrelid = t)) THEN
        RAISE EXCEPTION 'a foreign key of % is in the way', t; END IF; END $$;
CREATE FUNCTION create_reference_table(t regclass) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM keyless(t); INSERT INTO citus_tables VALUES (t, NULL); END $$;
CREATE FUNCTION create_distributed_table(t regclass, by text, colocate_with text DEFAULT 'default') RETURNS void
LANGUAGE plpgsql AS $$ BEGIN
    PERFORM keyless(t);
    IF by <> 'tenant_id' THEN RAISE EXCEPTION 'by %', by; END IF;
    INSERT INTO citus_tables VALUES (t, colocate_with); END $$;
"""
KEYS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2
"""


def quiet(_: str) -> None:
    """Nobody reads it here."""


async def test_every_table_of_tenants_is_spread_and_every_key_comes_back(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(PLAYED)
    before = await connection.fetch(KEYS)
    done = await scale_out(postgres_url, progress=quiet)
    found = {
        str(row[0]): row[1] for row in await connection.fetch("SELECT table_name::text, colocated FROM citus_tables")
    }
    assert await connection.fetch(KEYS) == before
    assert {name for name, beside in found.items() if beside is not None} == set(tenant_tables())
    assert len({beside for beside in found.values() if beside not in {None, "default"}}) == 1
    assert "tenant" in found
    assert done
    assert await scale_out(postgres_url, progress=quiet) == []
    setting = await connection.fetchval(
        "SELECT setconfig::text FROM pg_db_role_setting s JOIN pg_database d "
        "ON d.oid = s.setdatabase WHERE d.datname = current_database()"
    )
    assert "citus.propagate_set_commands=local" in setting
    await connection.close()


async def test_what_cannot_be_scaled_out_says_why(postgres_url: str, sqlite_url: str) -> None:
    with pytest.raises(DatabaseUnusable, match="Citus"):
        await scale_out(postgres_url, progress=quiet)
    with pytest.raises(DatabaseUnusable, match="PostgreSQL"):
        await scale_out(sqlite_url, progress=quiet)


async def test_a_dry_run_needs_no_citus_and_leaves_all_as_it_is(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    before = await connection.fetch(KEYS)
    told: list[str] = []
    assert await scale_out(postgres_url, dry_run=True, progress=told.append) == told
    assert len(told) > len(list(tenant_tables()))
    assert await connection.fetch(KEYS) == before
    await connection.close()


def test_a_table_that_came_later_joins_the_others() -> None:
    tables = [Table("tenant", of_tenants=False), Table("old", of_tenants=True), Table("young", of_tenants=True)]
    keys = [ForeignKey("young", "young_fk", "FOREIGN KEY (tenant_id) REFERENCES tenant(id)")]
    statements = plan(tables, keys, frozenset({"tenant", "old"}))
    assert [one for one in statements if "create_" in one] == [
        "SELECT create_distributed_table('young', 'tenant_id', colocate_with => 'old')"
    ]
    assert statements[1].startswith("ALTER TABLE young DROP") and statements[-1].startswith("ALTER TABLE young ADD")
