"""Compliance profiles: what each refuses, of every component, and what nobody can let pass (docs/rules.md §2.8)."""

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from tenants.program import Program, Severity, as_data, parse, validate
from tenants.program.compliance import PROFILES, Profile, notices, profile
from tenants.program.payout import Payouts
from tenants.program.presets import PRESETS, preset
from tests.tenants.program.documents import document, level_table, rates

TABLE = "commission.components[0]"


def program(data: dict[str, Any]) -> Program:
    parsed = parse(data)
    assert isinstance(parsed, Program), parsed
    return parsed


def fixed(key: str = "fixed", **products: list[int]) -> dict[str, Any]:
    return {"kind": "fixed_per_product", "key": key, "products": products}


def compliance(data: dict[str, Any]) -> list[tuple[str | None, str, Severity]]:
    return [
        (item.rule, item.path, item.severity)
        for item in validate(program(data))
        if item.code in ("COMPLIANCE", "PAYOUT_UNKNOWN")
    ]


def test_cn_allows_two_paid_upline_levels_and_refuses_a_third() -> None:
    assert compliance(document(rates(1000, 1000, 1000))) == []
    assert compliance(document(rates(1000, 1000, 1000, 0, 0))) == []
    assert compliance(document(rates(1000, 1000, 1000, 0, 1))) == [
        ("CN.upline_levels", f"{TABLE}.levels[4]", Severity.ERROR),
    ]


@pytest.mark.parametrize(
    "component",
    [
        rates(0, 1, 1, 0, product_overrides={"S": [None, None, None, 5]}),
        level_table({"rate_bps": 0}, {"rate_bps": 1}, {"rate_bps": 1}, {"rate_bps": 0, "by_tier": {"gold": 1}}),
    ],
)
def test_a_third_upline_is_found_behind_a_product_and_a_tier(component: dict[str, Any]) -> None:
    assert compliance(document(component)) == [("CN.upline_levels", f"{TABLE}.levels[3]", Severity.ERROR)]


def test_a_third_upline_is_found_in_fixed_amounts() -> None:
    assert compliance(document(fixed(X=[1, 1, 1, 1]))) == [("CN.upline_levels", f"{TABLE}.products", Severity.ERROR)]


def test_cn_refuses_a_total_payout_above_its_limit() -> None:
    assert compliance(document(rates(3000, 2000))) == []
    too_much = [("CN.total_payout", f"{TABLE}.levels", Severity.ERROR)]
    assert compliance(document(rates(3000, 2001))) == too_much
    assert compliance(document(rates(3000, 2001), cap_bps=5000)) == []
    assert compliance(document(rates(3000, 2001), cap_bps=5001)) == too_much
    assert compliance(document(rates(6000), base={"kind": "pool", "share_bps": 8000})) == []
    assert compliance(document(rates(6500), base={"kind": "pool", "share_bps": 8000})) == too_much


def test_the_payout_of_fixed_amounts_is_judged_at_the_lowest_allowed_price() -> None:
    # Gold pays 70.00 for itself: 35.00 is half of it.
    assert compliance(document(fixed(X=[3500]))) == []
    assert compliance(document(fixed(X=[3501]))) == [("CN.total_payout", f"{TABLE}.products.X", Severity.ERROR)]
    assert compliance(document(fixed(Y=[1]))) == [(None, f"{TABLE}.products.Y", Severity.WARNING)]
    assert compliance(document(fixed(Y=[1]), cap_bps=5000)) == []


def test_a_payout_that_depends_on_the_catalogue_is_a_warning() -> None:
    one, other = rates(3000, key="a", only={"products": ["S"]}), rates(3000, key="b", only={"categories": ["c"]})
    assert compliance(document(one, other)) == [("CN.total_payout", "commission.components", Severity.WARNING)]


def test_the_profile_is_data_that_says_it_is_no_legal_advice() -> None:
    cn = profile("CN")
    assert "not legal advice" in cn.notice.en
    assert "不构成法律意见" in cn.notice.zh
    limits = {"CN.upline_levels": 2, "CN.total_payout": 5000, "CN.recruiting_pay": 0, "CN.entry_fee": 0}
    assert {rule.rule: rule.maximum for rule in cn.rules} == limits
    assert all(rule.source.zh and rule.source.en for rule in cn.rules)


def test_cn_refuses_what_a_price_does_not_tell_when_the_rates_alone_are_too_much() -> None:
    found = compliance(document(level_table({"rate_bps": 5001}, {"per_piece_minor": 1})))
    assert ("CN.total_payout", f"{TABLE}.levels", Severity.ERROR) in found


def differential(levels: int | None = None, bonus: int = 0, **rates_bps: int) -> dict[str, Any]:
    rates_bps = rates_bps or {"silver": 1000, "gold": 1500, "diamond": 2200}
    bonuses = {"levels": levels, "same_tier_bonus_bps": bonus}
    return {"kind": "differential", "key": "d", "rates_bps": rates_bps, **bonuses}


