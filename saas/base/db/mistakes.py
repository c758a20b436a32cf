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
