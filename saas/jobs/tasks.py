"""What a brand does again and again, when it does so unless it says otherwise, and who may ask for it at once.

A task is the kind of the jobs that carry it out; each room carries out its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from saas.jobs.recurrence import Every, Recurrence
from tenants.actors import Role


class Task(StrEnum):
    """Recurring work. Each can be done at any time, and again, and comes to the same."""

    RELEASE = "commission.release"
    CLOSE_PERIODS = "period.close_due"
    CLOSE_SETTLEMENTS = "settlement.close_due"
    CHECK_BOOKS = "check_books"
    CLOSE_EXITS = "exit.close_finished"
    ERASE = "exit.erase_expired"
    SWEEP = "payout.sweep"
    SEND = "payout.send_approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """When a task is done by default; ``paused`` are those that a brand has to ask for."""

    recurrence: Recurrence
    paused: bool = False


def _daily(hour: int, minute: int = 0) -> Recurrence:
    return Recurrence(every=Every.DAY, at=time(hour, minute))


USUAL: Mapping[Task, Usual] = {
    Task.RELEASE: Usual(recurrence=_daily(1)),
    # What closes a period or moves money outwards begins when a brand says so, and not before.
    Task.CLOSE_PERIODS: Usual(recurrence=_daily(2), paused=True),
    Task.CLOSE_SETTLEMENTS: Usual(recurrence=_daily(2, 30), paused=True),
    Task.CHECK_BOOKS: Usual(recurrence=_daily(3, 30)),
    Task.CLOSE_EXITS: Usual(recurrence=_daily(4)),
    Task.ERASE: Usual(recurrence=_daily(4, 30)),
    Task.SWEEP: Usual(recurrence=Recurrence(every=Every.WEEK, at=time(9), weekday=1), paused=True),
    Task.SEND: Usual(recurrence=_daily(10), paused=True),
}
"""At night, in the order in which one follows from another; payouts by day, when somebody can look."""

_FINANCE, _OPERATIONS = frozenset({Role.OWNER, Role.FINANCE}), frozenset({Role.OWNER, Role.OPERATIONS})
MAY_START: Mapping[Task, frozenset[Role]] = {
    Task.RELEASE: _FINANCE,
    Task.CLOSE_PERIODS: _FINANCE,
    Task.CLOSE_SETTLEMENTS: _FINANCE,
    Task.CHECK_BOOKS: _FINANCE,
    Task.CLOSE_EXITS: _OPERATIONS,
    Task.ERASE: frozenset({Role.OWNER}),
    Task.SWEEP: _FINANCE,
    Task.SEND: _FINANCE,
}
"""Who may have a task done at once: those who may do the same by hand."""
