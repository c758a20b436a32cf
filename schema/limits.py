"""How large an operation is: what it costs, how deep it goes, its aliases, its directives; and which text it may bring.

A fragment is measured once however often it is spread, so that measuring an operation takes no longer than reading it.
"""

from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
)

from saas.base.errors import InvalidInput, Said
from saas.base.paging import PAGE_DEFAULT
from saas.base.settings import get_settings

DEPTH_MAX = 12
ALIASES_MAX = 30
DIRECTIVES_MAX = 50
REPEATS_MAX = 20_000
"""Fields of an operation with its fragments spread, and pairs of fields that become one in the answer, each."""
TOKENS_MAX = 2_000
BULK_MAX = 1_000

PAGE_SIZE = "first"
"""The argument that says how many rows a page has."""
_PAGED = frozenset({"nodes", "edges", "pageInfo"})


@dataclass(frozen=True, slots=True)
class Size:
    """What an operation, or a part of it, amounts to."""

    cost: int = 0
    depth: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "Size") -> "Size":
        """Both, one next to the other."""
        return Size(
            self.cost + other.cost,
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
        )


def size_of(operation: OperationDefinitionNode, document: DocumentNode, variables: Mapping[str, Any]) -> Size:
    """Measure an operation: every field costs one, a page multiplies what is below it; introspection is free."""
    defaults = {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }
    whole = _Scale(document, {**defaults, **variables}).of(operation.selection_set)
    return whole.beside(Size(directives=len(operation.directives or ())))


def objections(size: Size, cost_most: int) -> list[GraphQLError]:
    """What is too much about an operation of somebody whose operations may cost so much."""
    limits = (
        ("COST_EXCEEDED", "costs", size.cost, cost_most, "Ask for smaller pages or fewer levels."),
        ("OPERATION_TOO_DEEP", "nests fields to level", size.depth, DEPTH_MAX, "Ask in several steps."),
        ("TOO_MANY_ALIASES", "has aliases, namely", size.aliases, ALIASES_MAX, "Ask in several operations."),
        ("TOO_MANY_DIRECTIVES", "has directives, namely", size.directives, DIRECTIVES_MAX, "Ask for what is needed."),
    )
    return [
        GraphQLError(
            f"The operation {does} {found}, the most is {most}. {remedy}",
            extensions={"code": code, "found": found, "most": most},
        )
        for code, does, found, most, remedy in limits
        if found > most
    ]


class _Scale:
    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self.variables = variables
        self.known: dict[str, Size] = {}

    def of(self, selections: SelectionSetNode | None) -> Size:
        """The size of a selection set."""
        total = Size()
        for node in selections.selections if selections else ():
            total = total.beside(self._of_node(node))
        return total

    def _of_node(self, node: SelectionNode) -> Size:
        own = Size(directives=len(node.directives or ()))
        if isinstance(node, FragmentSpreadNode):
            name = node.name.value
            if name not in self.known:
                self.known[name] = self.of(self.fragments[name].selection_set)
            return own.beside(self.known[name])
        if isinstance(node, InlineFragmentNode):
            return own.beside(self.of(node.selection_set))
        if not isinstance(node, FieldNode) or node.name.value.startswith("__"):
            return own
        below = self.of(node.selection_set)
        return Size(
            1 + below.cost * self._rows(node),
            1 + below.depth,
            below.aliases + (1 if node.alias else 0),
            below.directives + own.directives,
        )

    def _rows(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value == PAGE_SIZE:
                value, most = argument.value, get_settings().page_max
                if isinstance(value, IntValueNode):
                    return max(1, min(int(value.value), most))
                if isinstance(value, VariableNode):
                    given = self.variables.get(value.name.value)
                    return max(1, min(given, most)) if isinstance(given, int) else PAGE_DEFAULT
        below = node.selection_set.selections if node.selection_set else ()
        names = {child.name.value for child in below if isinstance(child, FieldNode)}
        return PAGE_DEFAULT if names & _PAGED else 1


def too_repetitive(document: DocumentNode) -> list[GraphQLError]:
    """Why a document is not even validated: it names the same fields, or spreads the same fragments, again and again.

    Whether two fields of one name agree is looked at for every pair of them: a document of two thousand tokens could
    take a second that no time limit could interrupt.
    """
    fragments = {d.name.value: d.selection_set for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    groups = [[d.selection_set] for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    groups += [[fragment] for fragment in fragments.values()]
    pairs = fields = 0
    while groups and max(pairs, fields) <= REPEATS_MAX:
        together = _merged(groups.pop(), fragments)
        fields += sum(len(nodes) for nodes in together.values())
        pairs += sum(len(nodes) * (len(nodes) - 1) // 2 for nodes in together.values())
        below = ([n.selection_set for n in nodes if n.selection_set] for nodes in together.values())
        groups += [sets for sets in below if sets]
    if max(pairs, fields) <= REPEATS_MAX:
        return []
    message = f"The operation repeats fields or fragments too often, the most is {REPEATS_MAX}. Name each once."
    return [GraphQLError(message, extensions={"code": "TOO_REPETITIVE", "most": REPEATS_MAX})]


def _merged(
    sets: Iterable[SelectionSetNode], fragments: Mapping[str, SelectionSetNode]
) -> Mapping[str, list[FieldNode]]:
    """The fields that become one object of the answer, by the name they have in it."""
    found: dict[str, list[FieldNode]] = {}
    waiting, spread = list(sets), set()
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                waiting += [fragments[node.name.value]] if node.name.value in fragments else []
    return found


def at_most_a_thousand(items: Sized, field: str) -> None:
    """Refuse a bulk that would hold its locks for too long. Raises ``InvalidInput``."""
    if len(items) > BULK_MAX:
        remedy = Said(f"send at most {BULK_MAX} at once", f"每次最多提交 {BULK_MAX} 条")
        raise InvalidInput(field, value=len(items), remedy=remedy)


def unusable_text(values: Iterable[object]) -> bool:
    """Whether any text among variables, however deep, is one no database stores: with NUL, or half a character."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "\x00" in value or not _encodes(value):
                return True
        elif isinstance(value, Mapping):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
    return False


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
