"""Destinations, payouts and batches, as they are read."""

from datetime import datetime
from typing import Annotated

import strawberry

from saas.base.ids import DistributorId, PayoutBatchId, PayoutId
from saas.payouts import queries
from saas.payouts.queries import BatchView, DestinationView, PayoutFilter, PayoutView
from saas.payouts.rules import BatchState, DestinationKind, DestinationState, PayoutState
from schema.commissions import own_or_asked
from schema.context import Info
from schema.enums import described
from schema.ids import from_global, maybe_global, to_global
from schema.network import Distributor, distributor_by_id
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import Money, money
from tenants.actors import Role

described(
    "Where a payout is.",
    name="PayoutStatus",
    REQUESTED="Asked for.",
    BATCHED="In a batch.",
    UNKNOWN="Given to the provider, which has not answered; it is asked again and never sent twice.",
    SENT="Handed to the provider.",
    PAID="Paid.",
    FAILED="Failed; the money is back on the balance.",
    CANCELLED="Withdrawn before it was batched.",
)(PayoutState)
described(
    "Where a batch is.",
    name="PayoutBatchStatus",
    OPEN="Made; waits for a second person.",
    APPROVED="Approved by a second person.",
    SUBMITTED="Handed to the provider.",
    COMPLETED="Every payout has a final result.",
    CANCELLED="Given up; its payouts wait for another batch.",
)(BatchState)
described(
    "What a destination is.",
    name="DestinationKind",
    BANK_CARD="A card of a bank.",
    WECHAT="A user of WeChat, by openid.",
    ALIPAY="An account at Alipay.",
)(DestinationKind)
described(
    "Where a destination is.",
    name="DestinationStatus",
    UNVERIFIED="Waits for the brand to verify it.",
    VERIFIED="Payouts go to it.",
    RETIRED="Another took its place.",
)(DestinationState)


