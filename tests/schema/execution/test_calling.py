"""Resolvers that are called directly get what Strawberry would give them, for every field of the schema."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.execution.calling import Conversions
from schema.schema import schema

EACH = 20
SCALARS: dict[str, Any] = {
    "String": "text",
    "ID": "dst_1",
    "Int": 7,
    "BigInt": 2**40,
    "Boolean": True,
    "Float": 1.5,
    "DateTime": datetime(2026, 3, 1, tzinfo=UTC),
    "Date": date(2026, 3, 1),
    "Time": time(6, 30),
}


def fields() -> Iterator[tuple[str, GraphQLField, StrawberryField]]:
    """The fields of the schema that take arguments."""
    for type_ in schema._schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                if field.args:
                    yield f"{type_.name}.{name}", field, field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]


FIELDS = {name: (field, made) for name, field, made in fields()}


def drawn(type_: Any, chance: Random) -> Any:
    """A value as graphql-core hands it on."""
    if isinstance(type_, GraphQLNonNull):
        return _present(type_.of_type, chance)
    return None if chance.random() < 0.3 else _present(type_, chance)


def _present(type_: Any, chance: Random) -> Any:
    if isinstance(type_, GraphQLList):
        return [drawn(type_.of_type, chance) for _ in range(chance.randrange(3))]
    if isinstance(type_, GraphQLEnumType):
        return chance.choice([value.value for value in type_.values.values()])
    if isinstance(type_, GraphQLInputObjectType):
        return {
            name: drawn(field.type, chance)
            for name, field in type_.fields.items()
            if isinstance(field.type, GraphQLNonNull) or chance.random() < 0.6
        }
    return SCALARS[type_.name]


def test_there_are_fields_with_arguments_and_inputs() -> None:
    assert len(FIELDS) > 100
    assert sum(name.startswith("Mutation.") for name in FIELDS) > 50


def test_arguments_are_what_strawberry_makes_of_them() -> None:
    conversions = Conversions(schema.config)
    for name, (field, made) in FIELDS.items():
        known = conversions.of_field(made)
        for number in range(EACH):
            chance = Random(f"{name} {number}")
            given = {key: drawn(one.type, chance) for key, one in field.args.items() if chance.random() < 0.8}
            theirs = convert_arguments(given, made.arguments, schema.schema_converter.scalar_registry, schema.config)
            ours = {}
            for key, value in given.items():
                python_name, convert = known[key]
                ours[python_name] = value if convert is None or value is None else convert(value)
            assert ours == theirs, name
            assert repr(ours) == repr(theirs), name


def test_a_list_is_the_callers_own() -> None:
    """graphql-core gives the same default to every request that leaves a value out."""
    _, made = FIELDS["Query.downline"]
    _, convert = Conversions(schema.config).of_field(made)["tiers"]
    given = ["gold"]
    assert convert is not None
    assert convert(given) == given
    assert convert(given) is not given


def test_every_asynchronous_resolver_of_the_schema_is_called_directly() -> None:
    left = [
        f"{type_.name}.{name}"
        for type_ in schema._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        and not type_.name.startswith("__")
        and type_ is not schema._schema.subscription_type
        for name, field in type_.fields.items()
        if _is_async(field) and field.resolve.__module__ != "schema.execution.calling"
    ]
    assert left == []


def _is_async(field: GraphQLField) -> bool:
    made = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return isinstance(made, StrawberryField) and bool(made.base_resolver and made.base_resolver.is_async)
