"""The price policy (docs/rules.md §2.3): guide prices, bands, purchase prices, promotions, as typed, frozen data."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from saas.base.money import BPS_WHOLE
from tenants.program.parts import AMOUNT_MAX, Bps, Channel, Code, Day, Flag, Minor, Names, Part, Positive, Region, Sku

BUY_MAX = 1000
"""The most pieces a promotion may ask for or give."""


class Band(Part):
    """How far a price may stray from the guide price, both bounds included."""

    below_bps: Bps
    above_bps: Annotated[int, Field(strict=True, ge=0, le=10 * BPS_WHOLE)]


class ProductPrice(Part):
    """A product's prices for one piece; its own ``band`` replaces the default.

    ``purchase_price_minor`` is what a distributor of a tier pays for itself; ``regional_purchase_price_minor``, by
    region and tier, comes first. ``channels``: the only ones it is sold in; ``None`` is any, and none named.
    """

    guide_price_minor: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
    band: Band | None = None
    purchase_price_minor: Mapping[Code, Minor] = {}
    regional_purchase_price_minor: Mapping[Region, Annotated[Mapping[Code, Minor], Field(min_length=1)]] = {}
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] | None = None


class _Promotion(Part):
    """What all promotions share: the days ``[effective_from, effective_until)``, and where and for whom they hold.

    ``products``: only these; ``None`` is every priced product. ``channels``: only in these. ``members_only``: only for
    customers whom the order calls members.
    """

    key: Code
    name: Names | None = None
    effective_from: Day
    effective_until: Day
    products: Annotated[tuple[Sku, ...], Field(min_length=1)] | None = None
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] | None = None
    members_only: Flag = False


class PromotionPrice(_Promotion):
    """Another price for a piece while it lasts."""

    kind: Literal["price"]
    prices_minor: Annotated[Mapping[Sku, Positive], Field(min_length=1)]


class AmountOff(_Promotion):
    """``off_minor`` once from an order whose goods of this promotion come to ``threshold_minor`` or more."""

    kind: Literal["amount_off"]
    threshold_minor: Positive
    off_minor: Positive


class BuyGet(_Promotion):
    """Of every ``buy + get`` pieces of a product, ``get`` cost nothing."""

    kind: Literal["buy_get"]
    buy: Annotated[int, Field(strict=True, ge=1, le=BUY_MAX)]
    get: Annotated[int, Field(strict=True, ge=1, le=BUY_MAX)]


Promotion = Annotated[PromotionPrice | AmountOff | BuyGet, Field(discriminator="kind")]


class PricePolicy(Part):
    """Prices the brand asks everybody to keep, and what happens outside the band (docs/rules.md §2.3)."""

    default_band: Band
    outside_band: Literal["reject", "open_case"] = "reject"
    products: Mapping[Sku, ProductPrice] = {}
    promotions: tuple[Promotion, ...] = ()
