"""The review of tiers: conditions, grace, demotion, revocation (docs/rules.md §2.2)."""

from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.ids import DistributorId
from saas.network.tiers import (
    Check,
    Outcome,
    Review,
    TierHolder,
    carried,
    check,
    explained,
    recalled,
    review,
    whole_periods,
)
from tenants.program import as_data
from tenants.program.document import AllOf, Program
from tenants.program.presets import preset

ID = DistributorId(UUID(int=7))
CODES = ("silver", "gold", "diamond")


class Sold(NamedTuple):
    """Figures of a period."""

    own_minor: int = 0
    group_minor: int = 0
    active_downline_minor: int = 0
    orders: int = 0


def sales(kind: str, amount: int) -> dict[str, Any]:
    return {"kind": kind, "at_least_minor": amount}


def orders(count: int) -> dict[str, Any]:
    return {"kind": "orders", "at_least": count}


def program(promotion: Any = None, keep: Any = None, **rules: Any) -> Program:
    """Silver, gold and diamond: each higher one reached and kept by own sales, unless told otherwise."""
    tiers = [
        {
            "code": code,
            "name": {"zh": code.title(), "en": code.title()},
            "promotion": promotion if promotion and i else sales("own_sales", 100_000 * i) if i else None,
            "keep": keep or sales("own_sales", 50_000 * (i + 1)),
        }
        for i, code in enumerate(CODES)
    ]
    content = {**as_data(preset("lotus")), "tiers": tiers, "tier_rules": rules}
    return Program.model_validate(content)


def held(tier: str, **changes: Any) -> TierHolder:
    return TierHolder(ID, "A", tier, changes.pop("periods_held", 9), **changes)


def outcome(of: Review) -> tuple[str, str, int]:
    return of.outcome.value, of.tier_after, of.misses


def test_three_misses_in_a_row_revoke_as_brands_have_it() -> None:
    """Quarterly, one tier down for each quarter missed, the rank lost after the third."""
    brand = program(period="quarter", revoke_after=3, revocation="suspend")
    assert brand.tier_rules.period == "quarter"
    first = review(brand, held("diamond"), Sold(own_minor=10))
    assert outcome(first) == ("demoted", "gold", 1)
    second = review(brand, held("gold", misses=carried(first.outcome, first.misses)), Sold(own_minor=10))
    assert outcome(second) == ("demoted", "silver", 2)
    third = review(brand, held("silver", misses=carried(second.outcome, second.misses)), Sold(own_minor=10))
    assert (outcome(third), third.suspends, third.changes) == (("revoked", "silver", 3), True, True)
    assert carried(third.outcome, third.misses) == 0


def test_a_period_reached_in_between_begins_the_count_anew() -> None:
    brand = program(revoke_after=3, revocation="suspend")
    assert outcome(review(brand, held("gold", misses=2), Sold(own_minor=100_000)))[0] == "kept"
    assert review(brand, held("gold", misses=2), Sold(own_minor=100_000)).misses == 0


def test_revocation_to_the_lowest_tier_skips_those_between() -> None:
    brand = program(revoke_after=2)
    assert outcome(review(brand, held("diamond", misses=1), Sold())) == ("revoked", "silver", 2)
    assert not review(brand, held("diamond", misses=1), Sold()).suspends
    assert outcome(review(brand, held("silver", misses=7), Sold())) == ("missed", "silver", 8)


def test_the_highest_tier_whose_condition_holds_is_reached_at_once() -> None:
    brand = program()
    assert outcome(review(brand, held("silver"), Sold(own_minor=99_999))) == ("kept", "silver", 0)
    assert outcome(review(brand, held("silver"), Sold(own_minor=100_000))) == ("promoted", "gold", 0)
    assert outcome(review(brand, held("silver", misses=2), Sold(own_minor=200_000))) == ("promoted", "diamond", 0)
    assert outcome(review(brand, held("diamond"), Sold(own_minor=10**9))) == ("kept", "diamond", 0)


def test_a_new_holder_has_its_time_of_grace() -> None:
    brand = program(grace_periods=1, revoke_after=1)
    assert outcome(review(brand, held("gold", periods_held=0, misses=1), Sold())) == ("grace", "gold", 1)
    assert outcome(review(brand, held("gold", periods_held=1, misses=1), Sold())) == ("revoked", "silver", 2)
    assert outcome(review(brand, held("gold", periods_held=0), Sold(own_minor=200_000)))[0] == "promoted"


