"""Who may do what, as it comes out over HTTP: the gate keeps to the access table and refuses before anything runs."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from saas.base.ids import PLATFORM
from tenants import access_table
from tenants.access import Scope
from tenants.actors import Actor, Role
from tests.api.attack import ENDS_SESSIONS, Attack, actor
from tests.api.client import Api
from tests.api.conftest import World
from tests.api.generated import Root, roots
from tests.api.population import Populated, key_with, nothing, populate
from tests.api.rows import changes, rows_of
from tests.api.values import Names

DENIED = {"FORBIDDEN", "UNAUTHENTICATED"}
Caller = tuple[str, Actor | None, Api]


@pytest.fixture
async def lotus(world: World) -> Populated:
    """A brand with something of everything."""
    return await populate(world.lotus, "lotus")


async def everybody(lotus: Populated, world: World) -> list[Caller]:
    """Each role, each scope of a key alone, and nobody, as the table and as HTTP know them."""
    callers: list[Caller] = [(role, actor(role), caller) for role, caller in lotus.callers.items()]
    for scope in Scope:
        limited = Actor(
            tenant_id=lotus.tenant_id, role=Role.API_KEY, id=None, label=scope, scopes=frozenset({scope.value})
        )
        callers.append((scope, limited, await key_with(lotus.brand, [scope])))
    return [*callers, ("operator", actor("operator"), world.operator)]


async def denials(caller: Api, root: Root, names: Names, selection: str | None = None) -> list[dict[str, Any]]:
    """The gate's refusals of a call."""
    variables = root.variables(names)
    plain = "{ __typename }" if isinstance(get_named_type(root.field.type), GraphQLObjectType) else ""
    answer = (await caller.send(root.document(variables, selection or plain), variables)).json()
    return [error for error in answer.get("errors", ()) if error["extensions"]["code"] in DENIED]


async def test_every_root_field_is_open_to_whom_the_table_says_and_to_nobody_else(
    lotus: Populated, world: World
) -> None:
    callers = await everybody(lotus, world)
    names = replace(lotus.names, ids={**nothing().ids, **lotus.names.ids})
    before = [await rows_of(tenant_id) for tenant_id in (lotus.tenant_id, PLATFORM)]
    refused = 0
    for name, known, caller in callers:
        for root in roots():
            if not access_table.allowed(known, root.coordinate):
                found = await denials(caller, root, names)
                code = "UNAUTHENTICATED" if known is None else "FORBIDDEN"
                assert [error["extensions"]["code"] for error in found] == [code], f"{name} {root.coordinate}"
                refused += 1
    for rows, tenant_id in zip(before, (lotus.tenant_id, PLATFORM), strict=True):
        assert changes(rows, await rows_of(tenant_id)) == {}
    admitted = 0
    for name, known, caller in callers:
        for root in sorted(roots(), key=lambda root: root.name in ENDS_SESSIONS):
            if access_table.allowed(known, root.coordinate):
                visitor = await _of_its_own(name, caller, root)
                assert await denials(visitor, root, nothing()) == [], f"{name} {root.coordinate}"
                admitted += 1
    assert refused + admitted == len(callers) * len(roots())
    assert min(refused, admitted) > len(roots())


async def _of_its_own(name: str, caller: Api, root: Root) -> Api:
    if root.name not in ENDS_SESSIONS or caller.token is None:
        return caller
    return await replace(caller, token=None).log_in("root" if name == "operator" else name)


def ways() -> Iterator[tuple[Root, tuple[str, ...], str]]:
    """To every field of every type the shortest way: the root, the coordinates on it, the selection."""
    seen: set[str] = set()
    queue: deque[tuple[Root, GraphQLObjectType, tuple[str, ...], tuple[str, str]]] = deque()
    for root in roots():
        below = get_named_type(root.field.type)
        if isinstance(below, GraphQLObjectType):
            queue.append((root, below, (root.coordinate,), ("{", "}")))
    while queue:
        root, type_, way, (before, after) = queue.popleft()
        for name, field in type_.fields.items():
            coordinate = f"{type_.name}.{name}"
            if coordinate in seen:
                continue
            seen.add(coordinate)
            below = get_named_type(field.type)
            inner = f"{name} {{ __typename }}" if isinstance(below, GraphQLObjectType) else name
            yield root, (*way, coordinate), f"{before} {inner} {after}"
            if isinstance(below, GraphQLObjectType):
                queue.append((root, below, (*way, coordinate), (f"{before} {name} {{", f"}} {after}")))


