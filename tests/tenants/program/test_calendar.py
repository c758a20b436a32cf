"""Calendar periods: half-open, in the brand's time zone, without a gap and without a day in two of them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.clock import local_day
from tenants.program.calendar import period_bounds, period_days, period_label, start_of_day
from tenants.program.parts import PeriodLength

LENGTHS: tuple[PeriodLength, ...] = ("month", "quarter", "year")
ZONES = ("Asia/Shanghai", "UTC", "America/New_York", "America/Sao_Paulo", "Atlantic/Azores", "America/Havana")


@pytest.mark.parametrize(
    ("length", "day", "first", "until", "label"),
    [
        ("month", date(2026, 2, 28), date(2026, 2, 1), date(2026, 3, 1), "2026-02"),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1), "2026-12"),
        ("quarter", date(2026, 3, 31), date(2026, 1, 1), date(2026, 4, 1), "2026-Q1"),
        ("quarter", date(2026, 10, 1), date(2026, 10, 1), date(2027, 1, 1), "2026-Q4"),
        ("year", date(2028, 2, 29), date(2028, 1, 1), date(2029, 1, 1), "2028"),
    ],
)
def test_a_period_has_its_days_and_its_name(
    length: PeriodLength, day: date, first: date, until: date, label: str
) -> None:
    assert period_days(length, day) == (first, until)
    assert period_label(length, first) == label


def test_a_period_begins_at_midnight_of_the_brand() -> None:
    since, until = period_bounds("month", date(2026, 7, 15), "Asia/Shanghai")
    assert since == datetime(2026, 6, 30, 16, tzinfo=UTC)
    assert until == datetime(2026, 7, 31, 16, tzinfo=UTC)
    summer, winter = period_bounds("quarter", date(2026, 10, 15), "America/New_York")
    assert (summer.hour, winter.hour) == (4, 5)


@given(st.sampled_from(LENGTHS), st.dates(date(1990, 1, 1), date(2090, 12, 31)), st.sampled_from(ZONES))
def test_periods_follow_one_another_and_hold_their_days(length: PeriodLength, day: date, zone: str) -> None:
    first, until = period_days(length, day)
    assert first <= day < until
    assert period_days(length, first) == period_days(length, until - timedelta(1)) == (first, until)
    assert period_days(length, until)[0] == until
    since, end = period_bounds(length, day, zone)
    assert period_bounds(length, until, zone)[0] == end
    assert local_day(since, zone) == first
    assert local_day(since - timedelta(microseconds=1), zone) == first - timedelta(1)


@pytest.mark.parametrize("zone", ZONES)
def test_the_first_and_the_last_day_of_all_begin_somewhen(zone: str) -> None:
    assert start_of_day(date.min, zone) < datetime(1, 1, 2, tzinfo=UTC)
    assert start_of_day(date.max, zone) > datetime(9999, 12, 30, tzinfo=UTC)
