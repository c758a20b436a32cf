"""What a brand does again and again about payouts, as jobs: ask for everybody's, hand over what two people approved."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from saas.jobs.commands import asked_by
from saas.jobs.tasks import Task
from saas.jobs.worker import Handler, Progress
from saas.payouts.batches import send_approved
from saas.payouts.requests import SweepPayouts, sweep_payouts
from tenants.errors import NoActiveProgram


async def sweep(given: Mapping[str, Any], progress: Progress) -> None:
    """Request a payout for everybody who may be paid, once for each job. Without a program nobody may."""
    await progress.report(0, 1)
    with suppress(NoActiveProgram):
        await sweep_payouts(SweepPayouts(idempotency_key=f"job:{progress.job_id}"), asked_by(given))


async def send(given: Mapping[str, Any], progress: Progress) -> None:
    """Submit the approved batches that are paid over the network."""
    await send_approved(asked_by(given), progress.report)


HANDLERS: Mapping[str, Handler] = {Task.SWEEP: sweep, Task.SEND: send}
"""Who does which of the tasks."""
