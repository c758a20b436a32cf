"""What a replay comes to, in sums that parts of it can be added up from. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeAlias
from uuid import UUID

from saas.performance.rules import PeriodBook
from tenants.program.parts import PeriodLength

Place: TypeAlias = tuple[str, int | None, str | None]
"""Where an amount arose: component, level (none for what a period brings) and the beneficiary's tier."""

Period: TypeAlias = tuple[PeriodLength, date]
"""A calendar period by its length and its first day."""


@dataclass(slots=True)
class Sums:
    """Sums of orders under a program, in minor units.

    ``by_place``: how many shares or awards, and their amount. ``capped_lines``: lines whose shares the limit on a line
    has shrunk. ``real_company_minor``: what the commission that was really paid left to the company.
    """

    orders: int = 0
    lines: int = 0
    goods_minor: int = 0
    company_minor: int = 0
    real_company_minor: int = 0
    capped_lines: int = 0
    by_place: dict[Place, tuple[int, int]] = field(default_factory=dict)
    by_owner: dict[UUID, int] = field(default_factory=dict)
    books: dict[Period, PeriodBook] = field(default_factory=dict)

    def put(self, place: Place, shares: int, amount_minor: int) -> None:
        """Add to a place."""
        before = self.by_place.get(place, (0, 0))
        self.by_place[place] = (before[0] + shares, before[1] + amount_minor)

    def give(self, owner: UUID, amount_minor: int) -> None:
        """Add to what a distributor has."""
        self.by_owner[owner] = self.by_owner.get(owner, 0) + amount_minor

    def merge(self, other: "Sums") -> None:
        """Add the sums of other orders."""
        for name in ("orders", "lines", "goods_minor", "company_minor", "real_company_minor", "capped_lines"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for place, (shares, amount_minor) in other.by_place.items():
            self.put(place, shares, amount_minor)
        for owner, amount_minor in other.by_owner.items():
            self.give(owner, amount_minor)
        for period, book in other.books.items():
            if period in self.books:
                self.books[period].merge(book)
            else:
                self.books[period] = book


def changes(real: Mapping[UUID, int], draft: Mapping[UUID, int]) -> list[tuple[UUID, int, int]]:
    """Everybody who has anything in one of the two, with both amounts."""
    return [(owner, real.get(owner, 0), draft.get(owner, 0)) for owner in real.keys() | draft.keys()]
