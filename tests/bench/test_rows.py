"""Every benchmark runs, and its ceiling does the same work as the product: only then do the figures mean anything."""

import sqlite3
from contextlib import closing
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from starlette.applications import Starlette

from bench import handwritten, peer, rows
from bench.bare_import import TABLES
from bench.databases import Databases
from bench.figures import TINY, Figure, Load, compared
from bench.handwritten_db import open_store
from bench.world import World, make_world
from saas.base.db import open_database, reading
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope
from saas.base.settings import Settings
from saas.ledger.checks import run_checks
from schema.http import make_app

KINDS = ("sqlite", "postgresql")
BENCH = TenantId(1)
ITS_OWN = {
    *("id", "order_id", "line_id", "number", "result", "reference_id", "transaction_id", "subject", "subject_id"),
    *("key", "idempotency_key", "input_hash", "recorded_at", "created_at", "decided_at", "at", "seq"),
}
"""What differs between two orders that are the same."""
TOLD_OF_AN_ORDER = {"order.placed", "order.paid", "balance.changed", "commission.earned"}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_bare_import_leaves_the_rows_that_the_product_left(databases: Databases, kind: str) -> None:
    done = await rows.imported(databases, kind, TINY)
    assert f"{TINY.log_rows} orders placed" in done.ours.output
    assert done.ours.peak_mb > 0
    ours, bare = await contents(done.url), await contents(done.bare)
    assert len(ours["sales_order"]) == TINY.log_rows
    assert all(ours.values())
    assert ours == bare


@pytest.mark.parametrize("kind", KINDS)
async def test_the_rows_of_the_api_run(databases: Databases, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PostGraphile, which would have to be installed first."""
    monkeypatch.setattr(peer, "NODE_LEAST", 1_000)
    said: list[str] = []
    figures = await rows.api(databases, kind, TINY, said.append)
    names = [figure.name.removesuffix("_sqlite") for figure in figures]
    memory = ["memory_mb", "memory_growth"] if kind == "postgresql" else ["memory_mb"]
    assert names == ["first_request", *rows.OPERATIONS, *memory]
    assert [line for line in said if "PostGraphile" in line] == (
        ["no rows beside PostGraphile: they need Node 1000 or later"] if kind == "postgresql" else []
    )
    assert all(figure.ours > 0 and figure.ceiling > 0 for figure in figures)


@pytest.mark.parametrize("kind", KINDS)
async def test_handwritten_handlers_answer_and_write_what_the_product_does(databases: Databases, kind: str) -> None:
    world = await make_world(await databases.fresh(kind), 1)
    store = handwritten.app.state.store = await open_store(world.url)
    try:
        async with open_database(world.url):
            product = make_app(Settings(_env_file=None))
            for name, bodies in rows.OPERATIONS.items():
                ours = await ask(product, "/graphql", world, bodies(world, 1)[0])
                ceiling = await ask(handwritten.app, f"/{name}", world, bodies(world, 1)[0])
                assert without_its_own(ours) == without_its_own(ceiling)
                assert ours
            with tenant_scope(BENCH):
                assert await run_checks() == []
                await check_written_twice()
    finally:
        await store.close()


async def check_written_twice() -> None:
    """One order is the product's, the other the ceiling's: apart from what is its own, every row is there twice."""
    async with reading() as tx:
        for table in (*TABLES, "event"):
            found = await tx.rows(f"SELECT * FROM {table} WHERE tenant_id = $1", tx.tenant_id)
            if table == "audit_log":
                found = [row for row in found if row["action"] == "order.place"]
            if table == "event":
                found = [row for row in found if row["kind"] in TOLD_OF_AN_ORDER]
            if table == "idempotency":
                found = [row for row in found if row["operation"] == "order.place"]
            plain = sorted(repr(without_its_own(dict(row))) for row in found)
            if table in {"balance", "sales_day"}:
                assert len(plain) == {"balance": 3, "sales_day": 1}[table]
            else:
                assert plain
                assert plain[::2] == plain[1::2], table


def without_its_own(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_its_own(part) for name, part in value.items() if name not in ITS_OWN}
    return [without_its_own(part) for part in value] if isinstance(value, list) else value


async def ask(app: Starlette, path: str, world: World, body: bytes) -> Any:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench.localhost") as client:
        headers = {"authorization": f"Bearer {world.token}", "content-type": "application/json"}
        answer = await client.post(path, content=body, headers=headers)
    assert answer.status_code == 200
    return orjson.loads(answer.content)["data"]


async def contents(url: str) -> dict[str, list[str]]:
    """Every row that an import writes."""
    found: dict[str, list[str]] = {}
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            for table in TABLES:
                found[table] = sorted(repr(row) for row in connection.execute(f"SELECT * FROM {table}"))
        return found
    connection_pg = await asyncpg.connect(url)
    for table in TABLES:
        found[table] = sorted(repr(row) for row in await connection_pg.fetch(f"SELECT * FROM {table}"))
    await connection_pg.close()
    return found


def test_a_figure_compares_the_median_rounds_and_knows_what_is_better() -> None:
    ours = [Load(1.0, [0.01] * 9 + [0.5]), Load(2.0, [0.01] * 10), Load(4.0, [0.01] * 10)]
    ceiling = [Load(1.0, [0.1] * 10), Load(0.5, [0.1] * 10), Load(0.1, [0.1] * 10)]
    figure = compared("row", ours, ceiling)
    assert (figure.ours, figure.ceiling, figure.ratio) == (5.0, 20.0, 0.25)
    assert (figure.p50_ms, figure.p95_ms) == (10.0, 10.0)
    assert figure.as_data()["unit"] == "req/s"
    assert Figure(name="memory", ours=100, ceiling=50, unit="MB", less_is_better=True).ratio == 0.5
