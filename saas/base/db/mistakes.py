"""Mistakes of an installation's database settings, told in a sentence that names the remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg

from saas.base.ids import PLATFORM

if TYPE_CHECKING:
    from saas.base.db.database import Database

MIGRATE = "Run: python main.py migrate"
UNBOUND = """
SELECT session_user, bool_or(r.rolsuper) AS super, bool_or(r.rolbypassrls) AS past, bool_or(EXISTS (
    SELECT 1 FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relowner = r.oid
)) AS owner
FROM pg_roles r WHERE pg_has_role(session_user, r.oid, 'MEMBER') OR r.rolname = current_user
"""
"""What the role that logged in is or may become, whatever role it works under."""


class DatabaseUnusable(ValueError):
    """The database cannot be opened or used as it is; the message says what to do."""


@contextmanager
def reached() -> Iterator[None]:
    """Around connecting: what fails is the address or the server, not the program."""
    try:
        yield
    except asyncpg.InvalidParameterValueError as exc:  # the application's role is not there yet
        raise DatabaseUnusable(f"The database is not ready: {exc}. {MIGRATE}") from exc
    except (OSError, ValueError, sqlite3.DatabaseError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        raise DatabaseUnusable(f"The database cannot be opened: {exc}. Check DATABASE_URL.") from exc


async def require_tables(database: "Database") -> None:
    """Raise ``DatabaseUnusable`` for a database that was never migrated."""
    sqlite = "SELECT 1 FROM sqlite_master WHERE name = 'tenant'"
    async with database.begin(PLATFORM, read_only=True) as tx:
        found = await tx.value(sqlite if database.kind == "sqlite" else "SELECT to_regclass('tenant')::text")
    if found is None:
        raise DatabaseUnusable(f"The database has no tables yet. {MIGRATE}")


async def require_bound(database: "Database") -> None:
    """Raise ``DatabaseUnusable`` where row-level security does not bind who logs in, or what that role may become."""
    if database.kind == "sqlite":
        return
    async with database.begin(PLATFORM, read_only=True) as tx:
        who = (await tx.rows(UNBOUND))[0]
    rights = {"superuser": who["super"], "one with BYPASSRLS": who["past"], "owner of the tables": who["owner"]}
    for name, has in rights.items():
        if has:
            raise DatabaseUnusable(
                f"DATABASE_URL logs in as {who['session_user']}, who is or may become {name}: row-level security "
                "does not bind it. Serve as another: CREATE ROLE banyan_server LOGIN PASSWORD '…' NOINHERIT "
                "IN ROLE banyan_app; and give the address of the owner as MIGRATION_DATABASE_URL (docs/operations.md)."
            )
