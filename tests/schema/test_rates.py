"""Counting requests: who is counted with whom, until when, and in how much memory."""

from dataclasses import replace
from uuid import uuid4

import pytest
from limits import parse
from limits.strategies import FixedWindowRateLimiter
from pydantic import ValidationError

from saas.base.ids import TenantId
from saas.base.settings import Settings
from schema.rates import Counters, Rates
from tenants.actors import Actor, Role
from tenants.errors import RateLimited

PER_USER, PER_KEY, PER_ADDRESS, PER_TENANT = 3, 5, 2, 6
SETTINGS = Settings(
    _env_file=None,
    rate_per_user=f"{PER_USER}/minute",
    rate_per_key=f"{PER_KEY}/minute",
    rate_per_address=f"{PER_ADDRESS}/minute",
    rate_per_tenant=f"{PER_TENANT}/minute",
)
OWNER = Actor(tenant_id=TenantId(1), role=Role.OWNER, id=uuid4(), label="owner")
KEY = Actor(tenant_id=TenantId(1), role=Role.API_KEY, id=uuid4(), label="shop")


class Watch:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def rates(watch: Watch) -> Rates:
    return Rates(SETTINGS, Counters(watch))


def passed(rates: Rates, actor: Actor | None, address: str = "192.0.2.1") -> int:
    """How many requests in a row pass."""
    for count in range(100):
        try:
            rates.count(actor, address)
        except RateLimited:
            return count
    raise AssertionError("nothing stops it")


def test_each_kind_of_caller_has_its_rate(rates: Rates) -> None:
    assert passed(rates, OWNER) == PER_USER
    assert passed(rates, None) == PER_ADDRESS
    assert passed(rates, None, "192.0.2.2") == PER_ADDRESS


def test_a_key_has_another_rate_than_a_person(rates: Rates) -> None:
    assert passed(rates, KEY) == PER_KEY


def test_people_of_a_brand_share_its_rate_and_nobody_elses(rates: Rates) -> None:
    assert passed(rates, OWNER) == PER_USER
    assert passed(rates, replace(OWNER, id=uuid4())) == PER_TENANT - PER_USER
    assert passed(rates, replace(OWNER, tenant_id=TenantId(2))) == PER_USER


def test_strangers_cannot_use_up_the_rate_of_a_brand(rates: Rates) -> None:
    for number in range(50):
        passed(rates, None, f"192.0.2.{number}")
    assert passed(rates, OWNER) == PER_USER


def test_whoever_waits_as_long_as_told_may_ask_again(rates: Rates, watch: Watch) -> None:
    rates.count(OWNER, "")
    watch.seconds += 12.4
    with pytest.raises(RateLimited) as refused:
        passed(rates, OWNER)
        rates.count(OWNER, "")
    assert refused.value.params["seconds"] == 48
    assert refused.value.message("en") == "Too many requests: 3 per 1 minute of this account. Try again in 48 seconds."
    assert "该账号" in refused.value.message("zh-CN")
    watch.seconds += 47.5
    assert passed(rates, OWNER) == 0
    watch.seconds += 0.5
    assert passed(rates, OWNER) == PER_USER


async def test_a_guess_is_counted_before_it_is_looked_up(rates: Rates) -> None:
    looked = []

    async def nobody() -> Actor | None:
        looked.append(1)
        return None

    for _ in range(PER_ADDRESS):
        assert await rates.known("guess", "192.0.2.1", nobody) is None
    with pytest.raises(RateLimited):
        await rates.known("guess", "192.0.2.1", nobody)
    assert len(looked) == PER_ADDRESS
    assert await rates.known("guess", "192.0.2.2", nobody) is None


async def test_what_holds_is_given_back_and_remembered(rates: Rates) -> None:
    async def owner() -> Actor | None:
        return OWNER

    async def nobody() -> Actor | None:
        return None

    for number in range(3 * PER_ADDRESS):
        assert await rates.known(f"right {number}", "192.0.2.1", owner) is OWNER
    assert passed(rates, None, "192.0.2.1") == PER_ADDRESS
    assert await rates.known("right 0", "192.0.2.1", owner) is OWNER
    with pytest.raises(RateLimited):
        await rates.known("right 0", "192.0.2.1", nobody)
    with pytest.raises(RateLimited):
        await rates.known("right 0", "192.0.2.1", owner)


def test_what_is_given_back_is_no_credit(watch: Watch) -> None:
    counters = Counters(watch)
    counters.incr("a", 60)
    counters.give_back("a")
    counters.give_back("a")
    assert counters.incr("a", 60) == 1
    watch.seconds += 61
    counters.give_back("a")
    assert counters.incr("a", 60) == 1


def test_counters_stay_few_and_forget_the_one_not_seen_for_longest(watch: Watch) -> None:
    counters = Counters(watch, most=2)
    limiter, item = FixedWindowRateLimiter(counters), parse("1/minute")
    assert limiter.hit(item, "a")
    assert limiter.hit(item, "b")
    assert not limiter.hit(item, "a")
    assert limiter.hit(item, "c")
    assert not limiter.hit(item, "a")
    assert limiter.hit(item, "b")
    assert limiter.get_window_stats(item, "b").remaining == 0
    limiter.clear(item, "b")
    assert limiter.test(item, "b")
    assert counters.reset() == 1
    assert counters.check()


@pytest.mark.parametrize("rate", ["", "many", "0/minute", "5/fortnight"])
def test_a_rate_that_is_none_is_refused_at_the_start(rate: str) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, rate_per_user=rate)
