"""Differentials, qualification, leads and bases: the worked cases by number, and what must hold."""

from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.base.money import share as percent
from saas.commissions.rules import (
    NO_FACTS,
    Member,
    Outcome,
    Reason,
    commission_for_line,
)
from tests.commissions.small import SILVER_10_GOLD_15_DIAMOND_22, amounts, chain, compiled, line, pieces, reasons
from tests.tenants.program.documents import rates

# -- §3.4 differential ---------------------------------------------------------------------------------------------


def differential(**more: Any) -> dict[str, Any]:
    return {"kind": "differential", "key": "gap", "rates_bps": SILVER_10_GOLD_15_DIAMOND_22, **more}


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        (("silver", "gold", "diamond"), [10_000, 5000, 7000]),
        (("silver", "silver", "diamond"), [10_000, 0, 12_000]),
        (("gold", "silver", "diamond"), [15_000, 0, 7000]),
        (("diamond", "gold", "silver"), [22_000, 0, 0]),
        ((None, "diamond"), [0, 22_000]),
    ],
)
def test_case_3_4_an_upline_earns_its_rate_less_the_highest_below_it(
    tiers: tuple[str | None, ...], expected: list[int]
) -> None:
    result = commission_for_line(compiled(differential()), line(100_000), chain(*tiers))
    assert amounts(result) == expected
    assert result.company_minor == 100_000 - sum(expected)


def test_case_3_4_every_share_tells_its_own_rate_and_the_highest_below() -> None:
    result = commission_for_line(compiled(differential()), line(100_000), chain("gold", "silver", "diamond"))
    assert [(share.rate_bps, share.detail) for share in result.shares] == [
        (1500, (1500, 0)),
        (0, (1000, 1500)),
        (700, (2200, 1500)),
    ]
    assert reasons(result) == [Reason.IN_FULL, Reason.NO_DIFFERENCE, Reason.IN_FULL]
    assert result.shares[1].outcome is Outcome.NOT_DUE
    assert [share.full_minor for share in result.shares] == amounts(result)


def test_case_3_4_the_part_of_one_who_is_not_active_stays_with_the_company() -> None:
    members = chain("silver", "gold", "diamond", m2="suspended")
    result = commission_for_line(compiled(differential()), line(100_000), members)
    assert amounts(result) == [10_000, 0, 7000]
    assert (result.shares[1].reason, result.shares[1].full_minor) == (Reason.SUSPENDED, 5000)


def test_case_3_4_compressed_one_who_is_not_active_is_passed_over_and_the_next_earns_the_whole_difference() -> None:
    members = chain("silver", "gold", "diamond", m2="exited")
    result = commission_for_line(compiled(differential(), inactive_upline="compress"), line(100_000), members)
    assert amounts(result) == [10_000, 12_000, 0]
    assert reasons(result) == [Reason.IN_FULL, Reason.MOVED_UP, Reason.EXITED_PASSED_OVER]


def test_case_3_4_a_self_purchase_that_pays_the_seller_nothing_lifts_nobody_above() -> None:
    of = compiled(differential(), self_purchase_pays_seller=False)
    result = commission_for_line(of, line(100_000, self_purchase=True), chain("gold", "diamond"))
    assert amounts(result) == [0, 7000]
    assert reasons(result)[0] is Reason.SELF_PURCHASE


def test_case_3_4_levels_limit_how_far_it_reaches_and_paid_levels_do_without_them() -> None:
    members = chain("silver", "silver", "gold", "diamond")
    assert amounts(commission_for_line(compiled(differential(levels=3)), line(100_000), members)) == [
        10_000,
        0,
        5000,
        0,
    ]
    of = compiled(differential(), paid_levels=3)
    assert reasons(commission_for_line(of, line(100_000), members))[-1] is Reason.BEYOND_PAID_LEVELS
    assert of.chain_needed == 4


