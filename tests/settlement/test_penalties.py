"""Penalties: a movement of their own that two people decide, netted at the close, and given back once."""

import asyncio
import csv
from dataclasses import replace
from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import ConstraintViolated, transaction
from saas.base.documents import Form
from saas.base.errors import IdempotencyConflict, NotFound, Rejected
from saas.base.ids import AdjustmentId, DistributorId, new_id
from saas.base.paging import PageRequest
from saas.ledger.checks import run_checks
from saas.ledger.queries import EntryFilter, entries_of
from saas.ledger.rules import Account, Kind
from saas.reconciliation.queries import compared, span_of
from saas.reconciliation.search import FoundKind, Search, find_amount
from saas.reconciliation.trail import trail
from saas.settlement import queries
from saas.settlement.adjusted import AdjustmentKind, AdjustmentState, AdjustmentView, adjustments
from saas.settlement.adjustments import NewAdjustment, approve_adjustments, reject_adjustments, request_adjustments
from saas.settlement.commands import CloseSettlement
from saas.settlement.documents import statement_document
from saas.settlement.errors import AdjustmentNeedsSecondPerson
from saas.settlement.penalties import Lift, LiftPenalties, lift_penalties
from tenants.actors import Role
from tenants.errors import Forbidden
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.factories_money import make_order
from tests.payouts.people import CHECKER, MAKER
from tests.settlement.test_adjustments import asked, line, people
from tests.settlement.test_settlement import APRIL, amounts, close_at, statement_of

__all__ = ["people"]

MAY = APRIL + timedelta(days=40)
MARCH, NEXT = CloseSettlement(idempotency_key="march"), CloseSettlement(idempotency_key="april")


def penalty(owner: DistributorId, amount: int) -> NewAdjustment:
    return replace(line(owner, amount, "sold outside the region"), kind=AdjustmentKind.PENALTY)


async def imposed(*lines: NewAdjustment, key: str = "penalty") -> list[AdjustmentView]:
    """Penalties that two people agreed to."""
    made = await request_adjustments(asked(*lines, key=key), MAKER)
    return await approve_adjustments([one.id for one in made.adjustments], CHECKER)


def lift(*ids: AdjustmentId, key: str = "lift", dry_run: bool = False) -> LiftPenalties:
    return LiftPenalties(penalties=[Lift(id_, "it was another") for id_ in ids], idempotency_key=key, dry_run=dry_run)


async def test_6_a_penalty_is_netted_at_the_close_as_a_movement_of_its_own(people: list[DistributorId]) -> None:
    ann, ben = people
    with as_tenant(LOTUS):
        with clock.at(APRIL - timedelta(days=2)):
            await imposed(penalty(ann, 150), line(ann, 20))
            await imposed(penalty(ben, 30), key="nothing earned")
        await make_order({ann: 1_000}, hold_until=APRIL - timedelta(days=1))
        with clock.at(APRIL):
            seen, planned = await queries.preview(), (await queries.previewed(PageRequest())).items
        assert (seen.adjusted_minor, seen.penalties_minor, seen.payable_minor) == (20, -180, 870)
        closed = await close_at(APRIL, MARCH)
        assert (closed.adjusted_minor, closed.penalties_minor, closed.statements) == (20, -180, 2)
        found = await statement_of(ann)
        assert (found.commission_minor, found.adjusted_minor, found.penalties_minor) == (1_000, 20, -150)
        assert (found.adjustment_minor, found.closing_minor) == (0, 870)
        assert {one.distributor_id: one.closing_minor for one in planned} == {ann: 870, ben: -30}
        assert await amounts(ann) == (0, 0, 870)
        assert await amounts(ben) == (0, 0, -30)
        (entry,) = (await entries_of(ann, EntryFilter(kind=Kind.PENALTY), PageRequest())).items
        assert (entry.account, entry.amount_minor, entry.reference_kind) == (Account.SETTLED, -150, "adjustment")
        assert await run_checks() == []


