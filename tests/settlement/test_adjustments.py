"""Adjustments: lines of the next statement that two people decide. A closed statement never changes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import DomainError, IdempotencyConflict, NotFound, Rejected, WrongState
from saas.base.ids import AdjustmentId, DistributorId, new_id
from saas.base.paging import PageRequest
from saas.ledger.checks import run_checks
from saas.ledger.queries import EntryFilter, entries_of
from saas.ledger.rules import Account, Kind
from saas.performance.errors import PeriodNotOver
from saas.settlement import queries
from saas.settlement.adjusted import AdjustmentState, adjustments, adjustments_on
from saas.settlement.adjustments import (
    NewAdjustment,
    RequestAdjustments,
    approve_adjustments,
    reject_adjustments,
    request_adjustments,
)
from saas.settlement.commands import CloseSettlement
from saas.settlement.errors import AdjustmentNeedsSecondPerson, NothingToSettle
from tenants.actors import Role
from tenants.errors import Forbidden
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.factories_money import make_distributors, make_order, use_program
from tests.payouts.people import CHECKER, MAKER, started
from tests.settlement.test_settlement import APRIL, amounts, close_at, statement_of

MARCH, NEXT = CloseSettlement(idempotency_key="march"), CloseSettlement(idempotency_key="april")


def line(owner: DistributorId, amount: int, reason: str = "a sale was missed") -> NewAdjustment:
    return NewAdjustment(distributor_id=owner, amount_minor=amount, reason=reason, reference="S20260301-CNY-000001")


def asked(*lines: NewAdjustment, key: str = "k", dry_run: bool = False) -> RequestAdjustments:
    return RequestAdjustments(adjustments=lines, idempotency_key=key, dry_run=dry_run)


@pytest.fixture
async def people(db: Database) -> list[DistributorId]:
    await make_tenants()
    with as_tenant(CEDAR):
        await use_program()
        await make_distributors("CAT")
    with as_tenant(LOTUS):
        await use_program()
        return await make_distributors("ANN", "BEN")


async def test_they_are_lines_of_the_next_statement_and_the_closed_one_stays(people: list[DistributorId]) -> None:
    ann, ben = people
    with as_tenant(LOTUS):
        await make_order({ann: 1_000}, hold_until=APRIL - timedelta(days=1))
        await close_at(APRIL, MARCH)
        march = await statement_of(ann)
        made = await request_adjustments(asked(line(ann, 250), line(ann, -100), line(ben, -40)), MAKER)
        assert (made.count, made.given_minor, made.taken_minor) == (3, 250, -140)
        waiting = await request_adjustments(asked(line(ben, 7), key="not decided"), MAKER)
        await approve_adjustments([one.id for one in made.adjustments], CHECKER)
        assert await amounts(ann) == (0, 0, 1_000)
        await make_order({ann: 500}, hold_until=APRIL + timedelta(days=1))
        settled = await close_at(APRIL + timedelta(days=40), NEXT)
        assert (settled.adjusted_minor, settled.statements) == (110, 2)
        april = await statement_of(ann)
        assert (april.opening_minor, april.commission_minor, april.adjusted_minor) == (1_000, 500, 150)
        assert (april.adjustment_minor, april.closing_minor) == (0, 1_650)
        assert [one.amount_minor for one in await adjustments_on(april.id)] == [250, -100]
        assert await queries.statement_by_id(march.id) == march
        assert await amounts(ann) == (0, 0, 1_650)
        assert await amounts(ben) == (0, 0, -40)
        entries = (await entries_of(ann, EntryFilter(kind=Kind.ADJUSTMENT), PageRequest())).items
        assert sorted((one.account, one.amount_minor) for one in entries) == [
            (Account.SETTLED, -100),
            (Account.SETTLED, 250),
        ]
        left = (await adjustments(PageRequest(), status=AdjustmentState.REQUESTED)).items
        assert [one.id for one in left] == [one.id for one in waiting.adjustments]
        assert await run_checks() == []


@pytest.mark.parametrize("amount", [250, -40])
async def test_a_period_closes_with_nothing_but_adjustments(people: list[DistributorId], amount: int) -> None:
    """Somebody agreed to money before anything was ever earned: it is stated in the period of that moment."""
    ann, _ = people
    with as_tenant(LOTUS):
        with clock.at(APRIL - timedelta(days=3)):
            made = await request_adjustments(asked(line(ann, amount)), MAKER)
        with pytest.raises(NothingToSettle):  # nobody agreed yet
            await close_at(APRIL, MARCH)
        with clock.at(APRIL - timedelta(days=2)):
            await approve_adjustments([made.adjustments[0].id], CHECKER)
        with pytest.raises(PeriodNotOver):
            await close_at(APRIL - timedelta(seconds=1), MARCH)
        closed = await close_at(APRIL, MARCH)
        assert (closed.period.label, closed.adjusted_minor, closed.statements) == ("2026-03", amount, 1)
        assert await amounts(ann) == (0, 0, amount)
        assert (await statement_of(ann)).closing_minor == amount
        assert await run_checks() == []


async def test_a_second_person_decides_once(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        made = await request_adjustments(asked(line(ann, 250), line(ann, 1)), MAKER)
        ids = [one.id for one in made.adjustments]
        with pytest.raises(AdjustmentNeedsSecondPerson):
            await approve_adjustments(ids, MAKER)
        with pytest.raises(Forbidden):
            await approve_adjustments(ids, replace(CHECKER, role=Role.OPERATIONS))
        with pytest.raises(NotFound):
            await approve_adjustments([*ids, AdjustmentId(new_id())], CHECKER)
        assert {one.status for one in (await adjustments(PageRequest())).items} == {AdjustmentState.REQUESTED}
        await reject_adjustments(ids[:1], CHECKER)
        with pytest.raises(WrongState):
            await approve_adjustments(ids, CHECKER)
        assert [one.status for one in await approve_adjustments(ids[1:], CHECKER)] == [AdjustmentState.APPROVED]
        with pytest.raises(WrongState):
            await reject_adjustments(ids[1:], CHECKER)


async def test_who_decides_meanwhile_is_told_that_it_is_decided(people: list[DistributorId]) -> None:
    with as_tenant(LOTUS):
        (made,) = (await request_adjustments(asked(line(people[0], 250)), MAKER)).adjustments
        async with transaction():
            await approve_adjustments([made.id], CHECKER)
            rejecting = await started(reject_adjustments([made.id], CHECKER))
        with pytest.raises(WrongState):
            await rejecting
        assert [one.status for one in (await adjustments(PageRequest())).items] == [AdjustmentState.APPROVED]


async def test_all_that_is_wrong_is_told_and_nothing_is_written(people: list[DistributorId]) -> None:
    ann, _ = people
    wrong = [line(ann, 0), line(DistributorId(new_id()), 5), line(ann, 5, " "), replace(line(ann, 5), reference="\n")]
    with as_tenant(LOTUS):
        for dry_run in (True, False):
            with pytest.raises(Rejected) as refused:
                await request_adjustments(asked(line(ann, 1), *wrong, dry_run=dry_run), MAKER)
            assert [(error.code, error.field) for error in refused.value.errors] == [
                ("ADJUSTMENT_REFUSED", "input.adjustments[1].amountMinor"),
                ("NOT_FOUND", "input.adjustments[2].distributorId"),
                ("REASON_REFUSED", "input.adjustments[3].reason"),
                ("INVALID_INPUT", "input.adjustments[4].reference"),
            ]
        for few in ([], [line(ann, 1)] * 1_001):
            with pytest.raises(DomainError):
                await request_adjustments(asked(*few), MAKER)
        assert (await request_adjustments(asked(line(ann, 9), dry_run=True), MAKER)).given_minor == 9
        assert (await adjustments(PageRequest())).items == []


async def test_the_same_key_asks_once(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        first = await request_adjustments(asked(line(ann, 250)), MAKER)
        assert await request_adjustments(asked(line(ann, 250)), MAKER) == first
        with pytest.raises(IdempotencyConflict):
            await request_adjustments(asked(line(ann, 251)), MAKER)
        assert len((await adjustments(PageRequest())).items) == 1


async def test_another_brand_finds_and_decides_nothing(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        made = await request_adjustments(asked(line(ann, 250)), MAKER)
    cedar = replace(CHECKER, tenant_id=CEDAR)
    with as_tenant(CEDAR):
        with pytest.raises(NotFound):
            await approve_adjustments([made.adjustments[0].id], cedar)
        with pytest.raises(Rejected):
            await request_adjustments(asked(line(ann, 1)), cedar)
        assert (await adjustments(PageRequest())).items == []
    with as_tenant(LOTUS):
        assert (await adjustments(PageRequest())).items == list(made.adjustments)
