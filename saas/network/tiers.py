"""Promotion, demotion and revocation of tiers at the close of a period, without a database (docs/rules.md §2.2).

A distributor rises to the highest tier whose ``promotion`` its period fulfils. Otherwise it has to have fulfilled the
``keep`` of its own tier: who misses it falls one tier, and after ``revoke_after`` misses in a row loses its rank.
"""

from datetime import date
from enum import StrEnum
from typing import NamedTuple, Protocol

from saas.base.errors import Said
from saas.base.ids import DistributorId
from saas.base.money import formatted
from tenants.program.calendar import period_days
from tenants.program.document import AllOf, AnyOf, Condition, OrdersCondition, Program, SalesCondition
from tenants.program.parts import PeriodLength


class Figures(Protocol):
    """What one distributor sold in the period, in minor units of the program's currency, and its orders."""

    @property
    def own_minor(self) -> int:
        """Its own sales."""

    @property
    def group_minor(self) -> int:
        """Its own and everybody's below it."""

    @property
    def active_downline_minor(self) -> int:
        """Those of everybody below it who is active."""

    @property
    def orders(self) -> int:
        """Its own paid orders."""


class Outcome(StrEnum):
    """What a review comes to."""

    PROMOTED = "promoted"
    KEPT = "kept"
    GRACE = "grace"
    MISSED = "missed"
    DEMOTED = "demoted"
    REVOKED = "revoked"
    PINNED = "pinned"


class TierHolder(NamedTuple):
    """A distributor to review.

    ``periods_held``: whole periods it has had its tier, the one under review included. ``misses``: how many in a row
    its last review counted (``carried``). ``pinned``: the brand has settled its tier by hand for the time being.
    """

    id: DistributorId
    code: str
    tier: str
    periods_held: int
    misses: int = 0
    pinned: bool = False


class Check(NamedTuple):
    """A condition held against the figures; ``of`` are its parts. Amounts are minor units, orders a count."""

    kind: str
    holds: bool
    value: int = 0
    at_least: int = 0
    of: tuple["Check", ...] = ()


class Review(NamedTuple):
    """What the review of one distributor comes to, and the condition that decided it (None: there was none).

    ``misses`` in a row are those up to this period, ``suspends`` ends its standing instead of its tier.
    """

    holder: DistributorId
    outcome: Outcome
    tier_before: str
    tier_after: str
    misses: int
    suspends: bool
    check: Check | None

    @property
    def changes(self) -> bool:
        """Whether anything is to be written to the distributor."""
        return self.tier_after != self.tier_before or self.suspends


_WORDS = {
    "own_sales": Said("own sales", "个人业绩"),
    "group_sales": Said("group sales", "团队业绩"),
    "active_downline_sales": Said("sales of the active downline", "有效下线业绩"),
    "orders": Said("orders", "订单数"),
}


def check(condition: Condition, figures: Figures) -> Check:
    """Hold a condition against the figures of a period."""
    match condition:
        case SalesCondition(kind=kind, at_least_minor=at_least):
            measured = {
                "own_sales": figures.own_minor,
                "group_sales": figures.group_minor,
                "active_downline_sales": figures.active_downline_minor,
            }[kind]
            return Check(kind, measured >= at_least, measured, at_least)
        case OrdersCondition(at_least=at_least):
            return Check("orders", figures.orders >= at_least, figures.orders, at_least)
        case AllOf(of=parts):
            checks = tuple(check(part, figures) for part in parts)
            return Check("all", all(one.holds for one in checks), of=checks)
        case AnyOf(of=parts):
            checks = tuple(check(part, figures) for part in parts)
            return Check("any", any(one.holds for one in checks), of=checks)


def review(program: Program, holder: TierHolder, figures: Figures) -> Review:
    """Review one active distributor by its figures of a whole period.

    A tier that the program no longer has is below every other one, and nothing has to be reached to keep it.
    """
    if holder.pinned:
        return _review(holder, Outcome.PINNED, misses=holder.misses)
    rank = next((i for i, tier in enumerate(program.tiers) if tier.code == holder.tier), -1)
    for tier in reversed(program.tiers[rank + 1 :]):
        if tier.promotion is not None and (found := check(tier.promotion, figures)).holds:
            return _review(holder, Outcome.PROMOTED, tier=tier.code, check=found)
    keep = program.tiers[rank].keep if rank >= 0 else None
    found_kept = None if keep is None else check(keep, figures)
    if found_kept is None or found_kept.holds:
        return _review(holder, Outcome.KEPT, check=found_kept)
    return _missed(program, holder, rank, found_kept)


def _missed(program: Program, holder: TierHolder, rank: int, found: Check) -> Review:
    rules = program.tier_rules
    if holder.periods_held < rules.grace_periods:
        return _review(holder, Outcome.GRACE, misses=holder.misses, check=found)
    misses, suspends = holder.misses + 1, rules.revocation == "suspend"
    if rules.revoke_after is not None and misses >= rules.revoke_after and (suspends or rank > 0):
        tier_after = holder.tier if suspends else program.tiers[0].code
        return _review(holder, Outcome.REVOKED, tier=tier_after, misses=misses, suspends=suspends, check=found)
    if rank == 0:
        return _review(holder, Outcome.MISSED, misses=misses, check=found)
    return _review(holder, Outcome.DEMOTED, tier=program.tiers[rank - 1].code, misses=misses, check=found)


