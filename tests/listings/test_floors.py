"""Raising a floor lists what falls below it (docs/rules.md §2.3): open listings and orders that are not paid."""

from typing import Any

import pytest

from saas.base.db import Database
from saas.base.errors import NotFound
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.listings.commands import OpenListing, close_listing, open_listing
from saas.listings.floors import BelowFloor, FloorCounts, below_floor, count_below_floor
from saas.network.commands import enrol
from saas.orders.commands import PlaceLine, cancel, place_order
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import request, staff
from tests.orders.world import order, step, two_shops
from tests.program import change_prices, draft_prices


def cream(of: DistributorId, price_minor: int) -> OpenListing:
    return OpenListing(distributor_id=of, sku="LOTUS-CREAM", channel="s", price_minor=price_minor)


async def listed(number: int, first: int = 100, after: str | None = None) -> list[BelowFloor]:
    return list((await below_floor(number, PageRequest(first, after))).items)


async def test_2_3_a_raised_floor_finds_listings_and_unpaid_orders_below_it(db: Database) -> None:
    lotus, cedar = await two_shops()
    with as_tenant(CEDAR):
        await open_listing(cream(cedar["A"], 1), staff())
    with as_tenant(LOTUS):
        low, _, closed = [
            (await open_listing(cream(lotus[who], price), staff())).id
            for who, price in (("A", 18_999), ("B", 19_000), ("C", 18_810))
        ]
        await close_listing(closed, staff())
        await open_listing(OpenListing(distributor_id=lotus["A"], sku="PLAIN", channel="s", price_minor=1), staff())
        lines = [
            PlaceLine(sku="LOTUS-CREAM", quantity=3, amount_minor=56_999),
            PlaceLine(sku="LOTUS-CREAM", quantity=3, amount_minor=57_000),
            PlaceLine(sku="PLAIN", quantity=1, amount_minor=1),
        ]
        placed = await place_order(order(lotus["D"], lines=lines, channel="app"), staff())
        gone = await place_order(order(lotus["D"], "LOTUS-CREAM", 18_810), staff())
        await cancel(step(gone), staff())
        # 20,000 less 5 % is 19,000; what sellers pay for themselves is nothing to their customers
        dear = {"guide_price_minor": 20_000, "purchase_price_minor": {"silver": 15_000}}
        number = await draft_prices(staff(), products={"LOTUS-CREAM": dear})
        assert await count_below_floor(number) == FloorCounts(1, 1)
        one, two = await listed(number)
        assert (one.listing_id, one.order_id, one.line_id, one.distributor_id) == (low, None, None, lotus["A"])
        assert (one.sku, one.channel, one.quantity) == ("LOTUS-CREAM", "s", 1)
        assert (one.amount_minor, one.floor_minor, one.missing_minor) == (18_999, 19_000, 1)
        assert (two.listing_id, two.order_id, two.distributor_id, two.channel) == (None, placed, lotus["D"], "app")
        assert (two.quantity, two.amount_minor, two.floor_minor, two.missing_minor) == (3, 56_999, 57_000, 1)
        in_force = await draft_prices(staff())
        assert (await count_below_floor(in_force), await listed(in_force)) == (FloorCounts(0, 0), [])
        with pytest.raises(NotFound):
            await below_floor(99, PageRequest())
    with as_tenant(CEDAR), pytest.raises(NotFound):
        await count_below_floor(number)


async def test_2_3_floors_are_exact_however_large_the_order(db: Database) -> None:
    """The whole quantity is judged: 0.33 less 5 % is 94.05 for three hundred; and no product is too large."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await change_prices(staff(), products={"PLAIN": {"guide_price_minor": 32}}, outside_band="open_case")
        lines = [PlaceLine(sku="PLAIN", quantity=300, amount_minor=amount) for amount in (9_404, 9_405)]
        lines.append(PlaceLine(sku="PLAIN", quantity=10**9, amount_minor=10**11))
        await place_order(order(lotus["D"], lines=lines), staff())
        number = await draft_prices(staff(), products={"PLAIN": {"guide_price_minor": 33}})
        assert [(one.amount_minor, one.floor_minor) for one in await listed(number)] == [(9_404, 9_405)]
        dear = await draft_prices(staff(), products={"PLAIN": {"guide_price_minor": 10**13}})
        floors = [(one.quantity, one.floor_minor) for one in await listed(dear)]
        assert floors == [(quantity, 95 * 10**11 * quantity) for quantity in (300, 300, 10**9)]


@pytest.mark.parametrize(
    ("region", "floor"), [(None, 16_000), ("440106", 16_500), ("440300", 15_000), ("310000", 16_000)]
)
async def test_2_3_the_floor_of_a_self_purchase_is_its_purchase_price(
    db: Database, region: str | None, floor: int
) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        buyer = await enrol(request("BUYER", lotus["A"], region=region), staff())
        await place_order(order(buyer, "LOTUS-CREAM", 2 * 15_800, 2, self_purchase=True), staff())
        other: dict[str, Any] = {
            "guide_price_minor": 19_800,
            "purchase_price_minor": {"silver": 16_000, "gold": 19_000},
            "regional_purchase_price_minor": {"440000": {"silver": 15_000}, "440100": {"silver": 16_500}},
        }
        number = await draft_prices(staff(), products={"LOTUS-CREAM": other})
        found = [(one.amount_minor, one.floor_minor) for one in await listed(number)]
        assert found == ([(31_600, 2 * floor)] if floor > 15_800 else [])
        without = await draft_prices(staff(), products={"LOTUS-CREAM": {"guide_price_minor": 19_800}})
        assert [one.floor_minor for one in await listed(without)] == [37_620]


async def test_pages_hold_everything_once(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        for who in "ABCD":
            asked = OpenListing(distributor_id=lotus[who], sku="PLAIN", channel="s", price_minor=1)
            await open_listing(asked, staff())
            await place_order(order(lotus[who], "PLAIN", 1), staff())
        number = await draft_prices(staff(), products={"PLAIN": {"guide_price_minor": 100}})
        assert await count_below_floor(number) == FloorCounts(4, 4)
        seen: list[BelowFloor] = []
        after = None
        while True:
            page = await below_floor(number, PageRequest(3, after))
            seen += page.items
            if not page.has_next:
                break
            after = page.cursors[-1]
        assert [one.listing_id is None for one in seen] == [False] * 4 + [True] * 4
        assert seen == await listed(number)
        assert len({one.listing_id or one.line_id for one in seen}) == 8
