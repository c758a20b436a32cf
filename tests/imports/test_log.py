"""Reading a purchase log: strict, row by row, never stopped by one of them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.imports.errors import LogRefused
from saas.imports.log import BadRow, Purchase, read_log

HEADER = " customer_id  date number_of_cds  dollar_value\n"


def rows(*lines: str) -> list[Purchase | BadRow]:
    """What is read of these rows."""
    return list(read_log([HEADER, *lines], "log"))


def test_rows_are_read_as_they_are_written() -> None:
    first, gift = rows(" 00042 19970112  5   77.00\n", "23570 19980630 1 0.00")
    assert isinstance(first, Purchase)
    assert first[:6] == (2, 1, 42, date(1997, 1, 12), 5, 7_700)
    assert isinstance(gift, Purchase)
    assert (gift.line_no, gift.row_no, gift.amount_minor) == (3, 2, 0)


@pytest.mark.parametrize(
    ("row", "fields"),
    [
        ("1 19970101 1", ["row"]),
        ("1 19970101 1 1.00 9", ["row"]),
        ("x 19970101 1 1.00", ["row.customer_id"]),
        ("-1 19970101 1 1.00", ["row.customer_id"]),
        ("1 19970230 1 1.00", ["row.date"]),
        ("1 1997-01-01 1 1.00", ["row.date"]),
        ("1 19970101 0 1.00", ["row.number_of_cds"]),
        ("1 19970101 1.5 1.00", ["row.number_of_cds"]),
        ("1 19970101 1 -1.00", ["row.dollar_value"]),
        ("1 19970101 1 1.005", ["row.dollar_value"]),
        ("1 19970101 1 1e2", ["row.dollar_value"]),
        ("1 19970101 ١ ١.٠٠", ["row.number_of_cds", "row.dollar_value"]),
        ("x x x x", ["row.customer_id", "row.date", "row.number_of_cds", "row.dollar_value"]),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_all_its_reasons(row: str, fields: list[str]) -> None:
    bad, good = rows(row, "1 19970101 1 1.00")
    assert isinstance(bad, BadRow)
    assert bad.line_no == 2
    assert [error.field for error in bad.errors] == fields
    assert all(error.message(language) for error in bad.errors for language in ("en", "zh-CN"))
    assert isinstance(good, Purchase)


def test_a_row_keeps_its_key_under_comments_and_empty_lines_and_not_with_other_content() -> None:
    (plain,) = rows("1 19970101 1 1.00")
    commented = list(read_log(["# source\n", "\n", HEADER, "# more\n", " 1  19970101  1  1.00\n"], "log"))
    (other,) = rows("1 19970101 1 1.01")
    assert isinstance(plain, Purchase)
    assert isinstance(other, Purchase)
    assert [row.key for row in commented if isinstance(row, Purchase)] == [plain.key]
    assert [row.line_no for row in commented] == [5]
    assert other.key != plain.key


@pytest.mark.parametrize("lines", [[], ["# only a comment"], ["1 19970101 1 1.00"], ["customer_id date"]])
def test_what_does_not_begin_with_the_header_is_refused_at_once(lines: list[str]) -> None:
    with pytest.raises(LogRefused):
        read_log(lines, "log")


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r#")).filter(lambda line: line.split())))
def test_whatever_the_rows_are_each_is_answered(lines: list[str]) -> None:
    assert [row.line_no for row in rows(*lines)] == list(range(2, len(lines) + 2))
