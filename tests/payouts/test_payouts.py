"""From the settled balance to the bank and back, on both databases."""

import asyncio
import csv
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import pytest

from saas.base import clock
from saas.base.db import ConstraintViolated, Database, reading, transaction
from saas.base.errors import DomainError, IdempotencyConflict, InvalidInput, NotFound, WrongState
from saas.base.ids import DistributorId, PayoutBatchId, PayoutId, new_id
from saas.base.paging import PageRequest
from saas.base.vault import SealBroken
from saas.ledger.checks import run_checks
from saas.ledger.errors import InsufficientBalance
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account
from saas.payouts import errors, queries
from saas.payouts.commands import (
    CancelPayout,
    CreateBatch,
    RecordResult,
    RequestPayout,
    SetDestination,
    SweepPayouts,
    approve_batch,
    cancel_batch,
    cancel_payout,
    create_batch,
    record_result,
    request_payout,
    reveal_destination,
    set_destination,
    submit_batch,
    sweep_payouts,
    verify_destination,
)
from saas.payouts.destinations import opened
from saas.payouts.queries import PayoutFilter, PayoutView
from saas.payouts.rules import BankCard, BatchState, DestinationState, Outcome, PayoutState
from tenants.actors import Actor, Role
from tenants.errors import Forbidden
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.factories_money import SETTLED_AT, make_distributors, settle_for, use_program

T = TypeVar("T")
MAKER = Actor(tenant_id=LOTUS, role=Role.FINANCE, id=new_id(), label="maker")
CHECKER = Actor(tenant_id=LOTUS, role=Role.OWNER, id=new_id(), label="checker")
CARD = BankCard(holder="Ann", bank="ICBC", account="6222021234567890")


