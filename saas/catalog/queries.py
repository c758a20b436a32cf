"""Reads of the catalogue."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import Q

from saas.base.db import reading
from saas.base.ids import ProductId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.catalog.models import Product


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product as it is read; ``status`` is ``active`` (for sale) or ``archived``."""

    id: ProductId
    sku: str
    name: str
    category: str | None
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """Which products; what is not given does not matter. ``search`` looks into SKU and name, in any case.

    ``without``: not these SKUs.
    """

    search: str | None = None
    category: str | None = None
    status: str | None = None
    without: Collection[str] = ()


async def by_sku(skus: Collection[str]) -> Mapping[str, ProductView]:
    """The products of these SKUs that the brand has, archived ones too."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT id, sku, name, category, status, created_at FROM product "
            f"WHERE tenant_id = $1 AND sku {tx.within(2, 'text')}",
            tx.tenant_id,
            list(skus),
        )
    return {row["sku"]: ProductView(**row) for row in rows}


async def products(request: PageRequest, wanted: ProductFilter) -> Page[ProductView]:
    """Products by SKU."""
    async with reading():
        query = Product.all().order_by("sku")
        if request.after is not None:
            query = query.filter(sku__gt=decode_cursor(request.after, str)[0])
        if wanted.search:
            query = query.filter(Q(sku__icontains=wanted.search) | Q(name__icontains=wanted.search))
        if wanted.category is not None:
            query = query.filter(category=wanted.category)
        if wanted.status is not None:
            query = query.filter(status=wanted.status)
        if wanted.without:
            query = query.exclude(sku__in=list(wanted.without))
        rows = await query.limit(request.first + 1)
    views = [_view(row) for row in rows]
    return page_of(views, request, [encode_cursor(view.sku) for view in views])


def _view(row: Product) -> ProductView:
    return ProductView(
        id=ProductId(row.id),
        sku=row.sku,
        name=row.name,
        category=row.category,
        status=row.status,
        created_at=row.created_at,
    )
