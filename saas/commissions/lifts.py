"""Lifts of pieces with volume when orders are undone (docs/rules.md §3.2, §4). Pure.

A line brings a *lift* on top of its amounts a piece: what the period's pieces bring after it, less what stands already.
Pieces that come back take their part of their own line's lift with them. What then stands beyond what the pieces left
bring is *evened*: taken from the lifts of the newest lines first, whoever's share they are.
"""

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from saas.base.money import divide_half_up, part_back
from saas.commissions.parts import lifted
from tenants.program.plan import PieceSlot


class Lifted(NamedTuple):
    """A line that a component counted: its pieces, how many are back, its lift, and what of that was evened."""

    pieces: int
    returned: int
    lift_minor: int
    evened_minor: int

    @property
    def left(self) -> int:
        """The pieces that are not back."""
        return self.pieces - self.returned

    @property
    def standing_minor(self) -> int:
        """What stands of the lift."""
        return max(self._unreturned - self.evened_minor, 0)

    @property
    def _unreturned(self) -> int:
        return self.lift_minor - part_back(self.lift_minor, self.returned, self.pieces)


class Paid(NamedTuple):
    """What a line's amounts a piece and their lift came to: in full, and what was paid of it before a lead was shared.

    ``limit_minor`` is what all shares of the line might come to together; of those that it shrank, each was paid the
    same part.
    """

    full_minor: int
    paid_minor: int
    limit_minor: int

    def left_of(self, line: Lifted) -> Fraction:
        """What stands of what was paid: what is left in full, with the limit applied to it once more.

        The others' shares are as they were at the sale; they and the limit are those of the pieces that are left. So
        it is never more than the rule brings for these, and without evening the part of the pieces. It only ever
        shrinks while the pieces that are back and what is evened grow.
        """
        full, paid, limit = self
        left = full * line.left - min(line.evened_minor * line.pieces, line.lift_minor * line.left)
        if not left or not paid:
            return Fraction(0)
        others = Fraction(full * (limit - paid) * line.left, paid)
        return Fraction(left, line.pieces) * min(Fraction(1), limit * line.left / (left + others))


def lift_of(slot: PieceSlot, pieces: int) -> int:
    """What a period of so many pieces brings above the amount a piece, in minor units."""
    pairs = lifted(slot, 0, pieces)
    return sum(count * extra for count, extra in zip(pairs[::2], pairs[1::2], strict=True))


def due(slot: PieceSlot, before: int, lines: Sequence[Lifted]) -> int:
    """What the rule brings for what is left of these lines, after ``before`` pieces that others sold."""
    return lift_of(slot, before + sum(line.left for line in lines)) - lift_of(slot, before)


def open_minor(slot: PieceSlot, before: int, lines: Sequence[Lifted]) -> int:
    """What is due and does not stand: the next line makes up for it. Below zero what stands beyond what is due."""
    return due(slot, before, lines) - sum(line.standing_minor for line in lines)


class Undone(NamedTuple):
    """A line while orders are being undone."""

    paid: Paid
    was: Lifted
    now: Lifted


def even(slot: PieceSlot, before: int, lines: Sequence[Undone]) -> list[int]:
    """What is to be evened of each line in all, so that no more stands than is due; the oldest line comes first.

    When less stands than is due, what was evened of the lines that are coming back is let go again, as far as nothing
    is given: no line's lift grows.
    """
    missing = open_minor(slot, before, [line.now for line in lines])
    evened = [line.now.evened_minor for line in lines]
    for at in reversed(range(len(lines))) if missing < 0 else ():
        taken = min(lines[at].now.standing_minor, -missing)
        if taken:
            evened[at] = min(evened[at] + taken, lines[at].now.lift_minor)
            missing += taken
    for at, (paid, was, now) in enumerate(lines):
        if missing <= 0:
            break
        if was == now or not now.evened_minor:
            continue
        least = _least_evened(paid, was, now)
        kept = max(least, now.lift_minor - _part(now) - now.standing_minor - missing)
        if kept < now.evened_minor:
            evened[at] = kept
            missing -= now._replace(evened_minor=kept).standing_minor - now.standing_minor
    return evened


def _part(line: Lifted) -> int:
    return part_back(line.lift_minor, line.returned, line.pieces)


def _least_evened(paid: Paid, was: Lifted, now: Lifted) -> int:
    """How little may be evened of a line that is coming back, if no more of it is to stand than stood before."""

    def lacking(evened_minor: int) -> Fraction:
        return -paid.left_of(now._replace(evened_minor=evened_minor))

    for_money = bisect_left(range(now.evened_minor), -paid.left_of(was), key=lacking)
    return max(for_money, now.lift_minor - _part(now) - was.standing_minor)


def taken_minor(amount_minor: int, paid: Paid, line: Lifted) -> int:
    """What a share of a line, its part of what was paid, has lost in all, half up.

    Without evening it is the part of the pieces that are back (``part_back``), with the last piece the whole.
    """
    if not paid.paid_minor:
        return 0
    lost = amount_minor * (1 - paid.left_of(line) / paid.paid_minor)
    return divide_half_up(lost.numerator, lost.denominator)
