"""The sense of a program: each check finds its fault at its place, and nothing else."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings

from tenants.program import Program, parse, validate
from tenants.program.findings import CATALOGUE, Finding, errors_in, path_of
from tests.tenants.program.documents import at, document, documents, level_table, rates


def program(data: dict[str, Any]) -> Program:
    parsed = parse(data)
    assert isinstance(parsed, Program), parsed
    return parsed


def found(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Path and code of every finding."""
    return [(item.path, item.code) for item in validate(program(data))]


def only(data: dict[str, Any]) -> Finding:
    (item,) = validate(program(data))
    return item


def fixed(key: str = "fixed", **products: list[int]) -> dict[str, Any]:
    return {"kind": "fixed_per_product", "key": key, "products": products}


TABLE = "commission.components[0]"


@pytest.mark.parametrize(
    ("steps", "value", "path", "code"),
    [
        (("currency",), "ZZZ", "currency", "CURRENCY_UNKNOWN"),
        (("hierarchy", "depth_limit"), 2, "hierarchy.paid_levels", "PAID_LEVELS_BEYOND_DEPTH"),
        (("tiers", 1, "code"), "silver", "tiers[1].code", "DUPLICATE_CODE"),
        (
            ("hierarchy", "recruiters"),
            {"kind": "tiers", "tiers": ["gold", "golden"]},
            "hierarchy.recruiters.tiers[1]",
            "UNKNOWN_TIER",
        ),
        (
            ("price_policy", "products", "X", "purchase_price_minor", "silver"),
            10_001,
            "price_policy.products.X.purchase_price_minor.silver",
            "PURCHASE_ABOVE_GUIDE",
        ),
        (
            ("price_policy", "products", "X", "purchase_price_minor", "gold"),
            8001,
            "price_policy.products.X.purchase_price_minor.gold",
            "PURCHASE_PRICE_RISES",
        ),
        (
            ("settlement",),
            {"fee_bps": 60, "withholding_without_invoice_bps": 9941},
            "settlement.withholding_without_invoice_bps",
            "NOTHING_LEFT_TO_PAY",
        ),
        (
            ("settlement",),
            {"fee_bps": 60, "withholding_brackets": [{"from_minor": 0, "rate_bps": 9941}]},
            "settlement.withholding_brackets[0].rate_bps",
            "NOTHING_LEFT_TO_PAY",
        ),
        (
            ("settlement",),
            {"minimum_payout_minor": 10, "maximum_payout_minor": 9},
            "settlement.maximum_payout_minor",
            "PAYOUT_BOUNDS_CROSSED",
        ),
        (
            ("settlement",),
            {"withholding_without_invoice_bps": 1, "withholding_brackets": [{"from_minor": 0, "rate_bps": 1}]},
            "settlement.withholding_without_invoice_bps",
            "WITHHELD_TWICE",
        ),
        (
            ("settlement",),
            {"withholding_brackets": [{"from_minor": 5, "rate_bps": 1}, {"from_minor": 5, "rate_bps": 2}]},
            "settlement.withholding_brackets[1].from_minor",
            "BANDS_NOT_RISING",
        ),
        (("commission", "components", 0, "levels", 0), {}, f"{TABLE}.levels[0]", "LEVEL_UNIT"),
        (
            ("commission", "components", 0, "levels", 0, "per_piece_minor"),
            0,
            f"{TABLE}.levels[0]",
            "LEVEL_UNIT",
        ),
        (
            ("commission", "components", 0, "levels", 0, "by_tier"),
            {"bronze": 1},
            f"{TABLE}.levels[0].by_tier.bronze",
            "UNKNOWN_TIER",
        ),
        (
            ("commission", "components", 0, "product_overrides"),
            {"S": [1, 2, 3, 4]},
            f"{TABLE}.product_overrides.S",
            "OVERRIDE_BEYOND_TABLE",
        ),
        (("commission", "components"), [], "commission.components", "NOBODY_EARNS"),
        (("commission", "components", 0, "levels"), [{"rate_bps": 0}], "commission.components", "NOBODY_EARNS"),
        (("hierarchy", "paid_levels"), 2, f"{TABLE}.levels", "LEVELS_BEYOND_PAID_LEVELS"),
    ],
)
def test_each_fault_is_found_at_its_place(steps: tuple[str | int, ...], value: Any, path: str, code: str) -> None:
    data = document(rates(1000, 1500, 500), paid_levels=3)
    assert found(data) == []
    at(data, *steps[:-1])[steps[-1]] = value
    if code == "DUPLICATE_CODE":  # the second silver was the gold that a price refers to
        del data["price_policy"]["products"]["X"]["purchase_price_minor"]["gold"]
    item = only(data)
    assert (item.path, item.code) == (path, code)
    assert item.severity is CATALOGUE[code][0]
    assert any("一" <= sign <= "鿿" for sign in item.zh)


