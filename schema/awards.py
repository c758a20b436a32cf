"""What a closed period gave a distributor, and how it judged its tier; also as a preview, before there is anything."""

from datetime import date, datetime
from enum import StrEnum

import strawberry

from saas.base.errors import Said
from saas.base.ids import DistributorId
from saas.network.tiers import Outcome
from saas.performance.explain import Told, arithmetic, explain
from saas.performance.planning import Plan
from saas.performance.queries import AwardView, TierReviewView
from saas.performance.reviewing import Reviewed
from saas.performance.rules import Award as Planned
from saas.performance.rules import AwardReason, Figures
from schema.context import Info
from schema.enums import described
from schema.ids import maybe_global, to_global
from schema.network import Distributor, distributor_by_id
from schema.scalars import BigInt, Money, money

described(
    "Why an award is what it is.",
    EARNED="It was earned.",
    BELOW="What was sold is below what the program asks for.",
    NO_PLACE="The place in the ranking is behind those that are paid.",
    NOT_FIRST="Another distributor had the first order in the channel.",
    TAKEN="The first order in the channel was in an earlier period.",
    RATE_ZERO="The program sets it to zero.",
    ROUNDED_TO_ZERO="It rounds to nothing.",
    OTHER_TIER="It is not for the distributor's tier at the period's end.",
    SUSPENDED="Suspended at the period's end; the company keeps it.",
    EXITED="Had left at the period's end; the company keeps it.",
    NOT_ACTIVE="Was not active at the period's end; the company keeps it.",
)(AwardReason)
described(
    "What the review of a tier comes to.",
    name="TierOutcome",
    PROMOTED="Rises to a higher tier.",
    KEPT="Stays, with what its tier asks for.",
    GRACE="Stays; it missed, in its time of grace.",
    MISSED="Stays in the lowest tier; it missed.",
    DEMOTED="Falls one tier.",
    REVOKED="Loses its tier, or its standing, after too many misses in a row.",
    PINNED="Stays as the brand settled it.",
)(Outcome)


@described(
    "What kind of component an award comes from.",
    TIERED_REBATE="A rate of the period's sales.",
    TARGET_BONUS="An amount for a target that was reached.",
    EVENT_BONUS="An amount, once, for the first order in a channel.",
    RANKING_AWARD="An amount for a place in the ranking.",
)
class AwardKind(StrEnum):
    """As in programs."""

    TIERED_REBATE = "tiered_rebate"
    TARGET_BONUS = "target_bonus"
    EVENT_BONUS = "event_bonus"
    RANKING_AWARD = "ranking_award"


@described(
    "Where the money of an award is.",
    NOTHING="There is none.",
    AVAILABLE="The next settlement takes it.",
    SETTLED="On a statement.",
    REVERSED="Taken back.",
)
class AwardStatus(StrEnum):
    """As in the table of awards."""

    NOTHING = "nothing"
    AVAILABLE = "available"
    SETTLED = "settled"
    REVERSED = "reversed"


@described(
    "What a component of periods measures.",
    OWN_SALES="What the distributor sold itself, in minor units.",
    GROUP_SALES="What it and everybody below it sold, in minor units.",
    PIECES="The pieces it sold.",
    ORDERS="Its paid orders.",
    ORDER="The one order in the channel, in minor units.",
)
class AwardMeasure(StrEnum):
    """As in the details of awards."""

    OWN_SALES = "own_sales"
    GROUP_SALES = "group_sales"
    PIECES = "pieces"
    ORDERS = "orders"
    ORDER = "order"


@strawberry.type(description="A part of the sales and its rate.")
class RebatePart:
    """One term of the arithmetic of a rebate."""

    amount: Money = strawberry.field(description="The part of the sales.")
    rate_bps: int = strawberry.field(description="Its rate, in basis points.")


