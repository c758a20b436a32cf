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


async def announce(events: Sequence[Event]) -> None:
    """Write down, in the running transaction, what somebody is to be told of; a job brings it to them.

    What concerns a distributor that cannot log in, and nobody of the office, is not written: two statements at most.
    """
    tx = current_tx()
    if not events:
        return
    rows = await tx.rows(
        f"SELECT distributor_id FROM member WHERE tenant_id = $1 AND status = 'active' "
        f"AND distributor_id {tx.within(2, 'uuid')}",
        tx.tenant_id,
        list({event.distributor_id for event in events}),
    )
    reached, now = {row["distributor_id"] for row in rows}, clock.now()
    wanted = [
        (new_id(), one.kind.value, one.distributor_id, one.subject_id, orjson.dumps(one.data).decode(), now)
        for one in events
        if one.kind in OFFICE or one.distributor_id in reached
    ]
    if wanted:
        await tx.insert_many("outbox_event", _COLUMNS, wanted)


async def mark_read(ids: Collection[NotificationId] | None, actor: Actor) -> int:
    """Take one's own notifications for read, these or all; answers how many were not before. Others' are left alone."""
    async with transaction() as tx:
        chosen = "" if ids is None else f" AND id {tx.within(4, 'uuid')}"
        return await tx.execute(
            f"UPDATE notification SET read_at = $3 WHERE tenant_id = $1 AND member_id = $2 AND read_at IS NULL{chosen}",
            *(tx.tenant_id, actor.id, clock.now()),
            *([] if ids is None else [list(ids)]),
        )
