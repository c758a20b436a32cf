"""Counting failed log-ins: the arithmetic of the wait, and that nothing gets past the count."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database, reading, transaction
from tenants.errors import LoginThrottled
from tenants.throttle import ADDRESS_FACTOR, WINDOW, Count, attempt
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def failed(times: int, *, allowed: int = 5, wait: int = 60) -> Count:
    count = Count(failures=0, window_from=NOON)
    for _ in range(times):
        count = count.one_more(NOON, allowed=allowed, first_wait_seconds=wait)
    return count


def test_the_wait_begins_with_the_last_failure_allowed_and_doubles_up_to_an_hour() -> None:
    waits = [failed(times).wait_seconds(NOON) for times in range(13)]
    assert waits == [0, 0, 0, 0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_the_wait_ends() -> None:
    count = failed(5)
    assert count.wait_seconds(NOON + timedelta(seconds=59.5)) == 1
    assert count.wait_seconds(NOON + timedelta(seconds=60)) == 0


def test_a_day_later_all_is_forgotten() -> None:
    tomorrow = NOON + WINDOW
    assert failed(7).one_more(tomorrow, allowed=5, first_wait_seconds=60) == Count(failures=1, window_from=tomorrow)


@given(st.integers(1, 10_000), st.integers(1, 20), st.integers(1, 5000))
def test_no_wait_is_longer_than_an_hour(failures: int, allowed: int, wait: int) -> None:
    count = Count(failures=failures, window_from=NOON).one_more(NOON, allowed=allowed, first_wait_seconds=wait)
    assert 0 <= count.wait_seconds(NOON) <= 3600
    assert (count.wait_seconds(NOON) > 0) == (count.failures >= allowed)


async def counts(tenant_id: object = LOTUS) -> list[int]:
    async with reading() as tx:
        rows = await tx.rows("SELECT failures FROM login_throttle WHERE tenant_id = $1 ORDER BY failures", tenant_id)
    return [row["failures"] for row in rows]


async def test_twenty_guesses_at_once_count_right(db: Database) -> None:
    await make_tenants()

    async def guess() -> bool:
        try:
            await attempt("anna", "203.0.113.7")
        except LoginThrottled:
            return False
        return True

    with as_tenant(LOTUS):
        allowed = await asyncio.gather(*(guess() for _ in range(20)))
        assert sum(allowed) == 5
        assert await counts() == [5, 5]
    with as_tenant(CEDAR):
        assert await counts(CEDAR) == []
        await attempt("anna", "203.0.113.7")


async def test_a_login_waits_whatever_the_address_and_says_how_long(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS), clock.at(NOON):
        for number in range(5):
            await attempt("anna", f"203.0.113.{number}")
        with pytest.raises(LoginThrottled) as refused:
            await attempt("anna", "198.51.100.1")
        assert refused.value.params == {"seconds": 60}
        await attempt("bert", "198.51.100.1")
    with as_tenant(LOTUS), clock.at(NOON + timedelta(seconds=60)):
        await attempt("anna", None)
        with pytest.raises(LoginThrottled) as refused:
            await attempt("anna", None)
        assert refused.value.params == {"seconds": 120}


async def test_an_address_waits_whatever_the_login(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS), clock.at(NOON):
        for number in range(5 * ADDRESS_FACTOR):
            await attempt(f"guess{number}", "203.0.113.7")
        with pytest.raises(LoginThrottled):
            await attempt("anna", "203.0.113.7")
        await attempt("anna", "198.51.100.1")


async def test_success_forgives_the_login_and_one_failure_of_the_address(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        for _ in range(3):
            await attempt("anna", "203.0.113.7")
        right = await attempt("anna", "203.0.113.7")
        async with transaction():
            await right.forgive()
        assert await counts() == [0, 3]


async def test_a_guess_inside_a_transaction_is_refused_because_it_could_be_rolled_back(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction():
            with pytest.raises(RuntimeError, match="outside"):
                await attempt("anna", None)


async def test_a_cancelled_request_still_counts(db: Database) -> None:
    await make_tenants()

    checking = asyncio.Event()

    async def request() -> None:
        await attempt("anna", None)
        checking.set()
        await asyncio.sleep(3600)

    with as_tenant(LOTUS):
        task = asyncio.create_task(request())
        await checking.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await counts() == [1]
