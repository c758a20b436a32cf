"""Resolvers called directly: how an argument becomes what the resolver takes is found out once, not at every call.

Strawberry asks each argument's type, name and default again whenever a field is resolved, which for an input of twenty
fields takes as long as the statement that writes them. The functions made here do what its ``convert_arguments`` does;
a field with anything else about it is left as it is. tests/schema/execution/test_calling.py compares the two.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import MISSING
from typing import Any, TypeAlias, cast

from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.unset import UNSET

from schema.execution.rows import FOR_ALL, together_of

Convert: TypeAlias = Callable[[Any], Any]
_Resolver: TypeAlias = Callable[..., Awaitable[Any]]


class Unknown(Exception):
    """A type that is left to Strawberry."""


class Conversions:
    """Makes the functions for types of arguments; none for what is taken as it comes."""

    def __init__(self, config: StrawberryConfig) -> None:
        self.info_class = config.info_class
        self._config = config
        self._inputs: dict[type, Convert] = {}

    def of_field(self, field: StrawberryField) -> Mapping[str, tuple[str, Convert | None]]:
        """By name in GraphQL: the name in Python, and the function. Raises ``Unknown``."""
        name_of = self._config.name_converter.from_argument
        return {name_of(one): (one.python_name, self.of_type(one.type)) for one in field.arguments}

    def of_type(self, type_: Any) -> Convert | None:
        """The function for a type, for values that are not null. Raises ``Unknown``."""
        if isinstance(type_, StrawberryMaybe):
            raise Unknown
        if isinstance(type_, StrawberryOptional):
            return self.of_type(type_.of_type)
        if isinstance(type_, LazyType):
            return self.of_type(type_.resolve_type())
        if isinstance(type_, StrawberryList):
            inner = self.of_type(type_.of_type)
            return list if inner is None else lambda values: [_converted(inner, one) for one in values]
        return self._of_input(type_) if has_object_definition(type_) else None

    def _of_input(self, type_: Any) -> Convert:
        """One function for each type, so that a type may hold itself."""
        if type_ in self._inputs:
            return self._inputs[type_]
        definition = type_.__strawberry_definition__
        if definition.from_input is not None:
            raise Unknown
        fields: dict[str, tuple[str, Convert | None]] = {}
        absent = {
            one.python_name: None
            for one in definition.fields
            if one.default_value is MISSING and one.default_factory is MISSING
        }

        def convert(value: Mapping[str, Any]) -> Any:
            given: dict[str, Any] = {**absent}
            for key, one in value.items():
                name, inner = fields[key]
                given[name] = _converted(inner, one)
            return type_(**given)

        self._inputs[type_] = convert
        for one in definition.fields:
            inner = self.of_type(one.resolve_type(type_definition=definition))
            fields[self._config.name_converter.from_field(one)] = (one.python_name, inner)
        return convert


def _converted(convert: Convert | None, value: Any) -> Any:
    return value if convert is None or value is None or value is UNSET else convert(value)


def call_directly(schema: GraphQLSchema, config: StrawberryConfig) -> None:
    """Give the asynchronous resolvers of a schema their arguments without going through Strawberry.

    Those of subscriptions, which make streams, are left to it.
    """
    conversions = Conversions(config)
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and type_ is not schema.subscription_type:
            for field in type_.fields.values():
                made = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
                if isinstance(made, StrawberryField):
                    _call_directly(field, made, conversions)


def _call_directly(field: GraphQLField, made: StrawberryField, conversions: Conversions) -> None:
    resolver = made.base_resolver
    if resolver is None or not resolver.is_async or made.extensions:
        return
    if not resolver.self_parameter or resolver.root_parameter or resolver.parent_parameter:
        return
    try:
        arguments = conversions.of_field(made)
    except Unknown:
        return
    field.resolve = _calling(cast(_Resolver, resolver.wrapped_func), made, arguments, conversions)
    together = together_of(resolver._unbound_wrapped_func)
    if together is not None:
        field.extensions[FOR_ALL] = _calling(together, made, arguments, conversions)


def _calling(
    function: _Resolver, made: StrawberryField, arguments: Mapping[str, tuple[str, Convert | None]], known: Conversions
) -> _Resolver:
    """What graphql-core calls: for one object, or for all of a list."""
    resolver = made.base_resolver
    info_name = resolver.info_parameter.name if resolver and resolver.info_parameter else ""
    info_class = known.info_class

    async def resolve(source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        taken = {}
        for key, value in given.items():
            name, convert = arguments[key]
            taken[name] = _converted(convert, value)
        if info_name:
            taken[info_name] = info_class(_raw_info=info, _field=made)
        return await function(source, **taken)

    return resolve


__all__ = ["Conversions", "Unknown", "call_directly"]
