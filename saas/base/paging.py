"""Keyset pages: the cost of a page depends neither on how far down it is nor on how much there is."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson

from saas.base.errors import InvalidInput

T = TypeVar("T")
PAGE_DEFAULT = 20
PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many rows, after which cursor."""

    first: int = PAGE_DEFAULT
    after: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.first <= PAGE_MAX:
            raise InvalidInput("first", value=self.first, remedy=f"ask for 1 to {PAGE_MAX} rows")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows with the cursor of each, and whether more follow."""

    items: Sequence[T]
    cursors: Sequence[str]
    has_next: bool


def encode_cursor(*keys: object) -> str:
    """Write the sort keys of a row as an opaque cursor."""
    return urlsafe_b64encode(orjson.dumps(keys, default=str)).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type) -> list[object]:
    """Read a cursor back, each key as its kind (``str``, ``int``, ``datetime``, ``date`` or ``UUID``).

    Raises ``InvalidInput`` for anything that was not made here for the same sort.
    """
    try:
        keys = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [_READ[kind](key) for kind, key in zip(kinds, keys, strict=True)]
    except (ValueError, TypeError, AttributeError) as exc:
        raise InvalidInput("after", value=cursor[:40], remedy="pass a cursor of this list and this sort") from exc


def _exactly(kind: type) -> Callable[[Any], object]:
    def read(key: object) -> object:
        if type(key) is not kind:
            raise ValueError(key)
        return key

    return read


_READ: dict[type, Callable[[Any], object]] = {
    str: _exactly(str),
    int: _exactly(int),
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    UUID: UUID,
}


def page_of(rows: Sequence[T], request: PageRequest, cursors: Sequence[str]) -> Page[T]:
    """Make a page of up to ``first + 1`` rows that were read to learn whether more follow."""
    return Page(rows[: request.first], cursors[: request.first], len(rows) > request.first)
