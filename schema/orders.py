"""Orders, their lines and price cases, as they are read."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry
from strawberry.dataloader import DataLoader

from saas.base.db import reading
from saas.base.errors import NotFound
from saas.base.ids import OrderId, OrderLineId
from saas.commissions.rules import Share
from saas.orders import queries
from saas.orders.queries import ExplainedShare, LineView, OrderFilter, OrderSort, OrderView, PriceCaseView
from saas.orders.rules import OrderState
from saas.orders.telling import Told
from schema.commissions import Commission, CommissionStatus, commission, own_or_asked
from schema.context import Info
from schema.enums import described
from schema.ids import from_global, maybe_global, to_global
from schema.network import Distributor, distributor_by_id, prime_distributors
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import BigInt, Money, money
from schema.trace_codes import TraceCode, codes_of_lines, trace_code
from tenants.actors import Role

described(
    "Where an order is.",
    name="OrderStatus",
    PLACED="Placed, not paid.",
    PAID="Paid; commission is pending.",
    SHIPPED="On its way.",
    DELIVERED="Delivered; the hold of its commission runs.",
    CLOSED="Nothing more is expected.",
    CANCELLED="Cancelled before shipping.",
)(OrderState)
described(
    "The order of a list of orders.",
    NEWEST="The latest first.",
    OLDEST="The oldest first.",
    LARGEST="The largest amount first.",
    SMALLEST="The smallest amount first.",
)(OrderSort)


@described(
    "Who placed an order.",
    DISTRIBUTOR="The distributor itself.",
    BRAND="The brand's people.",
    API="A system with an API key.",
    IMPORT="An import.",
)
class OrderSource(StrEnum):
    """As in the table of orders."""

    DISTRIBUTOR = "distributor"
    BRAND = "brand"
    API = "api"
    IMPORT = "import"


@described("On which side of the price band a line was sold.", BELOW="Below it.", ABOVE="Above it.")
class PriceSide(StrEnum):
    """As in the table of cases."""

    BELOW = "below"
    ABOVE = "above"


@described("Whether a price case was decided.", OPEN="Not yet.", CLOSED="It was.")
class PriceCaseStatus(StrEnum):
    """As in the table of cases."""

    OPEN = "open"
    CLOSED = "closed"


@strawberry.type(description="One product of an order.")
class OrderLine:
    """A line."""

    line_id: strawberry.Private[OrderLineId]
    id: strawberry.ID = strawberry.field(description="Global id.")
    line_no: int = strawberry.field(description="Its number in the order, from 1.")
    sku: str = strawberry.field(description="The product.")
    quantity: BigInt = strawberry.field(description="Pieces.")
    amount: Money = strawberry.field(description="What was paid for the goods.")
    company: Money | None = strawberry.field(description="What commission left to the company; none before payment.")

    @strawberry.field(description="The codes on its items or boxes that it was sold with.")
    async def trace_codes(self, info: Info) -> list[TraceCode]:
        """Loaded for a whole page at once."""
        return [trace_code(one) for one in await codes_of_lines(info).load(self.line_id)]


def order_line(line: LineView, currency: str) -> OrderLine:
    """A line for the API."""
    return OrderLine(
        line_id=line.id,
        id=to_global("OrderLine", line.id),
        line_no=line.line_no,
        sku=line.sku,
        quantity=BigInt(line.quantity),
        amount=money(line.amount_minor, currency),
        company=None if line.company_minor is None else money(line.company_minor, currency),
    )


@strawberry.type(description="An order (订单).")
class Order:
    """An order; lines and commission are loaded for a whole page at once."""

    view: strawberry.Private[OrderView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    number: str = strawberry.field(description="The number people use.")
    seller_id: strawberry.ID = strawberry.field(description="Who sold.")
    customer: str | None = strawberry.field(description="The brand's own mark of the customer.")
    self_purchase: bool = strawberry.field(description="Whether the seller bought for itself.")
    for_member: bool = strawberry.field(description="Whether the customer is a member of the brand.")
    channel: str | None = strawberry.field(description="Where it was sold.")
    region: str | None = strawberry.field(description="The customer's region, GB/T 2260.")
    served_by_id: strawberry.ID | None = strawberry.field(
        description="The distributor of the customer's region, with whom a cross-region sale is shared."
    )
    source: OrderSource = strawberry.field(description="Who placed it.")
    status: OrderState = strawberry.field(description="Where it is.")
    goods: Money = strawberry.field(description="What was paid for the goods; commission is computed on it.")
    freight: Money = strawberry.field(description="Freight; no commission arises on it.")
    tax: Money = strawberry.field(description="Tax; no commission arises on it.")
    program_number: int | None = strawberry.field(description="The version of the program it was paid under.")
    placed_at: datetime = strawberry.field(description="When it was placed.")
    paid_at: datetime | None = strawberry.field(description="When it was paid.")
    shipped_at: datetime | None = strawberry.field(description="When it was shipped.")
    delivered_at: datetime | None = strawberry.field(description="When it was delivered.")
    closed_at: datetime | None = strawberry.field(description="When it was closed.")
    cancelled_at: datetime | None = strawberry.field(description="When it was cancelled.")
    hold_until: datetime | None = strawberry.field(description="When the hold of its commission ends.")

    @strawberry.field(description="Who sold, if the caller may see it.")
    async def seller(self, info: Info) -> Distributor | None:
        """The seller."""
        return await distributor_by_id(info, self.view.seller_id)

    @strawberry.field(description="The distributor of the customer's region, if the caller may see it.")
    async def served_by(self, info: Info) -> Distributor | None:
        """The partner."""
        return None if self.view.served_by_id is None else await distributor_by_id(info, self.view.served_by_id)

    @strawberry.field(description="Its lines.")
    async def lines(self, info: Info) -> list[OrderLine]:
        """In their order."""
        return [order_line(line, self.view.currency) for line in await _lines(info).load(self.view.id)]

    @strawberry.field(
        description="Every share of its commission, and why each upline beyond got nothing; a distributor sees its own."
    )
    async def commissions(self, info: Info) -> list[Commission]:
        """By line and level."""
        shares = await _shares(info).load(self.view)
        who = info.context.who
        own_only = who.role is Role.DISTRIBUTOR
        return [
            explained(share, self.view.id)
            for share in shares
            if not own_only or share.share.beneficiary_id == who.distributor_id
        ]


def _lines(info: Info) -> DataLoader[OrderId, Sequence[LineView]]:
    """The lines of the request's orders, each read once."""

    async def load(ids: list[OrderId]) -> list[Sequence[LineView]]:
        found = await queries.lines_of(ids)
        return [found[id_] for id_ in ids]

    return info.context.loader("order-lines", load)


