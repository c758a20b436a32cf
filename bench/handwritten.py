"""The ceiling of the API rows: one handler for one query, written by hand, with nothing in between.

It takes the request the product takes, authenticates the same token, reads and writes the same rows in one transaction
of the same tenant, and answers the same data. What it leaves out is what a product is for: it knows the program by
heart, checks no input, and can answer nothing else.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import count
from time import time_ns
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from bench.handwritten_db import Session, Store, open_store

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
ADD_TO_BALANCE = (
    "ON CONFLICT (tenant_id, owner_id, account, currency) "
    "DO UPDATE SET amount_minor = balance.amount_minor + excluded.amount_minor"
)
ADD_TO_DAY = (
    "ON CONFLICT (tenant_id, distributor_id, day, currency) DO UPDATE SET orders = sales_day.orders + excluded.orders, "
    "pieces = sales_day.pieces + excluded.pieces, amount_minor = sales_day.amount_minor + excluded.amount_minor"
)
RATES_BPS = (1000, 1500, 2000)
COMPONENT = "levels"
CURRENCY = "CNY"
ZONE = ZoneInfo("Asia/Shanghai")
NUMBERS = count(-time_ns())
"""Of events: below those that the product gives, which would else number the ceiling's too, or go on from there."""


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
        order = _Order(asked, sha256(body).hexdigest(), chain, products)
        await order.write(tx, tenant_id, who)
    return _answer({"placeOrder": {"order": order.told(), "userErrors": []}})


class _Share(NamedTuple):
    line_id: UUID
    line: Mapping[str, Any]
    level: int
    member: Mapping[str, Any]
    rate_bps: int
    amount: int


