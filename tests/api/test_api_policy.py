"""What a brand says of its API, and what the server refuses by itself: origins, budgets, strangers, rates, delays."""

import asyncio
from typing import Any

import httpx
import pytest

from saas.base.db import Database, reading, transaction
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope
from saas.base.settings import Environment
from schema.answers import RESPONSE
from tenants import registry
from tenants.access import Scope
from tests.api.client import Api, make_api
from tests.api.conftest import Brand, World
from tests.api.population import key_with
from tests.api.rows import changes, rows_of
from tests.api.test_cancellation import nothing_is_held

ME = "{ me { login } }"
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is decided before any database is asked is the same on both."""
APP = "https://app.lotus.example"
NO_ORIGINS = [
    *(
        "",
        "*",
        "null",
        "app.lotus.example",
        "http://app.lotus.example",
        f"{APP}/path",
        "https://",
        "https://a b",
        "ftp://x",
    )
]
BROWSER = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


def another_server(caller: Api, **settings: Any) -> Api:
    """The same caller at another server on the same database."""
    return Api(make_api(**settings).app, caller.host, caller.token)


async def id_of(slug: str) -> TenantId:
    return (await registry.by_slug(slug)).id


# -- origins ----------------------------------------------------------------------------------------------------------


@ON_SQLITE
async def test_pages_of_registered_origins_may_ask_with_their_cookies_and_nobody_elses(world: World) -> None:
    owner = world.lotus.owner
    assert (await owner.http("OPTIONS", {"origin": APP, **BROWSER})).status_code == 403
    await owner.do("setApiPolicy", "policy { origins }", origins=[APP, f"{APP}:8443", APP.upper()])
    asked = await world.lotus.anonymous.http("OPTIONS", {"origin": APP, **BROWSER})
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers["access-control-allow-origin"] == APP
    assert asked.headers["access-control-allow-credentials"] == "true"
    assert "content-type" in asked.headers["access-control-allow-headers"]
    browser = Api(owner.app, owner.host)
    await browser.do("logIn", "token", login="owner", password="a long enough password")
    answer = await browser.http("POST", {"origin": APP}, json={"query": ME})
    assert answer.json()["data"] == {"me": {"login": "owner"}}
    assert answer.headers["access-control-allow-origin"] == APP
    assert "origin" in answer.headers["vary"].split(", ")
    assert "x-request-id" in answer.headers["access-control-expose-headers"]
    for origin in ("https://app.lotus.example.evil.example", "http://app.lotus.example", f"{APP}:1", "null", f"{APP}/"):
        answer = await browser.http("POST", {"origin": origin}, json={"query": ME})
        assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False), origin
        assert (await browser.http("OPTIONS", {"origin": origin, **BROWSER})).status_code == 403
    cedar = await world.cedar.anonymous.http("POST", {"origin": APP}, json={"query": ME})
    assert (cedar.status_code, "access-control-allow-origin" in cedar.headers) == (403, False)


@ON_SQLITE
async def test_a_page_can_read_why_it_was_refused(world: World) -> None:
    await world.lotus.owner.do("setApiPolicy", "policy { origins }", origins=[APP])
    nobody = Api(world.lotus.owner.app, world.lotus.owner.host, "nonsense")
    for status, request in ((401, {"json": {"query": ME}}), (400, {"content": b"{"})):
        answer = await (nobody if status == 401 else world.lotus.anonymous).http(
            "POST", {"origin": APP, "content-type": "application/json"}, **request
        )
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, APP)


@ON_SQLITE
async def test_what_no_policy_can_be_is_refused(world: World) -> None:
    owner = world.lotus.owner
    for origin in NO_ORIGINS:
        assert await owner.refused("setApiPolicy", origins=[APP, origin]) == ["INVALID_INPUT"], origin
    for most in (0, -1, 49, 20_001):
        limits = [{"caller": "OWNER", "most": most}]
        assert await owner.refused("setApiPolicy", costLimits=limits) == ["INVALID_INPUT"], most
    assert (await owner.ask("{ apiPolicy { origins } }"))["apiPolicy"] == {"origins": []}


async def test_a_policy_changes_only_what_is_named_and_is_written_down(world: World) -> None:
    owner = world.lotus.owner
    before = await rows_of(await id_of("cedar"))
    await owner.do("setApiPolicy", "policy { origins }", origins=[APP], costLimits=[{"caller": "FINANCE", "most": 77}])
    kept = await owner.do("setApiPolicy", "policy { trustedOnly origins costLimits { caller most } }")
    assert kept["policy"]["origins"] == [APP]
    assert {one["caller"]: one["most"] for one in kept["policy"]["costLimits"]}["FINANCE"] == 77
    emptied = await owner.do("setApiPolicy", "policy { origins costLimits { caller most } }", origins=[], costLimits=[])
    assert emptied["policy"]["origins"] == []
    assert {one["caller"]: one["most"] for one in emptied["policy"]["costLimits"]}["FINANCE"] == 20_000
    lines = (await owner.ask('{ auditLog(action: "tenant.api_policy") { nodes { detail } } }'))["auditLog"]["nodes"]
    assert len(lines) == 3
    assert APP in lines[2]["detail"]
    assert changes(before, await rows_of(await id_of("cedar"))) == {}
    assert (await world.cedar.owner.ask("{ apiPolicy { origins } }"))["apiPolicy"] == {"origins": []}


# -- budgets ----------------------------------------------------------------------------------------------------------


@ON_SQLITE
async def test_every_kind_of_caller_has_a_budget_that_a_brand_may_lower_for_itself(world: World) -> None:
    lotus, page = world.lotus, "{ products(first: 30) { nodes { sku name } } }"
    key = await key_with(lotus, [Scope.CATALOG_READ])
    limits = [{"caller": "API_KEY", "most": 90}, {"caller": "FINANCE", "most": 91}, {"caller": "ANONYMOUS", "most": 50}]
    await lotus.owner.do("setApiPolicy", "policy { trustedOnly }", costLimits=limits)
    answer = (await key.send(page)).json()
    assert answer["errors"][0]["extensions"] == {"code": "COST_EXCEEDED", "found": 91, "most": 90}
    assert answer["extensions"] == {"cost": {"requested": 91, "allowed": 90}}
    answer = (await lotus.finance.send(page)).json()
    assert answer["extensions"] == {"cost": {"requested": 91, "allowed": 91}}
    assert answer["data"]
    assert await lotus.anonymous.errors(f"{{ tenant {{ {'slug ' * 50} }} }}") == ["COST_EXCEEDED"]
    for other in (lotus.owner, lotus.operations, world.cedar.finance):
        assert (await other.send(page)).json()["extensions"]["cost"]["allowed"] == 20_000
    assert (await world.cedar.anonymous.send("{ tenant { slug } }")).json()["extensions"]["cost"]["allowed"] == 500


# -- strangers in production ------------------------------------------------------------------------------------------


GUESSES = [
    "{ tenantt { slug } }",
    "{ tenant { slugg } }",
    "query($x: LogInInputt) { tenant { slug } }",
    'mutation { logIn(input: { logn: "x", password: "y" }) { token } }',
    'mutation { logIn(input: { login: "x", password: "y", kind: BEARERR }) { token } }',
]


@ON_SQLITE
async def test_strangers_are_told_nothing_of_the_schema_in_production(world: World) -> None:
    stranger = another_server(world.lotus.anonymous, environment=Environment.PRODUCTION)
    member = another_server(world.lotus.finance, environment=Environment.PRODUCTION)
    for text in (
        "{ __schema { types { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { __schema { description } }",
    ):
        assert await stranger.errors(text) == ["UNAUTHENTICATED"]
        assert "errors" not in (await member.send(text)).json()
        assert "errors" not in (await world.lotus.anonymous.send(text)).json()
    assert await stranger.ask("{ __typename tenant { __typename } }")
    for text in GUESSES:
        assert "Did you mean" not in (await stranger.send(text)).text, text
        assert "Did you mean" in (await member.send(text)).text, text
        assert "Did you mean" in (await world.lotus.anonymous.send(text)).text, text
    variables = {"input": {"login": "x", "password": "y", "kind": "BEARERR"}}
    text = "mutation($input: LogInInput!) { logIn(input: $input) { token } }"
    assert "Did you mean" not in (await stranger.send(text, variables)).text
    assert "Did you mean" in (await member.send(text, variables)).text


# -- rates and time ---------------------------------------------------------------------------------------------------


@ON_SQLITE
async def test_too_many_requests_are_told_how_long_to_wait(world: World) -> None:
    finance = another_server(world.lotus.finance, rate_per_user="2/hour")
    operations = Api(finance.app, finance.host, world.lotus.operations.token)
    for _ in range(2):
        assert await finance.ask(ME)
    for accept in ("application/json", RESPONSE):
        answer = await finance.send(ME, {}, {"accept": accept, "accept-language": "zh-CN"})
        assert (answer.status_code, answer.headers["content-type"]) == (429, accept)
        assert 0 < int(answer.headers["retry-after"]) <= 3600
        assert answer.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}
        assert "请求过多" in answer.json()["errors"][0]["message"]
    assert await operations.ask(ME), "somebody else is not held up"


@ON_SQLITE
async def test_a_flood_of_wrong_tokens_counts_by_its_address(world: World) -> None:
    guesser = Api(make_api(rate_per_address="3/hour").app, world.lotus.owner.host, "bynt_1_nonsense")
    statuses = [(await guesser.send(ME)).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]


async def test_a_request_that_takes_too_long_is_stopped_and_leaves_nothing(
    world: World, db: Database, database_url: str
) -> None:
    """It waits for a row that somebody else holds, and has claimed its key by then."""
    lotus, tenant_id = world.lotus, await id_of("lotus")
    await lotus.enrol("FIRST")
    hasty = another_server(lotus.operations, request_seconds=1)
    given = {"code": "LATE", "name": "Late", "idempotencyKey": "late", "reviewed": True}
    before = await rows_of(tenant_id)
    locked, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        with tenant_scope(tenant_id):
            async with transaction() as tx:
                await tx.execute("UPDATE network_tree SET moves = moves WHERE tenant_id = $1", tx.tenant_id)
                locked.set()
                await done.wait()

    holding = asyncio.create_task(hold())
    await locked.wait()
    text = "mutation($input: EnrolInput!) { enrol(input: $input) { distributor { code } userErrors { code } } }"
    answer: httpx.Response = await hasty.send(text, {"input": given})
    done.set()
    await holding
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "TIMED_OUT")
    assert changes(before, await rows_of(tenant_id)) == {}
    await nothing_is_held(db, database_url, tenant_id)
    assert (await lotus.operations.do("enrol", "distributor { code }", **given))["distributor"] == {"code": "LATE"}


@ON_SQLITE
async def test_the_way_in_is_never_closed_by_a_brands_own_policy(world: World) -> None:
    """The lowest budget there is still lets an owner put it back."""
    lotus: Brand = world.lotus
    lowest = [{"caller": "OWNER", "most": 50}]
    await lotus.owner.do("setApiPolicy", "policy { trustedOnly }", costLimits=lowest)
    await lotus.owner.do("setApiPolicy", "policy { trustedOnly }", costLimits=[])
    with tenant_scope(await id_of("lotus")):
        async with reading() as tx:
            assert await tx.value("SELECT cost_limits FROM tenant WHERE id = $1", tx.tenant_id) == ""