def test_who_is_pinned_is_left_alone() -> None:
    brand = program(revoke_after=1)
    for sold in (Sold(), Sold(own_minor=10**9)):
        found = review(brand, held("gold", pinned=True, misses=2), sold)
        assert (outcome(found), found.check, found.changes) == (("pinned", "gold", 2), None, False)


def test_a_tier_the_program_no_longer_has_can_only_rise() -> None:
    brand = program(revoke_after=1, revocation="suspend")
    for tier in ("bronze", ""):
        assert outcome(review(brand, held(tier), Sold())) == ("kept", tier, 0)
        assert outcome(review(brand, held(tier), Sold(own_minor=100_000))) == ("promoted", "gold", 0)


@pytest.mark.parametrize(
    ("kind", "sold"),
    [
        ("own_sales", Sold(own_minor=500)),
        ("group_sales", Sold(group_minor=500)),
        ("active_downline_sales", Sold(active_downline_minor=500)),
    ],
)
def test_each_measure_is_held_against_its_own_figure(kind: str, sold: Sold) -> None:
    for target, holds in ((500, True), (501, False)):
        condition = program(promotion=sales(kind, target)).tiers[1].promotion
        assert condition is not None
        assert check(condition, sold) == Check(kind, holds, 500, target)
        assert not check(condition, Sold(orders=10**9)).holds


def test_conditions_nest() -> None:
    nested = {
        "kind": "all",
        "of": [
            {"kind": "any", "of": [sales("own_sales", 100), sales("active_downline_sales", 300)]},
            orders(3),
        ],
    }
    condition = program(promotion=nested).tiers[1].promotion
    assert isinstance(condition, AllOf)
    for sold, holds in (
        (Sold(own_minor=100, orders=3), True),
        (Sold(active_downline_minor=300, orders=3), True),
        (Sold(own_minor=99, group_minor=10**9, active_downline_minor=299, orders=3), False),
        (Sold(own_minor=100, active_downline_minor=300, orders=2), False),
    ):
        assert check(condition, sold).holds is holds


def test_every_review_says_why_in_both_languages() -> None:
    either = {"kind": "any", "of": [sales("own_sales", 100_000), orders(10)]}
    brand = program(keep=either, revoke_after=3, grace_periods=1)
    said = explained(brand, review(brand, held("gold", misses=1), Sold(own_minor=30_000, orders=3)))
    assert said == (
        "Falls from Gold to Silver (misses in a row: 2): "
        "own sales CN¥300.00 of CN¥1,000.00 missed or orders 3 of 10 missed.",
        "由 Gold 降为 Silver（连续未达标 2 次）："
        "个人业绩 ¥300.00，目标 ¥1,000.00，未达标，或订单数 3，目标 10，未达标。",
    )
    cases = {
        "Rises from Silver to Gold: own sales CN¥1,000.00 of CN¥1,000.00 reached.": (held("silver"), 100_000),
        "Stays Gold: own sales CN¥1,000.00 of CN¥1,000.00 reached or orders 0 of 10 missed.": (held("gold"), 100_000),
        "Stays Gold: the brand has settled its tier by hand.": (held("gold", pinned=True), 0),
        "Stays no tier, nothing has to be reached to keep it.": (held(""), 0),
    }
    for sentence, (holder, own) in cases.items():
        assert explained(brand, review(brand, holder, Sold(own_minor=own))).en == sentence
    words = {
        held("gold", periods_held=0): "Stays Gold in its time of grace, the target missed: ",
        held("diamond", misses=2): "Loses Diamond and falls to Silver (misses in a row: 3): ",
        held("silver", misses=2): "Stays Silver, the lowest tier (misses in a row: 3): ",
    }
    for holder, beginning in words.items():
        assert explained(brand, review(brand, holder, Sold())).en.startswith(beginning)
    strict = program(revoke_after=1, revocation="suspend")
    assert explained(strict, review(strict, held("gold"), Sold())) == (
        "Is suspended as Gold (misses in a row: 1): own sales CN¥0.00 of CN¥1,000.00 missed.",
        "以 Gold 身份暂停（连续未达标 1 次）：个人业绩 ¥0.00，目标 ¥1,000.00，未达标。",
    )


@pytest.mark.parametrize(
    ("held_since", "until", "periods"),
    [
        (date(2026, 1, 1), date(2026, 4, 1), 1),
        (date(2026, 1, 2), date(2026, 4, 1), 0),
        (date(2026, 1, 2), date(2026, 7, 1), 1),
        (date(2026, 4, 1), date(2026, 4, 1), 0),
        (date(2025, 1, 1), date(2026, 1, 1), 4),
    ],
)
def test_only_whole_periods_count(held_since: date, until: date, periods: int) -> None:
    assert whole_periods("quarter", held_since, until) == periods


