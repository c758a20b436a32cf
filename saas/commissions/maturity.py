"""Commission on its way from pending to settled: what is due, made available when its hold is over, put on statements.

Rows are locked by a statement of their own, then changed by id with the count checked; the money moves in the ledger.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from saas.base.db import ConstraintViolated, Tx, current_tx, reading
from saas.base.ids import CommissionId, DistributorId, OrderId

EVERYTHING = 2**62
"""A limit that is none."""

LEFT = "amount_minor - reversed_minor"
"""What a row is worth after returns; one of which nothing is left is `reversed`, and never comes here."""


class Due(NamedTuple):
    """A pending row whose hold is over, with what is left of it."""

    id: CommissionId
    order_id: OrderId
    beneficiary_id: DistributorId
    currency: str
    amount_minor: int
    hold_until: datetime


class Earned(NamedTuple):
    """How many rows of one beneficiary, and what they come to in minor units."""

    lines: int
    amount_minor: int


async def lock_due(through: datetime, limit: int) -> Sequence[Due]:
    """Up to ``limit`` pending rows whose hold ends at ``through`` or before, locked for the running transaction.

    Rows that somebody else holds are left out, so whoever calls this waits for nobody. Fewer than ``limit`` mean that
    there are no more.
    """
    tx = current_tx()
    return await _due(tx, through, limit, tx.for_update and f"{tx.for_update} SKIP LOCKED")


async def lock_all_due(through: datetime) -> Sequence[Due]:
    """All pending rows whose hold ends at ``through`` or before, locked; waits for those that somebody else holds."""
    tx = current_tx()
    return await _due(tx, through, EVERYTHING, tx.for_update)


async def _due(tx: Tx, through: datetime, limit: int, lock: str) -> Sequence[Due]:
    rows = await tx.rows(
        f"SELECT id, order_id, beneficiary_id, currency, {LEFT} AS amount_minor, hold_until FROM commission "
        f"WHERE tenant_id = $1 AND status = 'pending' AND hold_until <= $2 "
        f"ORDER BY hold_until, order_id, id LIMIT $3{lock}",
        tx.tenant_id,
        through,
        limit,
    )
    return [Due(**row) for row in rows]


async def count_due(through: datetime) -> int:
    """How many pending rows have a hold that ends at ``through`` or before."""
    async with reading() as tx:
        count: int = await tx.value(
            "SELECT count(*) FROM commission WHERE tenant_id = $1 AND status = 'pending' AND hold_until <= $2",
            tx.tenant_id,
            through,
        )
    return count


async def make_available(ids: Collection[CommissionId]) -> None:
    """Turn locked pending rows into available ones."""
    tx = current_tx()
    changed = await tx.execute(
        f"UPDATE commission SET status = 'available' "
        f"WHERE tenant_id = $1 AND status = 'pending' AND id {tx.within(2, 'uuid')}",
        tx.tenant_id,
        list(ids),
    )
    _all_or_none(changed, len(ids))


async def lock_available(currency: str, until: datetime) -> Sequence[CommissionId]:
    """The available rows whose hold ended before ``until``, locked for the running transaction."""
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT id FROM commission WHERE tenant_id = $1 AND status = 'available' AND currency = $2 "
        f"AND hold_until < $3 ORDER BY hold_until, order_id, id{tx.for_update}",
        tx.tenant_id,
        currency,
        until,
    )
    return [row["id"] for row in rows]


async def sums_of(ids: Collection[CommissionId]) -> Mapping[DistributorId, Earned]:
    """What these rows come to for each beneficiary, by beneficiary."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT beneficiary_id, count(*) AS lines, CAST(sum({LEFT}) AS bigint) AS amount_minor "
            f"FROM commission WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} "
            f"GROUP BY beneficiary_id ORDER BY beneficiary_id",
            tx.tenant_id,
            list(ids),
        )
    return {row["beneficiary_id"]: Earned(row["lines"], row["amount_minor"]) for row in rows}


async def due_before(currency: str, until: datetime) -> Mapping[DistributorId, Earned]:
    """What would be settled for each beneficiary: pending or available, with a hold that ends before ``until``."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT beneficiary_id, count(*) AS lines, CAST(sum({LEFT}) AS bigint) AS amount_minor "
            "FROM commission WHERE tenant_id = $1 AND status IN ('pending', 'available') AND currency = $2 "
            "AND hold_until < $3 GROUP BY beneficiary_id ORDER BY beneficiary_id",
            tx.tenant_id,
            currency,
            until,
        )
    return {row["beneficiary_id"]: Earned(row["lines"], row["amount_minor"]) for row in rows}


async def first_due(currency: str) -> datetime | None:
    """When the earliest hold of unsettled commission ends; None without any."""
    async with reading() as tx:
        row = await tx.row(
            "SELECT hold_until FROM commission WHERE tenant_id = $1 AND status IN ('pending', 'available') "
            "AND currency = $2 AND hold_until IS NOT NULL ORDER BY hold_until LIMIT 1",
            tx.tenant_id,
            currency,
        )
    return None if row is None else row["hold_until"]


async def settle(ids: Collection[CommissionId], settlement_id: UUID) -> None:
    """Put locked available rows on their beneficiaries' statements of a settlement, which must be written already."""
    tx = current_tx()
    changed = await tx.execute(
        f"UPDATE commission SET status = 'settled', statement_id = statement.id FROM statement "
        f"WHERE statement.tenant_id = $1 AND statement.settlement_id = $2 "
        f"AND commission.tenant_id = $1 AND commission.status = 'available' "
        f"AND commission.beneficiary_id = statement.distributor_id AND commission.id {tx.within(3, 'uuid')}",
        tx.tenant_id,
        settlement_id,
        list(ids),
    )
    _all_or_none(changed, len(ids))


def _all_or_none(changed: int, wanted: int) -> None:
    if changed != wanted:
        raise ConstraintViolated(f"{changed} of {wanted} locked commission rows changed")
