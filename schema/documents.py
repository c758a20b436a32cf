"""Documents: parsed, validated and looked through once, kept for the texts asked most lately.

Nothing here depends on who asks. What does (access, variables, size) is the gate's, at every request.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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
    parse,
    separate_operations,
    visit,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext
from strawberry.types.execution import ParseOptions

from schema.bounded import Bounded
from schema.limits import too_repetitive

KEPT_MOST = 512
"""Documents kept at most."""
TEXT_MOST = 400_000
"""Characters of text kept at most, so that long documents that nobody sends twice do not fill the memory."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one operation of a document, whoever sends it."""

    operation: OperationDefinitionNode
    document: DocumentNode
    coordinates: tuple[str, ...]
    texts: tuple[str, ...]
    introspects: bool


@dataclass(slots=True)
class Document:
    """A parsed document, and what was found out about it so far."""

    parsed: DocumentNode
    errors: Sequence[GraphQLError] | None = None
    _known: dict[str, Known] = field(default_factory=dict)

    def validated(self, running: ExecutionContext) -> list[GraphQLError]:
        """What is wrong with it by the schema. What would take long to find out about is refused for that alone."""
        if self.errors is None:
            self.errors = too_repetitive(self.parsed) or validate_document(
                running.schema._schema, self.parsed, running.validation_rules
            )
        return list(self.errors)

    def known(self, schema: GraphQLSchema, operation_name: str | None) -> Known:
        """The coordinates and texts of the operation that will run. Introspection is not among them."""
        name = operation_name or ""
        if name not in self._known:
            separated = separate_operations(self.parsed)
            if name not in separated:
                name = next(iter(separated))  # the only one there is: another unnamed choice was refused before
            if name not in self._known:
                self._known[name] = _looked_through(schema, separated[name])
        return self._known[name]


class Store:
    """The documents of a process, by text."""

    def __init__(self, *, most: int = KEPT_MOST, text_most: int = TEXT_MOST) -> None:
        self._kept: Bounded[tuple[GraphQLSchema, str], Document] = Bounded(most=most, text_most=text_most)

    def document(self, schema: GraphQLSchema, text: str, options: ParseOptions) -> Document:
        """The document of a text. Raises ``GraphQLError`` where it cannot be read; that is not kept."""
        key = schema, text
        return self._kept.get(key) or self._kept.put(key, Document(_parsed(text, options)), len(text))


def _parsed(text: str, options: ParseOptions) -> DocumentNode:
    try:
        return parse(text, **options)
    except RecursionError:
        raise GraphQLError("The document nests too deep.", extensions={"code": "OPERATION_TOO_DEEP"}) from None


_store = Store()


class Documents(SchemaExtension):
    """Parses. The gate finds the same document again by ``document_of``."""

    def on_parse(self) -> Iterator[None]:
        """From what is kept, or for the first time."""
        running = self.execution_context
        if running.query:
            running.graphql_document = document_of(running).parsed
        yield


def document_of(running: ExecutionContext) -> Document:
    """The document of the operation that is on its way."""
    return _store.document(running.schema._schema, running.query or "", running.parse_options)


class _Collector(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.coordinates: set[str] = set()
        self.texts: set[str] = set()
        self.introspects = False

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.introspects |= node.name.value in {"__schema", "__type"}
        parent = self.types.get_parent_type()
        if parent is not None and not node.name.value.startswith("__") and not parent.name.startswith("__"):
            self.coordinates.add(f"{parent.name}.{node.name.value}")

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        self.texts.add(node.value)


def _looked_through(schema: GraphQLSchema, alone: DocumentNode) -> Known:
    types = TypeInfo(schema)
    collector = _Collector(types)
    visit(alone, TypeInfoVisitor(types, collector))
    operation = next(d for d in alone.definitions if isinstance(d, OperationDefinitionNode))
    coordinates = tuple(sorted(collector.coordinates))
    return Known(operation, alone, coordinates, tuple(collector.texts), collector.introspects)
