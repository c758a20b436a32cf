"""Holding the tree still while something is decided by it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from saas.base import clock
from saas.base.db import current_tx
from saas.base.ids import DistributorId
from saas.network.rules import Status


async def stand_still() -> datetime:
    """Let nobody enrol, move, leave or change tier or status until the running transaction ends; any number may sell.

    Whoever changes the tree updates the brand's row of ``network_tree``, which this shares. What is read afterwards is
    one picture of the tree, and an order cannot slip past an exit. SQLite has one writer anyway. Never followed by a
    change of the tree in the same transaction: two that share would wait for one another.

    Answers the moment the picture is of, which is never before the last change, whatever the clocks of several
    machines say: the chains of that moment (``history.Roll``) are the chains of the picture.
    """
    tx = current_tx()
    row = await tx.row(f"SELECT changed_at FROM network_tree WHERE tenant_id = $1{tx.for_share}", tx.tenant_id)
    now = clock.now()
    return max(now, row["changed_at"]) if row else now


async def hold_still(distributor_ids: Collection[DistributorId]) -> Mapping[DistributorId, Status]:
    """Let nobody change these until the running transaction ends; answers where they stand.

    Whoever changes one locks the tree first, which stands still: their own rows need no lock.
    """
    await stand_still()
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT id, status FROM distributor WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')}",
        tx.tenant_id,
        list(distributor_ids),
    )
    return {row["id"]: Status(row["status"]) for row in rows}
