"""The log of events as it is read."""

from collections.abc import Collection, Mapping, Sequence
from typing import cast
from uuid import UUID

from saas.base.db import Row, Tx, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.events.errors import EventsForgotten
from saas.events.rules import EventKind, Numbered, Wanted

READ = "id, seq, kind, distributor_id, subject_id, amount_minor, currency, at"
"""The columns of ``numbered``."""


def cursor_of(seq: int) -> str:
    """The place after an event, for callers."""
    return encode_cursor(seq)


async def head() -> int:
    """The number of the last event there is; 0 before the first."""
    async with reading() as tx:
        return int(await tx.value("SELECT seq FROM event_head WHERE tenant_id = $1", tx.tenant_id) or 0)


async def place_of(cursor: str) -> int:
    """The number a cursor stands for. Raises ``InvalidInput``, or ``EventsForgotten`` when what follows is gone."""
    seq = cast(int, decode_cursor(cursor, int)[0])
    async with reading() as tx:
        row = await tx.row("SELECT seq, forgotten FROM event_head WHERE tenant_id = $1", tx.tenant_id)
    if row is not None and seq < row["forgotten"]:
        raise EventsForgotten("after")
    return min(seq, row["seq"] if row else 0)


async def event(event_id: UUID, wanted: Wanted) -> Numbered:
    """One event of those wanted. Raises ``NotFound``."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {READ} FROM event WHERE tenant_id = $1 AND id = $2 AND seq IS NOT NULL", tx.tenant_id, event_id
        )
    found = None if row is None else numbered(row)
    if found is None or not wanted.has(found):
        raise NotFound("id", kind="event", value=event_id)
    return found


async def events_by_id(ids: Collection[UUID]) -> Mapping[UUID, Numbered]:
    """These events, in one statement; those that are not kept are left out."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {READ} FROM event WHERE tenant_id = $1 AND seq IS NOT NULL AND id {tx.within(2, 'uuid')}",
            *(tx.tenant_id, list(ids)),
        )
    return {row["id"]: numbered(row) for row in rows}


async def after(seq: int, limit: int, wanted: Wanted | None = None) -> Sequence[Numbered]:
    """Up to ``limit`` events after a number, in their order; of all that happened unless ``wanted`` says which."""
    async with reading() as tx:
        return await read_after(tx, seq, limit, wanted)


async def read_after(tx: Tx, seq: int, limit: int, wanted: Wanted | None = None) -> Sequence[Numbered]:
    """The same within a transaction."""
    where = Where(tx)
    where.add("seq > $", seq)
    if wanted is not None:
        where.within("kind", sorted(wanted.kinds))
        if wanted.distributor_id is not None:
            where.add("distributor_id = $", wanted.distributor_id)
        if wanted.subject_id is not None:
            where.add("subject_id = $", wanted.subject_id)
    rows = await tx.rows(f"SELECT {READ} FROM event WHERE {where.sql} ORDER BY seq LIMIT {limit}", *where.args)
    return [numbered(row) for row in rows]


async def events(wanted: Wanted, page: PageRequest) -> Page[Numbered]:
    """A page of the log, the earliest first. Raises ``InvalidInput`` or ``EventsForgotten``."""
    seq = 0 if page.after is None else await place_of(page.after)
    found = await after(seq, page.first + 1, wanted)
    return page_of(list(found), page, [cursor_of(one.seq) for one in found])


def numbered(row: Row) -> Numbered:
    """An event from its row."""
    return Numbered(**{**row, "kind": EventKind(row["kind"])})