class _Order:
    """An order on its way into the tables and the answer."""

    def __init__(
        self, asked: Mapping[str, Any], digest: str, chain: Sequence[Mapping[str, Any]], products: Mapping[str, UUID]
    ) -> None:
        self.asked, self.digest, self.chain, self.products = asked, digest, chain, products
        self.id, self.now = uuid7(), datetime.now(UTC)
        self.paid_at = datetime.fromisoformat(asked["paidAt"])
        self.number = f"{self.now:%y%m%d}-{self.id.hex[-10:].upper()}"
        self.goods = sum(line["amountMinor"] for line in asked["lines"])
        self.lines = [(uuid7(), line) for line in asked["lines"]]
        self.shares = [
            _Share(line_id, line, level, member, rate_bps, (line["amountMinor"] * rate_bps + 5000) // 10_000)
            for line_id, line in self.lines
            for level, (member, rate_bps) in enumerate(zip(chain, RATES_BPS, strict=False))
        ]

    async def write(self, tx: Session, tenant_id: int, who: Mapping[str, Any]) -> None:
        """Every row of it, a statement per table."""
        tenant = {"tenant_id": tenant_id}
        claim = {"operation": "order.place", "key": self.asked["idempotencyKey"], "input_hash": self.digest}
        claimed = tenant | claim | {"result": self.id, "created_at": self.now}
        if not await tx.insert("idempotency", [claimed], "ON CONFLICT DO NOTHING"):
            raise ValueError("the key was used before")
        transaction_id = uuid7()
        await tx.insert("sales_order", [tenant | self._head()])
        await tx.insert("order_line", [tenant | line for line in self._lines()])
        await tx.insert("commission", [tenant | share for share in self._shares()])
        await tx.insert("ledger_transaction", [tenant | self._posting(transaction_id)])
        await tx.insert("ledger_entry", [tenant | entry for entry in self._entries(transaction_id)])
        await tx.insert("balance", [tenant | pending for pending in self._pending()], ADD_TO_BALANCE)
        await tx.insert("sales_day", [tenant | self._day()], ADD_TO_DAY)
        audited = {"id": uuid7(), "at": self.now, "actor_kind": "member", "actor_id": who["id"]}
        about = {"action": "order.place", "subject": str(self.id), "detail": '{"paid":true}'}
        await tx.insert("audit_log", [tenant | audited | {"actor_label": who["login"]} | about])
        told = {"at": self.now}
        await tx.insert(
            "event", [tenant | told | event | {"id": uuid7(), "seq": next(NUMBERS)} for event in self._events()]
        )

    def _head(self) -> dict[str, object]:
        return {
            "id": self.id,
            "number": self.number,
            "seller_id": self.chain[0]["id"],
            "self_purchase": False,
            "source": "brand",
            "status": "paid",
            "currency": CURRENCY,
            "goods_minor": self.goods,
            "freight_minor": 0,
            "tax_minor": 0,
            "program_number": self.chain[0]["number"],
            "path": self.chain[0]["path"],
            "placed_at": self.paid_at,
            "paid_at": self.paid_at,
            "decided_at": self.now,
        }

    def _lines(self) -> Iterator[dict[str, object]]:
        for number, (line_id, line) in enumerate(self.lines, start=1):
            paid_out = sum(share.amount for share in self.shares if share.line_id == line_id)
            yield {
                "id": line_id,
                "order_id": self.id,
                "line_no": number,
                "product_id": self.products[line["sku"]],
                "sku": line["sku"],
                "quantity": line["quantity"],
                "amount_minor": line["amountMinor"],
                "company_minor": line["amountMinor"] - paid_out,
            }

    def _shares(self) -> Iterator[dict[str, object]]:
        for share in self.shares:
            yield {
                "id": uuid7(),
                "order_id": self.id,
                "line_id": share.line_id,
                "component": COMPONENT,
                "level": share.level,
                "beneficiary_id": share.member["id"],
                "tier": share.member["tier"],
                "rate_bps": share.rate_bps,
                "base_minor": share.line["amountMinor"],
                "quantity": share.line["quantity"],
                "amount_minor": share.amount,
                "reason": "in_full",
                "program_number": share.member["number"],
                "currency": CURRENCY,
                "status": "pending",
                "earned_at": self.paid_at,
            }

    def _posting(self, transaction_id: UUID) -> dict[str, object]:
        return {
            "id": transaction_id,
            "kind": "accrual",
            "reference_kind": "order",
            "reference_id": self.id,
            "idempotency_key": f"accrual:{self.id}",
            "input_hash": self.digest,
            "effective_at": self.paid_at,
            "recorded_at": self.now,
        }

    def _earned(self) -> dict[UUID, int]:
        earned: dict[UUID, int] = {}
        for share in self.shares:
            owner = share.member["id"]
            earned[owner] = earned.get(owner, 0) + share.amount
        return earned

    def _entries(self, transaction_id: UUID) -> Iterator[dict[str, object]]:
        earned = self._earned()
        sides: list[tuple[str, UUID | None, int]] = [("pending", owner, amount) for owner, amount in earned.items()]
        sides.append(("commission_expense", None, -sum(earned.values())))
        for number, (account, owner, amount) in enumerate(sides, start=1):
            yield {
                "transaction_id": transaction_id,
                "entry_no": number,
                "account": account,
                "owner_id": owner,
                "currency": CURRENCY,
                "amount_minor": amount,
                "effective_at": self.paid_at,
            }

    def _pending(self) -> Iterator[dict[str, object]]:
        for owner, amount in sorted(self._earned().items()):
            yield {"owner_id": owner, "account": "pending", "currency": CURRENCY, "amount_minor": amount}

    def _day(self) -> dict[str, object]:
        return {
            "distributor_id": self.chain[0]["id"],
            "day": self.paid_at.astimezone(ZONE).date(),
            "currency": CURRENCY,
            "orders": 1,
            "pieces": sum(line["quantity"] for _, line in self.lines),
            "amount_minor": self.goods,
        }

    def _events(self) -> Iterator[dict[str, object]]:
        nothing = {"amount_minor": None, "currency": None}
        seller, earned = self.chain[0]["id"], self._earned()
        for kind in ("order.placed", "order.paid"):
            yield {"kind": kind, "distributor_id": seller, "subject_id": self.id, **nothing}
        for owner in earned:
            yield {"kind": "balance.changed", "distributor_id": owner, "subject_id": owner, **nothing}
        for owner, amount in earned.items():
            money = {"amount_minor": amount, "currency": CURRENCY}
            yield {"kind": "commission.earned", "distributor_id": owner, "subject_id": self.id, **money}

    def told(self) -> dict[str, object]:
        """The order as the answer tells it."""
        return {
            "id": f"ord_{self.id.hex}",
            "number": self.number,
            "status": "PAID",
            "placedAt": self.paid_at.isoformat(),
            "paidAt": self.paid_at.isoformat(),
            "goods": {"amountMinor": self.goods, "currency": CURRENCY},
            "lines": [
                {"sku": line["sku"], "quantity": line["quantity"], "amount": {"amountMinor": line["amountMinor"]}}
                for _, line in self.lines
            ],
            "commissions": [_told(share) for share in self.shares],
        }


def _told(share: _Share) -> dict[str, object]:
    amount, base, member = _money(share.amount), _money(share.line["amountMinor"]), share.member
    who = f"Upline level {share.level}" if share.level else "The seller (level 0)"
    source = f"program {member['number']}, component {COMPONENT}, tier {member['tier']}"
    return {
        "level": share.level,
        "outcome": "EARNED",
        "reason": "IN_FULL",
        "amount": {"amountMinor": share.amount, "formatted": amount},
        "explanation": f"{who} earned {amount}: {share.rate_bps // 100} % × {base} ({source}).",
        "beneficiary": {"code": member["code"]},
    }


def _money(minor: int) -> str:
    return f"CN¥{minor // 100:,}.{minor % 100:02}"


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
