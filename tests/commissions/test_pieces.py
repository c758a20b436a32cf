"""Pieces with volume (docs/rules.md §3.2): the worked cases, and that a period brings the same however it is cut."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.base import clock
from saas.base.ids import OrderId, OrderLineId, new_id
from saas.commissions.commands import PaidLine, PaidOrder, accrue
from saas.commissions.rules import (
    NO_FACTS,
    CompiledProgram,
    Facts,
    Reason,
    commission_for_line,
)
from tests.commissions.small import DAY, amounts, chain, compiled, line, pieces, reasons
from tests.tenants.program.documents import rates

# -- §3.2 per piece with volume ------------------------------------------------------------------------------------


def after(sold: int) -> Facts:
    return NO_FACTS._replace(pieces={"pieces": sold})


PLENTY = 10**9


@pytest.mark.parametrize(
    ("applies", "before", "quantity", "amount", "detail"),
    [
        ("MARGINAL", 0, 35, 71_000, (0, 5, 200)),
        ("MARGINAL", 28, 5, 10_600, (28, 3, 200)),
        ("MARGINAL", 0, 30, 60_000, (0,)),
        ("MARGINAL", 30, 1, 2200, (30, 1, 200)),
        ("WHOLE", 0, 35, 77_000, (0, 35, 200)),
        ("WHOLE", 28, 5, 16_600, (28, 33, 200)),
        ("WHOLE", 0, 30, 60_000, (0,)),
        ("WHOLE", 33, 2, 4400, (33, 35, 200, -33, 200)),
    ],
)
def test_case_3_2_twenty_a_piece_and_two_more_above_thirty(
    applies: str, before: int, quantity: int, amount: int, detail: tuple[int, ...]
) -> None:
    of = compiled(pieces(applies=applies))
    result = commission_for_line(of, line(PLENTY, quantity=quantity), chain("gold"), after(before))
    assert amounts(result) == [amount]
    (share,) = result.shares
    assert (share.component, share.level, share.per_piece_minor, share.quantity) == ("pieces", 0, 2000, quantity)
    assert share.detail == detail
    assert share.full_minor == amount


def test_case_3_2_of_several_bands_each_piece_is_lifted_by_its_own() -> None:
    of = compiled(pieces((30, 200), (10, 100), (50, 50)))
    result = commission_for_line(of, line(PLENTY, quantity=50), chain("gold"), after(5))
    assert result.shares[0].detail == (5, 20, 100, 20, 200, 5, 50)
    assert amounts(result) == [50 * 2000 + 20 * 100 + 20 * 200 + 5 * 50]


def test_case_3_2_whole_the_order_that_passes_a_further_bound_lifts_what_the_last_band_lifted_less() -> None:
    of = compiled(pieces((10, 100), (30, 300), applies="WHOLE"))
    result = commission_for_line(of, line(PLENTY, quantity=5), chain("gold"), after(28))
    assert result.shares[0].detail == (28, 33, 300, -28, 100)
    assert amounts(result) == [5 * 2000 + 33 * 300 - 28 * 100]


def test_case_3_2_only_the_seller_is_paid_by_the_piece_and_others_are_told_once() -> None:
    result = commission_for_line(compiled(pieces()), line(PLENTY), chain("gold", "gold", "gold"))
    assert reasons(result) == [Reason.IN_FULL, Reason.BEYOND_PAID_LEVELS]
    suspended = commission_for_line(compiled(pieces()), line(PLENTY), chain("gold", m1="suspended"))
    assert reasons(suspended) == [Reason.SUSPENDED]
    assert suspended.shares[0].full_minor == 2000
    nobody = commission_for_line(compiled(pieces()), line(PLENTY), ())
    assert reasons(nobody) == [Reason.NO_SELLER]
    own = compiled(pieces(), self_purchase_pays_seller=False)
    assert reasons(commission_for_line(own, line(PLENTY, self_purchase=True), chain("gold"))) == [Reason.SELF_PURCHASE]
    free = commission_for_line(compiled(pieces(each=0)), line(PLENTY), chain("gold"))
    assert reasons(free) == [Reason.RATE_ZERO]


def test_case_3_2_and_3_5_a_fixed_amount_replaces_the_amount_a_piece_but_the_pieces_count() -> None:
    of = compiled(pieces(), {"kind": "fixed_per_product", "key": "fix", "products": {"X": [800]}})
    result = commission_for_line(of, line(PLENTY, "X", quantity=3), chain("gold"), after(28))
    assert amounts(result) == [2400, 0]
    assert reasons(result) == [Reason.IN_FULL, Reason.FIXED_INSTEAD]
    assert result.shares[1].detail == (28, 1, 200), "the lift of its pieces is used up"
    assert of.counters_for("X", None, DAY) == ("pieces",)


def test_counters_are_advanced_by_the_lines_that_the_component_counts() -> None:
    of = compiled(pieces(only={"products": ["A"]}, effective_from="2026-07-01", period="quarter"), rates(1000))
    assert of.counters_for("A", None, DAY) == ("pieces",)
    assert of.counters_for("B", None, DAY) == ()
    assert of.counters_for("A", None, date(2026, 6, 30)) == ()
    (counter,) = of.needs_pieces
    assert (counter.component, counter.period, counter.effective_from) == ("pieces", "quarter", DAY)
    assert counter.only is not None and counter.only.products == ("A",)
    assert compiled(rates(1000)).needs_pieces == ()


def order(of: CompiledProgram, facts: Facts, *quantities: int) -> list[tuple[int, tuple[int, ...]]]:
    """An order of lines of so many pieces; the amount and the detail of each."""
    made = accrue(
        of,
        PaidOrder(
            id=OrderId(new_id()),
            program_number=1,
            currency="CNY",
            paid_at=clock.now(),
            day=DAY,
            hold_until=None,
            self_purchase=False,
            chain=chain("gold"),
            lines=[PaidLine(OrderLineId(new_id()), "S", None, quantity, PLENTY) for quantity in quantities],
            facts=facts,
        ),
    )
    assert made.pieces == {"pieces": facts.pieces.get("pieces", 0) + sum(quantities)}
    assert sum(made.earned.values()) == sum(share.amount_minor for _, share in made.shares)
    return [(share.amount_minor, share.detail) for _, share in made.shares]


def test_case_3_2_the_pieces_grow_from_line_to_line_of_an_order() -> None:
    of = compiled(pieces())
    assert order(of, after(26), 3, 3) == [(6000, (26,)), (6400, (29, 2, 200))]
    assert order(of, NO_FACTS, 30, 1) == [(60_000, (0,)), (2200, (30, 1, 200))]


bands = st.dictionaries(st.integers(1, 60), st.integers(0, 500), min_size=1, max_size=4).map(lambda made: made.items())


@given(bands, st.sampled_from(["MARGINAL", "WHOLE"]), st.lists(st.integers(1, 40), min_size=1, max_size=8))
@settings(deadline=None)
def test_case_3_2_a_period_brings_the_same_however_it_is_cut_into_orders(
    made: Any, applies: str, quantities: list[int]
) -> None:
    of = compiled(pieces(*made, applies=applies))
    (whole, _), *_ = order(of, NO_FACTS, sum(quantities))
    assert sum(amount for amount, _ in order(of, NO_FACTS, *quantities)) == whole
    sold, total = 0, 0
    for quantity in quantities:
        ((amount, _),) = order(of, after(sold), quantity)
        assert amount >= 0
        sold, total = sold + quantity, total + amount
    assert total == whole
