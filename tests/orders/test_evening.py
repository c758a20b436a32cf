"""Pieces with volume when orders of the period are undone (docs/rules.md §3.2): what stands never exceeds the rule."""

import asyncio
from asyncio import Task, create_task
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.ids import DistributorId, OrderId
from saas.commissions.explain import explain
from saas.commissions.queries import of_orders
from saas.orders.checks import lifts_within_pieces
from saas.orders.commands import cancel, place_order, preview_orders
from saas.proof.checks import broken
from saas.settlement.commands import release_due
from saas.simulation.recompute import recompute
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.facts_world import LEVELS, WEST, earned, pieces, regions, use
from tests.orders.world import NOON, balances, order, paid, step, table, two_shops
from tests.returns.world import AFTER_HOLD, APRIL, DELIVERED, approved, comes_back, delivered, receive, settle

MAY = APRIL + timedelta(days=30)
Undo = Callable[[OrderId], Awaitable[object]]


async def cancelled(order_id: OrderId) -> None:
    """The whole order is cancelled before it was shipped."""
    with clock.at(NOON + timedelta(hours=2)):
        await cancel(step(order_id), staff())


async def standing(code: str = "D") -> int:
    """What a seller has of its commission, wherever the money is."""
    return sum(int(str(amount)) for (owner, _), amount in (await balances()).items() if owner == code)


async def sold(undo: Undo, seller: DistributorId, quantity: int, **changes: Any) -> OrderId:
    """An order of so many pieces at 1,000.00, which no limit reduces, ready to be undone."""
    sell = paid if undo is cancelled else delivered
    return await sell(seller, 100_000 * quantity, quantity=quantity, **changes)


@pytest.mark.parametrize("applies", ["MARGINAL", "WHOLE"])
@pytest.mark.parametrize("undo", [cancelled, comes_back])
async def test_case_3_2_to_pass_the_bound_and_undo_it_again_and_again_pays_the_lift_of_what_stands(
    db: Database, undo: Undo, applies: str
) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(applies=applies))
        for kept in range(3):
            passing = await sold(undo, lotus["D"], 30 - kept)
            await sold(undo, lotus["D"], 1)
            lift = 31 * 200 if applies == "WHOLE" else 200
            assert await standing() == 31 * 2_000 + lift
            await undo(passing)
            assert await standing() == (kept + 1) * 2_000, "one piece a round stands, and no lift"


async def test_case_3_2_what_is_evened_is_taken_from_where_the_money_is(db: Database) -> None:
    """Of three lifted orders one is settled, one available and one pending: the newest loses first."""
    lotus, cedar = await two_shops()
    with as_tenant(CEDAR):
        await use(pieces())
        await sold(comes_back, cedar["D"], 40)
        others = await balances()
    with as_tenant(LOTUS):
        await use(pieces(period="quarter"))
        first = await sold(comes_back, lotus["D"], 30)
        await sold(comes_back, lotus["D"], 2)
        await settle(LOTUS)
        statements = await table("SELECT * FROM statement WHERE tenant_id = $1")
        await sold(comes_back, lotus["D"], 3, paid_at=NOON + timedelta(minutes=1))
        with clock.at(AFTER_HOLD):
            await release_due(staff())
        await sold(cancelled, lotus["D"], 4, paid_at=NOON + timedelta(minutes=2))
        assert await balances() == {
            ("D", "settled"): 32 * 2_000 + 400,
            ("D", "available"): 3 * 2_200,
            ("D", "pending"): 4 * 2_200,
        }
        await comes_back(first, 5, at=APRIL)
        assert await balances() == {
            ("D", "settled"): 27 * 2_000 + 400,
            ("D", "available"): 3 * 2_200 - 200,
            ("D", "pending"): 4 * 2_000,
        }
        await comes_back(first, 3, at=APRIL)
        assert await balances() == {
            ("D", "settled"): 24 * 2_000 + 200,
            ("D", "available"): 3 * 2_000,
            ("D", "pending"): 4 * 2_000,
        }
        await comes_back(first, at=APRIL)
        assert (await balances())["D", "settled"] == 2 * 2_000
        assert await table("SELECT * FROM statement WHERE tenant_id = $1") == statements, "a closed one never changes"
        await settle(LOTUS, MAY)
        (april,) = await table(
            "SELECT opening_minor, commission_minor, adjustment_minor, closing_minor FROM statement "
            "WHERE tenant_id = $1 ORDER BY created_at DESC LIMIT 1"
        )
        assert april == (64_400, 6_000, -60_400, 10_000)
        assert await broken() == []
        assert (await recompute("2026-03")).differences == []
    with as_tenant(CEDAR):
        assert await balances() == others