amounts = st.integers(1, 40)
leaves = st.one_of(
    st.builds(sales, st.sampled_from(["own_sales", "group_sales", "active_downline_sales"]), amounts),
    st.builds(orders, amounts),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda kind, of: {"kind": kind, "of": of},
        st.sampled_from(["all", "any"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
figures = st.builds(Sold, *[st.integers(0, 40)] * 4)


def naive(condition: dict[str, Any], sold: Sold) -> bool:
    """The same decided from the plain document."""
    match condition["kind"]:
        case "all":
            return not [part for part in condition["of"] if not naive(part, sold)]
        case "any":
            return bool([part for part in condition["of"] if naive(part, sold)])
        case "orders":
            return bool(sold.orders >= condition["at_least"])
        case kind:
            names = dict(zip(("own_sales", "group_sales", "active_downline_sales"), sold[:3], strict=True))
            return bool(names[kind] >= condition["at_least_minor"])


@given(
    st.lists(st.tuples(st.none() | conditions, st.none() | conditions), min_size=1, max_size=4),
    st.integers(0, 4),
    st.integers(0, 3),
    st.none() | st.integers(1, 4),
    st.sampled_from(["lowest_tier", "suspend"]),
    st.integers(0, 4),
    st.integers(0, 4),
    figures,
)
def test_a_review_follows_the_rules(
    ladder: list[tuple[dict[str, Any] | None, dict[str, Any] | None]],
    at: int,
    grace: int,
    revoke_after: int | None,
    revocation: str,
    periods_held: int,
    misses: int,
    sold: Sold,
) -> None:
    name = {"zh": "级", "en": "T"}
    tiers = [{"code": f"t{i}", "name": name, "promotion": p, "keep": k} for i, (p, k) in enumerate(ladder)]
    rules = {"grace_periods": grace, "revoke_after": revoke_after, "revocation": revocation}
    brand = Program.model_validate({**as_data(preset("lotus")), "tiers": tiers, "tier_rules": rules})
    rank = at % len(ladder)
    found = review(brand, held(f"t{rank}", periods_held=periods_held, misses=misses), sold)
    above = [i for i in range(rank + 1, len(ladder)) if (up := ladder[i][0]) and naive(up, sold)]
    keep = ladder[rank][1]
    if above:
        assert outcome(found) == ("promoted", f"t{max(above)}", 0)
    elif keep is None or naive(keep, sold):
        assert outcome(found) == ("kept", f"t{rank}", 0)
    elif periods_held < grace:
        assert outcome(found) == ("grace", f"t{rank}", misses)
    elif revoke_after is not None and misses + 1 >= revoke_after and revocation == "suspend":
        assert (outcome(found), found.suspends) == (("revoked", f"t{rank}", misses + 1), True)
    elif rank == 0:
        assert outcome(found) == ("missed", "t0", misses + 1)
    elif revoke_after is not None and misses + 1 >= revoke_after:
        assert outcome(found) == ("revoked", "t0", misses + 1)
    else:
        assert outcome(found) == ("demoted", f"t{rank - 1}", misses + 1)
    assert found.changes == (found.tier_after != found.tier_before or found.suspends)
    again = recalled(
        brand,
        held(f"t{rank}"),
        sold,
        outcome=found.outcome,
        tier_after=found.tier_after,
        misses=found.misses,
    )
    assert again == found
    said = explained(brand, again)
    assert said.en.endswith(".") and said.zh.endswith("。") and "{" not in said.en + said.zh


@given(figures, st.integers(1, 40), st.lists(st.integers(0, 40), min_size=2, max_size=5))
def test_who_sells_more_never_ends_lower(sold: Sold, target: int, more: list[int]) -> None:
    brand = program(promotion=sales("own_sales", target), keep=sales("own_sales", max(1, target // 2)), revoke_after=2)
    ends = [review(brand, held("gold", misses=1), sold._replace(own_minor=own)).tier_after for own in sorted(more)]
    assert all(CODES.index(low) <= CODES.index(high) for low, high in pairwise(ends))


def test_outcomes_are_those_the_table_takes() -> None:
    assert {one.value for one in Outcome} == {"promoted", "kept", "grace", "missed", "demoted", "revoked", "pinned"}
