"""Members: who makes and changes whom, and that the other brand's are out of reach."""

import asyncio

import pytest

from saas.base.db import Database, transaction
from saas.base.errors import InvalidInput, NotFound, WrongState
from saas.base.ids import PLATFORM, DistributorId, new_id
from saas.base.paging import PageRequest
from tenants import accounts
from tenants.accounts import MANAGES, Member, MemberStatus
from tenants.actors import Actor, Role, system
from tenants.errors import (
    DistributorHasLeft,
    DistributorHasLogin,
    Forbidden,
    LastOfRole,
    LoginFailed,
    LoginTaken,
    LoginThrottled,
    PasswordRefused,
)
from tenants.sessions import LogIn, SessionKind, authenticate, log_in, sessions_of
from tests.factories import CEDAR, LOTUS, as_tenant, make_distributor, make_tenants
from tests.tenants.people import PASSWORD, acting, audited, command, member, table_of

NEW = "another long password"


@pytest.fixture
async def owners(db: Database) -> tuple[Actor, Actor]:
    """An owner in each of two brands."""
    await make_tenants()
    return acting(LOTUS, await member(LOTUS, "owner")), acting(CEDAR, await member(CEDAR, "owner"))


async def token_of(tenant_id: object, login: str, password: str = PASSWORD) -> str:
    made = LogIn(login=login, password=password, kind=SessionKind.BEARER, address=None)
    return (await log_in(LOTUS if tenant_id == LOTUS else CEDAR, made)).token


async def test_an_owner_makes_members_and_the_log_says_so(owners: tuple[Actor, Actor]) -> None:
    owner, _ = owners
    with as_tenant(LOTUS):
        made = await accounts.create_member(command("  Fin.Ance@Lotus.example ", Role.FINANCE, name=" 财务 "), owner)
        assert await accounts.find_member(made.id) == made
    assert (made.login, made.name, made.status) == ("fin.ance@lotus.example", "财务", MemberStatus.ACTIVE)
    assert (await audited(LOTUS))[-1] == ("owner", "member.create")


async def test_the_same_login_is_free_in_another_brand_and_taken_in_this_one(owners: tuple[Actor, Actor]) -> None:
    with as_tenant(LOTUS):
        await accounts.create_member(command("anna"), owners[0])
        before = await table_of(LOTUS, "member")
        with pytest.raises(LoginTaken):
            await accounts.create_member(command("ANNA", Role.AUDITOR), owners[0])
        assert await table_of(LOTUS, "member") == before
    with as_tenant(CEDAR):
        await accounts.create_member(command("anna"), owners[1])


async def test_a_distributor_has_one_login(owners: tuple[Actor, Actor]) -> None:
    distributor_id = await make_distributor(LOTUS)
    elsewhere = await make_distributor(CEDAR)
    with as_tenant(LOTUS):
        for unknown in (DistributorId(new_id()), elsewhere):
            with pytest.raises(NotFound):
                await accounts.create_member(command("d000", Role.DISTRIBUTOR, distributor_id=unknown), owners[0])
        await accounts.create_member(command("d001", Role.DISTRIBUTOR, distributor_id=distributor_id), owners[0])
        with pytest.raises(DistributorHasLogin):
            await accounts.create_member(command("d002", Role.DISTRIBUTOR, distributor_id=distributor_id), owners[0])


NONSENSE: list[dict[str, object]] = [
    {"login": "ab"},
    {"login": "a b c"},
    {"login": "-abc"},
    {"login": "x" * 101},
    {"name": " "},
    {"name": "x" * 101},
    {"locale": "fr"},
    {"role": Role.DISTRIBUTOR},
    {"role": Role.OPERATOR},
    {"role": Role.OWNER, "distributor_id": new_id()},
]


def test_nonsense_is_refused() -> None:
    for changes in NONSENSE:
        with pytest.raises(InvalidInput):
            accounts.check_new(command(**{"login": "anna"} | changes), LOTUS)  # type: ignore[arg-type]


