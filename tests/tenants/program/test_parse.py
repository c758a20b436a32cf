"""Documents in and out: round trips, strict texts, and no exception whatever is given."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.program import Program, as_data, dump, parse, validate
from tenants.program.findings import Finding
from tenants.program.presets import PRESETS, preset
from tenants.program.text import DEPTH_MAX, SIZE_MAX, Format
from tests.tenants.program.documents import document, documents, everything, rates

FORMATS: tuple[Format, ...] = ("yaml", "json")


def refused(text: Any, form: Format = "yaml") -> dict[str, str]:
    """The codes of the findings by path."""
    findings = parse(text, form)
    assert not isinstance(findings, Program)
    return {found.path: found.code for found in findings}


@pytest.mark.parametrize("code", PRESETS)
def test_every_preset_is_sound(code: str) -> None:
    assert validate(preset(code)) == []


def test_an_unknown_preset_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="cedar"):
        preset("../cedar")


@pytest.mark.long
@pytest.mark.parametrize("form", FORMATS)
@given(documents())
@settings(deadline=None, max_examples=200)
def test_what_is_written_reads_back_equal_and_writes_the_same_text(form: Format, data: dict[str, Any]) -> None:
    program = parse(data)
    assert isinstance(program, Program), program
    text = dump(program, form)
    again = parse(text, form)
    assert again == program
    assert dump(again, form) == text
    assert parse(as_data(program)) == program


def test_every_setting_is_written_so_that_a_later_default_changes_nothing() -> None:
    program = parse(document(rates(1000)))
    assert isinstance(program, Program)
    written = as_data(program)
    assert written["commission"]["cap_bps"] is None
    assert written["settlement"]["hold_days"] == 7


@pytest.mark.parametrize(
    ("text", "form", "found"),
    [
        ("currency: CNY\ncurrency: USD", "yaml", {"currency": "DUPLICATE_KEY"}),
        ("a: {b: 1, 'b': 2}", "yaml", {"a.b": "DUPLICATE_KEY"}),
        ('{"currency": "CNY", "currency": "USD"}', "json", {"currency": "DUPLICATE_KEY"}),
        ('{"a": [{}, {"b c": {"d": 1, "d": 2}}]}', "json", {'a[1]["b c"].d': "DUPLICATE_KEY"}),
        ('{"\\ud800": 1}', "json", {"": "NOT_READABLE"}),
        ('{"\\ud800": 1, "\\ud800": 2}', "json", {"": "NOT_READABLE"}),
        ('{"\ud800": 1}', "json", {"": "NOT_READABLE"}),
        ('{"a": 1e-99999999999999999999}', "json", {"": "NOT_READABLE"}),
        ("a: 1.0e-99999999999999999999", "yaml", {"": "NOT_READABLE"}),
        ("a: &x [1]\nb: *x", "yaml", {"a": "NOT_PLAIN_DATA"}),
        ("a: !!python/object:os.system {}", "yaml", {"a": "NOT_PLAIN_DATA"}),
        ("--- {}\n--- {}", "yaml", {"": "NOT_PLAIN_DATA"}),
        ("a: [", "yaml", {"": "NOT_READABLE"}),
        ("? [a]\n: b", "yaml", {"": "NOT_READABLE"}),
        ("[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), "yaml", {"": "NOT_READABLE"}),
        ("[" * 100_000, "yaml", {"": "NOT_READABLE"}),
        ("[" * 100_000, "json", {"": "NOT_READABLE"}),
        ('{"a":' * 500 + "1" + "}" * 500, "json", {"": "NOT_READABLE"}),
        ("NaN", "json", {"": "NOT_READABLE"}),
        ("1" * 5000, "json", {"": "NOT_READABLE"}),
        (b"\xff\xfe", "yaml", {"": "NOT_READABLE"}),
        ("a: \x00", "yaml", {"": "NOT_READABLE"}),
        ("\ud800", "yaml", {"": "NOT_READABLE"}),
        ("#" * (SIZE_MAX + 1), "yaml", {"": "TOO_LARGE"}),
        ("", "yaml", {"": "WRONG_TYPE"}),
        ("[]", "json", {"": "WRONG_TYPE"}),
    ],
)
def test_a_text_that_is_no_plain_document_is_a_finding(text: Any, form: Format, found: dict[str, str]) -> None:
    assert refused(text, form) == found


def test_an_unreadable_text_tells_the_line() -> None:
    (found,) = parse("currency: CNY\nname: [")
    assert isinstance(found, Finding)
    assert "line 3" in found.en


def test_yaml_keeps_codes_and_days_as_text() -> None:
    text = dump(_program(rates(1000, effective_from="2026-07-01", product_overrides={"0123": [1], "1.5e3": [2]})))
    assert parse(text.replace("'0123'", "0123")) == parse(text)
    assert refused(text.replace("'0123'", "123")) == {
        "commission.components[0].product_overrides[123]": "WRONG_TYPE",
    }


@pytest.mark.parametrize(
    ("steps", "value", "path", "code", "remedy"),
    [
        (("hierarchy", "paid_level"), 3, "hierarchy.paid_level", "UNKNOWN_KEY", "paid_levels is close"),
        (("hierarchy", "depth_limit"), 11, "hierarchy.depth_limit", "OUT_OF_RANGE", "closest allowed value is 10"),
        (("hierarchy", "depth_limit"), 0, "hierarchy.depth_limit", "OUT_OF_RANGE", "closest allowed value is 1"),
        (("hierarchy", "paid_levels"), "3", "hierarchy.paid_levels", "WRONG_TYPE", "whole number"),
        (("hierarchy", "paid_levels"), 3.0, "hierarchy.paid_levels", "WRONG_TYPE", "whole number"),
        (("hierarchy", "paid_levels"), True, "hierarchy.paid_levels", "WRONG_TYPE", "whole number"),
        (("hierarchy", "recruiters"), {"kind": "tiers"}, "hierarchy.recruiters.tiers", "MISSING_KEY", "add it"),
        (
            ("hierarchy", "recruiters"),
            {"kind": "tier"},
            "hierarchy.recruiters.kind",
            "UNKNOWN_CHOICE",
            "tiers is close",
        ),
        (("hierarchy", "recruiters"), {}, "hierarchy.recruiters.kind", "MISSING_KEY", "add it"),
        (("currency",), "yuan", "currency", "BAD_TEXT", "CNY"),
        (("name", "en"), "", "name.en", "BAD_LENGTH", "closest allowed number is 1"),
        (("name", "en"), "two\nlines", "name.en", "BAD_TEXT", "one line"),
        (("exit",), [], "exit", "WRONG_TYPE", "set of settings"),
        (("exit",), None, "exit", "WRONG_TYPE", "null is not a set of settings"),
        (("hierarchy", "paid_levels"), False, "hierarchy.paid_levels", "WRONG_TYPE", "false is not a whole number"),
        (("hierarchy", "paid_levels"), Decimal("2.5"), "hierarchy.paid_levels", "WRONG_TYPE", "2.5 is not a whole"),
        (("tiers",), {}, "tiers", "WRONG_TYPE", "list"),
        (("commission", "components", 0), 5, "commission.components[0]", "WRONG_TYPE", "set of settings"),
        (("commission", "components", 0, "levels"), [], "commission.components[0].levels", "BAD_LENGTH", "is 1"),
        (
            ("commission", "components", 0, "levels", 0, "rate_bps"),
            10_001,
            "commission.components[0].levels[0].rate_bps",
            "OUT_OF_RANGE",
            "closest allowed value is 10000",
        ),
        (
            ("commission", "components", 0, "effective_from"),
            "2026-02-30",
            "commission.components[0].effective_from",
            "WRONG_TYPE",
            "YYYY-MM-DD",
        ),
        (
            ("commission", "self_purchase_pays_seller"),
            "yes",
            "commission.self_purchase_pays_seller",
            "WRONG_TYPE",
            "true or false",
        ),
        (
            ("price_policy", "products", "A B"),
            {"guide_price_minor": 1},
            'price_policy.products["A B"]',
            "BAD_TEXT",
            "without spaces",
        ),
    ],
)
def test_structure_is_told_by_place_code_and_remedy(
    steps: tuple[str | int, ...], value: Any, path: str, code: str, remedy: str
) -> None:
    data: Any = document(rates(1000))
    part = data
    for step in steps[:-1]:
        part = part[step]
    part[steps[-1]] = value
    findings = parse(data)
    assert not isinstance(findings, Program)
    (found,) = findings
    assert (found.path, found.code) == (path, code)
    assert remedy in found.en
    assert any("一" <= sign <= "鿿" for sign in found.zh)


def test_all_findings_come_at_once_from_the_broken_and_from_the_sound_sections() -> None:
    data = document(rates(9000, 2000), paid_levels=1)
    data["settlement"] = {"hold_day": 7, "fee_bps": -1}
    data["visibility"] = {"personal_data": "hidden"}
    data["currency"] = "ZZZ"
    assert refused(data) == {
        "settlement.hold_day": "UNKNOWN_KEY",
        "settlement.fee_bps": "OUT_OF_RANGE",
        "visibility.personal_data": "UNKNOWN_CHOICE",
        "currency": "CURRENCY_UNKNOWN",
        "commission.components[0].levels": "COMPLIANCE",
    }
    codes = [found.code for found in parse(data) if isinstance(found, Finding)]
    assert {"LEVELS_BEYOND_PAID_LEVELS", "RATES_EXCEED_WHOLE", "COMPLIANCE"} <= set(codes)


def test_the_sound_components_products_and_promotions_of_a_broken_section_are_checked_too() -> None:
    data = everything()
    data["commission"]["components"][1]["products"]["Z"] = [-1]
    data["commission"]["components"].insert(0, {"kind": "level_tabel"})
    data["commission"]["cap_bps"] = "4000"
    data["commission"]["components"][4]["rates_bps"]["golden"] = 5
    data["commission"]["components"][5]["tiers"] = ["god"]
    data["price_policy"]["products"]["X"]["guide_price_minor"] = 0
    data["price_policy"]["products"]["Y"]["regional_purchase_price_minor"]["440100"]["silver"] = 20_001
    data["price_policy"]["promotions"][1]["buy"] = 3
    data["price_policy"]["promotions"][2]["get"] = 2
    assert refused(data) == {
        "commission.components[0].kind": "UNKNOWN_CHOICE",
        "commission.components[2].products.Z[0]": "OUT_OF_RANGE",
        "commission.cap_bps": "WRONG_TYPE",
        "commission.components[4].rates_bps.golden": "UNKNOWN_TIER",
        "commission.components[5].tiers[0]": "UNKNOWN_TIER",
        "price_policy.products.X.guide_price_minor": "OUT_OF_RANGE",
        'price_policy.products.Y.regional_purchase_price_minor["440100"].silver': "PURCHASE_ABOVE_GUIDE",
        "price_policy.promotions[1].buy": "UNKNOWN_KEY",
        "price_policy.promotions[2].buy": "PROMOTION_BELOW_FLOOR",
    }


@pytest.mark.parametrize(
    ("condition", "path", "code", "remedy"),
    [
        ({"kind": "all", "of": [{"kind": "orders"}]}, "of[0].at_least", "MISSING_KEY", "add it"),
        ({"kind": "all", "of": []}, "of", "BAD_LENGTH", "is 1"),
        (
            {"kind": "any", "of": [{"kind": "all", "of": [{"kind": "own_sales", "at_least_minor": 0}]}]},
            "of[0].of[0].at_least_minor",
            "OUT_OF_RANGE",
            "closest allowed value is 1",
        ),
        (
            {"kind": "any", "of": [{"kind": "all", "of": [{"kind": "group_sale", "at_least_minor": 1}]}]},
            "of[0].of[0].kind",
            "UNKNOWN_CHOICE",
            "group_sales is close",
        ),
        (
            {"kind": "any", "of": [{"kind": "orders", "at_least": 1, "at_most": 2}]},
            "of[0].at_most",
            "UNKNOWN_KEY",
            "at_least is close",
        ),
    ],
)
def test_conditions_are_told_by_their_places(condition: dict[str, Any], path: str, code: str, remedy: str) -> None:
    data = document(rates(1000))
    data["tiers"][1]["promotion"] = condition
    findings = parse(data)
    assert not isinstance(findings, Program)
    assert [(found.path, found.code) for found in findings] == [(f"tiers[1].promotion.{path}", code)]
    assert remedy in findings[0].en


@pytest.mark.parametrize(
    ("value", "closest"),
    [
        *(("3", "3"), (3.0, "3"), (2.5, "3"), ("x", None), (True, None), ([], None), ("1e99", None), ("NaN", None)),
        *((Decimal("1E+999999999999"), None), ("1e-999999999", "0"), (-0.2, "0"), ("-5", "0")),
    ],
)
def test_a_number_in_another_form_is_told_with_the_closest_whole_one(value: object, closest: str | None) -> None:
    data = document(rates(1000))
    data["hierarchy"]["paid_levels"] = value
    findings = parse(data)
    assert not isinstance(findings, Program)
    (found,) = findings
    assert ("closest allowed value" in found.en) == (closest is not None)
    assert closest is None or f"closest allowed value is {closest}" in found.en


def test_checks_that_need_a_broken_section_keep_silent() -> None:
    data = document(rates(1000, 500), paid_levels=3)
    data["commission"]["components"][0]["levels"][0]["by_tier"] = {"gold": 2000}
    data["tiers"] = 5
    assert refused(data) == {"tiers": "WRONG_TYPE"}


def test_a_key_that_is_no_text_hides_no_crash() -> None:
    assert refused({"\ud800": 1}) == {"": "WRONG_TYPE"}
    assert refused(document(rates(1000)) | {"\ud800": 1}) == {"": "WRONG_TYPE"}


@pytest.mark.parametrize("form", FORMATS)
@given(st.text() | st.binary())
@settings(deadline=None, max_examples=300)
def test_any_text_is_a_program_or_findings(form: Format, text: str | bytes) -> None:
    assert not isinstance(parse(text, form), Program)


@pytest.mark.long
@given(st.data(), st.sampled_from(PRESETS), st.sampled_from(FORMATS))
@settings(deadline=None, max_examples=300)
def test_a_damaged_text_is_a_program_or_findings(source: st.DataObject, code: str, form: Format) -> None:
    text = dump(preset(code), form)
    start = source.draw(st.integers(0, len(text)))
    length = source.draw(st.integers(0, 5))
    outcome = parse(text[:start] + source.draw(st.text(max_size=3)) + text[start + length :], form)
    assert isinstance(outcome, Program) or outcome


def test_data_nested_beyond_all_measure_is_a_finding() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    data: Any = document(rates(1000))
    for place in (data, data["commission"], data["hierarchy"]):
        place["more"] = deep
    data["visibility"] = {"personal_data": deep, "downline_depth": deep}
    data["hierarchy"]["recruiters"] = {"kind": deep}
    assert refused(data) == {"": "NOT_READABLE"}


def _program(*components: dict[str, Any]) -> Program:
    program = parse(document(*components))
    assert isinstance(program, Program), program
    return program
