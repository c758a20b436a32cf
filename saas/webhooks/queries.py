"""Webhooks, deliveries and attempts as they are read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Row, Tx, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.events.rules import EventKind
from saas.webhooks.rules import DeliveryStatus, WebhookStatus
from tenants.actors import Role

_WEBHOOK = "id, name, url, kinds, payload, role, status, old_until, failures, paused_at, pause_reason, created_at"
_DELIVERY = "id, webhook_id, event_id, status, attempts, next_at, created_at, delivered_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookView:
    """A webhook without its secret. No ``kinds`` mean all; ``failures`` are those since the last success."""

    id: UUID
    name: str
    url: str
    kinds: Sequence[EventKind]
    payload: str
    role: Role
    status: WebhookStatus
    old_until: datetime | None
    failures: int
    paused_at: datetime | None
    pause_reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryView:
    """An event on its way; ``next_at`` is when it is tried next, while it is pending."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    status: DeliveryStatus
    attempts: int
    next_at: datetime
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt: the receiver's answer, or why there was none."""

    no: int
    at: datetime
    status_code: int | None
    error: str | None
    duration_ms: int
    excerpt: str | None


async def webhooks() -> Sequence[WebhookView]:
    """The brand's webhooks, the latest first, without those that were removed."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_WEBHOOK} FROM webhook WHERE tenant_id = $1 AND status <> 'removed' ORDER BY id DESC",
            tx.tenant_id,
        )
    return [_webhook(row) for row in rows]


async def webhook(webhook_id: UUID, field: str = "id") -> WebhookView:
    """One webhook. Raises ``NotFound``, also for one that was removed."""
    async with reading() as tx:
        return await read_webhook(tx, webhook_id, field)


async def read_webhook(tx: Tx, webhook_id: UUID, field: str, *, lock: bool = False) -> WebhookView:
    """The same within a transaction, perhaps held until its end."""
    row = await tx.row(
        f"SELECT {_WEBHOOK} FROM webhook WHERE tenant_id = $1 AND id = $2 AND status <> 'removed'"
        f"{tx.for_update if lock else ''}",
        *(tx.tenant_id, webhook_id),
    )
    if row is None:
        raise NotFound(field, kind="webhook", value=webhook_id)
    return _webhook(row)


async def deliveries(
    webhook_id: UUID, page: PageRequest, *, statuses: Collection[DeliveryStatus] | None = None
) -> Page[DeliveryView]:
    """What was, or is to be, delivered to a webhook, the latest first. Raises ``NotFound``."""
    async with reading() as tx:
        await read_webhook(tx, webhook_id, "webhookId")
        where = Where(tx)
        where.add("webhook_id = $", webhook_id)
        if statuses is not None:
            where.within("status", [status.value for status in statuses])
        if page.after:
            moment, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("created_at", "id"), (moment, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_DELIVERY} FROM webhook_delivery WHERE {where.sql} "
            f"ORDER BY created_at DESC, id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [DeliveryView(**{**row, "status": DeliveryStatus(row["status"])}) for row in rows]
    return page_of(found, page, [encode_cursor(one.created_at, one.id) for one in found])


async def attempts_of(delivery_ids: Collection[UUID]) -> Mapping[UUID, Sequence[AttemptView]]:
    """The attempts of each delivery, in their order, in one statement."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT delivery_id, no, at, status_code, error, duration_ms, excerpt FROM webhook_attempt "
            f"WHERE tenant_id = $1 AND delivery_id {tx.within(2, 'uuid')} ORDER BY delivery_id, no",
            *(tx.tenant_id, list(delivery_ids)),
        )
    found: dict[UUID, list[AttemptView]] = {id_: [] for id_ in delivery_ids}
    for row in rows:
        found[row["delivery_id"]].append(AttemptView(**{k: v for k, v in row.items() if k != "delivery_id"}))
    return found


def _webhook(row: Row) -> WebhookView:
    until = row["old_until"]
    return WebhookView(
        **{
            **row,
            "kinds": [EventKind(kind) for kind in orjson.loads(row["kinds"])],
            "role": Role(row["role"]),
            "status": WebhookStatus(row["status"]),
            "old_until": until if until is not None and until > clock.now() else None,
        }
    )
