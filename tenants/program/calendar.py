"""Calendar months, quarters and years of a brand, half-open (docs/rules.md §6)."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from tenants.program.parts import PeriodLength

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def period_days(length: PeriodLength, day: date) -> tuple[date, date]:
    """The calendar days ``[first, until)`` of the period that ``day`` is in."""
    months = _MONTHS[length]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    year, month = divmod(first.month - 1 + months, 12)
    return first, date(first.year + year, month + 1, 1)


def period_bounds(length: PeriodLength, day: date, time_zone: str) -> tuple[datetime, datetime]:
    """The moments ``[since, until)``, in UTC, at which that period begins and ends in the brand's time zone."""
    first, until = period_days(length, day)
    return start_of_day(first, time_zone), start_of_day(until, time_zone)


def period_label(length: PeriodLength, first: date) -> str:
    """What people call the period of which ``first`` is a day: ``2026-03``, ``2026-Q1`` or ``2026``."""
    match length:
        case "month":
            return f"{first.year:04}-{first.month:02}"
        case "quarter":
            return f"{first.year:04}-Q{(first.month + 2) // 3}"
        case "year":
            return f"{first.year:04}"


def start_of_day(day: date, time_zone: str) -> datetime:
    """The first moment of a calendar day in a time zone, in UTC, also where clocks change at midnight."""
    midnight = datetime.combine(day, time.min, ZoneInfo(time_zone))
    # East of Greenwich the first day that can be written began before the first moment that can be.
    return datetime.min.replace(tzinfo=UTC) if day == date.min else midnight.astimezone(UTC)
