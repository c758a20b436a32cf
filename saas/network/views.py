"""What reads of the network ask for and answer: plain frozen values, no database."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from saas.base.ids import DistributorId
from saas.network.rules import Cause, Kind, Status, ceiling, depth_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """What a distributor may see: itself and ``generations`` below it (None is all), and names in clear or not.

    ``path`` is the viewer's own. Staff reads without one.
    """

    viewer: DistributorId
    path: str
    generations: int | None
    masked: bool

    @property
    def ceiling(self) -> str:
        """The first path outside of the viewer's subtree."""
        return ceiling(self.path)

    @property
    def deepest(self) -> int | None:
        """The greatest depth that can be seen, None without limit."""
        return None if self.generations is None else depth_of(self.path) + self.generations


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesPeriod:
    """The days ``[first, until)`` of the brand's calendar, and the currency that is summed; another is left out."""

    first: date
    until: date
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which distributors are meant. None does not filter, an empty collection leaves nobody.

    ``search`` finds a part of code or name, small and capital letters alike.
    """

    statuses: Collection[Status] | None = None
    tiers: Collection[str] | None = None
    regions: Collection[str] | None = None
    search: str | None = None


class SortKey(StrEnum):
    """What a list is ordered by; equal keys by id.

    ``tree`` lists everybody before its downline. ``joined_at`` takes the application of those who have not joined yet.
    The sales need a period.
    """

    CODE = "code"
    NAME = "name"
    JOINED_AT = "joined_at"
    LEVEL = "level"
    TREE = "tree"
    OWN_SALES = "own_sales"
    GROUP_SALES = "group_sales"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """An order, and the period of sales it may need."""

    key: SortKey = SortKey.TREE
    descending: bool = False
    period: SalesPeriod | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Downline:
    """A question for a page of a distributor's downline, or of the whole network (``of`` None).

    ``max_depth``: levels below ``of``, None without end. ``as_of``: the tree of that moment, without those who joined
    later; status, tier, region and visibility are today's.
    """

    of: DistributorId | None = None
    max_depth: int | None = None
    filters: Filters = field(default_factory=Filters)
    sort: Sort = field(default_factory=Sort)
    as_of: datetime | None = None


class DistributorRow(NamedTuple):
    """A distributor as lists show it.

    ``level`` is the distance from the distributor the list is about, 0 for that one itself and 1 for its sponsor or
    its direct downline. ``depth`` counts the generations above, today. ``sponsor_id`` is of the moment asked for.
    """

    id: DistributorId
    code: str
    name: str
    kind: Kind
    status: Status
    tier: str
    region: str | None
    sponsor_id: DistributorId | None
    depth: int
    level: int
    phone_masked: str | None
    id_number_masked: str | None
    applied_at: datetime
    joined_at: datetime | None
    exited_at: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a distributor and its team sold in a period, in minor units of the period's currency.

    ``group_minor`` is the whole subtree with the distributor itself; ``head_count`` the members of it, itself included,
    who have joined and not left. Under a ``Visibility`` both count what the viewer can see.
    """

    own_minor: int
    group_minor: int
    head_count: int


@dataclass(frozen=True, slots=True)
class Team:
    """How many stand directly under a distributor, and in its whole subtree without itself, whatever their state."""

    direct: int
    members: int


@dataclass(frozen=True, slots=True)
class ChainMember:
    """One distributor of a chain; its place, tier and standing are as they are since ``since``.

    ``row`` is all that staff may read of it, where the chain was read from the tables.
    """

    id: DistributorId
    code: str
    tier: str
    status: Status
    since: datetime
    row: DistributorRow | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """A seller's upline: ``members`` from the seller (level 0) to the root, ``path`` the seller's."""

    path: str
    members: tuple[ChainMember, ...]


@dataclass(frozen=True, slots=True)
class StandingRow:
    """What tier and status a distributor had during ``[valid_from, valid_until)``, and why they began.

    ``reason`` and ``actor`` (a log-in, or a key's name) are the office's own, so None for a distributor.
    """

    valid_from: datetime
    valid_until: datetime | None
    tier: str
    status: Status
    cause: Cause
    reason: str | None
    actor: str | None


@dataclass(frozen=True, slots=True)
class TierPin:
    """A tier that no review changes before the day ``until``; ``reason`` is None for a distributor."""

    until: date
    reason: str | None
    pinned_at: datetime


@dataclass(frozen=True, slots=True)
class SponsorshipRow:
    """Who was the sponsor during ``[valid_from, valid_until)``; None is the brand, or one the viewer cannot see.

    ``reason`` is the office's own words, so None for a distributor.
    """

    distributor_id: DistributorId
    sponsor_id: DistributorId | None
    valid_from: datetime
    valid_until: datetime | None
    reason: str | None
    actor_id: UUID | None
