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
