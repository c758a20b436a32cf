"""The rules of commission a second time: straight from the document, with fractions, slow and plain.

Shares nothing with the code under test but the program document; written from docs/rules.md §3.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from saas.commissions.rules import NO_FACTS, Facts, Line, Member
from tenants.program.components import (
    Component,
    Differential,
    FixedPerProduct,
    GrossMargin,
    LevelTable,
    LineComponent,
    PerPieceVolume,
    Pool,
    ProductValue,
)
from tenants.program.document import Program

Amounts = dict[tuple[str, int], int]
"""What each component pays each level, in minor units."""

HALF = Fraction(1, 2)


def half_up(amount: Fraction) -> int:
    return floor(amount + HALF)


def percent(amount: int, bps: int) -> int:
    return half_up(Fraction(amount * bps, 10_000))


def naive_base(program: Program, line: Line) -> int:
    setting, paid = program.commission.base, line.base_minor
    if isinstance(setting, Pool):
        return percent(paid, setting.share_bps)
    if isinstance(setting, GrossMargin):
        if line.sku not in setting.costs_minor:
            return 0
        margin = paid - setting.costs_minor[line.sku] * line.quantity
        return max(margin, 0)
    if isinstance(setting, ProductValue):
        value = setting.values_minor[line.sku] * line.quantity if line.sku in setting.values_minor else 0
        return min(value, paid)
    return paid


def applies(component: Component, line: Line) -> bool:
    if component.effective_from is not None and line.day < component.effective_from:
        return False
    if component.effective_until is not None and line.day >= component.effective_until:
        return False
    if isinstance(component, FixedPerProduct):
        return line.sku in component.products
    only = component.only
    if only is None or (only.products is None and only.categories is None):
        return True
    by_product = only.products is not None and line.sku in only.products
    return by_product or (only.categories is not None and line.category in only.categories)


def seats(program: Program, chain: Sequence[Member], level: int) -> Member | None:
    """Who sits on a level: by distance, or counting only active uplines when the program compresses."""
    if level == 0 or program.commission.inactive_upline == "keep":
        return chain[level] if level < len(chain) else None
    active = [member for member in chain[1:] if member.status == "active"]
    return active[level - 1] if level <= len(active) else None


def by_level(component: LevelTable | FixedPerProduct, level: int, member: Member, base: int, line: Line) -> int:
    if isinstance(component, FixedPerProduct):
        return component.products[line.sku][level] * line.quantity
    entry = component.levels[level]
    own = component.product_overrides.get(line.sku, ())
    if level < len(own) and own[level] is not None:
        value = own[level]
    elif member.tier is not None and member.tier in entry.by_tier:
        value = entry.by_tier[member.tier]
    else:
        value = entry.rate_bps if entry.rate_bps is not None else entry.per_piece_minor
    assert value is not None
    return percent(base, value) if entry.rate_bps is not None else value * line.quantity


def qualified(component: LevelTable | FixedPerProduct, level: int, member: Member, facts: Facts) -> bool:
    if level == 0 or isinstance(component, FixedPerProduct) or component.qualify is None:
        return True
    return facts.own_sales.get((component.qualify.period, member.id), 0) >= component.qualify.own_sales_minor


def lift(component: PerPieceVolume, pieces: int) -> int:
    """What a period of so many pieces brings above the amount a piece."""
    if component.applies == "WHOLE":
        return pieces * max((band.extra_minor for band in component.bands if band.above_pieces < pieces), default=0)
    total = 0
    for piece in range(1, pieces + 1):
        passed = [band for band in component.bands if band.above_pieces < piece]
        if passed:
            total += max(passed, key=lambda band: band.above_pieces).extra_minor
    return total


def differential(
    program: Program, component: Differential, chain: Sequence[Member], base: int, seller_unpaid: bool
) -> Amounts:
    count = program.hierarchy.paid_levels if component.levels is None else component.levels
    seated = [member for member in (seats(program, chain, level) for level in range(count)) if member is not None]

    def rate(member: Member) -> int:
        return 0 if member.tier is None else component.rates_bps.get(member.tier, 0)

    def paid(level: int) -> bool:
        return seated[level].status == "active" and not (level == 0 and seller_unpaid)

    amounts: Amounts = {(component.key, 0): 0}
    reached: list[int] = []
    rewarded: set[str | None] = set()
    for level, member in enumerate(seated):
        below = max((rate(other) for other in seated[:level]), default=0)
        gain = max(rate(member) - below, 0)
        amounts[component.key, level] = percent(base, gain) if paid(level) else 0
        if gain and paid(level):
            reached.append(rate(member))
        holders = [other.tier for other in seated[:level] if below and rate(other) == below]
        again = member.tier is None or member.tier in rewarded
        if component.same_tier_bonus_bps and member.tier in holders[:1] and not again:
            rewarded.add(member.tier)
            bonus = percent(base, component.same_tier_bonus_bps) if member.status == "active" else 0
            amounts[f"{component.key}/same_tier", level] = bonus
    own = {place: amount for place, amount in amounts.items() if place[0] == component.key}
    return amounts | shrunk(own, percent(base, max(reached, default=0)))


def paid_by(
    program: Program, component: LineComponent, line: Line, chain: Sequence[Member], base: int, facts: Facts
) -> Amounts:
    unpaid_seller = line.self_purchase and not program.commission.self_purchase_pays_seller
    if isinstance(component, Differential):
        return differential(program, component, chain, base, unpaid_seller)
    if isinstance(component, PerPieceVolume):
        paid = bool(chain) and chain[0].status == "active" and not unpaid_seller
        before = facts.pieces.get(component.key, 0)
        lifted = lift(component, before + line.quantity) - lift(component, before)
        lifted = max(lifted + facts.open_lifts.get(component.key, 0), 0)
        return {(component.key, 0): component.per_piece_minor * line.quantity + lifted if paid else 0}
    count = len(component.levels) if isinstance(component, LevelTable) else len(component.products[line.sku])
    amounts: Amounts = {}
    for level in range(count):
        member = seats(program, chain, level)
        unpaid = level == 0 and unpaid_seller
        if member is None or member.status != "active" or unpaid or not qualified(component, level, member, facts):
            amounts[component.key, level] = 0
        else:
            amounts[component.key, level] = by_level(component, level, member, base, line)
    return amounts


def naive_amounts(program: Program, line: Line, chain: Sequence[Member], facts: Facts = NO_FACTS) -> Amounts:
    """What each component pays each level, in minor units, zeros included."""
    commission, base = program.commission, naive_base(program, line)
    current = [
        component
        for component in commission.components
        if isinstance(component, LineComponent) and applies(component, line)
    ]
    fixed = [component for component in current if isinstance(component, FixedPerProduct)]
    amounts: Amounts = {}
    if fixed:
        amounts |= {(part.key, 0): 0 for part in current if isinstance(part, PerPieceVolume)}
    for component in fixed[:1] or current:
        amounts |= paid_by(program, component, line, chain, base, facts)
    cap = Fraction(1) if commission.cap_bps is None else Fraction(commission.cap_bps, 10_000)
    amounts = shrunk(amounts, floor(base * cap))
    lead = program.territory.cross_region_lead
    if lead is not None and facts.partner is not None:
        for (key, level), whole in list(amounts.items()):
            if level == 0 and whole:
                own = percent(whole, lead.commission_to_seller_bps)
                amounts[key, 0] = own
                amounts[f"{key}/lead", 0] = whole - own if facts.partner.status == "active" else 0
    return amounts


def shrunk(amounts: Amounts, limit: int) -> Amounts:
    """Largest remainder: give every share its whole part, then a unit each to the largest remainders."""
    total = sum(amounts.values())
    if total <= limit:
        return amounts
    exact = {key: Fraction(amount * limit, total) for key, amount in amounts.items()}
    parts = {key: floor(amount) for key, amount in exact.items()}
    order = sorted(amounts, key=lambda key: (parts[key] - exact[key], key[1], key[0]))
    for key in order[: limit - sum(parts.values())]:
        parts[key] += 1
    return parts
