"""Coming in and staying in, over HTTP: cookies, origins, hosts, throttling, and everything that ends it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saas.base import clock
from tests.api.client import PASSWORD, Api, make_api
from tests.api.conftest import World

LOG_IN = "mutation($input: LogInInput!) { logIn(input: $input) { token member { login } userErrors { code message } } }"
ME = "{ me { login } }"
FAILED = ("LOGIN_FAILED",)


async def attempt(api: Api, login: str = "owner", password: str = PASSWORD, **more: Any) -> Any:
    """A log-in's payload, whatever came of it."""
    return (await api.ask(LOG_IN, input={"login": login, "password": password, **more}))["logIn"]


def codes(payload: Any) -> tuple[str, ...]:
    """The codes of a payload's refusals."""
    return tuple(error["code"] for error in payload["userErrors"])


async def login_of(api: Api) -> str | None:
    """Who the server takes the caller for."""
    me = (await api.ask(ME))["me"]
    return None if me is None else str(me["login"])


async def test_a_browser_gets_a_cookie_that_scripts_and_other_sites_cannot_use(world: World) -> None:
    browser = make_api("lotus.localhost")
    answer = await browser.send(LOG_IN, {"input": {"login": "owner", "password": PASSWORD}})
    assert answer.json()["data"]["logIn"] == {"token": None, "member": {"login": "owner"}, "userErrors": []}
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "domain=" not in cookie
    assert await login_of(browser) == "owner"
    assert await login_of(make_api("lotus.localhost")) is None


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://cedar.localhost", "http://lotus.localhost:81", "null"]
)
async def test_a_cookie_from_another_sites_page_is_refused(world: World, origin: str) -> None:
    browser = make_api("lotus.localhost")
    await attempt(browser)
    before = (await browser.ask("{ mySessions { id } }"))["mySessions"]
    forged = await browser.send("mutation { logOut(input: {everywhere: true}) { done } }", headers={"origin": origin})
    assert forged.status_code == 403
    assert forged.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await browser.ask("{ mySessions { id } }"))["mySessions"] == before
    own = await browser.send(ME, headers={"origin": "http://lotus.localhost"})
    assert own.json()["data"]["me"] == {"login": "owner"}


async def test_nothing_is_changed_by_a_link(world: World) -> None:
    """A browser sends a lax cookie along when somebody follows a link: GET must not write."""
    browser = make_api("lotus.localhost")
    await attempt(browser)
    answer = await browser.http("GET", params={"query": "mutation { logOut(input: {everywhere: true}) { done } }"})
    assert answer.status_code in {400, 405}
    assert await login_of(browser) == "owner"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_a_form_of_another_page_is_no_operation(world: World, kind: str) -> None:
    """These bodies cross origins without asking first; an old browser may leave the origin out."""
    browser = make_api("lotus.localhost")
    await attempt(browser)
    body = '{"query": "mutation { logOut(input: {everywhere: true}) { done } }"}'
    answer = await browser.http("POST", {"content-type": kind}, content=body)
    assert answer.status_code in {400, 415}
    assert await login_of(browser) == "owner"


async def test_a_bearer_token_of_another_brand_is_as_unknown_as_a_made_up_one(world: World) -> None:
    for caller in (world.lotus.owner, world.lotus.auditor, world.operator):
        strange = caller.at("cedar.localhost")
        made_up = replace(strange, token=str(caller.token)[:-1] + ("a" if str(caller.token)[-1] != "a" else "b"))
        answers = [await api.send(ME) for api in (strange, made_up, replace(strange, token="nonsense"))]
        assert {answer.status_code for answer in answers} == {401}
        assert len({answer.text for answer in answers}) == 1
    assert await login_of(world.lotus.owner.at("localhost")) == "owner"


async def test_a_cookie_of_another_brand_is_nobodys(world: World) -> None:
    browser = make_api("lotus.localhost")
    await attempt(browser)
    strange = make_api("cedar.localhost")
    for name, value in browser.cookies.items():
        strange.cookies.set(name, value)
    assert await login_of(strange) is None


@pytest.mark.parametrize(
    "host", ["nowhere.localhost", "evil.example", "lotus.localhost.evil.example", "a.lotus.localhost"]
)
async def test_an_unknown_site_is_not_there(world: World, host: str) -> None:
    answer = await world.lotus.owner.at(host).send(ME)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


async def test_a_domain_of_its_own_leads_to_the_brand(world: World) -> None:
    await world.operator.do("addTenantDomain", "tenant { slug }", slug="lotus", host="partners.lotus.example")
    assert await login_of(world.lotus.owner.at("partners.lotus.example")) == "owner"
    assert (await world.cedar.owner.at("partners.lotus.example").send(ME)).status_code == 401


