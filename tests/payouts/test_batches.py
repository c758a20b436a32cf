"""Batches: made by one, approved by another, paid or failed one by one, on both databases."""

import csv
from dataclasses import replace

import pytest

from saas.base.db import ConstraintViolated, reading, transaction
from saas.base.errors import IdempotencyConflict, InvalidInput, WrongState
from saas.base.ids import DistributorId, new_id
from saas.payouts import errors, queries
from saas.payouts.commands import (
    CreateBatch,
    approve_batch,
    cancel_batch,
    create_batch,
    record_result,
    submit_batch,
)
from saas.payouts.rules import BatchState, Outcome, PayoutState
from tenants.actors import Role
from tenants.errors import Forbidden
from tests.factories import LOTUS
from tests.payouts.people import (
    CARD,
    CHECKER,
    MAKER,
    ask,
    money_of,
    oneself,
    outcomes,
    result,
    sent_batch,
    started,
)


async def test_a_second_person_approves(people: list[DistributorId]) -> None:
    await ask(people[0])
    batch = await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    assert (batch.number, batch.status, batch.payouts, batch.requested_minor) == (
        "P20260401-001",
        BatchState.OPEN,
        1,
        100_000,
    )
    assert (await create_batch(CreateBatch(idempotency_key="b"), MAKER)) == batch
    with pytest.raises(errors.SecondPersonNeeded):
        await approve_batch(batch.id, MAKER)
    with pytest.raises(WrongState):
        await submit_batch(batch.id, MAKER)
    for nobody in (
        replace(CHECKER, id=None, role=Role.SYSTEM),
        replace(CHECKER, role=Role.API_KEY),
        oneself(people[0]),
    ):
        with pytest.raises(Forbidden):
            await approve_batch(batch.id, nobody)
    with pytest.raises(ConstraintViolated):
        async with transaction() as tx:
            await tx.execute("UPDATE payout_batch SET approved_by = created_by WHERE tenant_id = $1", LOTUS)
    approved = await approve_batch(batch.id, CHECKER)
    assert (approved.status, approved.approved_by) == (BatchState.APPROVED, CHECKER.id)
    assert await approve_batch(batch.id, CHECKER) == approved
    with pytest.raises(WrongState):
        await approve_batch(batch.id, replace(CHECKER, id=new_id()))
    await submit_batch(batch.id, MAKER)
    with pytest.raises(WrongState):
        await approve_batch(batch.id, CHECKER)


async def test_approving_and_cancelling_a_batch_at_once_ends_in_one_state(people: list[DistributorId]) -> None:
    payout = await ask(people[0])
    for turn in range(6):
        batch = await create_batch(CreateBatch(idempotency_key=f"b{turn}"), MAKER)
        work = [approve_batch(batch.id, CHECKER), cancel_batch(batch.id, MAKER), submit_batch(batch.id, CHECKER)]
        await outcomes(*(reversed(work) if turn % 2 else work))
        state = (await queries.batch_by_id(batch.id)).status
        now = await queries.payout_by_id(payout.id)
        if state is BatchState.CANCELLED:
            assert (now.status, now.batch_id) == (PayoutState.REQUESTED, None)
        else:
            assert (state, now.status) == (BatchState.SUBMITTED, PayoutState.SENT)
            return
    assert (await money_of(people[0])) == (0, 100_000)