async def test_a_penalty_is_lifted_by_a_movement_of_its_own_and_the_statement_stays(
    people: list[DistributorId],
) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        await make_order({ann: 1_000}, hold_until=APRIL - timedelta(days=1))
        (taken,) = await imposed(penalty(ann, 150))
        await close_at(APRIL, MARCH)
        march = await statement_of(ann)
        tried = await lift_penalties(lift(taken.id, dry_run=True), MAKER)
        assert (tried.adjustments, tried.count, tried.given_minor) == ([], 1, 150)
        wanted = await lift_penalties(lift(taken.id), MAKER)
        assert await lift_penalties(lift(taken.id), MAKER) == wanted
        with pytest.raises(IdempotencyConflict):
            await lift_penalties(lift(taken.id, taken.id), MAKER)
        with pytest.raises(AdjustmentNeedsSecondPerson):
            await approve_adjustments([wanted.adjustments[0].id], MAKER)
        await approve_adjustments([wanted.adjustments[0].id], CHECKER)
        await close_at(MAY, NEXT)
        april = await statement_of(ann)
        assert (april.opening_minor, april.penalties_minor, april.closing_minor) == (850, 150, 1_000)
        assert await queries.statement_by_id(march.id) == march
        moved = (await entries_of(ann, EntryFilter(kind=Kind.PENALTY), PageRequest())).items
        assert sorted(one.amount_minor for one in moved) == [-150, 150]
        assert await run_checks() == []


