"""Periods tile time, working days skip weekends, statements close with the balance: without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.ids import DistributorId, new_id
from saas.settlement.rules import (
    Carried,
    Period,
    PeriodKind,
    SettlementPolicy,
    add_working_days,
    draft,
    period_after,
    period_at,
    statement_numbers,
)

ZONES = ("Asia/Shanghai", "UTC", "America/New_York", "Europe/Berlin", "America/Havana", "Pacific/Apia")


def policy(period: PeriodKind = "monthly", day: int = 1, zone: str = "Asia/Shanghai") -> SettlementPolicy:
    return SettlementPolicy(currency="CNY", time_zone=zone, period=period, day=day, days_to_pay=3)


policies = st.builds(
    policy, st.sampled_from(["monthly", "quarterly", "per_order"]), st.integers(1, 31), st.sampled_from(ZONES)
)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds of Hypothesis are naive


def bounds(found: Period) -> tuple[str, str]:
    return found.since.isoformat(), found.until.isoformat()


@given(policies, moments)
def test_every_moment_lies_in_its_period_and_periods_touch(rules: SettlementPolicy, moment: datetime) -> None:
    found = period_at(rules, moment)
    assert found.since <= moment < found.until
    assert period_at(rules, found.since) == found
    following = period_at(rules, found.until)
    assert following.since == found.until
    assert period_at(rules, found.until - timedelta.resolution) == found


@given(policies, policies, moments, st.lists(st.timedeltas(timedelta(0), timedelta(days=400)), min_size=1, max_size=12))
def test_periods_in_line_leave_no_gap_whatever_the_rules_change_to(
    first: SettlementPolicy, second: SettlementPolicy, start: datetime, steps: list[timedelta]
) -> None:
    since, now = period_at(first, start).since, start
    for turn, step in enumerate(steps):
        now += step
        found = period_after(first if turn % 2 else second, since, now)
        assert found.since == since < found.until
        since = found.until


@given(policies, moments)
def test_the_next_period_of_unchanged_rules_is_the_calendars(rules: SettlementPolicy, moment: datetime) -> None:
    found = period_at(rules, moment)
    if rules.period != "per_order":
        assert period_after(rules, found.until, moment) == period_at(rules, found.until)


@pytest.mark.parametrize(
    ("rules", "moment", "since", "until", "label"),
    [
        (policy(), "2026-03-15T00:00", "2026-02-28T16:00", "2026-03-31T16:00", "2026-03"),
        (policy(), "2026-03-31T15:59", "2026-02-28T16:00", "2026-03-31T16:00", "2026-03"),
        (policy(), "2026-03-31T16:00", "2026-03-31T16:00", "2026-04-30T16:00", "2026-04"),
        (policy(day=25), "2026-01-10T00:00", "2025-12-24T16:00", "2026-01-24T16:00", "2025-12-25 – 2026-01-25"),
        (policy(day=31), "2024-02-29T00:00", "2024-02-28T16:00", "2024-03-30T16:00", "2024-02-29 – 2024-03-31"),
        (policy(day=31), "2026-02-28T00:00", "2026-02-27T16:00", "2026-03-30T16:00", "2026-02-28 – 2026-03-31"),
        (policy("quarterly"), "2026-03-31T16:00", "2026-03-31T16:00", "2026-06-30T16:00", "2026-Q2"),
        (policy("quarterly", day=9), "2025-12-31T16:00", "2025-12-31T16:00", "2026-03-31T16:00", "2026-Q1"),
        (policy(zone="America/New_York"), "2026-03-20T00:00", "2026-03-01T05:00", "2026-04-01T04:00", "2026-03"),
    ],
)
def test_periods_by_the_calendar(rules: SettlementPolicy, moment: str, since: str, until: str, label: str) -> None:
    found = period_at(rules, datetime.fromisoformat(f"{moment}+00:00"))
    assert bounds(found) == (f"{since}:00+00:00", f"{until}:00+00:00")
    assert found.label == label


def test_a_change_from_months_to_quarters_makes_one_odd_period() -> None:
    february = datetime(2026, 1, 31, 16, tzinfo=UTC)
    odd = period_after(policy("quarterly"), february, february)
    assert bounds(odd) == ("2026-01-31T16:00:00+00:00", "2026-03-31T16:00:00+00:00")
    assert odd.label == "2026-02-01 – 2026-04-01"


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        ("2026-04-01", 3, "2026-04-06"),  # Wednesday: Thursday, Friday, Monday
        ("2026-04-03", 1, "2026-04-06"),
        ("2026-04-04", 0, "2026-04-06"),
        ("2026-04-05", 3, "2026-04-09"),
        ("2026-04-01", 0, "2026-04-01"),
        ("2024-02-28", 2, "2024-03-01"),
        ("2026-04-01", 10, "2026-04-15"),
    ],
)
def test_days_to_pay_are_working_days(day: str, days: int, expected: str) -> None:
    assert add_working_days(date.fromisoformat(day), days).isoformat() == expected


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 366))
def test_working_days_agree_with_counting(day: date, days: int) -> None:
    counted = day
    while counted.weekday() >= 5:
        counted += timedelta(days=1)
    for _ in range(days):
        counted += timedelta(days=1)
        while counted.weekday() >= 5:
            counted += timedelta(days=1)
    assert add_working_days(day, days) == counted


def test_numbers_of_statements_differ_between_runs_of_one_day() -> None:
    rules = policy("per_order")
    start = datetime(2026, 3, 1, 4, 5, 6, 7, tzinfo=UTC)
    run = period_after(rules, start, start + timedelta(hours=1))
    assert statement_numbers(rules, run, 17, 2) == [
        "S20260301120506000007-CNY-000017",
        "S20260301120506000007-CNY-000018",
    ]
    assert statement_numbers(policy(), period_at(policy(), start), 17, 1) == ["S20260301-CNY-000017"]


amounts = st.integers(-(10**12), 10**12)


@given(amounts, amounts, amounts, amounts, amounts, amounts)
def test_a_statement_always_closes_with_the_balance(
    commission: int, awards: int, closing: int, stated: int, balance: int, payouts: int
) -> None:
    found = draft(
        DistributorId(new_id()),
        lines=1,
        commission_minor=commission,
        awards_minor=awards,
        carried=Carried(closing, stated),
        balance_minor=balance,
        payouts_minor=payouts,
    )
    assert found.opening_minor == closing
    assert found.closing_minor == balance + commission + awards
    assert found.payout_minor == payouts - stated
