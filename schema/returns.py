"""Returns and write-offs as they are read."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.base.db import reading
from saas.base.ids import OrderId, ReturnId
from saas.base.paging import Page
from saas.returns import queries
from saas.returns.queries import ReturnFilter, ReturnLineView, ReturnView, ReversalView, WriteOffView
from saas.returns.rules import ReturnState
from schema.commissions import CommissionStatus, own_or_asked
from schema.context import Info
from schema.enums import described
from schema.ids import from_global, maybe_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import BigInt, Money, money

described(
    "Where a return is.",
    name="ReturnStatus",
    REQUESTED="Asked for; the brand decides.",
    APPROVED="The goods are on their way back.",
    REJECTED="Turned down.",
    WITHDRAWN="Taken back before the goods were there.",
    RECEIVED="The goods are there; commission and sales are less by them.",
    REFUNDED="The customer has its money back.",
)(ReturnState)


@described(
    "Where a write-off is.",
    REQUESTED="Asked for; waits for a second person.",
    APPROVED="The debt is given up.",
    REJECTED="The debt stays.",
)
class WriteOffStatus(StrEnum):
    """As in the table."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"


@strawberry.type(description="Pieces of one line of the order that come back.")
class ReturnLine:
    """A line."""

    line_id: strawberry.ID = strawberry.field(description="The line of the order.")
    line_no: int = strawberry.field(description="Its place in the order.")
    sku: str = strawberry.field(description="The product.")
    quantity: BigInt = strawberry.field(description="Pieces.")
    refund: Money | None = strawberry.field(description="What they had cost; none before they are received.")


@strawberry.type(description="What a return took back of one share of commission.")
class CommissionReversal:
    """A part of a share."""

    commission_id: strawberry.ID = strawberry.field(description="The share.")
    beneficiary_id: strawberry.ID = strawberry.field(description="Whose it was.")
    component: str = strawberry.field(description="The component that paid it.")
    level: int = strawberry.field(description="The level that it was paid for.")
    account: CommissionStatus = strawberry.field(description="Where the money was; from SETTLED it is owed.")
    amount: Money = strawberry.field(description="What was taken back.")
    reversed_at: datetime = strawberry.field(description="When.")