async def test_case_3_2_parts_of_an_evened_order_add_up_to_exactly_its_whole(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(applies="WHOLE"))
        first = await sold(comes_back, lotus["D"], 28)
        second = await sold(comes_back, lotus["D"], 7)
        assert await earned(second) == [14_000 + 7_000]
        await comes_back(second, 1)
        assert await standing() == 28 * 2_000 + 6 * 3_000, "at the rate of the sale: 30.00 a piece"
        await comes_back(first, 4)
        assert await standing() == 24 * 2_000 + 6 * 2_000, "30 pieces are not above the bound: 60.00 are evened"
        for left in (5, 4, 3, 2, 1, 0):
            await comes_back(second, 1)
            assert await standing() == (24 + left) * 2_000
        await comes_back(first)
        assert await standing() == 0
        assert await broken() == []


async def test_case_3_2_the_next_order_makes_up_for_what_is_open(db: Database) -> None:
    """By the rate of the sale more went back than the rule takes for one piece of 35; it shows in the next order."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(applies="WHOLE"), commission={"self_purchase_pays_seller": False})
        await sold(comes_back, lotus["D"], 28)
        second = await sold(comes_back, lotus["D"], 7)
        await comes_back(second, 1)
        assert await standing() == 34 * 2_000 + 6_000, "the rule brings 68.00 of lift, 60.00 stand"
        own = await sold(comes_back, lotus["D"], 1, self_purchase=True)
        assert await earned(own) == [0], "who is not paid makes up for nothing"
        with clock.at(NOON):
            (verdict,) = await preview_orders([order(lotus["D"], amount_minor=100_000, paid_at=NOON)], staff())
        assert verdict.accrual is not None
        assert list(verdict.accrual.earned.values()) == [2_200 + 800]
        last = await sold(comes_back, lotus["D"], 1)
        (view,) = (await of_orders([last]))[last]
        assert (view.share.amount_minor, view.share.detail) == (3_000, (35, 36, 200, -35, 200, 800))
        number = view.program_number
        english, chinese = (explain(view.share, to, program_number=number, currency="CNY") for to in ("en", "zh-CN"))
        assert "1 × CN¥20.00 + 36 × CN¥2.00 − 35 × CN¥2.00 + CN¥8.00 for pieces before = CN¥30.00" in english
        assert "1 × ¥20.00 + 36 × ¥2.00 − 35 × ¥2.00 + ¥8.00（补足此前件数） = ¥30.00" in chinese
        assert await earned(await sold(comes_back, lotus["D"], 1)) == [2_200], "it is made up for once"
        await settle(LOTUS)
        assert (await recompute("2026-03")).differences == []


def plain(price: dict[str, object]) -> dict[str, object]:
    """Fixed amounts."""
    return {"kind": "fixed_per_product", "key": "fixed", "products": price}


async def test_case_3_2_shares_that_were_reduced_or_shared_lose_their_part_and_unpaid_ones_nothing(
    db: Database,
) -> None:
    """The cap leaves 210.00 of what the lifted order brings, shared 30 : 70 with the distributor of the west."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(), plain({"CEDAR-CAKE": [100]}), commission={"cap_bps": 1_000}, cross_region_lead={})
        await regions(WE=WEST)
        first = await delivered(lotus["D"], 10**7, quantity=30)
        shared = await delivered(lotus["D"], 210_000, quantity=10, region=WEST)
        assert await earned(shared) == [6_300, 14_700], "210.00 of 200.00 + 20.00 of lift, and shared"
        fixed = await delivered(lotus["D"], 10**6, quantity=10, sku="CEDAR-CAKE")
        assert await earned(fixed) == [1_000, 0]
        own = await sold(comes_back, lotus["D"], 10, self_purchase=True)
        assert await earned(own) == [20_000 + 2_000]
        await comes_back(first, 12)
        assert await standing() == 18 * 2_000 + 6_300 + 1_000 + 20_000, (
            "own loses 20.00, the fixed one its 4.00 of none"
        )
        await comes_back(first, 17)
        assert await standing() == 2_000 + 6_060 + 1_000 + 20_000, "202.00 are left, 8.00 less than were paid"
        assert await standing("WE") == 14_140
        await comes_back(first, 1)
        assert (await standing(), await standing("WE")) == (6_000 + 1_000 + 20_000, 14_000)
        assert await broken() == []
        for order_id in (shared, fixed, own):
            await comes_back(order_id)
        assert (await standing(), await standing("WE")) == (0, 0)
        assert await broken() == []