def test_level_names_beyond_the_depth_are_a_warning() -> None:
    data = document(rates(1000), paid_levels=1)
    data["hierarchy"] |= {"depth_limit": 1, "level_names": [{"zh": "省", "en": "P"}, {"zh": "市", "en": "C"}]}
    assert found(data) == [("hierarchy.level_names", "LEVEL_NAMES_BEYOND_DEPTH")]


def test_component_keys_are_unique() -> None:
    data = document(rates(100, key="a"), rates(100, key="a"))
    assert found(data) == [("commission.components[1].key", "DUPLICATE_CODE")]


def test_a_component_that_ends_before_it_starts_is_an_error() -> None:
    data = document(rates(1000), rates(1, key="b", effective_from="2026-07-01", effective_until="2026-07-01"))
    assert found(data) == [("commission.components[1].effective_until", "NEVER_IN_EFFECT")]


def test_a_rate_of_a_tier_or_product_above_the_whole_is_an_error() -> None:
    data = document(rates(1000, product_overrides={"S": [10_001]}), cap_bps=5000)
    assert (f"{TABLE}.product_overrides.S[0]", "RATE_ABOVE_WHOLE") in found(data)
    data = document(level_table({"rate_bps": 1, "by_tier": {"gold": 10_001}}), cap_bps=5000)
    assert (f"{TABLE}.levels[0].by_tier.gold", "RATE_ABOVE_WHOLE") in found(data)


def test_an_amount_a_piece_may_be_above_the_number_of_the_whole() -> None:
    data = document(level_table({"per_piece_minor": 1, "by_tier": {"gold": 20_000}}), cap_bps=5000)
    assert "RATE_ABOVE_WHOLE" not in [code for _, code in found(data)]


