"""Reading a purchase log, strictly: ``customer date items value``, separated by spaces, under one header line. Pure.

Rows are counted without the header, comments (``#``) and empty lines, so the same row keeps its number, and with it
its identity, in a copy of the log that has a comment on top or ends earlier.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from saas.base.errors import DomainError
from saas.base.money import parse_amount
from saas.imports.errors import LogRefused, RowFieldWrong, RowShapeWrong

HEADER = ("customer_id", "date", "number_of_cds", "dollar_value")
CURRENCY = "USD"

_CUSTOMER = re.compile(r"[0-9]{1,10}")
_DATE = re.compile(r"[0-9]{8}")
_ITEMS = re.compile(r"[1-9][0-9]{0,8}")
_VALUE = re.compile(r"[0-9]{1,9}\.[0-9]{2}")


class Purchase(NamedTuple):
    """One purchase: a customer's number, the day, how many items, and what was paid in cents; 0 is a gift."""

    line_no: int
    row_no: int
    customer: int
    day: date
    items: int
    amount_minor: int
    digest: str

    @property
    def key(self) -> str:
        """What makes the row be imported once: its number and its content."""
        return f"cdnow:{self.row_no}:{self.digest}"


class BadRow(NamedTuple):
    """A row that is left out, by its line in the file, and why."""

    line_no: int
    errors: tuple[DomainError, ...]


def read_log(lines: Iterable[str], name: str) -> Iterator[Purchase | BadRow]:
    """The rows of a log, one by one. Raises ``LogRefused`` at once when it does not begin with the header."""
    numbered = ((line_no, line.split()) for line_no, line in enumerate(lines, start=1))
    content = ((line_no, fields) for line_no, fields in numbered if fields and not fields[0].startswith("#"))
    _, header = next(content, (0, []))
    if tuple(header) != HEADER:
        raise LogRefused("file", file=name, header=" ".join(HEADER))
    return (_row(line_no, row_no, fields) for row_no, (line_no, fields) in enumerate(content, start=1))


def _row(line_no: int, row_no: int, fields: list[str]) -> Purchase | BadRow:
    if len(fields) != len(HEADER):
        return BadRow(line_no, (RowShapeWrong("row", count=len(fields)),))
    customer, written, items, value = fields
    wrong: list[DomainError] = []
    day = _day(written)
    if not _CUSTOMER.fullmatch(customer):
        wrong.append(_wrong("customer_id", customer, "00042"))
    if day is None:
        wrong.append(_wrong("date", written, "19970131"))
    if not _ITEMS.fullmatch(items):
        wrong.append(_wrong("number_of_cds", items, "2"))
    if not _VALUE.fullmatch(value):
        wrong.append(_wrong("dollar_value", value, "11.77"))
    if wrong or day is None:
        return BadRow(line_no, tuple(wrong))
    digest = sha256(" ".join(fields).encode()).hexdigest()[:16]
    return Purchase(line_no, row_no, int(customer), day, int(items), parse_amount(value, CURRENCY), digest)


def _day(written: str) -> date | None:
    if not _DATE.fullmatch(written):
        return None
    try:
        return date(int(written[:4]), int(written[4:6]), int(written[6:]))
    except ValueError:
        return None


def _wrong(what: str, value: str, expected: str) -> RowFieldWrong:
    return RowFieldWrong(f"row.{what}", what=what, value=value[:40], expected=expected)


def is_log(file: Path) -> bool:
    """Whether a file begins as a purchase log does."""
    with file.open(encoding="ascii", errors="replace") as log:
        content = (line.split() for line in log)
        return tuple(next((fields for fields in content if fields and not fields[0].startswith("#")), ())) == HEADER
