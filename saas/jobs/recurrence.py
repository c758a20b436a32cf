"""When a schedule falls due: at a local time of every day, week or month, in the brand's time zone. Pure.

A local time that does not exist, because clocks go forward, is the moment that many minutes after the change; one that
exists twice, because they go back, is the first of the two. So every day has one moment, and no day two.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from saas.base.errors import InvalidInput, Said

ONE_DAY = timedelta(days=1)
_LOOK_AHEAD = 64
"""Days among which every schedule has a moment: two months are at most 62."""


class Every(StrEnum):
    """How often."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A local time of every day, of one ``weekday`` (1 is Monday), or of one ``month_day``.

    In a month that is shorter than ``month_day`` it is the last day.
    """

    every: Every
    at: time
    weekday: int | None = None
    month_day: int | None = None

    @property
    def at_minute(self) -> int:
        """The local time as minutes since midnight."""
        return self.at.hour * 60 + self.at.minute

    def falls_on(self, day: date) -> bool:
        """Whether a calendar day is one of its days."""
        if self.every is Every.WEEK:
            return day.isoweekday() == self.weekday
        if self.every is Every.MONTH:
            return day.day == min(self.month_day or 1, monthrange(day.year, day.month)[1])
        return True


def checked(given: Recurrence, field: str) -> Recurrence:
    """The recurrence, when it says exactly what its ``every`` needs. Raises ``InvalidInput``."""
    wanted = {Every.DAY: None, Every.WEEK: "weekday", Every.MONTH: "month_day"}[given.every]
    for name, value, most in (("weekday", given.weekday, 7), ("month_day", given.month_day, 31)):
        if name == wanted and (value is None or not 1 <= value <= most):
            remedy = Said(f"give 1 to {most}", f"请填写 1 至 {most}")
            raise InvalidInput(f"{field}.{_spoken(name)}", value="-" if value is None else value, remedy=remedy)
        if name != wanted and value is not None:
            remedy = Said(f"leave it out of what recurs every {given.every}", "该重复方式不需要此项，请留空")
            raise InvalidInput(f"{field}.{_spoken(name)}", value=value, remedy=remedy)
    if given.at.second or given.at.microsecond or given.at.tzinfo is not None:
        remedy = Said("give hours and minutes of the brand's own time", "请填写品牌当地时间的时与分")
        raise InvalidInput(f"{field}.at", value=given.at, remedy=remedy)
    return given


def _spoken(name: str) -> str:
    """A field as the API spells it."""
    return "monthDay" if name == "month_day" else name


def moments_after(recurrence: Recurrence, time_zone: str, after: datetime) -> Iterator[datetime]:
    """The moments at which it falls due later than ``after``, in UTC, one after the other."""
    day, last = after.astimezone(ZoneInfo(time_zone)).date() - ONE_DAY, after
    while True:
        moment = _moment(recurrence, time_zone, day)
        if recurrence.falls_on(day) and moment > last:
            last = moment  # two days of a calendar that skips one can share a moment
            yield moment
        day += ONE_DAY


def next_after(recurrence: Recurrence, time_zone: str, after: datetime) -> datetime:
    """The first moment at which it falls due later than ``after``, in UTC."""
    return next(moments_after(recurrence, time_zone, after))


def latest_by(recurrence: Recurrence, time_zone: str, now: datetime) -> datetime:
    """The last moment at which it fell due, ``now`` included: of many that were missed, the one that is made up for."""
    day = now.astimezone(ZoneInfo(time_zone)).date() + ONE_DAY
    for back in range(_LOOK_AHEAD):
        candidate = day - timedelta(days=back)
        moment = _moment(recurrence, time_zone, candidate)
        if recurrence.falls_on(candidate) and moment <= now:
            return moment
    raise RuntimeError(f"{recurrence} never falls due")


def _moment(recurrence: Recurrence, time_zone: str, day: date) -> datetime:
    return datetime.combine(day, recurrence.at, ZoneInfo(time_zone)).astimezone(UTC)
