"""Payout destinations of distributors that left, erased when they need not be kept any longer (docs/rules.md §7)."""

from collections.abc import Collection

from saas.base.db import transaction
from saas.base.ids import DistributorId

ERASED = "****"
"""What stands in place of a destination that was erased; nothing is sealed for it any more."""


async def erase_destinations(distributor_ids: Collection[DistributorId]) -> None:
    """Retire and empty all destinations of these distributors, old ones too; payouts keep what they paid and when."""
    async with transaction() as tx:
        await tx.execute(
            f"UPDATE payout_destination SET status = 'retired', sealed = '', masked = $3 "
            f"WHERE tenant_id = $1 AND distributor_id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            list(distributor_ids),
            ERASED,
        )
