"""The row of subscriptions: an order reaches everybody who follows the brand, a thousand connections to one server.

Beside it stands what is promised: a second. Each connection is a WebSocket of its own with one subscription; a key has
twenty of them, since nobody may have more.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.client import HOST, Client
from bench.databases import Databases
from bench.figures import FULL, Figure, Size
from bench.operations import orders
from bench.processes import PRODUCT, Server, serving
from bench.world import make_world
from saas.events.hub import STREAMS_OF_ONE_MOST

PROMISED_SECONDS = 1.0
GRAPHQL = "/graphql"
FOLLOW = "subscription { events(kinds: [ORDER_PLACED]) { cursor kind at subjectId distributorId } }"
MAKE_KEY = (
    'mutation { createApiKey(input: { name: "follower", scopes: [ORDERS_READ] }) { token userErrors { message } } }'
)
ROUNDS = 5
_SUFFIX = {"postgresql": "", "sqlite": "_sqlite"}


async def subscriptions(databases: Databases, kind: str, size: Size) -> Figure:
    """Seconds from asking for an order until the last connection has its event: the slowest of some rounds."""
    count = 1_000 if size == FULL else 2 * STREAMS_OF_ONE_MOST
    world = await make_world(await databases.fresh(kind), 1)
    first = orjson.dumps({"query": "{ me { login } }"})
    async with serving(PRODUCT, world.url, GRAPHQL, world.token, first) as server:
        client = await Client.connect(server.port, GRAPHQL, world.token)
        async with _followers(client, server, count) as followers:
            seconds = [await _round(client, followers, order) for order in orders(world, ROUNDS)]
            memory_mb = server.memory_mb
        await client.close()
    return Figure(
        name=f"subscriptions_{count}{_SUFFIX[kind]}",
        ours=max(seconds),
        ceiling=PROMISED_SECONDS,
        unit="s",
        less_is_better=True,
        memory_mb=memory_mb,
    )


@asynccontextmanager
async def _followers(client: Client, server: Server, count: int) -> AsyncIterator[list[ClientConnection]]:
    async with AsyncExitStack() as stack:
        found: list[ClientConnection] = []
        while len(found) < count:
            made = orjson.loads(await client.ask(orjson.dumps({"query": MAKE_KEY})))
            token = made["data"]["createApiKey"]["token"]
            opening = (_follow(server.port, token) for _ in range(min(STREAMS_OF_ONE_MOST, count - len(found))))
            for connection in await asyncio.gather(*opening):
                stack.push_async_callback(connection.close)
                found.append(connection)
        yield found


async def _follow(port: int, token: str) -> ClientConnection:
    """A connection that follows; it has had its first answer, so that what comes next is an event."""
    connection = await connect(
        f"ws://{HOST}:{port}{GRAPHQL}",
        host="127.0.0.1",
        port=port,
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
        proxy=None,
    )
    hello = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    await connection.send(orjson.dumps(hello).decode())
    await connection.recv()
    await connection.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": {"query": FOLLOW}}).decode())
    await connection.send(orjson.dumps({"type": "ping"}).decode())
    await connection.recv()
    return connection


async def _round(client: Client, followers: list[ClientConnection], order: bytes) -> float:
    await asyncio.sleep(2)  # for streams that were asked for to have joined
    hearing = asyncio.gather(*(connection.recv() for connection in followers))
    began = perf_counter()
    await client.ask(order)
    told = await hearing
    seconds = perf_counter() - began
    for message in told:
        if orjson.loads(message)["payload"]["data"]["events"]["kind"] != "ORDER_PLACED":
            raise RuntimeError(f"another message came: {message!r}")
    return seconds
