"""Second factors: codes that are good once, recovery codes, and brands that ask for one."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import InvalidInput, NotFound
from saas.base.ids import MemberId, TenantId, new_id
from tenants import registry, second_factor
from tenants.actors import Actor, Role
from tenants.errors import (
    Forbidden,
    LoginFailed,
    LoginNotFresh,
    LoginThrottled,
    NoSecondFactor,
    SecondFactorExists,
    SecondFactorFailed,
    SecondFactorNeeded,
)
from tenants.sessions import LoggedIn, LogIn, SessionKind, authenticate, log_in
from tenants.throttle import Attempt
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.payouts.people import started
from tests.tenants.people import PASSWORD, audited, member, table_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
async def world(db: Database) -> Database:
    """Two brands, each with an owner ``anna``; Lotus has ``fin`` of finance too."""
    registry.forget()
    await make_tenants()
    for tenant_id in (LOTUS, CEDAR):
        await member(tenant_id, "anna")
    await member(LOTUS, "fin", Role.FINANCE)
    return db


async def opened(login: str = "anna", code: str | None = None, tenant_id: TenantId = LOTUS) -> LoggedIn:
    return await log_in(
        tenant_id, LogIn(login=login, password=PASSWORD, kind=SessionKind.BEARER, address=None, code=code)
    )


async def actor(login: str = "anna", code: str | None = None) -> Actor:
    """A freshly logged in member of Lotus."""
    found = await authenticate((await opened(login, code)).token, LOTUS)
    assert found is not None
    return found


async def with_factor(login: str = "anna") -> tuple[Actor, pyotp.TOTP, Sequence[str]]:
    """A member that has set up a second factor at ``NOON``, its app and its recovery codes."""
    who = await actor(login)
    with as_tenant(LOTUS):
        begun = await second_factor.begin(PASSWORD, who, None)
        app = pyotp.TOTP(begun.secret)
        return who, app, await second_factor.confirm(app.at(clock.now()), who, None)


def later(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def test_whoever_has_a_second_factor_logs_in_with_a_code_once(world: Database) -> None:
    with clock.at(NOON):
        who, app, _ = await with_factor()
        assert ("anna", "member.add_second_factor") in await audited(LOTUS)
        with pytest.raises(SecondFactorNeeded):
            await opened()
        with pytest.raises(SecondFactorFailed):  # the code that confirmed it is used up
            await opened(code=app.at(NOON))
    with clock.at(later(60)):
        code = app.at(later(60))
        assert (await opened(code=f" {code[:3]} {code[3:]} ")).actor.id == who.id
        with pytest.raises(SecondFactorFailed):
            await opened(code=code)
    assert app.secret not in str(await table_of(LOTUS, "second_factor"))


@pytest.mark.parametrize(("ahead", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
async def test_a_clock_may_be_half_a_minute_off(world: Database, ahead: int, good: bool) -> None:
    with clock.at(NOON):
        _, app, _ = await with_factor()
    with clock.at(later(300)):
        if good:
            await opened(code=app.at(later(300 + ahead)))
        else:
            with pytest.raises(SecondFactorFailed):
                await opened(code=app.at(later(300 + ahead)))


async def test_an_older_code_than_the_last_one_is_used_up(world: Database) -> None:
    with clock.at(NOON):
        _, app, _ = await with_factor()
    with clock.at(later(300)):
        await opened(code=app.at(later(300)))
        with pytest.raises(SecondFactorFailed):
            await opened(code=app.at(later(270)))


async def test_of_one_code_sent_sixteen_times_at_once_one_opens(world: Database) -> None:
    with clock.at(NOON):
        _, app, _ = await with_factor()
    with clock.at(later(120)):
        sent = await asyncio.gather(*(opened(code=app.at(later(120))) for _ in range(4)), return_exceptions=True)
    assert [type(one) for one in sent].count(LoggedIn) == 1
    assert {type(one) for one in sent} <= {LoggedIn, SecondFactorFailed, LoginThrottled}


async def test_the_password_is_looked_at_first_and_says_nothing_of_a_second_factor(world: Database) -> None:
    with clock.at(NOON):
        _, app, _ = await with_factor()
    with clock.at(later(60)), pytest.raises(LoginFailed):
        await log_in(
            LOTUS, LogIn(login="anna", password="wrong", kind=SessionKind.BEARER, address=None, code=app.at(later(60)))
        )


async def test_guessing_codes_is_slowed_down_like_guessing_passwords(world: Database) -> None:
    with clock.at(NOON):
        _, app, _ = await with_factor()
    with clock.at(later(60)):
        for _ in range(5):
            with pytest.raises(SecondFactorFailed):
                await opened(code="123")
        with pytest.raises(LoginThrottled):
            await opened(code=app.at(later(60)))


async def test_a_recovery_code_is_good_once_and_new_ones_void_the_old(world: Database) -> None:
    with clock.at(NOON):
        who, app, codes = await with_factor()
        assert len(set(codes)) == second_factor.RECOVERY_CODES
        await opened(code=codes[0].upper())
        with pytest.raises(SecondFactorFailed):
            await opened(code=codes[0])
    with clock.at(later(60)), as_tenant(LOTUS):
        with pytest.raises(SecondFactorFailed):
            await second_factor.renew_recovery_codes(codes[1], who, None)  # the app itself is asked for
        renewed = await second_factor.renew_recovery_codes(app.at(later(60)), who, None)
        with pytest.raises(SecondFactorFailed):
            await opened(code=codes[1])
        await opened(code=renewed[0])
    assert not [code for code in (*codes, *renewed) if code in str(await table_of(LOTUS, "recovery_code"))]


async def test_it_counts_once_confirmed_and_there_is_one_at_a_time(world: Database) -> None:
    who = await actor()
    with as_tenant(LOTUS):
        with pytest.raises(LoginFailed):
            await second_factor.begin("not the password", who, None)
        with pytest.raises(NoSecondFactor):
            await second_factor.confirm("123456", who, None)
        first = await second_factor.begin(PASSWORD, who, None)
        await opened()
        begun = await second_factor.begin(PASSWORD, who, None)
        with pytest.raises(SecondFactorFailed):
            await second_factor.confirm(pyotp.TOTP(first.secret).now(), who, None)
        await second_factor.confirm(pyotp.TOTP(begun.secret).now(), who, None)
        for again in (second_factor.begin(PASSWORD, who, None), second_factor.confirm("123456", who, None)):
            with pytest.raises(SecondFactorExists):
                await again


async def test_what_is_begun_while_one_is_confirmed_does_not_take_its_place(
    world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, beginning, forgive = await actor(), [], Attempt.forgive

    async def meanwhile(counted: Attempt) -> None:
        monkeypatch.setattr(Attempt, "forgive", forgive)
        beginning.append(await started(second_factor.begin(PASSWORD, who, None)))
        await forgive(counted)

    with clock.at(NOON), as_tenant(LOTUS):
        begun = await second_factor.begin(PASSWORD, who, None)
        monkeypatch.setattr(Attempt, "forgive", meanwhile)
        await second_factor.confirm(pyotp.TOTP(begun.secret).at(clock.now()), who, None)
        with pytest.raises(SecondFactorExists):
            await beginning[0]
    with clock.at(later(30)):
        await opened(code=pyotp.TOTP(begun.secret).at(clock.now()))


async def test_it_is_removed_by_its_owner_or_by_whoever_manages_the_account(world: Database) -> None:
    with clock.at(NOON):
        _, _, codes = await with_factor("fin")
        fin, anna = await actor("fin", codes[0]), await actor()
        with as_tenant(LOTUS):
            with pytest.raises(NoSecondFactor):
                await second_factor.remove(MemberId(anna.id or new_id()), anna)
            with pytest.raises(Forbidden):
                await second_factor.remove(MemberId(anna.id or new_id()), fin)
            await second_factor.remove(MemberId(fin.id or new_id()), anna)
            await opened("fin")
            with pytest.raises(NoSecondFactor):
                await second_factor.remove(MemberId(fin.id or new_id()), fin)
        assert await table_of(LOTUS, "second_factor") == await table_of(LOTUS, "recovery_code") == []
    with clock.at(later(16 * 60)), as_tenant(LOTUS), pytest.raises(LoginNotFresh):
        await second_factor.remove(MemberId(fin.id or new_id()), anna)


async def test_another_brands_members_cannot_be_touched(world: Database) -> None:
    with clock.at(NOON):
        who, _, _ = await with_factor("fin")
        before = await table_of(LOTUS, "second_factor")
        stranger = await authenticate((await opened(tenant_id=CEDAR)).token, CEDAR)
        assert stranger is not None
        with as_tenant(CEDAR), pytest.raises(NotFound):
            await second_factor.remove(MemberId(who.id or new_id()), stranger)
    assert await table_of(LOTUS, "second_factor") == before


async def test_a_brand_asks_for_it_role_by_role(world: Database) -> None:
    anna = await actor()
    with as_tenant(LOTUS):
        with pytest.raises(InvalidInput):
            await second_factor.set_required_roles([Role.OPERATOR], anna)
        await second_factor.set_required_roles([Role.FINANCE], anna)
        assert await second_factor.required_roles() == [Role.FINANCE]
    with as_tenant(CEDAR):
        assert await second_factor.required_roles() == []
    assert (await actor("fin")).must_enrol
    assert not (await actor()).must_enrol
    with clock.at(NOON):
        _, _, codes = await with_factor("fin")
        assert not (await actor("fin", codes[0])).must_enrol
