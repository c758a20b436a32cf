"""Rows as the database answered them, for who reads a thousand at once and only some members of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, overload

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """Where a member of a row stands in what the database answered, and what is made of it."""

    place: int
    make: Callable[[Any], Any] | None = None


class RawRows(Sequence[T]):
    """Rows that are made into what they are when somebody looks at one; ``columns`` say how to read ``raw`` itself.

    They are the same object for all rows of a kind, so that who knows them at first knows them ever after.
    """

    __slots__ = ("_make", "columns", "raw")

    def __init__(self, raw: Sequence[Any], make: Callable[[Any], T], columns: Mapping[str, Column]) -> None:
        self.raw = raw
        self.columns = columns
        self._make = make

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> "RawRows[T]": ...

    def __getitem__(self, index: int | slice) -> "T | RawRows[T]":
        if isinstance(index, slice):
            return RawRows(self.raw[index], self._make, self.columns)
        return self._make(self.raw[index])

    def __len__(self) -> int:
        return len(self.raw)