def test_case_3_4_the_same_tier_bonus_is_outside_of_the_sum_and_shown_on_its_own() -> None:
    of = compiled(differential(same_tier_bonus_bps=250))
    members = chain("silver", "silver", "silver", "gold", "silver", "gold", "gold")
    result = commission_for_line(of, line(100_000), members)
    assert amounts(result, "gap") == [10_000, 0, 0, 5000, 0, 0, 0]
    bonuses = [share for share in result.shares if share.component == "gap/same_tier"]
    assert [(share.level, share.tier, share.rate_bps, share.amount_minor) for share in bonuses] == [
        (1, "silver", 250, 2500),
        (5, "gold", 250, 2500),
    ]


def test_case_3_4_the_bonus_of_one_who_is_not_active_stays_with_the_company_or_passes_on() -> None:
    members = chain("silver", "silver", "silver", m2="suspended")
    kept = commission_for_line(compiled(differential(same_tier_bonus_bps=250)), line(100_000), members)
    assert amounts(kept, "gap/same_tier") == [0]
    of = compiled(differential(same_tier_bonus_bps=250), inactive_upline="compress")
    passed = commission_for_line(of, line(100_000), members)
    assert [(s.beneficiary_id, s.amount_minor) for s in passed.shares if s.component == "gap/same_tier"] == [
        (UUID(int=3), 2500)
    ]


def test_case_3_4_tiers_without_a_rate_earn_no_bonus() -> None:
    of = compiled(differential(rates_bps={"gold": 1500}, same_tier_bonus_bps=250))
    result = commission_for_line(of, line(100_000), chain("silver", "silver", None, None))
    assert amounts(result) == [0, 0, 0, 0]
    assert set(reasons(result)) == {Reason.RATE_ZERO}


def test_case_3_4_rounded_share_by_share_the_sum_never_exceeds_the_top_rate() -> None:
    of = compiled(differential(rates_bps={"silver": 1000, "gold": 2000}))
    result = commission_for_line(of, line(5), chain("silver", "gold"))
    assert amounts(result) == [1, 0]  # half a unit each, and 20 % of 0.05 is 0.01
    assert reasons(result) == [Reason.IN_FULL, Reason.ROUNDED_TO_ZERO]
    result = commission_for_line(of, line(45), chain("silver", "gold"))
    assert amounts(result) == [5, 4]  # 4.5 each, and 20 % of 0.45 is 0.09
    assert reasons(result) == [Reason.IN_FULL, Reason.WITHIN_TOP_RATE]
    assert result.shares[1].full_minor == 5
    of = compiled(differential(rates_bps={"silver": 1000, "gold": 2000}), inactive_upline="compress")
    result = commission_for_line(of, line(45), chain("silver", "silver", "gold", m2="suspended"))
    assert reasons(result)[:2] == [Reason.IN_FULL, Reason.WITHIN_TOP_RATE], "whoever moved up is told the reason, too"


@given(
    st.lists(st.tuples(st.sampled_from(["silver", "gold", "diamond", None]), st.booleans()), min_size=1, max_size=8),
    st.dictionaries(st.sampled_from(["silver", "gold", "diamond"]), st.integers(0, 10_000), min_size=1),
    st.integers(0, 300) | st.integers(0, 10**9),
    st.sampled_from(["keep", "compress"]),
)
@settings(deadline=None)
def test_case_3_4_never_above_the_top_rate_paid(
    people: list[tuple[str | None, bool]], by_tier: dict[str, int], base: int, inactive: str
) -> None:
    members = tuple(
        Member(UUID(int=n), tier, "active" if active else "exited") for n, (tier, active) in enumerate(people)
    )
    of = compiled(differential(rates_bps=by_tier), inactive_upline=inactive)
    result = commission_for_line(of, line(base), members)
    top = max((by_tier.get(tier or "", 0) for tier, active in people if active), default=0)
    assert sum(amounts(result)) <= percent(base, top)
    own_rates = [share.detail[0] for share in result.shares if share.amount_minor]
    assert all(lower < higher for lower, higher in pairwise(own_rates))


