"""CSV files that a spreadsheet program opens as what they are: text stays text and never becomes a formula."""

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from io import StringIO

from saas.base.money import plain_amount

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters, also in full width, that make a spreadsheet program compute a cell."""


class Amount(str):
    """A plain decimal written by ``amount``; the one kind of text that may begin with a minus sign."""

    __slots__ = ()


def amount(amount_minor: int, currency: str) -> Amount:
    """Minor units as the cell ``-12.34``."""
    return Amount(plain_amount(amount_minor, currency))


def csv_text(rows: Iterable[Sequence[str | int | date]]) -> str:
    """Rows as CSV (RFC 4180, CRLF). Text that begins like a formula gets an apostrophe in front."""
    out = StringIO()
    csv.writer(out).writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _cell(cell: str | int | date) -> str:
    if isinstance(cell, str) and not isinstance(cell, Amount) and cell.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{cell}"
    return str(cell)
