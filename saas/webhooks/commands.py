"""Making and keeping webhooks; having what was delivered delivered again; telling them of events."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.errors import InvalidInput, NotFound, Said, WrongState
from saas.base.ids import new_id
from saas.base.settings import get_settings
from saas.base.vault import seal, unseal
from saas.events.commands import tell_now
from saas.events.rules import KEPT, Event, EventKind, Numbered
from saas.jobs.commands import enqueue, forget_done, waits_already
from saas.webhooks.errors import WebhooksFull
from saas.webhooks.queries import WebhookView, read_webhook
from saas.webhooks.rules import (
    OVERLAP_MOST,
    SECRET_BYTES,
    WEBHOOKS_MOST,
    WebhookStatus,
    checked_url,
    secret_of,
    wants,
)
from tenants import audit
from tenants.actors import Actor, Role, system

JOB = "webhook.deliver"
"""The kind of the jobs that deliver."""
ROLES = (Role.OWNER, Role.FINANCE, Role.OPERATIONS, Role.AUDITOR)
"""Whose eyes a payload may be read with."""
NAME_LONGEST = 100
FORGOTTEN_AT_ONCE = 5_000
JOBS_KEPT = timedelta(days=1)
"""How long the jobs that have delivered are kept: the deliveries say what came of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookContent:
    """What a brand says about a webhook: a payload that was checked for the role, and no kinds for all of them."""

    name: str
    url: str
    kinds: Sequence[EventKind]
    payload: str
    role: Role


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A webhook with the secret that is told this once."""

    webhook: WebhookView
    secret: str


async def create(content: WebhookContent, actor: Actor) -> NewSecret:
    """Make a webhook. Raises ``InvalidInput``, ``WebhookUrlRefused`` or ``WebhooksFull``."""
    content = _checked(content)
    id_, secret = new_id(), secret_of(secrets.token_bytes(SECRET_BYTES))
    async with transaction() as tx:
        # Two at once both counted too few would be one too many; the brand's own row lets one in after the other.
        await tx.rows(f"SELECT id FROM tenant WHERE id = $1{tx.for_update}", tx.tenant_id)
        count = await tx.value(
            "SELECT count(*) FROM webhook WHERE tenant_id = $1 AND status <> 'removed'", tx.tenant_id
        )
        if count >= WEBHOOKS_MOST:
            raise WebhooksFull("input", most=WEBHOOKS_MOST)
        columns = ("id", *_COLUMNS, "status", "sealed", "failures", "created_by", "created_at")
        row = (id_, *_row(content), WebhookStatus.ACTIVE.value, seal(secret, id_), 0, actor.id, clock.now())
        await tx.insert_many("webhook", columns, [row])
        await audit.record(actor, "webhook.create", str(id_), url=content.url, role=content.role)
        return NewSecret(await read_webhook(tx, id_, "input.id"), secret)


async def change(webhook_id: UUID, content: WebhookContent, actor: Actor) -> WebhookView:
    """Say it anew; what waits is delivered by the new words. Raises ``NotFound`` or as ``create``."""
    content = _checked(content)
    async with transaction() as tx:
        before = await read_webhook(tx, webhook_id, "input.id", lock=True)
        sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(_COLUMNS, start=3))
        await tx.execute(
            f"UPDATE webhook SET {sets} WHERE tenant_id = $1 AND id = $2", tx.tenant_id, webhook_id, *_row(content)
        )
        await audit.record(actor, "webhook.change", str(webhook_id), before=before.url, url=content.url)
        return await read_webhook(tx, webhook_id, "input.id")


async def pause(webhook_id: UUID, actor: Actor) -> WebhookView:
    """Let events wait. Again changes nothing. Raises ``NotFound``."""
    async with transaction() as tx:
        if await set_paused(tx, webhook_id, None):
            await audit.record(actor, "webhook.pause", str(webhook_id))
        return await read_webhook(tx, webhook_id, "input.id")


async def set_paused(tx: Tx, webhook_id: UUID, reason: str | None) -> bool:
    """Pause an active webhook; answers whether it was active."""
    paused = await tx.execute(
        "UPDATE webhook SET status = 'paused', paused_at = $3, pause_reason = $4 "
        "WHERE tenant_id = $1 AND id = $2 AND status = 'active'",
        *(tx.tenant_id, webhook_id, clock.now(), reason),
    )
    return paused == 1


async def resume(webhook_id: UUID, actor: Actor) -> WebhookView:
    """Go on, with what has waited first. Again changes nothing. Raises ``NotFound``."""
    async with transaction() as tx:
        resumed = await tx.execute(
            "UPDATE webhook SET status = 'active', paused_at = NULL, pause_reason = NULL, failures = 0 "
            "WHERE tenant_id = $1 AND id = $2 AND status = 'paused'",
            *(tx.tenant_id, webhook_id),
        )
        found = await read_webhook(tx, webhook_id, "input.id")
        if resumed:
            await tx.execute(
                "UPDATE webhook_delivery SET next_at = $3 WHERE tenant_id = $1 AND webhook_id = $2 "
                "AND status = 'pending'",
                *(tx.tenant_id, webhook_id, clock.now()),
            )
            await audit.record(actor, "webhook.resume", str(webhook_id))
            await deliver_soon(tx)
        return found


async def remove(webhook_id: UUID, actor: Actor) -> WebhookView:
    """End a webhook for good; what waits is given up, and the secret forgotten. Raises ``NotFound``."""
    async with transaction() as tx:
        found = await read_webhook(tx, webhook_id, "input.id", lock=True)
        await tx.execute(
            "UPDATE webhook SET status = 'removed', sealed = '', old_sealed = NULL WHERE tenant_id = $1 AND id = $2",
            *(tx.tenant_id, webhook_id),
        )
        await tx.execute(
            "UPDATE webhook_delivery SET status = 'failed' WHERE tenant_id = $1 AND webhook_id = $2 "
            "AND status = 'pending'",
            *(tx.tenant_id, webhook_id),
        )
        await audit.record(actor, "webhook.remove", str(webhook_id), url=found.url)
        return replace(found, status=WebhookStatus.REMOVED)


async def rotate_secret(webhook_id: UUID, overlap: timedelta, actor: Actor) -> NewSecret:
    """A new secret; the old one signs beside it for ``overlap``. Raises ``NotFound`` or ``InvalidInput``."""
    if not timedelta() <= overlap <= OVERLAP_MOST:
        hours = OVERLAP_MOST // timedelta(hours=1)
        remedy = Said(f"give 0 to {hours} hours", f"请填写 0 至 {hours} 小时")
        raise InvalidInput("input.overlapHours", value=overlap // timedelta(hours=1), remedy=remedy)
    secret = secret_of(secrets.token_bytes(SECRET_BYTES))
    async with transaction() as tx:
        await read_webhook(tx, webhook_id, "input.id", lock=True)
        await tx.execute(
            "UPDATE webhook SET old_sealed = sealed, old_until = $3, sealed = $4 WHERE tenant_id = $1 AND id = $2",
            *(tx.tenant_id, webhook_id, clock.now() + overlap, seal(secret, webhook_id)),
        )
        await audit.record(actor, "webhook.rotate_secret", str(webhook_id), hours=overlap // timedelta(hours=1))
        return NewSecret(await read_webhook(tx, webhook_id, "input.id"), secret)


async def secrets_of(tx: Tx, webhook_id: UUID) -> Sequence[str]:
    """The secrets that sign now, the present one first."""
    row = await tx.row(
        "SELECT sealed, old_sealed, old_until FROM webhook WHERE tenant_id = $1 AND id = $2", tx.tenant_id, webhook_id
    )
    if row is None:
        raise NotFound("id", kind="webhook", value=webhook_id)
    both = row["old_sealed"] is not None and row["old_until"] > clock.now()
    return [unseal(sealed, webhook_id) for sealed in (row["sealed"], *([row["old_sealed"]] if both else []))]


async def test(webhook_id: UUID, actor: Actor) -> None:
    """Have an event delivered to this webhook alone. Raises ``NotFound``, or ``WrongState`` while it is paused."""
    async with transaction() as tx:
        found = await read_webhook(tx, webhook_id, "input.id")
        if found.status is not WebhookStatus.ACTIVE:
            raise WrongState("input.id", kind="webhook", state=found.status, needed=WebhookStatus.ACTIVE)
        await tell_now([Event(EventKind.WEBHOOK_TEST, webhook_id)])
        await audit.record(actor, "webhook.test", str(webhook_id))


async def replay(
    webhook_id: UUID, actor: Actor, *, ids: Collection[UUID] | None = None, since: datetime | None = None
) -> int:
    """Have deliveries made again, whatever came of them: those named, or those that failed ``since``; answers how many.

    Those of another webhook are left alone. Raises ``NotFound`` or ``InvalidInput``.
    """
    if (ids is None) == (since is None):
        remedy = Said("give deliveries, or a moment since when", "请填写推送记录，或起始时间，二者取一")
        raise InvalidInput("input", value="-", remedy=remedy)
    async with transaction() as tx:
        await read_webhook(tx, webhook_id, "input.webhookId")
        chosen = f"id {tx.within(4, 'uuid')}" if ids is not None else "status = 'failed' AND created_at >= $4"
        count = await tx.execute(
            f"UPDATE webhook_delivery SET status = 'pending', next_at = $3, tries_from = attempts, "
            f"delivered_at = NULL WHERE tenant_id = $1 AND webhook_id = $2 AND status <> 'pending' AND {chosen}",
            *(tx.tenant_id, webhook_id, clock.now(), since if ids is None else list(ids)),
        )
        if count:
            await audit.record(actor, "webhook.replay", str(webhook_id), deliveries=count)
            await deliver_soon(tx)
    return count


async def fan_out(tx: Tx, events: Sequence[Numbered]) -> None:
    """Have events delivered to the webhooks that want them; those of a paused one wait. A follower of ``publish``."""
    rows = await tx.rows(
        "SELECT id, kinds, status FROM webhook WHERE tenant_id = $1 AND status IN ('active', 'paused')", tx.tenant_id
    )
    now = clock.now()
    due = [
        (new_id(), row["id"], one.id, "pending", 0, 0, now, now)
        for row in rows
        for kinds in [frozenset(EventKind(kind) for kind in orjson.loads(row["kinds"]))]
        for one in events
        if wants(kinds, row["id"], one.kind, one.subject_id)
    ]
    if due:
        columns = ("id", "webhook_id", "event_id", "status", "attempts", "tries_from", "next_at", "created_at")
        await tx.insert_many("webhook_delivery", columns, due, or_ignore=True)
        await deliver_soon(tx)


async def deliver_soon(tx: Tx, at: datetime | None = None) -> None:
    """Have a job deliver what is due, at a moment or now, unless one that waits will do it by then."""
    if not await waits_already(tx, JOB, at or clock.now()):
        await enqueue(JOB, {}, actor=system(tx.tenant_id, JOB), run_at=at)


async def deliver_left() -> None:
    """Have a job deliver what is due and was forgotten, should that ever happen. A chore of each brand."""
    async with transaction() as tx:
        due = await tx.value(
            "SELECT 1 FROM webhook_delivery d JOIN webhook w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id "
            "WHERE d.tenant_id = $1 AND d.status = 'pending' AND d.next_at <= $2 AND w.status = 'active' LIMIT 1",
            *(tx.tenant_id, clock.now()),
        )
        if due:
            await deliver_soon(tx)


async def forget_deliveries() -> int:
    """Drop deliveries as old as events become, with their attempts; answers how many. A chore of each brand."""
    async with transaction() as tx:
        rows = await tx.rows(
            f"SELECT id FROM webhook_delivery WHERE tenant_id = $1 AND created_at < $2 "
            f"ORDER BY created_at LIMIT {FORGOTTEN_AT_ONCE}",
            *(tx.tenant_id, clock.now() - KEPT),
        )
        ids = [row["id"] for row in rows]
        for table, column in (("webhook_attempt", "delivery_id"), ("webhook_delivery", "id")):
            old = f"{column} {tx.within(2, 'uuid')}"
            await tx.execute(f"DELETE FROM {table} WHERE tenant_id = $1 AND {old}", tx.tenant_id, ids)
        await forget_done(tx, JOB, clock.now() - JOBS_KEPT)
    return len(ids)


_COLUMNS = ("name", "url", "kinds", "payload", "role")


def _row(content: WebhookContent) -> tuple[object, ...]:
    kinds = orjson.dumps(sorted(content.kinds)).decode()
    return (content.name, content.url, kinds, content.payload, content.role.value)


def _checked(content: WebhookContent) -> WebhookContent:
    name = content.name.strip()
    if not 0 < len(name) <= NAME_LONGEST:
        remedy = Said(f"give a name of 1 to {NAME_LONGEST} characters", f"请填写 1 至 {NAME_LONGEST} 个字符的名称")
        raise InvalidInput("input.name", value=content.name[:NAME_LONGEST], remedy=remedy)
    if content.role not in ROLES:
        remedy = Said(f"choose from {', '.join(ROLES)}", f"请从以下选项中选择：{', '.join(ROLES)}")
        raise InvalidInput("input.role", value=content.role, remedy=remedy)
    if EventKind.WEBHOOK_TEST in content.kinds:
        remedy = Said("leave it out: a test is always told", "请不填写：测试事件总会推送")
        raise InvalidInput("input.kinds", value=EventKind.WEBHOOK_TEST, remedy=remedy)
    url = checked_url(content.url.strip(), "input.url", loopback=get_settings().webhook_loopback)
    return replace(content, name=name, url=url, kinds=sorted(set(content.kinds)))
