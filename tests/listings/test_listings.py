"""What distributors offer where: opening, other prices, closing; two brands side by side."""

import asyncio
from typing import Any

import pytest

from saas.base.db import Database, transaction
from saas.base.errors import DomainError, NotFound, Rejected
from saas.base.ids import DistributorId, ListingId, new_id
from saas.base.paging import PageRequest
from saas.catalog.commands import archive_products
from saas.listings.commands import (
    OpenListing,
    change_listing_price,
    close_listing,
    close_listings_of,
    open_listing,
)
from saas.listings.errors import ListedAlready, ListingClosed
from saas.listings.queries import ListingFilter, ListingView, listing, listings
from saas.listings.rules import price_objections
from saas.network.commands import suspend
from saas.orders.errors import SellerNotActive
from saas.orders.rules import PriceVerdict
from tenants.actors import Actor
from tenants.program.pricing import Band, PricePolicy
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, staff
from tests.orders.world import table, two_shops
from tests.program import change_prices


def offer(of: DistributorId, sku: str = "LOTUS-CREAM", price_minor: int = 19_800, channel: str = "shop") -> OpenListing:
    return OpenListing(distributor_id=of, sku=sku, channel=channel, price_minor=price_minor)


async def everything() -> list[Any]:
    return [await table(f"SELECT * FROM {name} WHERE tenant_id = $1 ORDER BY id") for name in ("listing", "audit_log")]


async def refused(asked: OpenListing, actor: Actor | None = None) -> list[tuple[str, str | None]]:
    before = await everything()
    with pytest.raises(Rejected) as found:
        await open_listing(asked, actor or staff())
    assert await everything() == before
    assert all(error.message(language) for error in found.value.errors for language in ("en", "zh-CN"))
    return [(error.code, error.field) for error in found.value.errors]


async def skus(**wanted: Any) -> list[str]:
    return [one.sku for one in (await listings(PageRequest(100), ListingFilter(**wanted))).items]


