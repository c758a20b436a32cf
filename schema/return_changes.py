"""Sending goods back, and giving up what somebody owes."""

import strawberry

from saas.base.db import reading
from saas.base.ids import DistributorId, OrderId, OrderLineId, ReturnId, WriteOffId
from saas.returns import commands, write_offs
from saas.returns.commands import LineBack, ReceiveReturn, RefundReturn, RequestReturn
from saas.returns.queries import ReturnView
from saas.returns.write_offs import RequestWriteOff
from schema.context import Info
from schema.errors import In, Payload, refusals
from schema.ids import from_global
from schema.limits import at_most_a_thousand
from schema.returns import ReturnCase, WriteOff, return_cases, write_off
from schema.scalars import BigInt


@strawberry.input(description="Pieces of one line of the order.")
class ReturnLineInput:
    """A line."""

    line_id: strawberry.ID = strawberry.field(description="The line of the order.")
    quantity: BigInt = strawberry.field(description="Pieces, at least 1.")


@strawberry.input(description="Goods of a delivered order that are to come back.")
class RequestReturnInput:
    """A return as it is asked for."""

    idempotency_key: str = strawberry.field(description="The same key and content answer the same return.")
    order_id: strawberry.ID = strawberry.field(description="The order.")
    reason: str = strawberry.field(description="Why.")
    lines: list[ReturnLineInput] = strawberry.field(
        default_factory=list, description="What comes back; all that is left of the order when absent."
    )
    override_reason: str | None = strawberry.field(
        default=None, description="For the brand: why it takes the goods after the time for returns is over."
    )


@strawberry.input(description="A return.")
class ReturnInput:
    """Which return."""

    id: strawberry.ID = strawberry.field(description="The return.")


@strawberry.input(description="A return that is turned down.")
class RejectReturnInput:
    """Which return, and why."""

    id: strawberry.ID = strawberry.field(description="The return.")
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="The goods of a return are there.")
class ReceiveReturnInput:
    """Which return, and how the goods are."""

    idempotency_key: str = strawberry.field(description="The same key and content take the goods in once.")
    id: strawberry.ID = strawberry.field(description="The return.")
    sellable: bool = strawberry.field(description="Whether the goods can be sold again.")
    trace_codes: list[str] = strawberry.field(
        default_factory=list,
        description="The trace codes on the pieces that came back, at most one a piece. Goods that can be sold again "
        "free them for other orders; a line that is back whole frees all of its own.",
    )


@strawberry.input(description="The order that was placed in exchange for what comes back.")
class ExchangeReturnInput:
    """Which return, and which order."""

    id: strawberry.ID = strawberry.field(description="The return.")
    order_id: strawberry.ID = strawberry.field(description="The new order, of the same seller.")


@strawberry.input(description="The refund of a return was paid.")
class RefundReturnInput:
    """Which return, and how much of the freight."""

    idempotency_key: str = strawberry.field(description="The same key and content refund once.")
    id: strawberry.ID = strawberry.field(description="The return.")
    freight_minor: BigInt = strawberry.field(
        default=BigInt(0), description="Freight that is refunded too, in minor units; none unless said."
    )


@strawberry.input(description="A debt to give up.")
class RequestWriteOffInput:
    """A write-off as it is asked for."""

    idempotency_key: str = strawberry.field(description="The same key and content answer the same write-off.")
    distributor_id: strawberry.ID = strawberry.field(description="Who owes.")
    amount_minor: BigInt = strawberry.field(description="How much, in minor units; at most what is owed.")
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="A write-off.")
class WriteOffInput:
    """Which write-off."""

    id: strawberry.ID = strawberry.field(description="The write-off.")


@strawberry.type(description="A return as it is now.")
class ReturnPayload(Payload):
    """Answer of the mutations of a return."""

    return_case: ReturnCase | None = strawberry.field(default=None, description="The return; none when refused.")


@strawberry.type(description="A write-off as it is now.")
class WriteOffPayload(Payload):
    """Answer of the mutations of a write-off."""

    write_off: WriteOff | None = strawberry.field(default=None, description="The write-off; none when refused.")


def _return_id(id_: strawberry.ID) -> ReturnId:
    return ReturnId(from_global("ReturnCase", id_, "input.id"))


def _write_off_id(id_: strawberry.ID) -> WriteOffId:
    return WriteOffId(from_global("WriteOff", id_, "input.id"))


async def _payload(info: Info, found: ReturnView) -> ReturnPayload:
    async with reading():
        return ReturnPayload(return_case=(await return_cases(info, [found]))[0])


