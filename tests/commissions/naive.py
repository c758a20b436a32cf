"""The rules of commission a second time: straight from the document, with fractions, slow and plain.

Shares nothing with the code under test but the program document; written from docs/rules.md §3.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from saas.commissions.rules import Line, Member
from tenants.program.components import Component, FixedPerProduct, LevelTable, Pool
from tenants.program.document import Program

HALF = Fraction(1, 2)


def half_up(amount: Fraction) -> int:
    return floor(amount + HALF)


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


def full_share(component: Component, level: int, member: Member, base: Fraction, line: Line) -> int:
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
    return half_up(base * Fraction(value, 10_000)) if entry.rate_bps is not None else value * line.quantity


def naive_amounts(program: Program, line: Line, chain: Sequence[Member]) -> dict[tuple[str, int], int]:
    """What each component pays each level, in minor units, zeros included."""
    commission = program.commission
    base = Fraction(line.base_minor)
    if isinstance(commission.base, Pool):
        base = Fraction(half_up(base * Fraction(commission.base.share_bps, 10_000)))
    current = [component for component in commission.components if applies(component, line)]
    fixed = [component for component in current if isinstance(component, FixedPerProduct)]
    amounts: dict[tuple[str, int], int] = {}
    for component in fixed[:1] or current:
        count = len(component.levels) if isinstance(component, LevelTable) else len(component.products[line.sku])
        for level in range(count):
            member = seats(program, chain, level)
            unpaid = level == 0 and line.self_purchase and not commission.self_purchase_pays_seller
            if member is None or member.status != "active" or unpaid:
                amounts[component.key, level] = 0
            else:
                amounts[component.key, level] = full_share(component, level, member, base, line)
    cap = Fraction(1) if commission.cap_bps is None else Fraction(commission.cap_bps, 10_000)
    return shrunk(amounts, floor(base * cap))


def shrunk(amounts: dict[tuple[str, int], int], limit: int) -> dict[tuple[str, int], int]:
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
