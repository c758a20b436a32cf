"""A brand's orders as a replay is fed with them: read in parts, in the order of their payment, all sellers or some."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from saas.base.db import Tx, reading
from saas.base.ids import OrderId
from saas.base.money import share
from saas.network.history import Roll, roll
from saas.network.rules import SEGMENT, segment
from saas.simulation.leads import partners
from saas.simulation.replay import Decided, Replay, Span
from saas.simulation.sales import OwnSales
from saas.simulation.sums import Sums
from tenants.program.compile import CompiledProgram, compile_program
from tenants.program.document import Program

Report = Callable[[int], Awaitable[None]]
"""Told now and then how many orders were taken."""

_BATCH = 2_000
_DIGITS = [segment(no)[-1] for no in range(32)]

_PAID = "o.tenant_id = $1 AND o.paid_at >= $2 AND o.paid_at < $3 AND o.currency = $4 AND o.status <> 'cancelled'"


async def count_orders(span: Span, currency: str) -> int:
    """How many orders were paid in the span and stand."""
    async with reading() as tx:
        found = await tx.value(
            f"SELECT count(*) FROM sales_order o WHERE {_PAID}", tx.tenant_id, span.since, span.until, currency
        )
    return int(found)


def sellers_of_part(part: int, parts: int) -> list[str]:
    """The last digits of the paths of a part's sellers: each seller is in one part, with all of its orders."""
    return _DIGITS[part::parts]


async def replay_part(program: Program, span: Span, *, part: int, parts: int, report: Report) -> Sums:
    """Replay the orders of one part of the sellers."""
    people = await roll()
    async with reading() as tx:
        replay = await _replay(tx, program, span, people)
        begin = span.warm_from(replay.program)
        whose = sellers_of_part(part, parts)
        async with aclosing(_lines(tx, begin, span.until, program.currency, whose)) as batches:
            async for rows in batches:
                replay.feed(rows)
                await report(replay.taken)
    sums = replay.finish()
    await report(replay.taken)
    return sums


async def replay_order(program: Program, span: Span, order_id: OrderId, path: str) -> Decided | None:
    """One order under the program, after all that its seller sold before it in the periods that count."""
    people = await roll()
    async with reading() as tx:
        replay = await _replay(tx, program, span, people)
        begin = span.warm_from(replay.program)
        async with aclosing(_lines(tx, begin, span.until, program.currency, [path[-SEGMENT:]])) as batches:
            async for rows in batches:
                for order in replay.orders(rows):
                    if (decided := replay.decide(order)).order_id == str(order_id):
                        return decided
    left = [replay.decide(order) for order in replay.orders((), last=True)]
    return next((decided for decided in left if decided.order_id == str(order_id)), None)


def _lines(
    tx: Tx, since: datetime, until: datetime, currency: str, endings: Sequence[str]
) -> AsyncGenerator[Sequence[Sequence[Any]], None]:
    """The lines of paid orders, each with its order's head, as ``Sale`` has them.

    ``endings``: what the sellers' paths end with, each of the same length.
    """
    length = len(endings[0])
    return tx.batches(
        f"SELECT CAST(o.id AS text), o.path, o.paid_at, o.decided_at, CAST(o.self_purchase AS integer), o.channel, "
        f"l.sku, l.category, l.quantity, l.amount_minor, coalesce(l.company_minor, 0) "
        f"FROM sales_order o JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id "
        f"WHERE {_PAID} AND substr(o.path, length(o.path) - {length - 1}, {length}) {tx.within(5, 'text')} "
        f"ORDER BY o.paid_at, o.id, l.line_no",
        tx.tenant_id,
        since,
        until,
        currency,
        list(endings),
        size=_BATCH,
    )


async def _replay(tx: Tx, program: Program, span: Span, people: Roll) -> Replay:
    """A replay with all it has to know of the brand besides the orders of its part."""
    compiled = compile_program(program)
    shared: Mapping[str, str] = {}
    if compiled.lead is not None:
        shared = await partners(tx, program.currency, span.warm_from(compiled), span.until)
    own_sales = await _own_sales(tx, compiled, span, program.currency, shared)
    return Replay(program, span, people.chain, own_sales, shared)


async def _own_sales(
    tx: Tx, program: CompiledProgram, span: Span, currency: str, shared: Mapping[str, str]
) -> OwnSales | None:
    """Everybody's own sales, when uplines have to qualify by them."""
    if not program.qualifying:
        return None
    found = OwnSales()
    part_bps = 0 if program.lead is None else program.lead.performance_to_region_bps
    sales = tx.batches(
        f"SELECT CAST(o.id AS text), o.path, o.paid_at, o.goods_minor FROM sales_order o WHERE {_PAID} "
        f"ORDER BY o.paid_at, o.id",
        tx.tenant_id,
        span.warm_from(program),
        span.until,
        currency,
    )
    async with aclosing(sales) as batches:
        async for rows in batches:
            for order_id, path, paid_at, goods_minor in rows:
                partner_path = shared.get(order_id)
                part = share(goods_minor, part_bps) if partner_path else 0
                found.add(path[-SEGMENT:], paid_at, order_id, goods_minor - part)
                if part and partner_path:
                    found.add(partner_path[-SEGMENT:], paid_at, order_id, part)
    return found
