"""Rows under the columns of their kind, gathered into what they are rows of: orders, or returns. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import orjson

from saas.base.errors import DomainError, Said
from saas.imports.cells import value_of
from saas.imports.columns import COLUMNS, FORMS, Column, ImportKind, plain
from saas.imports.errors import CellMissing, ColumnsWrong, RowsDiffer
from saas.imports.sheet import Line

NUMBERS: Mapping[ImportKind, str] = {ImportKind.ORDERS: "order_number", ImportKind.RETURNS: "return_number"}
"""The column that says which rows belong together."""


class Row(NamedTuple):
    """A row with its number in the file, and the cells that say something by the key of their column."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unit:
    """Rows that are one order or one return, and the key under which it is brought in once.

    The key is the number it was given, or else the content of its row: of two rows that say the same in one file the
    second is another unit, in another file the same.
    """

    key: str
    rows: Sequence[Row]


class Finding(NamedTuple):
    """What is wrong with a row, and the column it is about when it is about one."""

    row_no: int
    column: str | None
    error: DomainError


def rows_of(kind: ImportKind, lines: Sequence[Line]) -> list[Row]:
    """The rows below the header. Raises ``ColumnsWrong``."""
    head, *rest = lines
    places = _places(kind, head, max((len(line.cells) for line in rest), default=0))
    return [
        Row(line.number, {key: line.cells[at] for at, key in places.items() if at < len(line.cells) and line.cells[at]})
        for line in rest
    ]


def _places(kind: ImportKind, head: Line, width: int) -> Mapping[int, str]:
    """Which column stands where."""
    columns = COLUMNS[kind]
    known = {name: column.key for column in columns for name in column.names}
    named = {at: known.get(plain(cell)) for at, cell in enumerate(head.cells) if cell}
    unknown = [head.cells[at] for at, key in named.items() if key is None]
    unknown += [f"({at + 1})" for at in range(len(head.cells), width)]
    places = {at: key for at, key in named.items() if key is not None}
    twice = [key for key, count in Counter(places.values()).items() if count > 1]
    missing = [column.key for column in columns if column.required and column.key not in places.values()]
    for wrong, en, zh in (
        (unknown, "unknown", "无法识别"),
        (twice, "there twice", "重复"),
        (missing, "missing", "缺少"),
    ):
        if wrong:
            named_all = ", ".join(name[:40] for name in wrong[:10])
            columns_en, columns_zh = (", ".join(column.header(lang) for column in columns) for lang in ("en", "zh"))
            why = Said(f"{named_all} {'is' if len(wrong) == 1 else 'are'} {en}", f"{zh} {named_all}")
            raise ColumnsWrong("input.content", why=why, known=Said(columns_en, columns_zh))
    return places


def units_of(kind: ImportKind, rows: Sequence[Row]) -> list[Unit]:
    """The orders or returns that the rows are, in the order of their first rows."""
    number, seen, units = NUMBERS[kind], Counter[str](), dict[str, list[Row]]()
    for row in rows:
        if given := row.cells.get(number):
            units.setdefault(f"import:{given}", []).append(row)
            continue
        digest = sha256(orjson.dumps(row.cells, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
        seen[digest] += 1
        units[f"import:row:{digest}:{seen[digest]}"] = [row]
    return [Unit(key, together) for key, together in units.items()]


@dataclass(frozen=True, slots=True)
class Read:
    """What the rows of a unit say: once for all of them, and for each line; and everything that is wrong."""

    head: Mapping[str, object]
    lines: Sequence[Mapping[str, object]]
    findings: Sequence[Finding]


def read(kind: ImportKind, unit: Unit, *, currency: str, time_zone: str) -> Read:
    """Read a unit's cells. What is said once may be left out of later rows, but not contradicted."""
    head: dict[str, object] = {}
    said: dict[str, Row] = {}
    lines, findings = list[Mapping[str, object]](), list[Finding]()
    for row in unit.rows:
        line: dict[str, object] = {}
        for column in COLUMNS[kind]:
            cell = row.cells.get(column.key)
            if cell is None:
                findings += _missing(column, row, head)
                continue
            try:
                value = value_of(cell, column.form, currency=currency, time_zone=time_zone)
            except DomainError as wrong:
                findings.append(Finding(row.number, column.key, wrong))
                continue
            if column.of_line:
                line[column.key] = value
            elif column.key in head and head[column.key] != value:
                before = said[column.key]
                differ = RowsDiffer(row=before.number, other=before.cells[column.key][:40], value=cell[:40])
                findings.append(Finding(row.number, column.key, differ))
            else:
                head.setdefault(column.key, value)
                said.setdefault(column.key, row)
        lines.append(line)
    return Read(head, lines, findings)


def _missing(column: Column, row: Row, head: Mapping[str, object]) -> Iterator[Finding]:
    if column.required and (column.of_line or column.key not in head):
        yield Finding(row.number, column.key, CellMissing(expected=Said(*FORMS[column.form])))
