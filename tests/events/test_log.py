"""The log of events: written with the business, numbered after it, seen by whom it concerns and by nobody else."""

import asyncio
from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, reading, transaction
from saas.base.errors import InvalidInput, NotFound
from saas.base.ids import DistributorId, TenantId, new_id
from saas.base.paging import PageRequest
from saas.events import queries
from saas.events.audience import wanted_by
from saas.events.commands import hush, tell, tell_now
from saas.events.errors import EventsForgotten
from saas.events.publishing import BATCH, forget_old, publish
from saas.events.rules import KEPT, Event, EventKind, Numbered
from tenants.access import Scope
from tenants.actors import Actor, Role
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

ONE, OTHER = DistributorId(new_id()), DistributorId(new_id())


def actor(role: Role, owner: DistributorId | None = None, scopes: frozenset[str] = frozenset()) -> Actor:
    return Actor(tenant_id=LOTUS, role=role, id=new_id(), label=role, distributor_id=owner, scopes=scopes)


async def told(*events: Event, tenant: TenantId = LOTUS) -> None:
    with as_tenant(tenant):
        async with transaction():
            tell(events)


async def known(tenant: TenantId = LOTUS) -> list[Numbered]:
    with as_tenant(tenant):
        await publish()
        return list(await queries.after(0, 1_000))


@pytest.fixture(autouse=True)
async def brands(db: Database) -> None:
    await make_tenants()


async def test_what_is_rolled_back_never_happened() -> None:
    with as_tenant(LOTUS), pytest.raises(ZeroDivisionError):
        async with transaction():
            tell([Event(EventKind.ORDER_PAID, new_id(), ONE)])
            raise ZeroDivisionError
    assert await known() == []


async def test_a_transaction_tells_each_thing_once_and_the_other_brand_nothing() -> None:
    order = new_id()
    with as_tenant(LOTUS):
        async with transaction():
            tell([Event(EventKind.ORDER_PAID, order, ONE)])
            async with transaction():
                tell([Event(EventKind.ORDER_PAID, order, ONE), Event(EventKind.BALANCE_CHANGED, ONE, ONE)])
    assert [(one.seq, one.kind) for one in await known()] == [
        (1, EventKind.ORDER_PAID),
        (2, EventKind.BALANCE_CHANGED),
    ]
    assert await known(CEDAR) == []


async def test_nothing_is_told_of_the_past() -> None:
    with as_tenant(LOTUS):
        async with transaction():
            hush()
            tell([Event(EventKind.ORDER_PAID, new_id(), ONE)])
            await tell_now([Event(EventKind.ORDER_PAID, new_id(), ONE)])
    await told(Event(EventKind.ORDER_CLOSED, new_id(), ONE))
    assert [one.kind for one in await known()] == [EventKind.ORDER_CLOSED]


async def test_numbers_have_no_gap_and_each_brand_has_its_own() -> None:
    await told(*(Event(EventKind.ORDER_PAID, new_id(), ONE) for _ in range(BATCH + 3)))
    await told(Event(EventKind.ORDER_PAID, new_id(), ONE), tenant=CEDAR)
    assert [one.seq for one in await known()] == list(range(1, BATCH + 4))
    await told(Event(EventKind.ORDER_PAID, new_id(), ONE))
    assert (await known())[-1].seq == BATCH + 4
    assert [one.seq for one in await known(CEDAR)] == [1]


async def test_what_began_first_and_ended_last_is_numbered_last(db: Database) -> None:
    """Whoever has read up to the second event still gets the first one."""
    early, late = new_id(), new_id()
    inside, go_on = asyncio.Event(), asyncio.Event()
    if db.kind == "sqlite":  # one writer: nobody begins before the other has ended
        go_on.set()

    async def begins_first() -> None:
        with as_tenant(LOTUS):
            async with transaction():
                await tell_now([Event(EventKind.ORDER_PAID, early, ONE)])
                inside.set()
                await go_on.wait()

    first = asyncio.create_task(begins_first())
    await inside.wait()
    await told(Event(EventKind.ORDER_PAID, late, ONE))
    expected = [late, early] if db.kind == "postgresql" else [early, late]
    if db.kind == "postgresql":
        assert [one.subject_id for one in await known()] == [late]
    go_on.set()
    await first
    assert [one.subject_id for one in await known()] == expected


