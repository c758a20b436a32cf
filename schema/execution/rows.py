"""Fields that are a member of the row behind an object: nothing is copied for fields that nobody asks for.

Where a list is made of rows and asked for such fields alone, a plan reads the rows and makes no objects of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

R = TypeVar("R", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class OfRow:
    """What a plan reads in place of calling the resolver: ``o.row.<member>``, and what is made of it."""

    member: str
    make: Callable[[Any], Any] | None


def of_row(member: str, make: Callable[[Any], Any] | None = None) -> Callable[..., Any]:
    """A resolver that answers a member of ``self.row``, or what ``make`` makes of it."""

    def resolve(self: Any) -> Any:
        value = getattr(self.row, member)
        return value if make is None else make(value)

    resolve.of_row = OfRow(member, make)  # type: ignore[attr-defined]  # for the plans; a function may carry it
    return resolve


def row_of(resolver: Callable[..., Any]) -> OfRow | None:
    """What a resolver made by ``of_row`` answers; none of any other."""
    return getattr(resolver, "of_row", None)


class Wraps:
    """Makes objects of rows: of one class, with the row as their ``row`` and the same ``more`` besides."""

    __slots__ = ("makes", "more")

    def __init__(self, makes: type, **more: object) -> None:
        self.makes = makes
        self.more = more

    def __call__(self, row: Any) -> Any:
        """The object of a row."""
        return self.makes(row=row, **self.more)


@dataclass(frozen=True, slots=True)
class Items:
    """What a plan reads in place of calling the resolver: the rows at ``rows``, made into objects by ``make``."""

    rows: str
    make: str


def made_of(rows: str, make: str) -> Callable[[R], R]:
    """Say of a resolver that it answers ``[self.<make>(row) for row in self.<rows>]``."""

    def mark(resolve: R) -> R:
        resolve.made_of = Items(rows, make)  # type: ignore[attr-defined]  # as above
        return resolve

    return mark


def items_of(resolver: Callable[..., Any]) -> Items | None:
    """What ``made_of`` said of a resolver."""
    return getattr(resolver, "made_of", None)


A = TypeVar("A", bound=Callable[..., Any])
FOR_ALL = "for-all"
"""Where a field of the schema keeps what ``for_all`` said of its resolver."""


def for_all(together: Callable[..., Any]) -> Callable[[A], A]:
    """Say of an asynchronous resolver how it is answered for all objects of a list at once.

    ``await together(objects, info, **arguments)`` answers for each what the resolver would, in their order, and does
    not look at ``info.path``. What it raises is forgotten, and each object resolved by itself.
    """

    def mark(resolve: A) -> A:
        resolve.for_all = together  # type: ignore[attr-defined]  # as above
        return resolve

    return mark


def together_of(resolver: Callable[..., Any]) -> Callable[..., Any] | None:
    """What ``for_all`` said of a resolver."""
    return getattr(resolver, "for_all", None)
