"""Two brands that sell: Lotus refuses prices outside its band, Cedar opens cases; each with a chain of four."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from saas.base import clock
from saas.base.db import reading
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, OrderId
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.orders import queries
from saas.orders.commands import OrderStep, PlaceLine, PlaceOrder, place_order
from saas.orders.queries import ExplainedShare
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.network.world import plant, staff, use_program

NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)
"""Noon in Shanghai."""

SKUS = ("PLAIN", "LOTUS-CREAM", "LOTUS-GIFT", "CEDAR-GREEN", "CEDAR-CAKE")
CHAIN: dict[str, str | None] = {"A": None, "B": "A", "C": "B", "D": "C"}
_keys = count()


async def two_shops() -> tuple[dict[str, DistributorId], dict[str, DistributorId]]:
    """Lotus and Cedar with their own programs, the same products and A → B → C → D each; ids by code."""
    await make_tenants()
    made = []
    for tenant_id, program in ((LOTUS, "lotus"), (CEDAR, "cedar")):
        with as_tenant(tenant_id):
            await use_program(program, applicant_review="automatic", depth_limit=None, level_names=[])
            await put_products([PutProduct(sku=sku, name=sku) for sku in SKUS], staff())
            made.append(await plant(CHAIN))
    return made[0], made[1]


def order(
    seller: DistributorId, sku: str = "PLAIN", amount_minor: int = 10_000, quantity: int = 1, **changes: Any
) -> PlaceOrder:
    """An order of one line with nothing unusual about it."""
    values: dict[str, Any] = {
        "seller_id": seller,
        "lines": [PlaceLine(sku=sku, quantity=quantity, amount_minor=amount_minor)],
        "idempotency_key": f"order-{next(_keys)}",
        **changes,
    }
    return PlaceOrder(**values)


def step(order_id: OrderId, **changes: Any) -> list[OrderStep]:
    """One step of one order under a key of its own."""
    values: dict[str, Any] = {"order_id": order_id, "idempotency_key": f"step-{next(_keys)}", **changes}
    return [OrderStep(**values)]


async def paid(seller: DistributorId, amount_minor: int = 10_000, **changes: Any) -> OrderId:
    """An order that is paid as it is placed, at ``NOON``."""
    with clock.at(NOON + timedelta(hours=1)):
        values: dict[str, Any] = {"paid_at": NOON, **changes}
        return await place_order(order(seller, amount_minor=amount_minor, **values), staff())


async def table(sql: str) -> Sequence[tuple[object, ...]]:
    """Rows of a statement that names the tenant as ``$1``."""
    async with reading() as tx:
        return [tuple(row.values()) for row in await tx.rows(sql, tx.tenant_id)]


async def everything() -> dict[str, object]:
    """All that selling writes for the active brand, to show that nothing changed."""
    counted = ("sales_order", "order_line", "commission", "ledger_entry", "price_case", "sales_day", "idempotency")
    found: dict[str, object] = {
        name: (await table(f"SELECT count(*) FROM {name} WHERE tenant_id = $1"))[0][0] for name in counted
    }
    found["status"] = await table("SELECT number, status FROM sales_order WHERE tenant_id = $1 ORDER BY number")
    found["balance"] = await balances()
    return found


async def balances() -> dict[tuple[object, ...], object]:
    """Balances by code and account, without those that are zero."""
    rows = await table(
        "SELECT d.code, b.account, b.amount_minor FROM balance b JOIN distributor d ON d.tenant_id = b.tenant_id "
        "AND d.id = b.owner_id WHERE b.tenant_id = $1 AND b.amount_minor <> 0"
    )
    return {(code, account): amount for code, account, amount in rows}


async def sold() -> dict[tuple[object, ...], tuple[object, ...]]:
    """Sums by code and day: orders, pieces, amount; days that came to nothing are left out."""
    rows = await table(
        "SELECT d.code, s.day, s.orders, s.pieces, s.amount_minor FROM sales_day s JOIN distributor d "
        "ON d.tenant_id = s.tenant_id AND d.id = s.distributor_id WHERE s.tenant_id = $1 AND s.orders <> 0"
    )
    return {(code, str(day)): tuple(rest) for code, day, *rest in rows}


async def explained(order_id: OrderId) -> Sequence[ExplainedShare]:
    """Every share of an order, and of those who got nothing; empty for an order that is not paid or not there."""
    try:
        view = await queries.order(order_id)
    except NotFound:
        return ()
    return (await queries.explained([view], await queries.lines_of([order_id]))).get(order_id, ())
