"""People with money and cards, and what they do with them, for the tests of payouts."""

import asyncio
from collections.abc import Awaitable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from saas.base import clock
from saas.base.db import transaction
from saas.base.errors import DomainError
from saas.base.ids import DistributorId, PayoutBatchId, new_id
from saas.exits.commands import ExecuteExit, QuoteExit, approve_exit, execute_exit, quote_exit
from saas.exits.rules import ExitKind
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account
from saas.network.commands import suspend
from saas.payouts.commands import (
    CreateBatch,
    RecordResult,
    RequestPayout,
    SetDestination,
    approve_batch,
    create_batch,
    request_payout,
    set_destination,
    submit_batch,
    verify_destination,
)
from saas.payouts.queries import PayoutView
from saas.payouts.rules import Outcome, PayTo
from tenants.actors import Actor, Role
from tests.factories import LOTUS

T = TypeVar("T")
AT_ALL_TIMES = datetime.max.replace(tzinfo=UTC)
"""The log-in of somebody who logs in before every step."""
MAKER = Actor(tenant_id=LOTUS, role=Role.FINANCE, id=new_id(), label="maker", signed_in_at=AT_ALL_TIMES)
CHECKER = Actor(tenant_id=LOTUS, role=Role.OWNER, id=new_id(), label="checker", signed_in_at=AT_ALL_TIMES)
CARD = PayTo(holder="Ann", bank="ICBC", account="6222021234567890")


def oneself(distributor_id: DistributorId) -> Actor:
    return Actor(
        tenant_id=LOTUS,
        role=Role.DISTRIBUTOR,
        id=new_id(),
        label="distributor",
        distributor_id=distributor_id,
        signed_in_at=clock.now(),
    )


def card_of(owner: DistributorId, *, key: str = "card", has_invoice: bool = False) -> SetDestination:
    return SetDestination(
        distributor_id=owner,
        holder=CARD.holder,
        bank=CARD.bank,
        account=CARD.account,
        has_invoice=has_invoice,
        idempotency_key=f"{key}:{owner}",
    )


async def give_card(owner: DistributorId, *, has_invoice: bool = False) -> UUID:
    made = await set_destination(card_of(owner, has_invoice=has_invoice), oneself(owner))
    await verify_destination(made.id, MAKER)
    return made.id


async def money_of(owner: DistributorId) -> tuple[int, int]:
    """Settled, and under way."""
    found = (await balances_of([owner]))[owner]
    return found.of(Account.SETTLED, "CNY"), found.of(Account.PAYOUT, "CNY")


async def ask(owner: DistributorId, amount: int | None = None, key: str = "ask") -> PayoutView:
    return await request_payout(
        RequestPayout(distributor_id=owner, amount_minor=amount, idempotency_key=f"{key}:{owner}"), oneself(owner)
    )


async def sent_batch() -> PayoutBatchId:
    batch = await create_batch(CreateBatch(idempotency_key=str(new_id())), MAKER)
    await approve_batch(batch.id, CHECKER)
    await submit_batch(batch.id, MAKER)
    return batch.id


def result(payout: PayoutView, outcome: Outcome, *, reference: str | None = "R1") -> RecordResult:
    reason = "card closed" if outcome is Outcome.FAILED else None
    return RecordResult(
        payout_id=payout.id, outcome=outcome, reference=reference, reason=reason, idempotency_key=str(new_id())
    )


async def set_status(owner: DistributorId, status: str) -> None:
    """Suspend somebody, or let somebody leave; no brand could have money of somebody in another state."""
    if status == "suspended":
        await suspend(owner, "test", MAKER)
    elif status == "exited":
        asked = QuoteExit(distributor_id=owner, kind=ExitKind.VOLUNTARY, reason="test", idempotency_key=str(new_id()))
        case = await quote_exit(asked, MAKER)
        await approve_exit(case.id, CHECKER)
        await execute_exit(ExecuteExit(exit_id=case.id, idempotency_key=str(new_id())), MAKER)
    else:
        async with transaction() as tx:
            changed = "UPDATE distributor SET status = $3 WHERE tenant_id = $1 AND id = $2"
            await tx.execute(changed, LOTUS, owner, status)


async def outcomes(*work: Awaitable[object]) -> list[str]:
    """What became of each: ``ok``, or the code of the refusal."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException) and not isinstance(one, DomainError):
            raise one
    return sorted(one.code if isinstance(one, DomainError) else "ok" for one in done)


async def started(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run ``work`` beside a transaction of ours until it waits for what we hold."""
    task = asyncio.create_task(work)
    assert not (await asyncio.wait({task}, timeout=0.2))[0]
    return task
