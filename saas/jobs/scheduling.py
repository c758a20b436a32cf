"""Schedules: when a brand's recurring tasks are done, changed by the brand, and made into jobs when they fall due.

A schedule is a row as soon as a worker has looked after the brand, or somebody has changed it; until then it is what is
usual. Whatever number of workers see that a moment has come, it makes one job: the row is locked, and the job carries
its schedule and moment under a unique key. Of moments that passed while nobody worked, the last one is made up for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import islice

from saas.base import clock
from saas.base.db import Row, Tx, reading, transaction
from saas.base.text import reason_of
from saas.jobs.commands import Occurrence, enqueue, said_by, signal
from saas.jobs.recurrence import Every, Recurrence, checked, latest_by, moments_after, next_after
from saas.jobs.tasks import USUAL, Task
from tenants import audit
from tenants.actors import Actor, system
from tenants.registry import BrandStatus, this_brand

RUNS_SHOWN = 5
"""How many coming moments a schedule tells."""

_COLUMNS = ("task", "every", "at_minute", "weekday", "month_day", "paused", "next_at", "changed_by", "changed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a task is done. ``next_runs`` are the moments to come, none while it is paused.

    ``changed_at`` is None for one that nobody has changed.
    """

    task: Task
    recurrence: Recurrence
    paused: bool
    time_zone: str
    next_runs: Sequence[datetime]
    changed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSchedule:
    """Do a task at these times from now on. One that is paused stays so."""

    task: Task
    recurrence: Recurrence
    dry_run: bool = False


async def schedules() -> Sequence[Schedule]:
    """The schedule of every task, as the brand has it or as is usual."""
    async with reading() as tx:
        rows = await tx.rows(f"SELECT {', '.join(_COLUMNS)} FROM schedule WHERE tenant_id = $1", tx.tenant_id)
        zone = (await this_brand()).time_zone
    kept = {row["task"]: row for row in rows}
    return [_schedule(task, kept.get(task), zone) for task in Task]


async def set_schedule(command: SetSchedule, actor: Actor) -> Schedule:
    """Change when a task is done; with ``dry_run`` only tell when that would be. Raises ``InvalidInput``."""
    recurrence = checked(command.recurrence, "input")
    async with transaction() as tx:
        zone, task = (await this_brand()).time_zone, command.task
        before = await _held(tx, task)
        paused = before["paused"] if before else USUAL[task].paused
        if command.dry_run:
            return _made(task, recurrence, paused=paused, zone=zone, changed_at=None)
        await _write(tx, task, recurrence, paused=paused, zone=zone, actor=actor)
        earlier = _schedule(task, before, zone).recurrence
        await audit.record(actor, "schedule.set", task, **audit.change(_told(earlier), _told(recurrence)))
        return _made(task, recurrence, paused=paused, zone=zone, changed_at=clock.now())


def _told(recurrence: Recurrence) -> dict[str, object]:
    """A recurrence for the audit log."""
    at = recurrence.at.isoformat("minutes")
    return {"every": recurrence.every, "at": at, "weekday": recurrence.weekday, "day": recurrence.month_day}


async def pause_schedule(task: Task, reason: str, actor: Actor, *, paused: bool) -> Schedule:
    """Stop doing a task by itself, or do it again: from the next moment on, what passed meanwhile is not made up for.

    The same again changes nothing. Raises ``ReasonRefused``.
    """
    reason = reason_of(reason)
    async with transaction() as tx:
        zone, before = (await this_brand()).time_zone, await _held(tx, task)
        found = _schedule(task, before, zone)
        if found.paused == paused:
            return found
        await _write(tx, task, found.recurrence, paused=paused, zone=zone, actor=actor)
        changed = audit.change({"paused": not paused}, {"paused": paused})
        action = "schedule.pause" if paused else "schedule.resume"
        await audit.record(actor, action, task, reason=reason, **changed)
        return _made(task, found.recurrence, paused=paused, zone=zone, changed_at=clock.now())


