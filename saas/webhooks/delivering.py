"""Delivering: a job goes through what is due, webhook by webhook at the same time, one message after the other.

Nothing is held while a message is on its way. A delivery is taken by moving the moment of its next try behind the time
a message may take: should the worker die, it is sent again, under the same id. Receivers know by it what they have.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from saas.base import clock
from saas.base.db import Tx, as_time, reading, transaction
from saas.base.errors import NotFound
from saas.base.ids import new_id
from saas.base.settings import get_settings
from saas.jobs.rules import JITTER_BPS_MOST
from saas.jobs.worker import Handler, Progress
from saas.webhooks.commands import JOB, deliver_soon, secrets_of, set_paused
from saas.webhooks.queries import WebhookView, read_webhook
from saas.webhooks.rules import GONE, PAUSE_AFTER, TRIES_MOST, hold_off_after, signed_headers, wait_after
from saas.webhooks.sending import Answer, Sender
from tenants import audit
from tenants.actors import Role, system

log = logging.getLogger("banyan.webhooks")

Render: TypeAlias = Callable[[str, Role, UUID], Awaitable[bytes | None]]
"""The message about an event, by a payload as a role reads it; none when the event is no longer kept."""

TAKEN_FOR = timedelta(seconds=60)
"""How long a delivery is one worker's."""
JOB_TIME_MOST = timedelta(seconds=30)
"""How long one job goes on before others get their turn."""


class _Taken(NamedTuple):
    """A delivery that is this worker's for a while."""

    id: UUID
    event_id: UUID
    attempts: int
    tries: int


def handlers(render: Render, sender: Sender | None = None) -> Mapping[str, Handler]:
    """Who does the jobs of webhooks."""
    return {JOB: partial(run_deliver, render, sender)}


async def run_deliver(
    render: Render, sender: Sender | None, _: Mapping[str, Any], progress: Progress | None = None
) -> None:
    """The handler of ``JOB``."""
    sender = sender or Sender(loopback=get_settings().webhook_loopback)
    until = monotonic() + JOB_TIME_MOST.total_seconds()
    async with reading() as tx:
        rows = await tx.rows(f"SELECT DISTINCT d.webhook_id {_DUE} AND d.next_at <= $2", tx.tenant_id, clock.now())
    emptied = (_empty(row["webhook_id"], render, sender, until) for row in rows)
    # None is left behind on its own when another one fails: the job is tried again as a whole.
    faults = [one for one in await asyncio.gather(*emptied, return_exceptions=True) if one is not None]
    async with transaction() as tx:
        next_at = as_time(await tx.value(f"SELECT min(d.next_at) {_DUE}", tx.tenant_id))
        if next_at is not None:
            await deliver_soon(tx, max(next_at, clock.now()))
    for fault in faults:
        raise fault


_DUE = (
    "FROM webhook_delivery d JOIN webhook w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id "
    "WHERE d.tenant_id = $1 AND d.status = 'pending' AND w.status = 'active'"
)


async def _empty(webhook_id: UUID, render: Render, sender: Sender, until: float) -> None:
    """Send what is due to one webhook, until something fails or the time is over."""
    while monotonic() < until:
        try:
            async with transaction() as tx:
                taken = await _take(tx, webhook_id)
                if taken is None:
                    return
                webhook = await read_webhook(tx, webhook_id, "id")
                signing = await secrets_of(tx, webhook_id)
        except NotFound:  # it was removed this very moment
            return
        body = await render(webhook.payload, webhook.role, taken.event_id)
        if body is None:
            answer = Answer(error="the event is no longer kept")
        else:
            headers = signed_headers(signing, f"evt_{taken.event_id.hex}", clock.now(), body)
            answer = await sender.send(webhook.url, {**headers, **_HEADERS}, body)
        async with transaction() as tx:
            await _write(tx, webhook, taken, answer, gone=body is None)
        if not answer.taken:
            return


_HEADERS = {"content-type": "application/json", "user-agent": "Banyan-Webhooks"}


