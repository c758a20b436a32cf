"""API keys: shown once, limited to scopes, revocable, and of one brand."""

from datetime import UTC, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import InvalidInput, NotFound, WrongState
from tenants import api_keys, registry
from tenants.access import Scope
from tenants.actors import Actor, Role, system
from tenants.api_keys import CreateApiKey, NewApiKey
from tenants.errors import Forbidden
from tenants.sessions import authenticate
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.payouts.people import started
from tests.tenants.people import OPERATOR, acting, audited, member, table_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
SCOPES = frozenset({Scope.ORDERS_WRITE, Scope.CATALOG_READ})


@pytest.fixture
async def owners(db: Database) -> tuple[Actor, Actor]:
    """An owner in each of two brands."""
    await make_tenants()
    return acting(LOTUS, await member(LOTUS, "owner")), acting(CEDAR, await member(CEDAR, "owner"))


async def made(owner: Actor, **changes: object) -> NewApiKey:
    values: dict[str, object] = {"name": " shop ", "scopes": SCOPES} | changes
    with as_tenant(owner.tenant_id):
        return await api_keys.create_api_key(CreateApiKey(**values), owner)  # type: ignore[arg-type]


async def test_a_key_is_an_actor_with_its_scopes(owners: tuple[Actor, Actor]) -> None:
    new = await made(owners[0])
    assert new.token.startswith(new.key.prefix)
    assert new.key.prefix.startswith("bynk_1_")
    actor = await authenticate(new.token, LOTUS)
    assert actor == Actor(
        tenant_id=LOTUS, role=Role.API_KEY, id=new.key.id, label="shop", locale="zh-CN", scopes=frozenset(SCOPES)
    )
    assert new.token not in str(await table_of(LOTUS, "api_key"))
    assert (await audited(LOTUS))[-1] == ("owner", "api_key.create")
    with as_tenant(LOTUS):
        assert [key.scopes for key in await api_keys.api_keys()] == [SCOPES]


async def test_a_key_holds_at_its_brands_hosts_and_at_the_platforms(owners: tuple[Actor, Actor]) -> None:
    token = (await made(owners[0])).token
    assert await authenticate(token, None) is not None
    assert await authenticate(token, CEDAR) is None
    assert await authenticate(token.replace("bynk_1_", "bynk_2_"), None) is None
    assert await authenticate(token.replace("bynk_1_", "byn_1_"), None) is None


async def test_a_rotated_key_holds_a_while_beside_the_new_one(owners: tuple[Actor, Actor]) -> None:
    with clock.at(NOON):
        old = await made(owners[0], expires_at=NOON + timedelta(days=90))
        with as_tenant(LOTUS):
            new = await api_keys.rotate_api_key(old.key.id, timedelta(hours=24), owners[0])
    assert (new.key.name, new.key.scopes, new.key.expires_at) == (old.key.name, SCOPES, old.key.expires_at)
    assert new.key.replaces == old.key.id
    with clock.at(NOON + timedelta(hours=23)):
        assert await authenticate(old.token, LOTUS) is not None
    with clock.at(NOON + timedelta(hours=24)):
        assert await authenticate(old.token, LOTUS) is None
        assert await authenticate(new.token, LOTUS) is not None
        with as_tenant(LOTUS), pytest.raises(WrongState):
            await api_keys.rotate_api_key(old.key.id, timedelta(0), owners[0])
    assert ("owner", "api_key.rotate") in await audited(LOTUS)


async def test_a_rotation_never_lengthens_a_key_and_is_the_brands_own(owners: tuple[Actor, Actor]) -> None:
    with clock.at(NOON):
        old = await made(owners[0], expires_at=NOON + timedelta(hours=1))
        before = await table_of(LOTUS, "api_key")
        with as_tenant(CEDAR), pytest.raises(NotFound):
            await api_keys.rotate_api_key(old.key.id, timedelta(0), owners[1])
        with as_tenant(LOTUS):
            for overlap in (timedelta(hours=-1), timedelta(days=30, hours=1)):
                with pytest.raises(InvalidInput):
                    await api_keys.rotate_api_key(old.key.id, overlap, owners[0])
            assert await table_of(LOTUS, "api_key") == before
            await api_keys.rotate_api_key(old.key.id, timedelta(hours=24), owners[0])
    with clock.at(NOON + timedelta(hours=1)):
        assert await authenticate(old.token, LOTUS) is None


