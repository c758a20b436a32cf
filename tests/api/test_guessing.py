"""Guessing tokens: counted before they are looked up, and nobody else of the same address is shut out."""

import asyncio
from dataclasses import replace

import httpx

from schema.people import COOKIE
from tenants import registry
from tenants.tokens import TokenKind, new_token
from tests.api.client import Api, make_api
from tests.api.conftest import World
from tests.conftest import HEARD

MOST = 4
ME = "{ me { login } }"


def site() -> Api:
    """Lotus' site, on a server of its own that takes few requests of an address."""
    return make_api("lotus.localhost", rate_per_address=f"{MOST}/hour")


async def guess(site: Api, kind: TokenKind = TokenKind.SESSION) -> httpx.Response:
    """A request with a token that might have been one."""
    return await replace(site, token=new_token(kind, (await registry.by_slug("lotus")).id)).send(ME)


async def test_guesses_are_counted_before_they_are_looked_up(world: World) -> None:
    await what_is_guessed_too_often_is_refused_without_a_look(site())
    await who_is_known_here_is_not_shut_out_by_a_neighbour_who_guesses(site(), world)
    await wrong_cookies_are_counted_as_well(site())


async def what_is_guessed_too_often_is_refused_without_a_look(site: Api) -> None:
    statements: list[str] = []
    token = HEARD.set(statements)
    try:
        answers = await asyncio.gather(*[guess(site, kind) for _ in range(MOST) for kind in TokenKind])
    finally:
        HEARD.reset(token)
    assert sorted(answer.status_code for answer in answers) == [401] * MOST + [429] * (2 * MOST)
    looks = [sql for sql in statements if "token_hash" in sql or "key_hash" in sql]
    assert 0 < len(looks) <= MOST
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert 0 < int(refused.headers["retry-after"]) <= 3600


async def who_is_known_here_is_not_shut_out_by_a_neighbour_who_guesses(site: Api, world: World) -> None:
    known, stranger = replace(site, token=world.lotus.owner.token), replace(site, token=world.lotus.auditor.token)
    for _ in range(2 * MOST):
        assert (await known.send(ME)).status_code == 200, "what holds does not count as a guess"
    assert [(await guess(site)).status_code for _ in range(MOST + 1)] == [401] * MOST + [429]
    assert (await known.send(ME)).json()["data"] == {"me": {"login": "owner"}}
    assert (await stranger.send(ME)).status_code == 429, "a token that is new here may be a guess"
    await known.do("logOut", "done")
    assert (await known.send(ME)).status_code == 429, "one that does not hold any more is a guess too"
    assert (await site.send(ME)).status_code == 429


async def wrong_cookies_are_counted_as_well(site: Api) -> None:
    brand = (await registry.by_slug("lotus")).id
    wrong = [{"cookie": f"{COOKIE}={new_token(TokenKind.SESSION, brand)}"} for _ in range(MOST + 1)]
    answers = [await site.send(ME, headers=headers) for headers in wrong]
    assert [answer.status_code for answer in answers] == [200] * MOST + [429]
    assert answers[0].json()["data"] == {"me": None}
