"""GraphQL enums from the ``StrEnum``s of the business, every value described."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar, cast

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

E = TypeVar("E", bound=type[StrEnum])


def described(description: str, *, name: str | None = None, **values: str) -> Callable[[E], E]:
    """Register an enum; ``values`` describe its members by name. Raises ``TypeError`` when one is left out."""

    def register(enum: E) -> E:
        if set(values) != set(enum.__members__):
            raise TypeError(f"{enum.__name__}: describe exactly {', '.join(enum.__members__)}")
        strawberry.enum(enum, name=name, description=description)
        definition = cast(StrawberryEnumDefinition, enum.__strawberry_definition__)  # type: ignore[attr-defined]  # put there by Strawberry
        for value in definition.values:
            value.description = values[value.name]
        return enum

    return register
