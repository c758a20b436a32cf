"""Documents people keep: a title, facts, and tables, as CSV, as a spreadsheet and as PDF (``saas.base.pdf``). Pure.

What a cell is decides how it is written: amounts are exact in each form, and text never becomes a formula.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

from saas.base.money import Money, minor_digits
from saas.base.sheets import amount, csv_text

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Cell: TypeAlias = str | int | date | Money | None

SHEET_ROWS_MOST = 1_000_000
"""A spreadsheet ends a little above."""


class Form(StrEnum):
    """How a document is written."""

    PDF = "pdf"
    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES = {
    Form.PDF: "application/pdf",
    Form.CSV: "text/csv; charset=utf-8",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a title. ``widths`` are the parts of the page's width that its columns take."""

    title: str
    head: Sequence[str]
    widths: Sequence[int]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is written. ``facts`` are pairs of a name and a value, ``notes`` are sentences, ``wide`` turns the page.

    ``page`` words the number of a page, with ``{page}`` and ``{pages}`` in it.
    """

    title: str
    subject: str
    facts: Sequence[tuple[str, Cell]]
    notes: Sequence[str] = ()
    tables: Sequence[Table] = ()
    wide: bool = False
    page: str = "{page} / {pages}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to be handed over."""

    file_name: str
    media_type: str
    content: bytes


def as_csv(document: Document) -> bytes:
    """The document as CSV (RFC 4180) in UTF-8, with the mark by which spreadsheet programs know that it is."""
    return b"\xef\xbb\xbf" + csv_text(_lines(document)).encode()


def _lines(document: Document) -> Iterator[Sequence[str | int | date]]:
    yield [document.title]
    for name, value in document.facts:
        yield [name, _written(value)]
    yield from ([note] for note in document.notes)
    for table in document.tables:
        yield []
        yield [table.title]
        yield table.head
        for row in table.rows:
            yield [_written(cell) for cell in row]


def _written(cell: Cell) -> str | int | date:
    if isinstance(cell, Money):
        return amount(cell.amount_minor, cell.currency)
    return "" if cell is None else cell


def as_xlsx(document: Document) -> bytes:
    """The document as a workbook: the facts on its first sheet, each table on one of its own.

    Amounts are numbers with the decimals of their currency, so that they can be added up there; text stays text.
    """
    from xlsxwriter import Workbook  # memory of those processes only that write a workbook

    out = BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with Workbook(out, options) as book:
        bold, formats = book.add_format({"bold": True}), _Formats(book)
        sheet = book.add_worksheet()
        sheet.set_column(0, 1, 28)
        sheet.write_string(0, 0, document.title, bold)
        for number, (name, value) in enumerate(document.facts, start=1):
            sheet.write_string(number, 0, name)
            _put(sheet, number, 1, value, formats)
        for number, note in enumerate(document.notes, start=len(document.facts) + 2):
            sheet.write_string(number, 0, note)
        for table in document.tables:
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 0)
            for column, (name, width) in enumerate(zip(table.head, table.widths, strict=True)):
                sheet.set_column(column, column, max(width, 10))
                sheet.write_string(0, column, name, bold)
            for number, row in enumerate(table.rows, start=1):
                for column, cell in enumerate(row):
                    _put(sheet, number, column, cell, formats)
    return out.getvalue()


class _Formats:
    """The formats of a workbook, each made once."""

    def __init__(self, book: "Workbook") -> None:
        self._book = book
        self._made: dict[str, Format] = {}

    def of(self, pattern: str) -> "Format":
        if pattern not in self._made:
            self._made[pattern] = self._book.add_format({"num_format": pattern})
        return self._made[pattern]


def _put(sheet: "Worksheet", row: int, column: int, cell: Cell, formats: _Formats) -> None:
    match cell:
        case None:
            return
        case Money():
            digits = minor_digits(cell.currency)
            value = Decimal(cell.amount_minor).scaleb(-digits)
            sheet.write_number(row, column, value, formats.of(f"#,##0.{'0' * digits}" if digits else "#,##0"))
        case int():
            sheet.write_number(row, column, cell)
        case date():
            sheet.write_string(row, column, cell.isoformat())
        case _:
            sheet.write_string(row, column, cell)
