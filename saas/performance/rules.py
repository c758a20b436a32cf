"""What a calendar period's sales bring (docs/rules.md §3.3, §3.6): sums, then awards, decided without a database.

Sales are summed by the *path* of the sale, as the order keeps it, so the figures follow the tree as it was at each
sale. A distributor is known here by its *seat*, the last segment of a path, which never changes.

A component counts the orders of days on which it is in effect, and of these the lines it is limited to. What an order
brought is what was paid for those lines; of a lead the partner's part counts for the partner. An award is computed
from the whole sum and rounded half up once. Who is not active at the close earns nothing: the award stays with the
company, and one who has left has no place in a ranking.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias
from uuid import UUID

from saas.base.ids import DistributorId
from saas.base.money import BPS_WHOLE, divide_half_up
from saas.network.rules import Status
from saas.performance.sales import (
    ALL_SALES,
    NO_FIGURES,
    ChannelOrder,
    Figures,
    Firsts,
    SaleFact,
    Scope,
    SoldLine,
    Tally,
    scope_of,
    seat_of,
)
from tenants.program.components import (
    EventBonus,
    PeriodComponent,
    RankingAward,
    RebateBand,
    TargetBonus,
    TieredRebate,
)
from tenants.program.document import Program
from tenants.program.parts import PeriodLength

__all__ = [
    "ALL_SALES",
    "NO_FIGURES",
    "Award",
    "AwardReason",
    "ChannelOrder",
    "Figures",
    "Firsts",
    "Holder",
    "PeriodBook",
    "SaleFact",
    "Scope",
    "SoldLine",
    "Tally",
    "scope_of",
    "seat_of",
]

_Detail: TypeAlias = dict[str, int | str | Sequence[Sequence[int]]]


class Holder(NamedTuple):
    """A distributor as it stands at the close."""

    id: DistributorId
    code: str
    tier: str | None
    status: str


class AwardReason(StrEnum):
    """Why an award is what it is; all but the first mean nothing is paid."""

    EARNED = "earned"
    BELOW = "below"
    NO_PLACE = "no_place"
    NOT_FIRST = "not_first"
    TAKEN = "taken"
    RATE_ZERO = "rate_zero"
    ROUNDED_TO_ZERO = "rounded_to_zero"
    OTHER_TIER = "other_tier"
    SUSPENDED = "suspended"
    EXITED = "exited"
    NOT_ACTIVE = "not_active"


_INACTIVE = {Status.SUSPENDED: AwardReason.SUSPENDED, Status.EXITED: AwardReason.EXITED}

Detail: TypeAlias = Mapping[str, int | str | Sequence[Sequence[int]]]
"""The arithmetic of an award, for ``explain``: see there for the keys."""


class Award(NamedTuple):
    """What a component gives a distributor for a period, or why it gives nothing.

    ``scope`` is the channel of an event bonus, else empty. ``measured``: minor units, pieces or orders, as
    ``detail["measure"]`` says. ``once_key`` is what may be given one time only, ``order_id`` the order that earned it.
    """

    component: str
    kind: str
    scope: str
    holder: Holder
    measured: int
    amount_minor: int
    reason: AwardReason
    detail: Detail
    order_id: UUID | None = None
    once_key: str | None = None

    @property
    def tier(self) -> str | None:
        """The holder's tier at the close."""
        return self.holder.tier


class Worth(NamedTuple):
    """What sales are worth by a component, before it is asked whose they are."""

    amount_minor: int
    reason: AwardReason
    detail: _Detail


def components_of(program: Program, length: PeriodLength) -> tuple[PeriodComponent, ...]:
    """The components of a program that pay for periods of this length, in its order."""
    return tuple(
        one
        for one in program.commission.components
        if isinstance(one, TieredRebate | TargetBonus | EventBonus | RankingAward) and one.period == length
    )


def reviews_tiers(program: Program, length: PeriodLength) -> bool:
    """Whether a period of this length ends with a review of tiers."""
    ruled = any(tier.promotion is not None or tier.keep is not None for tier in program.tiers)
    return ruled and program.tier_rules.period == length


