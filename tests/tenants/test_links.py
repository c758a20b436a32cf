"""Links to set a password: good once, for a while, at their brand's site, and the newest one only."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import NotFound
from saas.base.ids import TenantId
from tenants import links, passwords, registry
from tenants.accounts import disable_distributor, disable_member, enable_member, reset_password
from tenants.actors import Actor, Role, system
from tenants.errors import Forbidden, LinkNotValid, LoginFailed, PasswordRefused
from tenants.links import Link, follow
from tenants.sessions import LoggedIn, LogIn, SessionKind, authenticate, log_in
from tenants.tokens import TokenKind, new_token
from tests.factories import CEDAR, LOTUS, as_tenant, make_distributor, make_tenants
from tests.payouts.people import started
from tests.tenants.people import OPERATOR, PASSWORD, acting, audited, command, member, table_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CHOSEN = "chosen by herself"


@pytest.fixture
async def owner(db: Database) -> Actor:
    """The owner of Lotus; Cedar has one too."""
    await make_tenants()
    await member(CEDAR, "owner")
    return acting(LOTUS, await member(LOTUS, "owner"))


async def invited(owner: Actor, login: str = "fay") -> Link:
    with as_tenant(LOTUS):
        return await links.invite(command(login, Role.FINANCE, password=""), owner)


async def opened(login: str, password: str, tenant_id: TenantId = LOTUS) -> LoggedIn:
    return await log_in(tenant_id, LogIn(login=login, password=password, kind=SessionKind.BEARER, address=None))


async def test_the_invited_sets_a_password_that_nobody_else_knows(owner: Actor) -> None:
    link = await invited(owner)
    for guess in ("", PASSWORD):
        with pytest.raises(LoginFailed):
            await opened("fay", guess)
    assert await authenticate(link.token, LOTUS) is None, "a link is no log-in"
    assert await follow(link.token, CHOSEN, LOTUS) == link.member.id
    assert (await opened("fay", CHOSEN)).actor.role is Role.FINANCE
    assert ("owner", "member.invitation_link") in await audited(LOTUS)
    assert ("fay", "member.set_password") in await audited(LOTUS)
    assert link.token not in str(await table_of(LOTUS, "password_link"))
    with pytest.raises(LinkNotValid):
        await follow(link.token, "another password", LOTUS)
    await opened("fay", CHOSEN)


async def test_a_refused_password_leaves_the_link(owner: Actor) -> None:
    link = await invited(owner)
    for refused in ("short", "x" * 9999, "it is fay, again"):
        with pytest.raises(PasswordRefused):
            await follow(link.token, refused, LOTUS)
    await follow(link.token, CHOSEN, None)
    await opened("fay", CHOSEN)


async def test_a_link_holds_for_a_while(owner: Actor) -> None:
    with clock.at(NOON):
        link = await invited(owner)
    assert link.expires_at == NOON + timedelta(days=7)
    with clock.at(link.expires_at), pytest.raises(LinkNotValid):
        await follow(link.token, CHOSEN, LOTUS)


async def test_a_new_link_ends_the_one_before_and_the_old_password_holds_until_it_is_followed(owner: Actor) -> None:
    first = await invited(owner)
    await follow(first.token, CHOSEN, LOTUS)
    session = await opened("fay", CHOSEN)
    with as_tenant(LOTUS):
        second = await links.link_again(first.member.id, owner)
        third = await links.link_again(first.member.id, owner)
    assert await authenticate(session.token, LOTUS) is not None
    with pytest.raises(LinkNotValid):
        await follow(second.token, "the second password", LOTUS)
    await follow(third.token, "the third password", LOTUS)
    assert await authenticate(session.token, LOTUS) is None, "her sessions end with the password"
    with pytest.raises(LoginFailed):
        await opened("fay", CHOSEN)


async def test_of_two_readers_at_once_one_sets_it(owner: Actor) -> None:
    link = await invited(owner)
    done = await asyncio.gather(*(follow(link.token, f"{CHOSEN} {n}", LOTUS) for n in range(5)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done).count("LinkNotValid") == 4


async def test_a_new_link_and_the_reader_of_the_old_one_do_not_block_each_other(owner: Actor) -> None:
    """Somebody holds the account; the one who makes a link waits for it, then the reader of the old link does."""
    link = await invited(owner)
    with as_tenant(LOTUS):
        async with transaction() as tx:
            held = "UPDATE member SET name = name WHERE tenant_id = $1 AND id = $2"
            assert await tx.execute(held, tx.tenant_id, link.member.id) == 1
            making = await started(links.link_again(link.member.id, owner))
            reading = await started(follow(link.token, CHOSEN, LOTUS))
    done = await asyncio.gather(making, reading, return_exceptions=True)
    assert [type(one) for one in done] == [Link, LinkNotValid]


async def test_of_two_links_made_at_once_the_later_one_holds(owner: Actor) -> None:
    person = (await invited(owner)).member
    with as_tenant(LOTUS):
        async with transaction():
            first = await links.link_again(person.id, owner)
            making = await started(links.link_again(person.id, owner))
        later = await making
    with pytest.raises(LinkNotValid):
        await follow(first.token, CHOSEN, LOTUS)
    await follow(later.token, CHOSEN, LOTUS)


async def test_a_link_that_does_not_hold_costs_no_hash(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has no link could keep everybody else from logging in otherwise."""
    link = await invited(owner)
    await follow(link.token, CHOSEN, LOTUS)

    async def refuse(_: str) -> str:
        raise AssertionError("hashed for a stranger")

    monkeypatch.setattr(passwords, "hashed", refuse)
    for token in (link.token, new_token(TokenKind.LINK, LOTUS)):
        with pytest.raises(LinkNotValid):
            await follow(token, CHOSEN, LOTUS)