async def test_the_bank_file_is_the_same_each_time_and_each_time_audited(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    await ask(ann)
    await ask(ben)
    batch = await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    await approve_batch(batch.id, CHECKER)
    first = await submit_batch(batch.id, MAKER)
    assert await submit_batch(batch.id, CHECKER) == first
    assert first
    rows = list(csv.DictReader(first.content.splitlines()))
    assert [(row["account"], row["amount"]) for row in rows] == [(CARD.account, "794.00"), (CARD.account, "497.00")]
    async with reading() as tx:
        found = await tx.rows(
            "SELECT action FROM audit_log WHERE tenant_id = $1 AND subject = $2", LOTUS, str(batch.id)
        )
        everything = await tx.rows("SELECT detail FROM audit_log WHERE tenant_id = $1", LOTUS)
    assert sorted(row["action"] for row in found)[-2:] == ["payout_batch.download", "payout_batch.submit"]
    assert CARD.account not in str([row["detail"] for row in everything])


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_the_bank_file_is_not_handed_out_again_once_a_result_is_known(
    people: list[DistributorId], outcome: Outcome
) -> None:
    first, second = await ask(people[0]), await ask(people[1])
    batch_id = await sent_batch()
    for payout in (first, second):
        await record_result(result(payout, outcome), MAKER)
        with pytest.raises(WrongState):
            await submit_batch(batch_id, MAKER)
    async with reading() as tx:
        found = await tx.rows(
            "SELECT action FROM audit_log WHERE tenant_id = $1 AND action = 'payout_batch.download'", LOTUS
        )
    assert found == []


async def test_each_payout_is_paid_or_fails_alone(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    first, second = await ask(ann), await ask(ben)
    batch_id = await sent_batch()
    failed = await record_result(result(first, Outcome.FAILED), MAKER)
    assert (failed.status, failed.failure) == (PayoutState.FAILED, "card closed")
    assert await money_of(ann) == (100_000, 0)
    assert (await queries.batch_by_id(batch_id)).status is BatchState.SUBMITTED
    await record_result(result(second, Outcome.PAID), MAKER)
    batch = await queries.batch_by_id(batch_id)
    assert (batch.status, batch.paid, batch.failed) == (BatchState.COMPLETED, 1, 1)
    retry = await ask(ann, key="retry")
    assert retry.status is PayoutState.REQUESTED


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_a_repeated_result_changes_nothing_and_another_is_refused(
    people: list[DistributorId], outcome: Outcome
) -> None:
    ann = people[0]
    payout = await ask(ann)
    with pytest.raises(WrongState):
        await record_result(result(payout, outcome), MAKER)
    await sent_batch()
    command = result(payout, outcome)
    first = await record_result(command, MAKER)
    before = await money_of(ann)
    for again in (command, result(payout, outcome), result(payout, outcome, reference=None)):
        assert await record_result(again, MAKER) == first
    other = Outcome.PAID if outcome is Outcome.FAILED else Outcome.FAILED
    for contradiction in (result(payout, other), result(payout, outcome, reference="R2")):
        with pytest.raises(errors.ContradictoryResult):
            await record_result(contradiction, MAKER)
    with pytest.raises(IdempotencyConflict):
        await record_result(replace(command, outcome=other), MAKER)
    with pytest.raises(InvalidInput):
        await record_result(result(payout, outcome, reference=" "), MAKER)
    assert await money_of(ann) == before


async def test_results_at_once_complete_the_batch_and_move_money_once(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    first, second = await ask(ann), await ask(ben)
    batch_id = await sent_batch()
    work = [
        record_result(result(one, outcome), MAKER) for one in (first, second) for outcome in Outcome for _ in range(4)
    ]
    found = await outcomes(*work)
    assert found == ["CONTRADICTORY_RESULT"] * 8 + ["ok"] * 8
    assert (await queries.batch_by_id(batch_id)).status is BatchState.COMPLETED
    assert await money_of(ann) in {(0, 0), (100_000, 0)}


async def test_the_last_two_results_of_a_batch_wait_for_each_other(people: list[DistributorId]) -> None:
    first, second = await ask(people[0]), await ask(people[1])
    batch_id = await sent_batch()
    async with transaction():
        await record_result(result(first, Outcome.PAID), MAKER)
        other = await started(record_result(result(second, Outcome.PAID), MAKER))
    await other
    assert (await queries.batch_by_id(batch_id)).status is BatchState.COMPLETED


async def test_a_cancelled_batch_lets_its_payouts_wait_again(people: list[DistributorId]) -> None:
    payout = await ask(people[0])
    batch = await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    for _ in range(2):
        assert (await cancel_batch(batch.id, MAKER)).status is BatchState.CANCELLED
    assert (await queries.payout_by_id(payout.id)).status is PayoutState.REQUESTED
    with pytest.raises(WrongState):
        await approve_batch(batch.id, CHECKER)
    batch_id = await sent_batch()
    assert (await queries.batch_by_id(batch_id)).number == "P20260401-002"
    with pytest.raises(WrongState):
        await cancel_batch(batch_id, MAKER)


async def test_two_batches_made_at_once_share_the_payouts_and_no_number(people: list[DistributorId]) -> None:
    await ask(people[0])
    await ask(people[1])
    found = await outcomes(*[create_batch(CreateBatch(idempotency_key=f"b{n}"), MAKER) for n in range(5)])
    assert found == ["NOTHING_TO_BATCH"] * 4 + ["ok"]
