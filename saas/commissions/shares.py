"""What the rules of commission take and answer: lines, members, facts, shares and why they are what they are.

The records are named tuples: immutable and slotted like the house's dataclasses, and made in a third of the time.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Self
from uuid import UUID

from saas.base.money import BPS_WHOLE, share
from tenants.program.parts import PeriodLength

ACTIVE = "active"
"""The only status of a member that is paid."""

LEAD = "/lead"
SAME_TIER = "/same_tier"
"""What follows a component's key in the part that a region's distributor gets, and in a bonus for equal tiers."""


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
    WITHIN_TOP_RATE = "within_top_rate", Outcome.EARNED
    CAPPED = "capped", Outcome.EARNED
    LEAD_SHARED = "lead_shared", Outcome.EARNED
    NO_SELLER = "no_seller", Outcome.KEPT
    NO_UPLINE = "no_upline", Outcome.KEPT
    SUSPENDED = "suspended", Outcome.KEPT
    EXITED = "exited", Outcome.KEPT
    NOT_ACTIVE = "not_active", Outcome.KEPT
    SELF_PURCHASE = "self_purchase", Outcome.KEPT
    NOT_QUALIFIED = "not_qualified", Outcome.KEPT
    RATE_ZERO = "rate_zero", Outcome.KEPT
    NO_BASE = "no_base", Outcome.KEPT
    ROUNDED_TO_ZERO = "rounded_to_zero", Outcome.KEPT
    CAPPED_TO_ZERO = "capped_to_zero", Outcome.KEPT
    NO_DIFFERENCE = "no_difference", Outcome.NOT_DUE
    LEAD_TO_PARTNER = "lead_to_partner", Outcome.NOT_DUE
    SUSPENDED_PASSED_OVER = "suspended_passed_over", Outcome.NOT_DUE
    EXITED_PASSED_OVER = "exited_passed_over", Outcome.NOT_DUE
    NOT_ACTIVE_PASSED_OVER = "not_active_passed_over", Outcome.NOT_DUE
    FIXED_INSTEAD = "fixed_instead", Outcome.NOT_DUE
    NO_COMPONENT = "no_component", Outcome.NOT_DUE
    BEYOND_PAID_LEVELS = "beyond_paid_levels", Outcome.NOT_DUE


SPLIT = frozenset({Reason.LEAD_SHARED, Reason.LEAD_TO_PARTNER})
"""Why a seller's share is its part of a whole, which it shares with the distributor of the customer's region."""


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


class Facts(NamedTuple):
    """What a line's commission depends on beyond the line and its chain. What is missing counts as nothing.

    ``pieces``: by component, what the seller sold of it in the running period before this line. ``own_sales``: by
    length of period and upline, its own sales in the running period in minor units. ``partner``: the distributor of
    the customer's region, when the seller brought a customer of another's region. ``open_lifts``: by component, what
    the pieces before bring more than stands of it after orders were undone; below zero when more stands.
    """

    pieces: Mapping[str, int]
    own_sales: Mapping[tuple[PeriodLength, UUID], int]
    partner: Member | None
    open_lifts: Mapping[str, int] = MappingProxyType({})


NO_FACTS = Facts(MappingProxyType({}), MappingProxyType({}), None)
"""Enough for a program that counts no pieces, asks uplines for no sales and shares with no region."""


class Share(NamedTuple):
    """One level of one component on one line, earned or not, with all that explains it.

    An upline that no component reaches has ``component`` empty and ``level`` its distance from the seller, so that
    component and level are unique on a line. ``rate_bps`` or ``per_piece_minor`` is the value that applied, both
    ``None`` where none did. ``base_minor`` is what rates apply to. An earned amount below ``full_minor`` was shrunk.

    ``detail`` holds the other numbers of the arithmetic, by what the share is:

    - pieces with volume: the pieces sold before, then pairs of pieces and what each of them brings more; negative
      pieces give back a lift that others have replaced; then, where orders before were undone, what the line makes up
      for of their pieces' lift;
    - differential (``rate_bps`` is the difference): the own rate, and the highest rate below;
    - ``NOT_QUALIFIED``: own sales in the period, and what was needed;
    - a ``/lead`` share: the partner's bps of the whole share, and the whole; a seller's share that was split
      (``SPLIT``) ends with the seller's bps and the whole, after what it has otherwise.
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
    detail: tuple[int, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        return self.reason.outcome

    @property
    def full_minor(self) -> int:
        """The amount before any limit, and of a seller's share that was split before that."""
        if self.component.endswith(LEAD):
            bps, whole_minor = self.detail
            return whole_minor - share(whole_minor, BPS_WHOLE - bps)
        if self.per_piece_minor is not None:
            return self.per_piece_minor * self.quantity + self.lift_minor
        return share(self.base_minor, self.rate_bps or 0)

    @property
    def lifts(self) -> tuple[tuple[int, int], ...]:
        """Of pieces with volume: so many pieces, and what each of them brings more, in minor units."""
        return self.arithmetic.lifts

    @property
    def lift_minor(self) -> int:
        """Of pieces with volume: what the line brings above its amounts a piece, before any limit."""
        numbers = self.arithmetic
        return sum(pieces * extra for pieces, extra in numbers.lifts) + (numbers.made_up_minor or 0)

    @property
    def arithmetic(self) -> "Arithmetic":
        """The numbers of ``detail`` by name."""
        detail, numbers = self.detail, Arithmetic()
        if self.component.endswith(LEAD) or self.reason in SPLIT:
            *_, split_bps, whole_minor = detail
            numbers, detail = Arithmetic(split_bps=split_bps, whole_minor=whole_minor), detail[:-2]
        if not detail:
            return numbers
        if self.reason is Reason.NOT_QUALIFIED:
            return numbers._replace(own_sales_minor=detail[0], needed_minor=detail[1])
        if self.per_piece_minor is not None:
            before, *pairs = detail
            made_up = pairs.pop() if len(pairs) % 2 else None
            lifts = tuple(zip(pairs[::2], pairs[1::2], strict=True))
            return numbers._replace(lifts=lifts, pieces_before=before, made_up_minor=made_up)
        return numbers._replace(own_rate_bps=detail[0], rate_below_bps=detail[1])


class Arithmetic(NamedTuple):
    """What a share's ``detail`` says; what does not belong to it is ``None``."""

    lifts: tuple[tuple[int, int], ...] = ()
    pieces_before: int | None = None
    made_up_minor: int | None = None
    own_rate_bps: int | None = None
    rate_below_bps: int | None = None
    own_sales_minor: int | None = None
    needed_minor: int | None = None
    split_bps: int | None = None
    whole_minor: int | None = None


class LineResult(NamedTuple):
    """The shares of a line, by component and level, and what stays with the company: the base less the shares."""

    shares: tuple[Share, ...]
    base_minor: int
    company_minor: int
