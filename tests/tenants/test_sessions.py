"""Log-ins and tokens: what is let in, and that whatever is wrong looks the same."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import NotFound
from saas.base.ids import PLATFORM, MemberId, TenantId
from saas.base.settings import get_settings
from tenants import passwords, registry, sessions
from tenants.accounts import Member, disable_member, enable_member
from tenants.actors import Actor, Role, system
from tenants.errors import Forbidden, LoginFailed, LoginThrottled
from tenants.sessions import LoggedIn, LogIn, SessionKind, authenticate, log_in
from tenants.throttle import Attempt
from tenants.tokens import TokenKind, new_token
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.payouts.people import started
from tests.tenants.people import OPERATOR, PASSWORD, acting, audited, member, table_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


async def logged_in(
    tenant_id: TenantId, login: str, password: str = PASSWORD, address: str | None = "203.0.113.7"
) -> LoggedIn:
    made = LogIn(login=login, password=password, kind=SessionKind.BEARER, address=address)
    return await log_in(tenant_id, made)


@pytest.fixture
async def world(db: Database) -> Database:
    """Two brands, each with an owner ``anna``; only Lotus has ``lena``."""
    await make_tenants()
    for tenant_id, login in ((LOTUS, "anna"), (CEDAR, "anna"), (LOTUS, "lena")):
        await member(tenant_id, login)
    return db


async def test_a_log_in_gives_a_token_that_is_the_member(world: Database) -> None:
    opened = await logged_in(LOTUS, "  Lena ")
    actor = await authenticate(opened.token, LOTUS)
    assert actor == opened.actor
    assert actor is not None
    assert (actor.tenant_id, actor.role, actor.label, actor.locale) == (LOTUS, Role.OWNER, "lena", "zh-CN")
    assert (await audited(LOTUS))[-1] == ("lena", "session.log_in")
    rows = str(await table_of(LOTUS, "session"))
    assert opened.token not in rows
    assert opened.token.rpartition("_")[2] not in rows


async def test_a_distributors_actor_names_the_distributor(world: Database) -> None:
    person = await member(LOTUS, "d001", Role.DISTRIBUTOR)
    actor = (await logged_in(LOTUS, "d001")).actor
    assert actor.distributor_id == person.distributor_id is not None


async def test_a_token_holds_at_its_brands_hosts_and_at_the_platforms(world: Database) -> None:
    token = (await logged_in(LOTUS, "anna")).token
    assert await authenticate(token, None) is not None
    assert await authenticate(token, LOTUS) is not None
    assert await authenticate(token, CEDAR) is None
    assert await authenticate(token, PLATFORM) is None


async def test_an_operators_token_holds_at_the_platforms_host_only(world: Database) -> None:
    await member(PLATFORM, "opera", Role.OPERATOR)
    token = (await logged_in(PLATFORM, "opera")).token
    actor = await authenticate(token, None)
    assert actor is not None
    assert actor.role is Role.OPERATOR
    assert await authenticate(token, LOTUS) is None


async def test_the_same_secret_under_another_brands_number_is_nobody(world: Database) -> None:
    token = (await logged_in(LOTUS, "anna")).token
    assert await authenticate(token.replace("byn_1_", "byn_2_"), None) is None
    assert await authenticate(token.replace("byn_1_", "bynk_1_"), None) is None
    assert await authenticate(token.replace("byn_1_", "byn_01_"), None) is None
    assert await authenticate(new_token(TokenKind.SESSION, LOTUS), LOTUS) is None
    assert await authenticate("", LOTUS) is None
    assert await authenticate(new_token(TokenKind.SESSION, TenantId(99)), None) is None


async def test_whatever_is_wrong_with_a_log_in_is_told_the_same(world: Database) -> None:
    with as_tenant(LOTUS):
        await disable_member((await member(LOTUS, "gone")).id, system(LOTUS, "test"))
    refusals = []
    for login, password in (("anna", "wrong password"), ("nobody", PASSWORD), ("gone", PASSWORD), ("x" * 9999, "y")):
        with pytest.raises(LoginFailed) as refused:
            await logged_in(LOTUS, login, password)
        refusals.append((refused.value.field, refused.value.params, refused.value.message("zh-CN")))
    with pytest.raises(LoginFailed):
        await logged_in(CEDAR, "lena")
    assert len({str(refusal) for refusal in refusals}) == 1
    assert await table_of(LOTUS, "session") == await table_of(CEDAR, "session") == []


async def test_a_password_is_hashed_for_an_unknown_login_too(world: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes: list[str | None] = []
    matches = passwords.matches

    async def spy(password: str, password_hash: str | None) -> bool:
        hashes.append(password_hash)
        return await matches(password, password_hash)

    monkeypatch.setattr(passwords, "matches", spy)
    for login in ("anna", "nobody"):
        with pytest.raises(LoginFailed):
            await logged_in(LOTUS, login, "wrong password")
    assert [hash_ is None for hash_ in hashes] == [False, True]


async def test_twenty_wrong_passwords_at_once_are_five_failures_and_fifteen_told_to_wait(world: Database) -> None:
    tries = (logged_in(LOTUS, "anna", "wrong password", f"203.0.113.{i}") for i in range(20))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, LoginFailed) for result in results) == 5
    assert sum(isinstance(result, LoginThrottled) for result in results) == 15
    with pytest.raises(LoginThrottled):
        await logged_in(LOTUS, "anna")
    await logged_in(CEDAR, "anna")
    await logged_in(LOTUS, "lena")


async def test_after_the_wait_the_right_password_is_let_in_and_the_count_begins_anew(world: Database) -> None:
    with clock.at(NOON):
        for _ in range(5):
            with pytest.raises(LoginFailed):
                await logged_in(LOTUS, "anna", "wrong password")
        with pytest.raises(LoginThrottled):
            await logged_in(LOTUS, "anna")
    with clock.at(NOON + timedelta(seconds=61)):
        await logged_in(LOTUS, "anna")
        for _ in range(4):
            with pytest.raises(LoginFailed):
                await logged_in(LOTUS, "anna", "wrong password")
        await logged_in(LOTUS, "anna")


async def test_a_log_in_inside_a_transaction_is_refused(world: Database) -> None:
    with as_tenant(LOTUS):
        async with transaction():
            with pytest.raises(RuntimeError, match="outside"):
                await logged_in(LOTUS, "anna")


async def test_a_member_disabled_while_the_password_is_checked_gets_no_session(
    world: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await member(LOTUS, "person", Role.FINANCE)

    async def meanwhile(password: str, password_hash: str | None) -> bool:
        with as_tenant(LOTUS):
            await disable_member(person.id, system(LOTUS, "test"))
        return True

    monkeypatch.setattr(passwords, "matches", meanwhile)
    with pytest.raises(LoginFailed):
        await logged_in(LOTUS, "person")
    assert await table_of(LOTUS, "session") == []


@pytest.fixture
async def person(world: Database) -> Member:
    """Somebody of Lotus who is about to be shut out."""
    return await member(LOTUS, "person", Role.FINANCE)


async def shut_out(person: Member) -> None:
    with as_tenant(LOTUS):
        await disable_member(person.id, system(LOTUS, "test"))


async def let_in_again(person: Member) -> None:
    """What held while the member was disabled would hold again, since a disabled member is nobody by its status too."""
    with as_tenant(LOTUS):
        await enable_member(person.id, system(LOTUS, "test"))
        assert await sessions.sessions_of(person.id) == []


async def test_a_member_disabled_while_its_session_is_written_loses_it(
    person: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutting_out: list[asyncio.Task[None]] = []
    forgive = Attempt.forgive

    async def meanwhile(counted: Attempt) -> None:
        shutting_out.append(await started(shut_out(person)))
        await forgive(counted)

    monkeypatch.setattr(Attempt, "forgive", meanwhile)
    opened = await logged_in(LOTUS, "person")
    await shutting_out[0]
    await let_in_again(person)
    assert await authenticate(opened.token, LOTUS) is None


async def test_a_log_in_while_its_member_is_being_disabled_is_no_log_in(person: Member) -> None:
    with as_tenant(LOTUS):
        async with transaction():
            await shut_out(person)
            logging_in = await started(logged_in(LOTUS, "person"))
    with pytest.raises(LoginFailed):
        await logging_in
    await let_in_again(person)


async def test_a_token_for_scripts_while_its_member_is_being_disabled_is_none(person: Member) -> None:
    with as_tenant(LOTUS):
        async with transaction():
            await shut_out(person)
            issuing = await started(sessions.issue_token("lotus", "person", "command line"))
    with pytest.raises(NotFound):
        await issuing
    await let_in_again(person)


async def test_a_session_ends_with_its_time(world: Database) -> None:
    with clock.at(NOON):
        opened = await logged_in(LOTUS, "anna")
    hours = get_settings().session_hours
    assert opened.expires_at == NOON + timedelta(hours=hours)
    for hour in range(hours):
        with clock.at(NOON + timedelta(hours=hour)):
            assert await authenticate(opened.token, LOTUS) is not None
    with clock.at(opened.expires_at - timedelta(seconds=1)):
        assert await authenticate(opened.token, LOTUS) is not None
    with clock.at(opened.expires_at):
        assert await authenticate(opened.token, LOTUS) is None


async def test_a_session_that_rests_ends_early_and_one_that_is_used_goes_on(world: Database) -> None:
    idle = timedelta(minutes=get_settings().session_idle_minutes)
    with clock.at(NOON):
        used, rests = await logged_in(LOTUS, "anna"), await logged_in(LOTUS, "anna")
    with clock.at(NOON + idle - timedelta(seconds=1)):
        assert await authenticate(used.token, LOTUS) is not None
    with clock.at(NOON + idle), as_tenant(LOTUS):
        assert await authenticate(rests.token, LOTUS) is None
        assert await authenticate(used.token, LOTUS) is not None
        assert list(await sessions.holding([used.token, rests.token])) == [used.token]
        assert len(await sessions.sessions_of(_id(used.actor))) == 1
    with clock.at(NOON + 2 * idle), as_tenant(LOTUS):
        assert await authenticate(used.token, LOTUS) is None
        assert await sessions.sessions_of(_id(used.actor)) == []


async def test_logging_out_ends_the_own_session_and_no_other(world: Database) -> None:
    first, second = await logged_in(LOTUS, "anna"), await logged_in(LOTUS, "anna")
    stranger = await logged_in(LOTUS, "lena")
    with as_tenant(LOTUS):
        await sessions.log_out(first.token, stranger.actor)
        assert await authenticate(first.token, LOTUS) is not None
        await sessions.log_out(first.token, first.actor)
        await sessions.log_out(first.token, first.actor)
    assert await authenticate(first.token, LOTUS) is None
    assert await authenticate(second.token, LOTUS) is not None
    assert [action for _, action in await audited(LOTUS)].count("session.log_out") == 1


async def test_another_brand_can_neither_see_nor_end_a_session(world: Database) -> None:
    opened, other = await logged_in(LOTUS, "anna"), await logged_in(CEDAR, "anna")
    before = await table_of(LOTUS, "session")
    with as_tenant(CEDAR):
        await sessions.log_out(opened.token, opened.actor)
        with pytest.raises(NotFound):
            await sessions.revoke_sessions(_id(opened.actor), other.actor)
        assert await sessions.sessions_of(_id(opened.actor)) == []
    assert await table_of(LOTUS, "session") == before
    assert await authenticate(opened.token, LOTUS) is not None


def _id(actor: Actor) -> MemberId:
    assert actor.id is not None
    return MemberId(actor.id)


async def test_all_sessions_of_a_member_can_be_listed_and_ended(world: Database) -> None:
    with clock.at(NOON):
        opened = [await logged_in(LOTUS, "anna") for _ in range(3)]
        await logged_in(LOTUS, "lena")
        with as_tenant(LOTUS):
            listed = await sessions.sessions_of(_id(opened[0].actor))
            assert [(one.kind, one.created_at) for one in listed] == [(SessionKind.BEARER, NOON)] * 3
            assert await sessions.revoke_sessions(_id(opened[0].actor), opened[0].actor) == 3
            assert await sessions.revoke_sessions(_id(opened[0].actor), opened[0].actor) == 0
            assert await sessions.sessions_of(_id(opened[0].actor)) == []
        assert [await authenticate(one.token, LOTUS) for one in opened] == [None] * 3


async def test_sessions_are_ended_by_oneself_or_by_whoever_manages_one(world: Database) -> None:
    await member(LOTUS, "audrey", Role.AUDITOR)
    audrey, anna = await logged_in(LOTUS, "audrey"), await logged_in(LOTUS, "anna")
    with as_tenant(LOTUS):
        before = await table_of(LOTUS, "session")
        with pytest.raises(Forbidden):
            await sessions.revoke_sessions(_id(anna.actor), audrey.actor)
        assert await table_of(LOTUS, "session") == before
        assert await sessions.revoke_sessions(_id(audrey.actor), anna.actor) == 1
    assert await authenticate(audrey.token, LOTUS) is None
    assert await authenticate(anna.token, LOTUS) is not None


async def test_the_platforms_site_takes_log_ins_of_a_brand_named_by_slug(world: Database) -> None:
    def typed(login: str, password: str = PASSWORD) -> LogIn:
        return LogIn(login=login, password=password, kind=SessionKind.COOKIE, address="203.0.113.7")

    opened = await sessions.log_in_at(" Lotus ", typed("lena"))
    assert opened.actor.tenant_id == LOTUS
    await registry.suspend_tenant(CEDAR, "unpaid", OPERATOR)
    for slug, command in (("lotus", typed("lena", "wrong password")), ("cedar", typed("anna")), ("maple", typed("x"))):
        with pytest.raises(LoginFailed):
            await sessions.log_in_at(slug, command)
    for _ in range(4):
        with pytest.raises(LoginFailed):
            await sessions.log_in_at("maple", typed("anna"))
    with pytest.raises(LoginThrottled):
        await sessions.log_in_at("birch", typed("anna"))


async def test_authenticating_is_one_statement_and_one_more_once_a_minute(world: Database) -> None:
    statements: list[str] = []
    with clock.at(NOON):
        token = (await logged_in(LOTUS, "anna")).token
        world.observer = statements.append
        await authenticate(token, LOTUS)
        assert len(statements) == 1
    with clock.at(NOON + timedelta(seconds=59)):
        await authenticate(token, LOTUS)
        assert len(statements) == 2
    with clock.at(NOON + timedelta(seconds=60)):
        await authenticate(token, LOTUS)
        assert len(statements) == 4
        await authenticate(token, LOTUS)
        assert len(statements) == 5


async def test_what_cannot_be_a_token_or_belongs_elsewhere_costs_no_statement(world: Database) -> None:
    token = (await logged_in(LOTUS, "anna")).token
    statements: list[str] = []
    world.observer = statements.append
    assert await authenticate("nonsense", LOTUS) is None
    assert await authenticate(token, CEDAR) is None
    assert statements == []


async def test_nobody_gets_into_a_suspended_brand_and_its_tokens_rest(world: Database) -> None:
    token = (await logged_in(LOTUS, "anna")).token
    await registry.suspend_tenant(LOTUS, "unpaid", OPERATOR)
    assert await authenticate(token, LOTUS) is None
    assert await authenticate(token, None) is None
    with pytest.raises(LoginFailed):
        await logged_in(LOTUS, "anna")
    await logged_in(CEDAR, "anna")
    await registry.reactivate_tenant(LOTUS, "paid", OPERATOR)
    assert await authenticate(token, LOTUS) is not None


async def test_a_token_for_scripts_is_issued_and_audited(world: Database) -> None:
    issued = await sessions.issue_token("lotus", "Anna", "command line")
    actor = await authenticate(issued.token, LOTUS)
    assert actor is not None
    assert actor.label == "anna"
    assert (await audited(LOTUS))[-1] == ("command line", "session.issue_token")
    assert ("command line", "session.issue_token") not in await audited(CEDAR)
    for slug, login in (("cedar", "lena"), ("maple", "anna"), ("lotus", "nobody")):
        with pytest.raises(NotFound):
            await sessions.issue_token(slug, login, "command line")


async def test_an_actor_made_by_hand_is_the_one_the_log_in_gives(world: Database) -> None:
    person = await member(LOTUS, "person", Role.AUDITOR)
    opened = await logged_in(LOTUS, "person")
    assert opened.actor.id == acting(LOTUS, person).id
