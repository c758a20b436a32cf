"""The server prices (docs/rules.md §2.3, §4): orders without prices, quotes, price lists; on both databases."""

from datetime import date, timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import Rejected
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.network.commands import enrol
from saas.orders.commands import PlaceLine, PlaceOrder, place_order
from saas.orders.pricing import PriceSource
from saas.orders.queries import lines_of
from saas.orders.quoting import price_list, quote
from saas.orders.wording import why
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, request, staff
from tests.orders.world import NOON, everything, order, two_shops
from tests.program import change_prices

PROMOTIONS = [
    {
        "key": "spring",
        "name": {"zh": "春季特价", "en": "Spring price"},
        "kind": "price",
        "prices_minor": {"LOTUS-CREAM": 18_900},
        "effective_from": "2026-03-10",
        "effective_until": "2026-03-11",
    },
    {
        "key": "members",
        "kind": "buy_get",
        "buy": 19,
        "get": 1,
        "members_only": True,
        "effective_from": "2026-03-01",
        "effective_until": "2026-04-01",
    },
    {
        "key": "live",
        "kind": "amount_off",
        "threshold_minor": 100_000,
        "off_minor": 5_000,
        "channels": ["live"],
        "effective_from": "2026-03-01",
        "effective_until": "2026-04-01",
    },
]
GIFT = {
    "guide_price_minor": 59_800,
    "purchase_price_minor": {"silver": 50_800},
    "regional_purchase_price_minor": {"440000": {"silver": 49_000}},
    "channels": ["live", "app"],
}
EVENING = NOON + timedelta(hours=12)
"""Past midnight in Shanghai, when the spring price is over; the same day in UTC."""


def unpriced(seller: DistributorId, *lines: tuple[str, int], **changes: Any) -> PlaceOrder:
    return order(seller, lines=[PlaceLine(sku=sku, quantity=quantity) for sku, quantity in lines], **changes)


