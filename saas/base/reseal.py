"""Sealing anew: what an older key sealed is sealed with the present one, row by row, while others go on working."""

from typing import NamedTuple

from saas.base.db import Tx, transaction
from saas.base.vault import seal, sealing_key, unseal


class SealedColumn(NamedTuple):
    """A column of sealed text, bound to the row's id."""

    table: str
    column: str


SEALED = (
    SealedColumn("distributor", "phone_sealed"),
    SealedColumn("payout_destination", "sealed"),
    SealedColumn("provider_account", "sealed"),
    SealedColumn("second_factor", "sealed"),
    SealedColumn("webhook", "sealed"),
    SealedColumn("webhook", "old_sealed"),
)
"""Every column that holds sealed text."""

AT_ONCE = 500


async def reseal() -> int:
    """Seal everything of the active tenant with the present key; answers how many values were under an older one.

    Raises ``SealBroken`` for a value whose key is gone. What was erased stays empty.
    """
    changed = 0
    for place in SEALED:
        while True:
            async with transaction() as tx:
                found = await _some(tx, place)
            changed += found
            if not found:
                break
    return changed


async def _some(tx: Tx, place: SealedColumn) -> int:
    table, column = place
    rows = await tx.rows(
        f"SELECT id, {column} AS sealed FROM {table} WHERE tenant_id = $1 AND {column} NOT LIKE $2 AND {column} <> '' "
        f"ORDER BY id LIMIT {AT_ONCE}{tx.for_update}",
        tx.tenant_id,
        f"{sealing_key()}.%",
    )
    for row in rows:
        await tx.execute(
            f"UPDATE {table} SET {column} = $3 WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            row["id"],
            seal(unseal(row["sealed"], row["id"]), row["id"]),
        )
    return len(rows)
