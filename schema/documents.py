"""Documents: parsed, validated and looked through once, kept for the texts asked most lately.

Nothing here depends on who asks. What does (access, variables, size) is the gate's, at every request.
"""

from collections.abc import Mapping, Sequence
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
    VariableNode,
    Visitor,
    parse,
    separate_operations,
    visit,
)
from strawberry.schema.schema import validate_document
from strawberry.types import ExecutionContext
from strawberry.types.execution import ParseOptions

from saas.base.settings import get_settings
from schema.bounded import Bounded
from schema.limits import PAGE_SIZE, TOKENS_MAX, Size, size_of, too_repetitive, unusable_text
from tenants import access_table
from tenants.actors import Actor

KEPT_MOST = 512
"""Documents kept at most."""
TEXT_MOST = 400_000
"""Characters of text kept at most, so that long documents that nobody sends twice do not fill the memory."""


SIZES_MOST = 100
"""Sizes kept of one operation: as many as a page may have rows, by default."""
_DEFAULT = object()
"""Stands for a variable that was not given."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one operation of a document, whoever sends it.

    Measured once for each choice of the variables that are page sizes, looked up once for each kind of asker.
    """

    operation: OperationDefinitionNode
    document: DocumentNode
    coordinates: tuple[str, ...]
    introspects: bool
    unusable: bool
    """Whether a text written in it is one no database stores."""
    page_sizes: tuple[str, ...]
    """The variables that are page sizes."""
    _sizes: dict[tuple[object, ...], Size] = field(default_factory=dict)
    _refused: dict[object, Sequence[str]] = field(default_factory=dict)

    def size(self, variables: Mapping[str, object]) -> Size:
        """How large it is with these variables."""
        given = (variables.get(name, _DEFAULT) for name in self.page_sizes)
        key = (get_settings().page_max, *(one if one is _DEFAULT or isinstance(one, int) else None for one in given))
        found = self._sizes.get(key)
        if found is None:
            if len(self._sizes) >= SIZES_MOST:
                self._sizes.clear()
            found = self._sizes[key] = size_of(self.operation, self.document, variables)
        return found

    def refused(self, actor: Actor | None) -> Sequence[str]:
        """The fields in it that this asker may not ask for."""
        kind = access_table.kind_of(actor)
        found = self._refused.get(kind)
        if found is None:
            found = [one for one in self.coordinates if not access_table.allowed(actor, one)]
            self._refused[kind] = found
        return found


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
    except GraphQLError as wrong:
        if "nested too deeply" in wrong.message:  # all that graphql-core says of the recursion that it gave up
            raise GraphQLError("The document nests too deep.", extensions={"code": "OPERATION_TOO_DEEP"}) from None
        raise


_store = Store()


def document_of(running: ExecutionContext) -> Document:
    """The document of the operation that is on its way. Raises ``GraphQLError``, also for one of too many tokens."""
    options = ParseOptions(**running.parse_options, max_tokens=TOKENS_MAX)
    return _store.document(running.schema._schema, running.query or "", options)


class _Collector(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.coordinates: set[str] = set()
        self.texts: set[str] = set()
        self.page_sizes: set[str] = set()
        self.introspects = False

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.introspects |= node.name.value in {"__schema", "__type"}
        for argument in node.arguments or ():
            if argument.name.value == PAGE_SIZE and isinstance(argument.value, VariableNode):
                self.page_sizes.add(argument.value.name.value)
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
    coordinates, page_sizes = tuple(sorted(collector.coordinates)), tuple(sorted(collector.page_sizes))
    return Known(operation, alone, coordinates, collector.introspects, unusable_text(collector.texts), page_sizes)