async def test_an_invitation_is_never_refused_for_a_password_that_nobody_chose(
    owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.links.secrets.token_urlsafe", lambda size: ("fay" * size)[: -(-size * 4 // 3)])
    assert (await invited(owner, "fay")).member.login == "fay"


async def test_of_another_brand_or_of_nobody_is_not_valid(owner: Actor) -> None:
    link = await invited(owner)
    before = await table_of(LOTUS, "member"), await table_of(LOTUS, "password_link")
    session = (await opened("owner", PASSWORD)).token
    strange = [link.token.replace("bynl_1_", "bynl_2_"), link.token.replace("bynl_", "byn_"), session, "", "x"]
    for token, site in [(link.token, CEDAR), *((text, LOTUS) for text in strange)]:
        with pytest.raises(LinkNotValid):
            await follow(token, CHOSEN, site)
    assert (await table_of(LOTUS, "member"), await table_of(LOTUS, "password_link")) == before


async def test_the_disabled_cannot_come_back_by_a_link(owner: Actor) -> None:
    link = await invited(owner)
    with as_tenant(LOTUS):
        await disable_member(link.member.id, system(LOTUS, "test"))
    with pytest.raises(LinkNotValid):
        await follow(link.token, CHOSEN, LOTUS)


@pytest.mark.parametrize("shut", ["disabled", "left", "given a password"])
async def test_a_link_ends_with_what_it_was_made_for(owner: Actor, shut: str) -> None:
    """Whoever is let in again later, or has a password by now, does not find an old link still open."""
    link = await _link_of_a_distributor(owner)
    office = system(LOTUS, "test")
    with as_tenant(LOTUS):
        if shut == "disabled":
            await disable_member(link.member.id, office)
            await enable_member(link.member.id, office)
        elif shut == "left":
            assert link.member.distributor_id is not None
            await disable_distributor(link.member.distributor_id, office)
            await enable_member(link.member.id, office)
        else:
            await reset_password(link.member.id, "from the office", office)
    before = await table_of(LOTUS, "member")
    with pytest.raises(LinkNotValid):
        await follow(link.token, CHOSEN, LOTUS)
    assert await table_of(LOTUS, "member") == before


async def _link_of_a_distributor(owner: Actor) -> Link:
    given = command("dot", Role.DISTRIBUTOR, password="", distributor_id=await make_distributor(LOTUS))
    with as_tenant(LOTUS):
        return await links.invite(given, owner)


async def test_a_suspended_brand_takes_no_passwords_at_any_site(owner: Actor) -> None:
    link = await invited(owner)
    before = await table_of(LOTUS, "member")
    await registry.suspend_tenant(LOTUS, "unpaid", OPERATOR)
    for site in (LOTUS, None):
        with pytest.raises(LinkNotValid):
            await follow(link.token, CHOSEN, site)
    assert await table_of(LOTUS, "member") == before
    await registry.reactivate_tenant(LOTUS, "paid", OPERATOR)
    await follow(link.token, CHOSEN, None)


async def test_a_brand_that_is_suspended_while_a_link_is_followed_takes_no_password(
    owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = await invited(owner)
    before = await table_of(LOTUS, "member")
    hashed = passwords.hashed

    async def suspended_meanwhile(password: str) -> str:
        await registry.suspend_tenant(LOTUS, "unpaid", OPERATOR)
        return await hashed(password)

    monkeypatch.setattr(passwords, "hashed", suspended_meanwhile)
    with pytest.raises(LinkNotValid):
        await follow(link.token, CHOSEN, None)
    assert await table_of(LOTUS, "member") == before


async def test_only_whoever_manages_an_account_makes_links_for_it(owner: Actor) -> None:
    link = await invited(owner)
    finance = acting(LOTUS, link.member)
    stranger = replace(owner, tenant_id=CEDAR)
    before = await table_of(LOTUS, "password_link")
    with as_tenant(LOTUS):
        with pytest.raises(Forbidden):
            await links.link_again(link.member.id, finance)
        with pytest.raises(Forbidden):
            await links.invite(command("max", Role.OWNER), finance)
    with as_tenant(CEDAR), pytest.raises(NotFound):
        await links.link_again(link.member.id, stranger)
    assert await table_of(LOTUS, "password_link") == before
