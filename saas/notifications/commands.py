"""Telling of what happened, in the transaction in which it did; and reading what one was told."""

from collections.abc import Collection, Sequence

import orjson

from saas.base import clock
from saas.base.db import current_tx, transaction
from saas.base.ids import NotificationId, new_id
from saas.notifications.audience import OFFICE
from saas.notifications.rules import Event
from tenants.actors import Actor

_COLUMNS = ("id", "kind", "distributor_id", "subject_id", "data", "at")
_CAN_LOG_IN = (
    "EXISTS (SELECT 1 FROM member m WHERE m.tenant_id = $1 AND m.distributor_id = listed.distributor_id "
    "AND m.status = 'active')"
)


async def announce(events: Sequence[Event]) -> None:
    """Write down, in the running transaction, what somebody is to be told of; a job brings it to them.

    What concerns a distributor that cannot log in, and nobody of the office, is not written.
    """
    tx = current_tx()
    now = clock.now()
    office, others = list[tuple[object, ...]](), list[tuple[object, ...]]()
    for one in events:
        row = (new_id(), one.kind.value, one.distributor_id, one.subject_id, orjson.dumps(one.data).decode(), now)
        (office if one.kind in OFFICE else others).append(row)
    if office:
        await tx.insert_later("outbox_event", _COLUMNS, office)
    if others:
        await tx.insert_later("outbox_event", _COLUMNS, others, where=_CAN_LOG_IN)


async def mark_read(ids: Collection[NotificationId] | None, actor: Actor) -> int:
    """Take one's own notifications for read, these or all; answers how many were not before. Others' are left alone."""
    async with transaction() as tx:
        chosen = "" if ids is None else f" AND id {tx.within(4, 'uuid')}"
        return await tx.execute(
            f"UPDATE notification SET read_at = $3 WHERE tenant_id = $1 AND member_id = $2 AND read_at IS NULL{chosen}",
            *(tx.tenant_id, actor.id, clock.now()),
            *([] if ids is None else [list(ids)]),
        )
