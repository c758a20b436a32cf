"""Cursors go out and come back; anything else is refused by name."""

from base64 import urlsafe_b64encode
from datetime import UTC, date, datetime
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.errors import InvalidInput
from saas.base.paging import PAGE_MAX, YEARS, Int32, PageRequest, decode_cursor, encode_cursor, page_of


@given(st.text(), st.integers(-(2**62), 2**62), st.uuids(), st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_cursors_come_back_as_they_went(text: str, number: int, unique: UUID, day: date) -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
    text = text.replace("\0", "").encode("utf-8", "replace").decode()
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


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.uuids().map(str)
    | st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat)
    | st.dates().map(date.isoformat),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(st.lists(ANYTHING, min_size=1, max_size=4) | ANYTHING, st.data())
def test_a_crafted_cursor_is_refused_or_what_a_database_takes(payload: object, data: st.DataObject) -> None:
    size = len(payload) if isinstance(payload, list) else 1
    kinds = data.draw(st.lists(st.sampled_from([str, int, Int32, datetime, date, UUID]), min_size=size, max_size=size))
    cursor = urlsafe_b64encode(orjson.dumps(payload)).decode()
    try:
        keys = decode_cursor(cursor, *kinds)
    except InvalidInput:
        return
    for kind, key in zip(kinds, keys, strict=True):
        assert isinstance(key, int if kind is Int32 else kind)
        if isinstance(key, str):
            assert "\0" not in key
            key.encode()
        elif isinstance(key, int):
            assert abs(key) <= 2 ** (31 if kind is Int32 else 63)
        elif isinstance(key, datetime):
            assert key.astimezone(UTC).tzinfo is UTC
        elif isinstance(key, date):
            assert key.year in YEARS


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (str, rb'["a\u0000"]'),
        (str, rb'["\ud800"]'),
        (int, b"[9223372036854775808]"),
        (int, b"[-9223372036854775809]"),
        (int, b"[true]"),
        (Int32, b"[2147483648]"),
        (datetime, b'["2026-01-01T00:00:00"]'),
        (datetime, b'["0001-01-01T00:00:00+14:00"]'),
        (datetime, b'["9999-12-31T23:59:59-14:00"]'),
        (date, b'["0001-01-01"]'),
        (date, b'["9999-12-31"]'),
    ],
)
def test_what_no_database_takes_is_refused(kind: type, payload: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(urlsafe_b64encode(payload).decode(), kind)


@pytest.mark.parametrize("first", [0, -1, PAGE_MAX + 1])
def test_pages_have_a_size(first: int) -> None:
    with pytest.raises(InvalidInput):
        PageRequest(first)


def test_one_row_more_tells_that_more_follow() -> None:
    page = page_of([1, 2, 3], PageRequest(2), ["a", "b", "c"])
    assert (list(page.items), list(page.cursors), page.has_next) == ([1, 2], ["a", "b"], True)
    assert not page_of([1, 2], PageRequest(2), ["a", "b"]).has_next
