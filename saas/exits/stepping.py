"""One step of an exit: held still, then taken from the state it is in."""

from saas.base.db import Tx
from saas.base.ids import DistributorId, ExitId
from saas.events.commands import tell
from saas.events.rules import Event, EventKind
from saas.exits.queries import ExitView, exit_by_id
from saas.exits.rules import ExitStep, next_state

_TOLD = {
    ExitStep.APPROVE: EventKind.EXIT_APPROVED,
    ExitStep.REJECT: EventKind.EXIT_REJECTED,
    ExitStep.WITHDRAW: EventKind.EXIT_WITHDRAWN,
    ExitStep.EXECUTE: EventKind.EXIT_EXECUTED,
    ExitStep.CLOSE: EventKind.EXIT_CLOSED,
}


async def lock_exit(tx: Tx, exit_id: ExitId, distributor_id: DistributorId | None = None) -> ExitView:
    """Hold the case still until the transaction ends. Raises ``NotFound``, also for one of another distributor."""
    await tx.rows(f"SELECT id FROM exit_case WHERE tenant_id = $1 AND id = $2{tx.for_update}", tx.tenant_id, exit_id)
    return await exit_by_id(exit_id, distributor_id)


async def step(tx: Tx, case: ExitView, kind: ExitStep, sets: str = "", *values: object) -> None:
    """Move a locked case on; ``sets`` are further columns, with ``values`` from ``$5``. Raises as ``next_state``."""
    changed = await tx.execute(
        f"UPDATE exit_case SET status = $3{sets} WHERE tenant_id = $1 AND id = $2 AND status = $4",
        tx.tenant_id,
        case.id,
        next_state(case.kind, case.status, kind),
        case.status,
        *values,
    )
    if changed != 1:
        raise RuntimeError("an exit changed its state while it was locked")
    tell([Event(_TOLD[kind], case.id, case.distributor_id)])
