"""A copy of a SQLite database while it is in use. PostgreSQL has tools of its own (docs/operations.md)."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from saas.base.db.mistakes import DatabaseUnusable, reached
from saas.base.db.sqlite import sqlite_path


async def back_up(url: str, to: Path) -> int:
    """Copy the database as it is at one moment into a new file; answers its size in bytes.

    Nobody waits for it. Raises ``DatabaseUnusable`` for a file that is there already, for another kind of database, and
    when the copy is not sound.
    """
    if not url.startswith("sqlite:"):
        raise DatabaseUnusable("This copies SQLite only; for PostgreSQL use pg_dump (docs/operations.md).")
    return await asyncio.to_thread(_copy, sqlite_path(url), to)


def _copy(source: Path, to: Path) -> int:
    if to.exists() or not to.parent.is_dir():
        raise DatabaseUnusable(f"{to} is there already, or its folder is not; name a new file.")
    address = f"{source.resolve().as_uri()}?mode=ro"
    with reached(), closing(sqlite3.connect(address, uri=True)) as there, closing(sqlite3.connect(to)) as copy:
        there.backup(copy)  # in one step: the copy is of one moment, and writers go on beside it
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise DatabaseUnusable(f"The copy is not sound: {found}")
    return to.stat().st_size
