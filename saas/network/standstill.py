"""Holding the tree still while something is decided by it."""

from saas.base.db import current_tx


async def stand_still() -> None:
    """Let nobody enrol, move or leave until the running transaction ends; any number may sell meanwhile.

    Whoever changes the tree updates the brand's row of ``network_tree``, which this shares. What is read afterwards is
    one picture of the tree, and an order cannot slip past an exit. SQLite has one writer anyway.
    """
    tx = current_tx()
    if tx.for_share:
        await tx.rows(f"SELECT moves FROM network_tree WHERE tenant_id = $1{tx.for_share}", tx.tenant_id)
