"""What an order would cost, and what products cost a distributor now (docs/rules.md §2.3). Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from saas.base import clock
from saas.base.clock import local_day
from saas.base.db import reading
from saas.base.errors import Rejected
from saas.base.ids import DistributorId
from saas.base.paging import Page, PageRequest
from saas.catalog.queries import ProductFilter, ProductView, products
from saas.network.queries import DistributorRow, find
from saas.orders.draft import Ground, LineDraft, PlaceOrder, draft, occasion
from saas.orders.placing import gather
from saas.orders.pricing import LinePrice, PriceSource, promotions_of, purchase_price
from saas.orders.rules import check_price, price_entry
from tenants import registry
from tenants.actors import Actor, Role
from tenants.program.pricing import PricePolicy, Promotion
from tenants.program.versions import active_program


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedLine:
    """What a line costs and why, in minor units.

    ``guide_minor``, ``lowest_minor`` and ``highest_minor`` are for the whole quantity, absent for a product without a
    guide price. ``promotion`` priced the line; of its pieces ``free`` cost nothing.
    """

    sku: str
    quantity: int
    amount_minor: int
    source: PriceSource
    promotion: Promotion | None
    free: int
    guide_minor: int | None
    lowest_minor: int | None
    highest_minor: int | None
    outside_band: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What the goods of an order cost."""

    currency: str
    goods_minor: int
    lines: Sequence[QuotedLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """A product's prices for one piece, in minor units; without a guide price any price is allowed.

    ``purchase_minor`` is what the distributor pays that was asked for; ``promotions`` hold on the day.
    """

    product: ProductView
    guide_minor: int | None
    lowest_minor: int | None
    highest_minor: int | None
    purchase_minor: int | None
    channels: Sequence[str] | None
    promotions: Sequence[Promotion]


async def quote(asked: PlaceOrder, actor: Actor) -> Quote:
    """What an order would cost if it were placed now. Its key and number are not looked at.

    Raises ``Rejected`` with everything for which it would be refused. A distributor asks for itself alone.
    """
    async with reading() as tx:
        asked = replace(asked, number=None)
        gathered = await gather(tx, [asked], imported=False)
    ground = gathered.ground
    if actor.role is Role.DISTRIBUTOR:
        own = {id_: seller for id_, seller in ground.sellers.items() if id_ == actor.distributor_id}
        ground = replace(ground, sellers=own)
    made = draft(asked, ground)
    if isinstance(made, list):
        raise Rejected(made)
    lines = [_quoted(line, made.prices.get(line.line_no - 1), asked, ground) for line in made.lines]
    return Quote(currency=ground.currency, goods_minor=made.goods_minor, lines=lines)


def _quoted(line: LineDraft, price: LinePrice | None, asked: PlaceOrder, ground: Ground) -> QuotedLine:
    on, prices = occasion(asked, ground), ground.prices
    entry = price_entry(prices, line.sku)
    own = purchase_price(prices, line.sku, on.tier, on.region) if on.self_purchase else None
    check = entry and check_price(entry, line.quantity, line.amount_minor, own)
    key = price.promotion if price else None
    return QuotedLine(
        sku=line.sku,
        quantity=line.quantity,
        amount_minor=line.amount_minor,
        source=price.source if price else PriceSource.GIVEN,
        promotion=next((promotion for promotion in prices.promotions if promotion.key == key), None),
        free=price.free if price else 0,
        guide_minor=entry.guide_price_minor * line.quantity if entry else None,
        lowest_minor=check.least_minor if check else None,
        highest_minor=check.most_minor if check else None,
        outside_band=line.case is not None,
    )


async def price_list(
    page: PageRequest,
    *,
    distributor_id: DistributorId | None = None,
    channel: str | None = None,
    day: date | None = None,
    search: str | None = None,
) -> Page[PriceRow]:
    """The products for sale by SKU, with their prices by the program in force; in a channel only what is sold there.

    ``distributor_id`` adds what that distributor pays for itself. ``day`` is of the brand's calendar, today if absent;
    only promotions depend on it.
    """
    async with reading():
        prices = (await active_program()).program.price_policy
        buyer = (await find([distributor_id])).get(distributor_id) if distributor_id else None
        elsewhere = _sold_elsewhere(prices, channel)
        found = await products(page, ProductFilter(search=search, status="active", without=elsewhere))
        brand = await registry.this_brand()
    on = day or local_day(clock.now(), brand.time_zone)
    return Page([_row(one, prices, buyer, channel, on) for one in found.items], found.cursors, found.has_next)


def _sold_elsewhere(prices: PricePolicy, channel: str | None) -> Sequence[str]:
    """The products that are not sold in a channel."""
    if channel is None:
        return ()
    only: Mapping[str, Sequence[str] | None] = {sku: product.channels for sku, product in prices.products.items()}
    return [sku for sku, channels in only.items() if channels is not None and channel not in channels]


def _row(
    product: ProductView, prices: PricePolicy, buyer: DistributorRow | None, channel: str | None, day: date
) -> PriceRow:
    entry = price_entry(prices, product.sku)
    check = entry and check_price(entry, 1, entry.guide_price_minor)
    return PriceRow(
        product=product,
        guide_minor=entry.guide_price_minor if entry else None,
        lowest_minor=check.least_minor if check else None,
        highest_minor=check.most_minor if check else None,
        purchase_minor=purchase_price(prices, product.sku, buyer.tier, buyer.region) if buyer else None,
        channels=prices.products[product.sku].channels if entry else None,
        promotions=promotions_of(prices, product.sku, channel, day),
    )
