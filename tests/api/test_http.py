"""Requests that are no operation: refused in the shape of an answer, never as a fault of the server."""

import httpx
import pytest

from schema.incoming import BODY_MAX
from schema.people import COOKIE
from tests.api.client import Api, make_api
from tests.api.conftest import World

ME = b"{ me { id } }"
BODIES = [
    b"7",
    b"null",
    b'"x"',
    b"[]",
    b"[7]",
    b"{}",
    b"",
    b"{",
    b'{"query": ""}',
    b'{"query": null}',
    b'{"query": 5}',
    b'{"query": "{ me { id } }", "variables": [1]}',
    b'{"query": "{ me { id } }", "variables": NaN}',
    b'{"query": "{ me { id } }", "extensions": 1}',
    b'{"query": "{ me { id } }", "operationName": 1}',
    b'{"query": "{ me { id } }", "operationName": "Other"}',
    b'{"query": "\\ud800"}',
    b'{"query": "\xff"}',
    b"[" * 100_000,
]


async def refused(api: Api, status: int, method: str = "POST", **request: object) -> None:
    """The request must be refused in the shape of an answer."""
    answer = await api.http(method, {"content-type": "application/json"}, **request)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told["data"] is None
    assert [error["extensions"]["code"] for error in told["errors"]] == ["BAD_REQUEST"]
    assert told["errors"][0]["message"]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:60]))
async def test_what_is_no_operation_is_refused(db: object, body: bytes) -> None:
    await refused(make_api(), 400, content=body)


@pytest.mark.parametrize(
    "params",
    [
        {"query": "mutation { logOut { userErrors { code } } }"},
        {"query": ""},
        {"query": "{ me { id } }", "variables": "[1]"},
        {"query": "{ me { id } }", "variables": "{"},
        {"query": "{ me { id } }", "extensions": "7"},
    ],
)
async def test_what_no_address_may_ask_is_refused(db: object, params: dict[str, str]) -> None:
    await refused(make_api(), 400, "GET", params=params)


async def test_other_methods_and_kinds_of_body_are_refused(db: object) -> None:
    await refused(make_api(), 405, "PUT", content=b"{}")
    answer = await make_api().http("POST", {"content-type": "text/plain"}, content=b"{}")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_a_body_has_a_largest_size(db: object) -> None:
    fits = b'{"query": "{ me { id } }"'.ljust(BODY_MAX - 1) + b"}"
    answer = await make_api().http("POST", {"content-type": "application/json"}, content=fits)
    assert answer.json()["data"] == {"me": None}
    await refused(make_api(), 413, content=fits + b" ")


async def test_an_origin_that_is_none_is_not_the_same(world: World) -> None:
    api = Api(world.lotus.owner.app, world.lotus.owner.host)
    api.cookies.set(COOKIE, "x")
    for origin in ("http://[", "null", "", "http://other.localhost"):
        answer = await api.http("POST", {"origin": origin}, json={"query": ME.decode()})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


async def posted(headers: list[tuple[str, str]]) -> httpx.Response:
    """The answer to an operation under these headers, in this order."""
    api = make_api()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=api.app), base_url=f"http://{api.host}") as client:
        return await client.post("/graphql", content=b'{"query": "{ me { id } }"}', headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        [("content-type", "application/json")],
        [("content-type", "application/json; charset=utf-8"), ("accept", "*/*")],
        [("content-type", "application/json"), ("accept", "Multipart/Mixed; deferSpec=20220824, application/json")],
        [("content-type", "Application/JSON")],
        [("content-type", "application/json"), ("content-type", "text/plain")],
    ],
    ids=str,
)
async def test_an_operation_is_answered_the_same_however_it_is_sent(db: object, headers: list[tuple[str, str]]) -> None:
    """Plainly, or by the way of Strawberry, which takes whatever is unusual."""
    answer = await posted(headers)
    if ("content-type", "Application/JSON") in headers:
        assert answer.status_code == 400  # as Strawberry has it
    else:
        assert (answer.status_code, answer.json()["data"]) == (200, {"me": None})


async def test_the_first_of_two_types_says_what_a_body_is(db: object) -> None:
    answer = await posted([("content-type", "text/plain"), ("content-type", "application/json")])
    assert answer.status_code == 400
