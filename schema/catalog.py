"""Products."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.catalog import commands, queries
from saas.catalog.queries import ProductFilter, ProductView
from saas.catalog.rules import PutProduct
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import to_global
from schema.limits import at_most_a_thousand
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request


@described(
    "Whether a product is for sale.", ACTIVE="For sale.", ARCHIVED="Off sale; orders that name it stay as they are."
)
class ProductStatus(StrEnum):
    """As in the catalogue."""

    ACTIVE = "active"
    ARCHIVED = "archived"


@strawberry.type(description="Something a brand sells. Its prices are in the brand's program.")
class Product:
    """A row of the catalogue."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    sku: str = strawberry.field(description="The brand's own number of it.")
    name: str = strawberry.field(description="Its name.")
    category: str | None = strawberry.field(description="Its category; components of a program can be limited to one.")
    status: ProductStatus = strawberry.field(description="Whether it is for sale.")
    created_at: datetime = strawberry.field(description="When it was first put into the catalogue.")


def product(view: ProductView) -> Product:
    """A product for the API."""
    return Product(
        id=to_global("Product", view.id),
        sku=view.sku,
        name=view.name,
        category=view.category,
        status=ProductStatus(view.status),
        created_at=view.created_at,
    )


@strawberry.input(description="A product to create or to change.")
class ProductInput:
    """One product."""

    sku: str = strawberry.field(description="The brand's own number of it, unique in the brand.")
    name: str = strawberry.field(description="Its name.")
    category: str | None = strawberry.field(default=None, description="Its category, if it has one.")


@strawberry.input(description="Products to create or to change, all or none.")
class PutProductsInput:
    """Up to a thousand products."""

    products: list[ProductInput] = strawberry.field(description="The products.")


@strawberry.input(description="Products to take off sale.")
class ArchiveProductsInput:
    """By SKU."""

    skus: list[str] = strawberry.field(description="Their SKUs.")


@strawberry.type(description="Products as they are now.")
class ProductsPayload(Payload):
    """Answer of the mutations of products."""

    products: list[Product] | None = strawberry.field(default=None, description="The products; none when refused.")


@strawberry.type
class CatalogQuery:
    """Reads of the catalogue."""

    @strawberry.field(description="The brand's products by SKU.")
    async def products(
        self,
        first: First = PAGE_DEFAULT,
        after: After = None,
        search: Annotated[str | None, strawberry.argument(description="Part of the SKU or name.")] = None,
        category: Annotated[str | None, strawberry.argument(description="Only this category.")] = None,
        status: Annotated[ProductStatus | None, strawberry.argument(description="Only this status.")] = None,
    ) -> Connection[Product]:
        """A page of products."""
        wanted = ProductFilter(search=search, category=category, status=status)
        return connection(await queries.products(request(first, after), wanted), product, after)


@strawberry.type
class CatalogMutation:
    """Writes of the catalogue."""

    @strawberry.mutation(description="Create products, or change those that exist; all or none.")
    @refusals(ProductsPayload)
    async def put_products(self, info: Info, input: In[PutProductsInput]) -> ProductsPayload:
        """Put them into the catalogue."""
        at_most_a_thousand(input.products, "input.products")
        wanted = [PutProduct(sku=p.sku, name=p.name, category=p.category) for p in input.products]
        put = await commands.put_products(wanted, info.context.who)
        return ProductsPayload(products=[product(view) for view in put])

    @strawberry.mutation(description="Take products off sale. Orders that name them stay as they are.")
    @refusals(ProductsPayload)
    async def archive_products(self, info: Info, input: In[ArchiveProductsInput]) -> ProductsPayload:
        """Archive them."""
        at_most_a_thousand(input.skus, "input.skus")
        archived = await commands.archive_products(input.skus, info.context.who)
        return ProductsPayload(products=[product(view) for view in archived])
