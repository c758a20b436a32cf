"""Commission on its way from pending to settled: what is due, made available when its hold is over, put on statements.

Rows are listed in a scratch table by a statement of their own that locks them, then changed with the count checked, as
many as there are; the money moves in the ledger.
"""

from datetime import datetime
from uuid import UUID

from saas.base.db import ConstraintViolated, Tx, reading

LEFT = "amount_minor - reversed_minor"
"""What a row is worth after returns; one of which nothing is left is `reversed`, and never comes here."""

DUE_COLUMNS = "id uuid, order_id uuid, beneficiary_id uuid, currency text, amount_minor bigint, hold_until timestamptz"
"""The columns of a scratch table of rows that are due, each with what is left of it."""

TAKEN_COLUMNS = "id uuid, beneficiary_id uuid, amount_minor bigint"
"""The columns of a scratch table of rows that go on statements: what is listed of each is copied a million times."""

_TAKE_DUE = (
    f"(id, order_id, beneficiary_id, currency, amount_minor, hold_until) "
    f"SELECT id, order_id, beneficiary_id, currency, {LEFT}, hold_until FROM commission "
)
_ORDER = "ORDER BY hold_until, order_id, id"
"""In which rows are locked by everybody."""


def _locked(tx: Tx) -> str:
    """The end of a statement that locks rows in their order; where there is one writer, neither is needed."""
    return tx.for_update and f"{_ORDER}{tx.for_update}"


async def take_due(tx: Tx, into: str, through: datetime, since: datetime, limit: int) -> int:
    """List up to ``limit`` pending rows whose hold ends in ``[since, through]``, locked; answers how many.

    The first to end come first. Rows that somebody else holds are left out, so whoever calls this waits for nobody.
    Fewer than ``limit`` mean that there are no more.
    """
    return await tx.execute(
        f"INSERT INTO {into} {_TAKE_DUE} WHERE tenant_id = $1 AND status = 'pending' AND hold_until BETWEEN $2 AND $3 "
        f"{_ORDER} LIMIT $4{tx.for_update and f'{tx.for_update} SKIP LOCKED'}",
        tx.tenant_id,
        since,
        through,
        limit,
    )


async def take_all_due(tx: Tx, into: str, through: datetime) -> int:
    """List all pending rows whose hold ends at ``through`` or before, locked; waits for those that somebody holds."""
    return await tx.execute(
        f"INSERT INTO {into} {_TAKE_DUE} WHERE tenant_id = $1 AND status = 'pending' AND hold_until <= $2 "
        f"{_locked(tx)}",
        tx.tenant_id,
        through,
    )


async def take_available(tx: Tx, into: str, currency: str, until: datetime) -> int:
    """List the available rows whose hold ended before ``until``, locked."""
    return await tx.execute(
        f"INSERT INTO {into} (id, beneficiary_id, amount_minor) SELECT id, beneficiary_id, {LEFT} FROM commission "
        f"WHERE tenant_id = $1 AND status = 'available' AND currency = $2 AND hold_until < $3 {_locked(tx)}",
        tx.tenant_id,
        currency,
        until,
    )


async def take_of_due(tx: Tx, into: str, due: str, currency: str, until: datetime) -> int:
    """List those of the rows that were due whose hold ended before ``until``; answers how many."""
    return await tx.execute(
        f"INSERT INTO {into} (id, beneficiary_id, amount_minor) SELECT id, beneficiary_id, amount_minor FROM {due} "
        f"WHERE currency = $1 AND hold_until < $2",
        currency,
        until,
    )


async def count_due(through: datetime) -> int:
    """How many pending rows have a hold that ends at ``through`` or before."""
    async with reading() as tx:
        count: int = await tx.value(
            "SELECT count(*) FROM commission WHERE tenant_id = $1 AND status = 'pending' AND hold_until <= $2",
            tx.tenant_id,
            through,
        )
    return count


async def make_available(tx: Tx, taken: str, count: int) -> None:
    """Turn the ``count`` pending rows that were taken into available ones."""
    changed = await tx.execute(
        f"UPDATE commission SET status = 'available' WHERE tenant_id = $1 AND status = 'pending' "
        f"AND id IN (SELECT id FROM {taken})",
        tx.tenant_id,
    )
    _all_or_none(changed, count)


DUE = (
    f"SELECT beneficiary_id AS owner_id, count(*) AS lines, CAST(sum({LEFT}) AS bigint) AS amount_minor "
    f"FROM commission WHERE tenant_id = $1 AND status IN ('pending', 'available') AND currency = $2 "
    f"AND hold_until < $3 GROUP BY beneficiary_id"
)
"""SQL of what would be settled for each owner in the currency ``$2``: of rows whose hold is over before ``$3``."""


def taken_of(taken: str) -> str:
    """SQL of the same of rows that were taken."""
    return (
        f"SELECT beneficiary_id AS owner_id, count(*) AS lines, CAST(sum(amount_minor) AS bigint) AS amount_minor "
        f"FROM {taken} GROUP BY beneficiary_id"
    )


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


async def settle(tx: Tx, taken: str, settlement_id: UUID, count: int) -> None:
    """Put the ``count`` rows that were taken on their beneficiaries' statements, which are written already."""
    changed = await tx.execute(
        f"UPDATE commission SET status = 'settled', statement_id = v.statement_id FROM ("
        f"SELECT t.id, s.id AS statement_id FROM {taken} t JOIN statement s ON s.tenant_id = $1 "
        f"AND s.settlement_id = $2 AND s.distributor_id = t.beneficiary_id) AS v "
        f"WHERE commission.tenant_id = $1 AND commission.status = 'available' AND commission.id = v.id",
        tx.tenant_id,
        settlement_id,
    )
    _all_or_none(changed, count)


def _all_or_none(changed: int, wanted: int) -> None:
    if changed != wanted:
        raise ConstraintViolated(f"{changed} of {wanted} locked commission rows changed")
