"""What a benchmark is told and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured. ``requests`` are of one round and side; the sides take turns."""

    log_rows: int
    tops: int
    wide: int
    seeded_members: int
    seeded_orders: int
    requests: int
    rounds: int
    warm_up: int
    starts: int
    history_orders: int
    small_tree: int
    large_tree: int
    brands: Sequence[int]
    tenants: int
    memory_requests: int
    settled_orders: int
    settled_tops: int
    settled_width: int
    payouts: int
    concurrency: int = 8


FULL = Size(
    log_rows=69_659,
    tops=20,
    wide=50,
    seeded_members=200_000,
    seeded_orders=1_000_000,
    requests=400,
    rounds=9,
    warm_up=100,
    starts=3,
    history_orders=1_000_000,
    small_tree=1_000,
    large_tree=100_000,
    brands=(1_000, 100_000, 1_000_000),
    tenants=1_000,
    memory_requests=100_000,
    settled_orders=333_334,
    settled_tops=101,
    settled_width=31,
    payouts=10_000,
)
"""The whole log, and enough requests for a 95th percentile."""

TINY = Size(
    log_rows=40,
    tops=1,
    wide=2,
    seeded_members=404,
    seeded_orders=90,
    requests=8,
    rounds=1,
    warm_up=1,
    starts=1,
    history_orders=400,
    small_tree=111,
    large_tree=222,
    brands=(202, 303, 404),
    tenants=3,
    memory_requests=20,
    settled_orders=60,
    settled_tops=2,
    settled_width=3,
    payouts=20,
    concurrency=2,
)
"""Just enough to see that a row still runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table. ``ratio`` is the part of the ceiling that is reached, 1 being all of it."""

    name: str
    ours: float
    ceiling: float
    unit: str
    less_is_better: bool = False
    p50_ms: float | None = None
    p95_ms: float | None = None
    memory_mb: float | None = None

    @property
    def ratio(self) -> float:
        """The part of the ceiling that is reached."""
        return self.ceiling / self.ours if self.less_is_better else self.ours / self.ceiling

    def as_data(self) -> dict[str, str | float | None]:
        """The row for a machine."""
        return {
            "name": self.name,
            "ours": round(self.ours, 3),
            "ceiling": round(self.ceiling, 3),
            "ratio": round(self.ratio, 3),
            "unit": self.unit,
            "p50_ms": _rounded(self.p50_ms),
            "p95_ms": _rounded(self.p95_ms),
            "memory_mb": _rounded(self.memory_mb),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


@dataclass(frozen=True, slots=True)
class Load:
    """What one round came to: how long it took, and how long each request did."""

    seconds: float
    latencies: Sequence[float]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds


def compared(name: str, ours: Sequence[Load], ceiling: Sequence[Load]) -> Figure:
    """The row of two sides that took turns: the median round of each, the percentiles of all our requests."""
    latencies = sorted(seconds for load in ours for seconds in load.latencies)
    return Figure(
        name=name,
        ours=median(load.rate for load in ours),
        ceiling=median(load.rate for load in ceiling),
        unit="req/s",
        p50_ms=_percentile(latencies, 50) * 1000,
        p95_ms=_percentile(latencies, 95) * 1000,
    )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
