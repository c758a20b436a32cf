"""What a simulation tells: totals of the draft beside those of what was really paid. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from saas.base.ids import DistributorId, JobId, SimulationId
from saas.base.money import BPS_WHOLE, divide_half_up
from tenants.program.findings import Finding, Severity
from tenants.program.parts import PeriodLength


class PlaceSum(NamedTuple):
    """Where money arose: component, level (none for what a period brings), the beneficiaries' tier."""

    component: str
    level: int | None
    tier: str | None
    shares: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What one program paid on the orders of a simulation. ``company_minor``: bases less commission and awards."""

    commission_minor: int
    awards_minor: int
    company_minor: int
    capped_lines: int
    places: Sequence[PlaceSum]

    @property
    def paid_minor(self) -> int:
        """Commission and awards."""
        return self.commission_minor + self.awards_minor

    def ratio_bps(self, goods_minor: int) -> int | None:
        """The part of what was paid for the goods that was paid out; none when nothing was sold."""
        return divide_half_up(self.paid_minor * BPS_WHOLE, goods_minor) if goods_minor else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The result of a simulation. ``periods``: the calendar periods inside of it, whose awards are part of it."""

    orders: int
    lines: int
    goods_minor: int
    draft: Totals
    real: Totals
    periods: Sequence[tuple[PeriodLength, date]]
    findings: Sequence[Finding]
    winners: int
    losers: int

    def as_data(self) -> dict[str, Any]:
        """The summary as JSON can say it."""
        data = asdict(self)
        for side in ("draft", "real"):
            data[side]["places"] = [list(place) for place in data[side]["places"]]
        return data


def read_summary(data: Mapping[str, Any]) -> Summary:
    """A stored summary."""
    findings = [
        Finding(**{**one, "severity": Severity(one["severity"]), "overridden": None}) for one in data["findings"]
    ]
    periods = [(length, date.fromisoformat(first)) for length, first in data["periods"]]
    read: dict[str, Any] = {"findings": findings, "periods": periods}
    for side in ("draft", "real"):
        places = [PlaceSum(*place) for place in data[side]["places"]]
        read[side] = Totals(**{**data[side], "places": places})
    return Summary(**{**data, **read})


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationView:
    """A simulation; ``program_number`` is none for a document that was never saved, ``summary`` none until it ends."""

    id: SimulationId
    job_id: JobId
    label: str
    program_number: int | None
    content_hash: str
    currency: str
    paid_from: datetime
    paid_until: datetime
    summary: Summary | None
    created_by: UUID | None
    created_at: datetime
    finished_at: datetime | None


class Change(NamedTuple):
    """What a distributor really got for the orders and periods of a simulation, and under the draft."""

    distributor_id: DistributorId
    code: str
    name: str
    real_minor: int
    draft_minor: int
    change_minor: int


class PlaceChange(NamedTuple):
    """One place in two simulations."""

    component: str
    level: int | None
    tier: str | None
    first_minor: int
    second_minor: int


def place_changes(first: Sequence[PlaceSum], second: Sequence[PlaceSum]) -> list[PlaceChange]:
    """Two lists of places side by side, in the order of components, levels and tiers."""
    sums: dict[tuple[str, int | None, str | None], list[int]] = {}
    for side, places in enumerate((first, second)):
        for component, level, tier, _, amount_minor in places:
            sums.setdefault((component, level, tier), [0, 0])[side] += amount_minor
    return [PlaceChange(*place, *sums[place]) for place in sorted(sums, key=place_order)]


def place_order(place: tuple[str, int | None, str | None]) -> tuple[bool, str, int, str]:
    """How places are listed: commission by level, then what periods brought."""
    component, level, tier = place
    return (level is None, component, level or 0, tier or "")
