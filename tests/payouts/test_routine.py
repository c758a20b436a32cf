"""What is handed over by schedule: approved batches that are paid over the network, each once; all else waits."""

import asyncio
from dataclasses import replace

from saas.base.ids import DistributorId, PayoutBatchId, new_id
from saas.base.paging import PageRequest
from saas.jobs.queries import jobs
from saas.payouts.commands import (
    CreateBatch,
    SetAccount,
    approve_batch,
    create_batch,
    send_approved,
    set_account,
    set_destination,
    verify_destination,
)
from saas.payouts.queries import batch_by_id
from saas.payouts.rules import BatchState, DestinationKind
from saas.payouts.sending import JOB
from tenants import audit
from tenants.actors import system
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.payouts.people import CHECKER, MAKER, ask, card_of, oneself, set_status
from tests.payouts.wechat import settings

SCHEDULE = system(LOTUS, "schedule payout.send_approved")


async def through_wechat(people: list[DistributorId]) -> list[DistributorId]:
    """Ann and Ben, who are paid through WeChat from now on."""
    for owner in people[:2]:
        wish = replace(
            card_of(owner, key="wechat"), kind=DestinationKind.WECHAT, bank=None, account="oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
        )
        await verify_destination((await set_destination(wish, oneself(owner))).id, MAKER)
    await set_account(SetAccount(provider="wechat_pay", settings=settings()), CHECKER)
    return people[:2]


async def made(provider: str = "wechat_pay", *, approved: bool = True) -> PayoutBatchId:
    batch = await create_batch(CreateBatch(provider=provider, idempotency_key=str(new_id())), MAKER)
    if approved:
        await approve_batch(batch.id, CHECKER)
    return batch.id


async def state(batch_id: PayoutBatchId) -> BatchState:
    return (await batch_by_id(batch_id)).status


async def asked_for() -> int:
    return len((await jobs(PageRequest(), kinds=[JOB])).items)


async def test_an_approved_batch_is_submitted_once_however_many_try(people: list[DistributorId]) -> None:
    payees = await through_wechat(people)
    await ask(payees[0])
    batch_id = await made()
    assert sum(await asyncio.gather(*[send_approved(SCHEDULE) for _ in range(5)])) == 1
    assert (await state(batch_id), await asked_for()) == (BatchState.SUBMITTED, 1)
    (line,) = (await audit.lines(PageRequest(), audit.Sought(action="payout_batch.submit"))).items
    assert line.actor_label == SCHEDULE.label


async def test_one_that_nobody_has_approved_waits(people: list[DistributorId]) -> None:
    payees = await through_wechat(people)
    await ask(payees[0])
    batch_id = await made(approved=False)
    assert await send_approved(SCHEDULE) == 0
    assert (await state(batch_id), await asked_for()) == (BatchState.OPEN, 0)


async def test_one_that_is_paid_by_a_file_waits_for_somebody_to_take_the_file(people: list[DistributorId]) -> None:
    await ask(people[0])
    batch_id = await made("manual")
    assert await send_approved(SCHEDULE) == 0
    assert await state(batch_id) is BatchState.APPROVED


async def test_one_of_which_nobody_is_left_stays_and_keeps_no_other_from_going(people: list[DistributorId]) -> None:
    payees = await through_wechat(people)
    await ask(payees[0])
    held = await made()
    await ask(payees[1])
    goes = await made()
    await set_status(payees[0], "suspended")
    assert await send_approved(SCHEDULE) == 1
    assert (await state(held), await state(goes)) == (BatchState.APPROVED, BatchState.SUBMITTED)


async def test_one_brands_schedule_sends_nothing_of_anothers(people: list[DistributorId]) -> None:
    payees = await through_wechat(people)
    await ask(payees[0])
    batch_id = await made()
    with as_tenant(CEDAR):
        assert await send_approved(system(CEDAR, "schedule")) == 0
        assert await asked_for() == 0
    assert await state(batch_id) is BatchState.APPROVED
