"""Orders as they are read: one, lists, their lines with the commission of each, sums of a period, price cases."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from saas.base.db import Tx, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, OrderId, OrderLineId, ProductId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.commissions import queries as commissions
from saas.commissions.queries import CommissionView
from saas.commissions.rules import Reason, Share
from saas.commissions.shares import LEAD
from saas.network.rules import numbers_of

_COLUMNS = ", ".join(
    f"o.{name}"
    for name in (
        "id", "number", "seller_id", "customer", "self_purchase", "for_member", "channel", "region", "source", "status",
        "currency", "goods_minor", "freight_minor", "tax_minor", "program_number", "path", "placed_at", "paid_at",
        "shipped_at", "delivered_at", "closed_at", "cancelled_at", "hold_until", "decided_at",
    )
)  # fmt: skip
_ORDERS = (
    f"SELECT {_COLUMNS}, lead.distributor_id AS served_by_id FROM sales_order o "
    f"LEFT JOIN cross_region_lead lead ON lead.tenant_id = o.tenant_id AND lead.order_id = o.id"
)

UNREACHED_MOST = 50
"""How far from the seller uplines are told that got nothing because commission does not reach them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order. ``path`` is its seller's place in the tree at payment, ``program_number`` the version that applied.

    ``decided_at`` is the moment whose tree and tiers decided its commission. ``served_by_id`` is the distributor of the
    customer's region that the sale is shared with.
    """

    id: OrderId
    number: str
    seller_id: DistributorId
    customer: str | None
    self_purchase: bool
    for_member: bool
    channel: str | None
    region: str | None
    source: str
    status: str
    currency: str
    goods_minor: int
    freight_minor: int
    tax_minor: int
    program_number: int | None
    path: str | None
    placed_at: datetime
    paid_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    closed_at: datetime | None
    cancelled_at: datetime | None
    hold_until: datetime | None
    decided_at: datetime | None
    served_by_id: DistributorId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line; ``company_minor`` is what its commission left to the company, once the order is paid."""

    id: OrderLineId
    order_id: OrderId
    line_no: int
    product_id: ProductId
    sku: str
    quantity: int
    amount_minor: int
    company_minor: int | None


class OrderSort(StrEnum):
    """The order of a list of orders."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"


_SORTS = {
    OrderSort.NEWEST: ("placed_at", datetime, True),
    OrderSort.OLDEST: ("placed_at", datetime, False),
    OrderSort.LARGEST: ("goods_minor", int, True),
    OrderSort.SMALLEST: ("goods_minor", int, False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders; what is not given does not matter.

    ``team_of``: sold by that distributor or its downline of today. The period ``[since, until)`` is of the placing.
    ``search`` looks into number and customer, in any case. ``trace_code``: ever sold with exactly this code.
    """

    statuses: Sequence[str] | None = None
    seller_id: DistributorId | None = None
    team_of: DistributorId | None = None
    since: datetime | None = None
    until: datetime | None = None
    channel: str | None = None
    region: str | None = None
    search: str | None = None
    trace_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCaseView:
    """A line sold outside the band; ``lowest_minor`` and ``highest_minor`` are what the program allowed for it."""

    id: UUID
    order_id: OrderId
    line_id: OrderLineId
    seller_id: DistributorId
    sku: str
    verdict: str
    quantity: int
    amount_minor: int
    lowest_minor: int
    highest_minor: int
    status: str
    opened_at: datetime
    closed_at: datetime | None
    resolution: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedShare:
    """A share of a line, with its row, or without one for an upline that commission did not reach."""

    line_id: OrderLineId
    share: Share
    program_number: int
    currency: str
    commission: CommissionView | None


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """Orders on their way: placed, paid or shipped; their goods in minor units of the brand's currency."""

    orders: int
    goods_minor: int


async def order(order_id: OrderId, team_of: DistributorId | None = None) -> OrderView:
    """One order. Raises ``NotFound``, also for one that was not sold by the distributor ``team_of`` or its downline."""
    async with reading() as tx:
        where = Where(tx, "o")
        where.add("o.id = $", order_id)
        _sold_by_team(tx, where, team_of)
        row = await tx.row(f"{_ORDERS} WHERE {where.sql}", *where.args)
    if row is None:
        raise NotFound("id", kind="order", value=order_id)
    return OrderView(**row)


