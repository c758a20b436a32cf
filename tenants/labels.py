"""What people and keys are called, for histories that keep their ids."""

from collections.abc import Collection, Mapping
from uuid import UUID

from saas.base.db import current_tx


async def labels_of(ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Log-ins of the brand's members and names of its keys, in the running transaction; others are left out."""
    if not ids:
        return {}
    tx = current_tx()
    wanted = list(ids)
    rows = await tx.rows(
        f"SELECT id, login AS label FROM member WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} "
        f"UNION ALL SELECT id, name FROM api_key WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')}",
        tx.tenant_id,
        wanted,
    )
    return {row["id"]: row["label"] for row in rows}