async def test_a_weak_password_is_refused(owners: tuple[Actor, Actor]) -> None:
    with as_tenant(LOTUS), pytest.raises(PasswordRefused):
        await accounts.create_member(command("anna", password="elevenchars"), owners[0])


def test_operators_live_in_the_platform_and_nobody_else_does() -> None:
    accounts.check_new(command("opera", Role.OPERATOR), PLATFORM)
    for role in set(Role) - {Role.OPERATOR}:
        with pytest.raises(InvalidInput):
            accounts.check_new(command("opera", role), PLATFORM)


@pytest.mark.parametrize("target", [*accounts.STAFF, Role.DISTRIBUTOR])
async def test_a_role_changes_only_those_it_manages(owners: tuple[Actor, Actor], target: Role) -> None:
    person = await member(LOTUS, "person", target)
    for by in set(Role) - {Role.SYSTEM}:
        actor = Actor(tenant_id=LOTUS, role=by, id=new_id(), label="by")
        with as_tenant(LOTUS):
            if target in MANAGES.get(by, frozenset()):
                await accounts.disable_member(person.id, actor)
                await accounts.enable_member(person.id, actor)
            else:
                await all_refused(person, actor)


async def all_refused(person: Member, actor: Actor) -> None:
    """Everything one could do to the person, or to make another like it, is forbidden and changes nothing."""
    before = await table_of(LOTUS, "member")
    distributor_id = DistributorId(new_id()) if person.role is Role.DISTRIBUTOR else None
    for refused in (
        accounts.disable_member(person.id, actor),
        accounts.enable_member(person.id, actor),
        accounts.reset_password(person.id, NEW, actor),
        accounts.change_role(person.id, Role.AUDITOR, actor),
        accounts.create_member(command("friend", person.role, distributor_id=distributor_id), actor),
    ):
        with pytest.raises(Forbidden):
            await refused
    assert await table_of(LOTUS, "member") == before


async def test_another_brands_member_does_not_exist(owners: tuple[Actor, Actor]) -> None:
    owner, other = owners
    person = await member(CEDAR, "person", Role.FINANCE)
    token = await token_of(CEDAR, "person")
    before = [await table_of(CEDAR, table) for table in ("member", "session", "audit_log")]
    with as_tenant(LOTUS):
        for refused in (
            accounts.find_member(person.id),
            accounts.disable_member(person.id, owner),
            accounts.enable_member(person.id, owner),
            accounts.change_role(person.id, Role.AUDITOR, owner),
            accounts.reset_password(person.id, NEW, owner),
        ):
            with pytest.raises(NotFound):
                await refused
        assert person.distributor_id is None
        await accounts.disable_distributor(DistributorId(new_id()), owner)
        page = await accounts.members(PageRequest())
        assert {found.login for found in page.items} == {"owner"}
    assert [await table_of(CEDAR, table) for table in ("member", "session", "audit_log")] == before
    assert await authenticate(token, CEDAR) is not None
    assert other.tenant_id == CEDAR


async def test_disabling_ends_every_session_at_once_and_enabling_brings_none_back(owners: tuple[Actor, Actor]) -> None:
    person = await member(LOTUS, "person", Role.FINANCE)
    token = await token_of(LOTUS, "person")
    with as_tenant(LOTUS):
        disabled = await accounts.disable_member(person.id, owners[0])
        assert disabled.status is MemberStatus.DISABLED
        assert await authenticate(token, LOTUS) is None
        await accounts.enable_member(person.id, owners[0])
        assert await sessions_of(person.id) == []
    assert await authenticate(token, LOTUS) is None
    await token_of(LOTUS, "person")


async def test_a_distributor_is_shut_out_with_its_exit_and_not_when_that_is_rolled_back(
    owners: tuple[Actor, Actor],
) -> None:
    person = await member(LOTUS, "d001", Role.DISTRIBUTOR)
    token = await token_of(LOTUS, "d001")
    assert person.distributor_id is not None
    with as_tenant(LOTUS):
        with pytest.raises(ZeroDivisionError):
            async with transaction():
                await accounts.disable_distributor(person.distributor_id, owners[0])
                raise ZeroDivisionError
        assert await authenticate(token, LOTUS) is not None
        await accounts.disable_distributor(person.distributor_id, owners[0])
    assert await authenticate(token, LOTUS) is None