def _review(
    holder: TierHolder,
    outcome: Outcome,
    *,
    tier: str | None = None,
    misses: int = 0,
    suspends: bool = False,
    check: Check | None = None,
) -> Review:
    return Review(holder.id, outcome, holder.tier, tier or holder.tier, misses, suspends, check)


def carried(outcome: Outcome, misses: int) -> int:
    """The misses in a row that the next review goes on from: a revocation begins anew."""
    return 0 if outcome is Outcome.REVOKED else misses


def whole_periods(length: PeriodLength, held_since: date, until: date) -> int:
    """How many whole periods lie between the day a tier was got and ``until``, the end of the last of them."""
    first, following = period_days(length, held_since)
    start = first if first == held_since else following
    count = 0
    while start < until:
        start = period_days(length, start)[1]
        count += 1
    return count


def recalled(
    program: Program, holder: TierHolder, figures: Figures, *, outcome: Outcome, tier_after: str, misses: int
) -> Review:
    """A review that was written down, with the condition that decided it read again from its program."""
    tiers = {tier.code: tier for tier in program.tiers}
    condition: Condition | None = None
    if outcome is Outcome.PROMOTED:
        condition = tiers[tier_after].promotion
    elif outcome is not Outcome.PINNED and holder.tier in tiers:
        condition = tiers[holder.tier].keep
    suspends = outcome is Outcome.REVOKED and program.tier_rules.revocation == "suspend"
    found = None if condition is None else check(condition, figures)
    return Review(holder.id, outcome, holder.tier, tier_after, misses, suspends, found)


def explained(program: Program, review: Review) -> Said:
    """The review in one sentence: what follows, from which condition, with target and value."""
    return Said(_sentence(program, review, chinese=False), _sentence(program, review, chinese=True))


def _sentence(program: Program, review: Review, *, chinese: bool) -> str:
    names = {tier.code: tier.name.zh if chinese else tier.name.en for tier in program.tiers}
    words = {
        "before": names.get(review.tier_before, review.tier_before) or ("无级别" if chinese else "no tier"),
        "after": names.get(review.tier_after, review.tier_after),
        "misses": review.misses,
    }
    key = "suspended" if review.suspends else review.outcome.value
    what = _SENTENCES[key][chinese].format(**words)
    if review.check is not None:
        why = described(review.check, program.currency, chinese=chinese)
        return f"{what}：{why}。" if chinese else f"{what}: {why}."
    if review.outcome is Outcome.KEPT:
        what += "，该级别无保级要求" if chinese else ", nothing has to be reached to keep it"
    return f"{what}。" if chinese else f"{what}."


_SENTENCES = {
    "promoted": Said("Rises from {before} to {after}", "由 {before} 晋升为 {after}"),
    "kept": Said("Stays {before}", "保持 {before}"),
    "grace": Said("Stays {before} in its time of grace, the target missed", "保护期内保持 {before}，本期未达标"),
    "missed": Said(
        "Stays {before}, the lowest tier (misses in a row: {misses})", "保持最低级别 {before}（连续未达标 {misses} 次）"
    ),
    "demoted": Said(
        "Falls from {before} to {after} (misses in a row: {misses})",
        "由 {before} 降为 {after}（连续未达标 {misses} 次）",
    ),
    "revoked": Said(
        "Loses {before} and falls to {after} (misses in a row: {misses})",
        "取消 {before}，降为 {after}（连续未达标 {misses} 次）",
    ),
    "suspended": Said(
        "Is suspended as {before} (misses in a row: {misses})", "以 {before} 身份暂停（连续未达标 {misses} 次）"
    ),
    "pinned": Said("Stays {before}: the brand has settled its tier by hand", "保持 {before}：品牌方已人工指定级别"),
}


def described(found: Check, currency: str, *, chinese: bool, within: bool = False) -> str:
    """A condition with its targets and values: ``own sales CN¥900.00 of CN¥1,000.00 missed``."""
    if found.kind in {"all", "any"}:
        joint = ("，且" if chinese else " and ") if found.kind == "all" else ("，或" if chinese else " or ")
        parts = joint.join(described(one, currency, chinese=chinese, within=len(found.of) > 1) for one in found.of)
        if not within or len(found.of) == 1:
            return parts
        return f"（{parts}）" if chinese else f"({parts})"
    locale = "zh-CN" if chinese else "en"
    value, target = (
        str(amount) if found.kind == "orders" else formatted(amount, currency, locale)
        for amount in (found.value, found.at_least)
    )
    word = _WORDS[found.kind][chinese]
    if chinese:
        return f"{word} {value}，目标 {target}，{'已达标' if found.holds else '未达标'}"
    return f"{word} {value} of {target} {'reached' if found.holds else 'missed'}"
