"""Cursors go out and come back; anything else is refused by name."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.errors import InvalidInput
from saas.base.paging import PAGE_MAX, PageRequest, decode_cursor, encode_cursor, page_of


@given(st.text(), st.integers(-(2**62), 2**62), st.uuids(), st.dates())
def test_cursors_come_back_as_they_went(text: str, number: int, unique: UUID, day: date) -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    cursor = encode_cursor(text, number, unique, day, moment)
    assert decode_cursor(cursor, str, int, UUID, date, datetime) == [text, number, unique, day, moment]


@given(st.text())
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(text, str, UUID)


def test_a_cursor_of_another_sort_is_refused() -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(encode_cursor("a", 1), str, str)
    with pytest.raises(InvalidInput):
        decode_cursor(encode_cursor("a"), str, str)


@pytest.mark.parametrize("first", [0, -1, PAGE_MAX + 1])
def test_pages_have_a_size(first: int) -> None:
    with pytest.raises(InvalidInput):
        PageRequest(first)


def test_one_row_more_tells_that_more_follow() -> None:
    page = page_of([1, 2, 3], PageRequest(2), ["a", "b", "c"])
    assert (list(page.items), list(page.cursors), page.has_next) == ([1, 2], ["a", "b"], True)
    assert not page_of([1, 2], PageRequest(2), ["a", "b"]).has_next
