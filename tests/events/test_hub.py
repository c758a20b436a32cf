"""The hub: what was committed, here or elsewhere, reaches every stream of the brand while its session holds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.ids import MemberId, TenantId, new_id
from saas.events import hub as hub_module
from saas.events import queries, streams
from saas.events.audience import wanted_by
from saas.events.commands import tell
from saas.events.errors import FollowedTooSlowly, SessionOver, StreamBroken, TooManyStreams
from saas.events.following import PAGE, follow
from saas.events.hub import CHECK_EVERY, STREAMS_OF_ONE_MOST, Hub, open_hub
from saas.events.publishing import CHANNEL, publish
from saas.events.rules import Event, EventKind
from saas.events.streams import QUEUE_MOST, Stream
from tenants import accounts, sessions
from tenants.accounts import CreateMember
from tenants.actors import Role, system
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

SLUGS = {LOTUS: "lotus", CEDAR: "cedar"}
PATIENCE_SECONDS = 60
"""Only to end what hangs."""


@pytest.fixture(autouse=True)
async def brands(db: Database) -> None:
    await make_tenants()
    for brand in (LOTUS, CEDAR):
        with as_tenant(brand):
            member = CreateMember(login="auditor", password="long enough for this", name="A", role=Role.AUDITOR)
            await accounts.create_member(member, system(brand, "tests"))


async def stream_of(brand: TenantId = LOTUS) -> Stream:
    """Somebody with a session who wants everything."""
    session = await sessions.issue_token(SLUGS[brand], "auditor", "tests")
    return Stream(session.actor, session.token, wanted_by(session.actor), lambda: None)


async def happen(brand: TenantId = LOTUS, count: int = 1) -> None:
    with as_tenant(brand):
        async with transaction():
            tell(Event(EventKind.ORDER_PAID, new_id()) for _ in range(count))


async def taken(stream: Stream, count: int = 1) -> list[int]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return [(await stream.next()).seq for _ in range(count)]


@asynccontextmanager
async def elsewhere(db: Database) -> AsyncIterator[Hub]:
    """The hub of another process, which is told nothing of what this one commits."""
    hub = Hub()
    working = asyncio.create_task(hub.run())
    async with db.listening(CHANNEL, hub.heard):
        yield hub
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_what_one_process_commits_another_one_hands_on(db: Database) -> None:
    async with open_hub() as here, elsewhere(db) as there:
        near, far, foreign = await stream_of(), await stream_of(), await stream_of(CEDAR)
        for hub, stream, brand in ((here, near, LOTUS), (there, far, LOTUS), (there, foreign, CEDAR)):
            with as_tenant(brand):
                await hub.join(stream)
        await happen(count=3)
        assert await taken(near, 3) == await taken(far, 3) == [1, 2, 3]
        await happen(CEDAR)
        assert await taken(foreign) == [1]
        for stream in (near, far):
            stream.end(StreamBroken(None))
            with pytest.raises(StreamBroken):  # and nothing of the other brand before it
                await stream.next()


async def test_what_is_committed_in_a_moment_becomes_known_together(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    async def counted(_: object) -> int:
        looks.append(await publish())
        return looks[-1]

    monkeypatch.setattr(hub_module, "publish", counted)
    monkeypatch.setattr(hub_module, "APART", timedelta(seconds=1))
    async with open_hub() as hub:
        stream = await stream_of()
        with as_tenant(LOTUS):
            await hub.join(stream)
        began = asyncio.get_running_loop().time()
        await happen()
        assert await taken(stream) == [1]  # the first at once
        for _ in range(20):
            await happen()
        assert await taken(stream, 20) == list(range(2, 22))
        seconds = asyncio.get_running_loop().time() - began
    assert len(looks) <= 2 + seconds, looks  # one a second, however long a busy machine takes for the twenty


@pytest.mark.parametrize("how", ["revoked", "disabled", "silent"])
async def test_nothing_is_handed_to_a_session_that_does_not_hold(how: str) -> None:
    hub, ending, staying = Hub(), await stream_of(), await stream_of(CEDAR)
    for stream, brand in ((ending, LOTUS), (staying, CEDAR)):
        with as_tenant(brand):
            await hub.join(stream)
            await hub.look()
    with as_tenant(LOTUS):
        if how == "disabled":
            await accounts.disable_member(MemberId(ending.actor.id or new_id()), system(LOTUS, "tests"))
        else:
            await sessions.log_out(str(ending.token), ending.actor)
        moment = clock.now()
        if how == "silent":
            moment += CHECK_EVERY + timedelta(seconds=1)
        else:
            await happen()
        with clock.at(moment):
            await hub.look()
        with pytest.raises(SessionOver):
            await asyncio.wait_for(ending.next(), PATIENCE_SECONDS)
    await happen(CEDAR)
    with as_tenant(CEDAR):
        await hub.look()
    assert await taken(staying) == [1]
    assert hub.count == 1


async def test_who_follows_too_slowly_is_ended_and_goes_on_by_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "GRACE", timedelta())
    cut: list[bool] = []
    who = (await stream_of()).actor
    stuck = Stream(who, None, wanted_by(who), lambda: cut.append(True))
    await happen(count=QUEUE_MOST + 1)
    with as_tenant(LOTUS):
        await publish()
        for event in await queries.after(0, QUEUE_MOST + 1):
            stuck.offer(event)
    await asyncio.sleep(0.01)
    assert cut == [True]
    with pytest.raises(FollowedTooSlowly):
        await stuck.next()
    awake = Stream(who, None, wanted_by(who), lambda: cut.append(True))
    awake.end(StreamBroken(None))
    with pytest.raises(StreamBroken):
        await awake.next()
    await asyncio.sleep(0.01)
    assert cut == [True]  # it took the reason


async def test_one_follows_only_so_much_and_a_place_is_free_again() -> None:
    session = await sessions.issue_token("lotus", "auditor", "tests")
    async with open_hub() as hub:
        with as_tenant(LOTUS):
            joined = []
            for _ in range(STREAMS_OF_ONE_MOST):
                joined.append(Stream(session.actor, session.token, wanted_by(session.actor), lambda: None))
                await hub.join(joined[-1])
            with pytest.raises(TooManyStreams):
                await hub.join(Stream(session.actor, session.token, wanted_by(session.actor), lambda: None))
            hub.leave(joined[0])
            await hub.join(joined[0])
        with as_tenant(CEDAR):
            await hub.join(await stream_of(CEDAR))


async def test_following_from_any_place_while_much_happens_misses_nothing_and_repeats_nothing() -> None:
    session = await sessions.issue_token("lotus", "auditor", "tests")
    before, during = PAGE + 20, 60
    await happen(count=before)
    async with open_hub():
        with as_tenant(LOTUS):
            await publish()
            everything = follow(session.actor, session.token, after=queries.cursor_of(0))
            got: list[int] = []

            async def more() -> None:
                for _ in range(during):
                    await happen()

            async with aclosing(everything), asyncio.timeout(PATIENCE_SECONDS):
                got.append((await anext(everything)).seq)
                happening = asyncio.create_task(more())
                while len(got) < before + during:
                    got.append((await anext(everything)).seq)
                await happening
    assert got == list(range(1, before + during + 1))


async def test_what_is_in_the_log_and_in_the_queue_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    session = await sessions.issue_token("lotus", "auditor", "tests")
    join = Hub.join

    async def join_while_it_happens(hub: Hub, stream: Stream) -> None:
        await join(hub, stream)
        await happen()
        await hub.look()

    monkeypatch.setattr(Hub, "join", join_while_it_happens)
    async with open_hub():
        with as_tenant(LOTUS):
            following = follow(session.actor, session.token)
            async with aclosing(following), asyncio.timeout(PATIENCE_SECONDS):
                first = await anext(following)
                await happen()
                second = await anext(following)
    assert (first.seq, second.seq) == (1, 2)


async def test_a_hub_that_ends_says_so_to_everybody() -> None:
    async with open_hub() as hub:
        stream = await stream_of()
        with as_tenant(LOTUS):
            await hub.join(stream)
    with pytest.raises(StreamBroken):
        await asyncio.wait_for(stream.next(), PATIENCE_SECONDS)
    with as_tenant(LOTUS), pytest.raises(StreamBroken):
        async for _ in follow(stream.actor, stream.token):
            raise AssertionError
