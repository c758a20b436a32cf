"""The price policy's sense: promotions stay inside the bands, prices follow tiers and regions."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.program import Program, parse, validate
from tenants.program.checks import prices
from tests.tenants.program.documents import document, rates

P = "price_policy.promotions[0]"


def judged(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    program = parse(data)
    assert isinstance(program, Program), program
    return [(item.path, item.code, item.en) for item in validate(program)]


def shop(*promotions: dict[str, Any], below: int = 500, **products: Any) -> dict[str, Any]:
    """X costs 100.00 give or take; promotions hold in June."""
    data = document(rates(100))
    policy = data["price_policy"]
    policy["default_band"] = {"below_bps": below, "above_bps": 500}
    policy["products"] |= products
    days = {"effective_from": "2026-06-01", "effective_until": "2026-07-01"}
    policy["promotions"] = [{"key": f"p{i}", **days, **one} for i, one in enumerate(promotions)]
    return data


def price(value: int, sku: str = "X", **more: Any) -> dict[str, Any]:
    return {"kind": "price", "prices_minor": {sku: value}, **more}


def off(threshold: int, amount: int, **more: Any) -> dict[str, Any]:
    return {"kind": "amount_off", "threshold_minor": threshold, "off_minor": amount, **more}


def get(buy: int, free: int, **more: Any) -> dict[str, Any]:
    return {"kind": "buy_get", "buy": buy, "get": free, **more}


@pytest.mark.parametrize(
    ("promotion", "below", "path", "code", "remedy"),
    [
        (price(9500), 500, "", "", ""),
        (price(9499), 500, f"{P}.prices_minor.X", "PROMOTION_BELOW_FLOOR", "here is 9500"),
        (price(9999), 500, "", "", ""),
        (price(10_000), 500, f"{P}.prices_minor.X", "PROMOTION_NO_GAIN", "10000"),
        (price(10_500), 500, f"{P}.prices_minor.X", "PROMOTION_NO_GAIN", "10000"),
        (price(10_501), 500, f"{P}.prices_minor.X", "PROMOTION_ABOVE_CEILING", "is 10500"),
        (off(20_000, 1000), 500, "", "", ""),
        (off(20_000, 1001), 500, f"{P}.off_minor", "PROMOTION_BELOW_FLOOR", "here is 1000"),
        (off(10, 1), 500, f"{P}.off_minor", "PROMOTION_NEVER_INSIDE", "widen the band"),
        (off(20_000, 20_001), 10_000, f"{P}.off_minor", "PROMOTION_BELOW_FLOOR", "here is 20000"),
        (get(19, 1), 500, "", "", ""),
        (get(18, 1), 500, f"{P}.buy", "PROMOTION_BELOW_FLOOR", "here is 19"),
        (get(2, 1), 3334, "", "", ""),
        (get(2, 1), 3333, f"{P}.buy", "PROMOTION_BELOW_FLOOR", "here is 3"),
        (get(1, 1000), 500, f"{P}.buy", "PROMOTION_NEVER_INSIDE", "widen the band"),
        (get(1, 1), 0, f"{P}.buy", "PROMOTION_NEVER_INSIDE", "widen the band"),
        (price(9500, "W"), 500, f"{P}.prices_minor.W", "PROMOTION_UNPRICED", "guide price"),
        (off(20_000, 1, products=["XX"]), 500, f"{P}.products[0]", "PROMOTION_UNPRICED", "add it"),
        (off(20_000, 1, effective_until="2026-06-01"), 500, f"{P}.effective_until", "NEVER_IN_EFFECT", "later day"),
        (off(20_000, 1, products=["X", "X"]), 500, f"{P}.products[1]", "DUPLICATE_CODE", "used twice"),
        (off(20_000, 1, channels=["a", "a"]), 500, f"{P}.channels[1]", "DUPLICATE_CODE", "used twice"),
    ],
)
def test_a_promotion_stays_inside_the_band(
    promotion: dict[str, Any], below: int, path: str, code: str, remedy: str
) -> None:
    found = judged(shop(promotion, below=below))
    assert [(item[0], item[1]) for item in found] == ([(path, code)] if code else [])
    assert all(remedy in item[2] for item in found)


def test_the_products_and_the_prices_of_a_promotion_agree() -> None:
    promotion = price(9500) | {"products": ["X", "Y"], "prices_minor": {"X": 9500, "Z": 9500}}
    found = judged(shop(promotion, Y={"guide_price_minor": 10000}, Z={"guide_price_minor": 10000}))
    assert [(item[0], item[1]) for item in found] == [
        (f"{P}.products[1]", "PROMOTION_WITHOUT_PRICE"),
        (f"{P}.prices_minor.Z", "PROMOTION_PRICE_UNUSED"),
    ]


def test_the_tightest_band_of_the_products_sold_there_decides() -> None:
    tight = {"guide_price_minor": 5000, "band": {"below_bps": 100, "above_bps": 0}, "channels": ["shop"]}
    ((path, code, said),) = judged(shop(off(20_000, 500), Y=tight))
    assert (path, code) == (f"{P}.off_minor", "PROMOTION_BELOW_FLOOR")
    assert "Y could cost 4875" in said
    assert "floor 4950" in said
    assert "closest allowed value here is 200" in said
    assert judged(shop(off(20_000, 500, products=["X"]), Y=tight)) == []
    assert judged(shop(off(20_000, 500, channels=["live"]), Y=tight)) == []
    ((path, code, _),) = judged(shop(off(20_000, 100, products=["Y"], channels=["live"]), Y=tight))
    assert (path, code) == (f"{P}.products[0]", "PROMOTION_NOWHERE")


def test_two_promotions_of_a_product_on_the_same_days_are_told_with_who_wins() -> None:
    def overlap(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
        data = shop(one, other, Y={"guide_price_minor": 10000})
        return [f"{path}: {said}" for path, code, said in judged(data) if code == "PROMOTIONS_OVERLAP"]

    (said,) = overlap(price(9500), off(20_000, 1000))
    assert said.startswith("price_policy.promotions[1]: On some days p0 holds for X too")
    assert "cheaper for the customer wins, at equal price p0" in said
    assert overlap(price(9500), off(20_000, 1000, products=["Y"])) == []
    assert overlap(price(9500), price(9500, effective_from="2026-07-01", effective_until="2026-07-02")) == []
    assert overlap(price(9500, channels=["a"]), price(9500, channels=["b"])) == []
    assert overlap(price(9500, channels=["a"]), price(9500))


def test_two_promotions_of_one_key_are_refused() -> None:
    found = judged(shop(price(9500), price(9500, key="p0", effective_from="2026-06-30", channels=["a"])))
    assert ("price_policy.promotions[1].key", "DUPLICATE_CODE") in [(item[0], item[1]) for item in found]


def test_regional_purchase_prices_follow_tiers_guide_price_and_regions() -> None:
    data = shop()
    regional = {"440100": {"silver": 10_001, "golden": 1}, "990000": {"silver": 1, "gold": 2}}
    data["price_policy"]["products"]["X"]["regional_purchase_price_minor"] = regional
    place = "price_policy.products.X.regional_purchase_price_minor"
    assert sorted((item[0], item[1]) for item in judged(data)) == sorted(
        [
            (f'{place}["440100"].golden', "UNKNOWN_TIER"),
            (f'{place}["440100"].silver', "PURCHASE_ABOVE_GUIDE"),
            (f'{place}["990000"].gold', "PURCHASE_PRICE_RISES"),
            (f'{place}["990000"]', "REGION_UNKNOWN"),
        ]
    )


def test_the_channels_of_a_product_are_told_apart() -> None:
    data = shop(Y={"guide_price_minor": 1, "channels": ["a", "b", "a"]})
    assert [item[:2] for item in judged(data)] == [("price_policy.products.Y.channels[2]", "DUPLICATE_CODE")]


@given(
    st.sampled_from(["price", "off", "get"]),
    st.integers(1, 400),
    st.integers(1, 400),
    st.integers(1, 500),
    st.integers(0, 10_000),
)
def test_what_is_inside_is_accepted_what_is_not_is_refused_and_the_closest_value_is_inside(
    kind: str, one: int, other: int, guide: int, below: int
) -> None:
    def worst(first: int, second: int) -> Fraction:
        """What a piece costs at worst, by the words of the rule."""
        if kind == "price":
            return Fraction(first)
        return Fraction(guide) * (1 - (Fraction(first, second) if kind == "off" else Fraction(second, first + second)))

    def findings(first: int, second: int) -> list[Any]:
        made = {"price": price(first), "off": off(second, first), "get": get(first, second)}[kind]
        program = parse(shop(made, below=below, X={"guide_price_minor": guide}))
        assert isinstance(program, Program)
        return [item for item in prices.promoted_prices(program) if "BELOW" in item.code or "NEVER" in item.code]

    floor = Fraction(guide * (10_000 - below), 10_000)
    found = findings(one, other)
    assert bool(found) == (worst(one, other) < floor)
    if found and found[0].code == "PROMOTION_BELOW_FLOOR":
        closest = int(found[0].en.split("closest allowed value here is ")[1].split(".")[0])
        assert findings(closest, other) == []
        further = closest - 1 if kind != "off" else closest + 1
        assert further == 0 or findings(further, other)
