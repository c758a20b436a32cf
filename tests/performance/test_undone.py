"""Orders that are undone after their period is over: it keeps its figures, and a later one is less by them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.orders.commands import cancel, pay, place_order
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.facts_world import WEST, regions
from tests.orders.world import order, step
from tests.performance.world import APRIL, REBATE, TARGET, awards, close_march, paid, sold, two_brands

MAY = datetime(2026, 4, 30, 16, tzinfo=UTC)
OWN = {**REBATE, "measure": "own_sales"}
PIECES = {**TARGET, "key": "pieces", "measure": "pieces", "targets": [{"at_least": 4, "bonus_minor": 100}]}
ORDERS = {**TARGET, "key": "orders", "measure": "orders", "targets": [{"at_least": 2, "bonus_minor": 10}]}
TEA = {**OWN, "key": "tea", "only": {"categories": ["tea"]}, "effective_from": "2026-03-10"}


async def close_april() -> None:
    await close_march(at=MAY, key="april", day=date(2026, 4, 1))


@pytest.mark.parametrize("closed_before", [True, False])
async def test_an_order_that_is_cancelled_after_its_period_is_taken_off_the_period_of_its_cancellation(
    db: Database, closed_before: bool
) -> None:
    """Whenever the period of the sale is closed, so its figures can be had again at any time."""
    codes = await two_brands(REBATE, OWN | {"key": "own"}, PIECES, ORDERS, TEA)
    march = {
        ("rebate", "A"): 45_000,
        ("rebate", "B"): 45_000,
        ("rebate", "D"): 45_000,
        ("own", "D"): 45_000,
        ("tea", "D"): 40_000,
        ("pieces", "D"): 100,
        ("orders", "D"): 10,
    }
    april = {key: amount - 40_000 for key, amount in march.items() if key[0] in {"rebate", "own", "tea"}}
    with as_tenant(LOTUS):
        gone = await sold(codes["D"], 800_000, pieces=3)
        await sold(codes["D"], 100_000, sku="CAKE", day=9)
        if closed_before:
            await close_march()
            assert await paid(codes) == march
        with clock.at(APRIL):
            await cancel(step(gone, at=APRIL - timedelta(days=1)), staff())
        with clock.at(APRIL + timedelta(days=3)):
            now = clock.now()
            await place_order(order(codes["D"], "CAKE", 900_000, quantity=6, paid_at=now), staff())
            await place_order(order(codes["D"], "TEA", 800_000, paid_at=now), staff())
        if not closed_before:
            await close_march()
            assert await paid(codes) == march
        await close_april()
        found = await paid(codes, day=date(2026, 4, 1))
        assert found == {**{key: 45_000 for key in april if key[0] != "tea"}, ("pieces", "D"): 100}
        measured = {one.component: one.measured for one in await awards(day=date(2026, 4, 1)) if one.tier}
        assert (measured["own"], measured["pieces"], measured["orders"]) == (900_000, 4, 1)
        assert "tea" not in measured, "800.00 less 800.00"
    with as_tenant(CEDAR):
        await close_march()
        await close_april()
        assert await awards(day=date(2026, 4, 1)) == []


async def test_a_partners_part_of_a_cancelled_order_is_taken_off_the_partner(db: Database) -> None:
    codes = await two_brands(OWN, territory={"regions": "shared", "cross_region_lead": {}})
    with as_tenant(LOTUS):
        codes |= await regions(WE=WEST)
        gone = await sold(codes["D"], 200_000, region=WEST)
        await close_march()
        assert await paid(codes) == {("rebate", "D"): 5_000, ("rebate", "WE"): 5_000}
        with clock.at(APRIL + timedelta(days=3)):
            await cancel(step(gone), staff())
            for code in ("D", "WE"):
                await place_order(order(codes[code], "TEA", 300_000, paid_at=clock.now()), staff())
        await close_april()
        assert await paid(codes, day=date(2026, 4, 1)) == {("rebate", "D"): 10_000, ("rebate", "WE"): 10_000}


async def test_an_unpaid_order_that_is_cancelled_takes_nothing_off(db: Database) -> None:
    codes = await two_brands(OWN)
    with as_tenant(LOTUS):
        never = await sold(codes["D"], 500_000, paid_at=None)
        late = await sold(codes["D"], 100_000, paid_at=None)
        with clock.at(APRIL + timedelta(days=1)):
            await cancel(step(never), staff())
            await pay(step(late), staff())
        with clock.at(APRIL + timedelta(days=2)):
            await cancel(step(late), staff())
            await place_order(order(codes["D"], "TEA", 200_000, paid_at=clock.now()), staff())
        await close_april()
        assert await paid(codes, day=date(2026, 4, 1)) == {("rebate", "D"): 10_000}