async def test_a_distributor_offers_changes_its_price_and_closes(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        me = distributor(lotus["C"])
        made = await open_listing(offer(lotus["C"]), me)
        assert (made.distributor_id, made.sku, made.channel, made.price_minor) == (
            lotus["C"], "LOTUS-CREAM", "shop", 19_800,
        )  # fmt: skip
        assert (made.status, made.currency, made.side, made.closed_at) == ("open", "CNY", PriceVerdict.INSIDE, None)
        changed = await change_listing_price(made.id, 18_810, me)
        assert (changed.price_minor, changed.opened_at) == (18_810, made.opened_at)
        assert changed.changed_at > made.changed_at
        closed = await close_listing(made.id, me)
        assert (closed.status, closed.price_minor, closed.closed_at) == ("closed", 18_810, closed.changed_at)
        with pytest.raises(ListingClosed):
            await close_listing(made.id, me)
        with pytest.raises(ListingClosed):
            await change_listing_price(made.id, 19_800, me)
        again = await open_listing(offer(lotus["C"]), me)
        assert again.id != made.id
        actions = await table(
            "SELECT action FROM audit_log WHERE tenant_id = $1 AND action LIKE 'listing.%' ORDER BY id"
        )
        assert [action for (action,) in actions] == [
            "listing.open", "listing.change_price", "listing.close", "listing.open",
        ]  # fmt: skip
    with as_tenant(CEDAR):
        assert await skus() == []
        for attempt in (
            listing(made.id), close_listing(again.id, staff()), change_listing_price(again.id, 1, staff()),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await attempt
        with pytest.raises(NotFound):
            await open_listing(offer(lotus["C"]), staff())
    with as_tenant(LOTUS):
        assert (await listing(again.id)).status == "open"


async def test_another_distributors_listing_does_not_exist(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        theirs = await open_listing(offer(lotus["C"]), staff())
        before = await everything()
        me = distributor(lotus["D"])
        nowhere = ListingId(new_id())
        for attempt in (
            open_listing(offer(lotus["C"], "LOTUS-GIFT", 59_800), me),
            open_listing(offer(DistributorId(new_id()), "LOTUS-GIFT", 59_800), me),
            change_listing_price(theirs.id, 18_900, me),
            change_listing_price(nowhere, 18_900, me),
            close_listing(theirs.id, me),
            listing(theirs.id, lotus["D"]),
        ):
            with pytest.raises(NotFound):
                await attempt
        assert await everything() == before


async def test_2_3_a_listing_stays_inside_the_band_and_its_channels(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await change_prices(
            staff(), products={"LOTUS-GIFT": {"guide_price_minor": 59_800, "channels": ["live", "app"]}}
        )
        for price, fine in ((18_809, False), (18_810, True), (20_791, False)):
            if fine:
                await open_listing(offer(lotus["A"], price_minor=price), staff())
            else:
                assert await refused(offer(lotus["A"], price_minor=price)) == [
                    ("PRICE_OUTSIDE_BAND", "input.priceMinor")
                ]
        assert await refused(offer(lotus["A"], "LOTUS-GIFT", 59_800)) == [("CHANNEL_REFUSED", "input.channel")]
        await open_listing(offer(lotus["A"], "LOTUS-GIFT", 59_800, "live"), staff())
        await open_listing(offer(lotus["A"], "PLAIN", 1), staff())
        wrong = offer(lotus["A"], "NOPE", 0, " ")
        assert await refused(wrong) == [
            ("UNKNOWN_PRODUCT", "input.sku"), ("TEXT_REFUSED", "input.channel"), ("AMOUNT_REFUSED", "input.priceMinor"),
        ]  # fmt: skip
        await archive_products(["PLAIN"], staff())
        assert await refused(offer(lotus["B"], "PLAIN", 1)) == [("UNKNOWN_PRODUCT", "input.sku")]
        made = (await listings(PageRequest(1), ListingFilter(sku="LOTUS-CREAM"))).items[0]
        with pytest.raises(Rejected) as found:
            await change_listing_price(made.id, 18_809, staff())
        assert found.value.errors[0].code == "PRICE_OUTSIDE_BAND"
        assert (await listing(made.id)).price_minor == 18_810


async def test_2_3_where_the_brand_opens_cases_a_listing_outside_the_band_is_marked(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(CEDAR):
        low = await open_listing(offer(cedar["A"], "CEDAR-GREEN", 11_519), staff())
        assert low.side is PriceVerdict.BELOW
        assert (await change_listing_price(low.id, 11_520, staff())).side is PriceVerdict.INSIDE
        assert (await change_listing_price(low.id, 14_081, staff())).side is PriceVerdict.ABOVE
        await change_prices(staff(), products={"CEDAR-GREEN": {"guide_price_minor": 15_000}})
        (seen,) = (await listings(PageRequest(), ListingFilter())).items
        assert seen.side is PriceVerdict.INSIDE


async def test_who_does_not_sell_offers_nothing_and_may_still_close(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        made = await open_listing(offer(lotus["C"]), staff())
        other = await open_listing(offer(lotus["D"]), staff())
        await suspend(lotus["C"], "test", staff())
        for attempt in (
            open_listing(offer(lotus["C"], "LOTUS-GIFT", 59_800), staff()),
            change_listing_price(made.id, 19_000, staff()),
        ):
            with pytest.raises(SellerNotActive):
                await attempt
        assert (await close_listing(made.id, distributor(lotus["C"]))).status == "closed"
        assert (await listing(other.id)).status == "open"


async def test_who_leaves_offers_nothing_any_more(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        for sku, price in (("LOTUS-CREAM", 19_800), ("LOTUS-GIFT", 59_800)):
            await open_listing(offer(lotus["C"], sku, price), staff())
        kept = await open_listing(offer(lotus["D"]), staff())
        async with transaction():
            assert await close_listings_of(lotus["C"]) == 2
            assert await close_listings_of(lotus["C"]) == 0
        assert [one.id for one in (await listings(PageRequest(), ListingFilter(status="open"))).items] == [kept.id]


async def test_a_product_is_offered_once_in_a_channel_however_many_ask_at_once(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        asked = [open_listing(offer(lotus["C"]), staff()) for _ in range(5)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(one, ListingView) for one in found) == 1
        (told,) = {str(one) for one in found if isinstance(one, DomainError)}
        assert "C offers SKU LOTUS-CREAM in channel shop already" in told
        assert sum(isinstance(one, ListedAlready) for one in found) == 4
        await open_listing(offer(lotus["C"], channel="live"), staff())
        await open_listing(offer(lotus["D"]), staff())


async def test_pages_search_and_filters(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        for who, sku, price, channel in (
            ("A", "PLAIN", 100, "shop"),
            ("A", "LOTUS-CREAM", 19_800, "live"),
            ("B", "LOTUS-CREAM", 19_800, "shop"),
            ("B", "LOTUS-GIFT", 59_800, "shop"),
        ):
            made = await open_listing(offer(lotus[who], sku, price, channel), staff())
        await close_listing(made.id, staff())
        page = await listings(PageRequest(3), ListingFilter())
        assert [one.sku for one in page.items] == ["LOTUS-GIFT", "LOTUS-CREAM", "LOTUS-CREAM"]
        assert page.has_next
        rest = await listings(PageRequest(3, page.cursors[-1]), ListingFilter())
        assert ([one.sku for one in rest.items], rest.has_next) == (["PLAIN"], False)
        assert await skus(distributor_id=lotus["A"]) == ["LOTUS-CREAM", "PLAIN"]
        assert await skus(sku="LOTUS-CREAM", channel="shop") == ["LOTUS-CREAM"]
        assert await skus(status="closed") == ["LOTUS-GIFT"]
        assert await skus(search="lotus") == ["LOTUS-GIFT", "LOTUS-CREAM", "LOTUS-CREAM"]
        assert await skus(search="_") == []


def test_who_asks_for_nothing_is_told_the_least_price() -> None:
    policy = PricePolicy(default_band=Band(below_bps=500, above_bps=500))
    (error,) = price_objections(policy, "X", 0, "CNY")
    assert "Give 0.01 to" in error.message("en")
    assert "请填写 0.01 至" in error.message("zh-CN")
