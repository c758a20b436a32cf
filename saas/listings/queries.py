"""Listings as they are read: one, and lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.base.db import Row, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, ListingId, ProductId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.listings.rules import side_of
from saas.orders.rules import PriceVerdict
from tenants.program.versions import active_program

_COLUMNS = ", ".join(
    f"l.{name}"
    for name in (
        "id", "distributor_id", "product_id", "sku", "channel", "price_minor", "currency", "status", "opened_at",
        "changed_at", "closed_at",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingView:
    """A listing; ``price_minor`` is for a piece, ``side`` where it lies by the program in force now."""

    id: ListingId
    distributor_id: DistributorId
    product_id: ProductId
    sku: str
    channel: str
    price_minor: int
    currency: str
    status: str
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    side: PriceVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFilter:
    """Which listings; what is not given does not matter. ``search`` looks into SKU and product name, in any case."""

    distributor_id: DistributorId | None = None
    sku: str | None = None
    channel: str | None = None
    status: str | None = None
    search: str | None = None


async def listing(listing_id: ListingId, own: DistributorId | None = None, field: str = "id") -> ListingView:
    """One listing. Raises ``NotFound``, also for one that is not ``own``'s when that is given."""
    async with reading() as tx:
        where = Where(tx, "l")
        where.add("l.id = $", listing_id)
        if own is not None:
            where.add("l.distributor_id = $", own)
        row = await tx.row(f"SELECT {_COLUMNS} FROM listing l WHERE {where.sql}", *where.args)
        if row is None:
            raise NotFound(field, kind="listing", value=listing_id)
        return (await _views([row]))[0]


async def listings(request: PageRequest, wanted: ListingFilter) -> Page[ListingView]:
    """A page of listings, the latest first."""
    async with reading() as tx:
        where = Where(tx, "l")
        for column in ("distributor_id", "sku", "channel", "status"):
            if (value := getattr(wanted, column)) is not None:
                where.add(f"l.{column} = $", value)
        if wanted.search:
            where.add("(lower(l.sku) LIKE $ ESCAPE '!' OR lower(p.name) LIKE $ ESCAPE '!')", _like(wanted.search))
        if request.after is not None:
            where.add("l.id < $", decode_cursor(request.after, UUID)[0])
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM listing l JOIN product p ON p.tenant_id = l.tenant_id AND p.id = l.product_id "
            f"WHERE {where.sql} ORDER BY l.id DESC LIMIT {request.first + 1}",
            *where.args,
        )
        views = await _views(rows)
    return page_of(views, request, [encode_cursor(view.id) for view in views])


async def _views(rows: Sequence[Row]) -> list[ListingView]:
    if not rows:
        return []
    prices = (await active_program()).program.price_policy
    return [ListingView(**row, side=side_of(prices, row["sku"], row["price_minor"])) for row in rows]


def _like(text: str) -> str:
    plain = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{plain}%"
