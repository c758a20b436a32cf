"""Fields that are a member of the row behind an object: nothing is copied for fields that nobody asks for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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
