"""A month closed by hand: the bare statements beside which closing is measured."""

from datetime import datetime
from time import perf_counter

import asyncpg

from saas.base.db.ddl import APP_ROLE
from saas.base.db.sqlite import WRITER_CACHE, connect_file, sqlite_path
from saas.base.ids import TenantId

_UUID = {"postgresql": "gen_random_uuid()", "sqlite": "new_id()"}
_EVENT = "tenant_id, id, kind, distributor_id, subject_id, amount_minor, currency, at"
_ADDED = (
    "ON CONFLICT (tenant_id, owner_id, account, currency) "
    "DO UPDATE SET amount_minor = balance.amount_minor + excluded.amount_minor"
)


async def close_by_hand(url: str, tenant_id: TenantId, at: datetime) -> dict[str, float]:
    """Release, then settle, each in one transaction; answers how many seconds each took."""
    kind = "sqlite" if url.startswith("sqlite:") else "postgresql"
    return await run_by_hand(url, tenant_id, _statements(kind, int(tenant_id), at.isoformat(" ")))


async def run_by_hand(url: str, tenant_id: TenantId, steps: dict[str, list[str]]) -> dict[str, float]:
    """Run bare statements, each step in one transaction; answers how many seconds each took."""
    if url.startswith("sqlite:"):
        return await _on_sqlite(url, steps)
    return await _on_postgres(url, tenant_id, steps)