async def test_every_field_below_is_refused_by_name_to_whom_the_table_denies_it(lotus: Populated, world: World) -> None:
    callers = await everybody(lotus, world)
    names = nothing()
    told = 0
    for root, way, selection in ways():
        for name, known, caller in callers:
            missing = sorted(c for c in way if not access_table.allowed(known, c))
            if missing:
                found = await denials(caller, root, names, selection)
                told += 1
                if known is None:
                    assert len(found) == len(missing), f"{name} {selection}"
                else:
                    assert [error["extensions"]["coordinate"] for error in found] == missing, f"{name} {selection}"
    assert told > len(callers) * 100


@pytest.mark.parametrize(
    "document",
    [
        "{ harmless: apiKeys { id } }",
        "{ me { id } ...Hidden } fragment Hidden on Query { apiKeys { id } }",
        "{ ... { ... on Query { apiKeys { id } } } }",
        "query Harmless { me { id } } query Chosen { apiKeys { id } }",
        "query($no: Boolean = false) { apiKeys @include(if: $no) { id } }",
    ],
)
async def test_the_gate_sees_through_aliases_fragments_and_names_of_operations(world: World, document: str) -> None:
    given = {"query": document, "operationName": "Chosen" if "Chosen" in document else None}
    answer = (await world.lotus.operations.http("POST", json=given)).json()
    assert {error["extensions"]["coordinate"] for error in answer["errors"]} == {"Query.apiKeys", "ApiKey.id"}
    assert answer["data"] is None


# -- a distributor's own part -----------------------------------------------------------------------------------------


async def own_names(lotus: Populated, mark: str, nowhere: Names) -> Names:
    """Everything that is one distributor's, where it has it: orders, statements, payouts, its bank card, its exit."""
    of = lotus.tree[mark]
    found = await lotus.brand.owner.ask(
        "query($of: ID!) { orders(seller: $of) { nodes { id } } statements(of: $of) { nodes { id } } "
        "payouts(of: $of) { nodes { id } } exits(of: $of) { nodes { id } } payoutDestination(of: $of) { id } }",
        of=of,
    )
    kinds = {"Order": "orders", "Statement": "statements", "Payout": "payouts", "ExitCase": "exits"}
    ids = {kind: found[name]["nodes"][0]["id"] for kind, name in kinds.items() if found[name]["nodes"]}
    if found["payoutDestination"]:
        ids["PayoutDestination"] = found["payoutDestination"]["id"]
    return replace(nowhere, ids={**nowhere.ids, "Distributor": of, **ids}, code=f"LOTUS-DEALER-{mark}")


@pytest.mark.parametrize("other", ["A", "X", "Z"])
async def test_a_distributor_is_told_nothing_of_those_beside_and_above(lotus: Populated, other: str) -> None:
    """Not even that one of them is suspended, which would be the answer to who may know of it."""
    of = {"distributorId": lotus.tree[other]}
    await lotus.brand.operations.do("suspendDistributor", "distributor { id }", **of, reason="to be seen")
    nowhere = replace(nothing(), fixed={"EnrolInput.code": "NEWCOMER"})
    theirs = await own_names(lotus, other, nowhere)
    attack = Attack(lotus.callers["distributor"], "distributor", (nowhere, theirs))
    before = await rows_of(lotus.tenant_id)
    await attack.everything("query")
    await attack.everything("mutation")
    theirs_only = {id_.partition("_")[2] for id_ in theirs.ids.values()}
    moved = changes(before, await rows_of(lotus.tenant_id))
    rows = [str(row).replace("-", "") for changed in moved.values() for row in changed]
    assert [row for row in rows if any(id_ in row for id_ in theirs_only)] == []


