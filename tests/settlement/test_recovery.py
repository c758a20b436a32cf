"""How a debt is taken back from later earnings (docs/rules.md §4): the rule, statements, and what can be paid out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError
from saas.base.ids import DistributorId, OrderId, new_id
from saas.base.paging import PageRequest
from saas.exits.commands import ExecuteExit, QuoteExit, approve_exit, execute_exit, quote_exit
from saas.exits.rules import ExitKind
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account
from saas.returns.errors import NothingOwed
from saas.returns.write_offs import RequestWriteOff, approve_write_off, request_write_off
from saas.settlement import queries
from saas.settlement.commands import CloseSettlement
from saas.settlement.rules import Carried, Recovery, draft, recover
from tests.factories import LOTUS, as_tenant, make_tenants
from tests.factories_money import make_distributors, make_order, use_program
from tests.payouts.people import CHECKER, MAKER, ask, give_card
from tests.returns.world import comes_back
from tests.settlement.test_settlement import APRIL, close_at, statement_of

MAY = APRIL + timedelta(days=40)
JUNE = MAY + timedelta(days=30)
AMOUNTS = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("balance", "debt", "net", "bps", "expected"),
    [
        # Owed 300.00, earned 500.00, at most 20 %: 100.00 recovered, 200.00 owed on and set aside, 400.00 payable.
        (-30_000, 0, 50_000, 2_000, Recovery(debt_minor=30_000, recovered_minor=10_000, set_aside_minor=20_000)),
        # The next settlement goes on with what stands on the account of debts.
        (0, 20_000, 50_000, 2_000, Recovery(debt_minor=20_000, recovered_minor=10_000, set_aside_minor=-10_000)),
        # What is payable already stays so.
        (7_000, 20_000, 50_000, 2_000, Recovery(debt_minor=20_000, recovered_minor=10_000, set_aside_minor=-10_000)),
        # The last part of a debt.
        (0, 300, 50_000, 2_000, Recovery(debt_minor=300, recovered_minor=300, set_aside_minor=-300)),
        # Offset all, as where nothing is set: the balance nets by itself.
        (-30_000, 0, 50_000, None, Recovery(debt_minor=30_000, recovered_minor=30_000)),
        (-30_000, 0, 10_000, None, Recovery(debt_minor=30_000, recovered_minor=10_000)),
        # From parts to all: the account of debts is paid from what was earned.
        (0, 20_000, 50_000, None, Recovery(debt_minor=20_000, recovered_minor=20_000, set_aside_minor=-20_000)),
        # Waits to be written off.
        (-30_000, 0, 50_000, 0, Recovery(debt_minor=30_000, recovered_minor=0, set_aside_minor=30_000)),
        # Never more than the part: of 0.09, 20 % is 0.01.
        (-30_000, 0, 9, 2_000, Recovery(debt_minor=30_000, recovered_minor=1, set_aside_minor=29_999)),
        # An adjustment against it that is more than the earnings is owed itself.
        (0, 0, -500, 2_000, Recovery(debt_minor=500, recovered_minor=0, set_aside_minor=500)),
    ],
)
def test_4_recovery_case_by_case(balance: int, debt: int, net: int, bps: int | None, expected: Recovery) -> None:
    assert recover(balance_minor=balance, debt_minor=debt, net_minor=net, most_bps=bps) == expected


def test_6_a_penalty_lessens_what_a_debt_is_recovered_from() -> None:
    """Owed 300.00; 500.00 earned, 50.00 adjusted and a penalty of 150.00 leave 400.00: 80.00 of it are recovered."""
    found = draft(
        DistributorId(new_id()),
        lines=1,
        commission_minor=50_000,
        awards_minor=0,
        adjusted_minor=5_000,
        penalties_minor=-15_000,
        carried=Carried(-30_000),
        balance_minor=-30_000,
        payouts_minor=0,
        recovery_bps=2_000,
    )
    assert found.recovery == Recovery(debt_minor=30_000, recovered_minor=8_000, set_aside_minor=22_000)
    assert (found.adjustment_minor, found.closing_minor) == (0, 32_000)


@given(AMOUNTS, st.integers(0, 10**12), AMOUNTS, st.integers(0, 10_000) | st.none(), st.booleans())
def test_nothing_is_lost_or_taken_beyond_the_rule(
    balance: int, debt: int, net: int, bps: int | None, leaves: bool
) -> None:
    found = recover(balance_minor=balance, debt_minor=debt, net_minor=net, most_bps=bps, leaves=leaves)
    closing, left = balance + net + found.set_aside_minor, debt + found.set_aside_minor
    assert closing - left == balance + net - debt  # money only moves between the two
    assert left >= 0
    assert 0 <= found.recovered_minor <= found.debt_minor
    assert found.left_minor == left + max(-closing, 0)
    if bps is not None and not leaves:
        assert closing >= 0
        assert found.recovered_minor * 10_000 <= max(net, 0) * bps
        assert closing >= max(net, 0) - found.recovered_minor
    if leaves and left:
        assert closing <= 0  # while anything is owed, nothing is payable
    if bps is None and not leaves:
        assert found.recovered_minor == min(found.debt_minor, max(net, 0))


async def _paid_out(owner: DistributorId, *amounts: int) -> list[OrderId]:
    """Orders of March whose commission was settled and asked for, so that goods coming back leave a debt."""
    orders = [OrderId(await make_order({owner: amount}, hold_until=APRIL - timedelta(days=1))) for amount in amounts]
    await give_card(owner, has_invoice=True)
    await close_at(APRIL, CloseSettlement(idempotency_key="march"))
    with clock.at(APRIL):
        await ask(owner, key="first")
    return orders


async def _owe(owner: DistributorId, amount: int) -> None:
    """A debt as there are debts: what was paid out was for goods that came back."""
    (order,) = await _paid_out(owner, amount)
    await comes_back(order, at=APRIL)
    assert await money(owner) == (-amount, 0)


async def money(owner: DistributorId) -> tuple[int, int]:
    """Settled, and the account of debts."""
    found = (await balances_of([owner]))[owner]
    return found.of(Account.SETTLED, "CNY"), found.of(Account.DEBT, "CNY")


async def test_4_at_most_a_part_is_taken_and_the_rest_is_paid_out(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program(recovery={"kind": "share", "most_bps": 2_000}, minimum_payout_minor=1)
        (ann,) = await make_distributors("ANN")
        await _owe(ann, 30_000)
        await make_order({ann: 50_000}, hold_until=APRIL + timedelta(days=1))
        with clock.at(MAY):
            seen, (planned,) = await queries.preview(), (await queries.previewed(PageRequest())).items
        await close_at(MAY, CloseSettlement(idempotency_key="april"))
        found = await statement_of(ann)
        assert (found.opening_minor, found.payout_minor) == (30_000, -30_000)
        assert (found.commission_minor, found.adjustment_minor) == (50_000, -30_000)
        assert (found.debt_minor, found.recovered_minor, found.recovery_bps) == (30_000, 10_000, 2_000)
        assert (found.set_aside_minor, found.closing_minor) == (20_000, 40_000)
        assert (seen.debt_minor, seen.recovered_minor, seen.payable_minor) == (30_000, 10_000, 40_000)
        assert planned.closing_minor == found.closing_minor
        assert await money(ann) == (40_000, -20_000)
        with clock.at(MAY):
            with pytest.raises(DomainError) as short:
                await ask(ann, 40_001, "much")
            assert short.value.code == "INSUFFICIENT_BALANCE"
            assert (await ask(ann)).amounts.requested_minor == 40_000
        await make_order({ann: 100_000}, hold_until=MAY)
        await close_at(JUNE, CloseSettlement(idempotency_key="may"))
        found = await statement_of(ann)
        assert (found.debt_minor, found.recovered_minor, found.set_aside_minor) == (20_000, 20_000, -20_000)
        assert await money(ann) == (80_000, 0)


async def test_without_the_setting_everything_is_offset(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program(minimum_payout_minor=1)
        (ann,) = await make_distributors("ANN")
        await _owe(ann, 30_000)
        await make_order({ann: 50_000}, hold_until=APRIL + timedelta(days=1))
        await close_at(MAY, CloseSettlement(idempotency_key="april"))
        found = await statement_of(ann)
        assert (found.debt_minor, found.recovered_minor, found.set_aside_minor) == (30_000, 30_000, 0)
        assert await money(ann) == (20_000, 0)


async def test_a_debt_set_aside_is_written_off_by_two_people(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program(recovery={"kind": "write_off"}, minimum_payout_minor=1)
        (ann,) = await make_distributors("ANN")
        first, second = await _paid_out(ann, 30_000, 6_000)
        await comes_back(first, at=APRIL)
        await make_order({ann: 5_000}, hold_until=APRIL + timedelta(days=1))
        await close_at(MAY, CloseSettlement(idempotency_key="april"))
        assert await money(ann) == (5_000, -30_000)
        await comes_back(second, at=MAY)
        command = RequestWriteOff(distributor_id=ann, amount_minor=31_001, reason="moved", idempotency_key="w")
        with pytest.raises(NothingOwed):
            await request_write_off(command, MAKER)
        asked = await request_write_off(replace(command, amount_minor=30_900, idempotency_key="w2"), MAKER)
        await approve_write_off(asked.id, CHECKER)
        assert await money(ann) == (0, -100)  # the settled balance first, then what was set aside


async def test_7_at_an_exit_all_that_is_there_pays_the_debt(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program(recovery={"kind": "share", "most_bps": 1_000}, minimum_payout_minor=1)
        (ann,) = await make_distributors("ANN")
        await _owe(ann, 30_000)
        await make_order({ann: 10_000}, hold_until=APRIL + timedelta(days=1))
        await close_at(MAY, CloseSettlement(idempotency_key="april"))
        assert await money(ann) == (9_000, -29_000)
        await make_order({ann: 25_000}, hold_until=MAY + timedelta(days=1))
        with clock.at(MAY):
            asked = QuoteExit(distributor_id=ann, kind=ExitKind.VOLUNTARY, reason="moves", idempotency_key="q")
            quoted = await quote_exit(asked, MAKER)
            await approve_exit(quoted.id, CHECKER)
            await execute_exit(ExecuteExit(exit_id=quoted.id, idempotency_key="x"), MAKER)
        assert await money(ann) == (-20_000, 0)
        await close_at(JUNE, CloseSettlement(idempotency_key="may"))
        assert await money(ann) == (5_000, 0)
        found = await statement_of(ann)
        assert (found.debt_minor, found.recovered_minor, found.recovery_bps) == (20_000, 20_000, None)
