"""Files as people send them: whatever program wrote them, the same rows come out, or a refusal that says what to do."""

import csv
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from saas.base.money import plain_amount
from saas.base.sheets import csv_text
from saas.imports import sheet
from saas.imports.cells import amount_of, flag_of, integer_of, moment_of, text_of
from saas.imports.columns import COLUMNS, ImportKind, template
from saas.imports.errors import (
    CellMissing,
    CellsMerged,
    CellUnreadable,
    ColumnsWrong,
    DigitsLost,
    FileTooLarge,
    FileUnreadable,
    RowsDiffer,
)
from saas.imports.sheet import Line
from saas.imports.table import read, rows_of, units_of

HEAD = ["订单号", "分销商编码", "商品编码", "数量", "金额"]
ROW = ["N-1", "C", "PLAIN", "2", "1,234.50"]
Written = Callable[[Any], None]


def workbook(*rows: Sequence[Any], then: Written = lambda _: None) -> bytes:
    """An XLSX file of these rows."""
    out = BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet("orders")
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime):
                    page.write_datetime(at, column, cell, day)
                else:
                    page.write(at, column, cell)
        then(page)
    return out.getvalue()


def text(*rows: Sequence[str], by: str = ",") -> str:
    out = StringIO()
    csv.writer(out, delimiter=by).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        text(HEAD, ROW).encode(),
        text(HEAD, ROW).encode("utf-8-sig"),
        text(HEAD, ROW).encode("gbk"),
        text(HEAD, ROW).encode("utf-16"),
        text(HEAD, ROW, by=";").encode(),
        text(HEAD, ROW, by="\t").encode("gb18030"),
        text(HEAD, [], [""] * 5, ROW).replace("\r\n", "\n").encode(),
        workbook(HEAD, ROW),
        workbook(HEAD, ["N-1", "C", "PLAIN", 2, "1,234.50"]),
    ],
    ids=["utf-8", "mark", "gbk", "utf-16", "semicolons", "tabs", "empty rows", "xlsx", "xlsx with numbers"],
)
def test_the_same_rows_come_out_of_whatever_wrote_them(content: bytes) -> None:
    (row,) = rows_of(ImportKind.ORDERS, sheet.read(content))
    assert dict(row.cells) == {
        "order_number": "N-1",
        "seller": "C",
        "sku": "PLAIN",
        "quantity": "2",
        "amount": "1,234.50",
    }


def test_rows_are_numbered_as_a_spreadsheet_program_does() -> None:
    lines = sheet.read(text(HEAD, [""] * 5, ROW).encode())
    assert [line.number for line in lines] == [1, 3]


def test_cells_of_a_workbook_say_what_they_show() -> None:
    shown = workbook(
        HEAD,
        [20_260_001, "C", "PLAIN", 3.0, 0.1 + 0.2],
        [2.0260001e17, True, datetime(2026, 3, 15, 14, 30), datetime(2026, 3, 15), -7],  # noqa: DTZ001
    )
    first, second = [line.cells for line in sheet.read(shown)[1:]]
    assert list(first) == ["20260001", "C", "PLAIN", "3", "0.3"]
    assert list(second)[1:] == ["yes", "2026-03-15 14:30:00", "2026-03-15", "-7"]
    with pytest.raises(DigitsLost):
        text_of(second[0])
    with pytest.raises(DigitsLost):
        text_of("2.02611E+17")
    assert text_of("E+17") == "E+17"


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"", FileUnreadable, "it is empty"),
        (b"\xef\xbb\xbf\r\n", FileUnreadable, "it is empty"),
        (b"\x00\x01\x02", FileUnreadable, "no text in UTF-8 or GBK"),
        (b"\xff\xfe\x00", FileUnreadable, "no text in UTF-8 or GBK"),
        (b"\xd0\xcf\x11\xe0 old", FileUnreadable, "old or a locked workbook"),
        (b"PK\x03\x04 nothing", FileUnreadable, "no workbook"),
        (b'a,"b\r\n', FileUnreadable, "quotation mark"),
        (b'a,"b"c\r\n', FileUnreadable, "quotation mark"),
        (workbook(HEAD, ROW, then=lambda page: page.merge_range("A2:A3", "N-1")), CellsMerged, "A2:A3"),
        (text(*[ROW] * (sheet.ROWS_MOST + 2)).encode(), FileTooLarge, "rows"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(content: bytes, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        sheet.read(content)


def test_as_many_rows_as_may_be_are_taken_whatever_is_empty_below_them() -> None:
    assert len(sheet.read(f"{text(*[ROW] * (sheet.ROWS_MOST + 1))}\r\n,,\r\n\r\n".encode())) == sheet.ROWS_MOST + 1


def test_a_workbook_that_unpacks_to_more_than_anybody_writes_is_not_unpacked() -> None:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (sheet.UNPACKED_MOST + 1))
    assert len(out.getvalue()) < 200_000
    with pytest.raises(FileTooLarge, match="unpacked"):
        sheet.read(out.getvalue())


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (["seller", "sku", "quantity", "colour"], "colour is unknown"),
        (["seller", "sku", "quantity", "SKU *"], "sku is there twice"),
        (["seller", "sku"], "quantity is missing"),
        (["A", "B"], "A, B are unknown"),
    ],
)
def test_a_first_line_that_names_other_columns_is_refused(head: list[str], said: str) -> None:
    with pytest.raises(ColumnsWrong, match=said):
        rows_of(ImportKind.ORDERS, [Line(1, head)])