def oneself(distributor_id: DistributorId) -> Actor:
    return Actor(
        tenant_id=LOTUS, role=Role.DISTRIBUTOR, id=new_id(), label="distributor", distributor_id=distributor_id
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
    async with transaction() as tx:
        await tx.execute("UPDATE distributor SET status = $3 WHERE tenant_id = $1 AND id = $2", LOTUS, owner, status)


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


@pytest.fixture
async def people(db: Database) -> AsyncIterator[list[DistributorId]]:
    """Ann has 1,000.00 settled and a verified card, Ben 500.00 and a card with invoices, Cleo 99.99 and a card."""
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program()
        made = await make_distributors("ANN", "BEN", "CLEO")
        await settle_for(dict(zip(made, (100_000, 50_000, 9_999), strict=True)))
        for owner in made:
            await give_card(owner, has_invoice=owner == made[1])
        with clock.at(SETTLED_AT):
            yield made
        assert await run_checks() == []


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


@pytest.mark.parametrize(("status", "allowed"), [("suspended", False), ("rejected", False), ("exited", True)])
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


async def test_put_on_hold_after_approval_it_waits_again(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    await ask(ann)
    await ask(ben)
    batch = await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    await approve_batch(batch.id, CHECKER)
    await set_status(ann, "suspended")
    sent = await submit_batch(batch.id, MAKER)
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
    assert dry.skipped == {"PAYOUTS_ON_HOLD": 1}
    assert await money_of(ann) == (100_000, 0)
    swept = await sweep_payouts(SweepPayouts(idempotency_key="s"), MAKER)
    assert replace(swept, id=None) == dry
    again = await sweep_payouts(SweepPayouts(idempotency_key="s"), MAKER)
    assert replace(again, skipped=dry.skipped) == swept
    listed = (await queries.payouts(PayoutFilter(sweep_id=swept.id), PageRequest())).items
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
    rows = list(csv.DictReader(first.content.splitlines()))
    assert [(row["account"], row["amount"]) for row in rows] == [(CARD.account, "794.00"), (CARD.account, "497.00")]
    async with reading() as tx:
        found = await tx.rows(
            "SELECT action FROM audit_log WHERE tenant_id = $1 AND subject = $2", LOTUS, str(batch.id)
        )
        everything = await tx.rows("SELECT detail FROM audit_log WHERE tenant_id = $1", LOTUS)
    assert sorted(row["action"] for row in found)[-2:] == ["payout_batch.download", "payout_batch.submit"]
    assert CARD.account not in str([row["detail"] for row in everything])


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


async def test_one_live_card_each_kept_sealed_and_shown_masked(people: list[DistributorId]) -> None:
    ann = people[0]
    before = await queries.destination_of(ann)
    assert before is not None
    made = await set_destination(card_of(ann, key="new"), oneself(ann))
    assert made.status is DestinationState.UNVERIFIED
    assert await set_destination(card_of(ann, key="new"), oneself(ann)) == made
    with pytest.raises(IdempotencyConflict):
        await set_destination(replace(card_of(ann, key="new"), account="6222029999999999"), oneself(ann))
    assert await queries.destination_of(ann) == made
    with pytest.raises(WrongState):
        await verify_destination(before.id, MAKER)
    waiting = await queries.destinations(PageRequest(), DestinationState.UNVERIFIED)
    assert waiting.items == [made]
    assert await reveal_destination(made.id, MAKER) == CARD
    with pytest.raises(Forbidden):
        await reveal_destination(made.id, oneself(ann))
    async with reading() as tx:
        rows = await tx.rows("SELECT id, sealed, masked FROM payout_destination WHERE tenant_id = $1", LOTUS)
    assert not any(CARD.account in row["sealed"] + row["masked"] for row in rows)
    with pytest.raises(SealBroken):
        opened(rows[0]["sealed"], rows[1]["id"])
    assert CARD.account not in repr(card_of(ann))


async def test_cards_set_at_once_leave_one_live(people: list[DistributorId]) -> None:
    (dan,) = await make_distributors("DAN")
    made = await asyncio.gather(*[set_destination(card_of(dan, key=f"c{n}"), oneself(dan)) for n in range(8)])
    live = await queries.destination_of(dan)
    assert live is not None
    assert live.id in {one.id for one in made}
    for one in made:
        assert ((await queries.destination_by_id(one.id)).status is DestinationState.RETIRED) == (one.id != live.id)


async def test_a_card_is_not_changed_under_a_payout(people: list[DistributorId]) -> None:
    ann = people[0]
    payout = await ask(ann)
    with pytest.raises(errors.PayoutStillOpen):
        await set_destination(card_of(ann, key="new"), oneself(ann))
    with pytest.raises(NotFound):
        await set_destination(card_of(people[1], key="new"), oneself(ann))
    await cancel_payout(CancelPayout(payout_id=payout.id, idempotency_key="c"), oneself(ann))
    found = await outcomes(set_destination(card_of(ann, key="new"), oneself(ann)), ask(ann, key="race"))
    assert found in (["NO_VERIFIED_DESTINATION", "ok"], ["PAYOUT_STILL_OPEN", "ok"])


async def test_a_card_is_not_changed_under_a_payout_that_is_just_being_requested(people: list[DistributorId]) -> None:
    ann = people[0]
    async with transaction():
        await ask(ann)
        change = await started(set_destination(card_of(ann, key="new"), oneself(ann)))
    assert await outcomes(change) == ["PAYOUT_STILL_OPEN"]


async def test_nothing_is_requested_to_a_card_that_is_just_being_changed(people: list[DistributorId]) -> None:
    ann = people[0]
    async with transaction():
        await set_destination(card_of(ann, key="new"), oneself(ann))
        request = await started(ask(ann))
    assert await outcomes(request) == ["NO_VERIFIED_DESTINATION"]


async def test_lists_are_paged_and_filtered(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    made = [await ask(ann, 20_000, f"k{number}") for number in range(3)]
    await ask(ben)
    first = await queries.payouts(PayoutFilter(distributor_id=ann), PageRequest(first=2))
    rest = await queries.payouts(PayoutFilter(distributor_id=ann), PageRequest(first=2, after=first.cursors[-1]))
    assert [*first.items, *rest.items] == made[::-1]
    assert (await queries.payouts(PayoutFilter(statuses=[PayoutState.PAID]), PageRequest())).items == []
    assert (await queries.payouts(PayoutFilter(since=SETTLED_AT, until=SETTLED_AT), PageRequest())).items == []
    with pytest.raises(NotFound):
        await queries.payout_by_id(made[0].id, ben)
    batch = await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    assert (await queries.batches(PageRequest(), BatchState.OPEN)).items == [batch]
    assert (await queries.batches(PageRequest(after=encoded(batch.created_at, batch.id)))).items == []


def encoded(*keys: object) -> str:
    from saas.base.paging import encode_cursor

    return encode_cursor(*keys)


async def test_another_brand_finds_and_moves_nothing(people: list[DistributorId]) -> None:
    ann = people[0]
    payout = await ask(ann)
    batch = await create_batch(CreateBatch(idempotency_key="b"), MAKER)
    card = await queries.destination_of(ann)
    assert card is not None
    with as_tenant(CEDAR):
        await use_program()
        foreign = replace(CHECKER, tenant_id=CEDAR)
        refused = await outcomes(
            request_payout(RequestPayout(distributor_id=ann, idempotency_key="k"), foreign),
            cancel_payout(CancelPayout(payout_id=payout.id, idempotency_key="k"), foreign),
            approve_batch(batch.id, foreign),
            cancel_batch(batch.id, foreign),
            submit_batch(batch.id, foreign),
            verify_destination(card.id, foreign),
            reveal_destination(card.id, foreign),
            set_destination(card_of(ann), foreign),
            record_result(result(payout, Outcome.PAID), foreign),
            queries.payout_by_id(payout.id),
        )
        assert refused == ["NOT_FOUND"] * 10
        assert (await sweep_payouts(SweepPayouts(idempotency_key="s"), foreign)).payouts == 0
        assert (await queries.payouts(PayoutFilter(), PageRequest())).items == []
    assert (await queries.payout_by_id(payout.id)).status is PayoutState.BATCHED


async def test_a_request_cut_off_anywhere_is_whole_or_absent(people: list[DistributorId]) -> None:
    ann = people[0]
    for step in range(1, 11):
        with suppress(TimeoutError):
            async with asyncio.timeout(step * 0.0015):
                await ask(ann, 10_000, f"k{step}")
    listed = (await queries.payouts(PayoutFilter(distributor_id=ann), PageRequest())).items
    assert await money_of(ann) == (100_000 - 10_000 * len(listed), 10_000 * len(listed))


async def test_an_unknown_payout_or_provider_is_refused(people: list[DistributorId]) -> None:
    with pytest.raises(InvalidInput):
        await create_batch(CreateBatch(provider="nobody", idempotency_key="b"), MAKER)
    command = RecordResult(payout_id=PayoutId(new_id()), outcome=Outcome.PAID, idempotency_key="k")
    with pytest.raises(NotFound):
        await record_result(command, MAKER)
