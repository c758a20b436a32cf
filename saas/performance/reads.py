"""A calendar period, and the conditions under which its orders and lines count."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from saas.base import clock
from saas.base.db.where import Where
from saas.performance.rules import Scope
from tenants.program.calendar import period_bounds, period_days, period_label, start_of_day
from tenants.program.parts import PeriodLength

LINES = "JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPeriod:
    """A month, quarter or year of the brand: days ``[first, until)``, and the moments at which they begin."""

    length: PeriodLength
    first: date
    until: date
    since_at: datetime
    until_at: datetime
    time_zone: str

    @property
    def label(self) -> str:
        """What people call it."""
        return period_label(self.length, self.first)

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.until_at <= clock.now()

    @property
    def judged_at(self) -> datetime:
        """The last moment of the period; of one that still runs, now."""
        return min(self.until_at - timedelta.resolution, clock.now())


def calendar_period(length: PeriodLength, day: date, time_zone: str) -> CalendarPeriod:
    """The period that a day of the brand is in."""
    first, until = period_days(length, day)
    since_at, until_at = period_bounds(length, day, time_zone)
    return CalendarPeriod(
        length=length, first=first, until=until, since_at=since_at, until_at=until_at, time_zone=time_zone
    )


def narrowed(where: Where, scope: Scope, currency: str, period: CalendarPeriod) -> None:
    """Orders of the period, as far as the scope is in effect, and the lines it is limited to."""
    since, until = period.since_at, period.until_at
    if scope.effective_from is not None:
        since = max(since, start_of_day(scope.effective_from, period.time_zone))
    if scope.effective_until is not None:
        until = min(until, start_of_day(scope.effective_until, period.time_zone))
    where.add("o.paid_at >= $", since)
    where.add("o.paid_at < $", until)
    where.add("o.currency = $", currency)
    limited(where, scope)


def decided(where: Where, known_at: datetime | None) -> str:
    """The condition that an order was paid, by what was known at a moment."""
    return "o.paid_at IS NOT NULL" if known_at is None else f"o.decided_at <= {where.arg(known_at)}"


def limited(where: Where, scope: Scope) -> None:
    """The lines that a scope is limited to."""
    if (only := scope.only) is not None:
        where.within_any({"l.sku": only.products, "l.category": only.categories})


def in_effect(where: Where, scope: Scope, period: CalendarPeriod) -> None:
    """Orders of the days on which a scope is in effect, of any period."""
    if scope.effective_from is not None:
        where.add("o.paid_at >= $", start_of_day(scope.effective_from, period.time_zone))
    if scope.effective_until is not None:
        where.add("o.paid_at < $", start_of_day(scope.effective_until, period.time_zone))