def _statements(kind: str, tenant: int, at: str) -> dict[str, list[str]]:
    mine, uuid = f"tenant_id = {tenant}", _UUID[kind]
    settlement = "00000000-0000-7000-8000-000000000001"
    release = [
        f"UPDATE commission SET status = 'available' WHERE {mine} AND status = 'pending' AND hold_until <= '{at}'",
        f"INSERT INTO ledger_transaction SELECT {tenant}, {uuid}, 'release', 'order', order_id, "
        f"'release:' || order_id, 'bench', hold_until, '{at}' "
        f"FROM (SELECT DISTINCT order_id, hold_until FROM commission WHERE {mine} AND status = 'available') AS d",
        *(
            f"INSERT INTO ledger_entry SELECT {tenant}, t.id, 2 * c.level + {no}, '{account}', c.beneficiary_id, "
            f"c.currency, {sign}c.amount_minor, c.hold_until FROM commission c JOIN ledger_transaction t "
            f"ON t.tenant_id = {tenant} AND t.reference_id = c.order_id AND t.kind = 'release' "
            f"WHERE c.tenant_id = {tenant} AND c.status = 'available'"
            for no, account, sign in ((1, "pending", "-"), (2, "available", ""))
        ),
        f"INSERT INTO balance SELECT {tenant}, beneficiary_id, 'available', currency, sum(amount_minor) "
        f"FROM commission WHERE {mine} AND status = 'available' GROUP BY beneficiary_id, currency {_ADDED}",
        f"UPDATE balance SET amount_minor = balance.amount_minor - c.amount_minor FROM (SELECT beneficiary_id, "
        f"sum(amount_minor) AS amount_minor FROM commission WHERE {mine} AND status = 'available' "
        f"GROUP BY beneficiary_id) AS c WHERE {mine} AND account = 'pending' AND owner_id = c.beneficiary_id",
        f"INSERT INTO event ({_EVENT}) SELECT {tenant}, {uuid}, 'commission.available', beneficiary_id, "
        f"beneficiary_id, sum(amount_minor), currency, '{at}' FROM commission WHERE {mine} AND status = 'available' "
        f"GROUP BY beneficiary_id, currency",
        f"INSERT INTO event ({_EVENT}) SELECT {tenant}, {uuid}, 'balance.changed', beneficiary_id, beneficiary_id, "
        f"NULL, NULL, '{at}' FROM (SELECT DISTINCT beneficiary_id FROM commission WHERE {mine} "
        f"AND status = 'available') AS c",
    ]
    settle = [
        f"INSERT INTO settlement (tenant_id, id, period_from, period_until, currency, label, statements, "
        f"commission_minor, closed_at) SELECT {tenant}, '{settlement}', '2025-12-31 16:00:00+00:00', "
        f"'2026-01-31 16:00:00+00:00', 'CNY', '2026-01', count(DISTINCT beneficiary_id), sum(amount_minor), '{at}' "
        f"FROM commission WHERE {mine} AND status = 'available'",
        f"INSERT INTO statement (tenant_id, id, settlement_id, distributor_id, number, currency, lines, opening_minor, "
        f"commission_minor, adjustment_minor, payout_minor, closing_minor, payable_on, created_at) "
        f"SELECT {tenant}, {uuid}, '{settlement}', beneficiary_id, 'S20260101-CNY-' || "
        f"{_padded(kind, 'row_number() OVER (ORDER BY beneficiary_id)')}, 'CNY', n, 0, amount_minor, 0, 0, "
        f"amount_minor, '2026-02-05', '{at}' FROM (SELECT beneficiary_id, count(*) AS n, sum(amount_minor) "
        f"AS amount_minor FROM commission WHERE {mine} AND status = 'available' GROUP BY beneficiary_id) AS c",
        f"UPDATE commission SET status = 'settled', statement_id = s.id FROM statement s WHERE s.{mine} "
        f"AND commission.{mine} AND commission.status = 'available' AND commission.beneficiary_id = s.distributor_id",
        f"INSERT INTO ledger_transaction SELECT {tenant}, id, 'settlement', 'settlement', settlement_id, "
        f"'settlement:' || id, 'bench', '{at}', '{at}' FROM statement WHERE {mine}",
        *(
            f"INSERT INTO ledger_entry SELECT {tenant}, id, {no}, '{account}', distributor_id, currency, "
            f"{sign}commission_minor, created_at FROM statement WHERE {mine}"
            for no, account, sign in ((1, "available", "-"), (2, "settled", ""))
        ),
        f"INSERT INTO balance SELECT {tenant}, distributor_id, 'settled', currency, commission_minor "
        f"FROM statement WHERE {mine} {_ADDED}",
        f"UPDATE balance SET amount_minor = balance.amount_minor - s.commission_minor FROM statement s "
        f"WHERE s.{mine} AND balance.{mine} AND account = 'available' AND owner_id = s.distributor_id",
        f"INSERT INTO event ({_EVENT}) SELECT {tenant}, {uuid}, 'balance.changed', distributor_id, distributor_id, "
        f"NULL, NULL, '{at}' FROM statement WHERE {mine}",
        f"INSERT INTO event ({_EVENT}) SELECT {tenant}, {uuid}, 'commission.settled', distributor_id, id, "
        f"commission_minor, currency, '{at}' FROM statement WHERE {mine}",
    ]
    return {"release": release, "settle": settle}


def _padded(kind: str, number: str) -> str:
    return f"printf('%06d', {number})" if kind == "sqlite" else f"lpad(CAST({number} AS text), 6, '0')"


async def _on_postgres(url: str, tenant_id: TenantId, steps: dict[str, list[str]]) -> dict[str, float]:
    connection = await asyncpg.connect(url, server_settings={"role": APP_ROLE})
    taken = {}
    for name, statements in steps.items():
        began = perf_counter()
        async with connection.transaction():
            await connection.execute(f"SET LOCAL app.tenant = '{int(tenant_id)}'")
            for statement in statements:
                await connection.execute(statement)
        taken[name] = perf_counter() - began
    await connection.close()
    return taken


async def _on_sqlite(url: str, steps: dict[str, list[str]]) -> dict[str, float]:
    connection = await connect_file(sqlite_path(url), WRITER_CACHE)
    taken = {}
    try:
        for name, statements in steps.items():
            began = perf_counter()
            for statement in ("BEGIN IMMEDIATE", *statements, "COMMIT"):
                await connection.execute(statement)
            taken[name] = perf_counter() - began
    finally:
        await connection.close()
    return taken
