"""The compiling executor beside Strawberry's own: the same data in the same order, the same errors at the same places.

Over the real schema and over one with interfaces and unions, on thousands of random operations whose resolvers answer
right and wrong things or raise.
"""

import gc
import inspect
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Annotated, Any, cast

import orjson
import pytest
import strawberry
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, execute, parse
from graphql.execution import MiddlewareManager
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution import CompilingExecutor
from schema.execution.rows import FOR_ALL
from schema.schema import schema as real
from tests.schema.execution.drawn import Drawing
from tests.schema.execution.faked import FakedContext, asynchronous_fields, faked_resolver, faked_together

PARTS = {"real": 12, "abstract": 2}
OPERATIONS = 500
"""In each part; parts are shared among processes."""


@strawberry.interface
class Named:
    """Something with a name."""

    name: str


@strawberry.type
class Person(Named):
    """One implementation."""

    age: int | None
    friend: Annotated["Person", strawberry.lazy(__name__)] | None

    @strawberry.field
    def greeting(self, info: strawberry.Info[Any, None]) -> str:
        """Computed from the object and the context."""
        return f"{info.context.locale} {self.name.upper()}"

    @strawberry.field
    def place(self, info: strawberry.Info[Any, None]) -> str:
        """Computed from what only the ordinary executor knows."""
        return ".".join(map(str, info.path.as_list()))

    @strawberry.field
    async def pets(self) -> list[Annotated["Pet", strawberry.lazy(__name__)]]:
        """Faked."""
        raise NotImplementedError


@strawberry.type
class Pet(Named):
    """The other implementation."""

    weight: float
    owner: Person


Either = Annotated[Person | Pet, strawberry.union("Either")]


@strawberry.type
class AbstractQuery:
    """A root with everything abstract."""

    @strawberry.field
    async def somebody(self) -> Named:
        """Faked."""
        raise NotImplementedError

    @strawberry.field
    async def everybody(self) -> list[Named | None]:
        """Faked."""
        raise NotImplementedError

    @strawberry.field
    async def eithers(self) -> list[Either]:
        """Faked."""
        raise NotImplementedError

    @strawberry.field
    async def table(self) -> list[list[Person]]:
        """Faked."""
        raise NotImplementedError


abstract = strawberry.Schema(AbstractQuery, types=[Person, Pet])


def faked(name: str, monkeypatch: pytest.MonkeyPatch) -> GraphQLSchema:
    """A schema whose asynchronous resolvers answer drawn values."""
    found: GraphQLSchema = {"real": real, "abstract": abstract}[name]._schema
    resolve, together = faked_resolver(found), faked_together(found)
    for field in asynchronous_fields(found):
        monkeypatch.setattr(field, "resolve", resolve)
        if FOR_ALL in field.extensions:
            monkeypatch.setitem(field.extensions, FOR_ALL, together)
    return found


@pytest.mark.parametrize(("name", "part"), [(name, part) for name, parts in PARTS.items() for part in range(parts)])
@pytest.mark.long
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")  # what graphql-core gives up after
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # an error is neither awaited nor closed
async def test_random_operations_answer_the_same(name: str, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = faked(name, monkeypatch)
    seen = {"data": 0, "errors": 0, "nothing": 0}
    for number in range(OPERATIONS):
        seed = f"{part} {number}"
        drawing = Drawing(schema, Random(seed))
        kind = "mutation" if schema.mutation_type and number % 4 == 0 else "query"
        document = parse(drawing.operation(kind))
        for variables in (drawing.values(), drawing.values()):
            context = FakedContext(seed, wrongs=0.0 if number % 3 == 0 else 0.02)
            ours = await answer(schema, document, variables, context, CompilingExecutor)
            theirs = await answer(schema, document, variables, context, StrawberryGraphQLCoreExecutionContext)
            assert ours == theirs, (seed, document.loc and document.loc.source.body, variables)
            seen["data"] += bool(ours[0])
            seen["errors"] += bool(ours[1])
            seen["nothing"] += ours[0] == "None"
    gc.collect()  # here, not in whatever test comes next
    assert all(count > OPERATIONS // 50 for count in seen.values()), seen


async def answer(
    schema: GraphQLSchema, document: DocumentNode, variables: Any, context: FakedContext, executor: type[Any]
) -> tuple[str, Sequence[object]]:
    """An operation's answer as it would be told, its order included."""
    result: Any = execute(
        schema,
        document,
        context_value=context,
        variable_values=variables,
        middleware=MiddlewareManager(),
        is_awaitable=cast(Any, optimized_is_awaitable),
        executor_class=executor,
    )
    if inspect.isawaitable(result):
        result = await result
    assert isinstance(result, ExecutionResult)
    return repr(written(result.data)), [told(error) for error in result.errors or ()]


def written(data: Any) -> Any:
    """The data with its moments as the answer's serialiser writes them, which a plan leaves to it."""
    if isinstance(data, dict):
        return {key: written(value) for key, value in data.items()}
    if isinstance(data, list):
        return [written(value) for value in data]
    return orjson.loads(orjson.dumps(data)) if type(data) is datetime else data


def told(error: GraphQLError) -> tuple[object, ...]:
    """All of an error."""
    cause = error.original_error
    return error.message, error.path, error.locations, error.extensions, type(cause), str(cause)
