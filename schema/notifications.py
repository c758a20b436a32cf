"""A member's inbox."""

from datetime import datetime
from typing import Annotated

import strawberry

from saas.base.ids import NotificationId
from saas.notifications import commands, queries
from saas.notifications.queries import NotificationView
from saas.notifications.rules import EventKind
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, maybe_global, to_global
from schema.limits import at_most_a_thousand
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request

described(
    "What a member is told of.",
    name="NotificationKind",
    ORDER_PAID="One's order was paid.",
    COMMISSION_AVAILABLE="Holds of one's commission ended.",
    STATEMENT_READY="One's statement was written.",
    PAYOUT_PAID="One's payout was paid.",
    PAYOUT_FAILED="A payout failed; the brand's finance is told too.",
    EXIT_EXECUTED="Somebody left; the brand's operations are told.",
    TIER_CHANGED="One has another tier.",
)(EventKind)

_SUBJECTS = {
    EventKind.ORDER_PAID: "Order",
    EventKind.STATEMENT_READY: "Statement",
    EventKind.PAYOUT_PAID: "Payout",
    EventKind.PAYOUT_FAILED: "Payout",
    EventKind.EXIT_EXECUTED: "ExitCase",
    EventKind.COMMISSION_AVAILABLE: "Distributor",
    EventKind.TIER_CHANGED: "Distributor",
}


@strawberry.type(description="What a member was told (通知).")
class Notification:
    """A notification."""

    view: strawberry.Private[NotificationView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    kind: EventKind = strawberry.field(description="What happened.")
    subject_id: strawberry.ID | None = strawberry.field(
        description="The order, statement, payout, exit or distributor."
    )
    at: datetime = strawberry.field(description="When it happened.")
    read_at: datetime | None = strawberry.field(description="When it was taken for read.")

    @strawberry.field(description="One sentence, in the caller's language.")
    def message(self, info: Info) -> str:
        """What happened."""
        said = self.view.message
        return said.zh if info.context.locale.lower().startswith("zh") else said.en


def notification(view: NotificationView) -> Notification:
    """A notification for the API."""
    return Notification(
        view=view,
        id=to_global("Notification", view.id),
        kind=view.kind,
        subject_id=maybe_global(_SUBJECTS[view.kind], view.subject_id),
        at=view.at,
        read_at=view.read_at,
    )


@strawberry.input(description="What of one's inbox was read.")
class MarkNotificationsReadInput:
    """Notifications."""

    ids: list[strawberry.ID] | None = strawberry.field(default=None, description="Up to 1,000; all by default.")


@strawberry.type(description="What was taken for read.")
class MarkNotificationsReadPayload(Payload):
    """Answer of reading."""

    marked: int = strawberry.field(default=0, description="How many were unread before. Others' are left alone.")


@strawberry.type
class NotificationQuery:
    """Reads of one's inbox."""

    @strawberry.field(description="One's own notifications, the latest first.")
    async def notifications(
        self,
        info: Info,
        unread: Annotated[bool, strawberry.argument(description="Only those that are not read.")] = False,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Notification]:
        """A page of notifications."""
        page = await queries.inbox(info.context.who, request(first, after), unread=unread)
        return connection(page, notification, after)

    @strawberry.field(description="How many of one's own notifications are not read.")
    async def unread_notification_count(self, info: Info) -> int:
        """A count."""
        return await queries.unread_count(info.context.who)


@strawberry.type
class NotificationMutation:
    """Writes of one's inbox."""

    @strawberry.mutation(description="Take notifications for read. The same again changes nothing.")
    @refusals(MarkNotificationsReadPayload)
    async def mark_notifications_read(
        self, info: Info, input: In[MarkNotificationsReadInput]
    ) -> MarkNotificationsReadPayload:
        """Mark them."""
        ids = None
        if input.ids is not None:
            at_most_a_thousand(input.ids, "input.ids")
            ids = [NotificationId(from_global("Notification", one, "input.ids")) for one in input.ids]
        return MarkNotificationsReadPayload(marked=await commands.mark_read(ids, info.context.who))
