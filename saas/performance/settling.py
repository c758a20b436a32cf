"""Awards on their way to a statement. Rows are listed by a statement that locks them, then changed, the count checked.

A settlement takes the awards of periods that ended at or before its own end.
"""

from datetime import datetime
from uuid import UUID

from saas.base.db import ConstraintViolated, Tx, reading
from saas.base.ids import DistributorId

TAKEN_COLUMNS = "id uuid, distributor_id uuid, amount_minor bigint"
"""The columns of a scratch table of awards that were taken."""


async def take_available(tx: Tx, into: str, currency: str, until: datetime) -> int:
    """List the available awards earned at ``until`` or before, locked; answers how many."""
    return await tx.execute(
        f"INSERT INTO {into} (id, distributor_id, amount_minor) "
        f"SELECT id, distributor_id, amount_minor FROM award "
        f"WHERE tenant_id = $1 AND status = 'available' AND currency = $2 AND earned_at <= $3 "
        f"ORDER BY id{tx.for_update}",
        tx.tenant_id,
        currency,
        until,
    )


DUE = (
    "SELECT distributor_id AS owner_id, CAST(sum(amount_minor) AS bigint) AS amount_minor FROM award "
    "WHERE tenant_id = $1 AND status = 'available' AND currency = $2 AND earned_at <= $3 GROUP BY distributor_id"
)
"""SQL of what a settlement up to ``$3`` would take in the currency ``$2``, by owner."""


def taken_of(taken: str) -> str:
    """SQL of the same of awards that were taken."""
    return (
        f"SELECT distributor_id AS owner_id, CAST(sum(amount_minor) AS bigint) AS amount_minor FROM {taken} "
        f"GROUP BY distributor_id"
    )


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


async def settle(tx: Tx, taken: str, settlement_id: UUID, count: int) -> None:
    """Put the ``count`` awards that were taken on the statements of a settlement, which are written already."""
    changed = await tx.execute(
        f"UPDATE award SET status = 'settled', statement_id = v.statement_id FROM ("
        f"SELECT t.id, s.id AS statement_id FROM {taken} t JOIN statement s ON s.tenant_id = $1 "
        f"AND s.settlement_id = $2 AND s.distributor_id = t.distributor_id) AS v "
        f"WHERE award.tenant_id = $1 AND award.status = 'available' AND award.id = v.id",
        tx.tenant_id,
        settlement_id,
    )
    if changed != count:
        raise ConstraintViolated(f"{changed} of {count} locked awards changed")
