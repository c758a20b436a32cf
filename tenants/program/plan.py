"""What applies to a product on a day, as plain tuples for the hot loop of ``saas/commissions/rules.py``.

A *slot* is one level of a level table or of fixed amounts with its value for one product; a *plan* is the slots that
apply to a product on a day, and the components that do not pay by level.
"""

from collections.abc import Mapping
from typing import NamedTuple

from tenants.program.parts import PeriodLength


class Slot(NamedTuple):
    """One level of one component: ``value`` is bps of the base, or minor units for each piece.

    ``qualify``: the period and the own sales in minor units that an upline must have reached in it to be paid.
    """

    component: str
    level: int
    per_piece: bool
    value: int
    by_tier: Mapping[str | None, int] | None
    qualify: tuple[PeriodLength, int] | None = None

    @property
    def most(self) -> int:
        """The highest value any tier gets."""
        return max(self.value, *self.by_tier.values()) if self.by_tier else self.value


class PieceSlot(NamedTuple):
    """An amount a piece with volume (docs/rules.md §3.2). ``bands``: above so many pieces, so much more; ascending.

    ``replaced``: a fixed amount pays in its place, its pieces only count.
    """

    component: str
    per_piece_minor: int
    bands: tuple[tuple[int, int], ...]
    whole: bool
    replaced: bool = False

    @property
    def most(self) -> int:
        """The most that a piece brings."""
        return self.per_piece_minor + max((extra for _, extra in self.bands), default=0)


class DifferentialSlot(NamedTuple):
    """A differential (docs/rules.md §3.4): rates by tier in bps, for so many levels from the seller."""

    component: str
    rates: Mapping[str | None, int]
    levels: int
    same_tier_bps: int

    @property
    def most(self) -> int:
        """The highest rate of any tier, in bps, without bonuses for equal tiers."""
        return max(self.rates.values(), default=0)


class Plan(NamedTuple):
    """What applies to a product: level tables or fixed amounts by level, amounts a piece with volume, differentials.

    Each kind in the document's order. ``reach`` is the number of levels covered, counted from the seller; 0 when
    nothing applies. ``counters``: the components whose count of the seller's pieces such a line advances.
    """

    slots: tuple[Slot, ...]
    reach: int
    pieces: tuple[PieceSlot, ...] = ()
    differentials: tuple[DifferentialSlot, ...] = ()
    counters: tuple[str, ...] = ()
