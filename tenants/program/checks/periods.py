"""The sense of what is paid for periods (docs/rules.md §3.3, 3.6)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from saas.base.money import BPS_WHOLE, share
from tenants.program.checks.commission import COMPONENTS
from tenants.program.checks.common import Place, listed, not_rising, overlap, repeated, unknown_tiers
from tenants.program.components import EventBonus, PeriodComponent, RankingAward, TargetBonus, TieredRebate
from tenants.program.document import Program
from tenants.program.findings import Finding, finding, path_of
from tenants.program.payout import generations_paid


def _period_components(program: Program) -> Iterator[tuple[Place, PeriodComponent]]:
    for number, part in enumerate(program.commission.components):
        if isinstance(part, PeriodComponent):
            yield (*COMPONENTS, number), part


def tiers(program: Program) -> Iterator[Finding]:
    """Periods pay tiers that exist."""
    for place, part in _period_components(program):
        yield from unknown_tiers(program, listed((*place, "tiers"), part.tiers))


def lists(program: Program) -> Iterator[Finding]:
    """No tier or channel is listed twice."""
    for place, part in _period_components(program):
        yield from repeated(listed((*place, "tiers"), part.tiers))
        if isinstance(part, EventBonus):
            yield from repeated(listed((*place, "channels"), part.channels))


def rebates(program: Program) -> Iterator[Finding]:
    """Bounds rise; where the rate of a whole period falls at one, selling more pays less."""
    for place, part in _period_components(program):
        if not isinstance(part, TieredRebate):
            continue
        bounds = [((*place, "bands", i, "from_minor"), band.from_minor) for i, band in enumerate(part.bands)]
        yield from not_rising(bounds)
        if part.applies == "MARGINAL":
            continue
        for i, (lower, band) in enumerate(pairwise(part.bands), 1):
            bound = band.from_minor
            before, after = share(bound - 1, lower.rate_bps), share(bound, band.rate_bps)
            if bound > lower.from_minor and after < before:
                closest = min(-(-before * BPS_WHOLE // bound), lower.rate_bps)
                numbers = {"bound": bound, "just_below": bound - 1, "before": before, "after": after}
                yield finding(path_of([*place, "bands", i, "rate_bps"]), "REBATE_FALLS", **numbers, closest=closest)


def targets(program: Program) -> Iterator[Finding]:
    """Targets rise and pay no less; so do the places of a ranking from the last to the first."""
    for place, part in _period_components(program):
        if isinstance(part, TargetBonus):
            steps = [((*place, "targets", i, "at_least"), target.at_least) for i, target in enumerate(part.targets)]
            yield from not_rising(steps)
            for i, (lower, target) in enumerate(pairwise(part.targets), 1):
                if target.bonus_minor < lower.bonus_minor:
                    path = path_of([*place, "targets", i, "bonus_minor"])
                    numbers = {"value": target.bonus_minor, "lower": lower.bonus_minor}
                    yield finding(path, "BONUS_FALLS", **numbers, closest=lower.bonus_minor)
        if isinstance(part, RankingAward):
            for i, (higher, lower_award) in enumerate(pairwise(part.awards_minor), 1):
                if lower_award > higher:
                    path = path_of([*place, "awards_minor", i - 1])
                    yield finding(path, "BONUS_FALLS", value=higher, lower=lower_award, closest=lower_award)


def events(program: Program) -> Iterator[Finding]:
    """An event is paid by one component, for an order that bears it."""
    seen: list[EventBonus] = []
    for place, part in _period_components(program):
        if not isinstance(part, EventBonus):
            continue
        if part.bonus_minor > part.minimum_minor:
            numbers = {"value": part.bonus_minor, "minimum": part.minimum_minor, "closest": part.bonus_minor}
            yield finding(path_of([*place, "minimum_minor"]), "EVENT_ABOVE_ORDER", **numbers)
        for other in seen:
            channel = _same_event(other, part)
            if channel is not None:
                words = {"other": other.key, "channel": channel, "channel_zh": channel or "（任意）"}
                yield finding(path_of(place), "EVENT_TWICE", **words | {"channel": channel or "any channel"})
        seen.append(part)


def _same_event(one: EventBonus, other: EventBonus) -> str | None:
    """A channel in which both pay the same distributors and products; ``""`` is any, ``None`` there is none."""
    if not overlap((one.effective_from, one.effective_until), (other.effective_from, other.effective_until)):
        return None
    if one.tiers is not None and other.tiers is not None and not set(one.tiers) & set(other.tiers):
        return None
    if one.only is not None and other.only is not None and one.only != other.only:
        return None
    if one.channels is None or other.channels is None:
        return next(iter(one.channels or other.channels or ()), "")
    return next((channel for channel in one.channels if channel in other.channels), None)


def groups(program: Program) -> Iterator[Finding]:
    """Group sales pay everybody above a sale: as many as the tree is deep."""
    for place, part in _period_components(program):
        if generations_paid(program, part) is None:
            yield finding(path_of([*place, "measure"]), "GROUP_WITHOUT_END")


def pays_nothing(program: Program) -> bool:
    """Whether no period pays anything."""
    return not any(sum(_amounts(part)) for _, part in _period_components(program))


def _amounts(part: PeriodComponent) -> Iterator[Fraction | int]:
    match part:
        case TieredRebate():
            yield from (band.rate_bps for band in part.bands)
        case TargetBonus():
            yield from (target.bonus_minor for target in part.targets)
        case EventBonus():
            yield part.bonus_minor
        case RankingAward():
            yield from part.awards_minor
