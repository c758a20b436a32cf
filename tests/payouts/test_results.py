"""Results of many payouts at once: each accepted or refused by itself, the batch completed with the last of them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from saas.base.db import Database, reading, transaction
from saas.base.errors import IdempotencyConflict, InvalidInput, NotFound
from saas.base.ids import DistributorId, PayoutBatchId, PayoutId, new_id
from saas.base.paging import PageRequest
from saas.payouts import queries
from saas.payouts.commands import (
    CreateBatch,
    Recorded,
    RecordResults,
    Result,
    create_batch,
    record_result,
    record_results,
)
from saas.payouts.queries import PayoutFilter, PayoutView
from saas.payouts.results import RESULTS_MOST
from saas.payouts.rules import BatchState, Outcome, PayoutState
from tests.api.rows import changes, rows_of
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.payouts.people import MAKER, ask, money_of, result, sent_batch
from tests.tenants.people import audited

PAID, FAILED = Outcome.PAID, Outcome.FAILED


def told(payout: PayoutView | PayoutId, outcome: Outcome = PAID, **more: Any) -> Result:
    return Result(payout_id=payout.id if isinstance(payout, PayoutView) else payout, outcome=outcome, **more)


def tell(*results: Result, key: str = "k", **more: Any) -> RecordResults:
    return RecordResults(results=results, idempotency_key=key, **more)


def codes(recorded: Recorded) -> list[str]:
    return [errors[0].code if errors else "ok" for errors in recorded.errors]


async def sent(people: Sequence[DistributorId]) -> tuple[list[PayoutView], PayoutBatchId]:
    """A payout each of Ann and Ben, sent with one batch."""
    payouts = [await ask(one) for one in people[:2]]
    return payouts, await sent_batch()


async def test_each_is_recorded_or_refused_by_itself(people: list[DistributorId]) -> None:
    (ann, ben), batch = await sent(people)
    nobody, odd = PayoutId(new_id()), told(ben, FAILED, reason=" ")
    wish = tell(told(ann, reference="B-1"), told(nobody), odd, told(ann, FAILED), told(ben, FAILED, reason="closed"))
    before = await rows_of(LOTUS)
    looked = await record_results(tell(*wish.results, dry_run=True), MAKER)
    assert changes(before, await rows_of(LOTUS)) == {}
    done = await record_results(wish, MAKER)
    assert codes(done) == codes(looked) == ["ok", "NOT_FOUND", "INVALID_INPUT", "INVALID_INPUT", "ok"]
    assert [errors[0].field for errors in done.errors if errors] == [
        "input.results[1].payoutId",
        "input.results[2].reason",
        "input.results[3].payoutId",
    ]
    assert (done.paid, done.failed, done.paid_minor, done.returned_minor) == (1, 1, 79_400, 50_000)
    assert (looked.paid, looked.failed, looked.paid_minor, looked.returned_minor) == (1, 1, 79_400, 50_000)
    paid, failed = [await queries.payout_by_id(one.id) for one in (ann, ben)]
    assert (paid.status, paid.provider_reference) == (PayoutState.PAID, "B-1")
    assert (failed.status, failed.failure, failed.provider_reference) == (PayoutState.FAILED, "closed", None)
    assert (await money_of(people[0]), await money_of(people[1])) == ((0, 0), (50_000, 0))
    assert (await queries.batch_by_id(batch)).status is BatchState.COMPLETED
    actions = [action for _, action in await audited(LOTUS)]
    assert (actions.count("payout.paid"), actions.count("payout.failed")) == (1, 1)


async def test_again_it_changes_nothing_and_another_result_is_refused(people: list[DistributorId]) -> None:
    (ann, ben), _ = await sent(people)
    wish = tell(told(ann, reference="B-1"))
    await record_results(wish, MAKER)
    after = await rows_of(LOTUS)
    again = await record_results(wish, MAKER)
    assert (codes(again), again.paid, again.paid_minor) == (["ok"], 0, 0)
    assert changes(after, await rows_of(LOTUS)) == {}
    with pytest.raises(IdempotencyConflict):
        await record_results(tell(told(ben)), MAKER)
    other = await record_results(tell(told(ann, FAILED), told(ann.id, reference="B-2"), key="o"), MAKER)
    assert codes(other) == ["CONTRADICTORY_RESULT", "INVALID_INPUT"]
    assert (await record_result(result(ann, PAID, reference="B-1"), MAKER)).status is PayoutState.PAID
    assert (await queries.payout_by_id(ben.id)).status is PayoutState.SENT


async def test_all_others_of_a_batch_were_paid(people: list[DistributorId]) -> None:
    (ann, ben), batch = await sent(people)
    wish = tell(told(ben, FAILED, reason="closed"), rest_paid_of=batch)
    looked = await record_results(tell(*wish.results, rest_paid_of=batch, dry_run=True), MAKER)
    done = await record_results(wish, MAKER)
    assert looked == done
    assert (done.paid, done.failed, done.paid_minor) == (1, 1, 79_400)
    assert (await queries.payout_by_id(ann.id)).status is PayoutState.PAID
    assert (await queries.batch_by_id(batch)).status is BatchState.COMPLETED
    more = await record_results(tell(rest_paid_of=batch, key="more"), MAKER)
    assert (more.paid, more.failed, more.errors) == (0, 0, [])


async def test_one_whose_result_is_refused_is_none_of_the_others(people: list[DistributorId]) -> None:
    (ann, ben), batch = await sent(people)
    done = await record_results(tell(told(ben, FAILED, reason=" "), rest_paid_of=batch), MAKER)
    assert (codes(done), done.paid, done.failed) == (["INVALID_INPUT"], 1, 0)
    assert (await queries.payout_by_id(ann.id)).status is PayoutState.PAID
    assert (await queries.payout_by_id(ben.id)).status is PayoutState.SENT


async def test_under_a_key_that_was_used_nothing_more_is_recorded(people: list[DistributorId]) -> None:
    """A payout that nobody knew of then has been sent by now, and was not meant."""
    (ann, ben), batch = await sent(people)
    await _set(ben.id, "unknown")
    assert (await record_results(tell(rest_paid_of=batch), MAKER)).paid == 1
    await _set(ben.id, "sent")
    assert (await record_results(tell(rest_paid_of=batch), MAKER)).paid == 0
    assert [(await queries.payout_by_id(one.id)).status for one in (ann, ben)] == [PayoutState.PAID, PayoutState.SENT]


async def _set(payout_id: PayoutId, status: str) -> None:
    async with transaction() as tx:
        changed = "UPDATE payout SET status = $3 WHERE tenant_id = $1 AND id = $2"
        await tx.execute(changed, LOTUS, payout_id, status)


async def test_what_was_not_sent_is_not_paid_by_the_way(people: list[DistributorId]) -> None:
    ann, ben = [await ask(one) for one in people[:2]]
    batch = await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    done = await record_results(tell(told(ann), rest_paid_of=batch.id), MAKER)
    assert (codes(done), done.paid) == (["WRONG_STATE"], 0)
    found = (await queries.payouts(PayoutFilter(), PageRequest())).items
    assert {one.id: one.status for one in found} == dict.fromkeys((ann.id, ben.id), PayoutState.BATCHED)


async def test_results_told_at_once_move_money_once(people: list[DistributorId]) -> None:
    (ann, ben), batch = await sent(people)
    work = [
        record_results(tell(told(ann), told(ben), key="1"), MAKER),
        record_results(tell(told(ben), told(ann), key="2"), MAKER),
        record_results(tell(rest_paid_of=batch, key="3"), MAKER),
        record_result(result(ann, PAID, reference=None), MAKER),
    ]
    done = await asyncio.gather(*work)
    assert sum(one.paid for one in done if isinstance(one, Recorded)) <= 2
    assert (await money_of(people[0]), await money_of(people[1])) == ((0, 0), (0, 0))
    assert (await queries.batch_by_id(batch)).status is BatchState.COMPLETED
    async with reading() as tx:
        cash = "SELECT CAST(sum(amount_minor) AS bigint) FROM ledger_entry WHERE tenant_id = $1 AND account = 'cash'"
        assert await tx.value(cash, LOTUS) == 79_400 + 49_700


async def test_another_brands_payouts_and_too_many_are_refused(people: list[DistributorId]) -> None:
    (ann, _), batch = await sent(people)
    before = await rows_of(LOTUS)
    with as_tenant(CEDAR):
        assert codes(await record_results(tell(told(ann)), MAKER)) == ["NOT_FOUND"]
        with pytest.raises(NotFound):
            await record_results(tell(rest_paid_of=batch, key="b"), MAKER)
    for wrong in (tell(), tell(*[told(ann)] * (RESULTS_MOST + 1))):
        with pytest.raises(InvalidInput):
            await record_results(wrong, MAKER)
    assert changes(before, await rows_of(LOTUS)) == {}


async def test_many_take_as_many_statements_as_one(people: list[DistributorId], db: Database) -> None:
    counts: list[int] = []
    for amount, owners in ((20_000, people[:1]), (20_000, people[:2])):
        payouts = [await ask(owner, amount, f"{len(counts)}") for owner in owners]
        await sent_batch()
        seen: list[str] = []
        db.observer = seen.append
        await record_results(tell(*map(told, payouts), key=str(new_id())), MAKER)
        db.observer = None
        counts.append(len(seen))
    assert counts[0] == counts[1]