class PeriodBook:
    """Everything a program asks of the sales of one period: fill it order by order, then read the awards."""

    def __init__(self, program: Program, length: PeriodLength) -> None:
        self.components = components_of(program, length)
        self.reviews_tiers = reviews_tiers(program, length)
        summed = [scope_of(one) for one in self.components if not isinstance(one, EventBonus)]
        self.tallies = {scope: Tally(scope) for scope in [*summed, *([ALL_SALES] if self.reviews_tiers else [])]}
        self.firsts = {one.key: Firsts(one) for one in self.components if isinstance(one, EventBonus)}

    def add(self, fact: SaleFact) -> None:
        """Count an order of the period."""
        for tally in self.tallies.values():
            tally.add(fact)
        for firsts in self.firsts.values():
            firsts.add(fact)

    def merge(self, other: "PeriodBook") -> None:
        """Add what somebody else counted of the same period by the same program."""
        for scope, tally in other.tallies.items():
            self.tallies[scope].merge(tally)
        for key, firsts in other.firsts.items():
            self.firsts[key].merge(firsts)

    def awards(self, holders: Mapping[str, Holder], taken: Collection[tuple[str, str]] = ()) -> list[Award]:
        """All awards, also those of nothing, by component in the program's order and then by code.

        ``holders`` by seat; ``taken`` are the (component, once_key) that earlier periods used up.
        """
        active = active_seats(holders)
        figures = {scope: tally.figures(active) for scope, tally in self.tallies.items()}
        found: list[Award] = []
        for one in self.components:
            if isinstance(one, EventBonus):
                spent = {key for component, key in taken if component == one.key}
                found += event_awards(one, self.firsts[one.key], holders, spent)
            elif isinstance(one, RankingAward):
                found += ranking_awards(one, figures[scope_of(one)], holders)
            else:
                found += sales_awards(one, figures[scope_of(one)], holders)
        return found

    def tier_figures(self, holders: Mapping[str, Holder]) -> dict[str, Figures]:
        """The figures tiers are reviewed by, of those who have any, by seat."""
        return self.tallies[ALL_SALES].figures(active_seats(holders)) if self.reviews_tiers else {}


def active_seats(holders: Mapping[str, Holder]) -> frozenset[str]:
    """The seats of those who are active at the close."""
    return frozenset(seat for seat, holder in holders.items() if holder.status == Status.ACTIVE)


def rebate_of(component: TieredRebate, sales_minor: int) -> Worth:
    """The rebate of a sum of sales: parts of it at their rates, rounded half up once."""
    bands = sorted(component.bands, key=lambda band: band.from_minor)
    reached = [band for band in bands if band.from_minor <= sales_minor]
    detail: _Detail = {"measure": component.measure}
    if not reached:
        return Worth(0, AwardReason.BELOW, {**detail, "needed": bands[0].from_minor})
    detail["from"] = reached[-1].from_minor
    parts = [[sales_minor, reached[-1].rate_bps]] if component.applies == "WHOLE" else _parts(reached, sales_minor)
    amount = divide_half_up(sum(part * rate for part, rate in parts), BPS_WHOLE)
    return _worth(amount, any(rate for _, rate in parts), {**detail, "parts": parts})


def _parts(reached: Sequence[RebateBand], sales_minor: int) -> list[list[int]]:
    ends = [*(band.from_minor for band in reached[1:]), sales_minor]
    return [[end - band.from_minor, band.rate_bps] for band, end in zip(reached, ends, strict=True)]


def target_of(component: TargetBonus, measured: int) -> Worth:
    """The bonus of the highest target that is reached."""
    targets = sorted(component.targets, key=lambda target: target.at_least)
    reached = [target for target in targets if target.at_least <= measured]
    if not reached:
        return Worth(0, AwardReason.BELOW, {"measure": component.measure, "needed": targets[0].at_least})
    best = reached[-1]
    return _worth(best.bonus_minor, bool(best.bonus_minor), {"measure": component.measure, "from": best.at_least})


def _worth(amount_minor: int, rated: bool, detail: _Detail) -> Worth:
    reason = AwardReason.EARNED if amount_minor else AwardReason.ROUNDED_TO_ZERO if rated else AwardReason.RATE_ZERO
    return Worth(amount_minor, reason, detail)


def measured_by(measure: str, figures: Figures) -> int:
    """The figure a component measures."""
    if measure == "own_sales":
        return figures.own_minor
    if measure == "group_sales":
        return figures.group_minor
    return figures.pieces if measure == "pieces" else figures.orders


