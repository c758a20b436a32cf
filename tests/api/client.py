"""The API as its users call it: HTTP into the ASGI application, a site per brand, sessions like anybody else's."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from graphql import build_schema
from starlette.applications import Starlette

from saas.base.settings import Settings
from schema.http import make_app
from schema.schema import sdl
from tests.conftest import HEARD, tenant_tables

PASSWORD = "a long enough password"
WRITES = re.compile(r"\b(?:INSERT INTO|DELETE FROM|UPDATE) (?!SET\b)(\w+)")
BESIDE = {"idempotency", "login_throttle", "network_tree", "tenant_work"}
BUSINESS = {"tenant", "tenant_domain", *tenant_tables()} - BESIDE
"""Tables in which something of the business stands."""
SEEN = ("last_seen_at = $", "last_used_at = $")
"""When somebody was here last is noted on every call."""
UNTOLD = {"markNotificationsRead"}
"""What somebody has seen of its own inbox is no news to anybody."""
OFTEN = "1000000/second"
"""Tests ask more often than people do."""


@dataclass
class Api:
    """One caller at one site."""

    app: Starlette
    host: str
    token: str | None = None
    language: str | None = None
    cookies: httpx.Cookies = field(default_factory=httpx.Cookies)

    async def http(self, method: str, headers: Mapping[str, str] | None = None, **request: Any) -> httpx.Response:
        """Any request; the bare response."""
        own = {"authorization": f"Bearer {self.token}"} if self.token else {}
        if self.language:
            own["accept-language"] = self.language
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://{self.host}", cookies=self.cookies
        ) as client:
            answer = await client.request(method, "/graphql", headers={**own, **(headers or {})}, **request)
            self.cookies = httpx.Cookies(client.cookies)
            return answer

    async def send(
        self, query: str, variables: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Post an operation; the bare response."""
        return await self.http("POST", headers, json={"query": query, "variables": dict(variables or {})})

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of an operation that must have no errors."""
        answer = (await self.send(query, variables)).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def do(self, mutation: str, selection: str, **given: Any) -> Any:
        """A mutation's payload; it must have been done."""
        payload = await self.attempt(mutation, selection, **given)
        assert payload["userErrors"] == [], payload["userErrors"]
        return payload

    async def attempt(self, mutation: str, selection: str, **given: Any) -> Any:
        """A mutation's payload, done or refused."""
        text = (
            f"mutation($input: {input_type(mutation)}) {{ {mutation}(input: $input) "
            f"{{ {selection} userErrors {{ code field message }} }} }}"
        )
        heard: list[str] = []
        token = HEARD.set(heard)
        try:
            payload = (await self.ask(text, input=given))[mutation]
        finally:
            HEARD.reset(token)
        if payload["userErrors"] == [] and mutation not in UNTOLD:
            check_told(mutation, heard)
        return payload

    async def refused(self, mutation: str, **given: Any) -> list[str]:
        """The codes a mutation is refused with."""
        return [error["code"] for error in (await self.attempt(mutation, "", **given))["userErrors"]]

    async def errors(self, query: str, **variables: Any) -> list[str]:
        """The codes of the errors of an operation that must have some."""
        answer = (await self.send(query, variables)).json()
        return [error["extensions"]["code"] for error in answer["errors"]]

    async def log_in(self, login: str, password: str = PASSWORD) -> "Api":
        """The same site with a bearer session."""
        payload = await self.do("logIn", "token", login=login, password=password, kind="BEARER")
        return Api(self.app, self.host, payload["token"], self.language)

    def at(self, host: str) -> "Api":
        """The same caller at another site."""
        return Api(self.app, host, self.token, self.language)


def check_told(mutation: str, statements: Sequence[str]) -> None:
    """Whatever a mutation changes stands in the audit log, in the transaction that changed it."""
    meant = [sql for sql in statements if not any(seen in sql for seen in SEEN)]
    changed = {table for sql in meant for table in WRITES.findall(sql)} & BUSINESS
    assert not changed or "audit_log" in changed, f"{mutation} changes {sorted(changed)} and tells nobody"


@cache
def input_type(mutation: str) -> str:
    """What a mutation takes, as the schema says."""
    found = build_schema(sdl()).mutation_type
    assert found is not None
    return str(found.fields[mutation].args["input"].type)


def make_api(host: str = "localhost", **settings: Any) -> Api:
    """A caller nobody knows yet, of a server with these settings."""
    rates = dict.fromkeys(("rate_per_user", "rate_per_key", "rate_per_address", "rate_per_tenant"), OFTEN)
    return Api(make_app(Settings(_env_file=None, **{**rates, **settings})), host)