@strawberry.type(description="Where a distributor's payouts go.")
class PayoutDestination:
    """A destination with its number masked."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    distributor_id: strawberry.ID = strawberry.field(description="Whose it is.")
    kind: DestinationKind = strawberry.field(description="What it is.")
    masked: str = strawberry.field(description="The account, most of it hidden.")
    has_invoice: bool = strawberry.field(description="Whether it invoices; then nothing is withheld.")
    status: DestinationState = strawberry.field(description="Where it is.")
    created_at: datetime = strawberry.field(description="When it was given.")
    verified_at: datetime | None = strawberry.field(description="When it was verified.")
    usable_from: datetime | None = strawberry.field(
        description="When payouts to it may leave, if it took another's place and has to wait; none is at once."
    )


def destination(view: DestinationView) -> PayoutDestination:
    """A destination for the API."""
    return PayoutDestination(
        id=to_global("PayoutDestination", view.id),
        distributor_id=to_global("Distributor", view.distributor_id),
        kind=view.kind,
        masked=view.masked,
        has_invoice=view.has_invoice,
        status=view.status,
        created_at=view.created_at,
        verified_at=view.verified_at,
        usable_from=view.usable_from,
    )


@strawberry.type(description="Money on its way out (提现). Requested = fee + withheld + net.")
class Payout:
    """A payout."""

    view: strawberry.Private[PayoutView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    distributor_id: strawberry.ID = strawberry.field(description="Whose it is.")
    batch_id: strawberry.ID | None = strawberry.field(description="The batch it is in.")
    destination: str = strawberry.field(description="The account, most of it hidden.")
    requested: Money = strawberry.field(description="What was asked for.")
    fee: Money = strawberry.field(description="The fee.")
    withheld: Money = strawberry.field(description="What is withheld.")
    net: Money = strawberry.field(description="What is paid.")
    status: PayoutState = strawberry.field(description="Where it is.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it had a final result.")
    failure: str | None = strawberry.field(description="Why it failed.")
    provider_reference: str | None = strawberry.field(description="The provider's own number of it.")

    @strawberry.field(description="Whose it is, if the caller may see it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """Loaded for a whole page at once."""
        return await distributor_by_id(info, self.view.distributor_id)


def payout(view: PayoutView) -> Payout:
    """A payout for the API."""
    amounts, currency = view.amounts, view.currency
    return Payout(
        view=view,
        id=to_global("Payout", view.id),
        distributor_id=to_global("Distributor", view.distributor_id),
        batch_id=maybe_global("PayoutBatch", view.batch_id),
        destination=view.destination,
        requested=money(amounts.requested_minor, currency),
        fee=money(amounts.fee_minor, currency),
        withheld=money(amounts.withheld_minor, currency),
        net=money(amounts.net_minor, currency),
        status=view.status,
        requested_at=view.requested_at,
        finished_at=view.finished_at,
        failure=view.failure,
        provider_reference=view.provider_reference,
    )


Status = Annotated[list[PayoutState] | None, strawberry.argument(description="Only these.")]


@strawberry.type(description="Payouts that go out together, made by one person and approved by another.")
class PayoutBatch:
    """A batch."""

    view: strawberry.Private[BatchView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    number: str = strawberry.field(description="Its number.")
    provider: str = strawberry.field(description="Who carries it out.")
    status: BatchState = strawberry.field(description="Where it is.")
    payout_count: int = strawberry.field(description="How many payouts are in it.")
    paid_count: int = strawberry.field(description="How many were paid.")
    failed_count: int = strawberry.field(description="How many failed.")
    unknown_count: int = strawberry.field(description="Of how many nobody knows yet.")
    requested: Money = strawberry.field(description="What was asked for in all.")
    net: Money = strawberry.field(description="What is paid in all.")
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by: strawberry.ID = strawberry.field(description="Who made it.")
    approved_at: datetime | None = strawberry.field(description="When it was approved.")
    approved_by: strawberry.ID | None = strawberry.field(description="Who approved it.")
    submitted_at: datetime | None = strawberry.field(description="When it was handed to the provider.")
    completed_at: datetime | None = strawberry.field(description="When every payout had a final result.")

    @strawberry.field(description="The payouts in it.")
    async def payouts(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[Payout]:
        """A page of them."""
        page = await queries.payouts(PayoutFilter(batch_id=self.view.id), request(first, after))
        return connection(page, payout, after)


def batch(view: BatchView) -> PayoutBatch:
    """A batch for the API."""
    return PayoutBatch(
        view=view,
        id=to_global("PayoutBatch", view.id),
        number=view.number,
        provider=view.provider,
        status=view.status,
        payout_count=view.payouts,
        paid_count=view.paid,
        failed_count=view.failed,
        unknown_count=view.unknown,
        requested=money(view.requested_minor, view.currency),
        net=money(view.net_minor, view.currency),
        created_at=view.created_at,
        created_by=to_global("Member", view.created_by),
        approved_at=view.approved_at,
        approved_by=maybe_global("Member", view.approved_by),
        submitted_at=view.submitted_at,
        completed_at=view.completed_at,
    )


@strawberry.type
class PayoutQuery:
    """Reads of payouts."""

    @strawberry.field(description="Payouts, the latest first; a distributor's own.")
    async def payouts(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Only this distributor's.")] = None,
        statuses: Status = None,
        since: Annotated[datetime | None, strawberry.argument(description="Asked for then or later.")] = None,
        until: Annotated[datetime | None, strawberry.argument(description="Asked for before.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Payout]:
        """A page of payouts."""
        wanted = PayoutFilter(distributor_id=own_or_asked(info, of, "of"), statuses=statuses, since=since, until=until)
        return connection(await queries.payouts(wanted, request(first, after)), payout, after)

    @strawberry.field(description="One payout; a distributor reads its own.")
    async def payout(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> Payout:
        """A payout."""
        who = info.context.who
        own: DistributorId | None = who.distributor_id if who.role is Role.DISTRIBUTOR else None
        return payout(await queries.payout_by_id(PayoutId(from_global("Payout", id, "id")), own))

    @strawberry.field(description="Where a distributor's payouts go; none when it has not said.")
    async def payout_destination(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Whose; one's own by default.")] = None,
    ) -> PayoutDestination | None:
        """The live destination."""
        whose = own_or_asked(info, of, "of")
        if whose is None:
            whose = DistributorId(from_global("Distributor", of or "", "of"))
        found = await queries.destination_of(whose)
        return None if found is None else destination(found)

    @strawberry.field(description="Destinations, those that wait longest first.")
    async def payout_destinations(
        self,
        status: Annotated[DestinationState | None, strawberry.argument(description="Only this status.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[PayoutDestination]:
        """A page of destinations."""
        return connection(await queries.destinations(request(first, after), status), destination, after)

    @strawberry.field(description="Batches, the latest first.")
    async def payout_batches(
        self,
        status: Annotated[BatchState | None, strawberry.argument(description="Only this status.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[PayoutBatch]:
        """A page of batches."""
        return connection(await queries.batches(request(first, after), status), batch, after)

    @strawberry.field(description="One batch.")
    async def payout_batch(
        self, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> PayoutBatch:
        """A batch."""
        return batch(await queries.batch_by_id(PayoutBatchId(from_global("PayoutBatch", id, "id"))))