@strawberry.type(description="Every number of an award's arithmetic.")
class AwardArithmetic:
    """What ``explanation`` says in words."""

    measure: AwardMeasure = strawberry.field(description="What was measured.")
    measured: BigInt = strawberry.field(description="How much: minor units, pieces or orders, as the measure says.")
    reached: BigInt | None = strawberry.field(description="The bound of the band or target that was reached.")
    needed: BigInt | None = strawberry.field(description="What would have been enough, where it was not.")
    parts: list[RebatePart] = strawberry.field(description="Of a rebate, the sales by rate.")
    place: int | None = strawberry.field(description="The place in the ranking.")
    places: int | None = strawberry.field(description="How many places are paid.")
    kept: Money | None = strawberry.field(description="What the company keeps of one who is not active.")


def award_arithmetic(told: Told, currency: str) -> AwardArithmetic:
    """The detail of an award for the API."""
    numbers = arithmetic(told)

    def maybe(value: int | None) -> BigInt | None:
        return None if value is None else BigInt(value)

    return AwardArithmetic(
        measure=AwardMeasure(numbers.measure),
        measured=BigInt(numbers.measured),
        reached=maybe(numbers.reached),
        needed=maybe(numbers.needed),
        parts=[RebatePart(amount=money(amount, currency), rate_bps=rate) for amount, rate in numbers.parts],
        place=numbers.place,
        places=numbers.places,
        kept=None if numbers.kept_minor is None else money(numbers.kept_minor, currency),
    )


