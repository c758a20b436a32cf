"""Each fault of a component, a condition or a territory is found at its place, with the closest allowed value."""

from typing import Any

import pytest

from tenants.program import Program, parse, validate
from tenants.program.findings import CATALOGUE
from tests.tenants.program.documents import at, document, everything, rates

PARTS = ("commission", "components")
TABLE, FIXED, PIECES, DIFFERENTIAL, REBATE, TARGET, EVENT, RANKING = ((*PARTS, number) for number in range(8))
C = "commission.components"


def judged(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Path, code and sentence of every finding."""
    program = parse(data)
    assert isinstance(program, Program), program
    return [(item.path, item.code, item.en) for item in validate(program)]


def codes(data: dict[str, Any]) -> list[tuple[str, str]]:
    return [(path, code) for path, code, _ in judged(data)]


def test_a_program_may_use_everything_at_once_without_a_finding() -> None:
    assert judged(everything()) == []


CASES: list[tuple[tuple[str | int, ...], Any, str, str, str]] = [
    ((*PIECES, "bands", 1, "above_pieces"), 30, f"{C}[2].bands[1].above_pieces", "BANDS_NOT_RISING", "value is 31"),
    ((*REBATE, "bands", 1, "from_minor"), 0, f"{C}[4].bands[1].from_minor", "BANDS_NOT_RISING", "value is 1"),
    ((*TARGET, "targets", 1, "at_least"), 9, f"{C}[5].targets[1].at_least", "BANDS_NOT_RISING", "value is 11"),
    ((*TARGET, "targets", 1, "bonus_minor"), 999, f"{C}[5].targets[1].bonus_minor", "BONUS_FALLS", "is 1000"),
    ((*RANKING, "awards_minor"), [1000, 2000], f"{C}[7].awards_minor[0]", "BONUS_FALLS", "is 2000"),
    ((*DIFFERENTIAL, "rates_bps", "golden"), 1, f"{C}[3].rates_bps.golden", "UNKNOWN_TIER", "gold is close"),
    (
        (*DIFFERENTIAL, "rates_bps", "gold"),
        200,
        f"{C}[3].rates_bps.gold",
        "DIFFERENTIAL_NOT_RISING",
        "no more than 200",
    ),
    ((*DIFFERENTIAL, "rates_bps"), {"gold": 9}, f"{C}[3].rates_bps", "DIFFERENTIAL_NOT_RISING", "Tier diamond has 0"),
    ((*DIFFERENTIAL, "levels"), 4, f"{C}[3].levels", "LEVELS_BEYOND_PAID_LEVELS", "allows 3"),
    ((*REBATE, "tiers"), ["gold", "dimond"], f"{C}[4].tiers[1]", "UNKNOWN_TIER", "diamond is close"),
    ((*REBATE, "tiers"), ["gold", "gold"], f"{C}[4].tiers[1]", "DUPLICATE_CODE", "used twice"),
    ((*EVENT, "channels"), ["直播", "直播"], f"{C}[6].channels[1]", "DUPLICATE_CODE", "used twice"),
    ((*EVENT, "minimum_minor"), 4999, f"{C}[6].minimum_minor", "EVENT_ABOVE_ORDER", "to 5000"),
    ((*TABLE, "effective_until"), "2026-01-01", f"{C}[0].effective_until", "NEVER_IN_EFFECT", "later day"),
    (("commission", "cap_bps"), 0, "commission.cap_bps", "CAP_PAYS_NOTHING", "null"),
    (("commission", "base", "costs_minor"), {"Y": 1}, "commission.base.costs_minor", "BASE_LACKS_PRODUCTS", "X, Z"),
    (("commission", "base", "costs_minor", "X"), 7001, "commission.base.costs_minor.X", "COST_ABOVE_PRICE", "is 7000"),
    (("tiers", 2, "promotion"), None, "tiers[2]", "TIER_WITHOUT_PROMOTION", "by hand"),
    (("tiers", 2, "keep"), None, "tiers[2]", "TIER_WITHOUT_KEEP", "never lost"),
    (
        ("tiers", 1, "promotion"),
        {"kind": "own_sales", "at_least_minor": 99},
        "tiers[1].keep.at_least_minor",
        "KEEP_ABOVE_PROMOTION",
        "99 is the closest",
    ),
    (("territory", "agents", "regions"), {"990100": 1}, 'territory.agents.regions["990100"]', "REGION_UNKNOWN", "9901"),
    (
        ("territory", "regions"),
        "exclusive",
        'territory.agents.regions["440100"]',
        "AGENTS_OF_EXCLUSIVE",
        "2 distributors",
    ),
    (
        ("territory", "cross_region_lead"),
        {"performance_to_region_bps": 0, "commission_to_seller_bps": 10_000},
        "territory.cross_region_lead",
        "LEAD_WITHOUT_EFFECT",
        "null",
    ),
    (
        ("compliance_profile",),
        ["CN", "INTLL"],
        "compliance_profile[1]",
        "UNKNOWN_PROFILE",
        "INTL is close",
    ),
    (("compliance_profile",), ["CN", "CN"], "compliance_profile[1]", "DUPLICATE_CODE", "used twice"),
    (("hierarchy", "recruiters", "tiers", 1), "gold", "hierarchy.recruiters.tiers[1]", "DUPLICATE_CODE", "used twice"),
]


@pytest.mark.parametrize(("steps", "value", "path", "code", "remedy"), CASES)
def test_each_fault_is_found_at_its_place(
    steps: tuple[str | int, ...], value: Any, path: str, code: str, remedy: str
) -> None:
    data = everything()
    at(data, *steps[:-1])[steps[-1]] = value
    follows = {"COMPLIANCE", "FIXED_EXCEEDS_PRICE"}
    ((where, what, said),) = [item for item in judged(data) if item[1] not in follows]
    assert (where, what) == (path, code)
    assert remedy in said


def pieces(*bands: tuple[int, int], applies: str = "WHOLE", each: int = 2000) -> dict[str, Any]:
    listed = [{"above_pieces": above, "extra_minor": extra} for above, extra in bands]
    return {"kind": "per_piece_volume", "key": "p", "per_piece_minor": each, "bands": listed, "applies": applies}


def test_an_order_never_earns_less_than_nothing_because_it_passes_a_bound() -> None:
    """docs/rules.md §3.2: with WHOLE, a lift that falls would be taken back from the pieces before."""
    falling = document(pieces((30, 200), (60, 199)), cap_bps=5000)
    ((path, code, said), *_) = judged(falling)
    assert (path, code) == (f"{C}[0].bands[1].extra_minor", "PIECE_EXTRA_FALLS")
    assert "closest allowed value is 200" in said
    assert "PIECE_EXTRA_FALLS" not in dict(codes(document(pieces((30, 200), (60, 200)), cap_bps=5000))).values()
    assert codes(document(pieces((30, 200), (60, 199), applies="MARGINAL"), cap_bps=5000)) == []


def test_the_piece_that_lifts_all_before_it_needs_a_price_that_bears_it() -> None:
    # The 31st piece brings 20.00 + 2.00 + 30 × 2.00 = 82.00; half of 70.00 is all that it bears.
    ((path, code, said),) = judged(document(pieces((30, 200)), cap_bps=5000))
    assert (path, code) == (f"{C}[0].bands[0]", "LIFT_EXCEEDS_PRICE")
    assert "8200" in said
    assert "3500" in said
    assert codes(document(pieces((30, 200), applies="MARGINAL"), cap_bps=5000)) == []
    assert codes(document(pieces((30, 43)), cap_bps=5000)) == []  # 20.00 + 31 × 0.43 = 33.33


def rebate(*bands: tuple[int, int], **more: Any) -> dict[str, Any]:
    listed = [{"from_minor": bound, "rate_bps": rate} for bound, rate in bands]
    return {"kind": "tiered_rebate", "key": "rebate", "bands": listed, **more}


def test_case_3_3_whole_may_pay_less_for_more_and_is_warned_of() -> None:
    falling = ((0, 500), (500_000_000, 400))
    ((path, code, said),) = judged(document(rebate(*falling)))
    assert (path, code) == (f"{C}[0].bands[1].rate_bps", "REBATE_FALLS")
    # 5 % of 4,999,999.99 is 250,000.00, 4 % of 5,000,000.00 is 200,000.00.
    for amount in ("499999999", "25000000", "20000000", "at least 500 bps"):
        assert amount in said
    assert judged(document(rebate(*falling, applies="MARGINAL"))) == []
    assert judged(document(rebate((0, 500), (500_000_000, 500)))) == []  # as much at the bound as just below it
    assert judged(document(rebate((0, 500), (500_000_000, 800), (1_000_000_000, 1200)))) == []


def test_an_event_that_two_components_pay_is_a_warning_unless_they_are_apart() -> None:
    def event(key: str, **more: Any) -> dict[str, Any]:
        return {"kind": "event_bonus", "key": key, "bonus_minor": 5, "minimum_minor": 5, **more}

    def twice(**more: Any) -> bool:
        found = codes(document(event("a", channels=["live", "shop"], tiers=["gold"]), event("b", **more)))
        return found == [(f"{C}[1]", "EVENT_TWICE")]

    assert twice()
    assert twice(channels=["shop"], tiers=["silver", "gold"])
    assert not twice(channels=["mini"])
    assert not twice(tiers=["silver"])


def test_group_sales_in_a_tree_without_end_are_warned_of() -> None:
    data = document(rebate((0, 100), measure="group_sales"))
    assert (f"{C}[0].measure", "GROUP_WITHOUT_END") in codes(data)
    data["hierarchy"]["depth_limit"] = 3
    data["hierarchy"]["paid_levels"] = 3
    assert codes(data) == []


def test_only_uplines_have_to_qualify() -> None:
    qualify = {"own_sales_minor": 1}
    assert codes(document(rates(100, qualify=qualify))) == [(f"{C}[0].qualify", "QUALIFY_WITHOUT_UPLINES")]
    assert codes(document(rates(100, 100, qualify=qualify))) == []


def nested(depth: int) -> dict[str, Any]:
    condition: dict[str, Any] = {"kind": "orders", "at_least": 1}
    for number in range(depth - 1):
        condition = {"kind": ("all", "any")[number % 2], "of": [condition]}
    return condition


def test_conditions_may_be_nested_four_deep_and_no_deeper() -> None:
    data = document(rates(100))
    data["tiers"][0]["promotion"] = data["tiers"][1]["promotion"] = data["tiers"][2]["promotion"] = None
    data["tiers"][0]["promotion"] = nested(4)
    assert "CONDITION_TOO_DEEP" not in [code for _, code in codes(data)]
    data["tiers"][0]["promotion"] = nested(6)
    ((path, _, said),) = [item for item in judged(data) if item[1] == "CONDITION_TOO_DEEP"]
    assert path == "tiers[0].promotion.of[0].of[0].of[0]"
    assert "6 deep; at most 4" in said


def test_what_a_miss_brings_and_what_can_be_missed_belong_together() -> None:
    data = document(rates(100))
    data["tiers"][0]["keep"] = {"kind": "orders", "at_least": 1}
    assert ("tiers[0].keep", "KEEP_WITHOUT_EFFECT") in codes(data)
    data["tier_rules"] = {"revoke_after": 3, "revocation": "lowest_tier"}
    assert ("tiers[0].keep", "KEEP_WITHOUT_EFFECT") in codes(data)
    data["tier_rules"]["revocation"] = "suspend"
    assert codes(data) == []
    del data["tiers"][0]["keep"]
    data["tier_rules"]["grace_periods"] = 1
    assert codes(data) == [
        ("tier_rules.revoke_after", "TIER_RULES_WITHOUT_KEEP"),
        ("tier_rules.grace_periods", "TIER_RULES_WITHOUT_KEEP"),
    ]


def test_a_higher_tier_asks_more_than_the_one_below() -> None:
    data = document(rates(100))
    for number, sales in enumerate((100, 300, 300)):
        data["tiers"][number]["promotion"] = {"kind": "own_sales", "at_least_minor": sales}
    assert codes(data) == [("tiers[2].promotion.at_least_minor", "PROMOTION_NOT_RISING")]


def test_a_value_beyond_the_price_counts_only_as_far() -> None:
    assert codes(document(rates(100), base={"kind": "product_value", "values_minor": {"X": 7000}})) == []
    base = {"kind": "product_value", "values_minor": {"X": 7001}}
    assert codes(document(rates(100), base=base)) == [("commission.base.values_minor.X", "VALUE_ABOVE_PRICE")]


def test_every_warning_and_error_of_sense_has_both_languages_and_a_remedy() -> None:
    for code, (_, en, zh) in CATALOGUE.items():
        assert en.endswith((".", "}")), code
        assert any("一" <= sign <= "鿿" for sign in zh) or zh == "{text}", code
