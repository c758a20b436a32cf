"""The sense of hierarchy, tiers, territory and settlement (docs/rules.md §2.1, 2.2, 2.5, 2.6)."""

from collections.abc import Iterator
from itertools import pairwise

from babel.numbers import list_currencies

from saas.base.money import BPS_WHOLE
from tenants.program.checks.common import Place, listed, not_rising, repeated, unknown_regions, unknown_tiers
from tenants.program.document import AllOf, AnyOf, Condition, OrdersCondition, Program, SalesCondition, TiersRecruit
from tenants.program.findings import Finding, finding, path_of

CONDITION_DEPTH_MAX = 4
"""How deep ``all`` and ``any`` may be nested, a condition by itself being 1."""


def currency(program: Program) -> Iterator[Finding]:
    """A currency there is."""
    if program.currency not in list_currencies():
        yield finding("currency", "CURRENCY_UNKNOWN", value=program.currency)


def depth(program: Program) -> Iterator[Finding]:
    """Levels and names that the tree has no generation for."""
    shape = program.hierarchy
    if shape.depth_limit is None:
        return
    if shape.paid_levels > shape.depth_limit:
        numbers = {"paid": shape.paid_levels, "depth": shape.depth_limit}
        yield finding("hierarchy.paid_levels", "PAID_LEVELS_BEYOND_DEPTH", **numbers)
    if len(shape.level_names) > shape.depth_limit:
        numbers = {"count": len(shape.level_names), "depth": shape.depth_limit}
        yield finding("hierarchy.level_names", "LEVEL_NAMES_BEYOND_DEPTH", **numbers)


def unique_tiers(program: Program) -> Iterator[Finding]:
    """No two tiers of one code."""
    yield from repeated([(("tiers", i, "code"), tier.code) for i, tier in enumerate(program.tiers)])


def recruiting_tiers(program: Program) -> Iterator[Finding]:
    """Recruiters are of tiers that exist."""
    recruiters = program.hierarchy.recruiters
    if isinstance(recruiters, TiersRecruit):
        named = listed(("hierarchy", "recruiters", "tiers"), recruiters.tiers)
        yield from unknown_tiers(program, named)
        yield from repeated(named)


def conditions(program: Program) -> Iterator[Finding]:
    """Conditions are not nested beyond measure."""
    for number, tier in enumerate(program.tiers):
        for name, condition in (("promotion", tier.promotion), ("keep", tier.keep)):
            if condition is not None:
                yield from _too_deep(("tiers", number, name), condition, 1)


def _too_deep(place: Place, condition: Condition, level: int) -> Iterator[Finding]:
    if not isinstance(condition, AllOf | AnyOf):
        return
    if level >= CONDITION_DEPTH_MAX:
        numbers = {"depth": level + _depth(condition) - 1, "limit": CONDITION_DEPTH_MAX}
        yield finding(path_of(place), "CONDITION_TOO_DEEP", **numbers)
        return
    for number, inner in enumerate(condition.of):
        yield from _too_deep((*place, "of", number), inner, level + 1)


def _depth(condition: Condition) -> int:
    return 1 + max(map(_depth, condition.of)) if isinstance(condition, AllOf | AnyOf) else 1


def reachable_tiers(program: Program) -> Iterator[Finding]:
    """Tiers that can neither be reached nor lost where others can."""
    promoted = any(tier.promotion is not None for tier in program.tiers)
    kept = any(tier.keep is not None for tier in program.tiers[1:])
    for number, tier in enumerate(program.tiers[1:], 1):
        if promoted and tier.promotion is None:
            yield finding(path_of(["tiers", number]), "TIER_WITHOUT_PROMOTION", tier=tier.code)
        if kept and tier.keep is None:
            yield finding(path_of(["tiers", number]), "TIER_WITHOUT_KEEP", tier=tier.code)


