"""Jobs: work that takes its time, how far it is, and giving it up."""

from datetime import datetime
from typing import Annotated

import strawberry

from saas.base.ids import JobId
from saas.jobs import commands, queries
from saas.jobs.commands import StartTask
from saas.jobs.queries import JobView
from saas.jobs.rules import JobStatus
from saas.jobs.tasks import Task
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import BigInt

described(
    "Where a job is in its life.",
    QUEUED="Waits for its moment, or for a worker.",
    RUNNING="A worker is at it.",
    DONE="Came to its end.",
    FAILED="Did not, and is not tried again.",
    CANCELLED="Was given up.",
)(JobStatus)

described(
    "Work that a brand does again and again; each can be done at any time, and again, and comes to the same.",
    name="Task",
    RELEASE="Make all commission available whose hold is over.",
    CLOSE_PERIODS="Close every calendar period that is over: rebates, bonuses, reviews of tiers.",
    CLOSE_SETTLEMENTS="Settle every period that is over: a statement for each distributor.",
    CHECK_BOOKS="Prove that the books hold, and seal them.",
    CLOSE_EXITS="Close every executed exit that has nothing left.",
    ERASE="Erase personal data whose retention is over.",
    SWEEP="Ask for a payout for everybody who can have one.",
    SEND="Submit the approved batches that are paid over the network.",
)(Task)


@strawberry.type(description="Work that takes its time (任务).")
class Job:
    """A job."""

    view: strawberry.Private[JobView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    kind: str = strawberry.field(description="What is done, such as `simulation`.")
    status: JobStatus = strawberry.field(description="Where it is in its life.")
    step: str | None = strawberry.field(description="What it is at.")
    done: BigInt = strawberry.field(description="How far it is within the step.")
    total: BigInt | None = strawberry.field(description="How much the step is, when that is known.")
    attempts: int = strawberry.field(description="How often it was tried.")
    cancel_requested: bool = strawberry.field(description="Whether it is to be given up.")
    run_at: datetime = strawberry.field(description="Not done before this moment.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When it was first begun.")
    finished_at: datetime | None = strawberry.field(description="When it came to an end, whichever.")
    schedule: Task | None = strawberry.field(description="Whose schedule set it off; none when somebody asked for it.")
    due_at: datetime | None = strawberry.field(description="The moment of the schedule that had come.")
    dismissed_at: datetime | None = strawberry.field(description="When it was put aside after it had failed.")
    dismissal: str | None = strawberry.field(description="Why it was put aside.")

    @strawberry.field(description="Why it failed and what to do, in the caller's language.")
    def error(self, info: Info) -> str | None:
        """None unless it failed."""
        why = self.view.error
        if why is None:
            return None
        return why.zh if info.context.locale.lower().startswith("zh") else why.en


def job(view: JobView) -> Job:
    """A job for the API."""
    return Job(
        view=view,
        id=to_global("Job", view.id),
        kind=view.kind,
        status=view.status,
        step=view.step,
        done=BigInt(view.done),
        total=None if view.total is None else BigInt(view.total),
        attempts=view.attempts,
        cancel_requested=view.cancel_requested,
        run_at=view.run_at,
        created_at=view.created_at,
        started_at=view.started_at,
        finished_at=view.finished_at,
        schedule=_task(view.schedule),
        due_at=view.due_at,
        dismissed_at=view.dismissed_at,
        dismissal=view.dismissal,
    )


async def job_by_id(info: Info, id_: JobId) -> Job:
    """A job, loaded together with the others a page asks for."""

    async def load(ids: list[JobId]) -> list[Job]:
        found = await queries.jobs_by_id(ids)
        return [job(found[one]) for one in ids]

    return await info.context.loader("job", load).load(id_)


def _task(name: str | None) -> Task | None:
    return Task(name) if name in set(Task) else None


@strawberry.input(description="A job to give up.")
class CancelJobInput:
    """A job."""

    job_id: strawberry.ID = strawberry.field(description="The job; queued or running.")


@strawberry.input(description="A job that failed, and why it is tried again or put aside.")
class FailedJobInput:
    """A job and a reason."""

    job_id: strawberry.ID = strawberry.field(description="The job; failed.")
    reason: str = strawberry.field(description="Why; it stands in the audit log.")


@strawberry.input(description="A task to do at once.")
class StartTaskInput:
    """A task."""

    task: Task = strawberry.field(description="What to do.")
    idempotency_key: str = strawberry.field(description="The same key answers the same job.")


@strawberry.type(description="A job as it is now.")
class JobPayload(Payload):
    """Answer of the mutations of jobs."""

    job: Job | None = strawberry.field(default=None, description="The job; none when refused.")


@strawberry.type
class JobQuery:
    """Reads of jobs."""

    @strawberry.field(description="One job.")
    async def job(self, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]) -> Job:
        """A job."""
        return job(await queries.job(JobId(from_global("Job", id, "id"))))

    @strawberry.field(description="The brand's jobs, the latest first.")
    async def jobs(
        self,
        kinds: Annotated[list[str] | None, strawberry.argument(description="Only these kinds.")] = None,
        statuses: Annotated[list[JobStatus] | None, strawberry.argument(description="Only these statuses.")] = None,
        dead: Annotated[
            bool, strawberry.argument(description="Only those that failed and that nobody has put aside.")
        ] = False,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Job]:
        """A page of jobs."""
        wanted = None if statuses is None else [status.value for status in statuses]
        page = await queries.jobs(request(first, after), kinds=kinds, statuses=wanted, dead=dead)
        return connection(page, job, after)

    @strawberry.field(description="How many jobs failed, are not tried again, and wait for somebody to say what next.")
    async def dead_job_count(self) -> int:
        """A count."""
        return await queries.dead_jobs()


@strawberry.type
class JobMutation:
    """Writes of jobs."""

    @strawberry.mutation(description="Give a job up: at once while it waits, at its next report while it runs.")
    @refusals(JobPayload)
    async def cancel_job(self, info: Info, input: In[CancelJobInput]) -> JobPayload:
        """Give it up."""
        job_id = JobId(from_global("Job", input.job_id, "input.jobId"))
        return JobPayload(job=job(await commands.cancel(job_id, info.context.who)))

    @strawberry.mutation(description="Have a job that failed tried again, as often as a new one.")
    @refusals(JobPayload)
    async def retry_job(self, info: Info, input: In[FailedJobInput]) -> JobPayload:
        """Try it again."""
        job_id = JobId(from_global("Job", input.job_id, "input.jobId"))
        return JobPayload(job=job(await commands.retry(job_id, input.reason, info.context.who)))

    @strawberry.mutation(description="Put a job that failed aside; it can still be read, and retried.")
    @refusals(JobPayload)
    async def dismiss_job(self, info: Info, input: In[FailedJobInput]) -> JobPayload:
        """Put it aside."""
        job_id = JobId(from_global("Job", input.job_id, "input.jobId"))
        return JobPayload(job=job(await commands.dismiss(job_id, input.reason, info.context.who)))

    @strawberry.mutation(description="Have a recurring task done at once, as a job, by who may do the same by hand.")
    @refusals(JobPayload)
    async def start_task(self, info: Info, input: In[StartTaskInput]) -> JobPayload:
        """Start it."""
        command = StartTask(task=input.task, idempotency_key=input.idempotency_key)
        return JobPayload(job=job(await commands.start(command, info.context.who)))
