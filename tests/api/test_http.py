"""Requests that are no operation: refused in the shape of an answer, never as a fault of the server."""

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