@strawberry.type
class ReturnMutation:
    """Writes of returns and write-offs."""

    @strawberry.mutation(description="Ask to send goods of a delivered order back.")
    @refusals(ReturnPayload)
    async def request_return(self, info: Info, input: In[RequestReturnInput]) -> ReturnPayload:
        """Ask."""
        at_most_a_thousand(input.lines, "input.lines")
        asked = RequestReturn(
            order_id=OrderId(from_global("Order", input.order_id, "input.orderId")),
            lines=[_line(one, f"input.lines[{i}]") for i, one in enumerate(input.lines)],
            reason=input.reason,
            override_reason=input.override_reason,
            idempotency_key=input.idempotency_key,
        )
        return await _payload(info, await commands.request_return(asked, info.context.who))

    @strawberry.mutation(description="Agree that the goods are sent back.")
    @refusals(ReturnPayload)
    async def approve_return(self, info: Info, input: In[ReturnInput]) -> ReturnPayload:
        """Approve."""
        return await _payload(info, await commands.approve_return(_return_id(input.id), info.context.who))

    @strawberry.mutation(description="Turn a return down, also when what arrived is not what was sold.")
    @refusals(ReturnPayload)
    async def reject_return(self, info: Info, input: In[RejectReturnInput]) -> ReturnPayload:
        """Reject."""
        return await _payload(info, await commands.reject_return(_return_id(input.id), input.reason, info.context.who))

    @strawberry.mutation(description="Take a return back before the goods are there.")
    @refusals(ReturnPayload)
    async def withdraw_return(self, info: Info, input: In[ReturnInput]) -> ReturnPayload:
        """Withdraw."""
        return await _payload(info, await commands.withdraw_return(_return_id(input.id), info.context.who))

    @strawberry.mutation(description="Take the goods in: commission of everybody and sales are less by them.")
    @refusals(ReturnPayload)
    async def receive_return(self, info: Info, input: In[ReceiveReturnInput]) -> ReturnPayload:
        """Receive."""
        at_most_a_thousand(input.trace_codes, "input.traceCodes")
        asked = ReceiveReturn(
            return_id=_return_id(input.id),
            sellable=input.sellable,
            idempotency_key=input.idempotency_key,
            trace_codes=tuple(input.trace_codes),
        )
        return await _payload(info, await commands.receive_return(asked, info.context.who))

    @strawberry.mutation(description="Name the order placed in exchange; its cost is set off against the refund.")
    @refusals(ReturnPayload)
    async def exchange_return(self, info: Info, input: In[ExchangeReturnInput]) -> ReturnPayload:
        """Exchange."""
        order_id = OrderId(from_global("Order", input.order_id, "input.orderId"))
        return await _payload(info, await commands.exchange_return(_return_id(input.id), order_id, info.context.who))

    @strawberry.mutation(description="Write down that the refund was paid.")
    @refusals(ReturnPayload)
    async def refund_return(self, info: Info, input: In[RefundReturnInput]) -> ReturnPayload:
        """Refund."""
        asked = RefundReturn(
            return_id=_return_id(input.id), freight_minor=input.freight_minor, idempotency_key=input.idempotency_key
        )
        return await _payload(info, await commands.refund_return(asked, info.context.who))

    @strawberry.mutation(description="Ask to give up what a distributor owes; a second person decides.")
    @refusals(WriteOffPayload)
    async def request_write_off(self, info: Info, input: In[RequestWriteOffInput]) -> WriteOffPayload:
        """Ask."""
        asked = RequestWriteOff(
            distributor_id=DistributorId(from_global("Distributor", input.distributor_id, "input.distributorId")),
            amount_minor=input.amount_minor,
            reason=input.reason,
            idempotency_key=input.idempotency_key,
        )
        return WriteOffPayload(write_off=write_off(await write_offs.request_write_off(asked, info.context.who)))

    @strawberry.mutation(description="Give the debt up, as a second person.")
    @refusals(WriteOffPayload)
    async def approve_write_off(self, info: Info, input: In[WriteOffInput]) -> WriteOffPayload:
        """Approve."""
        found = await write_offs.approve_write_off(_write_off_id(input.id), info.context.who)
        return WriteOffPayload(write_off=write_off(found))

    @strawberry.mutation(description="Leave the debt as it is, as a second person.")
    @refusals(WriteOffPayload)
    async def reject_write_off(self, info: Info, input: In[WriteOffInput]) -> WriteOffPayload:
        """Reject."""
        found = await write_offs.reject_write_off(_write_off_id(input.id), info.context.who)
        return WriteOffPayload(write_off=write_off(found))


def _line(given: ReturnLineInput, field: str) -> LineBack:
    line_id = OrderLineId(from_global("OrderLine", given.line_id, f"{field}.lineId"))
    return LineBack(line_id=line_id, quantity=given.quantity)
