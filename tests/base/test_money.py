"""Exactness of money: docs/rules.md, "Rounding" and §3.7."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from saas.base.money import divide_half_up, formatted, minor_digits, parse_amount, plain_amount, share, shrink_to

amounts = st.integers(min_value=0, max_value=10**13)


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6))
def test_division_rounds_half_away_from_zero(numerator: int, denominator: int) -> None:
    exact = Fraction(abs(numerator), denominator)
    wanted = floor(exact + Fraction(1, 2))
    assert divide_half_up(numerator, denominator) == (wanted if numerator >= 0 else -wanted)


@pytest.mark.parametrize(
    ("base", "rate", "wanted"), [(3333, 1000, 333), (3333, 1500, 500), (3333, 2000, 667), (5, 1000, 1), (4, 1000, 0)]
)
def test_share_rounds_half_up(base: int, rate: int, wanted: int) -> None:
    assert share(base, rate) == wanted


def test_case_3_7_shares_shrink_with_the_largest_remainder() -> None:
    assert shrink_to([2000, 1500, 1000], 3000) == [1333, 1000, 667]


@given(st.lists(amounts, max_size=12), amounts)
def test_shrunk_shares_fit_exactly(shares: list[int], total: int) -> None:
    shrunk = shrink_to(shares, total)
    assert sum(shrunk) == min(sum(shares), total)
    assert all(0 <= after <= before for after, before in zip(shrunk, shares, strict=True))


@given(st.integers(-(10**12), 10**12), st.sampled_from(["CNY", "USD", "JPY", "KWD"]))
def test_amounts_survive_writing_and_reading(amount: int, currency: str) -> None:
    assert parse_amount(plain_amount(amount, currency), currency) == amount


@pytest.mark.parametrize("text", ["", "x", "1.234", "NaN", "Infinity", "1e400", "１.001", "--1"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals"):
        parse_amount(text, "CNY")


def test_amounts_are_written_for_the_reader() -> None:
    assert formatted(123450, "CNY", "zh-CN") == "¥1,234.50"
    assert formatted(123450, "CNY", "en") == "CN¥1,234.50"


@given(
    st.integers(-(10**15), 10**15),
    st.sampled_from(["CNY", "USD", "JPY", "KWD", "EUR"]),
    st.sampled_from(["zh-CN", "en", "de", "hi", "ar", "fr"]),
)
def test_amounts_are_written_as_babel_writes_them(amount_minor: int, currency: str, locale: str) -> None:
    exact = Decimal(amount_minor).scaleb(-minor_digits(currency))
    written = format_currency(exact, currency, locale=locale.replace("-", "_"))
    assert formatted(amount_minor, currency, locale) == written
