"""Answers of all kinds behind a real schema: right ones, nulls and wrong types where none may be, errors, coroutines.

What stands at a place depends on the seed and the place alone, so that two executors meet the same.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_object_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from saas.base.errors import NotFound
from saas.base.paging import Page
from schema.execution.rows import Wraps, row_of
from schema.network import Distributor
from schema.paging import Connection

EAST = timezone(timedelta(hours=8))
SCALARS: dict[str, list[Any]] = {
    "String": ["text", "文", ""],
    "ID": ["dst_1", "ord_2"],
    "Int": [0, -1, 2**31 - 1],
    "BigInt": [0, 7, 2**53 - 1],
    "Boolean": [True, False],
    "Float": [1.5, -0.0],
    "DateTime": [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 8, tzinfo=EAST)],
    "Date": [date(2026, 3, 1)],
}
WRONG: list[Any] = [
    "wrong",
    2**31,
    1.5,
    float("nan"),
    True,
    b"bytes",
    [],
    {},
    object,
    (),
    3,
    NotFound(kind="order", value="y"),
]


@dataclass
class FakedContext:
    """What the resolvers of the schema see of a request."""

    seed: str
    locale: str = "en"
    wrongs: float = 0.02


class Fakes:
    """Makes the values of one execution."""

    def __init__(self, schema: GraphQLSchema, context: FakedContext, place: object) -> None:
        self.schema = schema
        self.wrongs = context.wrongs
        self.chance = Random(f"{context.seed} {place}")

    def value(self, type_: Any) -> Any:
        """A value for an output type, at times a wrong one."""
        drawn = self.chance.random()
        if drawn < self.wrongs:
            return self.chance.choice([None, None, None, *WRONG])
        if drawn < self.wrongs * 1.5:
            return Later(self.value(type_), self.chance.randrange(3))
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type)
        return None if self.chance.random() < 0.2 else self._present(type_)

    def _present(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLList):
            items = [self.value(type_.of_type) for _ in range(self.chance.randrange(4))]
            shape: Any = self.chance.choice([list, list, list, tuple, iter])
            return shape(items)
        if isinstance(type_, GraphQLEnumType):
            wrapped: type[Enum] = type_.wrapped_cls  # type: ignore[attr-defined]  # Strawberry's
            return self.chance.choice(list(wrapped))
        if is_abstract_type(type_):
            return self.object(self.chance.choice(list(self.schema.get_possible_types(type_))))
        if is_object_type(type_):
            return self.object(type_)
        return self.chance.choice(SCALARS[type_.name])

    def object(self, type_: GraphQLObjectType) -> Any:
        """An instance of the class behind a type, its attributes drawn; now and then one is not there at all."""
        made: Any = object.__new__(type_.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].origin)
        row = made.row = SimpleNamespace()
        for name, field in type_.fields.items():
            one = _definition(field)
            behind = one.base_resolver and row_of(one.base_resolver._unbound_wrapped_func)
            if self.chance.random() < self.wrongs / 4:
                continue
            if behind:
                made_of_id = UUID(int=self.chance.getrandbits(128)) if behind.make else self.value(field.type)
                setattr(row, behind.member, made_of_id)
            elif one.base_resolver is None:
                value = self.chance.choice(["CNY", "USD"]) if name == "currency" else self.value(field.type)
                setattr(made, one.python_name, value)
        if isinstance(made, Connection):
            items = self.value(type_.fields["nodes"].type)
            made.page = Page(items, items and [f"cursor {i}" for i, _ in enumerate(items)], self.chance.random() < 0.5)
            made.make, made.after = lambda item: item, self.chance.choice([None, "cursor"])
            of_rows = get_named_type(type_.fields["nodes"].type).name == "Distributor"
            if of_rows and type(items) in {list, tuple} and (not self.wrongs or self.chance.random() < 0.7):
                made.page = replace(made.page, items=[getattr(item, "row", item) for item in items])
                made.make = Wraps(Distributor, as_of=None)
        return made


@dataclass
class Later:
    """Something to be awaited. Not a coroutine, which would complain when nobody does."""

    value: Any
    turns: int

    def __await__(self) -> Generator[Any, None, Any]:
        for _ in range(self.turns):
            yield from asyncio.sleep(0).__await__()
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def _definition(field: GraphQLField) -> StrawberryField:
    found: StrawberryField = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
    return found


def faked_resolver(schema: GraphQLSchema) -> Callable[..., Awaitable[Any]]:
    """What stands in for every asynchronous resolver: an answer of the right type, mostly."""

    async def resolve(_source: object, info: Any, **_arguments: object) -> Any:
        return await _drawn(schema, info, info.path.as_list())

    return resolve


def faked_together(schema: GraphQLSchema) -> Callable[..., Awaitable[Any]]:
    """The same for all objects of a list at once."""

    async def resolve(objects: list[object], info: Any, **_arguments: object) -> list[Any]:
        *above, name = info.path.as_list()
        return [await _drawn(schema, info, [*above, number, name]) for number, _ in enumerate(objects)]

    return resolve


async def _drawn(schema: GraphQLSchema, info: Any, place: list[Any]) -> Any:
    fakes = Fakes(schema, info.context, place)
    for _ in range(fakes.chance.randrange(3)):
        await asyncio.sleep(0)
    if fakes.chance.random() < 0.04:
        raise fakes.chance.choice([NotFound(kind="order", value="x"), ValueError("broken"), GraphQLError("no")])
    return fakes.value(info.return_type)


def asynchronous_fields(schema: GraphQLSchema) -> list[GraphQLField]:
    """The fields whose resolvers would go to the database."""
    return [
        field
        for type_ in schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for field in type_.fields.values()
        if _definition(field).is_async
    ]
