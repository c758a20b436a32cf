"""What is done with webhooks."""

from datetime import datetime, timedelta
from uuid import UUID

import strawberry

from saas.events.rules import EventKind
from saas.webhooks import commands
from saas.webhooks.commands import WebhookContent
from schema.context import Info
from schema.errors import In, Payload, refusals
from schema.ids import from_global
from schema.limits import at_most_a_thousand
from schema.payloads import check_payload
from schema.people import DonePayload, MemberRole
from schema.webhooks import Webhook, webhook
from tenants.actors import Role

PAYLOAD = "{ id kind at subjectId distributorId amount { amountMinor currency } }"
"""What a message holds unless a brand says otherwise."""


@strawberry.input(description="A webhook as it shall be.")
class CreateWebhookInput:
    """A webhook."""

    name: str = strawberry.field(description="What it is for, 1 to 100 characters.")
    url: str = strawberry.field(description="Where to post: https, a public server.")
    kinds: list[EventKind] = strawberry.field(default_factory=list, description="What to tell; everything by default.")
    payload: str = strawberry.field(default=PAYLOAD, description="The selection of Event to send as `data`.")
    role: MemberRole = strawberry.field(default=MemberRole.AUDITOR, description="The role whose eyes it is read with.")


@strawberry.input(description="A webhook, and what it shall be from now on; what is left out becomes the default.")
class ChangeWebhookInput(CreateWebhookInput):
    """A webhook."""

    id: strawberry.ID = strawberry.field(description="Which one.")


@strawberry.input(description="A webhook.")
class WebhookInput:
    """A webhook."""

    id: strawberry.ID = strawberry.field(description="Which one.")


@strawberry.input(description="A webhook whose secret is replaced.")
class RotateWebhookSecretInput:
    """A webhook, and how long the old secret signs beside the new one."""

    id: strawberry.ID = strawberry.field(description="Which one.")
    overlap_hours: int = strawberry.field(
        default=24, description="How long the old secret still signs too, up to 720 hours; 0 ends it at once."
    )


@strawberry.input(description="What to deliver again: `ids`, or all that failed `since`.")
class ReplayWebhookDeliveriesInput:
    """Deliveries of one webhook."""

    webhook_id: strawberry.ID = strawberry.field(description="Which webhook.")
    ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Up to 1,000 deliveries.")
    since: datetime | None = strawberry.field(default=None, description="All that failed then or later.")


@strawberry.type(description="A webhook as it is now.")
class WebhookPayload(Payload):
    """Answer of the mutations of webhooks."""

    webhook: Webhook | None = strawberry.field(default=None, description="The webhook; none when refused.")
    secret: str | None = strawberry.field(default=None, description="A new secret (whsec_…), told this once.")


@strawberry.type(description="What is delivered again.")
class ReplayWebhookDeliveriesPayload(Payload):
    """Answer of a replay."""

    count: int = strawberry.field(default=0, description="How many deliveries were begun anew.")


@strawberry.type
class WebhookMutation:
    """Writes of webhooks."""

    @strawberry.mutation(description="Make a webhook. Its secret is told this once.")
    @refusals(WebhookPayload)
    async def create_webhook(self, info: Info, input: In[CreateWebhookInput]) -> WebhookPayload:
        """A new webhook."""
        made = await commands.create(_content(info, input), info.context.who)
        return WebhookPayload(webhook=webhook(made.webhook), secret=made.secret)

    @strawberry.mutation(description="Say anew where and what a webhook is told; what waits follows the new words.")
    @refusals(WebhookPayload)
    async def change_webhook(self, info: Info, input: In[ChangeWebhookInput]) -> WebhookPayload:
        """Change it."""
        found = await commands.change(_id(input.id), _content(info, input), info.context.who)
        return WebhookPayload(webhook=webhook(found))

    @strawberry.mutation(description="Let events wait. The same again changes nothing.")
    @refusals(WebhookPayload)
    async def pause_webhook(self, info: Info, input: In[WebhookInput]) -> WebhookPayload:
        """Pause it."""
        return WebhookPayload(webhook=webhook(await commands.pause(_id(input.id), info.context.who)))

    @strawberry.mutation(description="Go on, with what has waited first. The same again changes nothing.")
    @refusals(WebhookPayload)
    async def resume_webhook(self, info: Info, input: In[WebhookInput]) -> WebhookPayload:
        """Resume it."""
        return WebhookPayload(webhook=webhook(await commands.resume(_id(input.id), info.context.who)))

    @strawberry.mutation(description="End a webhook for good, with what waits for it.")
    @refusals(WebhookPayload)
    async def remove_webhook(self, info: Info, input: In[WebhookInput]) -> WebhookPayload:
        """Remove it."""
        return WebhookPayload(webhook=webhook(await commands.remove(_id(input.id), info.context.who)))

    @strawberry.mutation(description="A new secret, told this once; the old one signs a while longer.")
    @refusals(WebhookPayload)
    async def rotate_webhook_secret(self, info: Info, input: In[RotateWebhookSecretInput]) -> WebhookPayload:
        """Rotate it."""
        overlap = timedelta(hours=input.overlap_hours)
        made = await commands.rotate_secret(_id(input.id), overlap, info.context.who)
        return WebhookPayload(webhook=webhook(made.webhook), secret=made.secret)

    @strawberry.mutation(description="Tell a webhook of a test event; the delivery log says what came of it.")
    @refusals(DonePayload)
    async def test_webhook(self, info: Info, input: In[WebhookInput]) -> DonePayload:
        """Test it."""
        await commands.test(_id(input.id), info.context.who)
        return DonePayload(done=True)

    @strawberry.mutation(description="Deliver again, whatever came of it before; those that wait are left alone.")
    @refusals(ReplayWebhookDeliveriesPayload)
    async def replay_webhook_deliveries(
        self, info: Info, input: In[ReplayWebhookDeliveriesInput]
    ) -> ReplayWebhookDeliveriesPayload:
        """Replay them."""
        at_most_a_thousand(input.ids or (), "input.ids")
        ids = None if input.ids is None else [from_global("WebhookDelivery", one, "input.ids") for one in input.ids]
        which = from_global("Webhook", input.webhook_id, "input.webhookId")
        count = await commands.replay(which, info.context.who, ids=ids, since=input.since)
        return ReplayWebhookDeliveriesPayload(count=count)


def _id(given: strawberry.ID) -> UUID:
    return from_global("Webhook", given, "input.id")


def _content(info: Info, given: CreateWebhookInput) -> WebhookContent:
    """What was said, its payload checked against the schema and what the role may read."""
    role = Role(given.role.value)
    payload = check_payload(info.schema._schema, given.payload, role, "input.payload")
    return WebhookContent(name=given.name, url=given.url, kinds=given.kinds, payload=payload, role=role)
