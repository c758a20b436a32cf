"""The gate before every operation: who may ask for which fields, and how much an operation may cost.

Both are decided on the validated document before anything runs. The coordinates an operation touches are worked out
once per document and kept; the role is looked up in the one access table (``tenants.access_table``).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    visit,
)
from strawberry.extensions import SchemaExtension

from saas.base.paging import PAGE_DEFAULT, PAGE_MAX
from schema.context import Context
from tenants import access_table

COST_MAX = 20_000
"""Fields an operation may resolve at most, page sizes multiplied."""


class Gate(SchemaExtension):
    """Checks access and cost after validation; adds ``extensions.cost`` to the answer."""

    def on_validate(self) -> Iterator[None]:
        """Refuse what the caller may not ask, once the document was found valid.

        The executor asks for errors before the second half of this hook, so the decision stands in the first half;
        ``ValidationCache`` must have validated by then.
        """
        running = self.execution_context
        if running.pre_execution_errors is None or running.graphql_document is None:
            raise RuntimeError("the gate stands behind ValidationCache")
        if not running.pre_execution_errors:
            running.pre_execution_errors = self._refused(running.graphql_document)
        yield

    def _refused(self, document: DocumentNode) -> list[GraphQLError]:
        running = self.execution_context
        context: Context = running.context
        schema = running.schema._schema
        refused = sorted(
            coordinate
            for coordinate in coordinates(schema, document)
            if not access_table.allowed(context.actor, coordinate)
        )
        if refused:
            return [_forbidden(context, coordinate) for coordinate in refused]
        context.cost = cost(document, running.operation_name, running.variables or {})
        if context.cost <= COST_MAX:
            return []
        return [
            GraphQLError(
                f"The operation costs {context.cost}, the most is {COST_MAX}. Ask for smaller pages.",
                extensions={"code": "COST_EXCEEDED", "cost": context.cost, "costMax": COST_MAX},
            )
        ]

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
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self.types.get_parent_type()
        if parent is not None and not node.name.value.startswith("__") and not parent.name.startswith("__"):
            self.found.add(f"{parent.name}.{node.name.value}")


@lru_cache(maxsize=512)
def coordinates(schema: GraphQLSchema, document: DocumentNode) -> frozenset[str]:
    """Every ``Type.field`` a document names. Introspection is not among them."""
    types = TypeInfo(schema)
    collector = _Collector(types)
    visit(document, TypeInfoVisitor(types, collector))
    return frozenset(collector.found)


def cost(document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]) -> int:
    """How many fields an operation may resolve: every field counts one, a page multiplies what is below it."""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    chosen = next(
        (o for o in operations if operation_name and o.name and o.name.value == operation_name), operations[0]
    )
    return _cost(chosen.selection_set, fragments, variables)


def _cost(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> int:
    total = 0
    for node in selections.selections:
        if isinstance(node, FieldNode):
            below = _cost(node.selection_set, fragments, variables) if node.selection_set else 0
            total += 1 + below * _page_size(node, variables)
        elif isinstance(node, InlineFragmentNode):
            total += _cost(node.selection_set, fragments, variables)
        elif isinstance(node, FragmentSpreadNode):
            total += _cost(fragments[node.name.value].selection_set, fragments, variables)
    return total


_CONNECTION_FIELDS = frozenset({"nodes", "edges", "pageInfo"})


def _page_size(node: FieldNode, variables: Mapping[str, Any]) -> int:
    for argument in node.arguments or ():
        if argument.name.value == "first":
            value = argument.value
            if isinstance(value, IntValueNode):
                return max(1, min(int(value.value), PAGE_MAX))
            if isinstance(value, VariableNode):
                given = variables.get(value.name.value)
                return max(1, min(given, PAGE_MAX)) if isinstance(given, int) else PAGE_DEFAULT
    names = (
        {s.name.value for s in node.selection_set.selections if isinstance(s, FieldNode)} if node.selection_set else ()
    )
    return PAGE_DEFAULT if _CONNECTION_FIELDS & set(names) else 1