async def test_anothers_key_with_its_content_brings_nothing_of_its_order(world: World) -> None:
    """Idempotency answers what was done before only to whom it was done for."""
    cedar = world.cedar
    await cedar.put_products("TEA")
    victim, thief = await cedar.enrol("VICTIM"), await cedar.enrol("THIEF")
    theirs, mine = await cedar.log_in_as(victim, "victim"), await cedar.log_in_as(thief, "thief")
    placed = {
        "sellerId": victim,
        "idempotencyKey": "known",
        "lines": [{"sku": "TEA", "quantity": 1, "amountMinor": 777_777}],
    }
    order = (await theirs.do("placeOrder", "order { id }", **placed))["order"]["id"]
    step = {"orderId": order, "idempotencyKey": "cancel"}
    await theirs.do("cancelOrder", "order { id }", **step)
    for mutation, given, field in (
        ("placeOrder", placed, "input.sellerId"),
        ("placeOrder", {**placed, "sellerId": f"dst_{'0' * 32}"}, "input.sellerId"),
        ("cancelOrder", step, "input.orderId"),
        ("cancelOrder", {**step, "orderId": f"ord_{'0' * 32}"}, "input.orderId"),
    ):
        payload = await mine.attempt(mutation, "order { id goods { amountMinor } }", **given)
        assert payload["order"] is None
        assert [(error["code"], error["field"]) for error in payload["userErrors"]] in (
            [("NOT_FOUND", field)],
            [("IDEMPOTENCY_CONFLICT", "input.idempotencyKey")],
        )


async def test_a_distributor_sees_as_deep_as_the_brand_allows_and_no_names(lotus: Populated) -> None:
    """Lotus shows one generation here, masked; B stands under A, and C under B."""
    owner = lotus.brand.owner
    document = (await owner.ask("{ program { document } }"))["program"]["document"]
    shallow = document.replace("downline_depth: 2", "downline_depth: 1")
    assert shallow != document
    saved = await owner.do("saveProgramDraft", "program { number }", document=shallow)
    await owner.do("activateProgram", "program { status }", number=saved["program"]["number"])
    await lotus.brand.operations.do("enrol", "distributor { id }", **_newcomer())
    top = await lotus.brand.log_in_as(lotus.tree["A"], "top-of-lotus")
    seen = await top.ask("{ downline { nodes { code name phoneMasked idNumberMasked sponsorId level } } }")
    assert [(one["code"], one["name"]) for one in seen["downline"]["nodes"]] == [
        ("LOTUS-DEALER-B", "N**"),
        ("LOTUS-DEALER-X", "N**"),
    ]
    assert {one["idNumberMasked"] for one in seen["downline"]["nodes"]} == {None}
    assert (await top.ask('{ downline(search: "Name of") { nodes { code } } }'))["downline"]["nodes"] == []
    assert await top.errors("{ downline(sort: NAME) { nodes { code } } }") == ["INVALID_INPUT"]
    deeper, nowhere = lotus.tree["C"], f"dst_{'0' * 32}"
    for asked in ("{ distributor(id: $id) { code } }", "{ balance(of: $id) { pending { amountMinor } } }"):
        for id_ in (deeper, nowhere):
            assert await top.errors(f"query($id: ID!) {asked}", id=id_) == ["NOT_FOUND"]
    nested = "query($id: ID!) { distributor(id: $id) { children { nodes { code } } upline { code } sponsor { code } } }"
    below = (await top.ask(nested, id=lotus.tree["B"]))["distributor"]
    assert below["children"]["nodes"] == []
    for id_ in (deeper, nowhere):
        assert await top.ask("query($id: ID!) { upline(of: $id) { code } }", id=id_) == {"upline": []}


def _newcomer() -> dict[str, Any]:
    return {
        "code": "DEEP",
        "name": "Somebody",
        "sponsorCode": "LOTUS-DEALER-B",
        "idNumber": "11010519491231002X",
        "reviewed": True,
        "idempotencyKey": "deep",
    }


