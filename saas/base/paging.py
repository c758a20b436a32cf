"""Keyset pages: the cost of a page depends neither on how far down it is nor on how much there is."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

import orjson

from saas.base.errors import InvalidInput, Said

T = TypeVar("T")
R = TypeVar("R")
PAGE_DEFAULT = 20
PAGE_MAX = 1_000
"""Rows of a page at most, whoever asks; over the API the installation's ``PAGE_MAX`` holds, 100 by default."""
YEARS = range(1900, 2200)
"""What times of cursors may lie in, so that no database and no time zone overflows."""


class Int32(int):
    """The kind of a cursor's key that is compared with an ``integer`` or ``smallint`` column."""


def check_rows(first: int, most: int) -> None:
    """Refuse a page of another size. Raises ``InvalidInput``."""
    if not 0 < first <= most:
        raise InvalidInput("first", value=first, remedy=Said(f"ask for 1 to {most} rows", f"请请求 1 至 {most} 行"))


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many rows, after which cursor."""

    first: int = PAGE_DEFAULT
    after: str | None = None

    def __post_init__(self) -> None:
        check_rows(self.first, PAGE_MAX)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows with the cursor of each, and whether more follow."""

    items: Sequence[T]
    cursors: Sequence[str]
    has_next: bool


def encode_cursor(*keys: object) -> str:
    """Write the sort keys of a row as an opaque cursor."""
    return urlsafe_b64encode(orjson.dumps(keys, default=str)).decode().rstrip("=")


class Cursors(Sequence[str]):
    """The cursors of rows, each written when it is asked for: most pages are asked for their last one only."""

    def __init__(self, rows: Sequence[R], keys: Callable[[R], Sequence[object]]) -> None:
        self._rows: Sequence[Any] = rows
        self._keys = keys

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> "Cursors": ...

    def __getitem__(self, index: int | slice) -> "str | Cursors":
        if isinstance(index, slice):
            return Cursors(self._rows[index], self._keys)
        return encode_cursor(*self._keys(self._rows[index]))

    def __len__(self) -> int:
        return len(self._rows)


def decode_cursor(cursor: str, *kinds: type) -> list[object]:
    """Read a cursor back, each key as its kind (``str``, ``int``, ``Int32``, aware ``datetime``, ``date`` or ``UUID``).

    Raises ``InvalidInput`` for anything that was not made here for the same sort, and for what no database takes.
    """
    try:
        keys = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_READ[kind](key) for kind, key in zip(kinds, keys, strict=True)]
    except (ValueError, TypeError, AttributeError) as exc:
        raise InvalidInput(
            "after",
            value=cursor[:40],
            remedy=Said("pass a cursor of this list and this sort", "请使用同一列表、同一排序返回的游标"),
        ) from exc


def _text(key: object) -> str:
    if type(key) is not str or "\x00" in key:
        raise ValueError(key)
    return key


def _integer(bits: int) -> Callable[[Any], int]:
    def read(key: object) -> int:
        if type(key) is not int or not -(2 ** (bits - 1)) <= key < 2 ** (bits - 1):
            raise ValueError(key)
        return key

    return read


def _moment(key: str) -> datetime:
    moment = datetime.fromisoformat(key)
    if moment.tzinfo is None or moment.year not in YEARS:
        raise ValueError(key)
    return moment


def _day(key: str) -> date:
    day = date.fromisoformat(key)
    if day.year not in YEARS:
        raise ValueError(key)
    return day


_READ: dict[type, Callable[[Any], object]] = {
    str: _text,
    int: _integer(64),
    Int32: _integer(32),
    datetime: _moment,
    date: _day,
    UUID: UUID,
}


def page_of(rows: Sequence[T], request: PageRequest, cursors: Sequence[str]) -> Page[T]:
    """Make a page of up to ``first + 1`` rows that were read to learn whether more follow."""
    return Page(rows[: request.first], cursors[: request.first], len(rows) > request.first)
