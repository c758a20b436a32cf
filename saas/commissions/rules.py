"""Who earns what on an order line, and why the others do not (docs/rules.md §3). Pure, and the hot loop of the house.

The order of things on one line:

1. The base is what was paid for the goods, or the program's share of it (the pool), half up.
2. The components in effect on the day apply in the document's order. A fixed amount for the SKU replaces every level
   table (§3.5); level tables that apply to the same product add up.
3. Each level goes to the member of the chain at that distance from the seller. The level of one who is not active
   stays with the company or, when the program compresses, goes to the next active upline. The seller's never moves.
4. Each share is rounded half up. Together they exceed neither the cap's part of the base, rounded down, nor the base:
   above that all shrink in proportion (§3.7), amounts a piece like rates. The limit holds for each line, hence for
   the order, and a return of one line leaves the others as they are.

The records are named tuples: immutable and slotted like the house's dataclasses, and made in a third of the time.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID

from saas.base.money import BPS_WHOLE, share, shrink_to
from tenants.program.compile import CompiledProgram, compile_program

__all__ = [
    "CompiledProgram",
    "Line",
    "LineResult",
    "Member",
    "Outcome",
    "Reason",
    "Share",
    "commission_for_line",
    "compile_program",
]


class Outcome(StrEnum):
    """What became of a share: earned, kept by the company, or never due to this upline."""

    EARNED = "earned"
    KEPT = "kept"
    NOT_DUE = "not_due"


class Reason(StrEnum):
    """Why a share is what it is, with the outcome it means."""

    outcome: Outcome

    def __new__(cls, value: str, outcome: Outcome) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.outcome = outcome
        return member

    IN_FULL = "in_full", Outcome.EARNED
    MOVED_UP = "moved_up", Outcome.EARNED
    CAPPED = "capped", Outcome.EARNED
    NO_SELLER = "no_seller", Outcome.KEPT
    NO_UPLINE = "no_upline", Outcome.KEPT
    SUSPENDED = "suspended", Outcome.KEPT
    EXITED = "exited", Outcome.KEPT
    NOT_ACTIVE = "not_active", Outcome.KEPT
    SELF_PURCHASE = "self_purchase", Outcome.KEPT
    RATE_ZERO = "rate_zero", Outcome.KEPT
    ROUNDED_TO_ZERO = "rounded_to_zero", Outcome.KEPT
    CAPPED_TO_ZERO = "capped_to_zero", Outcome.KEPT
    SUSPENDED_PASSED_OVER = "suspended_passed_over", Outcome.NOT_DUE
    EXITED_PASSED_OVER = "exited_passed_over", Outcome.NOT_DUE
    NOT_ACTIVE_PASSED_OVER = "not_active_passed_over", Outcome.NOT_DUE
    NO_COMPONENT = "no_component", Outcome.NOT_DUE
    BEYOND_PAID_LEVELS = "beyond_paid_levels", Outcome.NOT_DUE


class Member(NamedTuple):
    """One of a line's chain as it was at the sale; ``status`` is the distributor's, only ``active`` is paid."""

    id: UUID
    tier: str | None
    status: str


class Line(NamedTuple):
    """An order line: ``base_minor`` is what was paid for its goods, ``day`` the sale's day in the brand's time zone."""

    sku: str
    category: str | None
    quantity: int
    base_minor: int
    day: date
    self_purchase: bool = False


class Share(NamedTuple):
    """One level of one component on one line, earned or not, with all that explains it.

    An upline that no component reaches has ``component`` empty and ``level`` its distance from the seller, so that
    component and level are unique on a line. ``rate_bps`` or ``per_piece_minor`` is the value that applied, both
    ``None`` where none did. ``base_minor`` is after the pool. An earned amount below ``full_minor`` was shrunk by the
    limit on the line.
    """

    component: str
    level: int
    beneficiary_id: UUID | None
    tier: str | None
    rate_bps: int | None
    per_piece_minor: int | None
    base_minor: int
    quantity: int
    amount_minor: int
    reason: Reason

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        return self.reason.outcome

    @property
    def full_minor(self) -> int:
        """The amount before any limit."""
        if self.per_piece_minor is not None:
            return self.per_piece_minor * self.quantity
        return share(self.base_minor, self.rate_bps or 0)


class LineResult(NamedTuple):
    """The shares of a line, by component and level, and what stays with the company: the base less the shares."""

    shares: tuple[Share, ...]
    base_minor: int
    company_minor: int


_ACTIVE = "active"
_HALF = BPS_WHOLE // 2
# Fetching a member from its enum class is slow in Python 3.11, and the loop fetches one for each share.
_IN_FULL, _MOVED_UP, _CAPPED, _CAPPED_TO_ZERO = Reason.IN_FULL, Reason.MOVED_UP, Reason.CAPPED, Reason.CAPPED_TO_ZERO
_NO_SELLER, _NO_UPLINE, _SELF_PURCHASE = Reason.NO_SELLER, Reason.NO_UPLINE, Reason.SELF_PURCHASE
_RATE_ZERO, _ROUNDED_TO_ZERO = Reason.RATE_ZERO, Reason.ROUNDED_TO_ZERO
_BEYOND, _NO_COMPONENT = Reason.BEYOND_PAID_LEVELS, Reason.NO_COMPONENT
_INACTIVE = {"suspended": Reason.SUSPENDED, "exited": Reason.EXITED}
_PASSED_OVER = {"suspended": Reason.SUSPENDED_PASSED_OVER, "exited": Reason.EXITED_PASSED_OVER}

_NOBODY: tuple[UUID | None, str | None, str | None] = (None, None, None)

Apart = tuple[int, Member, Reason]
"""A member of the chain that no component reaches: its distance from the seller, itself, and why."""


def commission_for_line(program: CompiledProgram, line: Line, chain: Sequence[Member]) -> LineResult:
    """Share out one line to its chain: the seller first, the root last; empty when the brand itself sells.

    ``program.chain_needed`` members of the chain are enough. Of the uplines beyond the last paid level the nearest
    is told, for itself and all above. Raises ``ValueError`` for a quantity below one or a negative base.
    """
    sku, category, quantity, paid_minor, day, self_purchase = line
    if quantity < 1 or paid_minor < 0:
        raise ValueError(f"no commission on {quantity} pieces for {paid_minor} minor units")
    slots, reach = program.plan_for(sku, category, day)
    base = paid_minor if program.pool_bps is None else share(paid_minor, program.pool_bps)
    seats, moved, apart = _seats(chain, reach, program.compress)
    seated = len(seats)
    unpaid_seller = self_purchase and not program.self_purchase_pays_seller
    new = tuple.__new__
    shares: list[Share] = []
    total = 0
    for component, level, per_piece, table_value, by_tier in slots:
        beneficiary_id, tier, status = seats[level] if level < seated else _NOBODY
        value = table_value if by_tier is None else by_tier.get(tier, table_value)
        amount = 0
        if status != _ACTIVE:
            reason = _why_unpaid(level, beneficiary_id, status)
        elif level == 0 and unpaid_seller:
            reason = _SELF_PURCHASE
        elif value == 0:
            reason = _RATE_ZERO
        else:
            amount = value * quantity if per_piece else (base * value + _HALF) // BPS_WHOLE
            total += amount
            reason = _ROUNDED_TO_ZERO if amount == 0 else _IN_FULL if level < moved else _MOVED_UP
        rate, each = (None, value) if per_piece else (value, None)
        row = (component, level, beneficiary_id, tier, rate, each, base, quantity, amount, reason)
        shares.append(new(Share, row))
    limit = base if program.cap_bps is None else base * program.cap_bps // BPS_WHOLE
    if total > limit:
        _shrink(shares, limit)
        total = limit
    for distance, member, reason in apart:
        shares.append(Share("", distance, member.id, member.tier, None, None, base, quantity, 0, reason))
    return LineResult(tuple(shares), base, base - total)


def _why_unpaid(level: int, beneficiary_id: UUID | None, status: str | None) -> Reason:
    if beneficiary_id is None:
        return _NO_UPLINE if level else _NO_SELLER
    return _INACTIVE.get(status or "", Reason.NOT_ACTIVE)


def _seats(chain: Sequence[Member], reach: int, compress: bool) -> tuple[Sequence[Member], int, Sequence[Apart]]:
    """Who sits on the levels below ``reach``, the first level whose member moved up, and who sits on none."""
    if compress and any(member.status != _ACTIVE for member in chain[1:reach]):
        return _moved_up(chain, reach)
    if len(chain) <= reach:
        return chain, reach, ()
    return chain, reach, ((reach, chain[reach], _BEYOND if reach else _NO_COMPONENT),)


def _moved_up(chain: Sequence[Member], reach: int) -> tuple[Sequence[Member], int, Sequence[Apart]]:
    seats, apart, moved = [chain[0]], list[Apart](), reach
    for distance, member in enumerate(chain[1:], start=1):
        if len(seats) == reach:
            apart.append((distance, member, _BEYOND))
            break
        if member.status == _ACTIVE:
            seats.append(member)
        else:
            moved = min(moved, len(seats))
            apart.append((distance, member, _PASSED_OVER.get(member.status, Reason.NOT_ACTIVE_PASSED_OVER)))
    return seats, moved, apart


def _shrink(shares: list[Share], limit: int) -> None:
    """Shrink what was earned to ``limit`` in all; among equal remainders the lower level, then the component's key."""
    earned = [i for i, one in enumerate(shares) if one.amount_minor]
    earned.sort(key=lambda i: (shares[i].level, shares[i].component))
    for i, amount in zip(earned, shrink_to([shares[i].amount_minor for i in earned], limit), strict=True):
        one = shares[i]
        if amount != one.amount_minor:
            reason = _CAPPED_TO_ZERO if amount == 0 else _CAPPED if one.reason is _IN_FULL else one.reason
            shares[i] = one._replace(amount_minor=amount, reason=reason)