def test_a_row_that_is_longer_than_the_header_is_refused() -> None:
    with pytest.raises(ColumnsWrong, match=r"\(4\) is unknown"):
        rows_of(ImportKind.ORDERS, [Line(1, ["seller", "sku", "quantity"]), Line(2, ["C", "PLAIN", "1", "200"])])


@pytest.mark.parametrize("kind", ImportKind)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_template_is_a_file_that_can_be_read(kind: ImportKind, language: str) -> None:
    (row,) = rows_of(kind, sheet.read(template(kind, language).encode()))
    (unit,) = units_of(kind, [row])
    assert read(kind, unit, currency="CNY", time_zone="Asia/Shanghai").findings == []
    assert {column.key for column in COLUMNS[kind] if column.required} <= row.cells.keys()


@pytest.mark.parametrize("kind", ImportKind)
def test_no_header_means_two_columns(kind: ImportKind) -> None:
    names = [name for column in COLUMNS[kind] for name in column.names]
    assert len(names) == len(set(names))
    assert all(column.title.en and column.title.zh for column in COLUMNS[kind])


# -- cells -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**13))
def test_an_amount_is_read_to_the_cent_however_it_is_written(minor: int) -> None:
    plain = plain_amount(minor, "CNY")
    whole, _, cents = plain.partition(".")
    for written in (plain, f"{int(whole):,}.{cents}", f"¥{plain}", f"{plain}00", f"{plain}元", f"CNY {plain}"):
        assert amount_of(written, "CNY") == minor


@pytest.mark.parametrize("written", ["¥12.00", "CNY 12.00", "RMB12.00", "12.00元"])
def test_an_amount_of_another_currency_is_not_taken_for_the_brands(written: str) -> None:
    assert amount_of(written, "CNY") == 1200
    with pytest.raises(CellUnreadable):
        amount_of(written, "USD")
    assert amount_of("USD 12.00", "USD") == 1200


@pytest.mark.parametrize("written", ["1234,50", "1.234,50", "12.345", "1,23.00", "abc", "-", "1 2", "1e3", "(5)", "٣"])
def test_an_amount_that_could_mean_two_things_is_refused(written: str) -> None:
    with pytest.raises(CellUnreadable):
        amount_of(written, "CNY")


@pytest.mark.parametrize(("written", "value"), [("3", 3), ("3.0", 3), ("1,200", 1200), ("0", 0)])
def test_whole_numbers(written: str, value: int) -> None:
    assert integer_of(written) == value


