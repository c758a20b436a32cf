"""All that a worker knows to do: who does which kind of job, and what is done for every brand now and then."""

from collections.abc import Mapping, Sequence
from functools import partial

from saas.demo.sandbox import KIND as SANDBOX
from saas.demo.sandbox import run_reset
from saas.events.publishing import Follower, forget_old, publish
from saas.exits.bulk import HANDLERS as BULK_EXITS
from saas.exits.routine import HANDLERS as EXITS
from saas.imports.files import HANDLERS as IMPORTS
from saas.imports.files import drop_abandoned
from saas.jobs.measures import measure
from saas.jobs.scheduling import keep_schedules
from saas.jobs.worker import Chore, Handler
from saas.network.tiering import JOB as TIERS
from saas.network.tiering import apply_tiers
from saas.notifications.delivering import HANDLERS as NOTIFICATIONS
from saas.notifications.delivering import deliver_soon
from saas.payouts.routine import HANDLERS as PAYOUTS
from saas.payouts.sending import HANDLERS as PAY
from saas.payouts.sending import ask_again
from saas.proof.checks import seal_chains
from saas.proof.commands import KIND as PROOF
from saas.proof.commands import check_books
from saas.settlement.routine import HANDLERS as PERIODS
from saas.simulation.commands import KIND as SIMULATION
from saas.simulation.commands import run_simulation
from saas.webhooks.commands import deliver_left, fan_out, forget_deliveries
from tenants.program import versions

HANDLERS: Mapping[str, Handler] = {
    SIMULATION: run_simulation,
    TIERS: apply_tiers,
    PROOF: check_books,
    SANDBOX: run_reset,
    **PAY,
    **PERIODS,
    **PAYOUTS,
    **EXITS,
    **BULK_EXITS,
    **IMPORTS,
    **NOTIFICATIONS,
}
"""Who does which kind of job."""

FOLLOWERS: Sequence[Follower] = (fan_out,)
"""Who is given every event once, when it becomes known."""

CHORES: Sequence[Chore] = (
    keep_schedules,
    versions.bring_up_to_date,
    seal_chains,
    ask_again,
    deliver_soon,
    drop_abandoned,
    measure,
    partial(publish, FOLLOWERS),
    forget_old,
    deliver_left,
    forget_deliveries,
)
"""What is done for every brand now and then, whoever else does it too."""
