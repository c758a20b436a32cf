"""The ceiling of the core: what the two programs of ``engine`` pay out, in bare loops that know them by heart.

The same integers, the same rounding and the same cap, down to the unit; but no records, no reasons, no explanations,
and no program to look anything up in.
"""

from collections.abc import Sequence

from saas.commissions.rules import Facts, Line, Member

Lines = Sequence[tuple[Line, tuple[Member, ...], Facts]]

LEVELS, GOLD = (1000, 500, 300), (1200, 600, 300)
NEEDED = 100_000
TEA = (50, 20)
EACH, BANDS = 100, ((30, 20), (50, 40))
RATES = {"silver": 500, "gold": 800, "diamond": 1200}
SAME_TIER, LEAD, CAP, REACH = 100, 3000, 2500, 4


def three_levels(lines: Lines) -> list[int]:
    """10 %, 15 % and 20 % to three levels."""
    paid = []
    for line, chain, _ in lines:
        base = line.base_minor
        total = 0
        for rate, member in zip((1000, 1500, 2000), chain, strict=False):
            if member.status == "active":
                total += (base * rate + 5000) // 10_000
        paid.append(min(base, total))
    return paid


def everything(lines: Lines) -> list[int]:
    """All line components at once."""
    paid = []
    for line, chain, facts in lines:
        base, quantity = line.base_minor, line.quantity
        amounts = [(0, "volume", _pieces(facts.pieces["volume"], quantity))]
        for level, member in enumerate(chain[:3]):
            if member.status == "active":
                if level == 0 or facts.own_sales["month", member.id] >= NEEDED:
                    rate = GOLD[level] if member.tier == "gold" else LEVELS[level]
                    amounts.append((level, "levels", (base * rate + 5000) // 10_000))
                if level < len(TEA):
                    amounts.append((level, "tea", TEA[level] * quantity))
        _differential(base, chain[:REACH], amounts)
        paid.append(_shared(base * CAP // 10_000, amounts, facts))
    return paid


def _pieces(before: int, quantity: int) -> int:
    after = before + quantity
    amount = EACH * quantity
    (first, less), (second, more) = BANDS
    amount += max(min(after, second) - max(before, first), 0) * less
    return amount + max(after - max(before, second), 0) * more


def _differential(base: int, chain: tuple[Member, ...], amounts: list[tuple[int, str, int]]) -> None:
    highest, holder, top, total = 0, "", 0, 0
    rewarded = set()
    gaps = []
    for level, (_, tier, status) in enumerate(chain):
        own = RATES[tier or ""]
        if own > highest and status == "active":
            amount = (base * (own - highest) + 5000) // 10_000
            gaps.append((level, "gap", amount))
            top, total = own, total + amount
        if tier == holder and tier not in rewarded:
            rewarded.add(tier)
            if status == "active":
                amounts.append((level, "gap/same_tier", (base * SAME_TIER + 5000) // 10_000))
        if own > highest:
            highest, holder = own, tier or ""
    limit = (base * top + 5000) // 10_000
    amounts += gaps if total <= limit else _shrunk(gaps, limit, total)


def _shrunk(amounts: list[tuple[int, str, int]], limit: int, total: int) -> list[tuple[int, str, int]]:
    amounts.sort()
    floors = [amount * limit // total for _, _, amount in amounts]
    remainders = sorted((-(one[2] * limit % total), i) for i, one in enumerate(amounts))
    for _, i in remainders[: limit - sum(floors)]:
        floors[i] += 1
    return [(level, key, floors[i]) for i, (level, key, _) in enumerate(amounts)]


def _shared(limit: int, amounts: list[tuple[int, str, int]], facts: Facts) -> int:
    """The sum after the cap; a lead moves parts of it to somebody who is active, so it stays what it is."""
    total = sum([amount for _, _, amount in amounts])
    if total > limit:
        amounts = _shrunk(amounts, limit, total)
    if facts.partner is None:
        return sum([amount for _, _, amount in amounts])
    paid = 0
    for level, _, amount in amounts:
        part = amount if level else (amount * LEAD + 5000) // 10_000
        paid += part + (amount - part)
    return paid
