"""Holding the tree still while something is decided by it."""

from collections.abc import Collection, Mapping

from saas.base.db import current_tx
from saas.base.ids import DistributorId
from saas.network.rules import Status


async def stand_still() -> None:
    """Let nobody enrol, move or leave until the running transaction ends; any number may sell meanwhile.

    Whoever changes the tree updates the brand's row of ``network_tree``, which this shares. What is read afterwards is
    one picture of the tree, and an order cannot slip past an exit. SQLite has one writer anyway.
    """
    tx = current_tx()
    if tx.for_share:
        await tx.rows(f"SELECT moves FROM network_tree WHERE tenant_id = $1{tx.for_share}", tx.tenant_id)


async def hold_still(distributor_ids: Collection[DistributorId]) -> Mapping[DistributorId, Status]:
    """Let nobody suspend, reinstate or exit these until the running transaction ends; answers where they stand."""
    await stand_still()
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT id, status FROM distributor WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} "
        f"ORDER BY id{tx.for_share}",
        tx.tenant_id,
        list(distributor_ids),
    )
    return {row["id"]: Status(row["status"]) for row in rows}
