"""The program document: every rule of a brand as typed, frozen data (docs/rules.md §2).

A component of docs/rules.md §3 is one member of the ``Component`` union, told apart by ``kind``; a new kind adds a
class here and a branch in ``compile.py``, and leaves documents written before as they are. ``None`` always means "not
set" or "without limit", zero always means zero. Amounts are minor units of ``currency``, rates basis points.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer
from pydantic_core import PydanticCustomError

from saas.base.money import BPS_WHOLE

AMOUNT_MAX = 10**13
"""The largest amount a document may hold, in minor units: far above any price, far below 64 bits."""


def _iso_date(value: object) -> date:
    if type(value) is date:
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise PydanticCustomError("iso_date", "not a day written YYYY-MM-DD")


CODE_FORM = r"^[a-z][a-z0-9_]{0,39}$"
NUMBER_FORM = r"^[^\s\p{C}]{1,64}$"
TEXT_FORM = r"^[^\s\p{C}]([^\p{C}\p{Zl}\p{Zp}]*[^\s\p{C}])?$"
CURRENCY_FORM = r"^[A-Z]{3}$"

Bps = Annotated[int, Field(strict=True, ge=0, le=BPS_WHOLE)]
Minor = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MAX)]
Count = Annotated[int, Field(strict=True, ge=0, le=366)]
Flag = Annotated[bool, Field(strict=True)]
Code = Annotated[str, Field(strict=True, pattern=CODE_FORM)]
Sku = Annotated[str, Field(strict=True, pattern=NUMBER_FORM)]
Category = Annotated[str, Field(strict=True, pattern=NUMBER_FORM)]
Text = Annotated[str, Field(strict=True, min_length=1, max_length=100, pattern=TEXT_FORM)]
Day = Annotated[date, BeforeValidator(_iso_date)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Names(_Part):
    """A name as people read it, in both languages."""

    zh: Text
    en: Text


class Limits(_Part):
    """Where a component applies: to these SKUs and to these categories, both together when both are given."""

    products: Annotated[tuple[Sku, ...], Field(min_length=1)] | None = None
    categories: Annotated[tuple[Category, ...], Field(min_length=1)] | None = None


class EveryoneRecruits(_Part):
    """Every active distributor may recruit."""

    kind: Literal["everyone"]


class BrandRecruits(_Part):
    """Only the brand enrols distributors."""

    kind: Literal["brand"]


class TiersRecruit(_Part):
    """Active distributors of these tiers, and the brand, may recruit."""

    kind: Literal["tiers"]
    tiers: Annotated[tuple[Code, ...], Field(min_length=1)]


Recruiters = Annotated[EveryoneRecruits | BrandRecruits | TiersRecruit, Field(discriminator="kind")]


class LastingBinding(_Part):
    """When the sponsor is settled: by the first contact, at registration only, or once and for all."""

    kind: Literal["first_touch", "registration", "permanent"]


class DaysBinding(_Part):
    """The sponsor is bound for ``days`` days and free afterwards."""

    kind: Literal["days"]
    days: Annotated[int, Field(strict=True, ge=1, le=3650)]


SponsorBinding = Annotated[LastingBinding | DaysBinding, Field(discriminator="kind")]


class Hierarchy(_Part):
    """The shape of the tree (docs/rules.md §2.1).

    ``depth_limit``: generations of distributors the tree may hold, those directly under the brand being the first;
    ``None`` is without end. ``level_names`` name the generations from the top. ``paid_levels``: how many levels
    commission may reach, counted from the seller, who is the first of them (level 0).
    """

    level_names: Annotated[tuple[Names, ...], Field(max_length=20)] = ()
    depth_limit: Annotated[int, Field(strict=True, ge=1, le=10)] | None
    paid_levels: Annotated[int, Field(strict=True, ge=1, le=10)]
    recruiters: Recruiters = EveryoneRecruits(kind="everyone")
    sponsor_binding: SponsorBinding = LastingBinding(kind="permanent")
    applicant_review: Literal["automatic", "manual"] = "manual"


class Tier(_Part):
    """A rank. Tiers are listed from the lowest to the highest."""

    code: Code
    name: Names


class PaidGoods(_Part):
    """Commission is computed on what was paid for the goods, without freight, services or tax."""

    kind: Literal["paid_goods"]


class Pool(_Part):
    """Commission is computed on a share of what was paid for the goods."""

    kind: Literal["pool"]
    share_bps: Annotated[int, Field(strict=True, ge=1, le=BPS_WHOLE)]


CommissionBase = Annotated[PaidGoods | Pool, Field(discriminator="kind")]


class _Component(_Part):
    """What all components share. In effect on the days ``[effective_from, effective_until)``, ``None`` being open."""

    key: Code
    effective_from: Day | None = None
    effective_until: Day | None = None


class Level(_Part):
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


class LevelTable(_Component):
    """Pay by level, level 0 (the seller) first (docs/rules.md §3.1).

    ``product_overrides`` lists a SKU's own values by level, in each level's unit and for every tier; ``None`` or absent
    inherits the table, 0 is deliberately none.
    """

    kind: Literal["level_table"]
    only: Limits | None = None
    levels: Annotated[tuple[Level, ...], Field(min_length=1, max_length=10)]
    product_overrides: Mapping[Sku, Annotated[tuple[Minor | None, ...], Field(min_length=1, max_length=10)]] = {}


class FixedPerProduct(_Component):
    """A fixed amount a piece for these SKUs, by level from the seller, whatever tables say (docs/rules.md §3.5)."""

    kind: Literal["fixed_per_product"]
    products: Annotated[
        Mapping[Sku, Annotated[tuple[Minor, ...], Field(min_length=1, max_length=10)]], Field(min_length=1)
    ]


Component = Annotated[LevelTable | FixedPerProduct, Field(discriminator="kind")]


class Commission(_Part):
    """How an order line is shared out (docs/rules.md §3).

    ``inactive_upline``: the level of a suspended or exited upline is kept by the company, or compressed: the next
    active upline moves up. ``cap_bps``: the most of the base that may be paid out (§3.7); ``None`` is no maximum but
    the base.
    """

    base: CommissionBase = PaidGoods(kind="paid_goods")
    inactive_upline: Literal["keep", "compress"] = "keep"
    self_purchase_pays_seller: Flag = True
    cap_bps: Bps | None = None
    components: tuple[Component, ...]


class Band(_Part):
    """How far a price may stray from the guide price, both bounds included."""

    below_bps: Bps
    above_bps: Annotated[int, Field(strict=True, ge=0, le=10 * BPS_WHOLE)]


class ProductPrice(_Part):
    """A product's prices for one piece; its own ``band`` replaces the default."""

    guide_price_minor: Annotated[int, Field(strict=True, ge=1, le=AMOUNT_MAX)]
    band: Band | None = None
    purchase_price_minor: Mapping[Code, Minor] = {}