async def orders_by_id(ids: Collection[OrderId]) -> Mapping[OrderId, OrderView]:
    """These orders, in one statement; those the brand does not have are left out."""
    async with reading() as tx:
        where = Where(tx, "o")
        where.within("o.id", list(ids), "uuid")
        rows = await tx.rows(f"{_ORDERS} WHERE {where.sql}", *where.args)
    return {row["id"]: OrderView(**row) for row in rows}


async def orders(request: PageRequest, wanted: OrderFilter, sort: OrderSort = OrderSort.NEWEST) -> Page[OrderView]:
    """A page of orders, in one statement."""
    column, kind, descending = _SORTS[sort]
    async with reading() as tx:
        where = _where(tx, wanted)
        if request.after is not None:
            key, id_ = decode_cursor(request.after, kind, UUID)
            where.after((f"o.{column}", "o.id"), (key, id_), descending=descending)
        direction = "DESC" if descending else "ASC"
        rows = await tx.rows(
            f"{_ORDERS} WHERE {where.sql} ORDER BY o.{column} {direction}, o.id {direction} LIMIT {request.first + 1}",
            *where.args,
        )
    views = [OrderView(**row) for row in rows]
    return page_of(views, request, [encode_cursor(row[column], row["id"]) for row in rows])


async def lines_of(order_ids: Collection[OrderId]) -> Mapping[OrderId, Sequence[LineView]]:
    """The lines of each order, in their order."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT id, order_id, line_no, product_id, sku, quantity, amount_minor, company_minor FROM order_line "
            f"WHERE tenant_id = $1 AND order_id {tx.within(2, 'uuid')} ORDER BY order_id, line_no",
            tx.tenant_id,
            list(order_ids),
        )
    found: dict[OrderId, list[LineView]] = {order_id: [] for order_id in order_ids}
    for row in rows:
        found[row["order_id"]].append(LineView(**row))
    return found


async def order_by_number(number: str) -> OrderId | None:
    """The order that has this number, if there is one."""
    async with reading() as tx:
        found = await tx.value("SELECT id FROM sales_order WHERE tenant_id = $1 AND number = $2", tx.tenant_id, number)
    return None if found is None else OrderId(found)


async def open_orders(seller_id: DistributorId) -> OpenOrders:
    """A seller's orders that are not delivered yet."""
    async with reading() as tx:
        row = await tx.row(
            "SELECT count(*) AS orders, CAST(coalesce(sum(goods_minor), 0) AS bigint) AS goods_minor FROM sales_order "
            "WHERE tenant_id = $1 AND seller_id = $2 AND status IN ('placed', 'paid', 'shipped')",
            tx.tenant_id,
            seller_id,
        )
    return OpenOrders(**row) if row else OpenOrders(0, 0)


async def explained(
    orders: Collection[OrderView], lines: Mapping[OrderId, Sequence[LineView]]
) -> Mapping[OrderId, Sequence[ExplainedShare]]:
    """Every share of each paid order, by line and level, and why each upline beyond them got nothing."""
    paid = [one for one in orders if one.path is not None]
    if not paid:
        return {}
    async with reading() as tx:
        shares = await commissions.of_orders([one.id for one in paid])
        uplines = await _uplines(tx, paid)
    return {one.id: explain(one, lines[one.id], shares[one.id], uplines[one.id]) for one in paid}


async def price_cases(request: PageRequest, status: str | None = None) -> Page[PriceCaseView]:
    """Price cases, the newest first."""
    async with reading() as tx:
        where = Where(tx)
        if status is not None:
            where.add("status = $", status)
        if request.after is not None:
            opened_at, id_ = decode_cursor(request.after, datetime, UUID)
            where.after(("opened_at", "id"), (opened_at, id_), descending=True)
        rows = await tx.rows(
            f"SELECT id, order_id, line_id, seller_id, sku, verdict, quantity, amount_minor, lowest_minor, "
            f"highest_minor, status, opened_at, closed_at, resolution FROM price_case "
            f"WHERE {where.sql} ORDER BY opened_at DESC, id DESC LIMIT {request.first + 1}",
            *where.args,
        )
    views = [PriceCaseView(**row) for row in rows]
    return page_of(views, request, [encode_cursor(view.opened_at, view.id) for view in views])


