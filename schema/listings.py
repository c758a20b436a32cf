"""Listings: what distributors offer where, and what a version of the program would find below its floors."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.base.ids import DistributorId, ListingId
from saas.listings import commands, floors, queries
from saas.listings.commands import OpenListing
from saas.listings.queries import ListingFilter, ListingView
from saas.orders.rules import PriceVerdict
from schema.commissions import own_or_asked
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, maybe_global, to_global
from schema.network import Distributor, distributor_by_id
from schema.orders import PriceSide
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import BigInt, Money, money


@described("Whether a product is offered.", OPEN="It is.", CLOSED="No longer.")
class ListingStatus(StrEnum):
    """As in the table of listings."""

    OPEN = "open"
    CLOSED = "closed"


@strawberry.type(description="A product that a distributor offers in a channel (上架).")
class Listing:
    """A listing."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    distributor_key: strawberry.Private[DistributorId]
    distributor_id: strawberry.ID = strawberry.field(description="Who offers it.")
    sku: str = strawberry.field(description="The product.")
    channel: str = strawberry.field(description="Where.")
    price: Money = strawberry.field(description="The price of a piece.")
    status: ListingStatus = strawberry.field(description="Whether it is offered.")
    outside_band: PriceSide | None = strawberry.field(
        description="On which side of the price band of the program in force the price lies; null inside."
    )
    opened_at: datetime = strawberry.field(description="Since when it is offered.")
    changed_at: datetime = strawberry.field(description="When it last changed.")
    closed_at: datetime | None = strawberry.field(description="When it was closed.")

    @strawberry.field(description="Who offers it, if the caller may see it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """The distributor."""
        return await distributor_by_id(info, self.distributor_key)


def listing(view: ListingView) -> Listing:
    """A listing for the API."""
    return Listing(
        id=to_global("Listing", view.id),
        distributor_key=view.distributor_id,
        distributor_id=to_global("Distributor", view.distributor_id),
        sku=view.sku,
        channel=view.channel,
        price=money(view.price_minor, view.currency),
        status=ListingStatus(view.status),
        outside_band=None if view.side is PriceVerdict.INSIDE else PriceSide(view.side.value),
        opened_at=view.opened_at,
        changed_at=view.changed_at,
        closed_at=view.closed_at,
    )


@strawberry.type(description="An open listing, or a line of an unpaid order, below a version's floor.")
class BelowFloor:
    """A finding; `listingId`, or `orderId` with `lineId`, say what it is."""

    distributor_key: strawberry.Private[DistributorId]
    distributor_id: strawberry.ID = strawberry.field(description="Who offers or sold it.")
    listing_id: strawberry.ID | None = strawberry.field(description="The listing.")
    order_id: strawberry.ID | None = strawberry.field(description="The order.")
    line_id: strawberry.ID | None = strawberry.field(description="The order's line.")
    sku: str = strawberry.field(description="The product.")
    channel: str | None = strawberry.field(description="Where.")
    quantity: BigInt = strawberry.field(description="Pieces; one for a listing.")
    amount: Money = strawberry.field(description="What they cost.")
    floor: Money = strawberry.field(description="The least the version allows for them.")
    missing: Money = strawberry.field(description="How much less than the floor they cost.")

    @strawberry.field(description="Who offers or sold it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """The distributor."""
        return await distributor_by_id(info, self.distributor_key)


def below_floor(found: floors.BelowFloor, currency: str) -> BelowFloor:
    """A finding for the API."""
    return BelowFloor(
        distributor_key=found.distributor_id,
        distributor_id=to_global("Distributor", found.distributor_id),
        listing_id=maybe_global("Listing", found.listing_id),
        order_id=maybe_global("Order", found.order_id),
        line_id=maybe_global("OrderLine", found.line_id),
        sku=found.sku,
        channel=found.channel,
        quantity=BigInt(found.quantity),
        amount=money(found.amount_minor, currency),
        floor=money(found.floor_minor, currency),
        missing=money(found.missing_minor, currency),
    )


@strawberry.type(description="How much a version of the program finds below its floors.")
class BelowFloorCount:
    """Counts."""

    listings: int = strawberry.field(description="Open listings.")
    order_lines: int = strawberry.field(description="Lines of orders that are placed and not paid.")


@strawberry.input(description="A product to offer.")
class OpenListingInput:
    """An offer."""

    distributor_id: strawberry.ID = strawberry.field(description="Who offers it; a distributor itself.")
    sku: str = strawberry.field(description="The product.")
    channel: str = strawberry.field(description="Where.")
    price_minor: BigInt = strawberry.field(description="The price of a piece, in minor units.")


@strawberry.input(description="Another price.")
class ChangeListingPriceInput:
    """A price."""

    listing_id: strawberry.ID = strawberry.field(description="The listing.")
    price_minor: BigInt = strawberry.field(description="The price of a piece from now on, in minor units.")


@strawberry.input(description="A listing to close.")
class CloseListingInput:
    """A listing."""

    listing_id: strawberry.ID = strawberry.field(description="The listing.")


@strawberry.type(description="A listing as it is now.")
class ListingPayload(Payload):
    """Answer of the mutations of listings."""

    listing: Listing | None = strawberry.field(default=None, description="The listing; none when refused.")


Number = Annotated[int, strawberry.argument(description="The version's number; a draft's, as a rule.")]


@strawberry.type
class ListingQuery:
    """Reads of listings."""

    @strawberry.field(description="Listings, the latest first; a distributor's own.")
    async def listings(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Of this distributor.")] = None,
        sku: Annotated[str | None, strawberry.argument(description="Only this product.")] = None,
        channel: Annotated[str | None, strawberry.argument(description="Only this channel.")] = None,
        status: Annotated[ListingStatus | None, strawberry.argument(description="Only this status.")] = None,
        search: Annotated[str | None, strawberry.argument(description="Part of the SKU or product name.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Listing]:
        """A page of listings."""
        wanted = ListingFilter(
            distributor_id=own_or_asked(info, of, "of"),
            sku=sku,
            channel=channel,
            status=status.value if status else None,
            search=search,
        )
        return connection(await queries.listings(request(first, after), wanted), listing, after)

    @strawberry.field(
        description="Open listings, then lines of unpaid orders, that cost less than a version of the program allows."
    )
    async def below_floor(
        self, info: Info, number: Number, first: First = PAGE_DEFAULT, after: After = None
    ) -> Connection[BelowFloor]:
        """A page of findings."""
        page = await floors.below_floor(number, request(first, after))
        currency = await info.context.currency()
        return connection(page, lambda found: below_floor(found, currency), after)

    @strawberry.field(description="How many there are of them.")
    async def below_floor_count(self, number: Number) -> BelowFloorCount:
        """Counts."""
        found = await floors.count_below_floor(number)
        return BelowFloorCount(listings=found.listings, order_lines=found.order_lines)


@strawberry.type
class ListingMutation:
    """Writes of listings."""

    @strawberry.mutation(description="Offer a product in a channel, inside the price band; a distributor for itself.")
    @refusals(ListingPayload)
    async def open_listing(self, info: Info, input: In[OpenListingInput]) -> ListingPayload:
        """Offer it."""
        asked = OpenListing(
            distributor_id=DistributorId(from_global("Distributor", input.distributor_id, "input.distributorId")),
            sku=input.sku,
            channel=input.channel,
            price_minor=input.price_minor,
        )
        return ListingPayload(listing=listing(await commands.open_listing(asked, info.context.who)))

    @strawberry.mutation(description="Ask another price for a piece from now on.")
    @refusals(ListingPayload)
    async def change_listing_price(self, info: Info, input: In[ChangeListingPriceInput]) -> ListingPayload:
        """Change it."""
        id_ = ListingId(from_global("Listing", input.listing_id, "input.listingId"))
        return ListingPayload(
            listing=listing(await commands.change_listing_price(id_, input.price_minor, info.context.who))
        )

    @strawberry.mutation(description="Offer it no longer.")
    @refusals(ListingPayload)
    async def close_listing(self, info: Info, input: In[CloseListingInput]) -> ListingPayload:
        """Close it."""
        id_ = ListingId(from_global("Listing", input.listing_id, "input.listingId"))
        return ListingPayload(listing=listing(await commands.close_listing(id_, info.context.who)))