async def leave(distributor_id: DistributorId, actor: Actor) -> None:
    """What an exit does to a distributor and its log-in."""
    async with transaction() as tx:
        await tx.execute(
            "UPDATE distributor SET status = 'exited' WHERE tenant_id = $1 AND id = $2", tx.tenant_id, distributor_id
        )
        await accounts.disable_distributor(distributor_id, actor)


@pytest.mark.unsound
async def test_who_has_left_logs_in_no_more(owners: tuple[Actor, Actor]) -> None:
    person = await member(LOTUS, "d001", Role.DISTRIBUTOR)
    without = await make_distributor(LOTUS)
    assert person.distributor_id is not None
    with as_tenant(LOTUS):
        for distributor_id in (person.distributor_id, without):
            await leave(distributor_id, owners[0])
        before = await table_of(LOTUS, "member")
        with pytest.raises(DistributorHasLeft):
            await accounts.enable_member(person.id, owners[0])
        with pytest.raises(DistributorHasLeft):
            await accounts.create_member(command("d002", Role.DISTRIBUTOR, distributor_id=without), owners[0])
        assert await table_of(LOTUS, "member") == before


@pytest.mark.unsound
async def test_an_exit_under_way_lets_nobody_in_behind_its_back(owners: tuple[Actor, Actor]) -> None:
    person = await member(LOTUS, "d001", Role.DISTRIBUTOR)
    without = await make_distributor(LOTUS)
    assert person.distributor_id is not None
    with as_tenant(LOTUS):
        made = command("d002", Role.DISTRIBUTOR, distributor_id=without)
        async with transaction():
            for distributor_id in (person.distributor_id, without):
                await leave(distributor_id, owners[0])
            tasks = {
                asyncio.create_task(accounts.enable_member(person.id, owners[0])),
                asyncio.create_task(accounts.create_member(made, owners[0])),
            }
            assert not (await asyncio.wait(tasks, timeout=0.5))[0]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in found] == [DistributorHasLeft] * 2
        assert (await accounts.find_member(person.id)).status is MemberStatus.DISABLED


async def test_a_new_role_holds_from_the_next_request_on(owners: tuple[Actor, Actor]) -> None:
    person = await member(LOTUS, "person", Role.FINANCE)
    token = await token_of(LOTUS, "person")
    with as_tenant(LOTUS):
        changed = await accounts.change_role(person.id, Role.AUDITOR, owners[0])
    assert changed.role is Role.AUDITOR
    actor = await authenticate(token, LOTUS)
    assert actor is not None
    assert actor.role is Role.AUDITOR


async def test_distributors_and_operators_are_no_staff(owners: tuple[Actor, Actor]) -> None:
    person, staff = await member(LOTUS, "d001", Role.DISTRIBUTOR), await member(LOTUS, "staff", Role.FINANCE)
    with as_tenant(LOTUS):
        with pytest.raises(WrongState):
            await accounts.change_role(person.id, Role.FINANCE, owners[0])
        with pytest.raises(InvalidInput):
            await accounts.change_role(staff.id, Role.DISTRIBUTOR, owners[0])
        with pytest.raises(Forbidden):
            await accounts.change_role(staff.id, Role.OPERATOR, owners[0])


async def test_the_last_owner_stays(owners: tuple[Actor, Actor]) -> None:
    owner = owners[0]
    assert owner.id is not None
    with as_tenant(LOTUS):
        page = await accounts.members(PageRequest())
        before = await table_of(LOTUS, "member")
        with pytest.raises(LastOfRole):
            await accounts.disable_member(page.items[0].id, owner)
        with pytest.raises(LastOfRole):
            await accounts.change_role(page.items[0].id, Role.FINANCE, owner)
        assert await table_of(LOTUS, "member") == before


