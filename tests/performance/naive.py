"""The awards of a period once more, written from docs/rules.md §3.3 and §3.6 alone, as plainly as possible."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from saas.performance.rules import Holder, SaleFact


def half_up(value: Fraction) -> int:
    """Round to a whole number, halves up; for what is not negative."""
    return int(value + Fraction(1, 2))


def seats(path: str) -> list[str]:
    """A path's seats from the root."""
    return [path[at : at + 6] for at in range(0, len(path), 6)]


def counted(component: Mapping[str, Any], fact: SaleFact) -> tuple[int, int] | None:
    """Pieces and amount of an order that count."""
    since, until = component.get("effective_from"), component.get("effective_until")
    if (since and fact.day < since) or (until and fact.day >= until):
        return None
    only = component.get("only")
    lines = [
        line
        for line in fact.lines
        if not only or line.sku in only.get("products", []) or line.category in only.get("categories", [])
    ]
    return (sum(line.pieces for line in lines), sum(line.amount_minor for line in lines)) if lines else None


def measure(component: Mapping[str, Any], facts: Sequence[SaleFact], seat: str) -> int:
    """What the component measures of one seat."""
    total = 0
    for fact in facts:
        found = counted(component, fact)
        if found is None:
            continue
        pieces, amount = found
        seller, kind = seats(fact.path)[-1], component["measure"]
        if kind == "orders":
            total += seller == seat
        elif kind == "pieces":
            total += pieces if seller == seat else 0
        else:
            part = half_up(Fraction(amount * fact.partner_bps, 10_000)) if fact.partner_path else 0
            for path, value in ((fact.path, amount - part), (fact.partner_path, part)):
                line = seats(path)
                total += value if seat in (line if kind == "group_sales" else line[-1:]) else 0
    return total


def rebate(component: Mapping[str, Any], sales: int) -> int:
    """WHOLE: the rate of the highest band reached. MARGINAL: each unit at the rate of its own band."""
    bands = component["bands"]
    if component["applies"] == "WHOLE":
        rate = max(((b["from_minor"], b["rate_bps"]) for b in bands if b["from_minor"] <= sales), default=(0, 0))[1]
        return half_up(Fraction(sales * rate, 10_000))
    sums = Fraction(0)
    for band in bands:
        above = [other["from_minor"] for other in bands if other["from_minor"] > band["from_minor"]]
        sums += Fraction(max(min([sales, *above]) - band["from_minor"], 0) * band["rate_bps"], 10_000)
    return half_up(sums)


def awards(
    component: Mapping[str, Any], facts: Sequence[SaleFact], holders: Mapping[str, Holder]
) -> dict[tuple[str, str], int]:
    """What is paid, by code and channel."""
    found = {"event_bonus": events, "ranking_award": ranking}.get(component["kind"], sums)(component, facts, holders)
    return {
        (holders[seat].code, scope): amount
        for (seat, scope), amount in found.items()
        if amount and holders[seat].status == "active" and concerned(component, holders[seat])
    }


def concerned(component: Mapping[str, Any], holder: Holder) -> bool:
    """Whether the component is for this tier."""
    return holder.tier in (component.get("tiers") or [holder.tier])


def events(
    component: Mapping[str, Any], facts: Sequence[SaleFact], holders: Mapping[str, Holder]
) -> dict[tuple[str, str], int]:
    """The first large enough order of each channel, or of each seller and channel."""
    first: dict[str, tuple[str, str]] = {}
    for fact in sorted(facts, key=lambda one: (one.paid_at, one.order_id)):
        wanted = counted(component, fact)
        named = fact.channel is not None and fact.channel in (component.get("channels") or [fact.channel])
        if wanted is not None and named and wanted[1] >= component["minimum_minor"]:
            seller, channel = seats(fact.path)[-1], str(fact.channel)
            first.setdefault(channel if component["once"] == "brand" else f"{seller} {channel}", (seller, channel))
    return dict.fromkeys(first.values(), component["bonus_minor"])


def ranking(
    component: Mapping[str, Any], facts: Sequence[SaleFact], holders: Mapping[str, Holder]
) -> dict[tuple[str, str], int]:
    """The places in order of sales, then code."""
    runners = sorted(
        (-measure(component, facts, seat), holder.code, seat)
        for seat, holder in holders.items()
        if holder.status != "exited" and concerned(component, holder)
    )
    placed = [seat for sales, _, seat in runners if -sales >= component["at_least_minor"]]
    return {(seat, ""): prize for seat, prize in zip(placed, component["awards_minor"], strict=False)}


def sums(
    component: Mapping[str, Any], facts: Sequence[SaleFact], holders: Mapping[str, Holder]
) -> dict[tuple[str, str], int]:
    """Rebates and targets."""
    found = {}
    for seat in holders:
        measured = measure(component, facts, seat)
        if component["kind"] == "tiered_rebate":
            found[seat, ""] = rebate(component, measured)
        else:
            reached = [(t["at_least"], t["bonus_minor"]) for t in component["targets"] if t["at_least"] <= measured]
            found[seat, ""] = max(reached, default=(0, 0))[1]
    return found
