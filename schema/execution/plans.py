"""Which plans there are: made once per operation, kept for the operations asked most lately.

What a selection comes to depends on its document, on the runtime type, and on the variables that ``@skip`` and
``@include`` look at; nothing else. Documents are the parser cache's, so their nodes are the same from request to
request, and a plan is found by them. Whoever keeps an id here keeps its object too.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLField, GraphQLObjectType, OperationType
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import Path

from schema.execution.writing import Read, Writer

KEPT_MOST = 256
"""Operations with plans; what is beyond them is made anew when it comes back."""
TEXT_MOST = 400_000
"""Characters of documents whose operations have plans; a plan keeps its document, a hundred times its text."""
FIELDS_MOST = 600
"""Fields the plans of one operation read; what is beyond them is completed the ordinary way, which costs no memory."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the objects of one type at one place of an operation are completed."""

    read: Read
    """Reads all that can be read, with a place for each other field; raises on anything unexpected."""
    resolved: GroupedFieldSet
    """The other fields, for the ordinary executor."""


@dataclass(frozen=True, slots=True)
class Root:
    """The only field of a query, when all of its answer is read by plan."""

    field: GraphQLField
    resolve: Callable[..., Awaitable[Any]]
    parent: GraphQLObjectType
    details: FieldDetailsList
    path: Path
    plan: Plan


class Plans:
    """The plans of one operation, for one choice of what it skips and includes."""

    def __init__(self, executor: Executor[Any]) -> None:
        self._schema = executor.schema
        self._operation = executor.operation
        self._fragments = executor.fragment_definitions
        self._plans: dict[tuple[object, ...], tuple[Plan | None, Sequence[FieldNode]]] = {}
        self._fields = 0
        loc = executor.operation.loc
        self.text = len(loc.source.body) if loc else 0
        """Characters of the document that stays as long as these plans do."""
        self.root: Root | None = None

    def belong_to(self, executor: Executor[Any]) -> bool:
        """Whether these are plans of what is about to run: of this operation with these very fragments."""
        return (
            self._schema is executor.schema
            and self._operation is executor.operation
            and self._fragments == executor.fragment_definitions
        )

    def plan(self, executor: Executor[Any], type_: GraphQLObjectType, details: FieldDetailsList) -> Plan | None:
        """The plan for a type at the place of these nodes, made when first asked for; none where there can be none."""
        key = (type_, id(details[0].node)) if len(details) == 1 else (type_, *(id(one.node) for one in details))
        found = self._plans.get(key)
        if found is None:
            found = self._plans[key] = (self._made(executor, type_, details), [one.node for one in details])
        return found[0]

    def note_root(self, path: Path, details: FieldDetailsList, plan: Plan) -> None:
        """Remember the way of a query with one field and nothing special about it; it was found the ordinary way."""
        selections, parent = self._operation.selection_set.selections, self._schema.query_type
        if self.root is not None or plan.resolved or self._operation.operation is not OperationType.QUERY:
            return
        first, plain = details[0], len(selections) == 1 and isinstance(selections[0], FieldNode)
        field = self._schema.get_field(parent, first.node.name.value) if parent else None
        if parent is None or field is None or not plain or first.node.directives or first.defer_usage is not None:
            return
        if iscoroutinefunction(field.resolve):
            self.root = Root(field, field.resolve, parent, details, path, plan)

    def _made(self, executor: Executor[Any], type_: GraphQLObjectType, details: FieldDetailsList) -> Plan | None:
        writer = Writer(executor, FIELDS_MOST - self._fields)
        try:
            written = writer.write(type_, details)
        except GraphQLError:  # of a condition somewhere below, which the ordinary executor tells at its own place
            written = None
        self._fields += writer.fields
        return None if written is None else Plan(*written)


_known: OrderedDict[tuple[object, ...], Plans] = OrderedDict()


def plans_of(executor: Executor[Any]) -> Plans:
    """The plans of the operation that is about to run."""
    chosen = (item for item in executor.variable_values.coerced.items() if item[1] is None or isinstance(item[1], bool))
    key = (id(executor.operation), *chosen)
    found = _known.get(key)
    if found is None or not found.belong_to(executor):
        found = _known[key] = Plans(executor)
        _known.move_to_end(key)
        while len(_known) > 1 and (len(_known) > KEPT_MOST or sum(one.text for one in _known.values()) > TEXT_MOST):
            _known.popitem(last=False)
    else:
        _known.move_to_end(key)
    return found