async def test_a_revoked_key_is_nobody_and_revoking_twice_is_once(owners: tuple[Actor, Actor]) -> None:
    new, other = await made(owners[0]), await made(owners[0], name="other")
    with as_tenant(LOTUS):
        first = await api_keys.revoke_api_key(new.key.id, owners[0])
        assert await api_keys.revoke_api_key(new.key.id, owners[0]) == first
        assert [key.revoked_at is None for key in await api_keys.api_keys()] == [True, False]
    assert await authenticate(new.token, LOTUS) is None
    assert await authenticate(other.token, LOTUS) is not None
    assert [action for _, action in await audited(LOTUS)].count("api_key.revoke") == 1


async def test_a_key_that_is_revoked_meanwhile_gets_no_successor(owners: tuple[Actor, Actor]) -> None:
    new = await made(owners[0])
    with as_tenant(LOTUS):
        async with transaction():
            await api_keys.revoke_api_key(new.key.id, owners[0])
            rotating = await started(api_keys.rotate_api_key(new.key.id, timedelta(hours=1), owners[0]))
        with pytest.raises(WrongState):
            await rotating
        assert [key.id for key in await api_keys.api_keys()] == [new.key.id]


async def test_another_brands_key_does_not_exist(owners: tuple[Actor, Actor]) -> None:
    new = await made(owners[0])
    before = await table_of(LOTUS, "api_key")
    with as_tenant(CEDAR):
        assert await api_keys.api_keys() == []
        with pytest.raises(NotFound):
            await api_keys.revoke_api_key(new.key.id, owners[1])
    assert await table_of(LOTUS, "api_key") == before
    assert await authenticate(new.token, LOTUS) is not None


async def test_a_key_ends_with_its_time_or_never(owners: tuple[Actor, Actor]) -> None:
    with clock.at(NOON):
        ending = await made(owners[0], expires_at=NOON + timedelta(hours=1))
        lasting = await made(owners[0])
        assert await authenticate(ending.token, LOTUS) is not None
    with clock.at(NOON + timedelta(hours=1)):
        assert await authenticate(ending.token, LOTUS) is None
        assert await authenticate(lasting.token, LOTUS) is not None


async def test_a_key_of_a_suspended_brand_rests(owners: tuple[Actor, Actor]) -> None:
    new, other = await made(owners[0]), await made(owners[1])
    await registry.suspend_tenant(LOTUS, "unpaid", OPERATOR)
    assert await authenticate(new.token, None) is None
    assert await authenticate(other.token, None) is not None


async def test_nonsense_is_refused(owners: tuple[Actor, Actor]) -> None:
    past = NOON - timedelta(days=365 * 5)
    nonsense: list[dict[str, object]] = [
        {"name": " "},
        {"name": "x" * 101},
        {"scopes": frozenset()},
        {"expires_at": past},
    ]
    for changes in nonsense:
        with pytest.raises(InvalidInput):
            await made(owners[0], **changes)
    assert await table_of(LOTUS, "api_key") == []


async def test_only_a_person_makes_keys(owners: tuple[Actor, Actor]) -> None:
    token = (await made(owners[0])).token
    key = await authenticate(token, LOTUS)
    assert key is not None
    for nobody in (key, system(LOTUS, "job")):
        with pytest.raises(Forbidden):
            await made(nobody)


async def test_the_last_use_is_noted_once_a_minute(owners: tuple[Actor, Actor], db: Database) -> None:
    statements: list[str] = []
    with clock.at(NOON):
        token = (await made(owners[0])).token
        db.observer = statements.append
        for expected in (2, 3, 4):
            await authenticate(token, LOTUS)
            assert len(statements) == expected
    with clock.at(NOON + timedelta(seconds=60)):
        await authenticate(token, LOTUS)
        assert len(statements) == 6
    with as_tenant(LOTUS):
        assert [key.last_used_at for key in await api_keys.api_keys()] == [NOON + timedelta(seconds=60)]
