"""The README's tour and the guide of the API, operation by operation, on the demo; then the books are checked."""

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

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "api.md", ROOT / "docs" / "events.md")
BLOCK = re.compile(r"<!-- tour: (?P<told>[^>]*) -->\n```graphql\n(?P<text>.*?)```", re.DOTALL)
VARIABLE = re.compile(r"\$(\w+): (\w+)!")


@dataclass
class Stop:
    """One operation: who runs it, what is kept of its answer, what it is refused with, whether it is sent twice."""

    login: str
    text: str
    kept: dict[str, list[str]]
    refused: str | None
    read_refused: str | None
    twice: bool


def stops() -> Iterator[Stop]:
    """Every operation of the pages."""
    for found in (one for page in PAGES for one in BLOCK.finditer(page.read_text(encoding="utf-8"))):
        login, *told = [part.strip() for part in found["told"].split(";")]
        kept = {name: path.split(".") for name, path in (t.split(" = ") for t in told if " = " in t) if "." in path}
        refused, read = (
            next((t.split()[1] for t in told if t.startswith(f"{word} ")), None) for word in ("refused", "refused-read")
        )
        yield Stop(login, found["text"], kept, refused, read, "twice" in told)


def user_errors(data: Any) -> list[str]:
    """The codes of every refusal anywhere in an answer."""
    return [
        error["code"]
        for payload in data.values()
        if isinstance(payload, dict)
        for error in payload.get("userErrors", ())
    ]


def test_every_operation_that_is_written_down_is_run() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        assert text.count("```graphql") == (len(BLOCK.findall(text)) if page in PAGES else 0), page


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
        if stop.read_refused:
            assert await callers[stop.login].errors(stop.text, **values) == [stop.read_refused]
            continue
        data = await callers[stop.login].ask(stop.text, **values)
        assert not stop.twice or await callers[stop.login].ask(stop.text, **values) == data
        assert user_errors(data) == ([stop.refused] if stop.refused else []), (stop.text, data)
        if "program" in data and "document" in data["program"]:
            known["document"] = data["program"]["document"]
        for name, path in stop.kept.items():
            value = data
            for step in path:
                value = value[int(step)] if step.isdigit() else value[step]
            known[name] = value
        seen += 1
    assert seen >= 50
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
