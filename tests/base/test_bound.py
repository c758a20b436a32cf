"""Who may serve: a role of PostgreSQL that row-level security binds, whatever it may become."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from bench.databases import as_server
from saas.base.db import open_database
from saas.base.db.mistakes import DatabaseUnusable, require_bound
from tests.base.test_migrations import query

ROLE_RIGHTS = {
    "superuser": "CREATE ROLE {} LOGIN SUPERUSER",
    "BYPASSRLS": "CREATE ROLE {} LOGIN BYPASSRLS IN ROLE banyan_app",
    "owner of the tables": "CREATE ROLE {} LOGIN IN ROLE banyan_app",
}


@pytest.fixture
async def role(postgres_url: str) -> AsyncIterator[str]:
    """The name of a role that the test makes."""
    name = f"rights_{uuid4().hex}"
    yield name
    await query(postgres_url, f"REASSIGN OWNED BY {name} TO CURRENT_USER")
    await query(postgres_url, f"DROP OWNED BY {name}")
    await query(postgres_url, f"DROP ROLE {name}")


async def unbound(url: str) -> str:
    """What is said against serving as whom the address names."""
    async with open_database(url) as database:
        with pytest.raises(DatabaseUnusable) as told:
            await require_bound(database)
    return str(told.value)


@pytest.mark.parametrize("right", ROLE_RIGHTS)
async def test_who_is_not_bound_does_not_serve(postgres_url: str, role: str, right: str) -> None:
    await query(postgres_url, ROLE_RIGHTS[right].format(role) + " PASSWORD 'banyan_server'")
    if right == "owner of the tables":
        await query(postgres_url, f"ALTER TABLE audit_log OWNER TO {role}")
    told = await unbound(as_server(postgres_url).replace("banyan_server:", f"{role}:"))
    assert f"{role}, who is or may become {right}" in told.replace("one with ", "")
    assert "MIGRATION_DATABASE_URL" in told


async def test_neither_does_who_may_become_one(postgres_url: str, role: str) -> None:
    await query(postgres_url, f"CREATE ROLE {role} LOGIN PASSWORD 'banyan_server' IN ROLE banyan_app, pg_read_all_data")
    address = as_server(postgres_url).replace("banyan_server:", f"{role}:")
    async with open_database(address) as database:
        await require_bound(database)
    ((above,),) = await query(postgres_url, "SELECT current_user")
    await query(postgres_url, f"GRANT {above} TO {role}")
    assert "superuser" in await unbound(address)


async def test_the_servers_role_is_bound_and_so_is_a_file(database_url: str) -> None:
    async with open_database(as_server(database_url)) as database:
        await require_bound(database)