async def test_a_penalty_is_lifted_once_whoever_asks(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        (taken,) = await imposed(penalty(ann, 150))
        both = await asyncio.gather(
            *(lift_penalties(lift(taken.id, key=f"k{n}"), MAKER) for n in range(2)), return_exceptions=True
        )
        (made,) = [one for one in both if not isinstance(one, BaseException)]
        with pytest.raises(Rejected) as again:
            await lift_penalties(lift(taken.id, taken.id, key="again"), MAKER)
        assert [one.code for one in again.value.errors] == ["PENALTY_LIFTED"] * 2
        await reject_adjustments([one.id for one in made.adjustments], CHECKER)
        (second,) = (await lift_penalties(lift(taken.id, key="after a no"), MAKER)).adjustments
        assert (second.amount_minor, second.lifts_id, second.kind) == (150, taken.id, AdjustmentKind.PENALTY)
        with pytest.raises(ConstraintViolated):
            async with transaction() as tx:
                await tx.execute(
                    "UPDATE adjustment SET status = 'approved', decided_by = requested_by WHERE tenant_id = $1 "
                    "AND id = $2",
                    tx.tenant_id,
                    made.adjustments[0].id,
                )


async def test_what_is_no_penalty_or_not_agreed_to_is_not_lifted(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        (waiting,) = (await request_adjustments(asked(penalty(ann, 150), key="p"), MAKER)).adjustments
        (other,) = await imposed(line(ann, -10))
        for dry_run in (True, False):
            with pytest.raises(Rejected) as refused:
                await lift_penalties(lift(waiting.id, other.id, AdjustmentId(new_id()), dry_run=dry_run), MAKER)
            assert [(one.code, one.field) for one in refused.value.errors] == [
                ("WRONG_STATE", "input.penalties[0].id"),
                ("NOT_FOUND", "input.penalties[1].id"),
                ("NOT_FOUND", "input.penalties[2].id"),
            ]
        await approve_adjustments([waiting.id], CHECKER)
        with pytest.raises(Forbidden):
            await lift_penalties(lift(waiting.id), replace(MAKER, role=Role.OPERATIONS))
        (given,) = (await lift_penalties(lift(waiting.id), MAKER)).adjustments
        await approve_adjustments([given.id], CHECKER)
        with pytest.raises(Rejected):  # what gives back is not given back again
            await lift_penalties(lift(given.id, key="twice"), MAKER)


async def test_a_penalty_only_takes(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        with pytest.raises(Rejected) as refused:
            await request_adjustments(asked(penalty(ann, 0), penalty(ann, -5), penalty(ann, 10**13 + 1)), MAKER)
        assert [(one.code, one.field) for one in refused.value.errors] == [
            ("PENALTY_REFUSED", f"input.adjustments[{number}].amountMinor") for number in range(3)
        ]
        made = await request_adjustments(asked(penalty(ann, 5), line(ann, -1)), MAKER)
        assert (made.given_minor, made.taken_minor) == (0, -6)
        only = (await adjustments(PageRequest(), kind=AdjustmentKind.PENALTY)).items
        assert [one.amount_minor for one in only] == [-5]
        with pytest.raises(ConstraintViolated):
            async with transaction() as tx:
                await tx.execute("UPDATE adjustment SET amount_minor = 5 WHERE tenant_id = $1", tx.tenant_id)


async def test_the_statement_shows_penalties_apart_in_every_form(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        await make_order({ann: 1_000}, hold_until=APRIL - timedelta(days=1))
        (taken,) = await imposed(penalty(ann, 150))
        (given,) = (await lift_penalties(lift(taken.id), MAKER)).adjustments
        await approve_adjustments([given.id], CHECKER)
        await imposed(penalty(ann, 40), line(ann, 7), key="more")
        await close_at(APRIL, MARCH)
        found = await statement_of(ann)
        rows = list(csv.reader((await queries.statement_csv(found.id)).splitlines()))
        assert ["penalties", "-0.40"] in rows
        assert [row[0] for row in rows[-4:]].count("penalty") == 2
        assert ["penalty_lifted", "it was another", "S20260301-CNY-000001", "1.50"] in rows
        chinese = (await statement_document(found.id, Form.CSV, "zh-CN")).content.decode()
        assert "处罚明细" in chinese
        assert "撤销处罚,it was another" in chinese
        assert "Penalty lifted" in (await statement_document(found.id, Form.CSV, "en")).content.decode()
        for form in (Form.PDF, Form.XLSX):
            assert (await statement_document(found.id, form, "zh-CN")).content


async def test_penalties_are_found_followed_and_reconciled(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        await make_order({ann: 1_000}, hold_until=APRIL - timedelta(days=1))
        with clock.at(APRIL - timedelta(days=1)):
            (taken,) = await imposed(penalty(ann, 150))
            await request_adjustments(asked(line(ann, -150), key="none"), MAKER)
        await close_at(APRIL, MARCH)
        with clock.at(APRIL + timedelta(days=1)):
            (given,) = (await lift_penalties(lift(taken.id), MAKER)).adjustments
            await approve_adjustments([given.id], CHECKER)
        await close_at(MAY, NEXT)
        with clock.at(MAY):
            places = (await find_amount(Search(amount_minor=150), PageRequest())).items
            kinds = {FoundKind.PENALTY: 2, FoundKind.ADJUSTMENT: 1, FoundKind.STATEMENT: 2, FoundKind.MOVEMENT: 2}
            assert {kind: sum(one.kind is kind for one in places) for kind in kinds} == kinds
            books = await compared(await span_of(None, None, None))
        assert books.agrees
        assert (books.totals.penalties_minor, books.totals.closing_minor) == (0, 1_000)
        (share,) = await trail("Adjustment", taken.id)
        (use,) = share.uses
        assert (share.kind, use.kind, use.amount_minor) == ("COMMISSION", "PENALTY", 150)
        assert use.transaction_id is not None
        (back,) = await trail("Adjustment", given.id)
        assert (back.kind, back.amount_minor, back.left_minor) == ("PENALTY", 150, 150)
        assert back.transaction_id not in {None, use.transaction_id}


async def test_another_brand_lifts_nothing(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        (taken,) = await imposed(penalty(ann, 150))
    with as_tenant(CEDAR):
        with pytest.raises(Rejected) as refused:
            await lift_penalties(lift(taken.id), replace(MAKER, tenant_id=CEDAR))
        assert isinstance(refused.value.errors[0], NotFound)
    with as_tenant(LOTUS):
        assert [one.id for one in (await adjustments(PageRequest())).items] == [taken.id]
        assert taken.status is AdjustmentState.APPROVED


@pytest.mark.unsound
async def test_a_penalty_given_back_wrongly_is_found(people: list[DistributorId]) -> None:
    ann, ben = people
    with as_tenant(LOTUS):
        (taken,) = await imposed(penalty(ann, 150))
        (given,) = (await lift_penalties(lift(taken.id), MAKER)).adjustments
        assert await run_checks() == []
        for column, value in (("distributor_id", ben), ("amount_minor", 149), ("lifts_id", given.id)):
            async with transaction() as tx:
                await tx.execute(
                    f"UPDATE adjustment SET {column} = $3 WHERE tenant_id = $1 AND id = $2",
                    tx.tenant_id,
                    given.id,
                    value,
                )
            assert [one.check for one in await run_checks()] == ["penalties_lifted_once"]
            async with transaction() as tx:
                await tx.execute(
                    "UPDATE adjustment SET distributor_id = $3, amount_minor = 150, lifts_id = $4 "
                    "WHERE tenant_id = $1 AND id = $2",
                    tx.tenant_id,
                    given.id,
                    ann,
                    taken.id,
                )


@pytest.mark.unsound
async def test_a_penalty_that_is_not_what_was_booked_and_stated_is_found(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        await make_order({ann: 1_000}, hold_until=APRIL - timedelta(days=1))
        (taken,) = await imposed(penalty(ann, 150))
        await close_at(APRIL, MARCH)
        assert await run_checks() == []
        async with transaction() as tx:
            await tx.execute(
                "UPDATE adjustment SET amount_minor = -149 WHERE tenant_id = $1 AND id = $2", LOTUS, taken.id
            )
        assert [one.check for one in await run_checks()] == ["earnings_have_ground", "statements_add_up"]
