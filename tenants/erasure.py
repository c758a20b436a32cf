"""Log-ins of people that left, erased when they need not be kept any longer (docs/rules.md §7)."""

from collections.abc import Collection

from saas.base.db import transaction
from saas.base.ids import DistributorId


async def erase_log_ins(distributor_ids: Collection[DistributorId], name: str) -> None:
    """Erase what the disabled log-ins of distributors hold of them; ``name`` stands instead of theirs."""
    async with transaction() as tx:
        await tx.execute(
            f"UPDATE member SET login = 'erased-' || CAST(id AS text), name = $3, password_hash = '' "
            f"WHERE tenant_id = $1 AND status = 'disabled' AND distributor_id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            list(distributor_ids),
            name,
        )
        for table, column in (("second_factor", "id"), ("recovery_code", "member_id")):
            await tx.execute(
                f"DELETE FROM {table} WHERE tenant_id = $1 AND {column} IN (SELECT m.id FROM member m "
                f"WHERE m.tenant_id = $1 AND m.status = 'disabled' AND m.distributor_id {tx.within(2, 'uuid')})",
                tx.tenant_id,
                list(distributor_ids),
            )
