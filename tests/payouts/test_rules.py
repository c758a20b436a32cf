"""The arithmetic of payouts and the form of bank cards, without a database."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.ids import PayoutId, new_id
from saas.payouts.errors import AboveMaximumPayout, BelowMinimumPayout, DestinationRefused, NothingLeftToPay
from saas.payouts.providers import FILES, Item, Sheet, Submission
from saas.payouts.rules import (
    Bracket,
    Breakdown,
    DestinationKind,
    PayoutPolicy,
    PayTo,
    break_down,
    masked,
    pay_to,
    withholding,
)


def policy(minimum: int = 0, fee: int = 60, withholding: int = 2000) -> PayoutPolicy:
    return PayoutPolicy(currency="CNY", minimum_minor=minimum, fee_bps=fee, withholding_without_invoice_bps=withholding)


def test_without_an_invoice_a_thousand_pays_794() -> None:
    assert break_down(policy(), 100_000, has_invoice=False) == Breakdown(
        requested_minor=100_000, fee_minor=600, withheld_minor=20_000, net_minor=79_400
    )


def test_with_an_invoice_nothing_is_withheld() -> None:
    assert break_down(policy(), 100_000, has_invoice=True) == Breakdown(
        requested_minor=100_000, fee_minor=600, withheld_minor=0, net_minor=99_400
    )


@given(st.integers(1, 10**13), st.integers(0, 10_000), st.integers(0, 10_000), st.booleans())
def test_every_cent_requested_goes_somewhere(amount: int, fee: int, withholding: int, has_invoice: bool) -> None:
    try:
        found = break_down(policy(0, fee, withholding), amount, has_invoice=has_invoice)
    except NothingLeftToPay:
        assert fee + (0 if has_invoice else withholding) > 10_000 - 10_000 // amount - 1
        return
    assert found.requested_minor == amount == found.fee_minor + found.withheld_minor + found.net_minor
    assert found.net_minor > 0
    assert min(found.fee_minor, found.withheld_minor) >= 0
    assert abs(found.fee_minor * 10_000 - amount * fee) <= 5_000
    assert found.withheld_minor == 0 or not has_invoice


@pytest.mark.parametrize(("amount", "minimum"), [(9_999, 10_000), (0, 0), (-5, 0), (-5, 10_000)])
def test_below_the_minimum_is_refused(amount: int, minimum: int) -> None:
    with pytest.raises(BelowMinimumPayout):
        break_down(policy(minimum), amount, has_invoice=True)


def test_the_minimum_itself_and_a_minimum_of_zero_are_fine() -> None:
    assert break_down(policy(10_000), 10_000, has_invoice=True).net_minor == 9_940
    assert break_down(policy(0), 1, has_invoice=False).net_minor == 1


@pytest.mark.parametrize(("fee", "withholding", "amount"), [(10_000, 0, 500), (8_000, 2_000, 500), (5_000, 5_000, 1)])
def test_a_payout_of_nothing_is_refused(fee: int, withholding: int, amount: int) -> None:
    with pytest.raises(NothingLeftToPay):
        break_down(policy(0, fee, withholding), amount, has_invoice=False)


def test_a_bank_card_is_read_as_people_write_it() -> None:
    card = pay_to(DestinationKind.BANK_CARD, " 王小明 ", "招商银行", "6222 0212-3456 7890")
    assert card == PayTo(holder="王小明", bank="招商银行", account="6222021234567890")
    assert masked(card) == "招商银行 ****7890"


@pytest.mark.parametrize(
    ("holder", "bank", "account", "field"),
    [
        ("", "Bank", "62220212", "input.holder"),
        ("A\u200bB", "Bank", "62220212", "input.holder"),
        ("Ann", "B" * 61, "62220212", "input.bank"),
        ("Ann", "Bank", "1234567", "input.account"),
        ("Ann", "Bank", "=6222021234", "input.account"),
        ("Ann", "Bank", "６２２２０２１２３４", "input.account"),
    ],
)
def test_a_bank_card_that_cannot_be_right_is_refused(holder: str, bank: str, account: str, field: str) -> None:
    with pytest.raises(DestinationRefused) as refused:
        pay_to(DestinationKind.BANK_CARD, holder, bank, account)
    assert refused.value.field == field


def written(number: str, items: list[Item]) -> Submission:
    sheet = Sheet(number=number, submitted_at=datetime(2026, 4, 1, tzinfo=UTC), items=items)
    return FILES["manual"].write(sheet, {})


def test_the_bank_file_is_the_same_whatever_the_order_and_holds_no_formula() -> None:
    evil = PayTo(holder='=HYPERLINK("x")', bank="招商,银行", account="6222021234567890")
    items = [
        Item(payout_id=PayoutId(new_id()), to=card, net_minor=net, currency="CNY")
        for card, net in ((evil, 79_400), (PayTo(holder="Ann", bank="ICBC", account="00112233"), 5))
    ]
    made = written("P20260401-001", items)
    assert made == written("P20260401-001", list(reversed(items)))
    assert made.file_name == "P20260401-001.csv"
    assert made.content.splitlines() == [
        "no,holder,bank,account,amount,currency,payout_id",
        f'1,"\'=HYPERLINK(""x"")","招商,银行",6222021234567890,794.00,CNY,{items[0].payout_id.hex}',
        f"2,Ann,ICBC,00112233,0.05,CNY,{items[1].payout_id.hex}",
    ]


BRACKETS = (Bracket(80_000, 2_000), Bracket(400_000, 3_000))


@pytest.mark.parametrize(
    ("amount", "marginal", "whole"),
    [
        (79_999, 0, 0),
        (80_000, 0, 16_000),
        (80_002, 0, 16_000),
        (80_003, 1, 16_001),
        (399_999, 64_000, 80_000),
        (400_000, 64_000, 120_000),
        (500_000, 94_000, 150_000),
    ],
)
def test_brackets_withhold_of_each_part_or_of_the_whole(amount: int, marginal: int, whole: int) -> None:
    bare = replace(policy(0, 0, 0), brackets=BRACKETS)
    assert withholding(bare, amount) == marginal
    assert withholding(replace(bare, whole=True), amount) == whole
    assert break_down(bare, amount, has_invoice=True).withheld_minor == 0


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10_000)), max_size=5, unique_by=lambda one: one[0]),
    st.integers(1, 10**10),
)
def test_marginal_brackets_are_what_each_cent_bears_rounded_once(given: list[tuple[int, int]], amount: int) -> None:
    brackets = tuple(Bracket(*one) for one in sorted(given))
    exact = (
        sum(
            (min(amount, upper) - lower.from_minor) * lower.rate_bps
            for lower, upper in zip(brackets, [*(one.from_minor for one in brackets[1:]), amount], strict=True)
            if amount > lower.from_minor
        )
        if brackets
        else 0
    )
    found = withholding(replace(policy(0, 0, 0), brackets=brackets), amount)
    assert abs(found * 10_000 - exact) <= 5_000
    assert 0 <= found <= amount


def test_above_the_maximum_is_refused_and_the_maximum_is_not() -> None:
    bound = replace(policy(), maximum_minor=100_000)
    assert break_down(bound, 100_000, has_invoice=True).requested_minor == 100_000
    with pytest.raises(AboveMaximumPayout):
        break_down(bound, 100_001, has_invoice=True)