async def test_what_a_distributor_sees_is_its_own(lotus: Populated) -> None:
    """B has a placed order; C, below it, has others, which pay B commission."""
    me = lotus.callers["distributor"]
    own = lotus.tree["B"]
    orders = (await me.ask("{ orders { nodes { id sellerId } } }"))["orders"]["nodes"]
    assert {one["sellerId"] for one in orders} == {own}
    assert lotus.orders["placed"] in {one["id"] for one in orders}
    earned = (await me.ask("{ commissions { nodes { beneficiaryId orderId } } }"))["commissions"]["nodes"]
    assert {one["beneficiaryId"] for one in earned} == {own}
    assert lotus.orders["paid"] in {one["orderId"] for one in earned}
    for query in ("order(id: $id) { id }", "order(id: $id) { commissions { amount { amountMinor } } }"):
        assert await me.errors(f"query($id: ID!) {{ {query} }}", id=lotus.orders["paid"]) == ["NOT_FOUND"]
    seller = await lotus.brand.log_in_as(lotus.tree["C"], "seller")
    shares = await seller.ask(
        "query($id: ID!) { order(id: $id) { commissions { level beneficiaryId } } }", id=lotus.orders["paid"]
    )
    assert [one["beneficiaryId"] for one in shares["order"]["commissions"]] == [lotus.tree["C"]]
    for name in ("statements", "payouts", "exits"):
        rows = (await me.ask(f"{{ {name} {{ nodes {{ distributorId }} }} }}"))[name]["nodes"]
        assert {row["distributorId"] for row in rows} <= {own}


async def test_a_distributor_asks_for_no_team_but_its_own(lotus: Populated) -> None:
    me = lotus.callers["distributor"]
    text = "query($of: ID) { orders(teamOf: $of) { nodes { id } } }"
    mine = (await me.ask(text, of=lotus.tree["B"]))["orders"]["nodes"]
    assert lotus.orders["placed"] in {one["id"] for one in mine}
    for mark in "ACZ":
        assert await me.errors(text, of=lotus.tree[mark]) == ["NOT_FOUND"]
        await lotus.callers["operations"].ask(text, of=lotus.tree[mark])


async def test_a_distributor_learns_neither_its_sponsor_nor_why_it_was_moved(lotus: Populated) -> None:
    me, office = lotus.callers["distributor"], lotus.brand.operations
    leaver = {"distributorId": lotus.tree["B"], "kind": "VOLUNTARY", "reason": "moves away"}
    await office.do("quoteExit", "exit { id }", **leaver, idempotencyKey="heir")
    text = "query($of: ID) { exits(of: $of) { nodes { quote { heirId } } } }"
    heirs = [(await who.ask(text, of=lotus.tree["B"]))["exits"]["nodes"][0]["quote"]["heirId"] for who in (office, me)]
    assert heirs == [lotus.tree["A"], None]
    text = "query($id: ID) { distributor(id: $id) { sponsorships { reason } } }"
    told = [(await who.ask(text, id=lotus.tree["C"]))["distributor"]["sponsorships"] for who in (office, me)]
    assert told[0][0]["reason"]
    assert told[1] == [{"reason": None}]


async def test_a_brand_may_show_names_in_full(world: World) -> None:
    """Cedar does, and without end."""
    cedar = await populate(world.cedar, "cedar")
    top = await cedar.brand.log_in_as(cedar.tree["A"], "top-of-cedar")
    seen = (await top.ask("{ downline { nodes { name } } }"))["downline"]["nodes"]
    assert {one["name"] for one in seen} == {f"Name of CEDAR-DEALER-{mark}" for mark in "BCX"}


async def test_operators_make_and_suspend_brands_and_read_nobodys_people(world: World, lotus: Populated) -> None:
    listed = await world.operator.ask("{ tenants { nodes { slug status } } members { nodes { login } } }")
    assert [one["slug"] for one in listed["tenants"]["nodes"]] == ["cedar", "lotus"]
    assert [one["login"] for one in listed["members"]["nodes"]] == ["root"]
    for query in (
        "orders { nodes { id } }",
        "downline { nodes { id } }",
        "apiKeys { id }",
        "settlements { nodes { id } }",
    ):
        assert set(await world.operator.errors(f"{{ {query} }}")) == {"FORBIDDEN"}