# -- §3.1 qualification, §3 bases ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("sold", "amount"), [(50_000, 1500), (49_999, 0)])
def test_case_3_1_an_upline_has_to_qualify_in_the_period_the_seller_has_not(sold: int, amount: int) -> None:
    of = compiled(rates(1000, 1500, qualify={"own_sales_minor": 50_000, "period": "quarter"}))
    facts = NO_FACTS._replace(own_sales={("quarter", UUID(int=2)): sold, ("month", UUID(int=2)): 10**9})
    result = commission_for_line(of, line(10_000), chain("gold", "gold"), facts)
    assert amounts(result) == [1000, amount]
    assert of.qualifying == {"quarter"}
    if not amount:
        share = result.shares[1]
        assert (share.reason, share.detail, share.full_minor) == (Reason.NOT_QUALIFIED, (49_999, 50_000), 1500)
        assert share.outcome is Outcome.KEPT


def test_case_3_1_whose_sales_are_not_known_has_sold_nothing() -> None:
    of = compiled(rates(1000, 1500, qualify={"own_sales_minor": 1}))
    result = commission_for_line(of, line(10_000), chain("gold", "gold"))
    assert result.shares[1].detail == (0, 1)
    assert compiled(rates(1000)).qualifying == frozenset()


@pytest.mark.parametrize(
    ("base", "sku", "expected"),
    [
        ({"kind": "pool", "share_bps": 4000}, "A", 4000),
        ({"kind": "gross_margin", "costs_minor": {"A": 3000, "B": 6000}}, "A", 4000),
        ({"kind": "gross_margin", "costs_minor": {"A": 3000, "B": 6000}}, "B", 0),
        ({"kind": "gross_margin", "costs_minor": {"A": 3000}}, "C", 0),
        ({"kind": "product_value", "values_minor": {"A": 1000, "B": 9000}}, "A", 2000),
        ({"kind": "product_value", "values_minor": {"A": 1000, "B": 9000}}, "B", 10_000),
        ({"kind": "product_value", "values_minor": {"A": 1000}}, "C", 0),
    ],
)
def test_case_3_the_base_is_what_the_program_says(base: dict[str, Any], sku: str, expected: int) -> None:
    """Two pieces for 100.00."""
    result = commission_for_line(compiled(rates(1000), base=base), line(10_000, sku, quantity=2), chain("gold"))
    assert result.base_minor == result.shares[0].base_minor == expected
    assert amounts(result) == [expected // 10]
    assert result.company_minor == expected - expected // 10
    if not expected:
        assert reasons(result) == [Reason.NO_BASE]


# -- §3.7 cap, with everything -------------------------------------------------------------------------------------


def test_case_3_7_the_cap_holds_for_all_components_together() -> None:
    of = compiled(rates(1000), pieces(each=500), differential(same_tier_bonus_bps=250), cap_bps=1000)
    result = commission_for_line(of, line(10_000), chain("silver", "silver"))
    # 10.00 + 5.00 + 10.00 + 2.50 in a limit of 10.00; of equal remainders the one of the first key gets the unit.
    assert amounts(result) == [363, 182, 364, 0, 91]
    assert {share.reason for share in result.shares if share.amount_minor} == {Reason.CAPPED}


# -- §3.8 cross-region lead ----------------------------------------------------------------------------------------

LEAD = {"performance_to_region_bps": 5000, "commission_to_seller_bps": 3000}
A_30_B_70 = NO_FACTS._replace(partner=Member(UUID(int=9), "gold", "active"))


def test_case_3_8_the_sellers_commission_is_shared_thirty_to_seventy() -> None:
    of = compiled(rates(1000, 500), lead=LEAD)
    result = commission_for_line(of, line(100_000), chain("gold", "gold"), A_30_B_70)
    assert [(s.component, s.level, s.beneficiary_id, s.amount_minor, s.detail) for s in result.shares] == [
        ("levels", 0, UUID(int=1), 3000, (3000, 10_000)),
        ("levels/lead", 0, UUID(int=9), 7000, (7000, 10_000)),
        ("levels", 1, UUID(int=2), 5000, ()),
    ]
    assert reasons(result) == [Reason.LEAD_SHARED, Reason.IN_FULL, Reason.IN_FULL]
    assert [share.full_minor for share in result.shares] == [10_000, 7000, 5000]
    assert result.company_minor == 85_000


def test_case_3_8_nothing_is_shared_without_the_setting_or_without_a_partner() -> None:
    assert amounts(commission_for_line(compiled(rates(1000)), line(100_000), chain("gold"), A_30_B_70)) == [10_000]
    assert amounts(commission_for_line(compiled(rates(1000), lead=LEAD), line(100_000), chain("gold"))) == [10_000]


def test_case_3_8_the_part_of_a_partner_who_is_not_active_stays_with_the_company() -> None:
    facts = NO_FACTS._replace(partner=Member(UUID(int=9), "gold", "suspended"))
    result = commission_for_line(compiled(rates(1000), lead=LEAD), line(100_000), chain("gold"), facts)
    assert amounts(result) == [3000, 0]
    assert (result.shares[1].reason, result.shares[1].full_minor) == (Reason.SUSPENDED, 7000)
    assert result.company_minor == 97_000


@pytest.mark.parametrize(
    ("sellers_bps", "parts", "why"),
    [
        (0, [0, 1], [Reason.LEAD_TO_PARTNER, Reason.IN_FULL]),
        (3000, [0, 1], [Reason.LEAD_TO_PARTNER, Reason.IN_FULL]),
        (5000, [1, 0], [Reason.LEAD_SHARED, Reason.ROUNDED_TO_ZERO]),
        (10_000, [1, 0], [Reason.LEAD_SHARED, Reason.RATE_ZERO]),
    ],
)
def test_case_3_8_a_single_unit_goes_to_one_of_them(sellers_bps: int, parts: list[int], why: list[Reason]) -> None:
    of = compiled(rates(1000), lead=LEAD | {"commission_to_seller_bps": sellers_bps})
    result = commission_for_line(of, line(10), chain("gold"), A_30_B_70)
    assert amounts(result) == parts
    assert reasons(result) == why


def test_case_3_8_every_share_of_the_seller_is_split_after_the_cap_and_no_share_of_nothing() -> None:
    of = compiled(rates(1000), pieces(each=1000), rates(0, key="none"), differential(), lead=LEAD, cap_bps=1500)
    result = commission_for_line(of, line(10_000), chain("silver", "gold"), A_30_B_70)
    by_key = {(share.component, share.level): share for share in result.shares}
    assert set(by_key) == {
        *((key, 0) for key in ("levels", "levels/lead", "pieces", "pieces/lead", "none", "gap", "gap/lead")),
        ("gap", 1),
    }
    for key in ("levels", "pieces", "gap"):
        whole = by_key[key, 0].detail[-1]
        assert by_key[key, 0].amount_minor == percent(whole, 3000)
        assert by_key[key, 0].amount_minor + by_key[f"{key}/lead", 0].amount_minor == whole
        assert whole < by_key[key, 0].full_minor == 1000
    assert sum(amounts(result)) == 1500
    assert by_key["pieces", 0].lifts == ()


@given(st.integers(0, 10**6), st.integers(0, 10_000))
@settings(deadline=None)
def test_case_3_8_the_parts_add_up_to_the_whole(base: int, sellers_bps: int) -> None:
    of = compiled(rates(3333), lead=LEAD | {"commission_to_seller_bps": sellers_bps})
    alone = commission_for_line(of, line(base), chain("gold"))
    split = commission_for_line(of, line(base), chain("gold"), A_30_B_70)
    assert sum(amounts(split)) == sum(amounts(alone))
    assert split.company_minor == alone.company_minor
    assert amounts(split)[0] == percent(amounts(alone)[0], sellers_bps)
