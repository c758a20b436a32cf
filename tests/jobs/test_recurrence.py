"""When schedules fall due, also where clocks change: every day once, and nobody's day twice."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.errors import InvalidInput
from saas.jobs.recurrence import Every, Recurrence, checked, latest_by, moments_after, next_after
from saas.jobs.tasks import MAY_START, USUAL, Task

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
recurrences = st.one_of(
    st.builds(Recurrence, every=st.just(Every.DAY), at=times),
    st.builds(Recurrence, every=st.just(Every.WEEK), at=times, weekday=st.integers(1, 7)),
    st.builds(Recurrence, every=st.just(Every.MONTH), at=times, month_day=st.integers(1, 31)),
)
moments = st.datetimes(datetime(2005, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def daily(hour: int, minute: int = 0) -> Recurrence:
    return Recurrence(every=Every.DAY, at=time(hour, minute))


@given(recurrences, st.sampled_from(ZONES), moments)
def test_the_next_moment_is_later_and_the_latest_is_not(recurrence: Recurrence, zone: str, now: datetime) -> None:
    following, latest = next_after(recurrence, zone, now), latest_by(recurrence, zone, now)
    assert latest <= now < following
    assert next_after(recurrence, zone, latest) == following, "nothing lies between"
    assert latest_by(recurrence, zone, following) == following


@given(recurrences, st.sampled_from(ZONES), moments)
def test_moments_follow_each_other_and_show_the_time_that_was_asked_for(
    recurrence: Recurrence, zone: str, now: datetime
) -> None:
    coming = list(islice(moments_after(recurrence, zone, now), 12))
    assert all(earlier < later for earlier, later in pairwise(coming))
    for moment in coming:
        local = moment.astimezone(ZoneInfo(zone))
        asked = datetime.combine(local.date(), recurrence.at, ZoneInfo(zone))
        there = asked.astimezone(UTC).astimezone(ZoneInfo(zone)).time() == recurrence.at
        assert local.time() == recurrence.at or not there or local.date() != asked.date()
        assert local.fold == 0 or local.time() != recurrence.at, "of two, the first"


@given(st.sampled_from(("Asia/Shanghai", "Europe/Berlin", "America/New_York")), times, moments)
def test_every_day_has_its_moment(zone: str, at: time, now: datetime) -> None:
    coming = list(islice(moments_after(Recurrence(every=Every.DAY, at=at), zone, now), 100))
    assert all(timedelta(hours=22) < later - earlier < timedelta(hours=26) for earlier, later in pairwise(coming))


def test_a_time_that_a_day_skips_is_moved_by_as_much() -> None:
    """Berlin, 2026-03-29: 02:00 becomes 03:00."""
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    first, second = islice(moments_after(daily(2, 30), "Europe/Berlin", before), 2)
    assert first == datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "03:30 by the new clock"
    assert second == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_of_a_time_that_exists_twice_the_first_counts() -> None:
    """Berlin, 2026-10-25: 03:00 becomes 02:00."""
    before = datetime(2026, 10, 24, 12, tzinfo=UTC)
    first, second = islice(moments_after(daily(2, 30), "Europe/Berlin", before), 2)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert second == datetime(2026, 10, 26, 1, 30, tzinfo=UTC), "not an hour later, at the second 02:30"


def test_a_day_that_a_calendar_skips_is_not_done_for() -> None:
    """Samoa had no 2011-12-30."""
    before = datetime(2011, 12, 29, 0, tzinfo=UTC)
    coming = list(islice(moments_after(daily(2), "Pacific/Apia", before), 4))
    local = [moment.astimezone(ZoneInfo("Pacific/Apia")).day for moment in coming]
    assert local == [29, 31, 1, 2]


def test_a_month_that_is_shorter_ends_sooner() -> None:
    last = Recurrence(every=Every.MONTH, at=time(8), month_day=31)
    coming = list(islice(moments_after(last, "Asia/Shanghai", datetime(2028, 1, 1, tzinfo=UTC)), 4))
    assert [moment.day for moment in coming] == [31, 29, 31, 30]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("input.weekday", Recurrence(every=Every.WEEK, at=time(1))),
        ("input.weekday", Recurrence(every=Every.WEEK, at=time(1), weekday=8)),
        ("input.weekday", Recurrence(every=Every.DAY, at=time(1), weekday=1)),
        ("input.monthDay", Recurrence(every=Every.MONTH, at=time(1))),
        ("input.monthDay", Recurrence(every=Every.MONTH, at=time(1), month_day=0)),
        ("input.monthDay", Recurrence(every=Every.WEEK, at=time(1), weekday=1, month_day=3)),
        ("input.at", Recurrence(every=Every.DAY, at=time(1, 2, 3))),
        ("input.at", Recurrence(every=Every.DAY, at=time(1, tzinfo=UTC))),
    ],
)
def test_what_is_unclear_is_refused_at_its_field(field: str, given: Recurrence) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked(given, "input")
    assert refused.value.field == field


@pytest.mark.parametrize("task", Task)
def test_every_task_has_its_usual_time_its_handler_and_who_may_start_it(task: Task) -> None:
    from saas.duties import HANDLERS

    assert checked(USUAL[task].recurrence, "input") == USUAL[task].recurrence
    assert task in HANDLERS
    assert MAY_START[task]
