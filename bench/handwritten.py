"""The ceiling of the API rows: one handler for one query, written by hand, with nothing in between.

It takes the request the product takes, authenticates the same token, reads and writes the same rows in one transaction
of the same tenant, and answers the same data. What it leaves out is what a product is for: it knows the program by
heart, checks no input, and can answer nothing else.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.handwritten_db import Session, Store, open_store
from bench.handwritten_order import Order

AUTHENTICATE = """
SELECT m.id, m.login, m.role FROM session s JOIN member m ON m.tenant_id = s.tenant_id AND m.id = s.member_id
JOIN tenant t ON t.id = s.tenant_id WHERE s.tenant_id = $1 AND s.token_hash = $2 AND s.revoked_at IS NULL
AND s.expires_at > $3 AND m.status = 'active' AND t.status = 'active'
"""
TOP = (
    "WITH o AS MATERIALIZED (SELECT id, path, depth, path || '~' AS beyond FROM distributor "
    "WHERE tenant_id = $1 AND id = $2) "
)
UNDER = "d.tenant_id = $1 AND d.path > o.path AND d.path < o.beyond"
# PostgreSQL takes a range between two columns for a ninth of the table, unless it is told where to stop.
DOWNLINE = {
    False: f"{TOP} SELECT d.id, d.code, d.name, d.status, d.tier, d.region, d.joined_at, d.path, d.depth - o.depth AS "
    f"level FROM o CROSS JOIN distributor d WHERE {UNDER} ORDER BY d.path LIMIT $3",
    True: f"{TOP} SELECT d.id, d.code, d.name, d.status, d.tier, d.region, d.joined_at, d.path, d.depth - o.depth AS "
    f"level FROM o CROSS JOIN LATERAL (SELECT * FROM distributor d WHERE {UNDER} ORDER BY d.path LIMIT $3) d "
    f"ORDER BY d.path",
}
CHILDREN = {
    False: f"{TOP} SELECT d.id, d.code FROM o CROSS JOIN distributor d "
    f"WHERE {UNDER} AND d.depth = o.depth + 1 ORDER BY d.path LIMIT 51",
    True: f"{TOP} SELECT d.id, d.code FROM o CROSS JOIN LATERAL (SELECT id, code, path FROM distributor d "
    f"WHERE {UNDER} AND d.depth = o.depth + 1 ORDER BY d.path LIMIT 51) d ORDER BY d.path",
}
TEAM = "d.tenant_id = $1 AND d.path >= o.path AND d.path < o.beyond"
_TEAMS = {
    False: f"o CROSS JOIN distributor d WHERE {TEAM}",
    True: f"o CROSS JOIN LATERAL (SELECT id, status FROM distributor d WHERE {TEAM} OFFSET 0) d WHERE true",
}
TOTALS = {
    laterally: "WITH o AS MATERIALIZED (SELECT id, path, path || '~' AS beyond FROM distributor "
    "WHERE tenant_id = $1 AND sponsor_id = $2), "
    f"heads AS (SELECT o.id, count(*) AS heads FROM {teams} AND d.status IN ('active', 'suspended') GROUP BY o.id), "
    "sales AS (SELECT o.id, CAST(sum(s.amount_minor) AS bigint) AS team, "
    "CAST(sum(CASE WHEN d.id = o.id THEN s.amount_minor ELSE 0 END) AS bigint) AS own "
    f"FROM {teams.partition(' WHERE ')[0] if not laterally else teams.removesuffix(' WHERE true')} "
    "JOIN sales_day s ON s.tenant_id = $1 AND s.distributor_id = d.id AND s.currency = 'CNY' "
    f"AND s.day >= $3 AND s.day < $4 WHERE {'true' if laterally else TEAM} GROUP BY o.id) "
    "SELECT heads.id, heads.heads, sales.team, sales.own FROM heads LEFT JOIN sales ON sales.id = heads.id"
    for laterally, teams in _TEAMS.items()
}
CHAIN = """
WITH RECURSIVE up(id, sponsor_id, code, tier, path, level) AS (
SELECT id, sponsor_id, code, tier, path, 0 FROM distributor WHERE tenant_id = $1 AND id = $2 AND status = 'active'
UNION ALL SELECT d.id, d.sponsor_id, d.code, d.tier, d.path, up.level + 1 FROM up
JOIN distributor d ON d.tenant_id = $1 AND d.id = up.sponsor_id)
SELECT id, code, tier, path, (SELECT number FROM program_version WHERE tenant_id = $1 AND status = 'active') AS number
FROM up ORDER BY level
"""
PRODUCTS = "SELECT sku, id FROM product WHERE tenant_id = $1 AND status = 'active' AND sku IN ($2, $3)"


async def downline(request: Request) -> Response:
    """A page of a hundred or a thousand."""
    asked = orjson.loads(await request.body())["variables"]
    store: Store = request.app.state.store
    tenant_id = _tenant(request)
    async with store.begin(tenant_id, writing=False) as tx:
        await _authenticated(request, tx, tenant_id)
        rows = await tx.rows(DOWNLINE[tx.laterally], tenant_id, _uuid(asked["of"]), asked["first"] + 1)
    page = rows[: asked["first"]]
    last = page[-1]
    cursor = urlsafe_b64encode(orjson.dumps(("tree", last["path"], str(last["id"])))).decode().rstrip("=")
    nodes = [
        {
            "id": f"dst_{row['id'].hex}",
            "code": row["code"],
            "name": row["name"],
            "status": row["status"].upper(),
            "tier": row["tier"],
            "region": row["region"],
            "level": row["level"],
            "joinedAt": row["joined_at"].isoformat(),
        }
        for row in page
    ]
    info = {"hasNextPage": len(rows) > asked["first"], "endCursor": cursor}
    return _answer({"downline": {"nodes": nodes, "pageInfo": info}})


async def subtree_totals(request: Request) -> Response:
    """What fifty children and their teams sold."""
    asked = orjson.loads(await request.body())["variables"]
    store: Store = request.app.state.store
    tenant_id, of = _tenant(request), _uuid(asked["of"])
    days = [date.fromisoformat(asked["period"][name]) for name in ("first", "until")]
    async with store.begin(tenant_id, writing=False) as tx:
        await _authenticated(request, tx, tenant_id)
        children = await tx.rows(CHILDREN[tx.laterally], tenant_id, of)
        totals = {row["id"]: row for row in await tx.rows(TOTALS[tx.laterally], tenant_id, of, *days)}
    nodes = [
        {
            "code": child["code"],
            "totals": {
                "ownSales": {"amountMinor": totals[child["id"]]["own"] or 0},
                "groupSales": {"amountMinor": totals[child["id"]]["team"] or 0},
                "headCount": totals[child["id"]]["heads"],
            },
        }
        for child in children[:50]
    ]
    return _answer({"distributor": {"children": {"nodes": nodes}}})


async def place_order(request: Request) -> Response:
    """An order of two lines, paid as it is placed."""
    body = await request.body()
    asked = orjson.loads(body)["variables"]["input"]
    store: Store = request.app.state.store
    tenant_id = _tenant(request)
    async with store.begin(tenant_id, writing=True) as tx:
        who = await _authenticated(request, tx, tenant_id)
        if tx.for_share:
            await tx.rows(f"SELECT moves FROM network_tree WHERE tenant_id = $1{tx.for_share}", tenant_id)
        chain = await tx.rows(CHAIN, tenant_id, _uuid(asked["sellerId"]))
        found = await tx.rows(PRODUCTS, tenant_id, *(line["sku"] for line in asked["lines"]))
        products = {row["sku"]: row["id"] for row in found}
        order = Order(asked, sha256(body).hexdigest(), chain, products)
        await order.write(tx, tenant_id, who)
    return _answer({"placeOrder": {"order": order.told(), "userErrors": []}})


def _uuid(id_: str) -> UUID:
    return UUID(hex=id_.partition("_")[2])


def _token(request: Request) -> str:
    return request.headers["authorization"].partition(" ")[2]


def _tenant(request: Request) -> int:
    return int(_token(request).split("_")[1], 36)


async def _authenticated(request: Request, tx: Session, tenant_id: int) -> Mapping[str, Any]:
    digest = sha256(_token(request).encode()).hexdigest()
    (who,) = await tx.rows(AUTHENTICATE, tenant_id, digest, datetime.now(UTC))
    return who


def _answer(data: Mapping[str, object]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.store = await open_store(os.environ["DATABASE_URL"])
    yield
    await app.state.store.close()


app = Starlette(
    routes=[
        Route("/downline_100", downline, methods=["POST"]),
        Route("/downline_1000", downline, methods=["POST"]),
        Route("/subtree_totals", subtree_totals, methods=["POST"]),
        Route("/place_order", place_order, methods=["POST"]),
    ],
    lifespan=_lifespan,
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["PORT"]), log_level="warning", access_log=False, server_header=False)