async def test_many_who_publish_at_once_number_each_event_once() -> None:
    for _ in range(20):
        await told(Event(EventKind.ORDER_PAID, new_id(), ONE), Event(EventKind.BALANCE_CHANGED, ONE, ONE))
    given: list[int] = []

    async def follower(_: object, events: object) -> None:
        given.extend(one.seq for one in events)  # type: ignore[attr-defined]

    async def one() -> None:
        with as_tenant(LOTUS):
            await publish([follower])

    await asyncio.gather(*(one() for _ in range(5)))
    assert given == list(range(1, 41)) == [one.seq for one in await known()]


async def test_whoever_may_read_the_thing_sees_its_events() -> None:
    kinds = (
        EventKind.ORDER_PAID,
        EventKind.COMMISSION_EARNED,
        EventKind.BALANCE_CHANGED,
        EventKind.PAYOUT_PAID,
        EventKind.EXIT_QUOTED,
    )
    await told(*(Event(kind, new_id(), owner) for kind in kinds for owner in (ONE, OTHER)))
    await told(Event(EventKind.JOB_DONE, new_id()))
    await known()
    keys = {scope: actor(Role.API_KEY, scopes=frozenset({scope.value})) for scope in Scope}
    seen = {
        "auditor": await _kinds(actor(Role.AUDITOR)),
        "one": await _kinds(actor(Role.DISTRIBUTOR, ONE)),
        "nobody's": await _kinds(actor(Role.DISTRIBUTOR)),
        "operator": await _kinds(actor(Role.OPERATOR)),
        **{scope.value: await _kinds(key) for scope, key in keys.items()},
    }
    assert seen.pop("auditor") == [kind for kind in kinds for _ in range(2)] + [EventKind.JOB_DONE]
    assert seen.pop("one") == list(kinds)
    assert seen.pop("orders:read") == seen.pop("orders:write") == [EventKind.ORDER_PAID] * 2
    assert seen.pop("commissions:read") == [EventKind.COMMISSION_EARNED] * 2
    assert set(map(tuple, seen.values())) == {()}


async def _kinds(who: Actor) -> list[EventKind]:
    with as_tenant(LOTUS):
        page = await queries.events(wanted_by(who), PageRequest(100))
        for one in page.items:
            assert await queries.event(one.id, wanted_by(who)) == one
        hidden = [one for one in await queries.after(0, 100) if one not in page.items]
        for one in hidden:
            with pytest.raises(NotFound):
                await queries.event(one.id, wanted_by(who))
    with as_tenant(CEDAR):
        assert (await queries.events(wanted_by(who), PageRequest(100))).items == []
    return [one.kind for one in page.items]


async def test_pages_go_on_where_they_stopped_by_kind_and_by_thing() -> None:
    order = new_id()
    await told(*(Event(EventKind.ORDER_PAID, new_id(), ONE) for _ in range(5)), Event(EventKind.ORDER_PAID, order, ONE))
    await told(Event(EventKind.ORDER_CLOSED, order, ONE))
    await known()
    owner = actor(Role.OWNER)
    with as_tenant(LOTUS):
        paid = wanted_by(owner, [EventKind.ORDER_PAID])
        first = await queries.events(paid, PageRequest(4))
        second = await queries.events(paid, PageRequest(4, first.cursors[-1]))
        assert [one.seq for one in (*first.items, *second.items)] == [1, 2, 3, 4, 5, 6]
        assert (first.has_next, second.has_next) == (True, False)
        about = await queries.events(wanted_by(owner, subject_id=order), PageRequest(4))
        assert [one.kind for one in about.items] == [EventKind.ORDER_PAID, EventKind.ORDER_CLOSED]
        with pytest.raises(InvalidInput):
            await queries.events(paid, PageRequest(4, "nonsense"))


async def test_what_is_forgotten_is_said_to_be() -> None:
    old = clock.now() - KEPT - timedelta(hours=1)
    with clock.at(old):
        await told(*(Event(EventKind.ORDER_PAID, new_id(), ONE) for _ in range(3)))
    await told(Event(EventKind.ORDER_CLOSED, new_id(), ONE))
    await known()
    await told(Event(EventKind.ORDER_PAID, new_id(), ONE), tenant=CEDAR)
    with as_tenant(LOTUS):
        assert await forget_old() == 3
        assert await forget_old() == 0
        assert [one.seq for one in await queries.after(0, 10)] == [4]
        assert await queries.place_of(queries.cursor_of(3)) == 3
        with pytest.raises(EventsForgotten):
            await queries.place_of(queries.cursor_of(2))
        async with reading() as tx:
            assert await tx.value("SELECT seq FROM event_head WHERE tenant_id = $1", LOTUS) == 4
    assert len(await known(CEDAR)) == 1
