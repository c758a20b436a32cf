"""Both books of a brand: they agree whatever happens, and say where they part when one of them is changed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database, open_database, transaction
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, SettlementId, new_id
from saas.base.paging import PageRequest
from saas.orders.commands import cancel
from saas.reconciliation.queries import compared, reconcile, reconciliation_csv, span_of
from saas.reconciliation.rules import first_in_first_out
from saas.reconciliation.trail import Use, trail
from saas.settlement.adjustments import approve_adjustments, request_adjustments
from saas.settlement.queries import settlements
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.facts_world import pieces, use
from tests.orders.world import paid, step, table, two_shops
from tests.payouts.people import CHECKER, MAKER
from tests.returns.test_money import _owes, _sell_in_april
from tests.returns.world import APRIL, delivered, settle
from tests.settlement.test_adjustments import asked, line

MAY = APRIL + timedelta(days=30)


@pytest.fixture
async def sqlite_db(sqlite_url: str) -> AsyncIterator[Database]:
    """On SQLite alone the fence around what is append-only can be taken down from here."""
    async with open_database(sqlite_url) as database:
        yield database


@given(st.lists(st.integers(0, 1_000)), st.lists(st.integers(0, 1_000)))
def test_the_oldest_pay_first_and_no_cent_twice(credit: list[int], debit: list[int]) -> None:
    parts = first_in_first_out(credit, debit)
    assert all(part.amount_minor > 0 for part in parts)
    for number, amount in enumerate(credit):
        assert sum(part.amount_minor for part in parts if part.credit == number) <= amount
    for number, amount in enumerate(debit):
        assert sum(part.amount_minor for part in parts if part.debit == number) <= amount
    assert sum(part.amount_minor for part in parts) == min(sum(credit), sum(debit))
    order = [(part.credit, part.debit) for part in parts]
    assert order == sorted(order)


@given(st.lists(st.integers(1, 1_000), min_size=1), st.lists(st.integers(1, 1_000)), st.integers(1, 1_000))
def test_what_happens_later_changes_no_earlier_part(credit: list[int], debit: list[int], later: int) -> None:
    before = first_in_first_out(credit, debit)
    grown = first_in_first_out(credit, [*debit, later])
    assert grown[: len(before)] == before


async def test_the_books_agree_after_returns_payouts_and_recovery(db: Database) -> None:
    """Also in each span: what one closes with, the next opens with."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _owes(lotus)
        with clock.at(APRIL + timedelta(days=1)):
            await _sell_in_april(lotus["D"])
        await settle(LOTUS, MAY)
        with clock.at(MAY + timedelta(days=1)):
            ever = await compared(await span_of(None, None, None))
            april, march = (await settlements(PageRequest())).items
            first, second = [await compared(await span_of(one.id, None, None)) for one in (march, april)]
            before = await compared(await span_of(None, None, APRIL))
            lines = (await reconcile(await span_of(None, None, None), PageRequest())).items
            sheet = await reconciliation_csv(await span_of(None, None, None))
        assert ever.agrees and first.agrees and second.agrees and before.agrees
        assert second.totals.opening_minor == first.totals.closing_minor
        assert second.totals.closing_minor == ever.totals.closing_minor
        # The goods came back at the very moment of the first closing, which belongs to it.
        assert ever.totals.clawed_back_minor == first.totals.clawed_back_minor < 0
        assert second.totals.clawed_back_minor == before.totals.commission_minor == 0
        assert sum(one.closing_minor for one in lines) == ever.totals.closing_minor
        assert sheet.content.decode("utf-8-sig").count("\r\n") == 7 + len(lines)
        payout = await _id("SELECT id FROM payout WHERE tenant_id = $1")
        paid = await trail("Payout", payout)
        assert sum(use.amount_minor for one in paid for use in one.uses) == 10_000
        back = await trail("Commission", paid[0].id)
        assert [use.kind for use in back[0].uses] == ["PAYOUT"]


