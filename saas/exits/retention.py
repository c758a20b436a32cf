"""Personal data of those who left, erased when the time of its retention is over (docs/rules.md §7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from saas.base import clock
from saas.base.db import Tx, reading, transaction
from saas.base.ids import DistributorId, ExitId
from saas.network.erasure import NOBODY, erase_people
from saas.payouts.erasure import erase_destinations
from tenants import audit
from tenants.actors import Actor, Role
from tenants.erasure import erase_log_ins
from tenants.errors import Forbidden
from tenants.program.versions import active_program

ERASE_BATCH = 200
"""People erased in one transaction."""
ERASED_AT_ONCE = 1_000
"""People erased by one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasable:
    """One who left, whose exit was closed longer ago than the program keeps personal data."""

    exit_id: ExitId
    distributor_id: DistributorId
    code: str
    closed_at: datetime


async def erase_expired(actor: Actor, *, dry_run: bool = False) -> Sequence[Erasable]:
    """Erase name, phone, ID number, payout destinations and log-in of those whose retention is over.

    Code, tree, orders and books stay. Answers up to ``ERASED_AT_ONCE`` of them, the longest gone first; with
    ``dry_run`` those that would be erased. Batch by batch, each in its own transaction, so it may be stopped anywhere
    and run again. Without ``exit.retention_days`` in the program there is nobody. Raises ``Forbidden`` for anybody but
    the owner and the schedule, ``NoActiveProgram``.
    """
    if actor.role not in {Role.OWNER, Role.SYSTEM}:
        raise Forbidden("input", role=actor.role, needed=Role.OWNER)
    days = (await active_program()).program.exit.retention_days
    if days is None:
        return []
    closed_before = clock.now() - timedelta(days=days)
    if dry_run:
        async with reading() as tx:
            return await _expired(tx, closed_before, ERASED_AT_ONCE, "")
    erased: list[Erasable] = []
    while len(erased) < ERASED_AT_ONCE:
        batch = await _erase(actor, closed_before)
        erased += batch
        if len(batch) < ERASE_BATCH:
            break
    return erased


async def _expired(tx: Tx, closed_before: datetime, limit: int, lock: str) -> Sequence[Erasable]:
    rows = await tx.rows(
        "SELECT x.id AS exit_id, x.distributor_id, (SELECT d.code FROM distributor d "
        "WHERE d.tenant_id = x.tenant_id AND d.id = x.distributor_id) AS code, x.closed_at FROM exit_case x "
        "WHERE x.tenant_id = $1 AND x.status = 'closed' AND x.erased_at IS NULL AND x.closed_at <= $2 "
        f"ORDER BY x.closed_at, x.id LIMIT $3{lock}",
        tx.tenant_id,
        closed_before,
        limit,
    )
    return [Erasable(**row) for row in rows]


async def _erase(actor: Actor, closed_before: datetime) -> Sequence[Erasable]:
    async with transaction() as tx:
        batch = await _expired(tx, closed_before, ERASE_BATCH, tx.for_update and f"{tx.for_update} SKIP LOCKED")
        if not batch:
            return []
        people = [one.distributor_id for one in batch]
        await erase_people(people)
        await erase_destinations(people)
        await erase_log_ins(people, NOBODY)
        await tx.execute(
            f"UPDATE exit_case SET erased_at = $3 WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            [one.exit_id for one in batch],
            clock.now(),
        )
        for one in batch:
            await audit.record(actor, "exit.erase", str(one.exit_id), distributor=one.distributor_id)
        return batch