def test_the_levels_of_a_differential_count() -> None:
    assert compliance(document(differential(3))) == []
    assert compliance(document(differential(4))) == [("CN.upline_levels", f"{TABLE}.levels", Severity.ERROR)]
    assert compliance(document(differential(), paid_levels=3)) == []
    assert compliance(document(differential(), paid_levels=4)) == [
        ("CN.upline_levels", "hierarchy.paid_levels", Severity.ERROR)
    ]


def test_a_differential_pays_its_top_rate_and_a_bonus_for_every_two_levels() -> None:
    too_much = [("CN.total_payout", f"{TABLE}.rates_bps", Severity.ERROR)]
    assert compliance(document(differential(3, 2800))) == []  # 22 % and one bonus: two of a tier take two levels
    assert compliance(document(differential(3, 2801))) == too_much
    assert compliance(document(differential(1, 9000))) == []
    assert compliance(document(differential(1, silver=5001))) == too_much


def pieces(each: int, extra: int) -> dict[str, Any]:
    bands = [{"above_pieces": 10, "extra_minor": 1}, {"above_pieces": 30, "extra_minor": extra}]
    return {
        "kind": "per_piece_volume",
        "key": "pieces",
        "only": {"products": ["X"]},
        "per_piece_minor": each,
        "bands": bands,
    }


def test_amounts_a_piece_count_with_the_highest_lift() -> None:
    # Gold pays 70.00 for itself: 35.00 is half of it.
    assert compliance(document(pieces(3000, 500))) == []
    too_much = [("CN.total_payout", f"{TABLE}.per_piece_minor", Severity.ERROR)]
    assert compliance(document(pieces(3000, 501))) == too_much


def rebate(*bps: int, **more: Any) -> dict[str, Any]:
    bands = [{"from_minor": number * 1000, "rate_bps": rate} for number, rate in enumerate(bps)]
    return {"kind": "tiered_rebate", "key": "rebate", "bands": bands, **more}


def test_rebates_of_periods_add_to_what_orders_pay_and_no_cap_holds_them() -> None:
    assert compliance(document(rates(3800), rebate(500, 1200))) == []
    assert compliance(document(rates(3801), rebate(500, 1200))) == [
        ("CN.total_payout", "commission.components", Severity.ERROR)
    ]
    assert compliance(document(rates(3801), rebate(500, 1200), cap_bps=3800)) == []
    found = [item for item in validate(program(document(rates(5000), rebate(500, 1200)))) if item.rule]
    assert "commission.cap_bps to 3800 at most" in found[0].en
    assert "6200 bps" in found[0].en
    assert compliance(document(rebate(5001))) == [("CN.total_payout", f"{TABLE}.bands", Severity.ERROR)]
    apart = rebate(1200, only={"products": ["S"]}), rates(3801, only={"products": ["T"]})
    assert compliance(document(*apart)) == []


def test_a_fixed_amount_replaces_what_else_pays_for_the_line_and_not_the_rebate() -> None:
    assert compliance(document(rates(5000), fixed(X=[3500]))) == []
    both = compliance(document(rates(4000), fixed(X=[3500]), rebate(1000)))
    assert both == [("CN.total_payout", "commission.components", Severity.ERROR)]


def test_targets_in_sales_add_to_it_too() -> None:
    target = {"kind": "target_bonus", "key": "t", "targets": [{"at_least": 5_000_000, "bonus_minor": 50_000}]}
    assert compliance(document(rates(4900), target)) == []
    assert compliance(document(rates(4901), target)) == [("CN.total_payout", "commission.components", Severity.ERROR)]


@pytest.mark.parametrize("kind", ["tiered_rebate", "target_bonus", "ranking_award"])
def test_whoever_is_paid_for_group_sales_is_an_upline(kind: str) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "tiered_rebate": {"bands": [{"from_minor": 0, "rate_bps": 1}]},
        "target_bonus": {"targets": [{"at_least": 100, "bonus_minor": 1}]},
        "ranking_award": {"awards_minor": [1]},
    }
    data = document({"kind": kind, "key": "k", "measure": "group_sales", **kinds[kind]}, paid_levels=3)
    refused = [("CN.upline_levels", f"{TABLE}.measure", Severity.ERROR)]
    for depth, expected in ((3, []), (4, refused), (None, refused)):
        data["hierarchy"]["depth_limit"] = depth
        assert compliance(data) == expected
    data["commission"]["components"][0]["measure"] = "own_sales"
    assert compliance(data) == []


def test_a_rebate_on_group_sales_is_paid_to_every_generation() -> None:
    data = document(rebate(1666, measure="group_sales"), paid_levels=3)
    data["hierarchy"]["depth_limit"] = 3
    assert compliance(data) == []
    data["commission"]["components"][0]["bands"][0]["rate_bps"] = 1667
    assert compliance(data) == [("CN.total_payout", f"{TABLE}.bands", Severity.ERROR)]


