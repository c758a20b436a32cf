"""Webhooks: where a brand's other systems are told of events."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from saas.events import queries as events
from saas.events.rules import EventKind
from saas.webhooks import queries
from saas.webhooks.queries import AttemptView, DeliveryView, WebhookView
from saas.webhooks.rules import DeliveryStatus, WebhookStatus
from schema.context import Info, by_key
from schema.enums import described
from schema.events import Event, event
from schema.ids import from_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.people import MemberRole

described(
    "Whether events are told to a webhook.",
    ACTIVE="They are.",
    PAUSED="They wait, for as long as events are kept.",
    REMOVED="It has ended.",
)(WebhookStatus)
described(
    "Where a delivery is.",
    name="WebhookDeliveryStatus",
    PENDING="It is tried, or will be.",
    DELIVERED="The receiver has it.",
    FAILED="It was given up; it can be replayed.",
)(DeliveryStatus)


@strawberry.type(description="Where a brand wants events to be told (网络钩子).")
class Webhook:
    """A webhook without its secret."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    name: str = strawberry.field(description="What it is for.")
    url: str = strawberry.field(description="Where messages are posted.")
    kinds: list[EventKind] = strawberry.field(description="What is told; nothing here means everything.")
    payload: str = strawberry.field(description="The selection of Event that a message holds as `data`.")
    role: MemberRole = strawberry.field(description="Whose eyes it is read with.")
    status: WebhookStatus = strawberry.field(description="Whether it is told.")
    failures: int = strawberry.field(description="Failures since the last success.")
    paused_at: datetime | None = strawberry.field(description="Since when it waits.")
    pause_reason: str | None = strawberry.field(description="Why, when nobody paused it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    old_secret_until: datetime | None = strawberry.field(description="How long the old secret still signs too.")


def webhook(view: WebhookView) -> Webhook:
    """A webhook for the API."""
    return Webhook(
        id=to_global("Webhook", view.id),
        name=view.name,
        url=view.url,
        kinds=list(view.kinds),
        payload=view.payload,
        role=MemberRole(view.role.value),
        status=view.status,
        failures=view.failures,
        paused_at=view.paused_at,
        pause_reason=view.pause_reason,
        created_at=view.created_at,
        old_secret_until=view.old_until,
    )


@strawberry.type(description="One attempt to deliver.")
class WebhookAttempt:
    """The receiver's answer, or why there was none."""

    no: int = strawberry.field(description="Which one, from 1.")
    at: datetime = strawberry.field(description="When it ended.")
    status_code: int | None = strawberry.field(description="The receiver's HTTP status.")
    error: str | None = strawberry.field(description="Why there was no answer.")
    duration_ms: int = strawberry.field(description="How long it took.")
    excerpt: str | None = strawberry.field(description="The beginning of the receiver's answer.")


def attempt(view: AttemptView) -> WebhookAttempt:
    """An attempt for the API."""
    return WebhookAttempt(
        no=view.no,
        at=view.at,
        status_code=view.status_code,
        error=view.error,
        duration_ms=view.duration_ms,
        excerpt=view.excerpt,
    )


@strawberry.type(description="An event on its way to a webhook.")
class WebhookDelivery:
    """A delivery."""

    view: strawberry.Private[DeliveryView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    webhook_id: strawberry.ID = strawberry.field(description="To which webhook.")
    status: DeliveryStatus = strawberry.field(description="Where it is.")
    attempts: int = strawberry.field(description="How often it was tried.")
    next_at: datetime | None = strawberry.field(description="When it is tried next.")
    created_at: datetime = strawberry.field(description="When the event became known.")
    delivered_at: datetime | None = strawberry.field(description="When the receiver took it.")

    @strawberry.field(description="What happened; none when the event is no longer kept.")
    async def event(self, info: Info) -> Event | None:
        """The event."""

        async def load(ids: list[UUID]) -> list[Event | None]:
            return by_key(ids, {id_: event(row) for id_, row in (await events.events_by_id(ids)).items()})

        return await info.context.loader("delivery.event", load).load(self.view.event_id)

    @strawberry.field(description="Every attempt, the first one first.")
    async def tries(self, info: Info) -> list[WebhookAttempt]:
        """The attempts."""

        async def load(ids: list[UUID]) -> list[list[WebhookAttempt]]:
            found = await queries.attempts_of(ids)
            return [[attempt(one) for one in found[id_]] for id_ in ids]

        return await info.context.loader("delivery.tries", load).load(self.view.id)


def delivery(view: DeliveryView) -> WebhookDelivery:
    """A delivery for the API."""
    return WebhookDelivery(
        view=view,
        id=to_global("WebhookDelivery", view.id),
        webhook_id=to_global("Webhook", view.webhook_id),
        status=view.status,
        attempts=view.attempts,
        next_at=view.next_at if view.status is DeliveryStatus.PENDING else None,
        created_at=view.created_at,
        delivered_at=view.delivered_at,
    )


@strawberry.type
class WebhookQuery:
    """Reads of webhooks."""

    @strawberry.field(description="The brand's webhooks, the latest first.")
    async def webhooks(self) -> list[Webhook]:
        """All of them; a brand has at most twenty."""
        return [webhook(view) for view in await queries.webhooks()]

    @strawberry.field(description="One webhook.")
    async def webhook(self, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]) -> Webhook:
        """A webhook."""
        return webhook(await queries.webhook(from_global("Webhook", id, "id")))

    @strawberry.field(description="What was, or is to be, delivered to a webhook, the latest first.")
    async def webhook_deliveries(
        self,
        webhook_id: Annotated[strawberry.ID, strawberry.argument(description="Which webhook.")],
        statuses: Annotated[
            list[DeliveryStatus] | None, strawberry.argument(description="Only these statuses.")
        ] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[WebhookDelivery]:
        """A page of the delivery log."""
        which = from_global("Webhook", webhook_id, "webhookId")
        page = await queries.deliveries(which, request(first, after), statuses=statuses)
        return connection(page, delivery, after)
