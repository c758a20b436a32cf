"""Bank cards, lists, and what another brand sees of them, on both databases."""

import asyncio
from dataclasses import replace

import pytest

from saas.base.db import ConstraintViolated, reading, transaction
from saas.base.errors import IdempotencyConflict, InvalidInput, NotFound, WrongState
from saas.base.ids import DistributorId, PayoutId, new_id
from saas.base.paging import PageRequest
from saas.base.vault import SealBroken
from saas.payouts import errors, queries
from saas.payouts.commands import (
    CancelPayout,
    CreateBatch,
    RecordResult,
    RequestPayout,
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
from saas.payouts.queries import PayoutFilter
from saas.payouts.rules import BatchState, DestinationState, Outcome, PayoutState
from tenants.actors import system
from tenants.errors import Forbidden
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.factories_money import SETTLED_AT, make_distributors, use_program
from tests.payouts.people import (
    CARD,
    CHECKER,
    MAKER,
    ask,
    card_of,
    oneself,
    outcomes,
    result,
    started,
)


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


async def test_who_gave_a_card_does_not_verify_it(people: list[DistributorId]) -> None:
    made = await set_destination(card_of(people[0], key="by staff"), MAKER)
    for _ in range(2):
        with pytest.raises(errors.CardNeedsSecondPerson):
            await verify_destination(made.id, MAKER)
    assert await queries.destination_of(people[0]) == made
    with pytest.raises(ConstraintViolated):
        async with transaction() as tx:
            await tx.execute("UPDATE payout_destination SET verified_by = created_by WHERE tenant_id = $1", LOTUS)
    verified = await verify_destination(made.id, CHECKER)
    assert (verified.status, verified.verified_by) == (DestinationState.VERIFIED, CHECKER.id)
    with pytest.raises(Forbidden):
        await set_destination(card_of(people[1], key="by nobody"), system(LOTUS, "test"))


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


async def test_an_unknown_payout_or_provider_is_refused(people: list[DistributorId]) -> None:
    with pytest.raises(InvalidInput):
        await create_batch(CreateBatch(provider="nobody", idempotency_key="b"), MAKER)
    command = RecordResult(payout_id=PayoutId(new_id()), outcome=Outcome.PAID, idempotency_key="k")
    with pytest.raises(NotFound):
        await record_result(command, MAKER)
