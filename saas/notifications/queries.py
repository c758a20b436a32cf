"""A member's inbox."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from saas.base.db import Row, reading
from saas.base.db.where import Where
from saas.base.errors import Said
from saas.base.ids import NotificationId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.notifications.rules import EventKind, told
from tenants.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationView:
    """What a member was told, and whether it has read it. ``message`` is one sentence in both languages."""

    id: NotificationId
    kind: EventKind
    subject_id: UUID
    message: Said
    at: datetime
    read_at: datetime | None


async def inbox(actor: Actor, page: PageRequest, *, unread: bool = False) -> Page[NotificationView]:
    """One's own notifications, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        where.add("member_id = $", actor.id)
        if unread:
            where.add("(read_at IS NULL) = $", True)
        if page.after:
            moment, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("at", "id"), (moment, id_), descending=True)
        rows = await tx.rows(
            f"SELECT id, kind, subject_id, data, at, read_at FROM notification WHERE {where.sql} "
            f"ORDER BY at DESC, id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [_view(row) for row in rows]
    return page_of(found, page, [encode_cursor(one.at, one.id) for one in found])


async def unread_count(actor: Actor) -> int:
    """How many of one's own notifications are not read."""
    async with reading() as tx:
        return int(
            await tx.value(
                "SELECT count(*) FROM notification WHERE tenant_id = $1 AND member_id = $2 AND read_at IS NULL",
                *(tx.tenant_id, actor.id),
            )
        )


def _view(row: Row) -> NotificationView:
    kind = EventKind(row["kind"])
    return NotificationView(
        id=row["id"],
        kind=kind,
        subject_id=row["subject_id"],
        message=told(kind, orjson.loads(row["data"])),
        at=row["at"],
        read_at=row["read_at"],
    )
