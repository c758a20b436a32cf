"""What there is on paper."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from tenants.program.document import ExitTerms, Program

Money = Counter[tuple[str, str]]
"""Amounts by distributor and account; the brand's own accounts are under the empty name."""
UNDER_WAY = ("requested", "batched", "unknown", "sent")
MEMBERS = ("active", "suspended")


@dataclass
class Person:
    """A distributor, and whereto it is paid; ``history`` tells tier and status since when."""

    id: UUID
    sponsor: str | None
    tier: str
    status: str = "active"
    has_invoice: bool = False
    pays_to: str = "bank_card"
    verified: bool = True
    usable_from: datetime | None = None
    history: list[tuple[datetime, str, str]] = field(default_factory=list)

    def now(self, moment: datetime) -> None:
        """Remember how it stands from here on."""
        self.history.append((moment, self.tier, self.status))

    def at(self, moment: datetime) -> tuple[str, str] | None:
        """Tier and status at a moment; none before it came."""
        found = [(tier, status) for since, tier, status in self.history if since <= moment]
        return found[-1] if found else None


@dataclass
class Earning:
    """A share of a line on its way: pending, available, settled, or gone; ``back`` of it was taken back."""

    owner: str
    line: int
    amount: int
    state: str = "pending"
    hold: datetime | None = None
    back: int = 0


@dataclass
class Award:
    """What a period brought: available, then settled."""

    owner: str
    amount: int
    earned_at: datetime
    state: str = "available"


@dataclass
class Sale:
    """An order; ``lines`` are (SKU, category, quantity, amount)."""

    seller: str
    own: bool
    lines: list[tuple[str, str | None, int, int]]
    freight: int = 0
    state: str = "placed"
    day: date | None = None
    undone_at: datetime | None = None
    delivered_at: datetime | None = None
    team: frozenset[str] = frozenset()
    """The seller and everybody above, when it was paid."""
    earnings: list[Earning] = field(default_factory=list)
    amounts: list[dict[tuple[str, int], int]] = field(default_factory=list)
    """Of each line, what each component pays each level."""
    bases: list[int] = field(default_factory=list)
    claimed: Counter[int] = field(default_factory=Counter)
    """Pieces of each line that are in some return."""
    returned: Counter[int] = field(default_factory=Counter)
    refunded: Counter[int] = field(default_factory=Counter)


@dataclass
class Back:
    """Goods of a sale that come back: pieces by line."""

    sale: Sale
    pieces: dict[int, int]
    state: str = "requested"
    refund: int = 0


@dataclass
class WriteOff:
    """A debt that somebody asked to give up."""

    owner: str
    amount: int
    state: str = "requested"


@dataclass
class Decision:
    """An adjustment or a penalty in somebody's favour, or against it below zero; ``lifts``: gives that one back."""

    owner: str
    amount: int
    kind: str
    lifts: "Decision | None" = None
    state: str = "requested"


@dataclass
class Request:
    """A payout."""

    owner: str
    requested: int
    fee: int
    withheld: int
    state: str = "requested"
    attempted_at: datetime | None = None


@dataclass
class Batch:
    """Payouts that go out together."""

    provider: str
    payouts: list[Request]
    state: str = "open"


@dataclass
class Month:
    """Days ``[first, until)``, over at ``end``."""

    first: date
    until: date
    end: datetime


@dataclass
class Leaving:
    """An exit, by the terms of the day it was asked for."""

    code: str
    kind: str
    terms: ExitTerms
    heir: str | None
    state: str = "approved"
    left_at: datetime | None = None


@dataclass
class Sheet:
    """The brand on paper."""

    program: Program
    people: dict[str, Person] = field(default_factory=dict)
    sales: list[Sale] = field(default_factory=list)
    backs: list[Back] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    payouts: list[Request] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    write_offs: list[WriteOff] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    exits: list[Leaving] = field(default_factory=list)
    money: Money = field(default_factory=Counter)
    came_back: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What goods that came back were sold for, by seller and the day they came back."""

    def earnings(self, state: str) -> list[Earning]:
        """The shares that are so far."""
        return [earning for sale in self.sales for earning in sale.earnings if earning.state == state]

    def turn(self, earning: Earning, state: str, account: tuple[str, str]) -> None:
        """Move what is left of a share."""
        left = earning.amount - earning.back
        self.money[earning.owner, earning.state] -= left
        self.money[account] += left
        earning.state = state

    def chain(self, code: str | None) -> Iterator[str]:
        """Somebody and everybody above."""
        while code is not None:
            yield code
            code = self.people[code].sponsor

    def sold(self) -> Counter[tuple[str, str]]:
        """What each sold on each day: orders that were paid and not cancelled, less what came back that day."""
        sums: Counter[tuple[str, str]] = Counter()
        for sale in self.sales:
            if sale.day is not None and sale.state != "cancelled":
                sums[sale.seller, str(sale.day)] += sum(line[3] for line in sale.lines)
        sums.subtract(self.came_back)
        return sums
