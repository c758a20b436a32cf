"""Awards on their way to a statement. Rows are locked by a statement of their own, then changed with the count checked.

A settlement takes the awards of periods that ended at or before its own end.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from saas.base.db import ConstraintViolated, current_tx, reading
from saas.base.ids import AwardId, DistributorId


async def lock_available(currency: str, until: datetime) -> list[AwardId]:
    """The available awards earned at ``until`` or before, locked for the running transaction."""
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT id FROM award WHERE tenant_id = $1 AND status = 'available' AND currency = $2 AND earned_at <= $3 "
        f"ORDER BY id{tx.for_update}",
        tx.tenant_id,
        currency,
        until,
    )
    return [row["id"] for row in rows]


async def sums_of(ids: Collection[AwardId]) -> Mapping[DistributorId, int]:
    """What these awards come to, in minor units, by distributor."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT distributor_id, CAST(sum(amount_minor) AS bigint) AS amount_minor FROM award "
            f"WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} GROUP BY distributor_id ORDER BY distributor_id",
            tx.tenant_id,
            list(ids),
        )
    return {row["distributor_id"]: row["amount_minor"] for row in rows}


async def due_before(currency: str, until: datetime) -> Mapping[DistributorId, int]:
    """What a settlement up to ``until`` would take, in minor units, by distributor."""
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT distributor_id, CAST(sum(amount_minor) AS bigint) AS amount_minor FROM award WHERE tenant_id = $1 "
            "AND status = 'available' AND currency = $2 AND earned_at <= $3 "
            "GROUP BY distributor_id ORDER BY distributor_id",
            tx.tenant_id,
            currency,
            until,
        )
    return {row["distributor_id"]: row["amount_minor"] for row in rows}


async def unsettled_of(distributor_id: DistributorId, currency: str) -> int:
    """What a distributor's available awards come to, in minor units."""
    async with reading() as tx:
        total: int = await tx.value(
            "SELECT CAST(coalesce(sum(amount_minor), 0) AS bigint) FROM award WHERE tenant_id = $1 "
            "AND distributor_id = $2 AND status = 'available' AND currency = $3",
            tx.tenant_id,
            distributor_id,
            currency,
        )
    return total


async def first_due(currency: str) -> datetime | None:
    """When the earliest unsettled award was earned; None without any."""
    async with reading() as tx:
        row = await tx.row(
            "SELECT earned_at FROM award WHERE tenant_id = $1 AND status = 'available' AND currency = $2 "
            "ORDER BY earned_at LIMIT 1",
            tx.tenant_id,
            currency,
        )
    return None if row is None else row["earned_at"]


async def settle(ids: Collection[AwardId], settlement_id: UUID) -> None:
    """Put locked available awards on their distributors' statements of a settlement, which must be written already."""
    tx = current_tx()
    changed = await tx.execute(
        f"UPDATE award SET status = 'settled', statement_id = statement.id FROM statement "
        f"WHERE statement.tenant_id = $1 AND statement.settlement_id = $2 "
        f"AND award.tenant_id = $1 AND award.status = 'available' "
        f"AND award.distributor_id = statement.distributor_id AND award.id {tx.within(3, 'uuid')}",
        tx.tenant_id,
        settlement_id,
        list(ids),
    )
    if changed != len(ids):
        raise ConstraintViolated(f"{changed} of {len(ids)} locked awards changed")