def tier_order(program: Program) -> Iterator[Finding]:
    """A tier asks no more of who stays than of who comes, and more than the tier below; where the two compare."""
    for number, tier in enumerate(program.tiers):
        if (both := _comparable(tier.keep, tier.promotion)) and both[0] > both[1]:
            place: Place = ("tiers", number, "keep", _amount(tier.keep))
            yield finding(path_of(place), "KEEP_ABOVE_PROMOTION", value=both[0], closest=both[1])
    for number, (lower, tier) in enumerate(pairwise(program.tiers), 1):
        if (both := _comparable(tier.promotion, lower.promotion)) and both[0] <= both[1]:
            path = path_of(["tiers", number, "promotion", _amount(tier.promotion)])
            words = {"value": both[0], "before": both[1], "tier": tier.code, "lower": lower.code}
            yield finding(path, "PROMOTION_NOT_RISING", **words)


def _comparable(one: Condition | None, other: Condition | None) -> tuple[int, int] | None:
    if isinstance(one, SalesCondition) and isinstance(other, SalesCondition) and one.kind == other.kind:
        return one.at_least_minor, other.at_least_minor
    if isinstance(one, OrdersCondition) and isinstance(other, OrdersCondition):
        return one.at_least, other.at_least
    return None


def _amount(condition: Condition | None) -> str:
    return "at_least" if isinstance(condition, OrdersCondition) else "at_least_minor"


def misses(program: Program) -> Iterator[Finding]:
    """Every condition to keep a tier has a consequence, and every consequence a condition."""
    rules = program.tier_rules
    revoked = rules.revoke_after is not None
    if program.tiers and program.tiers[0].keep is not None and not (revoked and rules.revocation == "suspend"):
        yield finding("tiers[0].keep", "KEEP_WITHOUT_EFFECT", tier=program.tiers[0].code)
    if all(tier.keep is None for tier in program.tiers):
        if revoked:
            yield finding("tier_rules.revoke_after", "TIER_RULES_WITHOUT_KEEP")
        if rules.grace_periods:
            yield finding("tier_rules.grace_periods", "TIER_RULES_WITHOUT_KEEP")


def territory(program: Program) -> Iterator[Finding]:
    """Agents of regions that exist and are not exclusive; a lead that gives the region something."""
    place, agents = ("territory", "agents"), program.territory.agents
    yield from unknown_regions([((*place, "regions", region), region) for region in agents.regions])
    if program.territory.regions == "exclusive":
        numbers: list[tuple[Place, int | None]] = [((*place, "default"), agents.default)]
        numbers += [((*place, "regions", region), number) for region, number in agents.regions.items()]
        for steps, number in numbers:
            if number is not None and number > 1:
                yield finding(path_of(steps), "AGENTS_OF_EXCLUSIVE", value=number)
    lead = program.territory.cross_region_lead
    if lead and not lead.performance_to_region_bps and lead.commission_to_seller_bps == BPS_WHOLE:
        yield finding("territory.cross_region_lead", "LEAD_WITHOUT_EFFECT")


def deductions(program: Program) -> Iterator[Finding]:
    """Fee and withholding leave something to pay."""
    terms, place = program.settlement, ("settlement", "withholding_brackets")
    rates: list[tuple[Place, int]] = [
        (("settlement", "withholding_without_invoice_bps"), terms.withholding_without_invoice_bps)
    ]
    rates += [((*place, i, "rate_bps"), bracket.rate_bps) for i, bracket in enumerate(terms.withholding_brackets)]
    for steps, rate in rates:
        total = terms.fee_bps + rate
        if total > BPS_WHOLE:
            yield finding(path_of(steps), "NOTHING_LEFT_TO_PAY", sum=total, excess=total - BPS_WHOLE)


def payout_bounds(program: Program) -> Iterator[Finding]:
    """Some amount can be paid out, and withholding is set in one way."""
    terms, place = program.settlement, ("settlement", "withholding_brackets")
    least, most = terms.minimum_payout_minor, terms.maximum_payout_minor
    if most is not None and most < least:
        yield finding("settlement.maximum_payout_minor", "PAYOUT_BOUNDS_CROSSED", value=most, closest=least)
    bounds: list[tuple[Place, int]]
    bounds = [((*place, i, "from_minor"), bracket.from_minor) for i, bracket in enumerate(terms.withholding_brackets)]
    yield from not_rising(bounds)
    if bounds and terms.withholding_without_invoice_bps:
        value = terms.withholding_without_invoice_bps
        yield finding("settlement.withholding_without_invoice_bps", "WITHHELD_TWICE", value=value)
