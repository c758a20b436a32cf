"""The one place that knows what time it is. Always UTC; tests and imports stand still or travel with ``at``."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_fixed: ContextVar[datetime | None] = ContextVar("fixed_time", default=None)


def now() -> datetime:
    """The present moment in UTC, or the moment set by ``at``."""
    return _fixed.get() or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Make ``now`` answer ``moment`` within the block, in this task and those it starts."""
    token = _fixed.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _fixed.reset(token)


def local_day(moment: datetime, time_zone: str) -> date:
    """The calendar day of ``moment`` in a brand's time zone."""
    return moment.astimezone(ZoneInfo(time_zone)).date()
