"""What returns do to money that moved on: settled, paid out, owed, recovered, written off (docs/rules.md §4, §6)."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError, Rejected, WrongState
from saas.base.ids import DistributorId
from saas.base.money import part_back
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.exits.commands import ExecuteExit, QuoteExit, approve_exit, execute_exit, quote_exit
from saas.exits.rules import ExitKind
from saas.ledger.checks import run_checks
from saas.network.commands import Move, move, suspend
from saas.orders.commands import deliver, place_order, ship
from saas.payouts.commands import (
    RequestPayout,
    SetDestination,
    record_result,
    request_payout,
    set_destination,
    verify_destination,
)
from saas.payouts.rules import Outcome
from saas.performance.commands import ClosePeriod, close_period
from saas.returns.commands import request_return
from saas.returns.errors import NothingOwed, WriteOffNeedsSecondPerson
from saas.returns.write_offs import RequestWriteOff, approve_write_off, reject_write_off, request_write_off
from saas.settlement.commands import release_due
from saas.simulation.recompute import recompute
from tenants.errors import Forbidden
from tests.factories import LOTUS, as_tenant, new_brand
from tests.network.world import plant, staff, use_program
from tests.orders.facts_world import use
from tests.orders.world import CHAIN, balances, order, step, table, two_shops
from tests.payouts.people import MAKER, ask, give_card, result, sent_batch, set_status
from tests.returns.world import (
    AFTER_HOLD,
    APRIL,
    DELIVERED,
    approved,
    asks,
    comes_back,
    delivered,
    finance,
    line_of,
    receive,
    settle,
    taken,
)

MAY = APRIL + timedelta(days=30)
STATEMENTS = (
    "SELECT r.label, d.code, s.opening_minor, s.commission_minor, s.adjustment_minor, s.payout_minor, s.closing_minor "
    "FROM statement s JOIN settlement r ON r.tenant_id = s.tenant_id AND r.id = s.settlement_id "
    "JOIN distributor d ON d.tenant_id = s.tenant_id AND d.id = s.distributor_id "
    "WHERE s.tenant_id = $1 ORDER BY r.label, d.code"
)


async def test_settled_commission_is_owed_and_the_next_statement_says_so(db: Database) -> None:
    """A closed period never changes; what came back after it is an adjustment of the next."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"])
        await comes_back(bought, 1)
        await settle(LOTUS)
        march = await table(STATEMENTS)
        assert [row[1:] for row in march] == [
            ("B", 0, 1_333, 0, 0, 1_333),
            ("C", 0, 1_000, 0, 0, 1_000),
            ("D", 0, 667, 0, 0, 667),
        ]
        back = await comes_back(bought, 1, at=APRIL)
        assert await taken(back.id) == {"D": ("settled", 334), "C": ("settled", 500), "B": ("settled", 666)}
        assert await balances() == {("D", "settled"): 333, ("C", "settled"): 500, ("B", "settled"): 667}
        assert await table(STATEMENTS) == march
        assert await run_checks() == []
        with clock.at(APRIL + timedelta(days=1)):
            await _sell_in_april(lotus["D"])
        await settle(LOTUS, MAY)
        april = [row for row in await table(STATEMENTS) if row not in march]
        assert [row[1:] for row in april] == [
            ("B", 1_333, 2_000, -666, 0, 2_667),
            ("C", 1_000, 1_500, -500, 0, 2_000),
            ("D", 667, 1_000, -334, 0, 1_333),
        ]
        assert await run_checks() == []
        proof = await recompute("2026-03")
        assert (proof.settlements, proof.orders, proof.differences) == (1, 1, [])


async def _sell_in_april(seller: DistributorId) -> None:
    now = clock.now()
    id_ = await place_order(order(seller, amount_minor=10_000, quantity=3, paid_at=now), staff())
    await ship(step(id_), staff())
    await deliver(step(id_), staff())


async def _owes(lotus: Mapping[str, DistributorId]) -> None:
    """D was paid out all it had, 100.00 of it for goods that then came back."""
    d = lotus["D"]
    bought = await delivered(d, 100_000)
    await settle(LOTUS)
    money = finance(LOTUS)
    with clock.at(APRIL):
        card = SetDestination(
            distributor_id=d,
            holder="D",
            bank="Bank",
            account="6214830012345678",
            has_invoice=True,
            idempotency_key="card",
        )
        made = await set_destination(card, money)
        await verify_destination(made.id, finance(LOTUS))
        await request_payout(RequestPayout(distributor_id=d, amount_minor=None, idempotency_key="p"), money)
    await comes_back(bought, at=APRIL)


