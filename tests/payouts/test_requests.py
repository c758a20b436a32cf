"""Asking for payouts, on both databases."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from saas.base.db import reading
from saas.base.errors import IdempotencyConflict, NotFound, WrongState
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.ledger.errors import InsufficientBalance
from saas.payouts import errors, queries
from saas.payouts.commands import (
    CancelPayout,
    CreateBatch,
    RequestPayout,
    SweepPayouts,
    approve_batch,
    cancel_batch,
    cancel_payout,
    create_batch,
    record_result,
    request_payout,
    set_destination,
    submit_batch,
    sweep_payouts,
)
from saas.payouts.queries import PayoutFilter
from saas.payouts.rules import Outcome, PayoutState
from tests.factories import LOTUS
from tests.factories_money import SETTLED_AT, make_distributors
from tests.payouts.people import (
    CHECKER,
    MAKER,
    ask,
    card_of,
    money_of,
    oneself,
    outcomes,
    result,
    sent_batch,
    set_status,
)


async def test_a_thousand_requested_pays_794(people: list[DistributorId]) -> None:
    ann = people[0]
    payout = await ask(ann, 100_000)
    assert (payout.amounts.fee_minor, payout.amounts.withheld_minor, payout.amounts.net_minor) == (600, 20_000, 79_400)
    assert (payout.status, payout.destination) == (PayoutState.REQUESTED, "ICBC ****7890")
    assert await money_of(ann) == (0, 100_000)
    await sent_batch()
    paid = await record_result(result(payout, Outcome.PAID), MAKER)
    assert (paid.status, paid.provider_reference, paid.finished_at) == (PayoutState.PAID, "R1", SETTLED_AT)
    assert await money_of(ann) == (0, 0)
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT account, CAST(sum(amount_minor) AS bigint) AS amount_minor FROM ledger_entry "
            "WHERE tenant_id = $1 AND account IN ('cash', 'fee_income', 'withholding') GROUP BY account",
            LOTUS,
        )
    assert {row["account"]: row["amount_minor"] for row in rows} == {
        "cash": 79_400, "fee_income": 600, "withholding": 20_000,
    }  # fmt: skip


async def test_with_invoices_nothing_is_withheld(people: list[DistributorId]) -> None:
    payout = await ask(people[1])
    assert (payout.amounts.withheld_minor, payout.amounts.net_minor) == (0, 49_700)


async def test_requests_that_may_not_be(people: list[DistributorId]) -> None:
    ann, _, cleo = people
    with pytest.raises(InsufficientBalance):
        await ask(ann, 100_001)
    with pytest.raises(errors.BelowMinimumPayout):
        await ask(cleo)
    with pytest.raises(errors.BelowMinimumPayout):
        await ask(ann, 9_999)
    with pytest.raises(NotFound):
        await request_payout(RequestPayout(distributor_id=ann, idempotency_key="k"), oneself(cleo))
    (nobody,) = await make_distributors("DAN")
    with pytest.raises(errors.NoVerifiedDestination):
        await ask(nobody, 10_000)
    await set_destination(card_of(nobody), oneself(nobody))
    with pytest.raises(errors.NoVerifiedDestination):
        await ask(nobody, 10_000)
    assert await money_of(ann) == (100_000, 0)


@pytest.mark.parametrize(
    ("status", "allowed"),
    [("suspended", False), ("exited", True), pytest.param("rejected", False, marks=pytest.mark.unsound)],
)
async def test_a_suspension_keeps_the_money_where_it_is(
    people: list[DistributorId], status: str, allowed: bool
) -> None:
    ann, ben, _ = people
    await ask(ben)
    await set_status(ann, status)
    await set_status(ben, status)
    found = await outcomes(ask(ann))
    assert found == (["ok"] if allowed else ["PAYOUTS_ON_HOLD"])
    gathered = await outcomes(create_batch(CreateBatch(idempotency_key="b"), MAKER))
    assert gathered == (["ok"] if allowed else ["NOTHING_TO_BATCH"])


async def test_7_who_has_left_is_paid_the_rest_however_small(people: list[DistributorId]) -> None:
    """Nothing more is to come, and an exit closes when nothing is left."""
    cleo = people[2]
    assert await outcomes(ask(cleo)) == ["BELOW_MINIMUM_PAYOUT"]
    await set_status(cleo, "exited")
    assert (await ask(cleo)).amounts.requested_minor == 9_999
    assert await money_of(cleo) == (0, 9_999)


async def test_put_on_hold_after_approval_it_waits_again(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    await ask(ann)
    await ask(ben)
    batch = await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    await approve_batch(batch.id, CHECKER)
    await set_status(ann, "suspended")
    sent = await submit_batch(batch.id, MAKER)
    assert sent is not None
    assert len(sent.content.splitlines()) == 2
    states = {one.distributor_id: one.status for one in (await queries.payouts(PayoutFilter(), PageRequest())).items}
    assert states == {ann: PayoutState.REQUESTED, ben: PayoutState.SENT}
    await set_status(ben, "suspended")
    again = await queries.batch_by_id(batch.id)
    assert (again.payouts, again.net_minor) == (1, 49_700)


async def test_the_same_key_asks_once(people: list[DistributorId]) -> None:
    ann = people[0]
    first = await ask(ann, 30_000)
    assert await ask(ann, 30_000) == first
    with pytest.raises(IdempotencyConflict):
        await ask(ann, 30_001)
    assert await money_of(ann) == (70_000, 30_000)


async def test_sixteen_requests_at_once_under_one_key_are_one(people: list[DistributorId]) -> None:
    ann = people[0]
    made = await asyncio.gather(*[ask(ann, 60_000) for _ in range(16)])
    assert len({payout.id for payout in made}) == 1
    assert await money_of(ann) == (40_000, 60_000)


@pytest.mark.parametrize("amount", [None, 60_000])
async def test_sixteen_requests_at_once_of_one_balance_pay_once(
    people: list[DistributorId], amount: int | None
) -> None:
    ann = people[0]
    found = await outcomes(*[ask(ann, amount, f"k{number}") for number in range(16)])
    refusal = "BELOW_MINIMUM_PAYOUT" if amount is None else "INSUFFICIENT_BALANCE"
    assert found == [refusal] * 15 + ["ok"]
    assert (await money_of(ann))[1] == (amount or 100_000)


async def test_sweeps_and_requests_at_once_pay_each_once(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    work = [sweep_payouts(SweepPayouts(idempotency_key=f"s{number}"), MAKER) for number in range(4)]
    await outcomes(*work, ask(ann), ask(ben), ask(ann, 60_000, "part"))
    assert sum(await money_of(ann)) == 100_000
    assert (await money_of(ben)) == (0, 50_000)


async def test_a_sweep_asks_for_everybody_who_may_be_paid(people: list[DistributorId]) -> None:
    ann, ben, cleo = people
    await set_status(ben, "suspended")
    dry = await sweep_payouts(SweepPayouts(dry_run=True, idempotency_key="dry"), MAKER)
    assert (dry.id, dry.payouts, dry.requested_minor, dry.net_minor) == (None, 1, 100_000, 79_400)
    assert dry.skipped == {"PAYOUTS_ON_HOLD": 1, "BELOW_MINIMUM_PAYOUT": 1}
    assert await money_of(ann) == (100_000, 0)
    swept = await sweep_payouts(SweepPayouts(idempotency_key="s"), MAKER)
    assert replace(swept, id=None) == dry
    again = await sweep_payouts(SweepPayouts(idempotency_key="s"), MAKER)
    assert replace(again, skipped=dry.skipped) == swept
    listed = (await queries.payouts(PayoutFilter(), PageRequest())).items
    assert [one.distributor_id for one in listed] == [ann]
    assert await money_of(cleo) == (9_999, 0)
    assert (await sweep_payouts(SweepPayouts(idempotency_key="t"), MAKER)).payouts == 0


async def test_a_request_can_be_taken_back_until_it_is_in_a_batch(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    payout = await ask(ann)
    with pytest.raises(NotFound):
        await cancel_payout(CancelPayout(payout_id=payout.id, idempotency_key="c"), oneself(ben))
    for key in ("c", "c", "d"):
        cancelled = await cancel_payout(CancelPayout(payout_id=payout.id, idempotency_key=key), oneself(ann))
        assert cancelled.status is PayoutState.CANCELLED
    assert await money_of(ann) == (100_000, 0)
    second = await ask(ann, key="again")
    await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    with pytest.raises(WrongState):
        await cancel_payout(CancelPayout(payout_id=second.id, idempotency_key="e"), oneself(ann))


async def test_taking_back_and_gathering_at_once_do_one_of_the_two(people: list[DistributorId]) -> None:
    ann = people[0]
    for turn in range(6):
        payout = await ask(ann, key=f"k{turn}")
        cancel = CancelPayout(payout_id=payout.id, idempotency_key=f"c{turn}")
        gather = create_batch(CreateBatch(idempotency_key=f"b{turn}"), MAKER)
        found = await outcomes(
            *((cancel_payout(cancel, MAKER), gather) if turn % 2 else (gather, cancel_payout(cancel, MAKER)))
        )
        assert found in (["NOTHING_TO_BATCH", "ok"], ["WRONG_STATE", "ok"])
        state = await queries.payout_by_id(payout.id)
        assert (state.status is PayoutState.CANCELLED) == ("NOTHING_TO_BATCH" in found)
        if state.batch_id is not None:
            await cancel_batch(state.batch_id, MAKER)
            await cancel_payout(replace(cancel, idempotency_key=f"d{turn}"), MAKER)


async def test_a_request_cut_off_anywhere_is_whole_or_absent(people: list[DistributorId]) -> None:
    ann = people[0]
    for step in range(1, 11):
        with suppress(TimeoutError):
            async with asyncio.timeout(step * 0.0015):
                await ask(ann, 10_000, f"k{step}")
    listed = (await queries.payouts(PayoutFilter(distributor_id=ann), PageRequest())).items
    assert await money_of(ann) == (100_000 - 10_000 * len(listed), 10_000 * len(listed))
