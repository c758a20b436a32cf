"""The rows of closing a month: a million shares of commission released, then settled to a hundred thousand people.

The ceiling is the bare SQL of it (``bench.bare_closing``): the same rows in the same tables by a handful of statements,
which lock nothing, check nothing, decide nothing and could not be run again.
"""

from datetime import UTC, datetime, timedelta

import orjson

from bench.bare_closing import close_by_hand
from bench.databases import Databases
from bench.figures import Figure, Size
from bench.history import FROM, make_brand, order_statements, plant_tree, write
from bench.processes import run
from saas.base import clock
from saas.base.db import open_database, transaction
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope

CLOSED_AT = datetime(2026, 2, 2, tzinfo=UTC)
"""When January 2026 is over, in which every hold of the orders of 2025 ends."""
HOLDS_FROM = datetime(2026, 1, 2, tzinfo=UTC)
_SUFFIX = {"postgresql": "", "sqlite": "_sqlite"}
_MOMENT = {
    "postgresql": "to_timestamp({0} + (extract(epoch FROM {1}) - {2}) / 13)",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', {0} + (unixepoch({1}) - {2}) / 13, 'unixepoch') || '+00:00'",
}


async def close_month(databases: Databases, kind: str, size: Size) -> list[Figure]:
    """Release and settle beside the bare SQL, on two copies. Raises ``RuntimeError`` where the money differs."""
    url = await databases.fresh(kind)
    tenant_id = await _make_month(url, kind, size)
    bare = await databases.copy(url)
    await databases.settle(url)
    ours = await run("-m", "bench.close", str(tenant_id), database_url=url)
    told = orjson.loads(ours.output)
    await databases.settle(bare)
    ceiling = await close_by_hand(bare, tenant_id, CLOSED_AT)
    ours_money, by_hand = await _money(url, tenant_id), await _money(bare, tenant_id)
    if ours_money != by_hand:
        one, other = next(pair for pair in zip(ours_money, by_hand, strict=False) if pair[0] != pair[1])
        raise RuntimeError(f"by hand it comes to other money: {other}, not {one}")
    lines = size.settled_orders * 3
    return [
        Figure(
            name=f"{name}_{lines // 1000}k_lines{_SUFFIX[kind]}",
            ours=told[name],
            ceiling=ceiling[name],
            unit="s",
            less_is_better=True,
            memory_mb=ours.peak_mb,
        )
        for name in ("release", "settle")
    ]


async def _make_month(url: str, kind: str, size: Size) -> TenantId:
    """A brand whose orders were all delivered, with commission pending in the books."""
    async with open_database(url):
        tenant_id = await make_brand("closing")
        with tenant_scope(tenant_id), clock.at(FROM - timedelta(days=1)):
            sellers = await plant_tree(size.settled_tops, size.settled_width)
    await write(url, order_statements(kind, tenant_id, size.settled_orders, len(sellers)))
    held = _MOMENT[kind].format(int(HOLDS_FROM.timestamp()), "{0}", int(FROM.timestamp()))
    mine = f"tenant_id = {int(tenant_id)}"
    await write(
        url,
        [
            f"UPDATE commission SET hold_until = {held.format('earned_at')} WHERE {mine}",
            f"UPDATE sales_order SET status = 'delivered', delivered_at = paid_at, "
            f"hold_until = {held.format('paid_at')} WHERE {mine}",
            f"INSERT INTO ledger_transaction SELECT tenant_id, id, 'accrual', 'order', id, 'accrual:' || number, "
            f"'bench', paid_at, paid_at FROM sales_order WHERE {mine}",
            f"INSERT INTO ledger_entry SELECT tenant_id, order_id, level + 1, 'pending', beneficiary_id, currency, "
            f"amount_minor, earned_at FROM commission WHERE {mine}",
            f"INSERT INTO ledger_entry SELECT tenant_id, order_id, 4, 'commission_expense', NULL, currency, "
            f"-sum(amount_minor), min(earned_at) FROM commission WHERE {mine} GROUP BY tenant_id, order_id, currency",
            f"INSERT INTO balance SELECT tenant_id, beneficiary_id, 'pending', currency, sum(amount_minor) "
            f"FROM commission WHERE {mine} GROUP BY tenant_id, beneficiary_id, currency",
        ],
    )
    return tenant_id


async def _money(url: str, tenant_id: TenantId) -> list[tuple[object, ...]]:
    """What everybody has, and what every statement says."""
    found: list[tuple[object, ...]] = []
    async with open_database(url):
        with tenant_scope(tenant_id):
            async with transaction() as tx:
                for sql in (
                    "SELECT owner_id, account, amount_minor FROM balance WHERE tenant_id = $1 AND amount_minor <> 0 "
                    "ORDER BY owner_id, account",
                    "SELECT distributor_id, number, closing_minor FROM statement WHERE tenant_id = $1 "
                    "ORDER BY distributor_id",
                    "SELECT account, count(*), sum(amount_minor) FROM ledger_entry WHERE tenant_id = $1 "
                    "GROUP BY account ORDER BY account",
                    "SELECT status, count(*), sum(amount_minor), count(statement_id) FROM commission "
                    "WHERE tenant_id = $1 GROUP BY status ORDER BY status",
                ):
                    found += [tuple(row.values()) for row in await tx.rows(sql, tenant_id)]
    return found