@strawberry.type(description="A return (退货): goods of one order that come back, in whole or in part.")
class ReturnCase:
    """A return."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    order_id: strawberry.ID = strawberry.field(description="The order.")
    seller_id: strawberry.ID = strawberry.field(description="Who sold it.")
    status: ReturnState = strawberry.field(description="Where it is.")
    reason: str = strawberry.field(description="Why the goods come back.")
    override_reason: str | None = strawberry.field(
        description="Why the brand took them after the time for returns was over."
    )
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    decided_at: datetime | None = strawberry.field(description="When it was approved, turned down or taken back.")
    decision: str | None = strawberry.field(description="Why it was turned down.")
    sellable: bool | None = strawberry.field(description="Whether the goods can be sold again; none before they came.")
    whole: bool = strawberry.field(description="With it all of the order had come back.")
    goods: Money | None = strawberry.field(description="What its goods had cost; none before they came.")
    received_at: datetime | None = strawberry.field(description="When the goods came.")
    exchange_order_id: strawberry.ID | None = strawberry.field(description="The order placed in exchange.")
    freight: Money | None = strawberry.field(description="Freight that was refunded with it.")
    refunded: Money | None = strawberry.field(
        description="What was paid back: goods and freight, less what an exchange cost."
    )
    refunded_at: datetime | None = strawberry.field(description="When it was paid back.")
    lines: list[ReturnLine] = strawberry.field(description="What comes back.")
    reversals: list[CommissionReversal] = strawberry.field(
        description="What it took back of commission; a distributor sees its own."
    )


@strawberry.type(description="A debt that the brand gives up (核销), once a second person agreed.")
class WriteOff:
    """A write-off."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    distributor_id: strawberry.ID = strawberry.field(description="Who owes.")
    amount: Money = strawberry.field(description="What is given up.")
    reason: str = strawberry.field(description="Why.")
    status: WriteOffStatus = strawberry.field(description="Where it is.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    decided_at: datetime | None = strawberry.field(description="When a second person decided.")


def _line(found: ReturnLineView, currency: str) -> ReturnLine:
    return ReturnLine(
        line_id=to_global("OrderLine", found.line_id),
        line_no=found.line_no,
        sku=found.sku,
        quantity=BigInt(found.quantity),
        refund=_maybe(found.refund_minor, currency),
    )


def _reversal(found: ReversalView) -> CommissionReversal:
    return CommissionReversal(
        commission_id=to_global("Commission", found.commission_id),
        beneficiary_id=to_global("Distributor", found.beneficiary_id),
        component=found.component,
        level=found.level,
        account=CommissionStatus(found.account),
        amount=money(found.amount_minor, found.currency),
        reversed_at=found.reversed_at,
    )


def _case(found: ReturnView, lines: Sequence[ReturnLineView], taken: Sequence[ReversalView]) -> ReturnCase:
    currency = found.currency
    return ReturnCase(
        id=to_global("ReturnCase", found.id),
        order_id=to_global("Order", found.order_id),
        seller_id=to_global("Distributor", found.seller_id),
        status=found.status,
        reason=found.reason,
        override_reason=found.override_reason,
        requested_at=found.requested_at,
        decided_at=found.decided_at,
        decision=found.decision,
        sellable=found.sellable,
        whole=found.whole,
        goods=_maybe(found.goods_minor, currency),
        received_at=found.received_at,
        exchange_order_id=maybe_global("Order", found.exchange_order_id),
        freight=_maybe(found.freight_minor, currency),
        refunded=_maybe(found.refunded_minor, currency),
        refunded_at=found.refunded_at,
        lines=[_line(one, currency) for one in lines],
        reversals=[_reversal(one) for one in taken],
    )


def _maybe(amount_minor: int | None, currency: str) -> Money | None:
    return None if amount_minor is None else money(amount_minor, currency)


async def return_cases(info: Info, found: Sequence[ReturnView]) -> list[ReturnCase]:
    """Returns for the API, with their lines and what they took back; three statements for all of them."""
    ids = [one.id for one in found]
    lines = await queries.lines_of(ids)
    taken = await queries.reversals_of(ids, info.context.who.distributor_id)
    return [_case(one, lines[one.id], taken[one.id]) for one in found]


def write_off(found: WriteOffView) -> WriteOff:
    """A write-off for the API."""
    return WriteOff(
        id=to_global("WriteOff", found.id),
        distributor_id=to_global("Distributor", found.distributor_id),
        amount=money(found.amount_minor, found.currency),
        reason=found.reason,
        status=WriteOffStatus(found.status),
        requested_at=found.requested_at,
        decided_at=found.decided_at,
    )


@strawberry.type
class ReturnQuery:
    """Reads of returns."""

    @strawberry.field(description="One return; a distributor reads those of orders that it sold.")
    async def return_case(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The return.")]
    ) -> ReturnCase:
        """Read it."""
        return_id = ReturnId(from_global("ReturnCase", id, "id"))
        async with reading():
            found = await queries.return_by_id(return_id, info.context.who.distributor_id)
            return (await return_cases(info, [found]))[0]

    @strawberry.field(description="Returns, the latest first; a distributor reads those of orders that it sold.")
    async def returns(
        self,
        info: Info,
        seller: Annotated[strawberry.ID | None, strawberry.argument(description="Sold by this distributor.")] = None,
        order: Annotated[strawberry.ID | None, strawberry.argument(description="Of this order.")] = None,
        statuses: Annotated[
            list[ReturnState] | None, strawberry.argument(description="Where they are; anywhere when absent.")
        ] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[ReturnCase]:
        """Read a page."""
        wanted = ReturnFilter(
            statuses=statuses,
            seller_id=own_or_asked(info, seller, "seller"),
            order_id=None if order is None else OrderId(from_global("Order", order, "order")),
        )
        async with reading():
            page = await queries.returns(request(first, after), wanted)
            cases = await return_cases(info, page.items)
        return connection(Page(cases, page.cursors, page.has_next), lambda one: one, after)

    @strawberry.field(description="Debts that were given up, or are asked to be, the latest first.")
    async def write_offs(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Of this distributor.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[WriteOff]:
        """Read a page."""
        page = await queries.write_offs(request(first, after), own_or_asked(info, of, "of"))
        return connection(page, write_off, after)
