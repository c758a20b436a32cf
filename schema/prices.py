"""What an order would cost, and what products cost: prices of the program with their reasons."""

from datetime import date
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.base.errors import DomainError, Rejected
from saas.base.ids import DistributorId
from saas.orders import quoting
from saas.orders.draft import PlaceLine, PlaceOrder
from saas.orders.pricing import PriceSource
from saas.orders.quoting import PriceRow, Quote, QuotedLine
from saas.orders.wording import promotion_name, why
from schema.catalog import Product, product
from schema.commissions import own_or_asked
from schema.context import Info
from schema.enums import described
from schema.errors import Payload, user_errors
from schema.ids import from_global
from schema.order_changes import OrderLineInput
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import BigInt, Money, money
from tenants.program import pricing

described(
    "Where the price of a line comes from.",
    GIVEN="The order said it.",
    PURCHASE="What the distributor's tier pays in its region.",
    GUIDE="The guide price.",
    PROMOTION="A promotion.",
)(PriceSource)


@described(
    "What a promotion does.",
    PRICE="Another price for a piece.",
    AMOUNT_OFF="An amount off an order from a threshold.",
    BUY_GET="Pieces for nothing.",
)
class PromotionKind(StrEnum):
    """As in the program document."""

    PRICE = "price"
    AMOUNT_OFF = "amount_off"
    BUY_GET = "buy_get"


@strawberry.type(description="A promotion of the program, as it concerns one product.")
class Promotion:
    """Fields that a kind does not have are null."""

    key: str = strawberry.field(description="Its key in the program.")
    name: str = strawberry.field(description="Its name in the caller's language; the key when it has none.")
    kind: PromotionKind = strawberry.field(description="What it does.")
    effective_from: date = strawberry.field(description="Its first day.")
    effective_until: date = strawberry.field(description="The day after its last.")
    channels: list[str] | None = strawberry.field(description="The only channels it holds in; null is everywhere.")
    members_only: bool = strawberry.field(description="Whether it is for members of the brand alone.")
    price: Money | None = strawberry.field(description="The price of a piece.")
    threshold: Money | None = strawberry.field(description="The goods from which the amount is taken off.")
    off: Money | None = strawberry.field(description="The amount that is taken off, once an order.")
    buy: int | None = strawberry.field(description="Pieces to pay.")
    get: int | None = strawberry.field(description="Pieces for nothing with them.")


def promotion(one: pricing.Promotion, sku: str, currency: str, locale: str) -> Promotion:
    """A promotion for the API."""
    price = one.prices_minor.get(sku) if isinstance(one, pricing.PromotionPrice) else None
    off = one if isinstance(one, pricing.AmountOff) else None
    gift = one if isinstance(one, pricing.BuyGet) else None
    return Promotion(
        key=one.key,
        name=promotion_name(one, locale),
        kind=PromotionKind(one.kind),
        effective_from=one.effective_from,
        effective_until=one.effective_until,
        channels=None if one.channels is None else list(one.channels),
        members_only=one.members_only,
        price=maybe_money(price, currency),
        threshold=maybe_money(off.threshold_minor if off else None, currency),
        off=maybe_money(off.off_minor if off else None, currency),
        buy=gift.buy if gift else None,
        get=gift.get if gift else None,
    )


def maybe_money(amount_minor: int | None, currency: str) -> Money | None:
    """An amount that may be absent."""
    return None if amount_minor is None else money(amount_minor, currency)


@strawberry.type(description="What a line costs and why.")
class PriceQuoteLine:
    """A line."""

    sku: str = strawberry.field(description="The product.")
    quantity: BigInt = strawberry.field(description="Pieces, the free ones among them.")
    amount: Money = strawberry.field(description="What the line costs.")
    source: PriceSource = strawberry.field(description="Where the price comes from.")
    promotion: Promotion | None = strawberry.field(description="The promotion that priced it.")
    free_pieces: BigInt = strawberry.field(description="How many of the pieces cost nothing.")
    guide: Money | None = strawberry.field(description="The guide price of all pieces.")
    lowest: Money | None = strawberry.field(description="The least the program allows for them.")
    highest: Money | None = strawberry.field(description="The most the program allows for them.")
    outside_band: bool = strawberry.field(description="Whether a price case would be opened.")
    why: str = strawberry.field(description="One sentence with the arithmetic, in the caller's language.")


def quote_line(line: QuotedLine, currency: str, locale: str) -> PriceQuoteLine:
    """A line for the API."""
    return PriceQuoteLine(
        sku=line.sku,
        quantity=BigInt(line.quantity),
        amount=money(line.amount_minor, currency),
        source=line.source,
        promotion=promotion(line.promotion, line.sku, currency, locale) if line.promotion else None,
        free_pieces=BigInt(line.free),
        guide=maybe_money(line.guide_minor, currency),
        lowest=maybe_money(line.lowest_minor, currency),
        highest=maybe_money(line.highest_minor, currency),
        outside_band=line.outside_band,
        why=why(line, currency, locale),
    )


