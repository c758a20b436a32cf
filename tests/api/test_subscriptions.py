"""Subscriptions over real connections: everybody gets its own, misses nothing, and nothing after its session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import InvalidStatus

from saas.events.hub import STREAMS_OF_ONE_MOST
from tenants.access import Scope
from tests.api.client import Api
from tests.api.conftest import Brand, World
from tests.api.population import key_with
from tests.api.streams import EVENTS, FACTS, following, served, socket, streaming, told


@pytest.fixture
async def port(world: World) -> AsyncIterator[int]:
    """A server of both brands, which sell tea."""
    for brand in (world.lotus, world.cedar):
        await brand.put_products("TEA")
    async with served(world.operator.app) as port:
        yield port


async def order(brand: Brand, seller: str, key: str) -> str:
    """Place an order; its id."""
    lines = [{"sku": "TEA", "quantity": 1, "unitPriceMinor": 10_000}]
    placed = await brand.operations.do("placeOrder", "order { id }", sellerId=seller, lines=lines, idempotencyKey=key)
    return str(placed["order"]["id"])


async def test_everybody_is_told_its_own_at_once_and_the_other_brand_nothing(world: World, port: int) -> None:
    lotus, cedar = world.lotus, world.cedar
    seller, beside, theirs = await lotus.enrol("A"), await lotus.enrol("B"), await cedar.enrol("A")
    me, neighbour = await lotus.log_in_as(seller, "seller"), await lotus.log_in_as(beside, "beside")
    shop = await key_with(lotus, [Scope.ORDERS_READ])
    async with AsyncExitStack() as stack:
        callers = (lotus.owner, me, neighbour, cedar.owner, shop)
        owner, own, other, cedars, key = [
            await stack.enter_async_context(following(port, one.host, one.token)) for one in callers
        ]
        placed = ["ORDER_PLACED", "ORDER_PAID"]
        for one in (owner, own, other, cedars, key):
            await one.subscribe(f"{FACTS} order {{ number status }}", kinds=placed)
        first = await order(lotus, seller, "1")
        second = await order(lotus, beside, "2")
        third = await order(cedar, theirs, "1")
        for one in (owner, key):
            assert [(await one.event())["subjectId"] for _ in range(2)] == [first, second]
        mine = await own.event()
        assert (mine["subjectId"], mine["distributorId"], mine["order"]["status"]) == (first, seller, "PLACED")
        assert (await other.event())["subjectId"] == second
        assert (await cedars.event())["subjectId"] == third
        await lotus.operations.do("payOrder", "order { id }", orderId=first, idempotencyKey="pay")
        for one in (owner, own, key):
            paid = await one.event()
            assert (paid["kind"], paid["subjectId"], paid["order"]["status"]) == ("ORDER_PAID", first, "PAID")
        for one in (other, cedars):
            await one.settled()  # a pong, and nothing before it


async def test_who_was_away_goes_on_after_its_cursor_and_misses_nothing(world: World, port: int) -> None:
    lotus = world.lotus
    seller = await lotus.enrol("A")
    async with following(port, lotus.owner.host, lotus.owner.token) as follower:
        await follower.subscribe(kinds=["ORDER_PLACED"])
        first = await order(lotus, seller, "1")
        seen = await follower.event()
    missed = [await order(lotus, seller, f"missed-{n}") for n in range(3)]
    async with following(port, lotus.owner.host, lotus.owner.token) as follower:
        since = {"after": seen["cursor"], "kinds": ["ORDER_PLACED"]}
        await follower.say("subscribe", "1", {"query": EVENTS % FACTS, "variables": since})
        assert [(await follower.event())["subjectId"] for _ in missed] == missed
        live = await order(lotus, seller, "live")
        assert (await follower.event())["subjectId"] == live
        await follower.say("subscribe", "2", {"query": EVENTS % FACTS, "variables": {"after": "nonsense"}})
        assert await follower.error() == "INVALID_INPUT"
    listed = await lotus.owner.ask(
        "query($after: String) { events(kinds: [ORDER_PLACED], after: $after) { nodes { subjectId } } }", after=None
    )
    assert [one["subjectId"] for one in listed["events"]["nodes"]] == [first, *missed, live]


async def test_a_job_can_be_followed_from_its_beginning_to_its_end(world: World, port: int) -> None:
    from saas.jobs.worker import run_due
    from schema.working import HANDLERS

    async with following(port, world.lotus.owner.host, world.lotus.owner.token) as follower:
        given = {"task": "CHECK_BOOKS", "idempotencyKey": "now"}
        job = (await world.lotus.finance.do("startTask", "job { id }", **given))["job"]["id"]
        await follower.subscribe("kind job { status }", subject=job, after=None)
        await run_due(HANDLERS)
        kinds = [(await follower.event())["kind"]]
        while kinds[-1] != "JOB_DONE":
            kinds.append((await follower.event())["kind"])
        # Whether it was still unknown that the job was asked for when one began to follow is chance.
        told = [kind for kind in kinds if kind not in {"JOB_QUEUED", "JOB_PROGRESSED"}]
        assert told == ["JOB_STARTED", "JOB_DONE"]


async def test_a_session_that_ends_ends_what_it_follows(world: World, port: int) -> None:
    lotus = world.lotus
    seller = await lotus.enrol("A")
    leaving, staying = await lotus.log_in_as(seller, "seller"), lotus.auditor
    shop = await key_with(lotus, [Scope.ORDERS_READ])
    keys = (await lotus.owner.ask("{ apiKeys { id } }"))["apiKeys"]
    async with AsyncExitStack() as stack:
        callers = (leaving, staying, shop)
        one, other, key = [
            await stack.enter_async_context(following(port, caller.host, caller.token)) for caller in callers
        ]
        sse = await stack.enter_async_context(streaming(port, leaving, EVENTS % FACTS))
        for follower in (one, other, key):
            await follower.subscribe(kinds=["ORDER_PLACED"])
        await leaving.do("logOut", "done")
        await lotus.owner.do("revokeApiKey", "apiKey { id }", id=keys[0]["id"])
        placed = await order(lotus, seller, "1")
        assert (await other.event())["subjectId"] == placed
        for follower in (one, key):
            assert await follower.error() == "SESSION_OVER"
            code, reason = await follower.closed()
            assert code == 4401
            assert "session has ended" in reason
        found = [(name, data) async for name, data in told(sse)]
        assert [name for name, _ in found] == ["next", "complete"]
        assert found[0][1]["errors"][0]["extensions"]["code"] == "SESSION_OVER"


async def test_strangers_and_other_sites_get_no_connection(world: World, port: int) -> None:
    lotus, cedar = world.lotus, world.cedar
    cookie = f"banyan_session={lotus.owner.token}"
    for headers in ({"Origin": "https://evil.example.com"}, {"Origin": "null", "Cookie": cookie}):
        with pytest.raises(InvalidStatus):
            async with socket(port, lotus.owner.host, **headers):
                pass
    with pytest.raises(InvalidStatus):
        async with socket(port, "nowhere.example.com"):
            pass
    for token in (None, "nonsense", cedar.owner.token):
        async with socket(port, lotus.owner.host) as follower:
            said = {"authorization": f"Bearer {token}"} if token else None
            await follower.say("connection_init", payload=said)
            assert (await follower.closed())[0] == 4403
    async with socket(port, lotus.owner.host) as follower:
        await follower.say("subscribe", "1", {"query": EVENTS % FACTS})
        assert (await follower.closed())[0] == 4401


async def test_the_sites_own_page_connects_by_its_cookie(world: World, port: int) -> None:
    host = world.lotus.owner.host
    browser = Api(world.operator.app, host)
    await browser.do("logIn", "token", login="auditor", password="a long enough password", kind="COOKIE")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    async with socket(port, host, Cookie=cookie, Origin=f"http://{host}:{port}") as follower:
        await follower.say("connection_init")
        assert (await follower.hear())["type"] == "connection_ack"
        await follower.subscribe(kinds=["ORDER_PLACED"])
        placed = await order(world.lotus, await world.lotus.enrol("A"), "1")
        assert (await follower.event())["subjectId"] == placed


async def test_the_gate_holds_for_subscriptions(world: World, port: int) -> None:
    """Not for operators, nor for keys without a scope for it; and field by field."""
    without = await key_with(world.lotus, [Scope.CATALOG_READ])
    orders = await key_with(world.lotus, [Scope.ORDERS_READ])
    seller = await world.lotus.log_in_as(await world.lotus.enrol("A"), "seller")
    deep = f"order {{ seller {'{ sponsor ' * 10}{{ id }}{' }' * 10} }}"
    for caller, selection, code in (
        (world.operator, FACTS, "FORBIDDEN"),
        (without, FACTS, "FORBIDDEN"),
        (orders, "payout { id }", "FORBIDDEN"),
        (seller, "job { id }", "FORBIDDEN"),
        (seller, "nothing", "BAD_REQUEST"),
        (seller, deep, "OPERATION_TOO_DEEP"),
    ):
        async with following(port, caller.host, caller.token) as follower:
            await follower.say("subscribe", "1", {"query": EVENTS % selection})
            assert await follower.error() == code, selection
    async with streaming(port, world.lotus.anonymous, EVENTS % FACTS) as answer:
        (first, *_) = [data async for _, data in told(answer)]
        assert first["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_an_event_stream_is_told_the_same(world: World, port: int) -> None:
    lotus = world.lotus
    seller = await lotus.enrol("A")
    async with streaming(port, lotus.owner, EVENTS % FACTS, kinds=["ORDER_PLACED"]) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store, no-transform"
        await asyncio.sleep(0.5)
        placed = await order(lotus, seller, "1")
        async for name, data in told(answer):
            assert (name, data["data"]["events"]["subjectId"]) == ("next", placed)
            break
    async with streaming(port, lotus.owner, "{ me { id } }") as answer:
        (first, *_) = [data async for _, data in told(answer)]
        assert first["data"] is None
    assert await lotus.owner.errors(EVENTS % FACTS) == ["BAD_REQUEST"]


async def test_nobody_follows_more_than_it_may_and_nonsense_ends_the_connection(world: World, port: int) -> None:
    owner = world.lotus.owner
    async with following(port, owner.host, owner.token) as follower, following(port, owner.host, owner.token) as second:
        for n in range(STREAMS_OF_ONE_MOST):
            await follower.say("subscribe", str(n), {"query": EVENTS % FACTS})
        await follower.settled()
        await follower.say("subscribe", "more", {"query": EVENTS % FACTS})
        assert await follower.error() == "TOO_MANY_STREAMS"
        await second.say("subscribe", "1", {"query": EVENTS % FACTS})
        assert await second.error() == "TOO_MANY_STREAMS"
        assert (await second.hear())["type"] == "complete"
        await follower.say("complete", "0")
        await follower.settled()
        await second.say("subscribe", "2", {"query": EVENTS % FACTS})
        await second.settled()
        await second.say("subscribe", "3", {"query": "{ me { id } }"})
        assert (await second.hear())["type"] == "error"
    shapeless = '{"type": "subscribe", "id": "1", "payload": []}'
    for nonsense in ("[]", "1", shapeless, '{"type": "subscribe", "id": 1}', "{"):
        async with following(port, owner.host, owner.token) as follower:
            await follower.socket.send(nonsense)
            assert (await follower.closed())[0] == 4400, nonsense
