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


def change(before: Mapping[str, object] | None, after: Mapping[str, object]) -> dict[str, object]:
    """What stood before and what stands after, as detail of a line; what is equal in both is left out."""
    earlier = dict(before or {})
    return {
        "before": {name: value for name, value in earlier.items() if name not in after or after[name] != value},
        "after": {name: value for name, value in after.items() if name not in earlier or earlier[name] != value},
    }


async def record(actor: Actor, action: str, subject: str | None = None, **detail: object) -> None:
    """Write one line, in the transaction that does what it tells. Nothing in ``detail`` may be personal data in clear.

    Its ``on_behalf_of`` is the distributor that somebody acts for; one with a log-in of its own acts for itself.
    """
    await record_each(actor, [(action, subject, detail)])


async def record_each(actor: Actor, said: Iterable[tuple[str, str | None, Mapping[str, object]]]) -> None:
    """Write many lines, each with its action, subject and detail, as ``record`` does."""
    now = clock.now()
    behalf = {} if actor.distributor_id is None else {"on_behalf_of": actor.distributor_id}
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
                orjson.dumps({**behalf, **detail}, default=str).decode(),
            )
            for action, subject, detail in said
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which lines are meant; an ``action`` that ends in a dot means all that begin with it."""

    action: str | None = None
    actor: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def narrow(self, where: Where, of: str = "") -> None:
        """Add the conditions; ``of`` stands before the names of columns."""
        if self.action is not None and self.action.endswith("."):
            where.add(f"{of}action LIKE $ ESCAPE '!'", re.sub("([!%_])", r"!\1", self.action) + "%")
        elif self.action is not None:
            where.add(f"{of}action = $", self.action)
        for condition, value in (
            ("actor_label = $", self.actor),
            ("subject = $", self.subject),
            ("at >= $", self.since),
            ("at < $", self.until),
        ):
            if value is not None:
                where.add(f"{of}{condition}", value)


EVERYTHING = Sought()


async def lines(page: PageRequest, sought: Sought = EVERYTHING) -> Page[Line]:
    """The log, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        sought.narrow(where)
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
