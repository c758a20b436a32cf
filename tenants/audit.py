"""The audit log: who did what to whom, written in the transaction that does it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.chain import Log
from saas.base.db import current_tx, reading
from saas.base.db.where import Where
from saas.base.ids import new_id
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from tenants.actors import Actor

AUDIT = Log("audit", "audit_log", "r.at, r.actor_kind, r.actor_id, r.actor_label, r.action, r.subject, r.detail")
"""The hash chain over the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as it is read; ``detail`` is JSON."""

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    actor_label: str
    action: str
    subject: str | None
    detail: str


async def record(actor: Actor, action: str, subject: str | None = None, **detail: object) -> None:
    """Write one line. ``detail`` must hold no personal data in clear."""
    await record_each(actor, [(action, subject, detail)])


async def record_each(actor: Actor, said: Iterable[tuple[str, str | None, Mapping[str, object]]]) -> None:
    """Write many lines, each with its action, subject and detail, as ``record`` does."""
    now = clock.now()
    await current_tx().insert_later(
        "audit_log",
        ("id", "at", "actor_kind", "actor_id", "actor_label", "action", "subject", "detail"),
        [
            (
                new_id(),
                now,
                actor.kind,
                actor.id,
                actor.label,
                action,
                subject,
                orjson.dumps(detail, default=str).decode(),
            )
            for action, subject, detail in said
        ],
    )


async def lines(
    page: PageRequest,
    *,
    action: str | None = None,
    actor: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page[Line]:
    """The log, the latest first; an ``action`` that ends in a dot means all that begin with it."""
    async with reading() as tx:
        where = Where(tx)
        if action is not None and action.endswith("."):
            where.add("action LIKE $ ESCAPE '!'", re.sub("([!%_])", r"!\1", action) + "%")
        elif action is not None:
            where.add("action = $", action)
        if actor is not None:
            where.add("actor_label = $", actor)
        if since is not None:
            where.add("at >= $", since)
        if until is not None:
            where.add("at < $", until)
        if page.after:
            moment, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("at", "id"), (moment, id_), descending=True)
        rows = await tx.rows(
            f"SELECT id, at, actor_kind, actor_id, actor_label, action, subject, detail FROM audit_log "
            f"WHERE {where.sql} ORDER BY at DESC, id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [Line(**row) for row in rows]
    return page_of(found, page, [encode_cursor(line.at, line.id) for line in found])