def _where(tx: Tx, wanted: OrderFilter) -> Where:
    where = Where(tx, "o")
    if wanted.statuses is not None:
        where.within("o.status", list(wanted.statuses))
    for column, value in (("seller_id", wanted.seller_id), ("channel", wanted.channel), ("region", wanted.region)):
        if value is not None:
            where.add(f"o.{column} = $", value)
    if wanted.since is not None:
        where.add("o.placed_at >= $", wanted.since)
    if wanted.until is not None:
        where.add("o.placed_at < $", wanted.until)
    if wanted.search:
        where.add("(lower(o.number) LIKE $ ESCAPE '!' OR lower(o.customer) LIKE $ ESCAPE '!')", _like(wanted.search))
    if wanted.trace_code is not None:
        where.add("o.id IN (SELECT order_id FROM trace_code WHERE tenant_id = $1 AND code = $)", wanted.trace_code)
    _sold_by_team(tx, where, wanted.team_of)
    return where


def _like(text: str) -> str:
    plain = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{plain}%"


def _sold_by_team(tx: Tx, where: Where, leader: DistributorId | None) -> None:
    if leader is None:
        return
    team = "distributor d WHERE d.tenant_id = $1 AND d.path >= top.path AND d.path < top.beyond"
    under = f"LATERAL (SELECT d.id FROM {team} OFFSET 0) d" if tx.laterally else team
    where.add(  # materialised and behind OFFSET 0: see saas.network.selection
        f"o.seller_id IN (WITH top AS MATERIALIZED (SELECT path, path || '~' AS beyond FROM distributor "
        f"WHERE tenant_id = $1 AND id = $) SELECT d.id FROM top CROSS JOIN {under})",
        leader,
    )


async def _uplines(tx: Tx, found: Collection[OrderView]) -> Mapping[OrderId, list[DistributorId]]:
    """Who stood where on an order's path at payment, the seller first: a distributor's number never changes."""
    numbers = {one.id: numbers_of(one.path or "") for one in found}
    rows = await tx.rows(
        f"SELECT id, no FROM distributor WHERE tenant_id = $1 AND no {tx.within(2, 'bigint')}",
        tx.tenant_id,
        sorted({no for chain in numbers.values() for no in chain}),
    )
    by_no = {row["no"]: row["id"] for row in rows}
    return {id_: [by_no[no] for no in reversed(chain)] for id_, chain in numbers.items()}


def explain(
    one: OrderView, lines: Sequence[LineView], rows: Sequence[CommissionView], chain: Sequence[DistributorId]
) -> list[ExplainedShare]:
    """The shares of a paid order by its rows, and by its chain at payment why each upline beyond got nothing."""
    told: list[ExplainedShare] = []
    for line in lines:
        own = [row for row in rows if row.line_id == line.id]
        shares = [(row.share, row) for row in own]
        for share, commission in [*shares, *_unreached(line, own, chain)]:
            told.append(
                ExplainedShare(
                    line_id=line.id,
                    share=share,
                    program_number=one.program_number or 0,
                    currency=one.currency,
                    commission=commission,
                )
            )
    return told


def _unreached(
    line: LineView, rows: Sequence[CommissionView], chain: Sequence[DistributorId]
) -> Iterator[tuple[Share, None]]:
    """The members of the chain that no row names, up to ``UNREACHED_MOST`` levels from the seller."""
    named = {row.share.beneficiary_id for row in rows if not row.share.component.endswith(LEAD)}
    reason = Reason.BEYOND_PAID_LEVELS if rows else Reason.NO_COMPONENT
    base_minor = rows[0].share.base_minor if rows else line.amount_minor
    for distance, member in enumerate(chain[:UNREACHED_MOST]):
        if member not in named:
            yield Share("", distance, member, None, None, None, base_minor, line.quantity, 0, reason), None
