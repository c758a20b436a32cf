"""Placing orders and moving them on."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import strawberry

from saas.base.ids import DistributorId, OrderId
from saas.orders import commands, queries
from saas.orders.commands import OrderStep, PlaceLine, PlaceOrder, Verdict
from schema.context import Info
from schema.errors import In, Payload, UserError, refusals, user_errors
from schema.ids import from_global, to_global
from schema.limits import at_most_a_thousand
from schema.orders import Order, readable_order, told_order, whole_order
from schema.people import DonePayload
from schema.scalars import BigInt, Money, money
from tenants.actors import Actor


@strawberry.input(description="One product of an order. Give one of the two prices, or none to pay the program's.")
class OrderLineInput:
    """A line."""

    sku: str = strawberry.field(description="The product.")
    quantity: BigInt = strawberry.field(description="Pieces, at least 1.")
    unit_price_minor: BigInt | None = strawberry.field(
        default=None, description="What was paid for a piece, in minor units."
    )
    amount_minor: BigInt | None = strawberry.field(
        default=None, description="What was paid for the goods of the whole line, in minor units."
    )
    trace_codes: list[str] = strawberry.field(
        default_factory=list,
        description="The codes on its items or boxes, at most one a piece and on no other order that stands.",
    )


@strawberry.input(description="An order. Moments and numbers of its own are for the brand and its systems.")
class PlaceOrderInput:
    """An order as it is asked for."""

    idempotency_key: str = strawberry.field(description="The same key and content answer the same order.")
    seller_id: strawberry.ID = strawberry.field(description="Who sells.")
    lines: list[OrderLineInput] = strawberry.field(description="What is sold.")
    customer: str | None = strawberry.field(default=None, description="The brand's own mark of the customer.")
    self_purchase: bool = strawberry.field(default=False, description="The seller buys for itself.")
    channel: str | None = strawberry.field(default=None, description="Where it is sold.")
    region: str | None = strawberry.field(default=None, description="The customer's region, GB/T 2260.")
    freight_minor: BigInt = strawberry.field(default=BigInt(0), description="Freight, in minor units.")
    tax_minor: BigInt = strawberry.field(default=BigInt(0), description="Tax, in minor units.")
    number: str | None = strawberry.field(default=None, description="Its number; made up when absent.")
    placed_at: datetime | None = strawberry.field(default=None, description="When it was placed; now when absent.")
    paid_at: datetime | None = strawberry.field(
        default=None, description="When it was paid; commission is computed at once."
    )
    shipped_at: datetime | None = strawberry.field(default=None, description="When it was shipped, if it was.")
    delivered_at: datetime | None = strawberry.field(default=None, description="When it was delivered, if it was.")
    for_member: bool = strawberry.field(default=False, description="The customer is a member of the brand.")
    served_by_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The distributor of the customer's region, when the seller brought a customer of another's region; "
        "found by the order's region when absent.",
    )


@strawberry.input(description="Many orders, each accepted or refused by itself.")
class PlaceOrdersInput:
    """Up to a thousand orders."""

    orders: list[PlaceOrderInput] = strawberry.field(description="The orders.")
    dry_run: bool = strawberry.field(default=False, description="Decide and answer, write nothing.")


@strawberry.input(description="One step of one order.")
class OrderStepInput:
    """A step."""

    idempotency_key: str = strawberry.field(description="The same key and content do the step once.")
    order_id: strawberry.ID = strawberry.field(description="The order.")
    at: datetime | None = strawberry.field(
        default=None, description="When it happened, for the brand and its systems; now when absent."
    )


@strawberry.input(description="What was decided about a price case.")
class ClosePriceCaseInput:
    """A decision."""

    case_id: strawberry.ID = strawberry.field(description="The case.")
    resolution: str = strawberry.field(description="The decision, in a few words.")


@strawberry.type(description="An order as it is now.")
class OrderPayload(Payload):
    """Answer of the mutations of one order."""

    order: Order | None = strawberry.field(default=None, description="The order; none when refused.")


@strawberry.type(description="What became of one order of a bulk.")
class OrderVerdict:
    """A verdict."""

    order_id: strawberry.ID | None = strawberry.field(description="The order; none when refused, or in a dry run.")
    replayed: bool = strawberry.field(description="The key had made this order before; nothing was done.")
    goods: Money | None = strawberry.field(description="What its goods cost; none when refused.")
    user_errors: list[UserError] = strawberry.field(description="Why it was refused.")


@strawberry.type(description="What became of each order, in the order they were given.")
class PlaceOrdersPayload(Payload):
    """Answer of a bulk."""

    verdicts: list[OrderVerdict] | None = strawberry.field(default=None, description="One for each order.")


@strawberry.type
class OrderMutation:
    """Writes of orders."""

    @strawberry.mutation(description="Place an order; with `paidAt` it is paid at once.")
    @refusals(OrderPayload)
    async def place_order(self, info: Info, input: In[PlaceOrderInput]) -> OrderPayload:
        """Place it."""
        placed = await commands.place_and_tell(_asked(input, "input"), info.context.who)
        if placed.told is not None:
            return OrderPayload(order=told_order(info, placed.told))
        return OrderPayload(order=await whole_order(info, lambda: queries.order(placed.id)))

    @strawberry.mutation(description="Place many orders, each accepted or refused by itself; with a dry run.")
    @refusals(PlaceOrdersPayload)
    async def place_orders(self, info: Info, input: In[PlaceOrdersInput]) -> PlaceOrdersPayload:
        """Place them."""
        who, locale = info.context.who, info.context.locale
        at_most_a_thousand(input.orders, "input.orders")
        asked = [_asked(one, f"input.orders[{i}]") for i, one in enumerate(input.orders)]
        decide = commands.preview_orders if input.dry_run else commands.place_orders
        currency = await info.context.currency()
        verdicts = await decide(asked, who)
        return PlaceOrdersPayload(verdicts=[_verdict(v, currency, locale, dry=input.dry_run) for v in verdicts])

    @strawberry.mutation(description="Take an order as paid: commission is computed and pending.")
    @refusals(OrderPayload)
    async def pay_order(self, info: Info, input: In[OrderStepInput]) -> OrderPayload:
        """Pay."""
        return await _step(commands.pay, info, input)

    @strawberry.mutation(description="Take a paid order as shipped.")
    @refusals(OrderPayload)
    async def ship_order(self, info: Info, input: In[OrderStepInput]) -> OrderPayload:
        """Ship."""
        return await _step(commands.ship, info, input)

    @strawberry.mutation(description="Take a shipped order as delivered: the hold of its commission begins.")
    @refusals(OrderPayload)
    async def deliver_order(self, info: Info, input: In[OrderStepInput]) -> OrderPayload:
        """Deliver."""
        return await _step(commands.deliver, info, input)

    @strawberry.mutation(description="Close a delivered order.")
    @refusals(OrderPayload)
    async def close_order(self, info: Info, input: In[OrderStepInput]) -> OrderPayload:
        """Close."""
        return await _step(commands.close, info, input)

    @strawberry.mutation(description="Cancel an order that was not shipped; what a payment did is taken back.")
    @refusals(OrderPayload)
    async def cancel_order(self, info: Info, input: In[OrderStepInput]) -> OrderPayload:
        """Cancel."""
        return await _step(commands.cancel, info, input)

    @strawberry.mutation(description="Close a price case with what was decided about it.")
    @refusals(DonePayload)
    async def close_price_case(self, info: Info, input: In[ClosePriceCaseInput]) -> DonePayload:
        """Decide it."""
        case_id = from_global("PriceCase", input.case_id, "input.caseId")
        await commands.close_price_case(case_id, input.resolution, info.context.who)
        return DonePayload(done=True)


_Do = Callable[[Sequence[OrderStep], Actor], Awaitable[None]]


async def _step(do: _Do, info: Info, given: OrderStepInput) -> OrderPayload:
    id_ = OrderId(from_global("Order", given.order_id, "input.orderId"))
    await do([OrderStep(order_id=id_, idempotency_key=given.idempotency_key, at=given.at)], info.context.who)
    return OrderPayload(order=await whole_order(info, lambda: readable_order(info, id_, "input.orderId")))


def _asked(given: PlaceOrderInput, field: str) -> PlaceOrder:
    partner = given.served_by_id
    return PlaceOrder(
        seller_id=DistributorId(from_global("Distributor", given.seller_id, f"{field}.sellerId")),
        lines=[
            PlaceLine(
                sku=line.sku,
                quantity=line.quantity,
                unit_price_minor=line.unit_price_minor,
                amount_minor=line.amount_minor,
                trace_codes=tuple(line.trace_codes),
            )
            for line in given.lines
        ],
        idempotency_key=given.idempotency_key,
        customer=given.customer,
        self_purchase=given.self_purchase,
        channel=given.channel,
        region=given.region,
        freight_minor=given.freight_minor,
        tax_minor=given.tax_minor,
        number=given.number,
        placed_at=given.placed_at,
        paid_at=given.paid_at,
        shipped_at=given.shipped_at,
        delivered_at=given.delivered_at,
        for_member=given.for_member,
        served_by_id=None
        if partner is None
        else DistributorId(from_global("Distributor", partner, f"{field}.servedById")),
    )


def _verdict(found: Verdict, currency: str, locale: str, *, dry: bool) -> OrderVerdict:
    accepted = found.order_id is not None
    return OrderVerdict(
        order_id=to_global("Order", found.order_id) if found.order_id is not None and not dry else None,
        replayed=found.replayed,
        goods=money(found.goods_minor, currency) if accepted and not found.replayed else None,
        user_errors=user_errors(list(found.errors), locale),
    )