async def test_owners_removing_each_other_at_once_leave_one(owners: tuple[Actor, Actor]) -> None:
    for number in range(7):
        await member(LOTUS, f"owner{number}")
    with as_tenant(LOTUS):
        everybody = (await accounts.members(PageRequest())).items
        await asyncio.gather(*(accounts.find_member(one.id) for one in everybody))  # so that all have a connection
        disabled = [accounts.disable_member(one.id, system(LOTUS, "test")) for one in everybody[:4]]
        demoted = [accounts.change_role(one.id, Role.AUDITOR, system(LOTUS, "test")) for one in everybody[4:]]
        results = await asyncio.gather(*disabled, *demoted, return_exceptions=True)
        assert sum(isinstance(result, LastOfRole) for result in results) == 1
        assert sum(isinstance(result, Member) for result in results) == 7
        left = (await accounts.members(PageRequest(), roles=[Role.OWNER], status=MemberStatus.ACTIVE)).items
        assert len(left) == 1


async def test_a_reset_password_replaces_the_old_one_and_ends_sessions(owners: tuple[Actor, Actor]) -> None:
    person = await member(LOTUS, "person", Role.FINANCE)
    token = await token_of(LOTUS, "person")
    with as_tenant(LOTUS):
        with pytest.raises(PasswordRefused):
            await accounts.reset_password(person.id, "short", owners[0])
        assert await authenticate(token, LOTUS) is not None
        await accounts.reset_password(person.id, NEW, owners[0])
    assert await authenticate(token, LOTUS) is None
    with pytest.raises(LoginFailed):
        await token_of(LOTUS, "person")
    await token_of(LOTUS, "person", NEW)


async def test_ones_own_password_needs_the_current_one_and_guesses_count(owners: tuple[Actor, Actor]) -> None:
    actor = acting(LOTUS, await member(LOTUS, "person", Role.FINANCE))
    token = await token_of(LOTUS, "person")
    with as_tenant(LOTUS):
        await accounts.change_password(PASSWORD, NEW, actor)
        assert await authenticate(token, LOTUS) is None
        for _ in range(5):
            with pytest.raises(LoginFailed):
                await accounts.change_password(PASSWORD, NEW, actor)
        with pytest.raises(LoginThrottled):
            await accounts.change_password(NEW, PASSWORD, actor)
    with pytest.raises(LoginThrottled):
        await token_of(LOTUS, "person", NEW)


async def test_of_two_password_changes_at_once_one_wins(owners: tuple[Actor, Actor]) -> None:
    actor = acting(LOTUS, await member(LOTUS, "person", Role.FINANCE))
    with as_tenant(LOTUS):
        results = await asyncio.gather(
            *(accounts.change_password(PASSWORD, f"{NEW} {number}", actor) for number in range(3)),
            return_exceptions=True,
        )
    assert sorted(type(result).__name__ for result in results) == ["LoginFailed", "LoginFailed", "NoneType"]


async def test_members_are_searched_filtered_and_paged_by_login(owners: tuple[Actor, Actor]) -> None:
    for login, role in (("anna", Role.FINANCE), ("bert", Role.AUDITOR), ("carl_x", Role.FINANCE)):
        await member(LOTUS, login, role)
    await member(CEDAR, "anna", Role.FINANCE)

    async def logins(page: PageRequest, **filters: object) -> list[str]:
        return [found.login for found in (await accounts.members(page, **filters)).items]  # type: ignore[arg-type]

    with as_tenant(LOTUS):
        first = await accounts.members(PageRequest(2))
        assert [found.login for found in first.items] == ["anna", "bert"]
        assert first.has_next
        assert await logins(PageRequest(2, first.cursors[-1])) == ["carl_x", "owner"]
        assert await logins(PageRequest(), search="ANN") == ["anna"]
        assert await logins(PageRequest(), search="_") == ["carl_x"]
        assert await logins(PageRequest(), search="%") == []
        assert await logins(PageRequest(), roles=[Role.FINANCE]) == ["anna", "carl_x"]
        assert await logins(PageRequest(), status=MemberStatus.DISABLED) == []
