"""Subscriptions as their users follow them: a real server, real connections, any site by its Host."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from saas.base.settings import SERVER
from saas.duties import FOLLOWERS
from saas.events.hub import open_hub
from tests.api.client import Api

PATIENCE_SECONDS = 60
"""Only to end what hangs."""
EVENTS = (
    "subscription($kinds: [EventKind!], $after: String, $subject: ID) "
    "{ events(kinds: $kinds, after: $after, subjectId: $subject) { %s } }"
)
FACTS = "cursor kind subjectId distributorId"


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[int]:
    """Serve the application and its events within the block; answers the port."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="error", **SERVER)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    async with open_hub(FOLLOWERS):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not server.started:  # noqa: ASYNC110  # uvicorn tells nobody
                await asyncio.sleep(0.01)
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True
            server.force_exit = True
            await running


@dataclass
class Follower:
    """A connection that follows."""

    socket: ClientConnection

    async def say(self, type_: str, id_: str | None = None, payload: Any = None) -> None:
        """Send a message of the protocol."""
        message = {"type": type_, "id": id_, "payload": payload}
        await self.socket.send(orjson.dumps({k: v for k, v in message.items() if v is not None}).decode())

    async def subscribe(self, selection: str = FACTS, id_: str = "1", **variables: Any) -> None:
        """Begin to follow; what is told from now on will come."""
        await self.say("subscribe", id_, {"query": EVENTS % selection, "variables": variables})
        await self.settled()

    async def settled(self) -> None:
        """Wait until what was sent has been taken up, and a little for the stream to have joined."""
        await self.say("ping")
        assert (await self.hear())["type"] == "pong"
        await asyncio.sleep(1)  # a busy machine needs some of it

    async def hear(self) -> Any:
        """The next message."""
        return orjson.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_SECONDS))

    async def event(self) -> Any:
        """The next event."""
        message = await self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]["events"]

    async def error(self) -> str:
        """The code with which the next message ends a stream."""
        message = await self.hear()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        return str(errors[0]["extensions"]["code"])

    async def closed(self) -> tuple[int, str]:
        """How the connection ends."""
        await asyncio.wait_for(self.socket.wait_closed(), PATIENCE_SECONDS)
        return self.socket.close_code or 0, self.socket.close_reason or ""


@asynccontextmanager
async def socket(port: int, host: str, **headers: str) -> AsyncIterator[Follower]:
    """A connection to a site, before anything was said."""
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(
        f"ws://{host}:{port}/graphql",
        host="127.0.0.1",
        port=port,
        subprotocols=protocols,
        origin=None,
        additional_headers=headers,
        proxy=None,
    ) as connection:
        yield Follower(connection)


@asynccontextmanager
async def following(port: int, host: str, token: str | None) -> AsyncIterator[Follower]:
    """A connection of somebody with a bearer token, which it says first."""
    async with socket(port, host) as follower:
        await follower.say("connection_init", payload={"authorization": f"Bearer {token}"})
        assert (await follower.hear())["type"] == "connection_ack"
        yield follower


@asynccontextmanager
async def streaming(port: int, caller: Api, query: str, **variables: Any) -> AsyncIterator[httpx.Response]:
    """The answer to a request for an event stream."""
    headers = {"host": f"{caller.host}:{port}", "accept": "text/event-stream"}
    if caller.token:
        headers["authorization"] = f"Bearer {caller.token}"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as client,
        client.stream(
            "POST",
            f"http://127.0.0.1:{port}/graphql",
            json={"query": query, "variables": variables},
            headers=headers,
        ) as answer,
    ):
        yield answer


async def told(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    """The events of a stream: their names and what they hold."""
    name = ""
    async for line in answer.aiter_lines():
        kind, _, value = line.partition(": ")
        if kind == "event":
            name = value
        elif kind == "data" or line == "data:":
            yield name, orjson.loads(value) if value.strip() else None
