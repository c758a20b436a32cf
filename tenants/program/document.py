"""The program document: every rule of a brand as typed, frozen data (docs/rules.md §2).

``None`` always means "not set" or "without limit", zero always means zero. Amounts are minor units of ``currency``,
rates basis points. A new setting has a default that leaves documents written before as they are.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from saas.base.money import BPS_WHOLE
from tenants.program.components import Applies, Commission
from tenants.program.parts import (
    CURRENCY_FORM,
    PROFILE_FORM,
    Bps,
    Code,
    Count,
    Minor,
    Names,
    Part,
    PeriodLength,
    Positive,
    Region,
    Sku,
)
from tenants.program.pricing import PricePolicy


class EveryoneRecruits(Part):
    """Every active distributor may recruit."""

    kind: Literal["everyone"]


class BrandRecruits(Part):
    """Only the brand enrols distributors."""

    kind: Literal["brand"]


class TiersRecruit(Part):
    """Active distributors of these tiers, and the brand, may recruit."""

    kind: Literal["tiers"]
    tiers: Annotated[tuple[Code, ...], Field(min_length=1)]


Recruiters = Annotated[EveryoneRecruits | BrandRecruits | TiersRecruit, Field(discriminator="kind")]


class LastingBinding(Part):
    """When the sponsor is settled: by the first contact, at registration only, or once and for all."""

    kind: Literal["first_touch", "registration", "permanent"]


class DaysBinding(Part):
    """The sponsor is bound for ``days`` days and free afterwards."""

    kind: Literal["days"]
    days: Annotated[int, Field(strict=True, ge=1, le=3650)]


SponsorBinding = Annotated[LastingBinding | DaysBinding, Field(discriminator="kind")]


class Hierarchy(Part):
    """The shape of the tree (docs/rules.md §2.1).

    ``depth_limit``: generations of distributors the tree may hold, those directly under the brand being the first;
    ``None`` is without end. ``level_names`` name the generations from the top. ``paid_levels``: how many levels
    commission may reach, counted from the seller, who is the first of them (level 0). ``entry_fee_minor`` can be
    written down so that it can be refused: nobody pays to join.
    """

    level_names: Annotated[tuple[Names, ...], Field(max_length=20)] = ()
    depth_limit: Annotated[int, Field(strict=True, ge=1, le=10)] | None
    paid_levels: Annotated[int, Field(strict=True, ge=1, le=10)]
    recruiters: Recruiters = EveryoneRecruits(kind="everyone")
    sponsor_binding: SponsorBinding = LastingBinding(kind="permanent")
    applicant_review: Literal["automatic", "manual"] = "manual"
    entry_fee_minor: Minor = 0


class SalesCondition(Part):
    """Sales of the period: own, of the group, or of the active part of the downline alone."""

    kind: Literal["own_sales", "group_sales", "active_downline_sales"]
    at_least_minor: Positive


class OrdersCondition(Part):
    """Own paid orders of the period."""

    kind: Literal["orders"]
    at_least: Positive


class AllOf(Part):
    """Every one of the conditions (AND)."""

    kind: Literal["all"]
    of: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=10)]


class AnyOf(Part):
    """At least one of the conditions (OR)."""

    kind: Literal["any"]
    of: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=10)]


Condition = Annotated[SalesCondition | OrdersCondition | AllOf | AnyOf, Field(discriminator="kind")]


class Tier(Part):
    """A rank. Tiers are listed from the lowest to the highest.

    ``promotion``: what lifts a distributor into this tier. ``keep``: what it has to reach in each period to stay.
    """

    code: Code
    name: Names
    promotion: Condition | None = None
    keep: Condition | None = None


class TierRules(Part):
    """When tiers are reviewed, and what follows from a period missed (docs/rules.md §2.2).

    A new holder of a tier is not judged before it has held it for ``grace_periods`` whole periods. Each later miss
    takes it one tier down; ``revoke_after`` misses in a row, ``None`` being never, end in ``revocation``.
    """

    period: PeriodLength = "quarter"
    grace_periods: Count = 0
    revoke_after: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    revocation: Literal["lowest_tier", "suspend"] = "lowest_tier"


class CrossRegionLead(Part):
    """How a sale is shared when the seller brought a customer of another distributor's region (docs/rules.md §3.8).

    ``performance_to_region_bps`` of the amount counts as the sales of that region's distributor, and of the seller's
    commission the seller keeps ``commission_to_seller_bps``.
    """

    performance_to_region_bps: Bps = 5000
    commission_to_seller_bps: Bps = 3000


class Agents(Part):
    """How many distributors a region may have: ``default``, ``None`` being any number, and single regions by code."""

    default: Positive | None = None
    regions: Mapping[Region, Positive] = {}


class Territory(Part):
    """Regions by GB/T 2260: whether one belongs to one distributor or to several, and leads (docs/rules.md §2.5).

    ``exclusive`` means one distributor a region unless ``agents`` says otherwise.
    """

    regions: Literal["shared", "exclusive"] = "shared"
    agents: Agents = Agents()
    cross_region_lead: CrossRegionLead | None = None


class Monthly(Part):
    """A period begins on this day of each month, where the last one ends; up to 28, so that every month has it."""

    kind: Literal["monthly"]
    day: Annotated[int, Field(strict=True, ge=1, le=28)]


class OtherPeriod(Part):
    """A statement for each order, or one a quarter."""

    kind: Literal["per_order", "quarterly"]


Period = Annotated[Monthly | OtherPeriod, Field(discriminator="kind")]


class WithholdingBracket(Part):
    """Of what is requested from ``from_minor`` on, the bound included, ``rate_bps`` is withheld."""

    from_minor: Minor
    rate_bps: Bps


class ShareOfEarnings(Part):
    """Of what a settlement brings, at most ``most_bps`` pays a debt; the rest can be paid out all the same."""

    kind: Literal["share"]
    most_bps: Annotated[int, Field(strict=True, ge=1, le=BPS_WHOLE)]


class OtherRecovery(Part):
    """All of what a settlement brings pays a debt, or nothing does and it waits to be written off."""

    kind: Literal["offset_all", "write_off"]


Recovery = Annotated[ShareOfEarnings | OtherRecovery, Field(discriminator="kind")]


class Settlement(Part):
    """When commission becomes money, and what is kept from a payout (docs/rules.md §2.6, §6).

    ``hold_days`` count from delivery, ``days_to_pay`` are working days. ``withholding_brackets`` stand in place of the
    one rate: with ``MARGINAL`` each part of a payout bears its own bracket's rate, with ``WHOLE`` all of it the rate of
    the bracket it reaches. ``cooling_days`` keep payouts to a changed destination back. ``recovery`` says how a
    negative balance is taken back from later earnings (§4).
    """

    hold_days: Count = 7
    period: Period = Monthly(kind="monthly", day=1)
    minimum_payout_minor: Minor = 0
    maximum_payout_minor: Positive | None = None
    fee_bps: Bps = 0
    withholding_without_invoice_bps: Bps = 0
    withholding_brackets: Annotated[tuple[WithholdingBracket, ...], Field(max_length=20)] = ()
    withholding_applies: Applies = "MARGINAL"
    cooling_days: Count = 0
    days_to_pay: Count = 3
    recovery: Recovery = OtherRecovery(kind="offset_all")


class Returns(Part):
    """How many days from delivery goods may be returned, and other numbers of days by product (docs/rules.md §4)."""

    window_days: Count = 7
    products: Mapping[Sku, Count] = {}


class ExitTerms(Part):
    """What one kind of exit does to the downline and to pending commission (docs/rules.md §7).

    With ``heir``, whoever asks for the exit names who takes the downline.
    """

    downline_to: Literal["sponsor", "brand", "heir"]
    pending: Literal["keep", "forfeit"]


class BuyBack(Part):
    """What who leaves is paid for its stock: ``rate_bps`` of what it paid for it within the last ``months``."""

    rate_bps: Annotated[int, Field(strict=True, ge=1, le=BPS_WHOLE)]
    months: Annotated[int, Field(strict=True, ge=1, le=120)]


class ExitPolicy(Part):
    """The terms by kind of exit, and what all of them share.

    ``buy_back`` without a value: stock is not bought back. ``retention_days`` after an exit is closed the personal data
    of who left is erased; without a value it is kept.
    """

    voluntary: ExitTerms = ExitTerms(downline_to="sponsor", pending="keep")
    breach: ExitTerms = ExitTerms(downline_to="sponsor", pending="forfeit")
    inactivity: ExitTerms = ExitTerms(downline_to="sponsor", pending="keep")
    brand_decision: ExitTerms = ExitTerms(downline_to="sponsor", pending="keep")
    buy_back: BuyBack | None = None
    retention_days: Annotated[int, Field(strict=True, ge=1, le=36_500)] | None = None


class Visibility(Part):
    """How many generations of its downline a distributor sees (``None`` is all), and with which personal data."""

    downline_depth: Annotated[int, Field(strict=True, ge=0, le=100)] | None = 1
    personal_data: Literal["masked", "full"] = "masked"


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _one_or_several(codes: tuple[str, ...]) -> str | list[str]:
    return codes[0] if len(codes) == 1 else list(codes)


Profiles = Annotated[
    tuple[Annotated[str, Field(strict=True, pattern=PROFILE_FORM)], ...],
    Field(min_length=1, max_length=5),
    BeforeValidator(_several),
    PlainSerializer(_one_or_several),
]
"""Compliance profiles by code; one is written as it is, several as a list."""


class Program(Part):
    """A brand's whole program. Structurally right by construction; ``validate`` tells whether it makes sense."""

    name: Names
    currency: Annotated[str, Field(strict=True, pattern=CURRENCY_FORM)]
    compliance_profile: Profiles = ("CN",)
    hierarchy: Hierarchy
    tiers: tuple[Tier, ...] = ()
    tier_rules: TierRules = TierRules()
    commission: Commission
    price_policy: PricePolicy
    territory: Territory = Territory()
    settlement: Settlement = Settlement()
    returns: Returns = Returns()
    exit: ExitPolicy = ExitPolicy()
    visibility: Visibility = Visibility()
