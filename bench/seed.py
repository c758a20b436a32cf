"""What the brand of the API rows holds besides what they ask about: a busy brand's distributors, orders and books.

By SQL, on PostgreSQL: rows of the tables as the product leaves them, so that reads and writes meet tables and indexes
of the size they have in life.
"""

from time import perf_counter
from typing import Any

import asyncpg

from bench.history import order_statements
from bench.planting import TREE, plant
from bench.world import SKUS, World
from schema.ids import split_global

_TREE_OF = """
INSERT INTO sponsorship (tenant_id, id, distributor_id, sponsor_id, valid_from, reason)
SELECT tenant_id, id, id, sponsor_id, joined_at, 'enrolment' FROM distributor WHERE tenant_id = $1 AND no > $2
"""
_STANDING = """
INSERT INTO standing (tenant_id, distributor_id, valid_from, tier, status, kind)
SELECT tenant_id, id, joined_at, tier, status, 'enrolment' FROM distributor WHERE tenant_id = $1 AND no > $2
"""
_COUNTED = "UPDATE network_tree SET next_no = $2 WHERE tenant_id = $1"
_BOOKS = (
    "INSERT INTO sales_day (tenant_id, distributor_id, day, currency, orders, pieces, amount_minor) "
    "SELECT o.tenant_id, o.seller_id, (o.paid_at AT TIME ZONE 'Asia/Shanghai')::date, 'CNY', count(*), "
    "sum(l.quantity), sum(o.goods_minor) FROM sales_order o "
    "JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id WHERE o.tenant_id = $1 GROUP BY 1, 2, 3",
    "INSERT INTO ledger_transaction (tenant_id, id, kind, reference_kind, reference_id, idempotency_key, input_hash, "
    "effective_at, recorded_at) SELECT tenant_id, id, 'accrual', 'order', id, 'accrual:' || id, md5(number), paid_at, "
    "paid_at FROM sales_order WHERE tenant_id = $1",
    "INSERT INTO ledger_entry (tenant_id, transaction_id, entry_no, account, owner_id, currency, amount_minor, "
    "effective_at) SELECT tenant_id, order_id, level + 1, 'pending', beneficiary_id, currency, amount_minor, earned_at "
    "FROM commission WHERE tenant_id = $1",
    "INSERT INTO ledger_entry (tenant_id, transaction_id, entry_no, account, currency, amount_minor, effective_at) "
    "SELECT tenant_id, order_id, 4, 'commission_expense', 'CNY', -sum(amount_minor), min(earned_at) "
    "FROM commission WHERE tenant_id = $1 GROUP BY tenant_id, order_id",
    "INSERT INTO balance (tenant_id, owner_id, account, currency, amount_minor) "
    "SELECT tenant_id, beneficiary_id, 'pending', 'CNY', sum(amount_minor) FROM commission WHERE tenant_id = $1 "
    "GROUP BY tenant_id, beneficiary_id",
    "INSERT INTO idempotency (tenant_id, operation, key, input_hash, result, created_at) "
    "SELECT tenant_id, 'order.place', 'seed-' || number, md5(number), id, paid_at FROM sales_order "
    "WHERE tenant_id = $1",
    "INSERT INTO audit_log (tenant_id, id, at, actor_kind, actor_label, action, subject, detail) "
    "SELECT tenant_id, id, paid_at, 'system', 'bench', 'order.place', id::text, '{\"paid\":true}' FROM sales_order "
    "WHERE tenant_id = $1",
)


async def fill(world: World, members: int, orders: int) -> float:
    """Bring the brand to so many distributors and paid orders of last year; answers the seconds it took."""
    began = perf_counter()
    connection = await asyncpg.connect(world.url)
    for setting in ("session_replication_role = replica", "synchronous_commit = off", "work_mem = '256MB'"):
        await connection.execute(f"SET {setting}")  # no foreign key of millions of rows, and nothing to be kept
    tenant_id = await _tenant_of(connection, world)
    there = await connection.fetchval("SELECT max(no) FROM distributor WHERE tenant_id = $1", tenant_id)
    first = -(-there // TREE) * TREE
    await plant(connection, tenant_id, first, max(first, members))
    for statement in (_TREE_OF, _STANDING):
        await connection.execute(statement, tenant_id, there)
    await connection.execute(_COUNTED, tenant_id, max(first, members) + 1)
    await connection.execute("ANALYZE distributor")
    sellers = await connection.fetchval(
        "SELECT count(*) FROM distributor WHERE tenant_id = $1 AND depth = 2", tenant_id
    )
    for statement in order_statements("postgresql", tenant_id, orders, sellers, SKUS[0]):
        await connection.execute(statement)
    for statement in _BOOKS:
        await connection.execute(statement, tenant_id)
    await connection.close()
    return perf_counter() - began


async def _tenant_of(connection: "asyncpg.Connection[Any]", world: World) -> int:
    top = split_global(world.wide)
    if top is None:
        raise ValueError(f"{world.wide} is no distributor")
    tenant_id: int = await connection.fetchval("SELECT tenant_id FROM distributor WHERE id = $1", top[1])
    return tenant_id
