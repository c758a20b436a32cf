"""The gate before every operation: who may ask for which fields, and how much an operation may be.

Both are decided on the validated document before anything runs. The coordinates an operation touches are worked out
once per document and kept; the role is looked up in the one access table (``tenants.access_table``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    separate_operations,
    visit,
)
from strawberry.extensions import SchemaExtension

from schema.context import Context
from schema.limits import objections, size_of, unusable_text
from tenants import access_table


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one operation of a document, whoever sends it."""

    operation: OperationDefinitionNode
    document: DocumentNode
    coordinates: tuple[str, ...]
    texts: tuple[str, ...]


class Gate(SchemaExtension):
    """Checks access and size after validation; adds ``extensions.cost`` to the answer."""

    def on_validate(self) -> Iterator[None]:
        """Refuse what the caller may not ask, once the document was found valid.

        The executor asks for errors before the second half of this hook, so the decision stands in the first half;
        ``ValidationCache`` must have validated by then.
        """
        running = self.execution_context
        if running.pre_execution_errors is None or running.graphql_document is None:
            raise RuntimeError("the gate stands behind ValidationCache")
        if not running.pre_execution_errors:
            known = _known(running.schema._schema, running.graphql_document, running.operation_name)
            running.pre_execution_errors = self._refused(known)
        yield

    def _refused(self, known: Known) -> list[GraphQLError]:
        context: Context = self.execution_context.context
        variables = self.execution_context.variables or {}
        refused = [c for c in known.coordinates if not access_table.allowed(context.actor, c)]
        if refused:
            return [_forbidden(context, coordinate) for coordinate in refused]
        if any(access_table.waits_for_enrolment(context.actor, c) for c in known.coordinates):
            message = "The brand asks your role for a second factor. Set it up first: beginSecondFactor."
            return [GraphQLError(message, extensions={"code": "SECOND_FACTOR_REQUIRED"})]
        if unusable_text([*known.texts, *variables.values()]):
            return [GraphQLError("Text holds NUL or half a character; remove it.", extensions={"code": "BAD_REQUEST"})]
        size = size_of(known.operation, known.document, variables)
        context.cost = size.cost
        return objections(size)

    def get_results(self) -> dict[str, Any]:
        """What the operation cost."""
        return {"cost": self.execution_context.context.cost}


def _forbidden(context: Context, coordinate: str) -> GraphQLError:
    if context.actor is None:
        return GraphQLError(f"Log in to use {coordinate}.", extensions={"code": "UNAUTHENTICATED"})
    return GraphQLError(
        f"The role {context.actor.role} may not use {coordinate}.",
        extensions={"code": "FORBIDDEN", "coordinate": coordinate},
    )


class _Collector(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.coordinates: set[str] = set()
        self.texts: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self.types.get_parent_type()
        if parent is not None and not node.name.value.startswith("__") and not parent.name.startswith("__"):
            self.coordinates.add(f"{parent.name}.{node.name.value}")

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        self.texts.add(node.value)


@lru_cache(maxsize=512)
def _known(schema: GraphQLSchema, document: DocumentNode, operation_name: str | None) -> Known:
    """The coordinates and texts of the operation that will run. Introspection is not among them."""
    separated = separate_operations(document)
    alone = separated[operation_name or ""] if operation_name in separated else next(iter(separated.values()))
    types = TypeInfo(schema)
    collector = _Collector(types)
    visit(alone, TypeInfoVisitor(types, collector))
    operation = next(d for d in alone.definitions if isinstance(d, OperationDefinitionNode))
    return Known(operation, alone, tuple(sorted(collector.coordinates)), tuple(collector.texts))
