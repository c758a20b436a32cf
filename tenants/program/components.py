"""The components of commission (docs/rules.md §3): what pays whom, as typed, frozen data.

*Line components* pay for an order line at its payment. *Period components* pay for what a distributor sold in a
calendar period, when that is closed. Each is told apart by ``kind``.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from saas.base.money import BPS_WHOLE
from tenants.program.parts import (
    Bps,
    Channel,
    Code,
    Day,
    Flag,
    Limits,
    Measure,
    Minor,
    Part,
    PeriodLength,
    Positive,
    Sku,
)


class PaidGoods(Part):
    """Commission is computed on what was paid for the goods, without freight, services or tax."""

    kind: Literal["paid_goods"]


class Pool(Part):
    """Commission is computed on a share of what was paid for the goods."""

    kind: Literal["pool"]
    share_bps: Annotated[int, Field(strict=True, ge=1, le=BPS_WHOLE)]


class GrossMargin(Part):
    """Commission is computed on what was paid less the cost of the pieces; a product without a cost has no base."""

    kind: Literal["gross_margin"]
    costs_minor: Annotated[Mapping[Sku, Minor], Field(min_length=1)]


class ProductValue(Part):
    """Commission is computed on a value set for each piece, never more than was paid; one not listed has no base."""

    kind: Literal["product_value"]
    values_minor: Annotated[Mapping[Sku, Minor], Field(min_length=1)]


CommissionBase = Annotated[PaidGoods | Pool | GrossMargin | ProductValue, Field(discriminator="kind")]


class _Component(Part):
    """What all components share. In effect on the days ``[effective_from, effective_until)``, ``None`` being open."""

    key: Code
    effective_from: Day | None = None
    effective_until: Day | None = None


class Level(Part):
    """One level's pay, in exactly one unit: a rate of the base, or an amount for each piece.

    ``by_tier`` overrides it for beneficiaries of a tier, in the same unit; a tier not listed inherits, 0 is none.
    """

    rate_bps: Bps | None = None
    per_piece_minor: Minor | None = None
    by_tier: Mapping[Code, Minor] = {}

    @property
    def unit(self) -> Literal["rate_bps", "per_piece_minor"]:
        """The unit this level is written in."""
        return "rate_bps" if self.rate_bps is not None else "per_piece_minor"

    @property
    def value(self) -> int:
        """The level's own rate or amount, before any override; 0 when the document gives neither."""
        return self.rate_bps if self.rate_bps is not None else self.per_piece_minor or 0

    @model_serializer(mode="wrap")
    def _only_what_is_set(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {key: value for key, value in handler(self).items() if value not in (None, {})}


class Qualification(Part):
    """An upline is paid when its own sales in the running period have reached this; the seller needs none."""

    own_sales_minor: Positive
    period: PeriodLength = "month"


class LevelTable(_Component):
    """Pay by level, level 0 (the seller) first (docs/rules.md §3.1).

    ``product_overrides`` lists a SKU's own values by level, in each level's unit and for every tier; ``None`` or absent
    inherits the table, 0 is deliberately none. qualify: what an upline has to sell itself to be paid.
    """

    kind: Literal["level_table"]
    only: Limits | None = None
    qualify: Qualification | None = None
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=10)]
    product_overrides: Mapping[Sku, Annotated[tuple[Minor | None, ...], Field(min_length=1, max_length=10)]] = {}


class FixedPerProduct(_Component):
    """A fixed amount a piece for these SKUs, by level from the seller, whatever other components say (§3.5)."""

    kind: Literal["fixed_per_product"]
    products: Annotated[
        Mapping[Sku, Annotated[tuple[Minor, ...], Field(min_length=1, max_length=10)]], Field(min_length=1)
    ]


Applies = Literal["MARGINAL", "WHOLE"]
"""Whether a band counts for the part beyond its bound, or, once reached, for all of the period."""


class PieceBand(Part):
    """Beyond ``above_pieces`` in the period each piece brings ``extra_minor`` on top of the amount a piece."""

    above_pieces: Positive
    extra_minor: Minor


