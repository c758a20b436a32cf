"""Returns (docs/rules.md §4): who may send what back when, and what it takes back of whom."""

from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError, IdempotencyConflict, NotFound, Rejected, WrongState
from saas.base.paging import PageRequest
from saas.ledger.checks import run_checks
from saas.orders.commands import place_order
from saas.returns.commands import (
    RefundReturn,
    approve_return,
    exchange_return,
    refund_return,
    reject_return,
    request_return,
    withdraw_return,
)
from saas.returns.errors import ExchangeGiven, ExchangeOfOther, FreightTooMuch, NothingToReturn
from saas.returns.queries import ReturnFilter, lines_of, open_returns, return_by_id, returns
from saas.returns.rules import ReturnState
from saas.settlement.commands import release_due
from tenants.actors import system
from tenants.program import as_data
from tenants.program.versions import SaveDraft, activate, active_program, save_draft
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, staff
from tests.orders.facts_world import EAST, WEST, counted, earned, pieces, regions, sells, table_of_sales, use
from tests.orders.world import balances, order, paid, sold, table, two_shops
from tests.returns.world import (
    AFTER_HOLD,
    DELIVERED,
    approved,
    asks,
    comes_back,
    delivered,
    finance,
    line_of,
    receive,
    taken,
)

SOON = DELIVERED + timedelta(days=1)


async def test_case_4_three_pieces_one_by_one_take_back_the_whole_of_everybody(db: Database) -> None:
    """10.00 on 3 pieces goes back as 3.33, 3.34, 3.33, and 15.00 and 20.00 beside it."""
    lotus, cedar = await two_shops()
    with as_tenant(CEDAR):
        await delivered(cedar["D"])
        untouched = await balances()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"])
        assert await balances() == {("D", "pending"): 1_000, ("C", "pending"): 1_500, ("B", "pending"): 2_000}
        parts = []
        for _ in range(3):
            back = await comes_back(bought, 1)
            parts.append((await taken(back.id), back.goods_minor, back.whole))
            assert await run_checks() == []
        assert parts == [
            ({"D": ("pending", 333), "C": ("pending", 500), "B": ("pending", 667)}, 3_333, False),
            ({"D": ("pending", 334), "C": ("pending", 500), "B": ("pending", 666)}, 3_334, False),
            ({"D": ("pending", 333), "C": ("pending", 500), "B": ("pending", 667)}, 3_333, True),
        ]
        assert await balances() == {}
        rows = "SELECT DISTINCT status, amount_minor - reversed_minor FROM commission WHERE tenant_id = $1"
        assert await table(f"{rows} AND amount_minor > 0") == [("reversed", 0)]
    with as_tenant(CEDAR):
        assert await balances() == untouched


