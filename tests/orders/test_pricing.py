"""What the program charges for a line (docs/rules.md §2.3): purchase prices, guide prices, promotions."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.money import BPS_WHOLE
from saas.orders.pricing import (
    LinePrice,
    Occasion,
    PriceSource,
    Wanted,
    applies,
    not_sold_in,
    price_lines,
    purchase_price,
    spread,
)
from saas.orders.rules import PriceVerdict, check_price, price_entry
from tenants.program.pricing import PricePolicy

TODAY = date(2026, 6, 18)
ON = Occasion(TODAY)
DAYS = {"effective_from": TODAY, "effective_until": TODAY + timedelta(days=1)}
CREAM, SERUM, MASK = "CREAM", "SERUM", "MASK"
GUIDE = {CREAM: 19_800, SERUM: 29_800, MASK: 9_900}


def policy(
    *promotions: Mapping[str, Any], below_bps: int = 10_000, cream: Mapping[str, Any] | None = None
) -> PricePolicy:
    """The three products at their guide prices under a wide band, changed as told, with promotions of one day."""
    return PricePolicy.model_validate(
        {
            "default_band": {"below_bps": below_bps, "above_bps": 500},
            "products": {
                sku: {"guide_price_minor": guide, **(cream or {} if sku == CREAM else {})}
                for sku, guide in GUIDE.items()
            },
            "promotions": [{**DAYS, **promotion} for promotion in promotions],
        }
    )


def price_of(key: str = "p", **prices: int) -> dict[str, Any]:
    return {"key": key, "kind": "price", "prices_minor": prices}


def amount_off(threshold: int, off: int, key: str = "off", **more: Any) -> dict[str, Any]:
    return {"key": key, "kind": "amount_off", "threshold_minor": threshold, "off_minor": off, **more}


def buy_get(buy: int, get: int, key: str = "gift", **more: Any) -> dict[str, Any]:
    return {"key": key, "kind": "buy_get", "buy": buy, "get": get, **more}


def prices(of: PricePolicy, *lines: tuple[str, int], on: Occasion = ON) -> list[LinePrice | None]:
    return price_lines(of, [Wanted(*line) for line in lines], on)


def told(of: PricePolicy, *lines: tuple[str, int], on: Occasion = ON) -> list[tuple[int, str | None]]:
    """The amount of each line and the promotion that made it."""
    return [(price.amount_minor, price.promotion) for price in prices(of, *lines, on=on) if price]


# -- prices without promotions ----------------------------------------------------------------------------------------


def test_2_3_without_a_promotion_a_line_costs_the_guide_price() -> None:
    assert prices(policy(), (CREAM, 3), ("UNPRICED", 1)) == [LinePrice(59_400, PriceSource.GUIDE), None]


TIERS = {"purchase_price_minor": {"silver": 15_800, "gold": 13_900}}
REGIONS = {
    **TIERS,
    "regional_purchase_price_minor": {"440000": {"silver": 15_000}, "440100": {"silver": 14_900, "diamond": 1}},
}


@pytest.mark.parametrize(
    ("tier", "region", "piece"),
    [
        ("silver", None, 15_800),
        ("gold", "440100", 13_900),  # the region has no price for the tier
        ("silver", "440100", 14_900),
        ("silver", "440106", 14_900),  # a district of that city
        ("silver", "440300", 15_000),  # another city of the province
        ("silver", "310000", 15_800),
        ("diamond", "440100", 1),
        ("diamond", "440000", None),
        (None, "440100", None),
    ],
)
def test_2_3_a_self_purchase_costs_the_price_of_tier_and_region(
    tier: str | None, region: str | None, piece: int | None
) -> None:
    of = policy(cream=REGIONS)
    assert purchase_price(of, CREAM, tier, region) == piece
    expected = LinePrice(2 * 19_800, PriceSource.GUIDE) if piece is None else LinePrice(2 * piece, PriceSource.PURCHASE)
    assert prices(of, (CREAM, 2), on=Occasion(TODAY, None, False, True, tier, region)) == [expected]
    assert prices(of, (CREAM, 2), on=Occasion(TODAY, tier=tier, region=region)) == [
        LinePrice(39_600, PriceSource.GUIDE)
    ]


def test_2_3_a_self_purchase_is_not_below_the_purchase_price_and_not_above_the_band() -> None:
    entry = price_entry(policy(below_bps=500), CREAM)
    assert entry
    check = check_price(entry, 2, 31_599, 15_800)
    assert (check.verdict, check.least_minor, check.most_minor) == (PriceVerdict.BELOW, 31_600, 41_580)
    assert check_price(entry, 2, 31_600, 15_800).verdict is PriceVerdict.INSIDE
    assert check_price(entry, 2, 41_581, 15_800).verdict is PriceVerdict.ABOVE
    assert check_price(entry, 1, 30_000, 30_000).verdict is PriceVerdict.INSIDE


def test_2_3_purchase_prices_take_no_promotion_but_guide_prices_of_a_self_purchase_do() -> None:
    of = policy(price_of(CREAM=15_000, MASK=9_000), amount_off(10_000, 5_000), cream=TIERS)
    on = Occasion(TODAY, self_purchase=True, tier="silver")
    assert told(of, (CREAM, 1), (MASK, 2), on=on) == [(15_800, None), (14_800, "off")]


def test_2_3_a_product_is_sold_in_its_channels_only() -> None:
    of = policy(cream={"channels": ["shop", "live"]})
    for channel in ("market", None):
        refused = not_sold_in(of, CREAM, channel, "input.lines[0].sku")
        assert refused
        assert "shop, live" in refused.message("en")
        assert "shop, live" in refused.message("zh-CN")
        assert not_sold_in(of, MASK, channel, "") is None
        assert not_sold_in(of, "UNPRICED", channel, "") is None
    assert not_sold_in(of, CREAM, "live", "") is None


# -- one promotion ----------------------------------------------------------------------------------------------------


def test_2_3_a_promotion_holds_on_its_days_for_its_products_channels_and_customers() -> None:
    of = policy(buy_get(1, 1, products=[CREAM], channels=["live"], members_only=True))
    (promotion,) = of.promotions
    member = Occasion(TODAY, "live", for_member=True)
    assert applies(promotion, CREAM, member)
    assert not applies(promotion, MASK, member)
    for other in (
        member._replace(for_member=False),
        member._replace(channel="shop"),
        member._replace(channel=None),
        member._replace(day=TODAY - timedelta(days=1)),
        member._replace(day=TODAY + timedelta(days=1)),
    ):
        assert not applies(promotion, CREAM, other)
        assert told(of, (CREAM, 2), on=other) == [(39_600, None)]
    assert told(of, (CREAM, 2), on=member) == [(19_800, "gift")]


def test_2_3_another_price_while_it_lasts() -> None:
    of = policy(price_of(CREAM=18_900, SERUM=31_000))
    assert told(of, (CREAM, 2), (SERUM, 1), (MASK, 1)) == [(37_800, "p"), (29_800, None), (9_900, None)]


@pytest.mark.parametrize(("quantity", "paid"), [(1, 1), (2, 2), (3, 2), (5, 4), (6, 4), (7, 5), (9, 6)])
def test_2_3_buy_two_get_one_7_pieces_are_5_paid(quantity: int, paid: int) -> None:
    (price,) = prices(policy(buy_get(2, 1)), (MASK, quantity))
    assert price
    assert (price.amount_minor, price.free) == (paid * 9_900, quantity - paid)


@pytest.mark.parametrize(
    ("lines", "amounts"),
    [
        ([(CREAM, 1)], [19_800]),
        ([(CREAM, 1), (MASK, 1)], [29_700]),
        ([(CREAM, 1), (MASK, 2)], [17_300, 17_300]),  # 39,600 less 5,000, in proportion 1 : 1
        ([(CREAM, 2), (SERUM, 1), (MASK, 1)], [37_103, 27_921, 9_276]),  # largest remainder
    ],
)
def test_2_3_an_amount_off_from_its_threshold_is_spread_over_the_lines(
    lines: list[tuple[str, int]], amounts: list[int]
) -> None:
    found = told(policy(amount_off(39_600, 5_000)), *lines)
    whole = sum(GUIDE[sku] * quantity for sku, quantity in lines)
    assert sum(amount for amount, _ in found) == (whole - 5_000 if whole >= 39_600 else whole)
    if whole >= 39_600:
        assert found == [(amount, "off") for amount in amounts]
    else:
        assert {promotion for _, promotion in found} == {None}


def test_2_3_an_amount_off_counts_the_goods_of_its_products_alone() -> None:
    of = policy(amount_off(30_000, 3_000, products=[CREAM]))
    assert told(of, (CREAM, 1), (SERUM, 1)) == [(19_800, None), (29_800, None)]
    assert told(of, (CREAM, 2), (SERUM, 1)) == [(36_600, "off"), (29_800, None)]


def test_2_3_what_one_line_has_no_room_for_the_others_give() -> None:
    assert spread([100, 100, 100], [0, 40, 100], 90) == [0, 40, 50]
    assert spread([5, 5], [0, 5], 5) == [0, 5]


# -- several promotions -----------------------------------------------------------------------------------------------


def test_2_3_the_best_promotion_of_a_line_wins_and_none_adds_to_another() -> None:
    of = policy(price_of("first", MASK=7_000), price_of("second", MASK=6_000), buy_get(1, 1))
    assert told(of, (MASK, 1)) == [(6_000, "second")]
    assert told(of, (MASK, 2)) == [(9_900, "gift")]


def test_2_3_of_equal_promotions_the_first_of_the_document_wins() -> None:
    assert told(policy(price_of("b", MASK=7_000), price_of("a", MASK=7_000)), (MASK, 1)) == [(7_000, "b")]
    offs = policy(amount_off(9_900, 500, "b"), amount_off(9_900, 500, "a"))
    assert told(offs, (MASK, 1)) == [(9_400, "b")]
    assert told(policy(amount_off(9_900, 500), price_of(MASK=9_400)), (MASK, 1)) == [(9_400, "p")]


def test_2_3_an_amount_off_takes_discounted_lines_only_where_the_threshold_needs_them() -> None:
    of = policy(price_of(CREAM=9_800, MASK=9_800), amount_off(29_800, 3_000))
    assert told(of, (CREAM, 1), (SERUM, 1)) == [(9_800, "p"), (26_800, "off")]
    # 100 of its own are given up for the mask to reach 30,000 with it, not 10,000 for the cream
    near = policy(price_of(CREAM=9_800, MASK=9_800), amount_off(30_000, 3_000))
    assert told(near, (CREAM, 1), (SERUM, 1), (MASK, 1)) == [(9_800, "p"), (27_548, "off"), (9_152, "off")]
    # and nothing at all when that costs more than it brings
    assert told(near, (CREAM, 1), (SERUM, 1)) == [(9_800, "p"), (29_800, None)]


def test_2_3_two_amount_offs_share_no_line_and_each_is_given_once() -> None:
    of = policy(amount_off(20_000, 1_000, "wide"), amount_off(9_900, 800, "masks", products=[MASK]))
    assert told(of, (SERUM, 1), (MASK, 1)) == [(29_049, "wide"), (9_651, "wide")]
    assert told(of, (CREAM, 1), (MASK, 1)) == [(19_133, "wide"), (9_567, "wide")]
    assert told(of, (CREAM, 1), (MASK, 2)) == [(19_300, "wide"), (19_300, "wide")]
    apart = policy(amount_off(20_000, 1_000, "serum", products=[SERUM]), amount_off(9_900, 800, "m", products=[MASK]))
    assert told(apart, (SERUM, 3), (MASK, 3)) == [(88_400, "serum"), (28_900, "m")]


# -- whatever the policy says -----------------------------------------------------------------------------------------

SKUS = ("A", "B", "C")


@st.composite
def policies(draw: st.DrawFn) -> PricePolicy:
    """Policies whose promotions stay inside the band, as validation demands of them."""
    guides = {sku: draw(st.integers(1, 5_000)) for sku in SKUS}
    below = draw(st.integers(0, BPS_WHOLE))
    promotions: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 4))):
        key = f"p{number}"
        covered = draw(st.lists(st.sampled_from(SKUS), min_size=1, unique=True))
        kind = draw(st.sampled_from(["price", "amount_off", "buy_get"]))
        if kind == "price":
            lowest = {sku: max(1, -(-guides[sku] * (BPS_WHOLE - below) // BPS_WHOLE)) for sku in covered}
            promotions.append(
                price_of(key, **{sku: draw(st.integers(low, guides[sku])) for sku, low in lowest.items()})
            )
        elif kind == "amount_off":
            threshold = draw(st.integers(1, 20_000))
            most = threshold * below // BPS_WHOLE
            if most:
                promotions.append(amount_off(threshold, draw(st.integers(1, most)), key, products=covered))
        else:
            buy, get = draw(st.integers(1, 5)), draw(st.integers(1, 5))
            if get * BPS_WHOLE <= (buy + get) * below:
                promotions.append(buy_get(buy, get, key, products=covered))
    return PricePolicy.model_validate(
        {
            "default_band": {"below_bps": below, "above_bps": 0},
            "products": {sku: {"guide_price_minor": guide} for sku, guide in guides.items()},
            "promotions": [{**DAYS, **promotion} for promotion in promotions],
        }
    )


BASKETS = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 30)), min_size=1, max_size=6)


@given(policies(), BASKETS)
def test_2_3_a_promoted_line_stays_inside_the_band_and_below_the_guide_price(
    of: PricePolicy, basket: list[tuple[str, int]]
) -> None:
    for (sku, quantity), price in zip(basket, prices(of, *basket), strict=True):
        entry = price_entry(of, sku)
        assert price
        assert entry
        assert check_price(entry, quantity, price.amount_minor).verdict is PriceVerdict.INSIDE
        assert (price.source is PriceSource.PROMOTION) == (price.promotion is not None)


@given(policies(), BASKETS)
def test_2_3_no_promotion_alone_would_be_cheaper(of: PricePolicy, basket: list[tuple[str, int]]) -> None:
    whole = sum(amount for amount, _ in told(of, *basket))
    for promotion in of.promotions:
        alone = of.model_copy(update={"promotions": (promotion,)})
        assert whole <= sum(amount for amount, _ in told(alone, *basket))


@given(policies(), BASKETS)
def test_2_3_an_amount_off_takes_off_exactly_what_it_says(of: PricePolicy, basket: list[tuple[str, int]]) -> None:
    found = told(of, *basket)
    for promotion in of.promotions:
        if promotion.kind == "amount_off":
            taken = [(line, amount) for line, (amount, key) in zip(basket, found, strict=True) if key == promotion.key]
            goods = sum(of.products[sku].guide_price_minor * quantity for (sku, quantity), _ in taken)
            if taken:
                assert goods >= promotion.threshold_minor
                # the band of whole minor units may leave less room than the promotion asks, by less than one a line
                assert promotion.off_minor - len(taken) < goods - sum(a for _, a in taken) <= promotion.off_minor


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=8), st.data())
def test_2_3_a_spread_is_exact_and_gives_nobody_more_than_its_room(
    lines: list[tuple[int, int]], source: st.DataObject
) -> None:
    amounts = [amount for amount, _ in lines]
    rooms = [min(amount, room) for amount, room in lines]
    off = source.draw(st.integers(0, sum(rooms)))
    shares = spread(amounts, rooms, off)
    assert sum(shares) == off
    assert all(0 <= share <= room for share, room in zip(shares, rooms, strict=True))
