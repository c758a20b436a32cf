"""Log-ins of people that left, erased when they need not be kept any longer (docs/rules.md §7)."""

from collections.abc import Collection

from saas.base.db import transaction
from saas.base.ids import DistributorId


async def erase_log_ins(distributor_ids: Collection[DistributorId], name: str) -> None:
    """Erase names, log-in names and passwords of the disabled log-ins of distributors; ``name`` stands instead."""
    async with transaction() as tx:
        await tx.execute(
            f"UPDATE member SET login = 'erased-' || CAST(id AS text), name = $3, password_hash = '' "
            f"WHERE tenant_id = $1 AND status = 'disabled' AND distributor_id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            list(distributor_ids),
            name,
        )