class PerPieceVolume(_Component):
    """An amount a piece to the seller, lifted by the pieces it sold in the period (docs/rules.md §3.2).

    ``WHOLE`` lifts all pieces of the period once a bound is passed: the order that passes it also brings the lift of
    the pieces before, so that the period's sum does not depend on how it was cut into orders.
    """

    kind: Literal["per_piece_volume"]
    only: Limits | None = None
    per_piece_minor: Minor
    bands: Annotated[tuple[PieceBand, ...], Field(min_length=1, max_length=20)]
    applies: Applies = "MARGINAL"
    period: PeriodLength = "month"


class Differential(_Component):
    """Rates by tier; an upline earns its rate less the highest below it, never below zero (docs/rules.md §3.4).

    ``levels`` counts from the seller, ``None`` is ``hierarchy.paid_levels``. A tier that is not listed has rate 0.
    ``same_tier_bonus_bps`` goes, outside of that sum, to the first upline of the tier that holds the highest rate
    below it, once for each tier.
    """

    kind: Literal["differential"]
    only: Limits | None = None
    rates_bps: Annotated[Mapping[Code, Bps], Field(min_length=1)]
    levels: Annotated[int, Field(strict=True, ge=1, le=10)] | None = None
    same_tier_bonus_bps: Bps = 0


class _PeriodComponent(_Component):
    """What is paid for a period when it is closed; the sales of days on which the component is in effect count.

    ``tiers``: only distributors of these tiers at the close; ``None`` is all.
    """

    only: Limits | None = None
    tiers: Annotated[tuple[Code, ...], Field(min_length=1)] | None = None
    period: PeriodLength = "month"


class RebateBand(Part):
    """From ``from_minor`` of sales, the bound included, the rate is ``rate_bps``."""

    from_minor: Minor
    rate_bps: Bps


class TieredRebate(_PeriodComponent):
    """A rate of the period's sales that depends on their sum (docs/rules.md §3.3)."""

    kind: Literal["tiered_rebate"]
    measure: Measure = "own_sales"
    applies: Applies = "WHOLE"
    bands: Annotated[tuple[RebateBand, ...], Field(min_length=1, max_length=20)]


class Target(Part):
    """What is paid when ``at_least`` is reached: minor units of sales, or pieces, or orders."""

    at_least: Positive
    bonus_minor: Minor


class TargetBonus(_PeriodComponent):
    """An amount for reaching a target of the period; of several the highest one reached pays (docs/rules.md §3.6)."""

    kind: Literal["target_bonus"]
    measure: Literal["own_sales", "group_sales", "pieces", "orders"] = "own_sales"
    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=20)]


class EventBonus(_PeriodComponent):
    """An amount, once, for the first order of ``minimum_minor`` or more in a channel (docs/rules.md §3.6).

    ``channels``: which ones, ``None`` is every named one. ``once``: for each distributor and channel, or for each
    channel in the whole brand.
    """

    kind: Literal["event_bonus"]
    event: Literal["first_order_in_channel"] = "first_order_in_channel"
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] | None = None
    minimum_minor: Minor = 0
    bonus_minor: Minor
    once: Literal["distributor", "brand"] = "distributor"


class RankingAward(_PeriodComponent):
    """Amounts for the first places of the period, the first place first (docs/rules.md §3.6).

    Equal sales are ranked by code. Who sold less than ``at_least_minor`` has no place.
    """

    kind: Literal["ranking_award"]
    measure: Measure = "own_sales"
    at_least_minor: Positive = 1
    awards_minor: Annotated[tuple[Minor, ...], Field(min_length=1, max_length=100)]


LineComponent = LevelTable | FixedPerProduct | PerPieceVolume | Differential
PeriodComponent = TieredRebate | TargetBonus | EventBonus | RankingAward
Component = Annotated[LineComponent | PeriodComponent, Field(discriminator="kind")]


class Commission(Part):
    """How an order line is shared out, and what a period brings (docs/rules.md §3).

    ``inactive_upline``: the level of a suspended or exited upline is kept by the company, or compressed: the next
    active upline moves up. ``cap_bps``: the most of the base that a line may pay out (§3.7); ``None`` is no maximum but
    the base. ``recruiting_bonus_minor`` can be written down so that it can be refused: nobody is paid for heads.
    """

    base: CommissionBase = PaidGoods(kind="paid_goods")
    inactive_upline: Literal["keep", "compress"] = "keep"
    self_purchase_pays_seller: Flag = True
    cap_bps: Bps | None = None
    recruiting_bonus_minor: Minor = 0
    components: tuple[Component, ...]
