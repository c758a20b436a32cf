"""Exact money: integer minor units, rates in basis points, half-up rounding (docs/rules.md, "Rounding").

No float ever comes near an amount. ``Decimal`` appears only where people's text enters or leaves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency, get_currency_precision

PLAIN_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
BPS_WHOLE = 10_000
"""Basis points in the whole: 10,000 bps are 100 %."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the minor unit of one currency (分 for CNY, cents for USD)."""

    amount_minor: int
    currency: str


def divide_half_up(numerator: int, denominator: int) -> int:
    """Divide two integers and round half away from zero.

    Raises ``ZeroDivisionError`` for a zero denominator.
    """
    quotient, remainder = divmod(abs(numerator), abs(denominator))
    if 2 * remainder >= abs(denominator):
        quotient += 1
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def share(base_minor: int, rate_bps: int) -> int:
    """Take ``rate_bps`` of ``base_minor``, in minor units, half up per share."""
    return divide_half_up(base_minor * rate_bps, BPS_WHOLE)


def part_back(whole_minor: int, returned: int, pieces: int) -> int:
    """What ``returned`` of ``pieces`` stand for of an amount, half up.

    Always taken of all pieces returned so far, so that what single returns add to it adds up to the whole: 10.00 on 3
    pieces goes back as 3.33, 3.34, 3.33 (docs/rules.md §4).
    """
    return divide_half_up(whole_minor * returned, pieces)


def shrink_to(shares: Sequence[int], total_minor: int) -> list[int]:
    """Shrink non-negative shares in proportion so that they add up to ``total_minor`` exactly.

    The largest remainder gets the left-over units; among equal remainders the earlier share wins, so callers
    pass shares in their order of precedence. Shares that fit already come back unchanged.
    """
    whole = sum(shares)
    if whole <= total_minor:
        return list(shares)
    floors = [amount * total_minor // whole for amount in shares]
    left = total_minor - sum(floors)
    if left:
        by_remainder = sorted([(-(amount * total_minor % whole), i) for i, amount in enumerate(shares)])
        for _, i in by_remainder[:left]:
            floors[i] += 1
    return floors


@lru_cache(maxsize=64)
def minor_digits(currency: str) -> int:
    """Digits after the decimal point of a currency: 2 for CNY, 0 for JPY."""
    return get_currency_precision(currency)


def parse_amount(text: str, currency: str) -> int:
    """Read a decimal amount written by a person or a file into minor units.

    Raises ``ValueError`` when the text is no plain number or has more digits than the currency knows; nothing
    is rounded on the way in.
    """
    if not PLAIN_NUMBER.fullmatch(text.strip()):
        raise ValueError(f"{text[:40]!r} is not an amount")
    scaled = Decimal(text.strip()).scaleb(minor_digits(currency))
    if scaled != int(scaled):
        raise ValueError(f"{text!r} has more than {minor_digits(currency)} decimals")
    return int(scaled)


def plain_amount(amount_minor: int, currency: str) -> str:
    """Write minor units as a plain decimal for files: ``1234`` of CNY is ``12.34``."""
    digits = minor_digits(currency)
    return f"{Decimal(amount_minor).scaleb(-digits):.{digits}f}"


def formatted(amount_minor: int, currency: str, locale: str) -> str:
    """Write an amount for a reader: ``¥1,234.50`` in zh-CN, ``CN¥1,234.50`` in en."""
    digits = minor_digits(currency)
    mould = _mould(currency, locale, negative=amount_minor < 0)
    if mould is None:
        return _written(amount_minor, currency, locale)
    before, group, point, after = mould
    whole, part = divmod(abs(amount_minor), 10**digits)
    grouped = f"{whole:,}" if group == "," else f"{whole:,}".replace(",", group)
    return f"{before}{grouped}{point}{part:0{digits}}{after}" if digits else f"{before}{grouped}{after}"


def _written(amount_minor: int, currency: str, locale: str) -> str:
    value = Decimal(amount_minor).scaleb(-minor_digits(currency))
    return format_currency(value, currency, locale=_locale(locale))


@lru_cache(maxsize=256)
def _mould(currency: str, locale: str, *, negative: bool) -> tuple[str, str, str, str] | None:
    """What a language writes before, between and after the digits, learnt from one amount that Babel wrote.

    To pour digits into it takes a tenth of the time. None where a language does more than that.
    """
    digits = minor_digits(currency)
    sample = 1_234_567 * 10**digits + int("8" * digits or 0)
    written = _written(-sample if negative else sample, currency, locale)
    part = rf"(\D*){'8' * digits}" if digits else "()"
    found = re.fullmatch(rf"(\D*)1(\D*)234(\D*)567{part}(\D*)", written)
    if found is None or found[2] != found[3]:
        return None
    return found[1], found[2], found[4], found[5]


@lru_cache(maxsize=16)
def _locale(tag: str) -> Locale:
    """Kept, because to find ``zh-CN`` takes ten times as long as to write an amount in it."""
    return Locale.parse(tag, sep="-")