def _shares(info: Info) -> DataLoader[OrderView, Sequence[ExplainedShare]]:
    """The shares of the request's orders, each read once."""

    async def load(views: list[OrderView]) -> list[Sequence[ExplainedShare]]:
        ids = [view.id for view in views]
        lines = dict(zip(ids, await _lines(info).load_many(ids), strict=True))
        found = await queries.explained(views, lines)
        return [found.get(id_, ()) for id_ in ids]

    return info.context.loader("order-shares", load)


def order(view: OrderView) -> Order:
    """An order for the API."""
    return Order(
        view=view,
        id=to_global("Order", view.id),
        number=view.number,
        seller_id=to_global("Distributor", view.seller_id),
        customer=view.customer,
        self_purchase=view.self_purchase,
        for_member=view.for_member,
        channel=view.channel,
        region=view.region,
        served_by_id=maybe_global("Distributor", view.served_by_id),
        source=OrderSource(view.source),
        status=OrderState(view.status),
        goods=money(view.goods_minor, view.currency),
        freight=money(view.freight_minor, view.currency),
        tax=money(view.tax_minor, view.currency),
        program_number=view.program_number,
        placed_at=view.placed_at,
        paid_at=view.paid_at,
        shipped_at=view.shipped_at,
        delivered_at=view.delivered_at,
        closed_at=view.closed_at,
        cancelled_at=view.cancelled_at,
        hold_until=view.hold_until,
    )


def explained(found: ExplainedShare, order_id: OrderId) -> Commission:
    """A share of an order for the API, stored or told from its path."""
    if found.commission is not None:
        return commission(found.commission)
    share: Share = found.share
    return Commission(
        share=share,
        currency=found.currency,
        id=None,
        order_id=to_global("Order", order_id),
        line_id=to_global("OrderLine", found.line_id),
        component=share.component or None,
        program_number=found.program_number,
        level=share.level,
        beneficiary_id=maybe_global("Distributor", share.beneficiary_id),
        tier=share.tier,
        rate_bps=share.rate_bps,
        quantity=BigInt(share.quantity),
        outcome=share.outcome,
        reason=share.reason,
        status=CommissionStatus.NOTHING,
        earned_at=None,
        hold_until=None,
        statement_id=None,
    )


