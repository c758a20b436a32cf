"""Bringing what happened to the people it concerns: a job that empties the outbox, each event with its delivery.

``Delivery`` is where other ways than the inbox will stand beside it. A way that leaves the database must write down in
this transaction what it is to send, and send it later, as payouts do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Protocol
from uuid import UUID

from saas.base.db import Row, Tx, transaction
from saas.base.ids import MemberId, new_id
from saas.jobs.commands import enqueue
from saas.jobs.worker import Handler, Progress
from saas.notifications.audience import OFFICE
from saas.notifications.rules import EventKind
from tenants.actors import system

JOB = "notifications.deliver"
"""The kind of its jobs."""
BATCH = 500
"""Events delivered in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """An event for one member; ``data`` is JSON."""

    member_id: MemberId
    kind: EventKind
    subject_id: UUID
    data: str
    at: datetime


class Delivery(Protocol):
    """A way to reach people."""

    async def deliver(self, tx: Tx, letters: Sequence[Addressed]) -> None:
        """Bring these, in the running transaction: all of them, or an exception and none."""


class Inbox:
    """What a member finds when it logs in."""

    async def deliver(self, tx: Tx, letters: Sequence[Addressed]) -> None:
        """Put them there."""
        columns = ("id", "member_id", "kind", "subject_id", "data", "at")
        rows = [(new_id(), one.member_id, one.kind.value, one.subject_id, one.data, one.at) for one in letters]
        await tx.insert_many("notification", columns, rows)


DELIVERIES: Sequence[Delivery] = (Inbox(),)
"""Every way that is in use."""


async def run_deliver(_: Mapping[str, Any], progress: Progress) -> None:
    """The handler of ``JOB``: empty the outbox, batch by batch."""
    delivered = 0
    while batch := await deliver():
        delivered += batch
        await progress.report(delivered)


HANDLERS: Mapping[str, Handler] = {JOB: run_deliver}
"""Who does the jobs of notifications."""


async def deliver() -> int:
    """Deliver the next events, each once however many do this; answers how many there were."""
    async with transaction() as tx:
        skip = tx.for_update and f"{tx.for_update} SKIP LOCKED"
        rows = await tx.rows(
            f"SELECT id, kind, distributor_id, subject_id, data, at FROM outbox_event WHERE tenant_id = $1 "
            f"ORDER BY id LIMIT {BATCH}{skip}",
            tx.tenant_id,
        )
        if not rows:
            return 0
        letters = await _addressed(tx, rows)
        if letters:
            for way in DELIVERIES:
                await way.deliver(tx, letters)
        await tx.execute(
            f"DELETE FROM outbox_event WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            [row["id"] for row in rows],
        )
    return len(rows)


async def _addressed(tx: Tx, rows: Sequence[Row]) -> list[Addressed]:
    found = await tx.rows(
        f"SELECT id, role, distributor_id FROM member WHERE tenant_id = $1 AND status = 'active' "
        f"AND distributor_id IS NULL AND role IN ('owner', 'finance', 'operations') UNION ALL "
        f"SELECT id, role, distributor_id FROM member WHERE tenant_id = $1 AND status = 'active' "
        f"AND distributor_id {tx.within(2, 'uuid')}",
        tx.tenant_id,
        list({row["distributor_id"] for row in rows}),
    )
    members = sorted(found, key=itemgetter("id"))
    return [
        Addressed(
            member_id=MemberId(member["id"]),
            kind=EventKind(row["kind"]),
            subject_id=row["subject_id"],
            data=row["data"],
            at=row["at"],
        )
        for row in rows
        for member in members
        if member["distributor_id"] == row["distributor_id"] or member["role"] in OFFICE.get(row["kind"], ())
    ]


async def deliver_soon() -> None:
    """Have a job empty the outbox, unless it is empty or one is about to. A chore of each brand.

    Who announces does not ask for a job: it would wait for everybody else who does, while it holds what they need.
    """
    async with transaction() as tx:
        waits = await tx.value(
            "SELECT 1 FROM outbox_event e WHERE e.tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM job j "
            "WHERE j.tenant_id = $1 AND j.kind = $2 AND j.status IN ('queued', 'running')) LIMIT 1",
            *(tx.tenant_id, JOB),
        )
        if waits:
            await enqueue(JOB, {}, actor=system(tx.tenant_id, JOB))
