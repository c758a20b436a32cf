"""Schedules: when a brand's recurring tasks are done by themselves."""

from datetime import datetime, time

import strawberry

from saas.jobs import scheduling
from saas.jobs.recurrence import Every, Recurrence
from saas.jobs.scheduling import SetSchedule
from saas.jobs.tasks import Task
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals

described(
    "How often a task is done.", DAY="Every day.", WEEK="On one day of the week.", MONTH="On one day of the month."
)(Every)

_AT = "Local time of the brand, to the minute. One that a day skips is moved by as much; of two, the first counts."


@strawberry.type(description="When a task is done by itself (定时任务).")
class Schedule:
    """A schedule."""

    task: Task = strawberry.field(description="What is done.")
    every: Every = strawberry.field(description="How often.")
    at: time = strawberry.field(description=_AT)
    weekday: int | None = strawberry.field(description="The day of the week, 1 for Monday; only of `WEEK`.")
    month_day: int | None = strawberry.field(
        description="The day of the month, or its last where it is shorter; only of `MONTH`."
    )
    paused: bool = strawberry.field(description="Whether it stands still.")
    time_zone: str = strawberry.field(description="The brand's zone.")
    next_runs: list[datetime] = strawberry.field(description="The next five moments; none while it is paused.")
    changed_at: datetime | None = strawberry.field(description="When somebody last changed it; none as it came.")


def schedule(found: scheduling.Schedule) -> Schedule:
    """A schedule for the API."""
    return Schedule(
        task=found.task,
        every=found.recurrence.every,
        at=found.recurrence.at,
        weekday=found.recurrence.weekday,
        month_day=found.recurrence.month_day,
        paused=found.paused,
        time_zone=found.time_zone,
        next_runs=list(found.next_runs),
        changed_at=found.changed_at,
    )


@strawberry.input(description="When to do a task from now on.")
class SetScheduleInput:
    """A recurrence."""

    task: Task = strawberry.field(description="What is done.")
    every: Every = strawberry.field(description="How often.")
    at: time = strawberry.field(description=_AT)
    weekday: int | None = strawberry.field(default=None, description="1 for Monday to 7; with `WEEK`, and only then.")
    month_day: int | None = strawberry.field(default=None, description="1 to 31; with `MONTH`, and only then.")
    dry_run: bool = strawberry.field(default=False, description="Tell the next five moments, write nothing.")


@strawberry.input(description="A schedule to stop, or to let go on.")
class PauseScheduleInput:
    """A task and a reason."""

    task: Task = strawberry.field(description="What is done.")
    reason: str = strawberry.field(description="Why; it stands in the audit log.")


@strawberry.type(description="A schedule as it is now.")
class SchedulePayload(Payload):
    """Answer of the mutations of schedules."""

    schedule: Schedule | None = strawberry.field(default=None, description="The schedule; none when refused.")


@strawberry.type
class ScheduleQuery:
    """Reads of schedules."""

    @strawberry.field(description="The schedule of every task, as the brand has set it or as it comes.")
    async def schedules(self) -> list[Schedule]:
        """All of them."""
        return [schedule(one) for one in await scheduling.schedules()]


@strawberry.type
class ScheduleMutation:
    """Writes of schedules."""

    @strawberry.mutation(description="Change when a task is done; with a dry run. One that is paused stays so.")
    @refusals(SchedulePayload)
    async def set_schedule(self, info: Info, input: In[SetScheduleInput]) -> SchedulePayload:
        """Set it."""
        recurrence = Recurrence(every=input.every, at=input.at, weekday=input.weekday, month_day=input.month_day)
        command = SetSchedule(task=input.task, recurrence=recurrence, dry_run=input.dry_run)
        return SchedulePayload(schedule=schedule(await scheduling.set_schedule(command, info.context.who)))

    @strawberry.mutation(description="Stop doing a task by itself. The same again changes nothing.")
    @refusals(SchedulePayload)
    async def pause_schedule(self, info: Info, input: In[PauseScheduleInput]) -> SchedulePayload:
        """Pause it."""
        paused = await scheduling.pause_schedule(input.task, input.reason, info.context.who, paused=True)
        return SchedulePayload(schedule=schedule(paused))

    @strawberry.mutation(
        description="Do a task by itself, from its next moment on; what passed meanwhile is not made up for."
    )
    @refusals(SchedulePayload)
    async def resume_schedule(self, info: Info, input: In[PauseScheduleInput]) -> SchedulePayload:
        """Resume it."""
        resumed = await scheduling.pause_schedule(input.task, input.reason, info.context.who, paused=False)
        return SchedulePayload(schedule=schedule(resumed))
