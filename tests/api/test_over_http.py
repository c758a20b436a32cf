"""GraphQL over HTTP: media types with their statuses, reads by GET that a browser may keep, and what is never kept."""

from typing import Any

import httpx
import pytest

from schema.answers import JSON, RESPONSE
from tests.api.client import Api
from tests.api.conftest import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""None of it depends on the database."""
ME = "{ me { login } }"
REFUSED: dict[str, tuple[str, int, str]] = {
    "what cannot be read": ("{ me", 400, "BAD_REQUEST"),
    "what the schema does not know": ("{ nothing }", 400, "BAD_REQUEST"),
    "what a variable cannot be": ("query($n: Int!) { members(first: $n) { nodes { id } } }", 400, "BAD_REQUEST"),
    "what the role may not use": ("{ tenants { nodes { slug } } }", 403, "FORBIDDEN"),
    "what is too deep": (
        "{ downline { nodes " + "{ sponsor " * 14 + "{ id }" + " }" * 14 + " } }",
        400,
        "OPERATION_TOO_DEEP",
    ),
    "what nests without end": ("{ me " * 600 + "}" * 600, 400, "OPERATION_TOO_DEEP"),
    "values that nest without end": (f"{{ members(search: {'[' * 900}) }}", 400, "OPERATION_TOO_DEEP"),
    "more than two thousand tokens": (f"{{ {'a ' * 2_001}}}", 400, "BAD_REQUEST"),
    "what repeats itself": (f"{{ me {{ {'id ' * 400} }} }}", 400, "TOO_REPETITIVE"),
}


async def asked(api: Api, query: str, accept: str) -> httpx.Response:
    return await api.send(query, {}, {"accept": accept})


async def test_an_operation_that_never_ran_has_no_data_and_says_so_by_its_status(world: World) -> None:
    for name, (query, status, code) in REFUSED.items():
        answer = await asked(world.lotus.owner, query, RESPONSE)
        assert (answer.status_code, answer.headers["content-type"]) == (status, RESPONSE), name
        assert "data" not in answer.json()
        assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}, name
        plain = await asked(world.lotus.owner, query, JSON)
        assert (plain.status_code, plain.headers["content-type"]) == (200, JSON)
        assert plain.json()["data"] is None
        assert plain.json()["errors"] == answer.json()["errors"]
    stranger = await asked(world.lotus.anonymous, "{ members { nodes { id } } }", RESPONSE)
    assert stranger.status_code == 401


async def test_an_operation_that_ran_answers_200_whatever_came_of_it(world: World) -> None:
    for query in (ME, '{ distributor(id: "dst_1") { id } }', "{ members(first: 0) { nodes { id } } }"):
        answer = await asked(world.lotus.owner, query, RESPONSE)
        assert (answer.status_code, answer.headers["content-type"]) == (200, RESPONSE)
        assert "data" in answer.json()


async def test_what_is_no_operation_keeps_its_status_and_the_accepted_type(world: World) -> None:
    api = world.lotus.owner
    for accept, has_data in ((RESPONSE, False), (JSON, True)):
        answer = await api.http("POST", {"accept": accept, "content-type": "application/json"}, content=b"{")
        assert (answer.status_code, answer.headers["content-type"]) == (400, accept)
        assert ("data" in answer.json()) is has_data
    answer = await api.http("PUT", {"accept": RESPONSE}, content=b"{}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    stranger = Api(api.app, api.host, "nonsense")
    assert (await asked(stranger, ME, RESPONSE)).status_code == 401


# -- GET --------------------------------------------------------------------------------------------------------------


async def got(api: Api, query: str, headers: dict[str, str] | None = None, **params: str) -> httpx.Response:
    return await api.http("GET", headers, params={"query": query, **params})


async def test_a_read_by_get_may_be_kept_and_asked_for_again(world: World) -> None:
    api = world.lotus.owner
    first = await got(api, "query($n: Int) { members(first: $n) { nodes { login } } }", variables='{"n": 2}')
    assert len(first.json()["data"]["members"]["nodes"]) == 2
    assert first.headers["cache-control"] == "private, no-cache"
    assert {"authorization", "cookie", "accept-language"} <= set(first.headers["vary"].split(", "))
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await got(api, ME, {"if-none-match": known})
        assert again.status_code == 200, "another operation has another answer"
        same = await got(
            api,
            "query($n: Int) { members(first: $n) { nodes { login } } }",
            {"if-none-match": known},
            variables='{"n": 2}',
        )
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)


async def test_what_somebody_else_reads_is_another_answer(world: World) -> None:
    tag = (await got(world.lotus.owner, ME)).headers["etag"]
    for other in (world.lotus.finance, world.lotus.anonymous, world.cedar.finance):
        answer = await got(other, ME, {"if-none-match": tag})
        assert answer.status_code == 200


async def test_what_was_refused_is_not_kept(world: World) -> None:
    for query in ("{ nothing }", '{ distributor(id: "dst_1") { id } }', "{ tenants { nodes { slug } } }"):
        answer = await got(world.lotus.owner, query)
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_nothing_is_changed_by_get(world: World) -> None:
    owner = world.lotus.owner
    text = 'mutation { createApiKey(input: { name: "by get", scopes: [ORDERS_READ] }) { token } }'
    for query, more in (
        (text, {}),
        (f"query Harmless {ME} {text.replace('mutation', 'mutation Change')}", {"operationName": "Change"}),
    ):
        answer = await got(owner, query, None, **more)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert await owner.ask("{ apiKeys { id } }") == {"apiKeys": []}


async def test_several_operations_at_once_are_refused(world: World) -> None:
    answer = await world.lotus.owner.http("POST", json=[{"query": ME}, {"query": ME}])
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_every_answer_names_its_request(world: World) -> None:
    owner = world.lotus.owner
    seen = set()
    sent: list[tuple[str, dict[str, Any]]] = [
        ("POST", {"json": {"query": ME}}),
        ("POST", {"json": [ME]}),
        ("GET", {"params": {"query": ME}}),
        ("GET", {"params": {"query": "{"}}),
        ("PUT", {"content": b""}),
        ("OPTIONS", {"headers": {"origin": "https://app.example"}}),
    ]
    for method, request in sent:
        answer = await owner.http(method, request.pop("headers", None), **request)
        seen.add(answer.headers["x-request-id"])
    assert len(seen) == len(sent)