def sales_awards(
    component: TieredRebate | TargetBonus, figures: Mapping[str, Figures], holders: Mapping[str, Holder]
) -> list[Award]:
    """Rebates or target bonuses for everybody with something to measure, by code."""
    found = []
    for seat in sorted(figures, key=lambda seat: holders[seat].code):
        if measured := measured_by(component.measure, figures[seat]):
            worth = (
                rebate_of(component, measured) if component.kind == "tiered_rebate" else target_of(component, measured)
            )
            found.append(_award(component, holders[seat], measured, worth))
    return found


def ranking_awards(
    component: RankingAward, figures: Mapping[str, Figures], holders: Mapping[str, Holder]
) -> list[Award]:
    """The first places and those behind them; equal sales are ranked by code."""
    ranked = sorted(
        ((-measured_by(component.measure, sums), holders[seat].code, seat) for seat, sums in figures.items()),
    )
    found, place = [], 0
    prizes = component.awards_minor
    for below, _, seat in ranked:
        holder, measured = holders[seat], -below
        if not measured:
            continue
        detail: _Detail = {"measure": component.measure, "places": len(prizes)}
        if measured < component.at_least_minor:
            worth = Worth(0, AwardReason.BELOW, {**detail, "needed": component.at_least_minor})
        elif holder.status == Status.EXITED:
            worth = Worth(0, AwardReason.EXITED, detail)
        elif not _concerns(component, holder):
            worth = Worth(0, AwardReason.OTHER_TIER, detail)
        else:
            place += 1
            detail["place"] = place
            prize = prizes[place - 1] if place <= len(prizes) else 0
            beyond = place > len(prizes)
            worth = Worth(0, AwardReason.NO_PLACE, detail) if beyond else _worth(prize, bool(prize), detail)
        found.append(_award(component, holder, measured, worth))
    return found


def event_awards(
    component: EventBonus, firsts: Firsts, holders: Mapping[str, Holder], taken: Collection[str]
) -> list[Award]:
    """First orders by channel, and why others were none; ``taken`` are the once keys that are used up."""
    leaders: dict[str, ChannelOrder] = {}
    for (_, channel), order in firsts.by_seat.items():
        if order.amount_minor >= component.minimum_minor:
            best = leaders.get(channel)
            leaders[channel] = order if best is None else min(best, order)
    found = []
    for (seat, channel), order in sorted(firsts.by_seat.items(), key=lambda one: (holders[one[0][0]].code, one[0][1])):
        holder = holders[seat]
        key = once_key(component, holder.id, channel)
        detail: _Detail = {"measure": "order", "once": component.once}
        if order.amount_minor < component.minimum_minor:
            worth = Worth(0, AwardReason.BELOW, {**detail, "needed": component.minimum_minor})
        elif key in taken:
            worth = Worth(0, AwardReason.TAKEN, detail)
        elif component.once == "brand" and leaders[channel] != order:
            worth = Worth(0, AwardReason.NOT_FIRST, detail)
        else:
            worth = _worth(component.bonus_minor, bool(component.bonus_minor), detail)
        award = _award(component, holder, order.amount_minor, worth)
        paid = award.amount_minor > 0
        found.append(award._replace(scope=channel, order_id=order.order_id, once_key=key if paid else None))
    return found


def once_key(component: EventBonus, distributor_id: UUID, channel: str) -> str:
    """What an event bonus is given once for."""
    return channel if component.once == "brand" else f"{distributor_id} {channel}"


def _concerns(component: PeriodComponent, holder: Holder) -> bool:
    return component.tiers is None or holder.tier in component.tiers


def _award(component: PeriodComponent, holder: Holder, measured: int, worth: Worth) -> Award:
    """What is due to this holder: nothing to another tier, and nothing to one who is not active."""
    amount, reason, detail = worth
    if not _concerns(component, holder):
        amount, reason, detail = 0, AwardReason.OTHER_TIER, {"measure": detail["measure"]}
    elif amount and holder.status != Status.ACTIVE:
        reason = _INACTIVE.get(Status(holder.status), AwardReason.NOT_ACTIVE)
        amount, detail = 0, {**detail, "kept": amount}
    return Award(component.key, component.kind, "", holder, measured, amount, reason, detail)
