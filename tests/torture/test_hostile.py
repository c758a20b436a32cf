"""Whatever strangers and members send is answered or refused; it is never a fault of the server, and the books hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from starlette.types import Message

from saas.base.db import Database
from tenants.access import Scope
from tests.api.client import Api
from tests.api.conftest import make_world
from tests.api.population import key_with, populate
from tests.torture.hostile import drawn, heads, operations, spoiled
from tests.torture.sizes import FULL, SIZE, chance

SHARES = {"owner": 5, "finance": 1, "distributor": 3, "operator": 1, "anonymous": 1, "key": 1}
"""Of twelve operations, how many each sends."""

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Target:
    """Who sends, and what there is to be named."""

    callers: Mapping[str, Api]
    ids: list[str]


@pytest.fixture
async def target(db: Database) -> Target:
    """A brand with something of everything; with a handful of things where the count is small."""
    world = await make_world()
    if SIZE is FULL:
        lotus = await populate(world.lotus, "lotus")
        ids = [*lotus.names.ids.values(), lotus.names.code, lotus.names.sku]
        return Target({**lotus.callers, "operator": world.operator}, ids)
    brand = world.lotus
    await brand.put_products("TEA")
    seller = await brand.enrol("SELLER")
    line = {"sku": "TEA", "quantity": 1, "amountMinor": 20_000}
    sold = {"sellerId": seller, "lines": [line], "idempotencyKey": "sold"}
    order = (await brand.operations.do("placeOrder", "order { id lines { id } }", **sold))["order"]
    callers = {"owner": brand.owner, "finance": brand.finance, "anonymous": brand.anonymous, "operator": world.operator}
    callers |= {"distributor": await brand.log_in_as(seller, "seller"), "key": await key_with(brand, list(Scope))}
    return Target(callers, [seller, order["id"], order["lines"][0]["id"], "TEA", "SELLER"])


async def test_nothing_that_is_sent_is_a_fault_of_the_server(target: Target) -> None:
    await operations_are_answered(target)
    await heads_are_refused(target)


async def operations_are_answered(target: Target) -> None:
    """Operations of the schema, with hostile strings and with ids of what is there."""
    random, sent, answered = chance(), 0, 0
    for role, share in SHARES.items():
        for text in operations(role, max(1, SIZE.hostile * share // sum(SHARES.values())), random):
            hostile = spoiled(text, random, target.ids)
            response = await target.callers[role].send(hostile)
            assert response.status_code < 500, hostile
            assert "INTERNAL" not in codes(response.json()), f"{role}: {hostile}: {response.text}"
            sent, answered = sent + 1, answered + (response.json().get("data") is not None)
    assert sent >= SIZE.hostile - len(SHARES)
    assert answered > sent // 10, "most of it never came past the gate"


def codes(answer: dict[str, Any]) -> list[str]:
    return [error.get("extensions", {}).get("code", "") for error in answer.get("errors") or ()]


async def heads_are_refused(target: Target) -> None:
    """Tokens, cookies, hosts and other headers; none that was not given logs anybody in."""
    random = chance()
    tokens = tuple(caller.token for caller in target.callers.values() if caller.token)
    for method, path, headers, body in drawn(heads(tokens), SIZE.hostile, random):
        status, answer = await raw(target.callers["owner"], method, path, headers, body, random)
        told = f"{method} {path} {headers} {body!r}: {status} {answer!r}"
        assert 200 <= status < 500, told
        shown = b" ".join(value for name, value in headers if name in {b"authorization", b"cookie"})
        if b'"id":"mem_' in answer:
            assert any(token.encode() in shown for token in tokens), told


async def raw(
    api: Api, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes, random: Random
) -> tuple[int, bytes]:
    """Send what no client would; the status and the body. Raises what the application lets through."""
    cut = random.randrange(len(body) + 1)
    coming = [
        {"type": "http.request", "body": body[:cut], "more_body": True},
        {"type": "http.request", "body": body[cut:], "more_body": False},
    ]
    status, parts = 0, []

    async def receive() -> Message:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        parts.append(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": random.choice([b"", b"query={me{id}}", b"query=%ff", b"variables=[", b"\xff"]),
        "headers": headers,
        "client": random.choice([None, ("10.0.0.1", 5)]),
        "server": ("localhost", 80),
    }
    await api.app(scope, receive, send)
    return status, b"".join(parts)
