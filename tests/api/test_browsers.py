"""What answers tell browsers, and the cookie of an installation that is reached over HTTPS."""

from collections.abc import Iterator

import pytest

from saas.base.settings import get_settings
from schema.headers import HTTPS_ONLY, NOTHING
from tests.api.client import PASSWORD, Api, make_api
from tests.api.conftest import World

LOG_IN = "mutation($input: LogInInput!) { logIn(input: $input) { member { login } userErrors { code } } }"
ME = "{ me { login } }"
OWN = "__Host-banyan_session"


@pytest.fixture
def https(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation with SECURE_COOKIES."""
    monkeypatch.setenv("SECURE_COOKIES", "true")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


async def test_every_answer_tells_browsers_to_make_nothing_of_it(db: object) -> None:
    answers = [
        await make_api().send(ME),
        await make_api().send("{ nothing }"),
        await make_api("nowhere.localhost").send(ME),
        await make_api().http("PUT"),
        await make_api().http("GET", params={"query": ME}),
        await make_api().http("POST", {"accept": "text/event-stream"}, json={"query": ME}),
    ]
    for answer in answers:
        told = [answer.headers.get_list(name) for name in ("content-security-policy", "x-content-type-options")]
        assert told == [[NOTHING.decode()], ["nosniff"]], answer.text
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in answer.headers
    await graphiqls_page_may_run_its_own_scripts_and_nothing_else()


async def graphiqls_page_may_run_its_own_scripts_and_nothing_else() -> None:
    page = await make_api().http("GET", {"accept": "text/html"})
    (policy,) = page.headers.get_list("content-security-policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
    script = rules["script-src"].split()
    assert script[0] == "'self'"
    assert [one.startswith("'sha256-") for one in script[1:]] == [True]
    assert rules["connect-src"] == "'self'"


async def test_over_https_browsers_are_told_to_stay_there_and_the_cookie_is_the_sites_alone(
    https: None, world: World
) -> None:
    for host in ("localhost", "nowhere.localhost"):
        assert (await make_api(host).send(ME)).headers["strict-transport-security"] == HTTPS_ONLY.decode()
    await the_cookie_is_the_sites_alone()


async def the_cookie_is_the_sites_alone() -> None:
    browser = make_api("lotus.localhost")
    answer = await browser.send(LOG_IN, {"input": {"login": "owner", "password": PASSWORD}})
    cookie = answer.headers["set-cookie"]
    name, _, token = cookie.partition(";")[0].partition("=")
    assert name == OWN
    attributes = {one.strip().lower() for one in cookie.split(";")[1:]}
    assert {"httponly", "secure", "path=/", "samesite=lax"} <= attributes
    assert not any(one.startswith("domain") for one in attributes)
    assert await taken_for(browser, OWN, token) == {"login": "owner"}
    assert await taken_for(browser, "banyan_session", token) is None
    gone = await browser.send("mutation { logOut(input: {}) { done } }", headers={"cookie": f"{OWN}={token}"})
    assert gone.headers["set-cookie"].startswith(f'{OWN}="";')
    assert "Secure" in gone.headers["set-cookie"]
    assert await taken_for(browser, OWN, token) is None


async def taken_for(browser: Api, name: str, token: str) -> object:
    """Who a cookie of that name is."""
    answer = await browser.send(ME, headers={"cookie": f"{name}={token}"})
    return answer.json()["data"]["me"]
