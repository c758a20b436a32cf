"""Program documents for the tests: a small sound one to change, and the strategies that make others."""

from datetime import date
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

TIERS = ("silver", "gold", "diamond")
SKUS = ("X", "Y", "0123", "茶-1", "Z")
CATEGORIES = ("tea", "null", "1.5e+3")


def level_table(*levels: dict[str, Any], key: str = "levels", **more: Any) -> dict[str, Any]:
    """A level table of the levels given."""
    return {"kind": "level_table", "key": key, "levels": list(levels), **more}


def rates(*bps: int, key: str = "levels", **more: Any) -> dict[str, Any]:
    """A level table of these rates."""
    return level_table(*({"rate_bps": rate} for rate in bps), key=key, **more)


def document(*components: dict[str, Any], paid_levels: int = 10, **commission: Any) -> dict[str, Any]:
    """A program of these components, with three tiers and one priced product."""
    return {
        "name": {"zh": "政策", "en": "Program"},
        "currency": "CNY",
        "hierarchy": {"depth_limit": None, "paid_levels": paid_levels},
        "tiers": [{"code": code, "name": {"zh": code, "en": code}} for code in TIERS],
        "commission": {"components": list(components), **commission},
        "price_policy": {
            "default_band": {"below_bps": 500, "above_bps": 500},
            "products": {"X": {"guide_price_minor": 10000, "purchase_price_minor": {"silver": 8000, "gold": 7000}}},
        },
    }


def at(data: Any, *steps: str | int) -> Any:
    """The part of a document at these steps."""
    for step in steps:
        data = data[step]
    return data


DAYS = (date(2026, 6, 30), date(2026, 7, 1), date(2026, 7, 2))
_days = st.none() | st.sampled_from(DAYS).map(str)
_words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@st.composite
def _level_tables(draw: st.DrawFn, key: str, levels: int, most: int) -> dict[str, Any]:
    made: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, levels))):
        unit = draw(st.sampled_from(["rate_bps", "rate_bps", "per_piece_minor"]))
        tiers = draw(st.dictionaries(st.sampled_from(TIERS), st.integers(0, most), max_size=2))
        made.append({unit: draw(st.just(0) | st.integers(0, most)), "by_tier": tiers})
    own = st.lists(st.none() | st.just(0) | st.integers(0, most), min_size=1, max_size=len(made))
    return {
        **level_table(*made, key=key),
        "only": draw(st.none() | limits),
        "product_overrides": draw(st.dictionaries(st.sampled_from(SKUS), own, max_size=2)),
        "effective_from": draw(_days),
        "effective_until": draw(_days),
    }


limits = st.fixed_dictionaries(
    {
        "products": st.none() | st.lists(st.sampled_from(SKUS), min_size=1, max_size=2),
        "categories": st.none() | st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=2),
    }
)


@st.composite
def _fixed(draw: st.DrawFn, key: str, levels: int, most: int) -> dict[str, Any]:
    amounts = st.lists(st.integers(0, most), min_size=1, max_size=levels)
    products = draw(st.dictionaries(st.sampled_from(SKUS), amounts, min_size=1, max_size=2))
    days = {"effective_from": draw(_days), "effective_until": draw(_days)}
    return {"kind": "fixed_per_product", "key": key, "products": products, **days}


@st.composite
def documents(draw: st.DrawFn, levels: int = 4, most: int = 4000) -> dict[str, Any]:
    """Structurally right documents with every kind of component and setting; sensible or not."""
    components = [
        draw(_level_tables(f"part{i}", levels, most) | _fixed(f"part{i}", levels, most))
        for i in range(draw(st.integers(0, 3)))
    ]
    made = document(*components)
    made["commission"] |= {
        "base": draw(
            st.just({"kind": "paid_goods"}) | st.integers(1, 10_000).map(lambda bps: {"kind": "pool", "share_bps": bps})
        ),
        "inactive_upline": draw(st.sampled_from(["keep", "compress"])),
        "self_purchase_pays_seller": draw(st.booleans()),
        "cap_bps": draw(st.none() | st.integers(0, 10_000)),
    }
    made["name"] = {"zh": draw(_words), "en": draw(_words)}
    made["settlement"] = {"period": draw(st.sampled_from([{"kind": "monthly", "day": 5}, {"kind": "per_order"}]))}
    made["price_policy"]["products"] |= draw(
        st.dictionaries(_words, st.fixed_dictionaries({"guide_price_minor": st.integers(1, 10**6)}), max_size=3)
    )
    return made