async def test_what_was_paid_out_is_owed_and_later_earnings_pay_it(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _owes(lotus)
        assert await balances() == {("D", "payout"): 10_000, ("D", "settled"): -10_000}
        assert await run_checks() == []
        with clock.at(APRIL + timedelta(days=1)):
            await _sell_in_april(lotus["D"])
        await settle(LOTUS, MAY)
        assert (await balances())["D", "settled"] == -9_000
        with clock.at(MAY), pytest.raises(DomainError) as short:
            asked = RequestPayout(distributor_id=lotus["D"], amount_minor=10_000, idempotency_key="p2")
            await request_payout(asked, finance(LOTUS))
        assert short.value.code == "INSUFFICIENT_BALANCE"
        assert await run_checks() == []


async def test_4_reversed_at_the_rate_chain_and_version_of_the_sale_before_and_after_it_was_paid(db: Database) -> None:
    """Meanwhile D was moved, C suspended, B has left, and another program pays other rates to other levels."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"], 1_000_000)
        with clock.at(DELIVERED):
            await use({"key": "levels", "kind": "level_table", "levels": [{"rate_bps": 9_000}]}, at=DELIVERED)
            await move(Move(distributor=lotus["D"], sponsor=lotus["A"], reason="region"), staff())
            await suspend(lotus["C"], "for a while", staff())
            await set_status(lotus["B"], "exited")
        parts = [await taken((await comes_back(bought, 1)).id)]
        await settle(LOTUS)
        parts.append(await taken((await comes_back(bought, 1, at=APRIL)).id))
        with clock.at(APRIL):
            await give_card(lotus["D"], has_invoice=True)
            payout = await ask(lotus["D"])
            await sent_batch()
            await record_result(result(payout, Outcome.PAID), MAKER)
        parts.append(await taken((await comes_back(bought, 1, at=APRIL + timedelta(hours=1))).id))
        assert parts == [
            {"D": ("pending", 33_333), "C": ("pending", 50_000), "B": ("pending", 66_667)},
            {"D": ("settled", 33_334), "C": ("settled", 50_000), "B": ("settled", 66_666)},
            {"D": ("settled", 33_333), "C": ("settled", 50_000), "B": ("settled", 66_667)},
        ]
        assert await balances() == {("D", "settled"): -33_333}
        assert await run_checks() == []


async def test_a_debt_is_written_off_by_two_people(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await _owes(lotus)
        money, second = finance(LOTUS), finance(LOTUS)
        command = RequestWriteOff(
            distributor_id=lotus["D"], amount_minor=6_000, reason="moved abroad", idempotency_key="w"
        )
        with pytest.raises(Forbidden):
            await request_write_off(command, staff())
        with pytest.raises(NothingOwed):
            await request_write_off(replace(command, amount_minor=10_001, idempotency_key="w2"), money)
        with pytest.raises(NothingOwed):
            await request_write_off(replace(command, distributor_id=lotus["C"], idempotency_key="w3"), money)
        asked = await request_write_off(command, money)
        assert await request_write_off(command, money) == asked
        also = await request_write_off(replace(command, idempotency_key="w4"), money)
        refused = await request_write_off(replace(command, idempotency_key="w5"), money)
        with pytest.raises(WriteOffNeedsSecondPerson):
            await approve_write_off(asked.id, money)
        assert (await balances())["D", "settled"] == -10_000
        assert (await approve_write_off(asked.id, second)).status == "approved"
        with pytest.raises(WrongState):
            await approve_write_off(asked.id, second)
        with pytest.raises(NothingOwed):
            await approve_write_off(also.id, second)
        assert (await reject_write_off(refused.id, second)).status == "rejected"
        assert (await balances())["D", "settled"] == -4_000
        assert await run_checks() == []


async def test_the_period_of_the_return_is_reduced_and_a_closed_one_stays(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        rebate = {"kind": "tiered_rebate", "key": "month", "bands": [{"from_minor": 0, "rate_bps": 1_000}]}
        await use(rebate)
        bought = await delivered(lotus["D"])
        with clock.at(APRIL):
            await close_period(_month("2026-03-01"), finance(LOTUS))
        await comes_back(bought, 2, at=APRIL)
        with clock.at(APRIL + timedelta(days=1)):
            await _sell_in_april(lotus["D"])
        with clock.at(MAY):
            await close_period(_month("2026-04-01"), finance(LOTUS))
        await comes_back(bought, 1, at=MAY)
        with clock.at(MAY + timedelta(days=31)):
            await close_period(_month("2026-05-01"), finance(LOTUS))
        rows = "SELECT CAST(a.period_from AS text), a.measured, a.amount_minor FROM award a JOIN distributor d "
        rows += "ON d.tenant_id = a.tenant_id AND d.id = a.distributor_id WHERE a.tenant_id = $1 AND d.code = 'D'"
        assert sorted(await table(rows)) == [
            ("2026-03-01", 10_000, 1_000),
            ("2026-04-01", 3_333, 333),
            ("2026-05-01", -3_333, 0),
        ]
        reviewed = await table("SELECT sum(orders) FROM sales_day WHERE tenant_id = $1")
        assert [int(str(row[0])) for row in reviewed] == [1]
        assert await run_checks() == []


def _month(day: str) -> ClosePeriod:
    return ClosePeriod(length="month", day=date.fromisoformat(day), idempotency_key=f"close {day}")


async def test_what_an_exit_forfeited_is_not_taken_back_again(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"])
        await comes_back(bought, 1)
        with clock.at(DELIVERED + timedelta(days=1)):
            why = QuoteExit(distributor_id=lotus["C"], kind=ExitKind.BREACH, reason="sold fakes", idempotency_key="x")
            case = await quote_exit(why, finance(LOTUS))
            await approve_exit(case.id, finance(LOTUS))
            await execute_exit(ExecuteExit(exit_id=case.id, idempotency_key="x"), finance(LOTUS))
        assert await balances() == {("D", "pending"): 667, ("B", "pending"): 1_333}
        back = await comes_back(bought, 2)
        assert await taken(back.id) == {"D": ("pending", 667), "B": ("pending", 1_333)}
        assert await balances() == {}
        assert await run_checks() == []


async def test_two_returns_of_the_last_piece(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"], quantity=1)
        line = await line_of(bought)
        with clock.at(DELIVERED + timedelta(days=1)):
            tries = [request_return(asks(bought, {line: 1}), staff()) for _ in range(8)]
            done = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, Rejected) for one in done) == 7
        assert await table("SELECT claimed FROM order_line WHERE tenant_id = $1 AND claimed > 0") == [(1,)]
        assert await run_checks() == []


async def test_the_goods_are_taken_in_once_however_many_try(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        case = await approved(await delivered(lotus["D"]), 1)
        tries = [receive(case, idempotency_key=f"key-{n % 4}") for n in range(8)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(one, WrongState) for one in done) <= 6
        assert await balances() == {("D", "pending"): 667, ("C", "pending"): 1_000, ("B", "pending"): 1_333}
        assert await run_checks() == []


async def test_returns_beside_a_release_and_a_settlement(db: Database) -> None:
    """Whoever comes first: nothing is released or settled that came back, and nothing is taken back twice."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        cases = [await approved(await delivered(lotus["D"]), 1, at=AFTER_HOLD) for _ in range(4)]
        with clock.at(APRIL):
            steps = [receive(case, at=APRIL) for case in cases]
            await asyncio.gather(*steps[:2], release_due(staff()), *steps[2:], settle(LOTUS))
        found = await balances()
        assert {code: sum(int(str(v)) for (c, _), v in found.items() if c == code) for code in "BCD"} == {
            "B": 4 * 1_333,
            "C": 4 * 1_000,
            "D": 4 * 667,
        }
        assert await run_checks() == []


@pytest.mark.parametrize("pieces", [1, 2, 3, 7])
@given(whole=st.integers(0, 10**9), data=st.data())
def test_parts_in_any_number_add_up(pieces: int, whole: int, data: st.DataObject) -> None:
    at, total = 0, 0
    while at < pieces:
        step = data.draw(st.integers(1, pieces - at))
        part = part_back(whole, at + step, pieces) - part_back(whole, at, pieces)
        assert part >= 0
        at, total = at + step, total + part
    assert total == whole


_WHEN = st.sampled_from(["held", "released", "settled"])


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    amount=st.integers(1_000, 999_999),
    parts=st.lists(st.tuples(st.integers(1, 3), _WHEN), min_size=1, max_size=4),
)
async def test_in_any_order_and_at_any_time_the_parts_are_the_whole(
    db: Database, amount: int, parts: list[tuple[int, str]]
) -> None:
    """Of every beneficiary, wherever the money was by then; all back is nothing left of anything."""
    tenant = await new_brand()
    with as_tenant(tenant):
        await use_program("lotus", applicant_review="automatic", depth_limit=None, level_names=[])
        await put_products([PutProduct(sku="PLAIN", name="Plain")], staff())
        ids = await plant(CHAIN)
        pieces = sum(quantity for quantity, _ in parts)
        bought = await delivered(ids["D"], amount, pieces)
        rank = {"held": 0, "released": 1, "settled": 2}
        reached, moments = 0, (DELIVERED + timedelta(days=1), AFTER_HOLD, APRIL)
        for quantity, when in sorted(parts, key=lambda part: rank[part[1]]):
            while reached < rank[when]:
                reached += 1
                if reached == 1:
                    with clock.at(AFTER_HOLD):
                        await release_due(staff())
                else:
                    await settle(tenant)
            await comes_back(bought, quantity, at=moments[reached])
            assert await run_checks() == []
        assert await balances() == {}
        left = await table("SELECT sum(amount_minor - reversed_minor) FROM commission WHERE tenant_id = $1")
        assert int(str(left[0][0])) == 0