@pytest.mark.parametrize("undo", [cancelled, comes_back])
async def test_case_3_2_a_limit_that_the_pieces_left_do_not_reach_takes_nothing_of_what_they_bring(
    db: Database, undo: Undo
) -> None:
    """All 31 pieces are lifted by the last, which the cap allows 50.00 of its 82.00; alone it brings 20.00."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(applies="WHOLE"), commission={"cap_bps": 5_000})
        sell = paid if undo is cancelled else delivered
        first = await sell(lotus["D"], 300_000, quantity=30)
        last = await sell(lotus["D"], 10_000, quantity=1)
        assert await earned(last) == [5_000]
        await undo(first)
        assert await standing() == 2_000
        assert await broken() == []
        await undo(last)
        assert await standing() == 0
        assert await broken() == []


async def test_case_3_2_a_limit_that_still_holds_is_applied_to_what_the_pieces_left_bring(db: Database) -> None:
    """Of 126.00 for three pieces and 120.00 for the sponsor 150.00 are paid; two pieces are left, and no lift."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        sponsor = {**LEVELS, "levels": [{"rate_bps": 0}, {"rate_bps": 4_000}]}
        await use(pieces(applies="WHOLE"), sponsor, commission={"cap_bps": 5_000})
        first = await delivered(lotus["D"], 300_000, quantity=30)
        last = await delivered(lotus["D"], 30_000, quantity=3)
        assert sorted(await earned(last)) == [0, 7_317, 7_683]
        await settle(LOTUS)
        before = await standing()
        await comes_back(last, 1, at=APRIL)
        assert await standing() == before - 2_561, "a third"
        await comes_back(first, at=APRIL)
        assert await standing() == 3_333, "40.00 and 80.00 for the sponsor under 100.00"
        assert await broken() == []
        await comes_back(last, at=APRIL)
        assert (await standing(), await standing("C")) == (0, 0)
        assert await broken() == []


async def test_case_3_2_a_new_version_never_pays_old_pieces_again_and_each_version_is_evened(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces())
        first = await sold(comes_back, lotus["D"], 28)
        second = await sold(comes_back, lotus["D"], 5)
        await use(pieces(bands=[{"above_pieces": 33, "extra_minor": 500}]), at=NOON)
        with clock.at(NOON + timedelta(hours=2)):
            third = await place_order(order(lotus["D"], amount_minor=10**6, quantity=4, paid_at=NOON), staff())
        assert [await earned(one) for one in (second, third)] == [[10_600], [4 * 2_500]]
        await use(LEVELS, at=NOON + timedelta(hours=3))
        await comes_back(first, 2)
        assert await standing() == 26 * 2_000 + 5 * 2_000 + 200 + 4 * 2_000 + 2 * 500
        await comes_back(first)
        assert await standing() == 9 * 2_000
        assert await broken() == []
        await use(pieces(), at=DELIVERED + timedelta(days=2))
        with clock.at(DELIVERED + timedelta(days=3)):
            more = order(lotus["D"], amount_minor=10**7, quantity=23, paid_at=DELIVERED + timedelta(days=3))
            assert await earned(await place_order(more, staff())) == [23 * 2_000 + 2 * 200]
        assert await broken() == []


async def test_undone_orders_payments_and_settlements_at_once_leave_what_the_rule_gives(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces())
        back = [await approved(await sold(comes_back, lotus["D"], 10), quantity) for quantity in (10, 3, 7, 10)]
        gone = [await sold(cancelled, lotus["D"], 5) for _ in range(3)]
        with clock.at(APRIL):
            tasks: list[Task[object]] = [create_task(receive(return_id, at=APRIL)) for return_id in back]
            tasks += [create_task(cancelled(order_id)) for order_id in gone]
            tasks += [create_task(sold(cancelled, lotus["D"], 9)) for _ in range(3)]
            tasks += [create_task(release_due(staff())), create_task(settle(LOTUS))]
            await asyncio.gather(*tasks)
        left = 40 - 30 + 27
        assert await standing() == left * 2_000 + (left - 30) * 200
        assert await broken() == []


@pytest.mark.unsound
async def test_the_books_tell_lifts_beyond_the_pieces_and_counters_that_are_not_so(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces())
        first = await sold(cancelled, lotus["D"], 30)
        await sold(cancelled, lotus["D"], 5)
        await cancelled(first)
        await sold(cancelled, lotus["D"], 3)
        assert await lifts_within_pieces() == []
        async with transaction() as tx:
            await tx.execute("UPDATE period_volume SET pieces = pieces + 1 WHERE tenant_id = $1", tx.tenant_id)
            await tx.execute(
                "UPDATE commission SET reversed_minor = 999 WHERE tenant_id = $1 AND evened_minor > 0", tx.tenant_id
            )
        found = {
            (one.check.removeprefix("lifts_within_pieces_"), one.expected, one.actual)
            for one in await lifts_within_pieces()
        }
        assert found == {("pieces", 8, 9), ("lost", 1_000, 999)}
        async with transaction() as tx:
            await tx.execute("UPDATE commission SET evened_minor = NULL WHERE tenant_id = $1", tx.tenant_id)
        assert {(one.expected, one.actual) for one in await lifts_within_pieces()} >= {(0, 1_000)}
