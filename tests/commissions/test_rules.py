"""Commission on an order line: the worked cases by number, and a second implementation beside the first."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings

from saas.commissions.rules import Line, LineResult, Member, Outcome, Reason, commission_for_line
from tenants.program import Program, compile_program, parse
from tenants.program.presets import preset
from tests.commissions.cases import lines, members
from tests.commissions.naive import naive_amounts
from tests.tenants.program.documents import document, documents, level_table, rates

DAY = date(2026, 7, 1)
LIMIT_REASONS = {Reason.CAPPED, Reason.CAPPED_TO_ZERO, Reason.MOVED_UP}


def person(number: int, status: str = "active", tier: str | None = "silver") -> Member:
    return Member(UUID(int=number), tier, status)


def chain(*statuses: str) -> tuple[Member, ...]:
    """A chain of members numbered from 1, the seller, each with its status."""
    return tuple(person(number, status) for number, status in enumerate(statuses, start=1))


ACTIVE_3 = chain("active", "active", "active")


def line(base_minor: int, sku: str = "S", quantity: int = 1, **more: Any) -> Line:
    return Line(**{"sku": sku, "category": None, "quantity": quantity, "base_minor": base_minor, "day": DAY} | more)


def program(*components: dict[str, Any], **commission: Any) -> Program:
    parsed = parse(document(*components, **commission))
    assert isinstance(parsed, Program), parsed
    return parsed


def shared(of: Program, on: Line, to: tuple[Member, ...]) -> LineResult:
    return commission_for_line(compile_program(of), on, to)


def amounts(result: LineResult) -> list[int]:
    return [share.amount_minor for share in result.shares]


def reasons(result: LineResult) -> list[Reason]:
    return [share.reason for share in result.shares]


# -- §3.1 level table ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sale", "shares", "company"), [(10_000, [1000, 1500, 2000], 5500), (3333, [333, 500, 667], 1833)]
)
def test_case_3_1_three_levels_10_15_20_percent(sale: int, shares: list[int], company: int) -> None:
    result = shared(preset("three_level_percent"), line(sale), ACTIVE_3)
    assert amounts(result) == shares
    assert result.company_minor == company
    assert [share.beneficiary_id for share in result.shares] == [member.id for member in ACTIVE_3]
    assert [share.rate_bps for share in result.shares] == [1000, 1500, 2000]
    assert set(reasons(result)) == {Reason.IN_FULL}


def test_case_3_1_two_level_referral_d_buys_and_c_and_b_are_paid_a_is_not() -> None:
    d, c, b, a = members = chain("active", "active", "active", "active")
    result = shared(preset("two_level_referral"), line(20_000, self_purchase=True), members)
    paid = {share.beneficiary_id: share.amount_minor for share in result.shares}
    assert paid == {d.id: 0, c.id: 2000, b.id: 1000, a.id: 0}
    assert reasons(result) == [Reason.RATE_ZERO, Reason.IN_FULL, Reason.IN_FULL, Reason.BEYOND_PAID_LEVELS]
    assert result.company_minor == 17_000


def test_case_3_1_pay_stops_after_two_however_long_the_chain_and_the_nearest_beyond_is_told() -> None:
    result = shared(preset("two_level_referral"), line(20_000), chain(*["active"] * 500))
    assert amounts(result) == [0, 2000, 1000, 0]
    last = result.shares[-1]
    assert (last.component, last.level, last.reason) == ("", 3, Reason.BEYOND_PAID_LEVELS)
    assert last.outcome is Outcome.NOT_DUE


def test_case_3_1_the_missing_levels_of_a_short_chain_stay_with_the_company() -> None:
    result = shared(preset("three_level_percent"), line(10_000), chain("active"))
    assert amounts(result) == [1000, 0, 0]
    assert reasons(result) == [Reason.IN_FULL, Reason.NO_UPLINE, Reason.NO_UPLINE]
    assert [share.beneficiary_id for share in result.shares][1:] == [None, None]
    assert [share.rate_bps for share in result.shares] == [1000, 1500, 2000]
    assert result.company_minor == 9000


def test_case_3_1_a_sale_by_the_brand_itself_pays_nobody() -> None:
    result = shared(preset("three_level_percent"), line(10_000), ())
    assert reasons(result) == [Reason.NO_SELLER, Reason.NO_UPLINE, Reason.NO_UPLINE]
    assert result.company_minor == 10_000


@pytest.mark.parametrize(
    ("status", "reason"),
    [("suspended", Reason.SUSPENDED), ("exited", Reason.EXITED), ("applied", Reason.NOT_ACTIVE)],
)
def test_case_3_1_an_inactive_upline_is_not_paid_and_its_level_is_kept_by_the_company(
    status: str, reason: Reason
) -> None:
    result = shared(preset("three_level_percent"), line(10_000), chain("active", status, "active"))
    assert amounts(result) == [1000, 0, 2000]
    assert result.shares[1].reason is reason
    assert result.shares[1].outcome is Outcome.KEPT
    assert result.shares[1].beneficiary_id == UUID(int=2)
    assert result.company_minor == 7000


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("suspended", Reason.SUSPENDED_PASSED_OVER),
        ("exited", Reason.EXITED_PASSED_OVER),
        ("applied", Reason.NOT_ACTIVE_PASSED_OVER),
    ],
)
def test_case_3_1_compressed_the_next_active_upline_moves_up(status: str, reason: Reason) -> None:
    of = program(rates(1000, 1500, 2000), inactive_upline="compress")
    result = shared(of, line(10_000), chain("active", status, "active", status, "active", "active"))
    assert amounts(result) == [1000, 1500, 2000, 0, 0, 0]
    assert [share.beneficiary_id for share in result.shares] == [UUID(int=n) for n in (1, 3, 5, 2, 4, 6)]
    assert reasons(result) == [
        Reason.IN_FULL,
        Reason.MOVED_UP,
        Reason.MOVED_UP,
        reason,
        reason,
        Reason.BEYOND_PAID_LEVELS,
    ]
    assert [(share.component, share.level) for share in result.shares[3:]] == [("", 1), ("", 3), ("", 5)]


def test_case_3_1_compressed_only_those_above_the_gap_have_moved() -> None:
    of = program(rates(1000, 1500, 2000), inactive_upline="compress")
    result = shared(of, line(10_000), chain("active", "active", "exited", "active"))
    assert reasons(result)[:3] == [Reason.IN_FULL, Reason.IN_FULL, Reason.MOVED_UP]


def test_case_3_1_compressed_levels_that_nobody_fills_stay_with_the_company() -> None:
    of = program(rates(1000, 1500, 2000), inactive_upline="compress")
    result = shared(of, line(10_000), chain("active", "suspended", "active"))
    assert reasons(result) == [
        Reason.IN_FULL,
        Reason.MOVED_UP,
        Reason.NO_UPLINE,
        Reason.SUSPENDED_PASSED_OVER,
    ]
    assert result.company_minor == 7500


@pytest.mark.parametrize("inactive_upline", ["keep", "compress"])
def test_case_3_1_nobody_moves_up_to_the_level_of_an_inactive_seller(inactive_upline: str) -> None:
    of = program(rates(1000, 1500), inactive_upline=inactive_upline)
    result = shared(of, line(10_000), chain("suspended", "active"))
    assert amounts(result) == [0, 1500]
    assert reasons(result) == [Reason.SUSPENDED, Reason.IN_FULL]


def test_case_3_1_rates_may_depend_on_the_tier_of_the_beneficiary() -> None:
    of = program(level_table({"rate_bps": 1000, "by_tier": {"gold": 1200}}, {"rate_bps": 500, "by_tier": {"gold": 0}}))
    result = shared(of, line(10_000), (person(1, tier="gold"), person(2, tier="gold")))
    assert amounts(result) == [1200, 0]
    assert [share.rate_bps for share in result.shares] == [1200, 0]
    assert [share.tier for share in result.shares] == ["gold", "gold"]
    assert reasons(result)[1] is Reason.RATE_ZERO
    assert amounts(shared(of, line(10_000), (person(1), person(2, tier=None)))) == [1000, 500]


@pytest.mark.parametrize(("pays", "amount"), [(True, 1000), (False, 0)])
def test_case_3_1_the_brand_chooses_whether_a_self_purchase_pays_the_seller(pays: bool, amount: int) -> None:
    of = program(rates(1000, 1500), self_purchase_pays_seller=pays)
    result = shared(of, line(10_000, self_purchase=True), ACTIVE_3[:2])
    assert amounts(result) == [amount, 1500]
    assert result.shares[0].reason is (Reason.IN_FULL if pays else Reason.SELF_PURCHASE)
    assert amounts(shared(of, line(10_000), ACTIVE_3[:2])) == [1000, 1500]


def test_case_3_1_a_level_may_be_paid_by_the_piece() -> None:
    of = program(level_table({"per_piece_minor": 250, "by_tier": {"gold": 300}}, {"rate_bps": 100}))
    result = shared(of, line(10_000, quantity=3), (person(1), person(2)))
    assert amounts(result) == [750, 100]
    assert [(share.rate_bps, share.per_piece_minor) for share in result.shares] == [(None, 250), (100, None)]
    assert amounts(shared(of, line(10_000, quantity=3), (person(1, tier="gold"),)))[0] == 900


def test_case_2_4_a_products_own_rate_overrides_the_table_absent_inherits_and_zero_is_none() -> None:
    table = level_table({"rate_bps": 1000, "by_tier": {"silver": 1100}}, {"rate_bps": 1500}, {"rate_bps": 2000}) | {
        "product_overrides": {"A": [0, None, 100], "B": [500]}
    }
    of = program(table)
    assert amounts(shared(of, line(10_000, "A"), ACTIVE_3)) == [0, 1500, 100]
    assert reasons(shared(of, line(10_000, "A"), ACTIVE_3))[0] is Reason.RATE_ZERO
    assert amounts(shared(of, line(10_000, "B"), ACTIVE_3)) == [500, 1500, 2000]
    assert amounts(shared(of, line(10_000, "C"), ACTIVE_3)) == [1100, 1500, 2000]


def test_case_2_4_components_are_limited_to_products_and_categories() -> None:
    of = program(rates(1000, only={"products": ["A"], "categories": ["tea"]}))
    assert amounts(shared(of, line(10_000, "A"), ACTIVE_3[:1])) == [1000]
    assert amounts(shared(of, line(10_000, "B", category="tea"), ACTIVE_3[:1])) == [1000]
    nothing = shared(of, line(10_000, "B", category="pots"), ACTIVE_3[:1])
    assert reasons(nothing) == [Reason.NO_COMPONENT]
    assert nothing.company_minor == 10_000


def test_case_2_4_components_are_in_effect_from_their_day_until_before_the_last() -> None:
    of = program(
        rates(1000, key="old", effective_until="2026-07-01"),
        rates(2000, key="new", effective_from="2026-07-01", effective_until="2026-08-01"),
    )
    days = {date(2026, 6, 30): [1000], date(2026, 7, 1): [2000], date(2026, 7, 31): [2000], date(2026, 8, 1): [0]}
    compiled = compile_program(of)
    for day, expected in days.items():
        assert amounts(commission_for_line(compiled, line(10_000, day=day), ACTIVE_3[:1])) == expected


def test_case_3_the_base_may_be_a_pool() -> None:
    of = program(rates(1000, 1500), base={"kind": "pool", "share_bps": 4000})
    result = shared(of, line(10_000), ACTIVE_3[:2])
    assert result.base_minor == 4000
    assert amounts(result) == [400, 600]
    assert result.company_minor == 3000


# -- §3.5 fixed per product ----------------------------------------------------------------------------------------


def test_case_3_5_eight_a_piece_on_x_whatever_the_table_says_and_quantity_counts() -> None:
    of = program(rates(1000, 1500), {"kind": "fixed_per_product", "key": "fix", "products": {"X": [800]}})
    result = shared(of, line(30_000, "X", quantity=3), ACTIVE_3[:1])
    assert amounts(result) == [2400]
    assert (result.shares[0].component, result.shares[0].per_piece_minor, result.shares[0].quantity) == ("fix", 800, 3)
    assert result.company_minor == 27_600
    assert amounts(shared(of, line(30_000, "Y", quantity=3), ACTIVE_3[:2])) == [3000, 4500]


def test_case_3_5_fixed_amounts_are_limited_by_the_base() -> None:
    of = program({"kind": "fixed_per_product", "key": "fix", "products": {"X": [800, 400]}})
    result = shared(of, line(600, "X"), ACTIVE_3[:2])
    assert amounts(result) == [400, 200]
    assert reasons(result) == [Reason.CAPPED, Reason.CAPPED]
    free = shared(of, line(0, "X"), ACTIVE_3[:2])
    assert amounts(free) == [0, 0]
    assert reasons(free) == [Reason.CAPPED_TO_ZERO] * 2


def test_case_3_5_of_two_fixed_amounts_the_first_in_effect_wins() -> None:
    of = program(
        {"kind": "fixed_per_product", "key": "a", "products": {"X": [1]}, "effective_from": "2026-07-02"},
        {"kind": "fixed_per_product", "key": "b", "products": {"X": [2]}},
        {"kind": "fixed_per_product", "key": "c", "products": {"X": [3]}},
    )
    assert amounts(shared(of, line(100, "X"), ACTIVE_3[:1])) == [2]
    assert amounts(shared(of, line(100, "X", day=date(2026, 7, 2)), ACTIVE_3[:1])) == [1]


# -- §3.7 cap ------------------------------------------------------------------------------------------------------


def test_case_3_7_above_the_cap_all_shrink_in_proportion_and_the_sum_is_exact() -> None:
    result = shared(program(rates(2000, 1500, 1000), cap_bps=3000), line(10_000), ACTIVE_3)
    assert amounts(result) == [1333, 1000, 667]
    assert result.company_minor == 7000
    assert [share.full_minor for share in result.shares] == [2000, 1500, 1000]


def test_case_3_7_among_equal_remainders_the_lower_level_comes_first_then_the_code() -> None:
    # Four shares of 100 in a limit of 2: half a unit each.
    of = program(rates(2500, 2500, key="b"), rates(2500, 2500, key="a"), cap_bps=50)
    result = shared(of, line(400), ACTIVE_3[:2])
    by_key = {(share.level, share.component): share.amount_minor for share in result.shares}
    assert by_key == {(0, "a"): 1, (0, "b"): 1, (1, "a"): 0, (1, "b"): 0}
    of = program(rates(2500, 2500, key="b"), rates(2500, 2500, key="a"), cap_bps=25)
    by_key = {(s.level, s.component): s.amount_minor for s in shared(of, line(400), ACTIVE_3[:2]).shares}
    assert by_key == {(0, "a"): 1, (0, "b"): 0, (1, "a"): 0, (1, "b"): 0}


def test_case_3_7_no_cap_is_no_maximum_and_a_cap_of_zero_pays_nothing() -> None:
    assert amounts(shared(program(rates(6000, 4000)), line(10_000), ACTIVE_3[:2])) == [6000, 4000]
    nothing = shared(program(rates(6000, 4000), cap_bps=0), line(10_000), ACTIVE_3[:2])
    assert amounts(nothing) == [0, 0]
    assert reasons(nothing) == [Reason.CAPPED_TO_ZERO] * 2
    assert nothing.company_minor == 10_000


def test_case_3_7_the_capped_sum_is_rounded_down() -> None:
    # 30 % of 0.05 is 0.015: 0.01 may be paid out.
    assert amounts(shared(program(rates(1500, 1500), cap_bps=3000), line(5), ACTIVE_3[:2])) == [1, 0]


def test_case_3_7_whoever_earns_nothing_takes_no_part_in_the_shrinking() -> None:
    of = program(rates(2000, 1500, 1000), cap_bps=3000)
    result = shared(of, line(10_000), chain("active", "suspended", "active"))
    assert amounts(result) == [2000, 0, 1000]
    assert reasons(result) == [Reason.IN_FULL, Reason.SUSPENDED, Reason.IN_FULL]


# -- rounding, refusals, the chain that is needed -----------------------------------------------------------------


def test_case_3_each_share_is_rounded_half_up() -> None:
    assert amounts(shared(program(rates(1000)), line(5), ACTIVE_3[:1])) == [1]
    nothing = shared(program(rates(1000)), line(4), ACTIVE_3[:1])
    assert reasons(nothing) == [Reason.ROUNDED_TO_ZERO]


def test_case_3_rounding_up_never_pays_more_than_the_base() -> None:
    result = shared(program(rates(5000, 5000)), line(1), ACTIVE_3[:2])
    assert amounts(result) == [1, 0]
    assert result.company_minor == 0


@pytest.mark.parametrize("wrong", [line(1, quantity=0), line(-1)])
def test_a_line_without_pieces_or_below_zero_is_a_value_error(wrong: Line) -> None:
    with pytest.raises(ValueError, match="no commission"):
        shared(program(rates(1000)), wrong, ACTIVE_3)


def test_large_amounts_are_exact() -> None:
    result = shared(program(rates(3333, 1)), line(10**15 + 5), ACTIVE_3[:2])
    assert amounts(result) == [333_300_000_000_002, 100_000_000_000]


@pytest.mark.long
@given(documents(), lines, members)
@settings(deadline=None, max_examples=600)
def test_a_second_implementation_agrees_and_nothing_is_lost_or_made(
    data: dict[str, Any], on: Line, to: tuple[Member, ...]
) -> None:
    of = parse(data)
    assert isinstance(of, Program), of
    result = shared(of, on, to)
    paid = {(share.component, share.level): share.amount_minor for share in result.shares if share.component}
    assert paid == naive_amounts(of, on, to)
    assert sum(share.amount_minor for share in result.shares) + result.company_minor == result.base_minor
    assert result.company_minor >= 0
    cap = of.commission.cap_bps
    if cap is not None:
        assert sum(amounts(result)) * 10_000 <= result.base_minor * cap


@pytest.mark.long
@given(documents(), lines, members)
@settings(deadline=None, max_examples=300)
def test_every_share_tells_why_and_is_unique_on_its_line(
    data: dict[str, Any], on: Line, to: tuple[Member, ...]
) -> None:
    of = parse(data)
    assert isinstance(of, Program)
    compiled = compile_program(of)
    result = commission_for_line(compiled, on, to)
    places = [(share.component, share.level) for share in result.shares]
    assert len(places) == len(set(places))
    told = {share.beneficiary_id for share in result.shares}
    active = {member.id for member in to if member.status == "active"}
    for share in result.shares:
        assert (share.amount_minor > 0) == (share.outcome is Outcome.EARNED)
        assert share.amount_minor == 0 or share.beneficiary_id in active
        assert (
            share.amount_minor == share.full_minor
            or share.outcome is not Outcome.EARNED
            or (share.reason in LIMIT_REASONS)
        )
    beyond = [share.level for share in result.shares if share.reason is Reason.BEYOND_PAID_LEVELS]
    nearest = {member.id for member in to[: beyond[0] if beyond else len(to)]}
    if Reason.NO_COMPONENT not in reasons(result):
        assert nearest <= told
    if compiled.chain_needed is not None:
        assert commission_for_line(compiled, on, to[: compiled.chain_needed]) == result