def rates_above_whole(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [item for item in found(data) if item[1].startswith("RATES_")]


def test_rates_may_add_up_to_the_whole_and_no_further() -> None:
    assert rates_above_whole(document(rates(9000, 1000), cap_bps=5000)) == []
    assert rates_above_whole(document(rates(9000, 1001), cap_bps=5000)) == [
        (f"{TABLE}.levels", "RATES_EXCEED_WHOLE"),
    ]


def test_the_highest_tier_of_each_level_counts_for_the_sum() -> None:
    levels = [{"rate_bps": 1000, "by_tier": {"gold": 6000}}, {"rate_bps": 5000, "by_tier": {"gold": 1}}]
    (item,) = [i for i in validate(program(document(level_table(*levels), cap_bps=5000))) if "RATES" in i.code]
    assert "11000 bps" in item.en
    assert "lower them by 1000" in item.en


def test_tables_that_apply_together_are_added_and_those_apart_are_not() -> None:
    def tables(one: dict[str, Any], other: dict[str, Any]) -> list[tuple[str, str]]:
        return rates_above_whole(
            document(rates(6000, key="a", only=one), rates(6000, key="b", only=other), cap_bps=5000)
        )

    assert tables({"products": ["S"]}, {"products": ["T"]}) == []
    assert tables({"products": ["S"]}, {"products": ["S"]}) == [("commission.components", "RATES_EXCEED_WHOLE")]
    assert tables({"categories": ["c"]}, {}) == [("commission.components", "RATES_EXCEED_WHOLE")]
    assert tables({"products": ["S"]}, {"categories": ["c"]}) == [("commission.components", "RATES_MAY_EXCEED_WHOLE")]


def test_tables_that_follow_one_another_are_not_added() -> None:
    day = "2026-07-01"
    first, then = rates(6000, key="a", effective_until=day), rates(6000, key="b", effective_from=day)
    assert rates_above_whole(document(first, then, cap_bps=5000)) == []
    then["effective_from"] = "2026-06-30"
    assert rates_above_whole(document(first, then, cap_bps=5000)) == [("commission.components", "RATES_EXCEED_WHOLE")]


def test_levels_beyond_the_paid_ones_are_found_in_fixed_amounts_too() -> None:
    data = document(fixed(X=[1, 1, 1]), paid_levels=2)
    assert found(data) == [(f"{TABLE}.products.X", "LEVELS_BEYOND_PAID_LEVELS")]


def test_a_product_fixed_twice_is_a_warning_unless_the_days_differ() -> None:
    day = "2026-07-01"
    first, second = fixed("a", X=[1]), fixed("b", X=[1])
    assert found(document(first, second)) == [("commission.components[1].products.X", "FIXED_TWICE")]
    assert found(document(first | {"effective_until": day}, second | {"effective_from": day})) == []
    third = fixed("c", X=[1])
    three = document(
        first | {"effective_until": day}, second | {"effective_from": day}, third | {"effective_from": day}
    )
    assert found(three) == [("commission.components[2].products.X", "FIXED_TWICE")]


def test_fixed_amounts_that_the_lowest_allowed_price_cannot_bear_are_a_warning() -> None:
    # Gold pays 70.00 for itself, a cap of 20 %: 14.00 may be paid out.
    assert found(document(fixed(X=[1000, 400]), cap_bps=2000)) == []
    item = only(document(fixed(X=[1000, 401]), cap_bps=2000))
    assert (item.path, item.code) == (f"{TABLE}.products.X", "FIXED_EXCEEDS_PRICE")
    assert "1401 minor units" in item.en
    assert "Lower them to 1400" in item.en
    data = document(fixed(X=[1000, 900]), cap_bps=2000)
    del data["price_policy"]["products"]["X"]["purchase_price_minor"]
    assert found(data) == []  # 95.00 is the floor of the band


# -- as a whole ----------------------------------------------------------------------------------------------------


def test_all_findings_come_at_once() -> None:
    data = document(rates(9000, 2000, 1, 1, key="a"), rates(1, key="a"), paid_levels=1)
    data["currency"] = "ZZZ"
    codes = {code for _, code in found(data)}
    assert {"CURRENCY_UNKNOWN", "DUPLICATE_CODE", "LEVELS_BEYOND_PAID_LEVELS", "RATES_EXCEED_WHOLE"} <= codes
    assert len(errors_in(validate(program(data)))) == len(found(data))


@pytest.mark.long
@given(documents(most=12_000))
@settings(deadline=None, max_examples=200)
def test_any_structurally_right_program_is_judged_without_an_exception(data: dict[str, Any]) -> None:
    outcome = parse(data)
    if isinstance(outcome, Program):
        for item in validate(outcome):
            assert item.code in CATALOGUE
            assert item.path


def test_paths_quote_what_is_no_plain_word() -> None:
    assert path_of(["a", "b", 0, "SKU-1", 'x"y', "z"]) == 'a.b[0]["SKU-1"]["x\\"y"].z'


def test_a_finding_speaks_both_languages() -> None:
    item = only(document())
    assert item.message("zh-CN") == item.zh
    assert item.message("en") == item.en


def test_the_first_and_last_day_of_effect_are_half_open() -> None:
    data = document(rates(1, effective_from="2026-07-01", effective_until="2026-08-01"))
    (component,) = program(data).commission.components
    assert component.effective_from == date(2026, 7, 1)
