"""The README's tour, operation by operation, on the demo it describes; then the books are checked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saas import demo
from saas.base.db import Database, reading
from saas.base.scope import tenant_scope
from saas.ledger.checks import run_checks
from tenants import registry
from tests.api.client import Api, make_api

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"<!-- tour: (?P<told>[^>]*) -->\n```graphql\n(?P<text>.*?)```", re.DOTALL)
VARIABLE = re.compile(r"\$(\w+): (\w+)!")


@dataclass
class Stop:
    """One operation of the tour: who runs it, what is kept of its answer, what it is refused with."""

    login: str
    text: str
    kept: dict[str, list[str]]
    refused: str | None


def stops() -> Iterator[Stop]:
    """Every operation of the README."""
    for found in BLOCK.finditer(README.read_text(encoding="utf-8")):
        login, *told = [part.strip() for part in found["told"].split(";")]
        kept = {name: path.split(".") for name, path in (t.split(" = ") for t in told if " = " in t) if "." in path}
        refused = next((t.split()[1] for t in told if t.startswith("refused ")), None)
        yield Stop(login, found["text"], kept, refused)


def user_errors(data: Any) -> list[str]:
    """The codes of every refusal anywhere in an answer."""
    return [
        error["code"]
        for payload in data.values()
        if isinstance(payload, dict)
        for error in payload.get("userErrors", ())
    ]


async def test_every_operation_of_the_tour_does_what_it_says(db: Database) -> None:
    registry.forget()
    await demo.make(lambda *_: None)
    app = make_api().app
    callers: dict[str, Api] = {}
    known: dict[str, Any] = {}
    seen = 0
    for stop in stops():
        if stop.login not in callers:
            slug, _, login = stop.login.rpartition("/")
            visitor = Api(app, f"{slug or 'lotus'}.localhost")
            callers[stop.login] = visitor if login == "anonymous" else await visitor.log_in(login, demo.PASSWORD)
        values = {name: known[name] for name, _ in VARIABLE.findall(stop.text)}
        data = await callers[stop.login].ask(stop.text, **values)
        assert user_errors(data) == ([stop.refused] if stop.refused else []), (stop.text, data)
        if "program" in data and "document" in data["program"]:
            known["document"] = data["program"]["document"]
        for name, path in stop.kept.items():
            value = data
            for step in path:
                value = value[int(step)] if step.isdigit() else value[step]
            known[name] = value
        seen += 1
    assert seen >= 40
    for slug in ("lotus", "cedar", "cdnow"):
        with tenant_scope((await registry.by_slug(slug)).id):
            assert await run_checks() == []


async def counts() -> list[int]:
    """How many rows the demo brands have."""
    found: list[int] = []
    for slug in ("lotus", "cedar", "cdnow"):
        tenant_id = (await registry.by_slug(slug)).id
        with tenant_scope(tenant_id):
            async with reading() as tx:
                tables = ("sales_order", "distributor", "member", "commission")
                counted = ", ".join(f"(SELECT count(*) FROM {t} WHERE tenant_id = $1) AS {t}" for t in tables)
                row = await tx.row(f"SELECT {counted}", tenant_id)
        found += (row or {}).values()
    return found


async def test_the_demo_is_made_once(db: Database) -> None:
    registry.forget()
    logins = await demo.make(lambda *_: None)
    before = await counts()
    assert await demo.make(lambda *_: None) == logins
    assert await counts() == before
