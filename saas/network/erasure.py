"""Personal data of distributors that left, erased when it need not be kept any longer (docs/rules.md §7)."""

from collections.abc import Collection

from saas.base.db import transaction
from saas.base.ids import DistributorId

NOBODY = "–"
"""What stands in place of a name that was erased."""


async def erase_people(ids: Collection[DistributorId]) -> None:
    """Erase names, phones and ID numbers of distributors that left; code, place in the tree and history stay.

    The orange list knows its numbers by their hashes alone, and keeps them.
    """
    async with transaction() as tx:
        await tx.execute(
            f"UPDATE distributor SET name = $3, phone_sealed = NULL, phone_masked = NULL, phone_hash = NULL, "
            f"id_number_masked = NULL, id_number_hash = NULL "
            f"WHERE tenant_id = $1 AND status = 'exited' AND id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            list(ids),
            NOBODY,
        )
