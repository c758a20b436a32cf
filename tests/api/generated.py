"""Calls made from the schema: every root field with every argument, and as much of the answer as a caller may ask for.

What an argument is given stands in ``IDS`` and ``VALUES``, by coordinate or by name. One that is in neither is an
error, so a new field cannot be left out of the tests that use this.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from schema.ids import PREFIXES
from schema.schema import sdl
from tests.api.values import ALWAYS, IDS, NAMED, VALUES, Names

SCHEMA = build_schema(sdl())
Given: TypeAlias = GraphQLArgument | GraphQLInputField


class MissingEntry(AssertionError):
    """A new field of the schema: say in ``IDS``, ``NAMED`` or ``VALUES`` what to give for it."""


@dataclass(frozen=True)
class Root:
    """A field of ``Query``, ``Mutation`` or ``Subscription``."""

    operation: str
    name: str
    field: GraphQLField

    @property
    def coordinate(self) -> str:
        return f"{self.operation.capitalize()}.{self.name}"

    def variants(self) -> list[frozenset[str]]:
        """Nothing optional, then each optional argument alone that names a thing."""
        named = [frozenset(way) for way in self._ways() if way]
        return [frozenset(), *dict.fromkeys(named)]

    def _ways(self) -> Iterator[tuple[str, ...]]:
        for name, argument in self.field.args.items():
            yield from _ways(argument, f"{self.coordinate}({name})", name, ())

    def variables(self, names: Names, chosen: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Values for the required arguments and the chosen ones."""
        return {
            name: _value(argument.type, f"{self.coordinate}({name})", name, names, chosen)
            for name, argument in self.field.args.items()
            if _wanted(argument, f"{self.coordinate}({name})", chosen)
        }

    def document(self, variables: Mapping[str, Any], selection: str) -> str:
        """The operation's text."""
        declared = ", ".join(f"${name}: {self.field.args[name].type}" for name in variables)
        passed = ", ".join(f"{name}: ${name}" for name in variables)
        return (
            f"{self.operation}{f'({declared})' if declared else ''} "
            f"{{ {self.name}{f'({passed})' if passed else ''} {selection} }}"
        )


def roots(operation: str | None = None) -> list[Root]:
    """Every root field that is asked for once, queries first; or those of one kind of operation, subscriptions too."""
    kinds = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type, "subscription": SCHEMA.subscription_type}
    wanted = ("query", "mutation") if operation is None else (operation,)
    return [
        Root(kind, name, found)
        for kind in wanted
        if (type_ := kinds[kind]) is not None
        for name, found in type_.fields.items()
    ]


def selection(of: GraphQLField, allowed: Callable[[str], bool], page: str = "") -> str:
    """All of an answer that ``allowed`` admits, two levels into the same type at most; ``{ __typename }`` at least.

    ``page`` stands at lists of lists, which in full would cost more than anybody may ask.
    """
    named = get_named_type(of.type)
    return _selection(named, allowed, {}, page) if isinstance(named, GraphQLObjectType) else ""


def _selection(type_: GraphQLObjectType, allowed: Callable[[str], bool], seen: Mapping[str, int], page: str) -> str:
    again = {**seen, type_.name: seen.get(type_.name, 0) + 1}
    parts = ["__typename"]
    for name, found in type_.fields.items():
        if not allowed(f"{type_.name}.{name}") or any(map(_required, found.args.values())):
            continue
        below = get_named_type(found.type)
        if not isinstance(below, GraphQLObjectType):
            parts.append(name)
        elif type_.name.endswith("Edge"):  # all below it is asked for by way of ``nodes``
            plain = dict.fromkeys(SCHEMA.type_map, 2)
            parts.append(f"{name} {_selection(below, allowed, {**plain, below.name: 0}, page)}")
        elif again[type_.name] < 2 and again.get(below.name, 0) < 2:
            paged = page if "first" in found.args else ""
            parts.append(f"{name}{paged} {_selection(below, allowed, again, page)}")
    return f"{{ {' '.join(parts)} }}"


def _required(given: Given) -> bool:
    return is_required_argument(given) if isinstance(given, GraphQLArgument) else is_required_input_field(given)


def _wanted(given: Given, coordinate: str, chosen: frozenset[str]) -> bool:
    return _required(given) or coordinate in chosen or coordinate in ALWAYS or coordinate.endswith("(first)")


def _ways(given: Given, coordinate: str, name: str, outer: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The optional coordinates, with those around them, that lead to an argument that names a thing."""
    way = outer if _required(given) else (*outer, coordinate)
    named = get_named_type(given.type)
    if isinstance(named, GraphQLInputObjectType):
        for inner, found in named.fields.items():
            yield from _ways(found, f"{named.name}.{inner}", inner, way)
    elif any(key in IDS or key in NAMED for key in (coordinate, name)):
        yield way


def _value(type_: GraphQLInputType, coordinate: str, name: str, names: Names, chosen: frozenset[str]) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return _value(type_.of_type, coordinate, name, names, chosen)
    if isinstance(type_, GraphQLList):
        if isinstance(whole := VALUES.get(coordinate), list):
            return whole
        return [_value(type_.of_type, coordinate, name, names, chosen)]
    if not isinstance(type_, GraphQLInputObjectType):
        return _plain(type_, coordinate, name, names)
    return {
        inner: _value(found.type, f"{type_.name}.{inner}", inner, names, chosen)
        for inner, found in type_.fields.items()
        if _wanted(found, f"{type_.name}.{inner}", chosen)
    }


def _plain(type_: GraphQLInputType, coordinate: str, name: str, names: Names) -> Any:
    for key in (coordinate, name):
        if key in names.fixed or key in IDS:
            return names.fixed[key] if key in names.fixed else names.ids[IDS[key]]
        if key in NAMED or key in VALUES:
            return NAMED[key](names) if key in NAMED else VALUES[key]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if str(type_) != "Boolean":
        raise MissingEntry(coordinate)
    return False


def without_value() -> list[str]:
    """Every argument and input field, wanted or not, that has no entry above."""
    kinds = dict.fromkeys(PREFIXES, "id")
    names = Names(ids=kinds, slug="", login="", code="", sku="", number=1, key="")
    every = [*roots(), *roots("subscription")]
    given = [(f"{r.coordinate}({name})", name, arg) for r in every for name, arg in r.field.args.items()]
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            given += [(f"{type_.name}.{name}", name, found) for name, found in type_.fields.items()]
    missing = []
    for coordinate, name, one in given:
        try:
            _value(one.type, coordinate, name, names, frozenset())
        except MissingEntry:
            missing.append(coordinate)
    return missing