@strawberry.type(description="A line that was sold outside the price band, for the brand to decide on.")
class PriceCase:
    """A case."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    order_id: strawberry.ID = strawberry.field(description="The order.")
    line_id: strawberry.ID = strawberry.field(description="The order's line.")
    seller_id: strawberry.ID = strawberry.field(description="Who sold.")
    sku: str = strawberry.field(description="The product.")
    side: PriceSide = strawberry.field(description="On which side of the band.")
    quantity: BigInt = strawberry.field(description="Pieces.")
    amount: Money = strawberry.field(description="What was paid.")
    lowest: Money = strawberry.field(description="The least the program allowed for the quantity.")
    highest: Money = strawberry.field(description="The most the program allowed for the quantity.")
    status: PriceCaseStatus = strawberry.field(description="Whether it was decided.")
    opened_at: datetime = strawberry.field(description="When it was opened.")
    closed_at: datetime | None = strawberry.field(description="When it was decided.")
    resolution: str | None = strawberry.field(description="What was decided.")


def price_case(view: PriceCaseView, currency: str) -> PriceCase:
    """A case for the API."""
    return PriceCase(
        id=to_global("PriceCase", view.id),
        order_id=to_global("Order", view.order_id),
        line_id=to_global("OrderLine", view.line_id),
        seller_id=to_global("Distributor", view.seller_id),
        sku=view.sku,
        side=PriceSide(view.verdict),
        quantity=BigInt(view.quantity),
        amount=money(view.amount_minor, currency),
        lowest=money(view.lowest_minor, currency),
        highest=money(view.highest_minor, currency),
        status=PriceCaseStatus(view.status),
        opened_at=view.opened_at,
        closed_at=view.closed_at,
        resolution=view.resolution,
    )


async def whole_order(info: Info, read: Callable[[], Awaitable[OrderView]]) -> Order:
    """An order that was just written, read with its lines in one go: an answer nearly always tells them."""
    async with reading():
        view = await read()
        lines = await queries.lines_of([view.id])
    _lines(info).prime(view.id, lines[view.id])
    return order(view)


def told_order(info: Info, told: Told) -> Order:
    """An order that was just written, as it was written: nothing is read that is known.

    A distributor sees a part of the tree, so whom its order names is read as always.
    """
    _lines(info).prime(told.order.id, told.lines)
    _shares(info).prime(told.order, told.shares)
    codes_of_lines(info).prime_many(told.trace_codes)
    if info.context.who.role is not Role.DISTRIBUTOR:
        prime_distributors(info, told.people)
    return order(told.order)


async def readable_order(info: Info, id_: OrderId, field: str = "id") -> OrderView:
    """An order the caller may read: a distributor its own. Raises ``NotFound``."""
    found = await queries.order(id_)
    who = info.context.who
    if who.role is Role.DISTRIBUTOR and found.seller_id != who.distributor_id:
        raise NotFound(field, kind="order", value=id_)
    return found


@strawberry.type
class OrderQuery:
    """Reads of orders."""

    @strawberry.field(description="One order; a distributor reads its own.")
    async def order(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> Order:
        """An order."""
        return order(await readable_order(info, OrderId(from_global("Order", id, "id"))))

    @strawberry.field(description="Orders; a distributor's own, for staff and keys those of the brand.")
    async def orders(
        self,
        info: Info,
        seller: Annotated[strawberry.ID | None, strawberry.argument(description="Sold by this distributor.")] = None,
        team_of: Annotated[
            strawberry.ID | None,
            strawberry.argument(
                description="Sold by this distributor or its downline of today; a distributor names itself."
            ),
        ] = None,
        statuses: Annotated[list[OrderState] | None, strawberry.argument(description="Only these.")] = None,
        since: Annotated[datetime | None, strawberry.argument(description="Placed at this moment or later.")] = None,
        until: Annotated[datetime | None, strawberry.argument(description="Placed before this moment.")] = None,
        channel: Annotated[str | None, strawberry.argument(description="Only this channel.")] = None,
        region: Annotated[str | None, strawberry.argument(description="Only this region.")] = None,
        search: Annotated[str | None, strawberry.argument(description="Part of the number or customer.")] = None,
        trace_code: Annotated[
            str | None, strawberry.argument(description="Ever sold with this code on an item or a box.")
        ] = None,
        sort: Annotated[OrderSort, strawberry.argument(description="The order.")] = OrderSort.NEWEST,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Order]:
        """A page of orders."""
        wanted = OrderFilter(
            statuses=[status.value for status in statuses] if statuses is not None else None,
            seller_id=own_or_asked(info, seller, "seller"),
            team_of=own_or_asked(info, team_of, "teamOf") if team_of else None,
            since=since,
            until=until,
            channel=channel,
            region=region,
            search=search,
            trace_code=trace_code,
        )
        return connection(await queries.orders(request(first, after), wanted, sort), order, after)

    @strawberry.field(description="Lines sold outside the price band, the latest first.")
    async def price_cases(
        self,
        info: Info,
        status: Annotated[PriceCaseStatus | None, strawberry.argument(description="Only this status.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[PriceCase]:
        """A page of cases."""
        page = await queries.price_cases(request(first, after), status.value if status else None)
        currency = await info.context.currency()
        return connection(page, lambda view: price_case(view, currency), after)