@pytest.mark.parametrize("written", ["3.5", "-1", "three", "1,20", "9" * 13])
def test_what_is_no_whole_number_is_refused(written: str) -> None:
    with pytest.raises(CellUnreadable):
        integer_of(written)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-03-15", datetime(2026, 3, 14, 16, tzinfo=UTC)),
        ("2026/3/15 14:30", datetime(2026, 3, 15, 6, 30, tzinfo=UTC)),
        ("2026年3月15日 14:30:05", datetime(2026, 3, 15, 6, 30, 5, tzinfo=UTC)),
        ("2026-03-15T14:30:00+02:00", datetime(2026, 3, 15, 12, 30, tzinfo=UTC)),
        ("2026-03-15T14:30:00.123Z", datetime(2026, 3, 15, 14, 30, tzinfo=UTC)),
        ("46096", datetime(2026, 3, 14, 16, tzinfo=UTC)),
        ("46096.5", datetime(2026, 3, 15, 4, tzinfo=UTC)),
        ("46096.604166666666", datetime(2026, 3, 15, 6, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_of_the_brands_time_zone(written: str, value: datetime) -> None:
    assert moment_of(written, "Asia/Shanghai") == value


@pytest.mark.parametrize(
    "written", ["03/04/2026", "15.3.2026", "2026-13-01", "2026-02-30", "soon", "20260315", "12345"]
)
def test_a_day_that_could_be_two_is_refused(written: str) -> None:
    with pytest.raises(CellUnreadable):
        moment_of(written, "Asia/Shanghai")


@given(st.datetimes(datetime(2000, 1, 1), datetime(2150, 1, 1)))  # noqa: DTZ001
def test_a_moment_comes_out_of_a_workbook_as_it_went_in(local: datetime) -> None:
    local = local.replace(microsecond=0)
    serial = (local - datetime(1899, 12, 30)).total_seconds() / 86_400  # noqa: DTZ001
    as_day = moment_of(local.isoformat(" "), "UTC")
    assert moment_of(f"{serial:.10f}", "UTC") == as_day
    assert as_day.date() == date(local.year, local.month, local.day)


def test_flags_in_both_languages() -> None:
    assert [flag_of(said) for said in ("yes", "是", "TRUE", "1", "no", "否", "False", "0")] == [True] * 4 + [False] * 4
    with pytest.raises(CellUnreadable):
        flag_of("maybe")


# -- rows that belong together -----------------------------------------------------------------------------------


def units(*rows: str) -> list[Any]:
    head = "order_number,seller,sku,quantity,freight\n"
    return units_of(ImportKind.ORDERS, rows_of(ImportKind.ORDERS, sheet.read((head + "\n".join(rows)).encode())))


def test_rows_of_one_number_are_one_order_wherever_they_stand() -> None:
    made = units("1,C,A,1,5", "2,C,A,1,", "1,,B,2,")
    assert [(unit.key, [row.number for row in unit.rows]) for unit in made] == [("import:1", [2, 4]), ("import:2", [3])]
    found = read(ImportKind.ORDERS, made[0], currency="CNY", time_zone="UTC")
    assert dict(found.head) == {"order_number": "1", "seller": "C", "freight": 500}
    assert [dict(line) for line in found.lines] == [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 2}]
    assert found.findings == []


def test_a_row_without_a_number_is_known_again_by_what_it_says() -> None:
    first, twin, other = units(",C,A,1,", ",C,A,1,", ",C,A,2,")
    assert len({first.key, twin.key, other.key}) == 3
    moved = units(",C,A,2,", ",C,A,1,", ",C,A,1,")
    assert {unit.key for unit in moved} == {first.key, twin.key, other.key}


def test_rows_of_one_order_that_contradict_each_other_are_found_with_all_else_that_is_wrong() -> None:
    (unit,) = units("1,C,A,1,5", "1,D,,x,")
    found = read(ImportKind.ORDERS, unit, currency="CNY", time_zone="UTC").findings
    assert [(one.row_no, one.column, type(one.error)) for one in found] == [
        (3, "seller", RowsDiffer),
        (3, "sku", CellMissing),
        (3, "quantity", CellUnreadable),
    ]
    for one in found:
        assert one.error.message("en")
        assert one.error.message("zh-CN")


def test_what_goes_out_escaped_comes_in_as_it_was() -> None:
    """Text that begins like a formula has an apostrophe in our files; whose own apostrophe it is keeps it."""
    cells = ["=1+1", "-5", "@x", "+86", "＝1", "plain", "'tis"]
    (line,) = sheet.read(csv_text([cells]).encode())
    assert list(line.cells) == cells
