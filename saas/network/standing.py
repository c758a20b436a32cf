"""The history of tier and status: intervals ``[valid_from, valid_until)``, written with every change of either.

An order keeps its path and the moment it was decided at; with this history the chain of that moment can be made
again whatever moved since (docs/rules.md §6). All who write here hold the tree, so moments never run backwards.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.base.db import Tx
from saas.base.ids import DistributorId
from saas.network.rules import Cause, Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Why tier or status change, in the office's words, and by whom."""

    cause: Cause
    reason: str | None = None
    actor_id: UUID | None = None


__all__ = ["Cause", "Change", "begin", "follow"]

_COLUMNS = ("distributor_id", "valid_from", "tier", "status", "kind", "actor_id")


async def begin(tx: Tx, seats: Sequence[Seat], moment: datetime, actor_id: UUID | None) -> None:
    """Write the first interval of new members."""
    rows = [(seat.id, moment, seat.tier, seat.status, Cause.ENROLMENT, actor_id) for seat in seats]
    await tx.insert_many("standing", _COLUMNS, rows)


async def follow(tx: Tx, changed: Collection[DistributorId], moment: datetime, change: Change) -> None:
    """End the present intervals of those who changed and begin new ones with what they are now.

    Two changes of one moment leave one interval, the later one's.
    """
    ids = list(changed)
    mine = f"WHERE tenant_id = $1 AND {{id}} {tx.within(2, 'uuid')}"
    await tx.execute(
        f"UPDATE standing SET valid_until = $3 {mine.format(id='distributor_id')} "
        "AND valid_until IS NULL AND valid_from < $3",
        tx.tenant_id,
        ids,
        moment,
    )
    await tx.execute(
        "INSERT INTO standing (tenant_id, distributor_id, valid_from, tier, status, kind, reason, actor_id) "
        f"SELECT tenant_id, id, $3, tier, status, $4, $5, $6 FROM distributor {mine.format(id='id')} "
        "ON CONFLICT (tenant_id, distributor_id, valid_from) DO UPDATE SET tier = excluded.tier, "
        "status = excluded.status, kind = excluded.kind, reason = excluded.reason, actor_id = excluded.actor_id",
        tx.tenant_id,
        ids,
        moment,
        change.cause,
        change.reason,
        change.actor_id,
    )
