"""A file as rows of text, whatever program wrote it. Pure.

CSV: UTF-8 with or without a mark, UTF-16 with one, or GB 18030 (GBK); parted by commas, semicolons or tabs. XLSX: the
first sheet. Numbers come as they are shown, not as they are stored: 15 digits, beyond which spreadsheet programs
forget. Days and moments come as ISO 8601.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

from saas.base.errors import Said
from saas.base.sheets import FORMULA_STARTS
from saas.imports.errors import CellsMerged, FileTooLarge, FileUnreadable

ROWS_MOST = 20_000
"""Rows of one file."""
CELLS_LONGEST = 1_000
UNPACKED_MOST = 100_000_000
"""Bytes that a workbook may unpack to: what is packed tighter is made to exhaust whoever opens it."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS = ",;\t"
_LARGEST_EXACT = 10**15


class Line(NamedTuple):
    """A row with its number as a spreadsheet program counts: the header is row 1."""

    number: int
    cells: Sequence[str]


def read(content: bytes) -> list[Line]:
    """All rows that are not empty, the header first.

    Raises ``FileUnreadable``, ``FileTooLarge`` or ``CellsMerged``.
    """
    lines = list[Line]()
    rows = _workbook(content) if content.startswith(_ZIP) else _text(content)
    for number, cells in enumerate(rows, start=1):
        if not any(cells):
            continue
        if len(lines) > ROWS_MOST:
            raise FileTooLarge("input.content", size=f"> {ROWS_MOST}", what=Said("rows", "行"), most=ROWS_MOST)
        lines.append(Line(number, cells))
    if not lines:
        raise _unreadable("it is empty; download the template", "文件为空，请下载模板填写")
    return lines


def _text(content: bytes) -> Iterator[list[str]]:
    text = _decoded(content)
    head = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    # A line break within quotation marks counts as one of the row's, as spreadsheet programs show it.
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield [_cell(cell) for cell in row]
    except csv.Error as broken:
        raise _unreadable(
            "a quotation mark is not closed, or stands within a cell; save it as CSV again",
            "引号未闭合或位置不正确，请重新另存为 CSV",
        ) from broken


def _decoded(content: bytes) -> str:
    if content.startswith(_OLE):
        raise _unreadable(
            "it is an old or a locked workbook; save it as XLSX or CSV", "旧版或加密的工作簿，请另存为 XLSX 或 CSV"
        )
    encodings = [name for mark, name in _MARKS if content.startswith(mark)] or ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise _unreadable(
        "it is no text in UTF-8 or GBK; save it as CSV (UTF-8) or XLSX",
        "不是 UTF-8 或 GBK 文本，请另存为 CSV（UTF-8）或 XLSX",
    )


def _workbook(content: bytes) -> Iterator[list[str]]:
    try:
        with ZipFile(BytesIO(content)) as packed:
            unpacked = sum(one.file_size for one in packed.infolist())
        if unpacked > UNPACKED_MOST:
            raise FileTooLarge(
                "input.content", size=unpacked, what=Said("bytes unpacked", "字节（解压后）"), most=UNPACKED_MOST
            )
        sheet = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
        merged = sheet.merged_cell_ranges
        rows = sheet.to_python(skip_empty_area=False)
    except (BadZipFile, CalamineError, OSError, IndexError) as broken:
        raise _unreadable(
            "it is no workbook; save it as XLSX or CSV again", "不是有效的工作簿，请重新另存为 XLSX 或 CSV"
        ) from broken
    if merged:
        raise CellsMerged("input.content", cells=", ".join(_range(*one) for one in merged[:5]))
    for row in rows:
        yield [_cell(_shown(value)) for value in row]


def _shown(value: object) -> str:
    """What a cell shows, as far as it is known."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds") if value.time() != time() else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return value if isinstance(value, str) else _number(value)


def _number(value: object) -> str:
    exact = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.15g}")
    return f"{exact:E}" if abs(exact) >= _LARGEST_EXACT else f"{exact:f}"


def _cell(text: str) -> str:
    """A cell without the space around it, and without the apostrophe that keeps it from being a formula."""
    bare = text.strip().strip("\u3000\ufeff\u200b").strip()
    if bare.startswith("'") and bare[1:].startswith(FORMULA_STARTS):
        bare = bare[1:]
    return re.sub(r"[\x00\ud800-\udfff]", "", bare)[:CELLS_LONGEST]


def _range(first: tuple[int, int], last: tuple[int, int]) -> str:
    return ":".join(f"{_letters(column)}{row + 1}" for row, column in (first, last))


def _letters(column: int) -> str:
    name, left = "", column + 1
    while left:
        left, digit = divmod(left - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def _unreadable(en: str, zh: str) -> FileUnreadable:
    return FileUnreadable("input.content", why=Said(en, zh))
