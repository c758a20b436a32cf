"""The order's state machine, the price band, the hold."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.errors import STATES_ZH
from saas.orders.errors import OrderStepRefused
from saas.orders.rules import (
    OrderEvent,
    OrderState,
    PriceEntry,
    PriceVerdict,
    check_price,
    hold_until,
    next_state,
    price_entry,
)
from tenants.program.presets import preset

STEPS = {
    (OrderState.PLACED, OrderEvent.PAY): OrderState.PAID,
    (OrderState.PAID, OrderEvent.SHIP): OrderState.SHIPPED,
    (OrderState.SHIPPED, OrderEvent.DELIVER): OrderState.DELIVERED,
    (OrderState.DELIVERED, OrderEvent.CLOSE): OrderState.CLOSED,
    (OrderState.PLACED, OrderEvent.CANCEL): OrderState.CANCELLED,
    (OrderState.PAID, OrderEvent.CANCEL): OrderState.CANCELLED,
}


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("event", OrderEvent)
def test_4_an_order_moves_along_its_steps_and_no_other(state: OrderState, event: OrderEvent) -> None:
    if (state, event) in STEPS:
        assert next_state(state, event) is STEPS[state, event]
        return
    with pytest.raises(OrderStepRefused) as refused:
        next_state(state, event)
    assert refused.value.params["state"] == state.value
    assert state.value in refused.value.message("en")
    assert STATES_ZH[state.value] in refused.value.message("zh-CN")


def test_4_a_refused_step_names_the_states_that_would_do() -> None:
    with pytest.raises(OrderStepRefused) as refused:
        next_state(OrderState.SHIPPED, OrderEvent.CANCEL)
    assert refused.value.message() == "This order is shipped; to cancel it, it must be: placed, paid."


def entry(guide: int, below: int, above: int) -> PriceEntry:
    return PriceEntry(guide_price_minor=guide, below_bps=below, above_bps=above)


@pytest.mark.parametrize(
    ("amount", "verdict"),
    [
        (9499, PriceVerdict.BELOW),
        (9500, PriceVerdict.INSIDE),
        (10_000, PriceVerdict.INSIDE),
        (10_500, PriceVerdict.INSIDE),
        (10_501, PriceVerdict.ABOVE),
    ],
)
def test_2_3_a_band_of_five_percent_includes_both_bounds(amount: int, verdict: PriceVerdict) -> None:
    check = check_price(entry(10_000, 500, 500), 1, amount)
    assert (check.verdict, check.least_minor, check.most_minor) == (verdict, 9500, 10_500)


def test_2_3_the_band_is_that_of_the_quantity_not_of_rounded_pieces() -> None:
    # 0.33 less 5 % is 0.3135 a piece: 0.32 at least for one, but 94.05 for three hundred, not 96.00.
    one, many = check_price(entry(33, 500, 500), 1, 33), check_price(entry(33, 500, 500), 300, 9405)
    assert (one.least_minor, one.most_minor) == (32, 34)
    assert (many.verdict, many.least_minor, many.most_minor) == (PriceVerdict.INSIDE, 9405, 10_395)


def test_2_3_a_band_of_zero_allows_the_guide_price_alone() -> None:
    assert [check_price(entry(33, 0, 0), 3, amount).verdict for amount in (98, 99, 100)] == [
        PriceVerdict.BELOW,
        PriceVerdict.INSIDE,
        PriceVerdict.ABOVE,
    ]


@given(st.integers(1, 10**9), st.integers(0, 10_000), st.integers(0, 30_000), st.integers(1, 10**6), st.data())
def test_2_3_the_bounds_are_the_outermost_whole_units_inside_the_band(
    guide: int, below: int, above: int, quantity: int, source: st.DataObject
) -> None:
    priced = entry(guide, below, above)
    low = guide * quantity * Fraction(10_000 - below, 10_000)
    high = guide * quantity * Fraction(10_000 + above, 10_000)
    near = st.sampled_from([int(low), int(high)]).flatmap(lambda bound: st.integers(bound - 2, bound + 2))
    amount = source.draw(near | st.integers(0, 2 * int(high)))
    check = check_price(priced, quantity, amount)
    expected = PriceVerdict.BELOW if amount < low else PriceVerdict.ABOVE if amount > high else PriceVerdict.INSIDE
    assert check.verdict is expected
    assert check_price(priced, quantity, check.least_minor).verdict is not PriceVerdict.BELOW
    assert check_price(priced, quantity, check.least_minor - 1).verdict is PriceVerdict.BELOW
    assert check_price(priced, quantity, check.most_minor + 1).verdict is PriceVerdict.ABOVE


def test_2_3_a_products_own_band_replaces_the_default() -> None:
    policy = preset("cedar").price_policy
    assert price_entry(policy, "CEDAR-CAKE") == entry(35_700, 500, 2000)
    assert price_entry(policy, "CEDAR-GREEN") == entry(12_800, 1000, 1000)
    assert price_entry(policy, "UNKNOWN") is None


def test_4_the_hold_ends_whole_days_after_delivery() -> None:
    delivered = datetime(2026, 2, 25, 15, 30, tzinfo=UTC)
    assert hold_until(delivered, 7) == datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
    assert hold_until(delivered, 0) == delivered
