"""What limits, cost, access and rates take of a request: the downline page with all of them, and with all switched off.

Measured in processor time of this process, so that a busy machine disturbs it little; no socket is between.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from statistics import median
from time import process_time
from typing import Any
from unittest.mock import patch

from starlette.applications import Starlette

from bench import operations
from bench.databases import Databases
from bench.figures import Figure, Size
from bench.world import SLUG, World, make_world
from saas.base.db import open_database
from saas.base.settings import Settings, get_settings
from schema.documents import Known
from schema.gate import Gate
from schema.http import make_app
from schema.limits import Size as Measure
from schema.rates import Rates

_OFTEN = "1000000/second"


async def guarded(databases: Databases, kind: str, size: Size) -> Figure:
    """Requests per second of processor time, with the guards and without them, in turns."""
    world = await make_world(await databases.fresh(kind), size.tops, size.wide)
    body = operations.downlines(world, 1)[0]
    sides: tuple[list[float], list[float]] = ([], [])
    async with open_database(world.url):
        app = make_app(Settings(_env_file=None, rate_per_user=_OFTEN, rate_per_tenant=_OFTEN))
        await _rate(app, world, body, size.warm_up)
        for _ in range(size.rounds):
            sides[0].append(await _rate(app, world, body, size.requests))
            with off():
                sides[1].append(await _rate(app, world, body, size.requests))
    name = "guards" if kind == "postgresql" else f"guards_{kind}"
    return Figure(name=name, ours=median(sides[0]), ceiling=median(sides[1]), unit="req/s of CPU")


@contextmanager
def off() -> Iterator[None]:
    """Without access, limits, cost and rates."""
    with (
        patch.object(Gate, "_refused", lambda *_: []),
        patch.object(Rates, "count", lambda *_: None),
        patch.object(Known, "size", lambda *_: Measure()),
    ):
        yield


async def _rate(app: Starlette, world: World, body: bytes, requests: int) -> float:
    """Requests per second of processor time."""
    began = process_time()
    for _ in range(requests):
        await _ask(app, world, body)
    return requests / (process_time() - began)


async def _ask(app: Starlette, world: World, body: bytes) -> None:
    """One request without a socket. Raises ``RuntimeError`` for anything but an answer without errors."""
    told: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    host = f"{SLUG}.{get_settings().base_domain}"
    headers = {"host": host, "authorization": f"Bearer {world.token}", "content-type": "application/json"}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": (host, 80),
    }
    await app(scope, receive, send)
    answer = b"".join(message.get("body", b"") for message in told)
    if told[0]["status"] != 200 or b'"errors":' in answer:
        raise RuntimeError(answer.decode())