@strawberry.type(description="What an order would cost; `userErrors` tell why it would be refused.")
class PriceQuote(Payload):
    """A quote; nothing is kept of it."""

    goods: Money | None = strawberry.field(default=None, description="What all goods cost; none when refused.")
    lines: list[PriceQuoteLine] | None = strawberry.field(default=None, description="Its lines; none when refused.")


@strawberry.input(description="An order to know the price of.")
class PriceQuoteInput:
    """The parts of an order that prices depend on."""

    seller_id: strawberry.ID = strawberry.field(description="Who sells.")
    lines: list[OrderLineInput] = strawberry.field(description="What is sold; without a price the program's counts.")
    self_purchase: bool = strawberry.field(default=False, description="The seller buys for itself.")
    channel: str | None = strawberry.field(default=None, description="Where it is sold.")
    for_member: bool = strawberry.field(default=False, description="The customer is a member of the brand.")


@strawberry.type(description="A product's prices for one piece.")
class ProductPrice:
    """A row of the price list."""

    product: Product = strawberry.field(description="The product.")
    guide: Money | None = strawberry.field(description="The guide price; without one any price is allowed.")
    lowest: Money | None = strawberry.field(description="The least the band allows.")
    highest: Money | None = strawberry.field(description="The most the band allows.")
    purchase: Money | None = strawberry.field(description="What the distributor asked for pays for itself.")
    channels: list[str] | None = strawberry.field(description="The only channels it is sold in; null is everywhere.")
    promotions: list[Promotion] = strawberry.field(description="Its promotions on the day, in the channel asked for.")


def product_price(row: PriceRow, currency: str, locale: str) -> ProductPrice:
    """A row for the API."""
    return ProductPrice(
        product=product(row.product),
        guide=maybe_money(row.guide_minor, currency),
        lowest=maybe_money(row.lowest_minor, currency),
        highest=maybe_money(row.highest_minor, currency),
        purchase=maybe_money(row.purchase_minor, currency),
        channels=None if row.channels is None else list(row.channels),
        promotions=[promotion(one, row.product.sku, currency, locale) for one in row.promotions],
    )


@strawberry.type
class PriceQuery:
    """Reads of prices."""

    @strawberry.field(description="What an order would cost if it were placed now, line by line; nothing is kept.")
    async def price_quote(
        self, info: Info, input: Annotated[PriceQuoteInput, strawberry.argument(description="The order.")]
    ) -> PriceQuote:
        """A quote."""
        try:
            found = await quoting.quote(_asked(input), info.context.who)
        except Rejected as several:
            return PriceQuote(user_errors=user_errors(several.errors, info.context.locale))
        except DomainError as refused:
            return PriceQuote(user_errors=user_errors([refused], info.context.locale))
        return _quote(found, info.context.locale)

    @strawberry.field(description="Products for sale with their prices by the program in force, by SKU.")
    async def price_list(
        self,
        info: Info,
        of: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="With what this distributor pays for itself; a distributor sees its own."),
        ] = None,
        channel: Annotated[str | None, strawberry.argument(description="Only what is sold in this channel.")] = None,
        day: Annotated[date | None, strawberry.argument(description="Promotions of this day; today if absent.")] = None,
        search: Annotated[str | None, strawberry.argument(description="Part of the SKU or name.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[ProductPrice]:
        """A page of prices."""
        buyer = own_or_asked(info, of, "of")
        page = await quoting.price_list(
            request(first, after), distributor_id=buyer, channel=channel, day=day, search=search
        )
        currency = await info.context.currency()
        return connection(page, lambda row: product_price(row, currency, info.context.locale), after)


def _quote(found: Quote, locale: str) -> PriceQuote:
    return PriceQuote(
        goods=money(found.goods_minor, found.currency),
        lines=[quote_line(line, found.currency, locale) for line in found.lines],
    )


def _asked(given: PriceQuoteInput) -> PlaceOrder:
    return PlaceOrder(
        seller_id=DistributorId(from_global("Distributor", given.seller_id, "input.sellerId")),
        lines=[
            PlaceLine(
                sku=line.sku,
                quantity=line.quantity,
                unit_price_minor=line.unit_price_minor,
                amount_minor=line.amount_minor,
            )
            for line in given.lines
        ],
        idempotency_key="",
        self_purchase=given.self_purchase,
        channel=given.channel,
        for_member=given.for_member,
    )
