"""Trace codes of order lines, as they are read."""

from collections.abc import Sequence
from datetime import datetime

import strawberry
from strawberry.dataloader import DataLoader

from saas.base.ids import OrderLineId
from saas.orders import trace_codes
from schema.context import Info


@strawberry.type(description="A code on an item or a box (溯源码).")
class TraceCode:
    """A code."""

    code: str = strawberry.field(description="The code.")
    freed_at: datetime | None = strawberry.field(
        description="Since when another order may have it: the order was cancelled, or the goods came back."
    )


def trace_code(one: trace_codes.TraceCode) -> TraceCode:
    """A code for the API."""
    return TraceCode(code=one.code, freed_at=one.freed_at)


def codes_of_lines(info: Info) -> DataLoader[OrderLineId, Sequence[trace_codes.TraceCode]]:
    """The codes of the request's lines, each read once."""

    async def load(ids: list[OrderLineId]) -> list[Sequence[trace_codes.TraceCode]]:
        found = await trace_codes.trace_codes_of(ids)
        return [found[id_] for id_ in ids]

    return info.context.loader("order-trace-codes", load)
