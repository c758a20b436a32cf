"""The end of an exit: nothing is pending, available, settled or being paid any more; the final statement is made."""

from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Tx, reading, transaction
from saas.base.errors import Said
from saas.base.ids import ExitId
from saas.base.money import plain_amount
from saas.exits.errors import ExitAwaits, ExitNotSettled
from saas.exits.queries import ExitView, exit_by_id
from saas.exits.rules import ExitState, ExitStep, final_statement
from saas.exits.stepping import lock_exit, step
from saas.jobs.worker import Report
from saas.ledger.queries import balances_of, movements_since
from saas.network.leaving import close_account, closed_among
from saas.payouts.people import staff_member
from saas.performance.coming import awards_to_come
from saas.returns.queries import returns_to_come
from saas.settlement.adjusted import waiting_of
from tenants import audit
from tenants.actors import Actor


async def close_exit(exit_id: ExitId, actor: Actor) -> ExitView:
    """Close an executed exit when nothing is left and nothing to come, with its final statement.

    Raises ``NotFound``, ``WrongState``, ``ExitNotSettled``, ``ExitAwaits`` or ``Forbidden``.
    """
    staff_member(actor)
    async with transaction() as tx:
        case = await lock_exit(tx, exit_id)
        await _close(tx, case)
        await audit.record(actor, "exit.close", str(exit_id))
        return await exit_by_id(exit_id)


async def close_finished(actor: Actor, report: Report | None = None) -> int:
    """Close every executed exit that has nothing left; answers how many.

    Each in a transaction of its own, so it may be stopped anywhere, and run again or twice at once; ``report`` is told
    between them how far it is.
    """
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT x.id FROM exit_case x WHERE x.tenant_id = $1 AND x.status = 'executed' AND NOT EXISTS ("
            "SELECT 1 FROM balance b WHERE b.tenant_id = $1 AND b.owner_id = x.distributor_id "
            "AND b.amount_minor <> 0) ORDER BY x.id",
            tx.tenant_id,
        )
    closed = 0
    for done, row in enumerate(rows):
        if report is not None:
            await report(done, len(rows))
        closed += await _close_if_finished(row["id"], actor)
    return closed


async def _close_if_finished(exit_id: UUID, actor: Actor) -> bool:
    async with transaction() as tx:
        case = await lock_exit(tx, ExitId(exit_id))
        await closed_among([case.distributor_id], hold=True)  # nobody decides anything about its money meanwhile
        if case.status is not ExitState.EXECUTED or await _to_come(case) or await _left(case):
            return False  # somebody was faster, or money came meanwhile, or may come
        await _close(tx, case)
        await audit.record(actor, "exit.close", str(exit_id))
    return True


async def _close(tx: Tx, case: ExitView) -> None:
    now = clock.now()
    await step(tx, case, ExitStep.CLOSE)
    await close_account(case.distributor_id)
    # What is to come is read first: what a settlement makes of it in between then stands on the accounts.
    coming, left = await _to_come(case), await _left(case)
    if left:
        raise ExitNotSettled("input.id", amounts=", ".join(left))
    if coming:
        raise ExitAwaits(
            "input.id", what=Said(", ".join(one.en for one in coming), "、".join(one.zh for one in coming))
        )
    since = case.executed_at or now
    final = final_statement(await movements_since(case.distributor_id, since), since, now)
    await tx.execute(
        "UPDATE exit_case SET closed_at = $3, final_statement = $4 WHERE tenant_id = $1 AND id = $2",
        tx.tenant_id,
        case.id,
        now,
        orjson.dumps(final, default=str).decode(),
    )


async def _left(case: ExitView) -> list[str]:
    balances = (await balances_of([case.distributor_id]))[case.distributor_id]
    return [
        f"{account} {plain_amount(amount, currency)} {currency}"
        for (account, currency), amount in balances.amounts.items()
        if amount
    ]


async def _to_come(case: ExitView) -> list[Said]:
    """What may still move money of who left although nothing stands on its accounts."""
    owner, coming = case.distributor_id, []
    if adjustments := (await waiting_of(owner, case.quote.currency)).count:
        coming.append(Said(f"{adjustments} adjustments on no statement yet", f"{adjustments} 条调整尚未计入结算单"))
    if returns := await returns_to_come(owner):
        coming.append(Said(f"{returns} returns under way", f"{returns} 笔退货处理中"))
    if case.executed_at is not None and (periods := await awards_to_come(owner, case.executed_at)):
        labels = ", ".join(period.label for period in periods)
        coming.append(Said(f"periods not closed ({labels})", f"周期尚未结账（{labels}）"))
    return coming
