"""What was sold in a period, summed so that every figure of every distributor can be read from it. Pure.

Sums are kept by the *path* of the sale, as the order keeps it, so the figures follow the tree as it was at each sale.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from saas.base.money import share
from saas.network.rules import SEGMENT
from tenants.program.components import EventBonus, PeriodComponent
from tenants.program.parts import Limits


class SoldLine(NamedTuple):
    """A line of a paid order, with what was paid for its goods."""

    sku: str
    category: str | None
    pieces: int
    amount_minor: int


class SaleFact(NamedTuple):
    """A paid order that was not undone; ``day`` in the brand's time zone.

    ``path`` is the seller's at the sale. ``partner_path`` is that of the distributor of the customer's region, who has
    ``partner_bps`` of the amount; empty without a lead. Orders and pieces are the seller's alone.
    """

    order_id: UUID
    paid_at: datetime
    day: date
    path: str
    channel: str | None
    lines: Sequence[SoldLine]
    partner_path: str = ""
    partner_bps: int = 0


class Figures(NamedTuple):
    """What one distributor sold in a period, in minor units and counts.

    ``group_minor`` is its own and everybody's below it, ``active_downline_minor`` that of those below who are active at
    the close.
    """

    own_minor: int = 0
    group_minor: int = 0
    active_downline_minor: int = 0
    orders: int = 0
    pieces: int = 0


NO_FIGURES = Figures()
"""Who sold nothing."""


class Scope(NamedTuple):
    """Which lines of which days a component counts; everything when nothing is given."""

    only: Limits | None = None
    effective_from: date | None = None
    effective_until: date | None = None

    def in_effect(self, day: date) -> bool:
        """Whether sales of ``day`` count."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_until is None or day < self.effective_until
        )

    def sold(self, lines: Iterable[SoldLine]) -> tuple[int, int] | None:
        """Pieces and amount of the lines that count; ``None`` when none does."""
        pieces = minor = 0
        some = False
        for sku, category, quantity, amount in lines:
            if self.only is None or self.only.covers(sku, category):
                some, pieces, minor = True, pieces + quantity, minor + amount
        return (pieces, minor) if some else None


ALL_SALES = Scope()
"""Every sale: what tiers are reviewed by."""


def seat_of(path: str) -> str:
    """The seat of whoever stands at the end of a path."""
    return path[-SEGMENT:]


def scope_of(component: PeriodComponent) -> Scope:
    """Which sales a component counts."""
    return Scope(component.only, component.effective_from, component.effective_until)


class Tally:
    """The sums of a scope by path: orders, pieces, minor units."""

    __slots__ = ("by_path", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.by_path: dict[str, tuple[int, int, int]] = {}

    def add(self, fact: SaleFact) -> None:
        """Count an order, as far as it is in scope."""
        if not self.scope.in_effect(fact.day) or (sold := self.scope.sold(fact.lines)) is None:
            return
        pieces, minor = sold
        part = share(minor, fact.partner_bps) if fact.partner_path else 0
        self.put(fact.path, 1, pieces, minor - part)
        if part:
            self.put(fact.partner_path, 0, 0, part)

    def put(self, path: str, orders: int, pieces: int, amount_minor: int) -> None:
        """Add sums of one path."""
        before = self.by_path.get(path)
        if before is not None:
            orders, pieces, amount_minor = before[0] + orders, before[1] + pieces, before[2] + amount_minor
        self.by_path[path] = (orders, pieces, amount_minor)

    def merge(self, other: "Tally") -> None:
        """Add what somebody else counted."""
        for path, sums in other.by_path.items():
            self.put(path, *sums)

    def figures(self, active: Container[str]) -> dict[str, Figures]:
        """The figures of everybody who sold, or under whom somebody did, by seat; ``active`` are seats."""
        rows: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
        for path, (orders, pieces, minor) in self.by_path.items():
            seats = [path[at : at + SEGMENT] for at in range(0, len(path), SEGMENT)]
            own = rows[seats[-1]]
            own[0] += minor
            own[3] += orders
            own[4] += pieces
            for seat in seats:
                rows[seat][1] += minor
            if seats[-1] in active:
                for seat in seats[:-1]:
                    rows[seat][2] += minor
        return {seat: Figures(*row) for seat, row in rows.items()}


BEYOND = 2**70
"""More than any amount."""


class ChannelOrder(NamedTuple):
    """The order of a seat that speaks for it in a channel."""

    paid_at: datetime
    order_id: UUID
    amount_minor: int


class Firsts:
    """Of each seat and channel the first order that is large enough for an event bonus, else the largest one."""

    __slots__ = ("by_seat", "channels", "minimum_minor", "scope")

    def __init__(self, component: EventBonus) -> None:
        self.scope = scope_of(component)
        self.channels = component.channels
        self.minimum_minor = component.minimum_minor
        self.by_seat: dict[tuple[str, str], ChannelOrder] = {}

    def add(self, fact: SaleFact) -> None:
        """Look at an order."""
        if fact.channel is None or not self.scope.in_effect(fact.day):
            return
        if self.channels is not None and fact.channel not in self.channels:
            return
        if (sold := self.scope.sold(fact.lines)) is not None:
            self.put(seat_of(fact.path), fact.channel, ChannelOrder(fact.paid_at, fact.order_id, sold[1]))

    def put(self, seat: str, channel: str, order: ChannelOrder) -> None:
        """Keep an order if it comes before the one that is there."""
        before = self.by_seat.get((seat, channel))
        if before is None or self._order(order) < self._order(before):
            self.by_seat[seat, channel] = order

    def merge(self, other: "Firsts") -> None:
        """Take over what somebody else saw."""
        for (seat, channel), order in other.by_seat.items():
            self.put(seat, channel, order)

    def _order(self, order: ChannelOrder) -> tuple[int, datetime, UUID]:
        enough = order.amount_minor >= self.minimum_minor
        return (-BEYOND if enough else -order.amount_minor, order.paid_at, order.order_id)
