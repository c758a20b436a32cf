"""What callers may get wrong, and how they are told: never as a fault of the server."""

import pytest

from tests.api.conftest import World

WRONG: dict[str, tuple[str, dict[str, object], str]] = {
    "no such field": ("{ nothing }", {}, "BAD_REQUEST"),
    "not a document": ("{ me ", {}, "BAD_REQUEST"),
    "a page too large": ("{ members(first: 1001) { nodes { id } } }", {}, "INVALID_INPUT"),
    "a page of nothing": ("{ members(first: 0) { nodes { id } } }", {}, "INVALID_INPUT"),
    "a cursor of nothing": ('{ members(after: "x") { nodes { id } } }', {}, "INVALID_INPUT"),
    "an id of nothing": ('{ distributor(id: "dst_1") { id } }', {}, "NOT_FOUND"),
    "an id of another kind": (
        '{ distributor(id: "ord_00000000000000000000000000000000") { id } }',
        {},
        "NOT_FOUND",
    ),
    "a moment without an offset": ('{ orders(since: "2026-01-01T00:00:00") { nodes { id } } }', {}, "BAD_REQUEST"),
    "a moment before time": ('{ orders(since: "0001-01-01T00:00:00+14:00") { nodes { id } } }', {}, "BAD_REQUEST"),
    "a day after time": (
        'mutation { closeSettlement(input: { idempotencyKey: "k", day: "9999-12-31" }) { userErrors { code } } }',
        {},
        "BAD_REQUEST",
    ),
    "NUL in a text": ("query($s: String!) { members(search: $s) { nodes { id } } }", {"s": "a\x00"}, "BAD_REQUEST"),
    "NUL in the document": (r'{ members(search: "a\u0000") { nodes { id } } }', {}, "BAD_REQUEST"),
    "a number beyond BigInt": (
        'mutation($n: BigInt!) { requestPayout(input: { idempotencyKey: "k", amountMinor: $n }) '
        "{ userErrors { code } } }",
        {"n": 2**60},
        "BAD_REQUEST",
    ),
    "too deep": ("{ downline { nodes " + "{ sponsor " * 14 + "{ id }" + " }" * 14 + " } }", {}, "OPERATION_TOO_DEEP"),
    "too dear": (
        "{ downline(first: 100) { nodes { children(first: 100) "
        "{ nodes { children(first: 100) { nodes { id } } } } } } }",
        {},
        "COST_EXCEEDED",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_request_is_told_what_is_wrong(world: World, wrong: str) -> None:
    text, variables, code = WRONG[wrong]
    assert await world.lotus.owner.errors(text, **variables) == [code]


async def test_an_operation_is_judged_by_its_own_fields(world: World) -> None:
    """GraphiQL sends all operations of a tab; only the chosen one counts."""
    text = "query Mine { me { login } } query Theirs { tenants { nodes { slug } } }"
    both = {"query": text, "operationName": "Mine"}
    answer = await world.lotus.owner.http("POST", json=both)
    assert answer.json()["data"] == {"me": {"login": "owner"}}
    answer = await world.lotus.owner.http("POST", json={**both, "operationName": "Theirs"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_every_answer_says_what_it_cost_and_which_request_it_was(world: World) -> None:
    answer = await world.lotus.owner.send("{ me { login } }")
    assert answer.json()["extensions"] == {"cost": {"requested": 2, "allowed": 20_000}}
    assert answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"


async def test_moments_go_out_in_utc(world: World) -> None:
    made = (await world.lotus.owner.ask("{ tenant { createdAt } }"))["tenant"]["createdAt"]
    assert made.endswith("+00:00")


async def test_a_bulk_has_a_largest_size(world: World) -> None:
    many = [{"sku": f"S{n}", "name": "x"} for n in range(1001)]
    refused = await world.lotus.operations.attempt("putProducts", "", products=many)
    assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [("INVALID_INPUT", "input.products")]
    assert (await world.lotus.operations.ask("{ products { nodes { sku } } }"))["products"]["nodes"] == []