@strawberry.type(description="What a component gave a distributor for a period (返点, 奖励), or why it gave nothing.")
class Award:
    """An award, paid or not."""

    told: strawberry.Private[Told]
    currency: strawberry.Private[str]
    owner: strawberry.Private[DistributorId]
    id: strawberry.ID | None = strawberry.field(description="Global id; none in a preview.")
    close_id: strawberry.ID | None = strawberry.field(description="The closed period; none in a preview.")
    distributor_id: strawberry.ID = strawberry.field(description="Whose it is.")
    component: str = strawberry.field(description="The component of the program it came from.")
    kind: AwardKind = strawberry.field(description="The component's kind.")
    channel: str | None = strawberry.field(description="The channel of an event bonus.")
    program_number: int = strawberry.field(description="The version of the program it came from.")
    tier: str | None = strawberry.field(description="The distributor's tier at the period's end.")
    reason: AwardReason = strawberry.field(description="Why.")
    status: AwardStatus | None = strawberry.field(description="Where the money is; none in a preview.")
    label: str = strawberry.field(description="The period.")
    period_from: date = strawberry.field(description="The period's first day.")
    period_until: date = strawberry.field(description="The day after its last.")
    earned_at: datetime = strawberry.field(description="When the period ended.")
    order_id: strawberry.ID | None = strawberry.field(description="The order that earned an event bonus.")
    statement_id: strawberry.ID | None = strawberry.field(description="The statement it is on, once settled.")

    @strawberry.field(description="What is paid.")
    def amount(self) -> Money:
        """In the program's currency."""
        return money(self.told.amount_minor, self.currency)

    @strawberry.field(description="The numbers of its arithmetic.")
    def arithmetic(self) -> AwardArithmetic:
        """In the program's currency."""
        return award_arithmetic(self.told, self.currency)

    @strawberry.field(description="The award in one sentence, in the caller's language.")
    def explanation(self, info: Info) -> str:
        """Also why nothing was earned."""
        locale, number = info.context.locale, self.program_number
        return explain(self.told, locale, program_number=number, currency=self.currency, period=self.label)

    @strawberry.field(description="Whose it is, if the caller may see it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """Loaded for a whole page at once."""
        return await distributor_by_id(info, self.owner)


def award(view: AwardView) -> Award:
    """A stored award for the API."""
    return Award(
        told=view,
        currency=view.currency,
        owner=view.distributor_id,
        id=to_global("Award", view.id),
        close_id=to_global("PeriodClose", view.close_id),
        distributor_id=to_global("Distributor", view.distributor_id),
        component=view.component,
        kind=AwardKind(view.kind),
        channel=view.scope or None,
        program_number=view.program_number,
        tier=view.tier,
        reason=view.reason,
        status=AwardStatus(view.status),
        label=view.label,
        period_from=view.period_from,
        period_until=view.period_until,
        earned_at=view.earned_at,
        order_id=maybe_global("Order", view.order_id),
        statement_id=maybe_global("Statement", view.statement_id),
    )


def planned_award(one: Planned, plan: Plan) -> Award:
    """An award of a preview for the API."""
    period = plan.period
    return Award(
        told=one,
        currency=plan.currency,
        owner=one.holder.id,
        id=None,
        close_id=None,
        distributor_id=to_global("Distributor", one.holder.id),
        component=one.component,
        kind=AwardKind(one.kind),
        channel=one.scope or None,
        program_number=plan.program_number,
        tier=one.tier,
        reason=one.reason,
        status=None,
        label=period.label,
        period_from=period.first,
        period_until=period.until,
        earned_at=period.until_at,
        order_id=maybe_global("Order", one.order_id),
        statement_id=None,
    )


@strawberry.type(description="What a distributor sold in a period.")
class PeriodFigures:
    """What tiers are reviewed by."""

    own_sales: Money = strawberry.field(description="What it sold itself.")
    group_sales: Money = strawberry.field(description="What it and everybody below it sold.")
    active_downline_sales: Money = strawberry.field(description="What those below it sold who are active.")
    orders: BigInt = strawberry.field(description="Its paid orders.")


def period_figures(figures: Figures, currency: str) -> PeriodFigures:
    """Figures for the API."""
    return PeriodFigures(
        own_sales=money(figures.own_minor, currency),
        group_sales=money(figures.group_minor, currency),
        active_downline_sales=money(figures.active_downline_minor, currency),
        orders=BigInt(figures.orders),
    )


@strawberry.type(description="How a close judged the holder of a tier (级别考核).")
class TierReview:
    """A review, written or in a preview."""

    said: strawberry.Private[Said]
    owner: strawberry.Private[DistributorId]
    id: strawberry.ID | None = strawberry.field(description="Global id; none in a preview.")
    close_id: strawberry.ID | None = strawberry.field(description="The closed period; none in a preview.")
    distributor_id: strawberry.ID = strawberry.field(description="Whose tier it is.")
    label: str = strawberry.field(description="The period.")
    tier_before: str = strawberry.field(description="The tier that was judged.")
    tier_after: str = strawberry.field(description="The tier that follows.")
    outcome: Outcome = strawberry.field(description="What it comes to.")
    misses: int = strawberry.field(description="Misses in a row, up to this period.")
    suspends: bool = strawberry.field(description="Whether it ends the distributor's standing.")
    figures: PeriodFigures = strawberry.field(description="What it goes by.")

    @strawberry.field(description="The review in one sentence, in the caller's language.")
    def explanation(self, info: Info) -> str:
        """With the condition that decided it."""
        return self.said.zh if info.context.locale.startswith("zh") else self.said.en

    @strawberry.field(description="Whose tier it is, if the caller may see it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """Loaded for a whole page at once."""
        return await distributor_by_id(info, self.owner)


def tier_review(view: TierReviewView) -> TierReview:
    """A stored review for the API."""
    return TierReview(
        said=view.said,
        owner=view.distributor_id,
        id=to_global("TierReview", view.id),
        close_id=to_global("PeriodClose", view.close_id),
        distributor_id=to_global("Distributor", view.distributor_id),
        label=view.label,
        tier_before=view.tier_before,
        tier_after=view.tier_after,
        outcome=view.outcome,
        misses=view.misses,
        suspends=view.suspends,
        figures=period_figures(view.figures, view.currency),
    )


def planned_review(one: Reviewed, plan: Plan, said: Said) -> TierReview:
    """A review of a preview for the API."""
    review = one.review
    return TierReview(
        said=said,
        owner=review.holder,
        id=None,
        close_id=None,
        distributor_id=to_global("Distributor", review.holder),
        label=plan.period.label,
        tier_before=review.tier_before,
        tier_after=review.tier_after,
        outcome=review.outcome,
        misses=review.misses,
        suspends=review.suspends,
        figures=period_figures(one.figures, plan.currency),
    )