junk: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["level_table", "compress", "gold", "X", "2026-02-30", 10**40, -1, b"x", 10_001]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def _line_components() -> list[dict[str, Any]]:
    return [
        level_table(
            {"rate_bps": 500},
            {"rate_bps": 300, "by_tier": {"gold": 400}},
            {"per_piece_minor": 10},
            key="table",
            only={"products": ["X", "Y"], "categories": ["tea"]},
            qualify={"own_sales_minor": 100_000, "period": "month"},
            product_overrides={"Y": [400, None, 0]},
            effective_from="2026-01-01",
            effective_until="2027-01-01",
        ),
        {"kind": "fixed_per_product", "key": "fixed", "products": {"Z": [80, 40]}},
        {
            "kind": "per_piece_volume",
            "key": "pieces",
            "only": {"products": ["X"]},
            "per_piece_minor": 20,
            "bands": [{"above_pieces": 30, "extra_minor": 2}, {"above_pieces": 60, "extra_minor": 3}],
        },
        {
            "kind": "differential",
            "key": "differential",
            "only": {"categories": ["null"]},
            "rates_bps": {"silver": 200, "gold": 300, "diamond": 400},
            "levels": 3,
            "same_tier_bonus_bps": 50,
        },
    ]


def _period_components() -> list[dict[str, Any]]:
    return [
        {
            "kind": "tiered_rebate",
            "key": "rebate",
            "tiers": ["gold", "diamond"],
            "period": "quarter",
            "measure": "group_sales",
            "applies": "MARGINAL",
            "bands": [{"from_minor": 0, "rate_bps": 50}, {"from_minor": 1_000_000, "rate_bps": 80}],
        },
        {
            "kind": "target_bonus",
            "key": "target",
            "measure": "orders",
            "targets": [{"at_least": 10, "bonus_minor": 1000}, {"at_least": 20, "bonus_minor": 3000}],
        },
        {
            "kind": "event_bonus",
            "key": "event",
            "channels": ["直播"],
            "minimum_minor": 50_000,
            "bonus_minor": 5000,
            "once": "brand",
            "period": "year",
        },
        {"kind": "ranking_award", "key": "ranking", "awards_minor": [3000, 2000, 1000], "at_least_minor": 10_000},
    ]


def everything() -> dict[str, Any]:
    """A sensible program that uses every kind of component, condition, promotion and setting."""
    made = document(
        *_line_components(),
        *_period_components(),
        paid_levels=3,
        base={"kind": "gross_margin", "costs_minor": {"X": 3000, "Y": 4000, "Z": 1000}},
        cap_bps=4000,
        inactive_upline="compress",
        self_purchase_pays_seller=False,
    )
    made["compliance_profile"] = ["CN", "INTL"]
    made["hierarchy"] |= {
        "depth_limit": 3,
        "level_names": [{"zh": "省代", "en": "Province"}],
        "recruiters": {"kind": "tiers", "tiers": ["gold", "diamond"]},
        "sponsor_binding": {"kind": "days", "days": 30},
        "applicant_review": "automatic",
    }
    some = {"kind": "any", "of": [{"kind": "group_sales", "at_least_minor": 5}, {"kind": "orders", "at_least": 9}]}
    deep = {"kind": "all", "of": [{"kind": "own_sales", "at_least_minor": 200}, {"kind": "all", "of": [some]}]}
    made["tiers"][1] |= {"promotion": some, "keep": {"kind": "own_sales", "at_least_minor": 100}}
    made["tiers"][2] |= {"promotion": deep, "keep": {"kind": "active_downline_sales", "at_least_minor": 100}}
    made["tier_rules"] = {"period": "month", "grace_periods": 2, "revoke_after": 3, "revocation": "suspend"}
    _add_prices(made["price_policy"])
    made["territory"] = {
        "regions": "shared",
        "agents": {"default": 1, "regions": {"440100": 2}},
        "cross_region_lead": {"performance_to_region_bps": 5000, "commission_to_seller_bps": 3000},
    }
    made["settlement"] = {"period": {"kind": "quarterly"}, "fee_bps": 60, "withholding_without_invoice_bps": 2000}
    made["exit"] = {"voluntary": {"downline_to": "brand", "pending": "keep"}}
    made["visibility"] = {"downline_depth": None, "personal_data": "full"}
    return made


def _add_prices(policy: dict[str, Any]) -> None:
    policy["outside_band"] = "open_case"
    policy["products"] |= {
        "Y": {
            "guide_price_minor": 20000,
            "band": {"below_bps": 5000, "above_bps": 0},
            "regional_purchase_price_minor": {"440100": {"silver": 9000}},
            "channels": ["门店", "直播"],
        },
        "Z": {"guide_price_minor": 5000},
    }
    days = {"effective_from": "2026-06-01", "effective_until": "2026-06-19"}
    later = {"effective_from": "2026-11-01", "effective_until": "2026-11-12"}
    policy["promotions"] = [
        {"kind": "price", "key": "june", **days, "prices_minor": {"X": 9500, "Z": 4900}, "members_only": True},
        {"kind": "amount_off", "key": "off", **later, "threshold_minor": 20_000, "off_minor": 1000, "products": ["X"]},
        {
            "kind": "buy_get",
            "key": "get",
            **days,
            "buy": 1,
            "get": 1,
            "products": ["Y"],
            "channels": ["直播"],
            "name": {"zh": "买一赠一", "en": "Two for one"},
        },
    ]
