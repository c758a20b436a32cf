"""Events: what happened, as a list that can be gone on with, and as a subscription."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry

from saas.base.errors import DomainError
from saas.events import queries
from saas.events.audience import wanted_by
from saas.events.errors import StreamBroken
from saas.events.following import follow
from saas.events.rules import EventKind, Numbered, Subject
from saas.exits.queries import exits_by_id
from saas.jobs.queries import jobs_by_id
from saas.ledger.queries import balances_of
from saas.orders.queries import orders_by_id
from saas.payouts.queries import payouts_by_id
from schema.context import Info, by_key
from schema.enums import described
from schema.exits import ExitCase, exit_case
from schema.ids import from_global, maybe_global, split_global, to_global
from schema.jobs import Job, job
from schema.orders import Order, order
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.payouts import Payout, payout
from schema.scalars import Money, money
from schema.settlement import Balance, balance

log = logging.getLogger("banyan.events")
T = TypeVar("T")

described(
    "What happened.",
    ORDER_PLACED="An order was placed.",
    ORDER_PAID="An order was paid.",
    ORDER_SHIPPED="An order was shipped.",
    ORDER_DELIVERED="An order was delivered.",
    ORDER_CLOSED="An order was closed.",
    ORDER_CANCELLED="An order was cancelled.",
    COMMISSION_EARNED="An order earned somebody commission; the subject is the order.",
    COMMISSION_AVAILABLE="Holds of somebody's commission ended; the subject is the distributor.",
    COMMISSION_SETTLED="Somebody's statement was written; the subject is the statement.",
    COMMISSION_REVERSED="Commission on an order was taken back; the subject is the order.",
    BALANCE_CHANGED="Somebody's balances changed; the subject is the distributor.",
    PAYOUT_REQUESTED="A payout was asked for, or waits again.",
    PAYOUT_BATCHED="A payout was put into a batch.",
    PAYOUT_SENT="A payout was handed to the provider.",
    PAYOUT_PAID="A payout was paid.",
    PAYOUT_FAILED="A payout failed; the money is back.",
    PAYOUT_CANCELLED="A payout was withdrawn.",
    EXIT_QUOTED="An exit was quoted.",
    EXIT_APPROVED="An exit was approved.",
    EXIT_REJECTED="An exit was turned down.",
    EXIT_WITHDRAWN="An exit was taken back.",
    EXIT_EXECUTED="An exit was executed.",
    EXIT_CLOSED="An exit was closed.",
    JOB_QUEUED="A job was asked for.",
    JOB_STARTED="A worker began a job.",
    JOB_PROGRESSED="A job is at a new step, or a tenth of one further.",
    JOB_DONE="A job came to its end.",
    JOB_FAILED="A job failed for good.",
    JOB_CANCELLED="A job was given up.",
    WEBHOOK_TEST="Somebody tests a webhook; the subject is the webhook.",
)(EventKind)

_SUBJECTS = {
    Subject.ORDER: "Order",
    Subject.COMMISSION: "Order",
    Subject.BALANCE: "Distributor",
    Subject.PAYOUT: "Payout",
    Subject.EXIT: "ExitCase",
    Subject.JOB: "Job",
    Subject.WEBHOOK: "Webhook",
}
_OTHERWISE = {EventKind.COMMISSION_AVAILABLE: "Distributor", EventKind.COMMISSION_SETTLED: "Statement"}


@strawberry.type(description="Something that happened (事件). What it is about is told as it stands now.")
class Event:
    """An event; each of the things it may be about is there for its own kinds alone."""

    row: strawberry.Private[Numbered]
    id: strawberry.ID = strawberry.field(description="Global id.")
    cursor: str = strawberry.field(description="Its place: pass it as `after` to go on from here.")
    kind: EventKind = strawberry.field(description="What happened.")
    at: datetime = strawberry.field(description="When it happened.")
    subject_id: strawberry.ID = strawberry.field(description="To what.")
    distributor_id: strawberry.ID | None = strawberry.field(description="Whose it is, where it is a distributor's.")
    amount: Money | None = strawberry.field(description="The money that was moved, where that is what happened.")

    @strawberry.field(description="The order, of an event of one.")
    async def order(self, info: Info) -> Order | None:
        """As it stands now."""
        return await _of(info, self.row, Subject.ORDER, orders_by_id, order)

    @strawberry.field(description="The payout, of an event of one.")
    async def payout(self, info: Info) -> Payout | None:
        """As it stands now."""
        return await _of(info, self.row, Subject.PAYOUT, payouts_by_id, payout)

    @strawberry.field(description="The exit, of an event of one.")
    async def exit(self, info: Info) -> ExitCase | None:
        """As it stands now."""
        return await _of(info, self.row, Subject.EXIT, exits_by_id, exit_case)

    @strawberry.field(description="The balances as they stand now, of a change of them.")
    async def balance(self, info: Info) -> Balance | None:
        """As they stand now."""
        currency = await info.context.currency()
        return await _of(info, self.row, Subject.BALANCE, balances_of, lambda found: balance(found, currency))

    @strawberry.field(description="The job, of an event of one.")
    async def job(self, info: Info) -> Job | None:
        """As it stands now."""
        return await _of(info, self.row, Subject.JOB, jobs_by_id, job)


async def _of(
    info: Info,
    row: Numbered,
    subject: Subject,
    read: Callable[[list[Any]], Awaitable[Mapping[Any, Any]]],
    make: Callable[[Any], T],
) -> T | None:
    """What an event is about, read together with that of the others on its page."""
    if row.kind.subject is not subject:
        return None

    async def load(ids: list[UUID]) -> list[Any]:
        return by_key(ids, dict(await read(ids)))

    found = await info.context.loader(f"event.{subject}", load).load(row.subject_id)
    return None if found is None else make(found)


def event(row: Numbered) -> Event:
    """An event for the API."""
    amount = None if row.amount_minor is None or row.currency is None else money(row.amount_minor, row.currency)
    return Event(
        row=row,
        id=to_global("Event", row.id),
        cursor=queries.cursor_of(row.seq),
        kind=row.kind,
        at=row.at,
        subject_id=to_global(_OTHERWISE.get(row.kind, _SUBJECTS[row.kind.subject]), row.subject_id),
        distributor_id=maybe_global("Distributor", row.distributor_id),
        amount=amount,
    )


Kinds = Annotated[list[EventKind] | None, strawberry.argument(description="Only these kinds.")]
About = Annotated[
    strawberry.ID | None, strawberry.argument(description="Only of this order, payout, exit, job or distributor.")
]


@strawberry.type
class EventQuery:
    """Reads of events."""

    @strawberry.field(description="One event the caller may see; events are kept for seven days.")
    async def event(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> Event:
        """An event."""
        return event(await queries.event(from_global("Event", id, "id"), wanted_by(info.context.who)))

    @strawberry.field(description="What happened and the caller may see, the earliest first. Kept for seven days.")
    async def events(
        self,
        info: Info,
        kinds: Kinds = None,
        subject_id: About = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Event]:
        """A page of events."""
        wanted = wanted_by(info.context.who, kinds, _about(subject_id))
        page = await queries.events(wanted, request(first, after))
        return connection(page, event, after)


@strawberry.type(description="What can be followed, over WebSocket (graphql-transport-ws) or SSE.")
class Subscription:
    """The root of subscriptions."""

    @strawberry.subscription(
        description="What happens and the caller may see, in order and each once, as long as its session holds."
    )
    async def events(
        self,
        info: Info,
        kinds: Kinds = None,
        subject_id: About = None,
        after: Annotated[
            str | None,
            strawberry.argument(description="Go on after the event with this cursor; from now on by default."),
        ] = None,
    ) -> AsyncGenerator[Event, None]:
        """Events, until the stream ends with an error that says why."""
        context = info.context
        found = follow(
            context.who, context.token, kinds=kinds, subject_id=_about(subject_id), after=after, cut=context.cut
        )
        try:
            async with aclosing(found):
                async for row in found:
                    context.forget()
                    yield event(row)
        except DomainError:
            raise
        except Exception as fault:
            log.exception("a stream of events broke")
            raise StreamBroken(None) from fault


def _about(id_: strawberry.ID | None) -> UUID | None:
    """The thing asked about. One that is nowhere has no events. Raises ``NotFound`` for what is no id."""
    if id_ is None:
        return None
    found = split_global(id_)
    return from_global("Event", id_, "subjectId") if found is None else found[1]
