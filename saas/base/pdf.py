"""Documents as PDF, with the glyphs they use embedded: Chinese is read on machines that have no Chinese font."""

from collections.abc import Sequence
from datetime import date
from unicodedata import east_asian_width

from fpdf import FPDF
from pylopdf_fonts_zh_cn import sans_path

from saas.base.documents import Cell, Document, Table
from saas.base.money import Money, formatted

FONT = "noto"
TEXT_PT, TITLE_PT, ROW_PT = 8, 15, 15
_MARGIN_PT = 40
_PADDING, _NARROW, _WIDE = 60, 46, 81
"""Tenths of a point: around the text of a cell, and the most that a Latin and a Chinese character of it take."""


class _Pages(FPDF):
    """A4 pages that say at their feet what they belong to and which they are."""

    def __init__(self, document: Document) -> None:
        super().__init__(orientation="landscape" if document.wide else "portrait", unit="pt", format="A4")
        self.document = document
        self.add_font(FONT, fname=str(sans_path()))
        self.set_font(FONT, size=TEXT_PT)
        self.set_margins(_MARGIN_PT, _MARGIN_PT)
        self.set_auto_page_break(auto=True, margin=_MARGIN_PT + ROW_PT)
        self.set_title(f"{document.title} {document.subject}")
        self.set_creator("Banyan")
        self.set_draw_color(190)
        self.add_page()

    def footer(self) -> None:
        """Drawn at the end of each page; the number of pages is filled in at the end of all."""
        self.set_y(-_MARGIN_PT)
        said = self.document.page.format(page=self.page_no(), pages="{nb}")
        self.cell(0, ROW_PT, f"{self.document.title} {self.document.subject} · {said}", align="C")


def as_pdf(document: Document, locale: str) -> bytes:
    """The document as PDF, its amounts written for ``locale``."""
    pages = _Pages(document)
    pages.set_font(size=TITLE_PT)
    pages.cell(0, 28, document.title, new_x="LMARGIN", new_y="NEXT")
    pages.set_font(size=TEXT_PT)
    label = pages.epw * 28 / 100
    for name, value in document.facts:
        pages.cell(label, ROW_PT, name)
        pages.cell(0, ROW_PT, _shown(value, locale), new_x="LMARGIN", new_y="NEXT")
    for note in document.notes:
        pages.multi_cell(0, ROW_PT, note, new_x="LMARGIN", new_y="NEXT")
    for table in document.tables:
        _draw(pages, table, locale)
    return bytes(pages.output())


def _draw(pages: _Pages, table: Table, locale: str) -> None:
    """A table, its head again on each page it goes on to."""
    widths = [pages.epw * width / sum(table.widths) for width in table.widths]
    pages.ln(ROW_PT)
    if pages.will_page_break(4 * ROW_PT):
        pages.add_page()
    pages.set_font(size=TEXT_PT + 3)
    pages.cell(0, ROW_PT + 8, table.title, new_x="LMARGIN", new_y="NEXT")
    pages.set_font(size=TEXT_PT)
    right = [
        bool(table.rows) and isinstance(cell, Money | int) for cell in (table.rows[0] if table.rows else table.head)
    ]
    _row(pages, table.head, widths, right, filled=True)
    for row in table.rows:
        if pages.will_page_break(ROW_PT):
            pages.add_page()
            _row(pages, table.head, widths, right, filled=True)
        _row(pages, [_shown(cell, locale) for cell in row], widths, right)


def _row(
    pages: _Pages, cells: Sequence[str], widths: Sequence[float], right: Sequence[bool], *, filled: bool = False
) -> None:
    pages.set_fill_color(236)
    for text, width, to_right in zip(cells, widths, right, strict=True):
        pages.cell(width, ROW_PT, _fit(text, width), border="B", align="R" if to_right else "L", fill=filled)
    pages.ln(ROW_PT)


def _fit(text: str, width_pt: float) -> str:
    """As much of a text as surely fits; what is cut off is marked."""
    left = int(width_pt * 10) - _PADDING
    for at, mark in enumerate(text):
        left -= _WIDE if east_asian_width(mark) in {"W", "F"} else _NARROW
        if left < 0:
            return f"{text[: max(at - 1, 0)]}…"
    return text


def _shown(cell: Cell, locale: str) -> str:
    match cell:
        case None:
            return ""
        case Money():
            return formatted(cell.amount_minor, cell.currency, locale)
        case date():
            return cell.isoformat()
        case _:
            return str(cell)