class PricePolicy(_Part):
    """Prices the brand asks everybody to keep, and what happens outside the band (docs/rules.md §2.3)."""

    default_band: Band
    outside_band: Literal["reject", "open_case"] = "reject"
    products: Mapping[Sku, ProductPrice] = {}


class Territory(_Part):
    """Whether a region belongs to one distributor or to several (docs/rules.md §2.5)."""

    regions: Literal["shared", "exclusive"] = "shared"


class Monthly(_Part):
    """A period begins on this day of each month, where the last one ends; up to 28, so that every month has it."""

    kind: Literal["monthly"]
    day: Annotated[int, Field(strict=True, ge=1, le=28)]


class OtherPeriod(_Part):
    """A statement for each order, or one a quarter."""

    kind: Literal["per_order", "quarterly"]


Period = Annotated[Monthly | OtherPeriod, Field(discriminator="kind")]


class Settlement(_Part):
    """When commission becomes money, and what is kept from a payout (docs/rules.md §2.6, §6).

    ``hold_days`` count from delivery, ``days_to_pay`` are working days.
    """

    hold_days: Count = 7
    period: Period = Monthly(kind="monthly", day=1)
    minimum_payout_minor: Minor = 0
    fee_bps: Bps = 0
    withholding_without_invoice_bps: Bps = 0
    days_to_pay: Count = 3


class ExitTerms(_Part):
    """What one kind of exit does to the downline and to pending commission (docs/rules.md §7)."""

    downline_to: Literal["sponsor", "brand"]
    pending: Literal["keep", "forfeit"]


class ExitPolicy(_Part):
    """The terms by kind of exit."""

    voluntary: ExitTerms = ExitTerms(downline_to="sponsor", pending="keep")
    breach: ExitTerms = ExitTerms(downline_to="sponsor", pending="forfeit")


class Visibility(_Part):
    """How many generations of its downline a distributor sees (``None`` is all), and with which personal data."""

    downline_depth: Annotated[int, Field(strict=True, ge=0, le=100)] | None = 1
    personal_data: Literal["masked", "full"] = "masked"


class Program(_Part):
    """A brand's whole program. Structurally right by construction; ``validate`` tells whether it makes sense."""

    name: Names
    currency: Annotated[str, Field(strict=True, pattern=CURRENCY_FORM)]
    compliance_profile: Literal["CN"] = "CN"
    hierarchy: Hierarchy
    tiers: tuple[Tier, ...] = ()
    commission: Commission
    price_policy: PricePolicy
    territory: Territory = Territory()
    settlement: Settlement = Settlement()
    exit: ExitPolicy = ExitPolicy()
    visibility: Visibility = Visibility()