async def keep_schedules() -> None:
    """Give the brand the usual schedules it has no row of yet, and have it looked at when one falls due.

    A chore of each brand.
    """
    async with reading() as tx:
        if await tx.value("SELECT count(*) FROM schedule WHERE tenant_id = $1", tx.tenant_id) >= len(USUAL):
            return
    async with transaction() as tx:
        zone, now = (await this_brand()).time_zone, clock.now()
        first = {task: next_after(usual.recurrence, zone, now) for task, usual in sorted(USUAL.items())}
        rows = [_row(task, USUAL[task].recurrence, USUAL[task].paused, at, None) for task, at in first.items()]
        if await tx.insert_many("schedule", _COLUMNS, rows, or_ignore=True):
            await signal(tx, min(first.values()))


async def fire_due() -> int:
    """Make a job of every schedule that has fallen due; answers how many. Those of a suspended brand pass unused."""
    async with reading() as tx:
        if not await _due(tx, clock.now(), lock=""):
            return 0
    async with transaction() as tx:
        brand, now, fired = await this_brand(), clock.now(), 0
        due = await _due(tx, now, lock=tx.for_update)
        for row in due:
            task, recurrence = Task(row["task"]), _recurrence(row)
            await tx.execute(
                "UPDATE schedule SET next_at = $3 WHERE tenant_id = $1 AND task = $2",
                *(tx.tenant_id, task.value, next_after(recurrence, brand.time_zone, now)),
            )
        if brand.status is not BrandStatus.ACTIVE:
            return 0
        for row in due:
            task, actor = Task(row["task"]), system(tx.tenant_id, f"schedule {row['task']}")
            at = max(row["next_at"], latest_by(_recurrence(row), brand.time_zone, now))
            await enqueue(task, {"actor": said_by(actor)}, actor=actor, occurrence=Occurrence(task, at))
            fired += 1
    return fired


async def _due(tx: Tx, now: datetime, *, lock: str) -> Sequence[Row]:
    known = [task.value for task in Task]
    return await tx.rows(
        f"SELECT {', '.join(_COLUMNS)} FROM schedule WHERE tenant_id = $1 AND NOT paused AND next_at <= $2 "
        f"AND task {tx.within(3, 'text')} ORDER BY task{lock}",
        *(tx.tenant_id, now, known),
    )


async def _held(tx: Tx, task: Task) -> Row | None:
    return await tx.row(
        f"SELECT {', '.join(_COLUMNS)} FROM schedule WHERE tenant_id = $1 AND task = $2{tx.for_update}",
        *(tx.tenant_id, task.value),
    )


async def _write(tx: Tx, task: Task, recurrence: Recurrence, *, paused: bool, zone: str, actor: Actor) -> None:
    next_at = next_after(recurrence, zone, clock.now())
    changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
    row = _row(task, recurrence, paused, next_at, actor)
    await tx.insert_many("schedule", _COLUMNS, [row], or_update=f"(tenant_id, task) DO UPDATE SET {changes}")
    await signal(tx, next_at)


def _row(
    task: Task, recurrence: Recurrence, paused: bool, next_at: datetime, actor: Actor | None
) -> tuple[object, ...]:
    when = (recurrence.every.value, recurrence.at_minute, recurrence.weekday, recurrence.month_day)
    return (task.value, *when, paused, next_at, actor and actor.id, clock.now())


def _schedule(task: Task, row: Row | None, zone: str) -> Schedule:
    if row is None:
        return _made(task, USUAL[task].recurrence, paused=USUAL[task].paused, zone=zone, changed_at=None)
    changed_at = row["changed_at"] if row["changed_by"] else None
    return _made(task, _recurrence(row), paused=row["paused"], zone=zone, changed_at=changed_at)


def _made(task: Task, recurrence: Recurrence, *, paused: bool, zone: str, changed_at: datetime | None) -> Schedule:
    runs = [] if paused else list(islice(moments_after(recurrence, zone, clock.now()), RUNS_SHOWN))
    return Schedule(
        task=task, recurrence=recurrence, paused=paused, time_zone=zone, next_runs=runs, changed_at=changed_at
    )


def _recurrence(row: Row) -> Recurrence:
    hour, minute = divmod(row["at_minute"], 60)
    when = {"weekday": row["weekday"], "month_day": row["month_day"]}
    return Recurrence(every=Every(row["every"]), at=time(hour, minute), **when)