async def _take(tx: Tx, webhook_id: UUID) -> _Taken | None:
    now = clock.now()
    skip = tx.for_update and f"{tx.for_update} SKIP LOCKED"
    row = await tx.row(
        f"SELECT d.id, d.event_id, d.attempts, d.tries_from FROM webhook_delivery d WHERE d.tenant_id = $1 "
        f"AND d.webhook_id = $2 AND d.status = 'pending' AND d.next_at <= $3 AND EXISTS (SELECT 1 FROM webhook w "
        f"WHERE w.tenant_id = $1 AND w.id = $2 AND w.status = 'active') "
        f"ORDER BY d.next_at, d.attempts, d.id LIMIT 1{skip}",  # of those that were put off together, all get a turn
        *(tx.tenant_id, webhook_id, now),
    )
    if row is None:
        return None
    await tx.execute(
        "UPDATE webhook_delivery SET attempts = attempts + 1, next_at = $3 WHERE tenant_id = $1 AND id = $2",
        *(tx.tenant_id, row["id"], now + TAKEN_FOR),
    )
    return _Taken(row["id"], row["event_id"], row["attempts"] + 1, row["attempts"] + 1 - row["tries_from"])


async def _write(tx: Tx, webhook: WebhookView, taken: _Taken, answer: Answer, *, gone: bool) -> None:
    """Write down what came of it, unless another worker has the delivery by now, or somebody ended it.

    The webhook is locked before its deliveries, as by whoever resumes or removes it.
    """
    now = clock.now()
    await tx.rows(f"SELECT id FROM webhook WHERE tenant_id = $1 AND id = $2{tx.for_update}", tx.tenant_id, webhook.id)
    columns = ("id", "delivery_id", "no", "at", "status_code", "error", "duration_ms", "excerpt")
    came = (answer.status_code, answer.error, answer.duration_ms, answer.excerpt)
    attempt = (new_id(), taken.id, taken.attempts, now, *came)
    await tx.insert_many("webhook_attempt", columns, [attempt], or_ignore=True)
    over = gone or taken.tries >= TRIES_MOST
    status = "delivered" if answer.taken else "failed" if over else "pending"
    wait = wait_after(taken.tries, secrets.randbelow(JITTER_BPS_MOST + 1))
    await tx.execute(
        "UPDATE webhook_delivery SET status = $4, next_at = $5, delivered_at = $6 "
        "WHERE tenant_id = $1 AND id = $2 AND attempts = $3 AND status = 'pending'",
        *(tx.tenant_id, taken.id, taken.attempts, status, now + wait, now if answer.taken else None),
    )
    if answer.taken:
        await tx.execute("UPDATE webhook SET failures = 0 WHERE tenant_id = $1 AND id = $2", tx.tenant_id, webhook.id)
    elif not gone:
        await _failed(tx, webhook, answer, now)


async def _failed(tx: Tx, webhook: WebhookView, answer: Answer, now: datetime) -> None:
    """Leave a webhook alone for a while; pause it after too many failures, or when it asks for nothing more."""
    row = await tx.row(
        "UPDATE webhook SET failures = failures + 1 WHERE tenant_id = $1 AND id = $2 RETURNING failures",
        *(tx.tenant_id, webhook.id),
    )
    failures = row["failures"] if row else 0
    await tx.execute(
        "UPDATE webhook_delivery SET next_at = $3 WHERE tenant_id = $1 AND webhook_id = $2 AND status = 'pending' "
        "AND next_at < $3",
        *(tx.tenant_id, webhook.id, now + hold_off_after(failures)),
    )
    if failures >= PAUSE_AFTER or answer.status_code == GONE:
        said = f"{failures} failures in a row, the last one: {answer.error or f'status {answer.status_code}'}"
        if await set_paused(tx, webhook.id, said):
            await audit.record(system(tx.tenant_id, JOB), "webhook.pause", str(webhook.id), reason=said)
            log.warning("webhook %s of brand %d is paused: %s", webhook.id, tx.tenant_id, said)