def test_a_margin_is_judged_where_it_is_widest() -> None:
    """The margin of a piece that cost 40.00 is 62 % of a price of 105.00, 43 % of 70.00."""
    margin = {"kind": "gross_margin", "costs_minor": {"X": 4000}}
    assert compliance(document(rates(8000), base=margin)) == []  # 80 % of 65.00 are 52.00 of 105.00
    assert compliance(document(rates(8078), base=margin)) == [("CN.total_payout", f"{TABLE}.levels", Severity.ERROR)]


def test_a_cap_of_the_margin_is_judged_where_it_begins_to_hold() -> None:
    """10.00 a piece, at most 80 % of what is above 60.00: at 72.50 exactly 10.00, 13.8 % of the price, and no more."""
    data = document(level_table({"per_piece_minor": 1000}), base={"kind": "gross_margin", "costs_minor": {"X": 6000}})
    data["commission"]["cap_bps"] = 8000
    payouts = Payouts(program(data))
    (case,) = [case for case in payouts.cases if case.sku == "X"]
    assert payouts.share(case).most * 7250 == 1000


def test_a_value_of_the_product_is_judged_at_the_lowest_price() -> None:
    value = {"kind": "product_value", "values_minor": {"X": 3500}}
    assert compliance(document(rates(10_000), base=value)) == []
    assert compliance(document(rates(10_000), base={**value, "values_minor": {"X": 3501}})) == [
        ("CN.total_payout", f"{TABLE}.levels", Severity.ERROR)
    ]


@pytest.mark.parametrize("code", PROFILES)
def test_every_profile_refuses_recruiting_pay_and_entry_fees_for_good(code: str) -> None:
    for steps in (("commission", "recruiting_bonus_minor"), ("hierarchy", "entry_fee_minor")):
        data = document(rates(1000))
        data["compliance_profile"] = ["CN", code] if code != "CN" else "CN"
        data[steps[0]][steps[1]] = 1
        found = [item for item in validate(program(data)) if item.rule and item.rule.startswith(f"{code}.")]
        assert [(item.path, item.severity, item.overridable) for item in found] == [
            (".".join(steps), Severity.ERROR, False)
        ]
        assert "Set it to 0" in found[0].en
        assert "请设为 0" in found[0].zh


@pytest.mark.parametrize("code", PROFILES)
def test_every_profile_says_where_it_comes_from_and_that_it_is_no_legal_advice(code: str) -> None:
    assert len(PROFILES) >= 2
    found = profile(code)
    assert found.code == code
    assert "not legal advice" in found.notice.en
    assert "不构成法律意见" in found.notice.zh
    for rule in found.rules:
        assert rule.rule.startswith(f"{code}.")
        assert rule.source.zh
        assert rule.source.en
        for words in (rule.says, rule.remedy):
            assert words.en.format(value=1, maximum=2, closest=3)
            assert words.zh.format(value=1, maximum=2, closest=3)


def test_a_profile_that_would_let_heads_be_paid_cannot_be_made() -> None:
    data = profile("CN").model_dump(mode="json")
    for change in ({"maximum": 1}, {"overridable": True}, {"severity": "warning"}):
        changed = deepcopy(data)
        changed["rules"][2] |= change
        with pytest.raises(ValidationError, match="must be refused"):
            Profile.model_validate(changed)
    with pytest.raises(ValidationError, match="limits each of"):
        Profile.model_validate({**data, "rules": data["rules"][:3]})


def test_the_notices_of_the_profiles_go_with_a_program() -> None:
    data = document(rates(1000))
    assert [notice.profile for notice in notices(program(data))] == ["CN"]
    data["compliance_profile"] = ["CN", "INTL", "NONE"]
    both = notices(program(data))
    assert [notice.profile for notice in both] == ["CN", "INTL"]
    assert "not legal advice" in both[1].message("en")
    assert "不构成法律意见" in both[0].message("zh-CN")


def test_two_profiles_each_object_for_themselves() -> None:
    data = document(rates(*[1500] * 7))
    data["compliance_profile"] = ["INTL", "CN"]
    assert {item.rule for item in validate(program(data)) if item.rule} == {
        "CN.upline_levels",
        "CN.total_payout",
        "INTL.upline_levels",
        "INTL.total_payout",
    }


def test_a_program_in_yuan_cannot_do_without_the_profile_of_china() -> None:
    data = document(rates(1000))
    data["compliance_profile"] = "INTL"
    assert compliance(data) == [("CN.required", "compliance_profile", Severity.ERROR)]
    data["currency"] = "EUR"
    assert compliance(data) == []


def test_an_unknown_profile_is_a_finding_and_no_exception() -> None:
    data = document(rates(1000))
    data["compliance_profile"] = "CNN"
    data["currency"] = "EUR"
    (found,) = validate(program(data))
    assert (found.path, found.code, found.severity) == ("compliance_profile", "UNKNOWN_PROFILE", Severity.ERROR)
    assert "CN is close" in found.en
    with pytest.raises(LookupError, match="INTL"):
        profile("../CN")


@pytest.mark.parametrize("code", PRESETS)
def test_every_preset_passes_every_profile(code: str) -> None:
    data = as_data(preset(code)) | {"compliance_profile": list(PROFILES)}
    assert validate(program(data)) == []
