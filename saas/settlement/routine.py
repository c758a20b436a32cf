"""What a brand does again and again about periods, as jobs: release holds, close what is over.

Each step is a transaction of its own under a key of its own, so a job that is given up, or done twice, leaves nothing
half done and nothing done twice.
"""

from collections.abc import Mapping
from typing import Any

from saas.base import clock
from saas.jobs.commands import asked_by
from saas.jobs.scheduling import schedules
from saas.jobs.tasks import Task
from saas.jobs.worker import Handler, Progress
from saas.performance.commands import ClosePeriod, close_period
from saas.performance.errors import PeriodNotOver
from saas.performance.queries import periods_due
from saas.settlement.commands import CloseSettlement, close, release_due
from saas.settlement.errors import NothingToSettle
from saas.settlement.policy import settlement_policy
from saas.settlement.queries import next_period, preview
from saas.settlement.rules import SettlementPolicy
from tenants.errors import NoActiveProgram


async def release(given: Mapping[str, Any], progress: Progress) -> None:
    """Make all commission available whose hold is over."""
    await release_due(asked_by(given), report=progress.report)


async def close_due_periods(given: Mapping[str, Any], progress: Progress) -> None:
    """Close every calendar period that is over, the earliest first."""
    actor, due = asked_by(given), await periods_due()
    for done, period in enumerate(due):
        await progress.report(done, len(due), period.label)
        key = f"due:{period.length}:{period.first}"
        await close_period(ClosePeriod(length=period.length, day=period.first, idempotency_key=key), actor)


async def close_due_settlements(given: Mapping[str, Any], progress: Progress) -> None:
    """Settle every period that is over, the earliest first.

    Where the brand has its calendar periods closed by schedule too, they are closed before, so that what they award is
    on the statement of the period that earned it. A brand without a program in force has nothing to settle.
    """
    try:
        policy = await settlement_policy()
    except NoActiveProgram:
        return
    if any(one.task is Task.CLOSE_PERIODS and not one.paused for one in await schedules()):
        await close_due_periods(given, progress)
    settled = 0
    while (key := await _due(policy)) is not None:
        await progress.report(settled, None, key)
        try:
            await close(CloseSettlement(idempotency_key=f"due:{key}"), asked_by(given))
        except (PeriodNotOver, NothingToSettle):
            return  # somebody was faster
        settled += 1


async def _due(policy: SettlementPolicy) -> str | None:
    """What the next period to be settled begins with, if it is over; without a calendar, if anybody earned anything."""
    period = await next_period(policy)
    if period is None or period.until > clock.now():
        return None
    if policy.period == "per_order" and not (await preview()).statements:
        return None
    return period.since.isoformat()


HANDLERS: Mapping[str, Handler] = {
    Task.RELEASE: release,
    Task.CLOSE_PERIODS: close_due_periods,
    Task.CLOSE_SETTLEMENTS: close_due_settlements,
}
"""Who does which of the tasks."""
