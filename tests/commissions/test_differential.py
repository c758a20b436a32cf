"""The core beside a second implementation, on thousands of random programs and orders with every line component."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.commissions.explain import as_data, explain
from saas.commissions.rules import LineResult, Outcome, Reason, commission_for_line, compile_program
from tests.commissions.naive import naive_amounts, naive_base, percent
from tests.commissions.worlds import Case, case, order_for

CASES = 12_000
PARTS = 4


def check(of: Case) -> LineResult:
    """Both agree, nothing is lost or made, every share is told once and explains itself."""
    compiled = compile_program(of.program)
    result = commission_for_line(compiled, of.line, of.chain, of.facts)
    paid = {(share.component, share.level): share.amount_minor for share in result.shares if share.component}
    assert paid == naive_amounts(of.program, of.line, of.chain, of.facts)
    assert result.base_minor == naive_base(of.program, of.line)
    total = sum(share.amount_minor for share in result.shares)
    assert total + result.company_minor == result.base_minor
    cap = of.program.commission.cap_bps
    assert 0 <= total <= result.base_minor * (10_000 if cap is None else cap) // 10_000
    assert len({(share.component, share.level) for share in result.shares}) == len(result.shares)
    active = {member.id for member in (*of.chain, of.facts.partner) if member is not None and member.status == "active"}
    for share in result.shares:
        assert (share.amount_minor > 0) == (share.outcome is Outcome.EARNED)
        assert not share.amount_minor or share.beneficiary_id in active
        assert 0 <= share.amount_minor <= share.full_minor
        if share.reason in (Reason.IN_FULL, Reason.CAPPED, Reason.WITHIN_TOP_RATE):
            assert (share.amount_minor == share.full_minor) == (share.reason is Reason.IN_FULL)
    if compiled.chain_needed is not None:
        assert commission_for_line(compiled, of.line, of.chain[: compiled.chain_needed], of.facts) == result
    return result


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_thousands_of_random_programs_and_orders_agree_with_the_second_implementation(part: int) -> None:
    chance = Random(2026_07 + part)
    reasons: Counter[Reason] = Counter()
    earned = 0
    for number in range(CASES // PARTS):
        of = case(chance)
        for again in (of, order_for(of.program, chance)):
            result = check(again)
            reasons.update(share.reason for share in result.shares)
            earned += any(share.amount_minor for share in result.shares)
        if number % 50 == 0:
            for share in result.shares:
                assert explain(share, "en", program_number=1, currency="CNY").endswith(".")
                assert explain(share, "zh-CN", program_number=1, currency="CNY").endswith("。")
                assert as_data(share, program_number=1, currency="CNY")["fullMinor"] == share.full_minor
    assert earned > CASES // PARTS / 2
    assert set(reasons) == set(Reason), "some reason is never met"


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_the_same_with_cases_that_shrink(chance: Random) -> None:
    check(case(chance))


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_case_3_4_a_differential_never_comes_to_more_than_the_highest_rate(chance: Random) -> None:
    of = case(chance)
    result = check(of)
    for part in of.program.commission.components:
        if part.kind == "differential":
            paid = sum(share.amount_minor for share in result.shares if share.component == part.key)
            assert paid <= percent(result.base_minor, max(part.rates_bps.values()))
