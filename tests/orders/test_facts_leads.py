"""Cross-region leads (docs/rules.md §3.8): whom a sale is shared with, and what each gets of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import Rejected
from saas.base.ids import DistributorId
from saas.network.commands import enrol_many, suspend
from saas.orders.commands import cancel, pay, place_order, place_orders
from saas.orders.queries import order as read
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import T0, distributor, request, staff
from tests.orders.facts_world import EAST, LEVELS, NORTH, WEST, earned, partners, regions, table_of_sales, use
from tests.orders.world import NOON, balances, everything, explained, order, paid, step, two_shops

ONE_LEVEL: Mapping[str, object] = {"key": "levels", "kind": "level_table", "levels": [{"rate_bps": 1_000}]}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
async def test_case_3_8_a_lead_is_shared_with_the_customers_region(db: Database, named: bool, at_once: bool) -> None:
    """100.00 of commission → 30.00 / 70.00, and half of the amount is the region's performance."""
    await two_shops()
    with as_tenant(LOTUS):
        await use(ONE_LEVEL, cross_region_lead={})
        ids = await regions(EA=EAST, WE=WEST, NO=NORTH)
        asked = order(
            ids["EA"], amount_minor=100_011, quantity=3, region=WEST, served_by_id=ids["WE"] if named else None
        )
        if at_once:
            id_ = await paid(ids["EA"], 100_011, quantity=3, region=WEST, served_by_id=asked.served_by_id)
        else:
            with clock.at(NOON):
                id_ = await place_order(asked, staff())
                assert [code for _, code in await partners()] == (["WE"] if named else [])
                await pay(step(id_), staff())
        assert (await read(id_)).served_by_id == ids["WE"]
        assert await balances() == {("EA", "pending"): 3_000, ("WE", "pending"): 7_001}
        assert await table_of_sales() == {"EA": (1, 3, 50_005), "WE": (0, 0, 50_006)}
        again = [(one.share.beneficiary_id, one.share.component) for one in await explained(id_)]
        assert sorted(component for _, component in again) == ["levels", "levels/lead"]
        await cancel(step(id_), staff())
        assert await balances() == {}
        assert await table_of_sales() == {"EA": (0, 0, 0), "WE": (0, 0, 0)}


async def test_case_3_8_who_serves_a_region_is_found_where_it_is_clear(db: Database) -> None:
    await two_shops()
    with as_tenant(CEDAR):
        await use(ONE_LEVEL, cross_region_lead={})
        await regions(EA=EAST, XX=NORTH)
    with as_tenant(LOTUS):
        await use(ONE_LEVEL, cross_region_lead={})
        ids = await regions(EA=EAST, EB=EAST, WE=WEST, N1=NORTH, N2=NORTH, NN=None)
        asked: dict[str, dict[str, Any]] = {
            "own": {"region": EAST},
            "west": {"region": WEST},
            "two": {"region": NORTH},
            "none": {"region": "440000"},
            "unsaid": {},
            "self": {"region": WEST, "self_purchase": True},
            "named": {"served_by_id": ids["N2"]},
        }
        with clock.at(NOON):
            many = [order(ids["EA"], number=name, paid_at=NOON, **changes) for name, changes in asked.items()]
            many += [order(ids["NN"], number="rover", region=WEST, paid_at=NOON)]
            many += [order(ids["WE"], number="home", region=WEST, paid_at=NOON)]
            assert all(verdict.order_id for verdict in await place_orders(many, staff()))
        assert await partners() == [("named", "N2"), ("rover", "WE"), ("west", "WE")]
        await suspend(ids["N1"], "test", staff())
        waiting = await place_order(order(ids["EA"], number="two-later", region=NORTH), staff())
        await pay(step(waiting), staff())
        assert ("two-later", "N2") in await partners()
        assert "XX" not in {code for _, code in await partners()}


async def test_a_partner_who_left_off_earns_nothing_and_a_program_without_leads_shares_none(db: Database) -> None:
    await two_shops()
    with as_tenant(LOTUS):
        await use(ONE_LEVEL, cross_region_lead={})
        ids = await regions(EA=EAST, WE=WEST)
        first, second = [await place_order(order(ids["EA"], served_by_id=ids["WE"]), staff()) for _ in range(2)]
        await suspend(ids["WE"], "test", staff())
        await pay(step(first), staff())
        assert await balances() == {("EA", "pending"): 300}
        await use(ONE_LEVEL)
        await pay(step(second), staff())
        assert await balances() == {("EA", "pending"): 1_300}
        assert [(await read(id_)).served_by_id for id_ in (first, second)] == [ids["WE"], None]
        await cancel([*step(first), *step(second)], staff())
        assert await table_of_sales() == {"EA": (0, 0, 0), "WE": (0, 0, 0)}


async def test_a_wrong_partner_is_refused(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(LOTUS):
        ids = await regions(EA=EAST, WE=WEST, GONE=WEST)

        async def refused(partner: DistributorId, own: bool = False, **changes: Any) -> list[tuple[str, str | None]]:
            before = await everything()
            with pytest.raises(Rejected) as why:
                asked = order(ids["EA"], served_by_id=partner, **changes)
                await place_order(asked, distributor(ids["EA"]) if own else staff())
            assert await everything() == before
            assert all(error.message(language) for error in why.value.errors for language in ("en", "zh-CN"))
            return [(error.code, error.field) for error in why.value.errors]

        field = "input.servedById"
        assert await refused(ids["WE"]) == [("LEADS_NOT_SHARED", field)]
        await use(ONE_LEVEL, cross_region_lead={})
        await suspend(ids["GONE"], "test", staff())
        for own in (False, True):
            assert await refused(cedar["A"], own) == [("NOT_FOUND", field)]
            assert await refused(ids["EA"], own) == [("PARTNER_REFUSED", field)]
            assert await refused(ids["WE"], own, self_purchase=True) == [("PARTNER_REFUSED", field)]
        assert await refused(ids["GONE"]) == [("PARTNER_REFUSED", field)]
        assert await refused(ids["GONE"], own=True) == [("NOT_FOUND", field)], "a distributor learns of nobody's state"
        named = await place_order(order(ids["EA"], served_by_id=ids["WE"]), distributor(ids["EA"]))
        assert (await read(named)).served_by_id == ids["WE"]


async def test_performance_of_a_region_qualifies_an_upline(db: Database) -> None:
    await two_shops()
    with as_tenant(LOTUS):
        await use({**LEVELS, "qualify": {"own_sales_minor": 5_000}}, cross_region_lead={})
        ids = await regions(EA=EAST, WE=WEST)
        with clock.at(T0):
            (below,) = await enrol_many([request("WW", "WE", region=NORTH)], staff())
        with clock.at(NOON):
            many = [
                order(seller, region=region, paid_at=NOON) for seller, region in ((ids["EA"], WEST), (below, NORTH))
            ]
            verdicts = await place_orders(many, staff())
        assert await earned(verdicts[1].order_id) == [1_000, 1_500, 0]  # type: ignore[arg-type]
