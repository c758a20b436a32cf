"""Random operations over any schema: most of them valid, some wrong in every way an operation can be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

DEPTH_MOST = 5
LITERALS = {"String": '"text"', "ID": '"dst_1"', "Int": "3", "BigInt": "7", "Boolean": "true", "Float": "1.5"}
MOMENTS = {"DateTime": '"2026-03-01T08:00:00Z"', "Date": '"2026-03-01"', "Time": '"08:00:00"'}


@dataclass
class Drawing:
    """One operation in the making."""

    schema: GraphQLSchema
    chance: Random
    fragments: dict[str, str] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)

    def operation(self, kind: str) -> str:
        """The text of a document."""
        root = self.schema.mutation_type if kind == "mutation" else self.schema.query_type
        assert root is not None
        body = self.selection(root, 0)
        declared = ", ".join(f"${name}: Boolean{self._default()}" for name in sorted(self.variables))
        head = f"{kind} Drawn{f'({declared})' if declared else ''}"
        return "\n".join([f"{head} {body}", *self.fragments.values()])

    def values(self) -> Mapping[str, Any]:
        """Values of the variables; now and then one is missing or is nothing."""
        choices = [True, False, True, False, True, False, None, "no"]
        return {name: self.chance.choice(choices) for name in sorted(self.variables) if self.chance.random() > 0.05}

    def selection(self, type_: Any, depth: int) -> str:
        """A selection set of a type."""
        parts = [self._part(type_, depth) for _ in range(self.chance.randint(1, 2 if depth == 0 else 5))]
        return f"{{ {' '.join(parts)} }}"

    def _part(self, type_: Any, depth: int) -> str:
        drawn = self.chance.random()
        if drawn < 0.08:
            return f"{self._alias()}__typename{self._condition()}"
        if drawn < 0.16 and depth:
            return self._inline(type_, depth)
        if drawn < 0.24 and depth:
            return self._spread(type_, depth)
        if drawn < 0.25 or isinstance(type_, GraphQLUnionType):
            return "__typename" if isinstance(type_, GraphQLUnionType) else "noSuchField"
        names = [name for name, one in type_.fields.items() if depth < DEPTH_MOST or not is_composite_type(_named(one))]
        if not names:
            return "__typename"
        name = self.chance.choice(names)
        return f"{self._alias()}{self._field(name, type_.fields[name], depth)}"

    def _field(self, name: str, field_: GraphQLField, depth: int) -> str:
        given = [
            f"{key}: {self.literal(argument.type)}"
            for key, argument in field_.args.items()
            if (is_required_argument(argument) and self.chance.random() > 0.02) or self.chance.random() < 0.05
        ]
        arguments = f"({', '.join(given)})" if given else ""
        below = self.selection(_named(field_), depth + 1) if is_composite_type(_named(field_)) else ""
        return f"{name}{arguments}{self._condition()} {below}"

    def _inline(self, type_: Any, depth: int) -> str:
        on = self._narrowed(type_)
        mark = f" on {on.name}" if on is not type_ or self.chance.random() < 0.5 else ""
        return f"...{mark}{self._condition()} {self.selection(on, depth)}"

    def _spread(self, type_: Any, depth: int) -> str:
        on = self._narrowed(type_)
        name = f"On{on.name}{self.chance.randrange(2)}"
        if self.fragments.get(name) == "":
            return "__typename"  # it is being drawn: a circle would have no end, and validation refuses it
        if name not in self.fragments:
            self.fragments[name] = ""
            self.fragments[name] = f"fragment {name} on {on.name} {self.selection(on, max(depth, DEPTH_MOST - 1))}"
        return f"...{name}{self._condition()}"

    def _narrowed(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType) and self.chance.random() < 0.7:
            return self.chance.choice(list(self.schema.get_possible_types(type_)))
        return type_

    def _alias(self) -> str:
        return f"{self.chance.choice('abc')}: " if self.chance.random() < 0.12 else ""

    def _condition(self) -> str:
        drawn = self.chance.random()
        if drawn > 0.14:
            return ""
        word = self.chance.choice(["skip", "include"])
        if drawn > 0.07:
            return f" @{word}(if: {self.chance.choice(['true', 'false'])})"
        name = self.chance.choice("xyz")
        self.variables.add(name)
        return f" @{word}(if: ${name})"

    def _default(self) -> str:
        return self.chance.choice(["!", "! = true", " = false", "!"])

    def literal(self, type_: GraphQLInputType) -> str:
        """A value that an argument takes, now and then one that it does not."""
        if self.chance.random() < 0.01:
            return self.chance.choice(["null", "WRONG", "{ no: 1 }"])
        if isinstance(type_, GraphQLNonNull):
            return self.literal(type_.of_type)
        if isinstance(type_, GraphQLList):
            return f"[{self.literal(type_.of_type)}]"
        if isinstance(type_, GraphQLEnumType):
            return str(self.chance.choice(list(type_.values)))
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(type_)
        return str({**LITERALS, **MOMENTS}[get_named_type(type_).name])

    def _object(self, type_: GraphQLInputObjectType) -> str:
        fields = type_.fields.items()
        given = [f"{key}: {self.literal(one.type)}" for key, one in fields if is_required_input_field(one)]
        return f"{{ {', '.join(given)} }}"


def _named(field_: GraphQLField) -> Any:
    return get_named_type(field_.type)
