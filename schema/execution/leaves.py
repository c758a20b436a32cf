"""Leaves: the lines that check one and turn it into what the answer holds.

``@`` stands for the value; ``$name`` for what the lines need to know.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType

_BUILT_IN: Mapping[GraphQLLeafType, str] = {
    GraphQLString: "if type(@) is not str and not isinstance(@, str): raise Unexpected",
    GraphQLID: "if type(@) is not str and not isinstance(@, str): raise Unexpected",
    GraphQLBoolean: "if @ is not True and @ is not False: raise Unexpected",
    GraphQLInt: "if type(@) is not int or not -2147483648 <= @ <= 2147483647: raise Unexpected",
    GraphQLFloat: "if type(@) is not float or @ - @ != 0: raise Unexpected",
}
_VALUES = frozenset({int, str, bool, datetime, date, dict, list})
"""What a scalar's own function is given; anything else may have to be awaited first."""

Lines = tuple[list[str], Mapping[str, Any]]


def checked_leaf(type_: GraphQLLeafType) -> Lines:
    """Lines for a leaf, and what they name."""
    if type_ in _BUILT_IN:
        return [_BUILT_IN[type_]], {}
    if isinstance(type_, CustomGraphQLEnumType) and issubclass(type_.wrapped_cls, Enum):
        return _enum(type_)
    lines = [
        "if type(@) not in $values: raise Unexpected",
        "@ = $coerce(@)",
        "if @ is None or @ is $undefined: raise Unexpected",
    ]
    known = {"values": _VALUES, "coerce": type_.coerce_output_value, "undefined": Undefined}
    if type_.name == "DateTime":
        # The answer's serialiser writes a moment in UTC as the scalar's own function does, in a thirtieth of the time.
        head = "if type(@) is not $datetime or @.tzinfo is not $utc:"
        return [head, *(f"    {line}" for line in lines)], {**known, "datetime": datetime, "utc": UTC}
    return lines, known


@lru_cache(maxsize=1024)
def _enum(type_: CustomGraphQLEnumType) -> Lines:
    """A member answers its name; most names are what they are called in Python."""
    members: Mapping[str, Enum] = type_.wrapped_cls.__members__
    names = {name: type_.coerce_output_value(member) for name, member in members.items()}
    known = {"enum": type_.wrapped_cls, "names": names}
    check = "if type(@) is not $enum: raise Unexpected"
    same = all(name == answer for name, answer in names.items())
    return [check, "@ = @._name_" if same else "@ = $names[@._name_]"], known


__all__ = ["checked_leaf"]
