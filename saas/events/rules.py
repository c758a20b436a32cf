"""What happens that somebody may follow, and what somebody follows of it. Pure.

An event tells that something happened to a thing, and when. What the thing looks like is asked for by whoever may:
an event holds ids and amounts of its own matter alone, never a name.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from saas.base.ids import DistributorId

KEPT = timedelta(days=7)
"""How long events are kept for those who take up where they left off."""


class Subject(StrEnum):
    """What an event is about."""

    ORDER = "order"
    COMMISSION = "commission"
    BALANCE = "balance"
    PAYOUT = "payout"
    EXIT = "exit"
    JOB = "job"
    WEBHOOK = "webhook"


class EventKind(StrEnum):
    """What happened; the first word is what it happened to."""

    ORDER_PLACED = "order.placed"
    ORDER_PAID = "order.paid"
    ORDER_SHIPPED = "order.shipped"
    ORDER_DELIVERED = "order.delivered"
    ORDER_CLOSED = "order.closed"
    ORDER_CANCELLED = "order.cancelled"
    COMMISSION_EARNED = "commission.earned"
    COMMISSION_AVAILABLE = "commission.available"
    COMMISSION_SETTLED = "commission.settled"
    COMMISSION_REVERSED = "commission.reversed"
    BALANCE_CHANGED = "balance.changed"
    PAYOUT_REQUESTED = "payout.requested"
    PAYOUT_BATCHED = "payout.batched"
    PAYOUT_SENT = "payout.sent"
    PAYOUT_PAID = "payout.paid"
    PAYOUT_FAILED = "payout.failed"
    PAYOUT_CANCELLED = "payout.cancelled"
    EXIT_QUOTED = "exit.quoted"
    EXIT_APPROVED = "exit.approved"
    EXIT_REJECTED = "exit.rejected"
    EXIT_WITHDRAWN = "exit.withdrawn"
    EXIT_EXECUTED = "exit.executed"
    EXIT_CLOSED = "exit.closed"
    JOB_QUEUED = "job.queued"
    JOB_STARTED = "job.started"
    JOB_PROGRESSED = "job.progressed"
    JOB_DONE = "job.done"
    JOB_FAILED = "job.failed"
    JOB_CANCELLED = "job.cancelled"
    WEBHOOK_TEST = "webhook.test"

    @property
    def subject(self) -> Subject:
        """What it happened to."""
        return Subject(self.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; ``distributor_id`` is whose it is, where it is a distributor's.

    ``amount_minor`` and its ``currency`` where money was moved.
    """

    kind: EventKind
    subject_id: UUID
    distributor_id: DistributorId | None = None
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """An event as it stands in the log: ``seq`` follows the order in which it became known, without a gap."""

    id: UUID
    seq: int
    kind: EventKind
    distributor_id: DistributorId | None
    subject_id: UUID
    amount_minor: int | None
    currency: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of the log somebody follows: these kinds, of one distributor or all, of one thing or all."""

    kinds: frozenset[EventKind]
    distributor_id: DistributorId | None = None
    subject_id: UUID | None = None

    def has(self, event: Numbered) -> bool:
        """Whether an event is among them."""
        return (
            event.kind in self.kinds
            and self.distributor_id in {None, event.distributor_id}
            and self.subject_id in {None, event.subject_id}
        )