async def test_what_took_money_is_followed_to_the_shares_it_took_it_from(db: Database) -> None:
    """Goods that came back after D was paid take D's next earnings; an adjustment against D takes what is left."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _owes(lotus)
        back = await _id("SELECT id FROM return_case WHERE tenant_id = $1")
        assert [(use.id, use.amount_minor) for use in await _taken_of(lotus["D"], "ReturnCase", back)] == []
        shares = {share.distributor_id: share for share in await trail("ReturnCase", back)}
        assert {shares[lotus[code]].clawed_minor for code in "D"} == {10_000}, "owed, and on the trail all the same"
        assert [shares[lotus[code]].clawed_minor for code in "CB"] == [15_000, 20_000]
        with clock.at(APRIL + timedelta(days=1)):
            for _ in range(11):
                await _sell_in_april(lotus["D"])
            made = await request_adjustments(asked(line(lotus["D"], -300)), MAKER)
            await approve_adjustments([one.id for one in made.adjustments], CHECKER)
        await settle(LOTUS, MAY)
        assert sum(use.amount_minor for use in await _taken_of(lotus["D"], "ReturnCase", back)) == 10_000
        (use_,) = await _taken_of(lotus["D"], "Adjustment", made.adjustments[0].id)
        assert (use_.kind, use_.amount_minor) == ("ADJUSTMENT", 300)
        clawed = await _id("SELECT id FROM ledger_transaction WHERE tenant_id = $1 AND kind = 'clawback'")
        assert await trail("LedgerTransaction", clawed) == await trail("ReturnCase", back)


async def _taken_of(owner: DistributorId, kind: str, id_: UUID) -> list[Use]:
    return [use for share in await trail(kind, id_) if share.distributor_id == owner for use in share.uses]


async def test_what_is_evened_after_it_was_settled_is_in_both_books_and_on_the_trail(db: Database) -> None:
    """An order that is cancelled in April takes the lift that another one had, and was settled with, because of it."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(period="quarter"))
        passing = await paid(lotus["D"], 30 * 100_000, quantity=30)
        lifted = await delivered(lotus["D"], 2 * 100_000, quantity=2)
        await settle(LOTUS)
        with clock.at(APRIL + timedelta(days=1)):
            await cancel(step(passing), staff())
            ever = await compared(await span_of(None, None, None))
            (share,) = await trail("Order", lifted)
        assert (ever.agrees, ever.totals.differences) == (True, [])
        assert ever.totals.clawed_back_minor == -2 * 200
        (use_,) = share.uses
        assert (use_.kind, use_.id, use_.amount_minor) == ("CANCELLATION", passing, 2 * 200)
        assert use_.transaction_id is not None
        assert share.left_minor == 2 * 2_000


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE commission_reversal SET amount_minor = amount_minor + 1 WHERE tenant_id = $1", "clawed_back"),
        ("UPDATE statement SET commission_minor = commission_minor + 1, closing_minor = closing_minor + 1 "
         "WHERE tenant_id = $1", "earned"),
        ("UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE tenant_id = $1 AND account = 'settled' "
         "AND amount_minor > 0", "earned"),
    ],
)  # fmt: skip
async def test_a_changed_row_is_found_and_named(sqlite_db: Database, change: str, what: str) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _owes(lotus)
        async with transaction() as tx:
            for name in ("commission_reversal", "statement", "ledger_entry"):
                await tx.execute(f"DROP TRIGGER {name}_no_update")
            await tx.execute(change, LOTUS)
        with clock.at(MAY):
            found = await compared(await span_of(None, None, None))
        assert not found.agrees
        assert found.differing
        assert what in [one.what for one in found.totals.differences]


async def _id(sql: str) -> UUID:
    return UUID(str((await table(sql))[0][0]))


async def test_another_brand_sees_nothing_of_it(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _owes(lotus)
        closed = (await settlements(PageRequest())).items[0].id
        commission = await _id("SELECT id FROM commission WHERE tenant_id = $1 AND amount_minor > 0")
    with as_tenant(CEDAR), clock.at(MAY):
        ever = await compared(await span_of(None, None, None))
        assert (ever.agrees, ever.totals.closing_minor, ever.totals.commission_minor) == (True, 0, 0)
        assert (await reconcile(await span_of(None, None, None), PageRequest())).items == []
        for refused in (span_of(closed, None, None), span_of(SettlementId(new_id()), None, None)):
            with pytest.raises(NotFound):
                await refused
        with pytest.raises(NotFound):
            await trail("Commission", commission)