async def lotus_sells() -> dict[str, DistributorId]:
    """Lotus with promotions, and a buyer in Guangzhou."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS), clock.at(NOON - timedelta(days=1)):
        await change_prices(staff(), products={"LOTUS-GIFT": GIFT}, promotions=PROMOTIONS)
        lotus["G"] = await enrol(request("G", region="440106"), staff())
    return lotus


async def amounts(asked: PlaceOrder) -> list[int]:
    """What a quote says, which is what the order then costs."""
    quoted = await quote(asked, staff())
    id_ = await place_order(asked, staff())
    stored = [line.amount_minor for line in (await lines_of([id_]))[id_]]
    assert stored == [line.amount_minor for line in quoted.lines]
    assert sum(stored) == quoted.goods_minor
    return stored


async def test_2_3_the_server_prices_what_comes_without_a_price(db: Database) -> None:
    lotus = await lotus_sells()
    with as_tenant(LOTUS):
        with clock.at(NOON):
            assert await amounts(unpriced(lotus["D"], ("LOTUS-CREAM", 2))) == [37_800]
            gift = ("LOTUS-GIFT", 2)
            assert await amounts(unpriced(lotus["D"], gift, channel="app")) == [119_600]
            assert await amounts(unpriced(lotus["D"], gift, channel="live")) == [114_600]
            assert await amounts(unpriced(lotus["D"], gift, channel="app", self_purchase=True)) == [101_600]
            assert await amounts(unpriced(lotus["G"], gift, channel="app", self_purchase=True)) == [98_000]
            assert await amounts(unpriced(lotus["G"], gift, channel="app")) == [119_600]
            cream = ("LOTUS-CREAM", 20)
            assert await amounts(unpriced(lotus["D"], cream, for_member=True)) == [19 * 19_800]
            assert await amounts(unpriced(lotus["D"], cream)) == [20 * 18_900]
        with clock.at(EVENING):
            assert await amounts(unpriced(lotus["D"], ("LOTUS-CREAM", 2))) == [39_600]
            then = await amounts(unpriced(lotus["D"], ("LOTUS-CREAM", 2), placed_at=NOON))
            assert then == [37_800]
        with clock.at(EVENING + timedelta(hours=12)):
            then = await amounts(unpriced(lotus["D"], ("LOTUS-CREAM", 2), placed_at=EVENING))
            assert then == [39_600]


async def test_2_3_a_price_that_is_given_is_judged_and_takes_no_promotion(db: Database) -> None:
    lotus = await lotus_sells()
    with as_tenant(LOTUS), clock.at(NOON):
        lines = [
            PlaceLine(sku="LOTUS-GIFT", quantity=2, amount_minor=119_000),
            PlaceLine(sku="LOTUS-CREAM", quantity=1),
        ]
        assert await amounts(order(lotus["D"], lines=lines, channel="live")) == [119_000, 18_900]
        own: dict[str, Any] = {"self_purchase": True, "channel": "app"}
        assert await amounts(order(lotus["D"], "LOTUS-GIFT", 50_800, **own)) == [50_800]
        assert await amounts(order(lotus["G"], "LOTUS-GIFT", 49_000, **own)) == [49_000]
        for seller, amount in (("D", 50_799), ("G", 48_999), ("D", 62_791)):
            with pytest.raises(Rejected) as refused:
                await place_order(order(lotus[seller], "LOTUS-GIFT", amount, **own), staff())
            (error,) = refused.value.errors
            assert (error.code, error.field) == ("PRICE_OUTSIDE_BAND", "input.lines[0].amountMinor")
            assert error.params["most_minor"] == 62_790


async def test_2_3_what_cannot_be_priced_is_told_and_nothing_is_kept(db: Database) -> None:
    lotus = await lotus_sells()
    with as_tenant(LOTUS), clock.at(NOON):
        asked = unpriced(
            lotus["D"], ("PLAIN", 1), ("NOPE", 1), ("LOTUS-CREAM", 0), ("LOTUS-GIFT", 1), ("LOTUS-CREAM", 10**9)
        )
        before = await everything()
        for attempt in (place_order(asked, staff()), quote(asked, staff())):
            with pytest.raises(Rejected) as refused:
                await attempt
            assert [(error.code, error.field) for error in refused.value.errors] == [
                ("PRICE_NOT_KNOWN", "input.lines[0]"),
                ("UNKNOWN_PRODUCT", "input.lines[1].sku"),
                ("QUANTITY_REFUSED", "input.lines[2].quantity"),
                ("CHANNEL_REFUSED", "input.lines[3].sku"),
                ("AMOUNT_REFUSED", "input.lines[4].quantity"),
            ]
            assert all(error.message(language) for error in refused.value.errors for language in ("en", "zh-CN"))
        assert await everything() == before


async def test_a_quote_says_why_in_both_languages_and_writes_nothing(db: Database) -> None:
    lotus = await lotus_sells()
    with as_tenant(LOTUS), clock.at(NOON):
        before = await everything()
        asked = unpriced(lotus["D"], ("LOTUS-CREAM", 2), ("LOTUS-GIFT", 2), channel="live")
        found = await quote(asked, distributor(lotus["D"]))
        told = [(why(line, "CNY", "en"), why(line, "CNY", "zh-CN")) for line in found.lines]
        assert told == [
            (
                "Spring price: 2 × CN¥189.00 = CN¥378.00 instead of CN¥396.00.",
                "春季特价：2 × ¥189.00 = ¥378.00，原价 ¥396.00。",
            ),
            (
                "live: CN¥50.00 off from CN¥1,000.00; this line's part: CN¥1,196.00 − CN¥50.00 = CN¥1,146.00.",
                "live：满 ¥1,000.00 减 ¥50.00，本行分摊：¥1,196.00 − ¥50.00 = ¥1,146.00。",
            ),
        ]
        first = found.lines[0]
        assert (first.source, first.guide_minor, first.lowest_minor, first.highest_minor) == (
            PriceSource.PROMOTION, 39_600, 37_620, 41_580,
        )  # fmt: skip
        (gift,) = (await quote(unpriced(lotus["D"], ("LOTUS-CREAM", 40), for_member=True), staff())).lines
        assert (gift.free, gift.promotion and gift.promotion.key) == (2, "members")
        assert why(gift, "CNY", "en") == (
            "members: buy 19, get 1; 2 of 40 pieces cost nothing: 38 × CN¥198.00 = CN¥7,524.00."
        )
        own = unpriced(lotus["D"], ("LOTUS-GIFT", 1), ("LOTUS-CREAM", 1), channel="app", self_purchase=True)
        assert [why(line, "CNY", "en") for line in (await quote(own, staff())).lines] == [
            "Purchase price: 1 × CN¥508.00 = CN¥508.00.",
            "Purchase price: 1 × CN¥158.00 = CN¥158.00.",
        ]
        (given,) = (await quote(order(lotus["D"], "PLAIN", 5), staff())).lines
        assert (given.source, given.guide_minor, why(given, "CNY", "en")) == (
            PriceSource.GIVEN, None, "CN¥0.05 as given.",
        )  # fmt: skip
        assert await everything() == before
        with pytest.raises(Rejected) as refused:
            await quote(asked, distributor(lotus["C"]))
        assert [error.code for error in refused.value.errors] == ["NOT_FOUND"]
    with as_tenant(CEDAR):
        with pytest.raises(Rejected) as refused:
            await quote(asked, staff())
        assert "NOT_FOUND" in [error.code for error in refused.value.errors]


async def test_2_3_a_quote_tells_that_a_case_would_be_opened(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(CEDAR), clock.at(NOON):
        (line,) = (await quote(order(cedar["D"], "CEDAR-GREEN", 1), staff())).lines
        assert line.outside_band
        assert why(line, "CNY", "en") == (
            "CN¥0.01 as given, outside the allowed CN¥115.20 to CN¥140.80: a price case will be opened."
        )


async def test_2_3_the_price_list_of_a_distributor_a_channel_and_a_day(db: Database) -> None:
    lotus = await lotus_sells()
    with as_tenant(LOTUS), clock.at(NOON):
        rows = {row.product.sku: row for row in (await price_list(PageRequest(), distributor_id=lotus["G"])).items}
        assert list(rows) == sorted(rows)
        gift, cream, plain = rows["LOTUS-GIFT"], rows["LOTUS-CREAM"], rows["PLAIN"]
        assert (gift.guide_minor, gift.lowest_minor, gift.highest_minor) == (59_800, 56_810, 62_790)
        assert (gift.purchase_minor, gift.channels) == (49_000, ("live", "app"))
        assert (cream.purchase_minor, cream.channels) == (15_800, None)
        assert [one.key for one in cream.promotions] == ["spring", "members", "live"]
        assert [one.key for one in gift.promotions] == ["members", "live"]
        assert (plain.guide_minor, plain.lowest_minor, plain.purchase_minor, plain.promotions) == (None, None, None, ())
        shop = {row.product.sku: row for row in (await price_list(PageRequest(), channel="shop")).items}
        assert "LOTUS-GIFT" not in shop
        assert (shop["LOTUS-CREAM"].purchase_minor, [one.key for one in shop["LOTUS-CREAM"].promotions]) == (
            None, ["spring", "members"],
        )  # fmt: skip
        page = await price_list(PageRequest(1), channel="live", day=date(2026, 4, 1), search="lotus")
        assert ([row.product.sku for row in page.items], page.has_next) == (["LOTUS-CREAM"], True)
        assert page.items[0].promotions == ()
        rest = await price_list(PageRequest(5, page.cursors[0]), channel="live", search="lotus")
        assert [row.product.sku for row in rest.items] == ["LOTUS-GIFT"]
