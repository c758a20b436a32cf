"""Pieces with volume when orders of the period are undone (docs/rules.md §3.2): what stands never exceeds the rule."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.ids import DistributorId, OrderId
from saas.orders.commands import cancel
from tests.factories import LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.facts_world import pieces, use
from tests.orders.world import NOON, balances, paid, step, two_shops
from tests.returns.world import comes_back, delivered

Undo = Callable[[OrderId], Awaitable[object]]


async def cancelled(order_id: OrderId) -> None:
    """The whole order is cancelled before it was shipped."""
    with clock.at(NOON + timedelta(hours=2)):
        await cancel(step(order_id), staff())


async def standing(code: str = "D") -> object:
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