async def test_a_suspended_brand_looks_as_if_it_did_not_exist(world: World) -> None:
    browser = make_api("lotus.localhost")
    await attempt(browser)
    await world.operator.do("setTenantStatus", "tenant { status }", slug="lotus", status="SUSPENDED", reason="unpaid")
    gone, nowhere = [await world.lotus.owner.at(f"{slug}.localhost").send(ME) for slug in ("lotus", "nowhere")]
    assert (gone.status_code, gone.text) == (404, nowhere.text)
    assert (await browser.send(ME)).status_code == 404
    assert (await world.lotus.owner.at("localhost").send(ME)).status_code == 401
    refusals = [await attempt(make_api(), tenant=slug) for slug in ("lotus", "nowhere")]
    assert refusals[0] == refusals[1]
    assert codes(refusals[0]) == FAILED
    await world.operator.do("setTenantStatus", "tenant { status }", slug="lotus", status="ACTIVE", reason="paid")
    assert await login_of(world.lotus.owner) == "owner"


async def test_whatever_was_wrong_the_answer_is_the_same(world: World) -> None:
    await world.lotus.owner.do(
        "createMember", "member { id }", login="gone", password=PASSWORD, name="Gone", role="AUDITOR"
    )
    members = (await world.lotus.owner.ask("{ members { nodes { id login } } }"))["members"]["nodes"]
    gone = next(one["id"] for one in members if one["login"] == "gone")
    await world.lotus.owner.do("setMemberStatus", "member { status }", memberId=gone, status="DISABLED")
    site = make_api("lotus.localhost")
    tries = [
        await attempt(site, "nobody"),
        await attempt(site, "owner", "not the password"),
        await attempt(site, "gone"),
        await attempt(make_api(), "owner", tenant="nowhere"),
        await attempt(make_api(), "owner", "not the password", tenant="lotus"),
        await attempt(make_api(), "owner"),
    ]
    assert len({str(one) for one in tries}) == 1
    assert codes(tries[0]) == FAILED
    assert (await attempt(make_api(), "owner", tenant="lotus"))["member"] == {"login": "owner"}


async def test_guessing_is_slowed_down_for_the_right_password_too_and_ends(world: World) -> None:
    site = make_api("lotus.localhost")
    now = datetime.now(UTC)
    with clock.at(now):
        assert [codes(await attempt(site, "finance", f"guess {n} of many")) for n in range(5)] == [FAILED] * 5
        assert codes(await attempt(site, "finance")) == ("LOGIN_THROTTLED",)
        assert codes(await attempt(make_api(), "finance", tenant="lotus")) == ("LOGIN_THROTTLED",)
        assert codes(await attempt(site, "auditor")) == ()
        assert codes(await attempt(make_api("cedar.localhost"), "finance")) == ()
    with clock.at(now + timedelta(seconds=61)):
        assert codes(await attempt(site, "finance")) == ()


async def test_many_guesses_in_one_operation_are_counted_one_by_one(world: World) -> None:
    tries = "\n".join(
        f'a{n}: logIn(input: {{login: "finance", password: "guess number {n}"}}) {{ userErrors {{ code }} }}'
        for n in range(8)
    )
    answer = await make_api("lotus.localhost").ask(f"mutation {{ {tries} }}")
    assert [codes(answer[f"a{n}"]) for n in range(8)] == [FAILED] * 5 + [("LOGIN_THROTTLED",)] * 3


async def test_logging_out_ends_it(world: World) -> None:
    here, there = [await world.lotus.anonymous.log_in("finance") for _ in range(2)]
    await here.do("logOut", "done")
    assert (await here.send(ME)).status_code == 401
    assert await login_of(there) == "finance"
    await there.do("logOut", "done", everywhere=True)
    assert (await there.send(ME)).status_code == 401
    assert (await world.lotus.finance.send(ME)).status_code == 401


async def test_logging_out_takes_the_cookie_back(world: World) -> None:
    browser = make_api("lotus.localhost")
    await attempt(browser)
    kept = list(browser.cookies.items())
    await browser.do("logOut", "done")
    assert list(browser.cookies.items()) == []
    for name, value in kept:
        browser.cookies.set(name, value)
    assert await login_of(browser) is None


@pytest.mark.parametrize("how", ["disabled", "reset", "revoked", "expired"])
async def test_a_session_ends_with_what_it_rests_on(world: World, how: str) -> None:
    owner, finance = world.lotus.owner, world.lotus.finance
    found = (await owner.ask('{ members(search: "finance") { nodes { id } } }'))["members"]["nodes"][0]["id"]
    later = datetime.now(UTC) + timedelta(hours=12, minutes=1)
    if how == "disabled":
        await owner.do("setMemberStatus", "member { status }", memberId=found, status="DISABLED")
    elif how == "reset":
        await owner.do("resetPassword", "done", memberId=found, password="another long password")
    elif how == "revoked":
        await owner.do("revokeSessions", "done", memberId=found)
    with clock.at(later if how == "expired" else datetime.now(UTC)):
        assert (await finance.send(ME)).status_code == 401


async def test_answers_belong_to_one_caller(world: World) -> None:
    answer = await world.lotus.owner.send(ME)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
