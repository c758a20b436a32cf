"""The README's tour and the guide of the API, operation by operation, on the demo; then the books are checked."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from saas import demo
from saas.base.db import Database, reading
from saas.base.scope import tenant_scope
from saas.ledger.checks import run_checks
from tenants import registry
from tests.api.client import Api, make_api

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "api"
PAGES = (ROOT / "README.md", *sorted(GUIDE.glob("*.md")), ROOT / "docs" / "events.md")
BLOCK = re.compile(r"<!-- tour: (?P<told>[^>]*) -->\n```graphql\n(?P<text>.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
WAYS = {"twice", "by-get", "by-hash"}
VARIABLE = re.compile(r"\$(\w+): (\w+)!")


@dataclass
class Stop:
    """One operation: who runs it, what is kept of its answer, what it is refused with, and how else it is sent."""

    login: str
    text: str
    kept: dict[str, list[str]]
    refused: str | None
    read_refused: str | None
    also: frozenset[str]


def stops() -> Iterator[Stop]:
    """Every operation of the pages."""
    for found in (one for page in PAGES for one in BLOCK.finditer(page.read_text(encoding="utf-8"))):
        login, *told = [part.strip() for part in found["told"].split(";")]
        kept = {name: path.split(".") for name, path in (t.split(" = ") for t in told if " = " in t) if "." in path}
        refused, read = (
            next((t.split()[1] for t in told if t.startswith(f"{word} ")), None) for word in ("refused", "refused-read")
        )
        yield Stop(login, found["text"], kept, refused, read, frozenset(told) & WAYS)


async def again(caller: Api, way: str, text: str, values: dict[str, Any]) -> Any:
    """The data of the same operation, sent once more in some way."""
    if way == "by-get":
        answer = await caller.http("GET", params={"query": text, "variables": json.dumps(values)})
        same = {"if-none-match": answer.headers["etag"]}
        kept = await caller.http("GET", same, params={"query": text, "variables": json.dumps(values)})
        assert kept.status_code == 304
        return answer.json()["data"]
    if way == "by-hash":
        asked = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}}
        unknown = (await caller.http("POST", json=asked)).json()
        assert unknown["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        await caller.http("POST", json={**asked, "query": text, "variables": values})
        return (await caller.http("POST", json={**asked, "variables": values})).json()["data"]
    return await caller.ask(text, **values)


def user_errors(data: Any) -> list[str]:
    """The codes of every refusal anywhere in an answer."""
    return [
        error["code"]
        for payload in data.values()
        if isinstance(payload, dict)
        for error in payload.get("userErrors", ())
    ]


def test_every_page_of_the_guide_is_found_from_its_first_and_has_something_to_run() -> None:
    index = (GUIDE / "README.md").read_text(encoding="utf-8")
    for page in GUIDE.glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index, page
        assert BLOCK.search(page.read_text(encoding="utf-8")), page


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page}: {link}"


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
        for way in stop.also:
            assert await again(callers[stop.login], way, stop.text, values) == data, (way, stop.text)
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