async def test_only_the_rest_is_released_and_what_is_available_is_taken_from_there(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"])
        await comes_back(bought, 1)
        with clock.at(AFTER_HOLD):
            await release_due(staff())
        assert await balances() == {("D", "available"): 667, ("C", "available"): 1_000, ("B", "available"): 1_333}
        back = await comes_back(bought, 2, at=AFTER_HOLD)
        assert await taken(back.id) == {
            "D": ("available", 667),
            "C": ("available", 1_000),
            "B": ("available", 1_333),
        }
        assert await balances() == {}
        assert await run_checks() == []


async def test_a_released_order_that_came_back_whole_before_is_not_released(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await comes_back(await delivered(lotus["D"]))
        with clock.at(AFTER_HOLD):
            assert await release_due(staff()) == 0
        assert await balances() == {}


async def test_a_lead_goes_back_with_its_partner_and_the_sales_of_the_day_are_less(db: Database) -> None:
    """3.8: both parts of the commission, and the region's half of the amount."""
    await two_shops()
    with as_tenant(LOTUS):
        await use({"key": "levels", "kind": "level_table", "levels": [{"rate_bps": 1_000}]}, cross_region_lead={})
        ids = await regions(EA=EAST, WE=WEST)
        bought = await delivered(ids["EA"], 100_011, region=WEST)
        assert await balances() == {("EA", "pending"): 3_000, ("WE", "pending"): 7_001}
        assert await table_of_sales() == {"EA": (1, 3, 50_005), "WE": (0, 0, 50_006)}
        first = await comes_back(bought, 2, at=SOON)
        assert await taken(first.id) == {"EA": ("pending", 2_000), "WE": ("pending", 4_667)}
        days = "SELECT d.code, s.day, s.orders, s.pieces, s.amount_minor FROM sales_day s JOIN distributor d "
        days += (
            "ON d.tenant_id = s.tenant_id AND d.id = s.distributor_id WHERE s.tenant_id = $1 AND s.day > '2026-03-10'"
        )
        assert {code: rest for code, _, *rest in await table(days)} == {
            "EA": [0, -2, -33_337],
            "WE": [0, 0, -33_337],
        }
        await comes_back(bought, 1, at=SOON)
        totals = await table(
            "SELECT sum(orders), sum(pieces), sum(amount_minor) FROM sales_day WHERE tenant_id = $1 "
            "GROUP BY distributor_id"
        )
        assert [[int(str(value)) for value in row] for row in totals] == [[0, 0, 0], [0, 0, 0]]
        assert await balances() == {}
        assert await run_checks() == []


async def test_pieces_that_came_back_lift_nobody(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces())
        bought = await delivered(lotus["D"], 280_000, 28)
        await comes_back(bought, 8, at=SOON)
        assert await counted() == {}
        assert await earned(await sells(lotus["D"], 12)) == [12 * 2_000 + 2 * 200]
        assert await counted() == {("D", "pieces", "2026-03-01"): 32}


async def test_what_can_be_asked_for(db: Database) -> None:
    lotus, cedar = await two_shops()
    with as_tenant(CEDAR):
        foreign = await delivered(cedar["D"])
        foreign_line = await line_of(foreign)
    with as_tenant(LOTUS):
        waiting = await paid(lotus["D"])
        bought = await delivered(lotus["D"])
        line = await line_of(bought)
        with clock.at(SOON):
            for asked, error, field in (
                (asks(foreign), NotFound, "input.orderId"),
                (asks(waiting), WrongState, "input.orderId"),
            ):
                with pytest.raises(error) as refused:
                    await request_return(asked, staff())
                assert refused.value.field == field
            with pytest.raises(Rejected) as many:
                await request_return(asks(bought, {line: 4, foreign_line: 1}), staff())
            assert [(one.code, one.field) for one in many.value.errors] == [
                ("RETURN_TOO_MANY", "input.lines[0].quantity"),
                ("NOT_FOUND", "input.lines[1].lineId"),
            ]
            with pytest.raises(NotFound):
                await request_return(asks(bought), distributor(lotus["C"]))
            own = await request_return(asks(bought, {line: 2}), distributor(lotus["D"]))
            with pytest.raises(Rejected, match="RETURN_TOO_MANY"):
                await request_return(asks(bought, {line: 2}), staff())
            rest = await request_return(asks(bought), staff())
            assert [one.quantity for one in (await lines_of([rest.id]))[rest.id]] == [1]
            with pytest.raises(NothingToReturn):
                await request_return(asks(bought), staff())
            with pytest.raises(NotFound):
                await withdraw_return(own.id, distributor(lotus["C"]))
            assert (await withdraw_return(own.id, distributor(lotus["D"]))).status is ReturnState.WITHDRAWN
            await reject_return(rest.id, "not ours", staff())
            assert await open_returns(lotus["D"]) == 0
            everything = await request_return(asks(bought), staff())
        assert [one.quantity for one in (await lines_of([everything.id]))[everything.id]] == [3]
        assert await open_returns(lotus["D"]) == 1
        page = await returns(PageRequest(2), ReturnFilter(seller_id=lotus["D"]))
        assert [one.id for one in page.items] == [everything.id, rest.id] and page.has_next
        assert await run_checks() == []


async def test_after_the_window_only_the_brand_and_with_a_reason(db: Database) -> None:
    """Seven days of 24 hours from delivery: the last microsecond counts, the very end does not."""
    lotus, _ = await two_shops()
    end = DELIVERED + timedelta(days=7)
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"])
        line = await line_of(bought)
        with clock.at(end - timedelta.resolution):
            await request_return(asks(bought, {line: 1}), distributor(lotus["D"]))
        with clock.at(end):
            with pytest.raises(Rejected) as late:
                await request_return(asks(bought, {line: 1}), distributor(lotus["D"]))
            assert [(one.code, one.field) for one in late.value.errors] == [
                ("RETURN_WINDOW_OVER", "input.lines[0].lineId")
            ]
            with pytest.raises(DomainError) as forbidden:
                await request_return(asks(bought, {line: 1}, override_reason="please"), distributor(lotus["D"]))
            assert forbidden.value.field == "input.overrideReason"
            kind = await request_return(asks(bought, {line: 1}, override_reason="regular customer"), staff())
        assert kind.override_reason == "regular customer"


async def test_4_a_product_may_have_a_window_of_its_own(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        with clock.at(DELIVERED - timedelta(days=9)):
            data = as_data((await active_program()).program)
            terms: dict[str, Any] = {"window_days": 7, "products": {"PLAIN": 2, "LOTUS-CREAM": 30}}
            owner = system(LOTUS, "test")
            saved = await save_draft(SaveDraft(document={**data, "returns": terms}), owner)
            await activate(saved.version.number, owner)
        bought = {sku: await delivered(lotus["D"], 19_800, 1, sku=sku) for sku in ("PLAIN", "LOTUS-CREAM")}
        for sku, days in terms["products"].items():
            with clock.at(DELIVERED + timedelta(days=days)), pytest.raises(Rejected, match="RETURN_WINDOW_OVER"):
                await request_return(asks(bought[sku]), staff())
            with clock.at(DELIVERED + timedelta(days=days) - timedelta.resolution):
                await request_return(asks(bought[sku]), staff())


async def test_steps_follow_one_another_and_keys_do_things_once(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"], freight_minor=1_000)
        with clock.at(SOON):
            command = asks(bought)
            asked = await request_return(command, staff())
            assert (await request_return(command, staff())).id == asked.id
            with pytest.raises(IdempotencyConflict):
                await request_return(asks(bought, reason="other", idempotency_key=command.idempotency_key), staff())
        with pytest.raises(WrongState):
            await receive(asked.id)
        await approve_return(asked.id, staff())
        with pytest.raises(WrongState):
            await approve_return(asked.id, staff())
        first = await receive(asked.id)
        before = await balances()
        assert await receive(asked.id) == first
        assert await balances() == before
        with pytest.raises(WrongState):
            await receive(asked.id, idempotency_key="again")
        with pytest.raises(WrongState):
            await withdraw_return(asked.id, staff())
        money = finance(LOTUS)
        with pytest.raises(FreightTooMuch):
            await refund_return(RefundReturn(return_id=asked.id, freight_minor=1_001, idempotency_key="r0"), money)
        refund = RefundReturn(return_id=asked.id, freight_minor=400, idempotency_key="r1")
        done = await refund_return(refund, money)
        assert (done.status, done.refunded_minor, done.freight_minor) == (ReturnState.REFUNDED, 10_400, 400)
        assert await refund_return(refund, money) == done
        assert await table("SELECT refunded_freight_minor FROM sales_order WHERE tenant_id = $1") == [(400,)]
        assert await run_checks() == []


async def test_an_exchange_is_set_off_against_the_refund(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"])
        case = await approved(bought, 2)
        with clock.at(SOON):
            new = await place_order(order(lotus["D"], amount_minor=5_000), staff())
            others = await place_order(order(lotus["C"], amount_minor=5_000), staff())
            with pytest.raises(ExchangeOfOther):
                await exchange_return(case, others, staff())
            assert (await exchange_return(case, new, staff())).exchange_order_id == new
            assert (await exchange_return(case, new, staff())).exchange_order_id == new
            another = await approved(bought, 1)
            with pytest.raises(ExchangeGiven):
                await exchange_return(another, new, staff())
        assert (await receive(case, sellable=False)).sellable is False
        done = await refund_return(RefundReturn(return_id=case, idempotency_key="r"), finance(LOTUS))
        assert (done.goods_minor, done.refunded_minor) == (6_667, 1_667)
        assert (await return_by_id(case)).exchange_order_id == new


async def test_the_day_of_the_return_is_less_not_the_day_of_the_sale(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        bought = await delivered(lotus["D"])
        before = await sold()
        await comes_back(bought, at=SOON)
        assert await sold() == {**before, ("D", "2026-03-13"): (-1, -3, -10_000)}
