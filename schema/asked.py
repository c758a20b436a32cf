"""Which members of its rows a list is asked for, so that nothing else is read."""

from collections.abc import Sequence

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    InlineFragmentNode,
    SelectionNode,
    get_named_type,
    is_object_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from schema.bounded import Bounded
from schema.context import Info
from schema.execution.rows import row_of
from schema.execution.writing import classes_of
from schema.paging import Connection, Edge

_known: Bounded[tuple[object, ...], tuple[frozenset[str] | None, Sequence[FieldNode]]] = Bounded(
    most=512, text_most=512
)
"""What was found out about selections lately, by their nodes, which are kept with it: documents are kept, too."""


def members_asked(info: Info) -> frozenset[str] | None:
    """The members of the rows of a connection that its selection reads; None where it may read any.

    Fields that are members of the row say so (``of_row``); whatever else is asked of an item may look at all of it.
    """
    raw: GraphQLResolveInfo[object] = info._raw_info
    key = tuple(map(id, raw.field_nodes))
    known = _known.get(key)
    return known[0] if known else _known.put(key, (_members(raw), raw.field_nodes), 1)[0]


def _members(raw: GraphQLResolveInfo[object]) -> frozenset[str] | None:
    found: set[str] = set()
    type_ = get_named_type(raw.return_type)
    for node in raw.field_nodes:
        selections = node.selection_set.selections if node.selection_set else ()
        if not is_object_type(type_) or not _reads(type_, selections, raw, found):
            return None
    return frozenset(found)


def _reads(
    type_: GraphQLObjectType, selections: Sequence[SelectionNode], raw: GraphQLResolveInfo[object], found: set[str]
) -> bool:
    """Note what is read, further down too; whether it is known to be all."""
    holds_items = not {Connection, Edge}.isdisjoint(classes_of(type_))
    for node in selections:
        if isinstance(node, FragmentSpreadNode):
            known = _reads(type_, raw.fragments[node.name.value].selection_set.selections, raw, found)
        elif isinstance(node, InlineFragmentNode):
            known = _reads(type_, node.selection_set.selections, raw, found)
        else:
            known = isinstance(node, FieldNode) and _field_reads(type_, node, raw, found, holds_items=holds_items)
        if not known:
            return False
    return True


def _field_reads(
    type_: GraphQLObjectType,
    node: FieldNode,
    raw: GraphQLResolveInfo[object],
    found: set[str],
    *,
    holds_items: bool,
) -> bool:
    name = node.name.value
    field = type_.fields.get(name)
    if name.startswith("__"):
        return True
    if field is None:
        return False
    if holds_items:
        inner = get_named_type(field.type)
        if name in {"nodes", "edges", "node"} and is_object_type(inner) and node.selection_set:
            return _reads(inner, node.selection_set.selections, raw, found)
        return True
    made = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    resolver = made.base_resolver if isinstance(made, StrawberryField) else None
    member = row_of(resolver._unbound_wrapped_func) if resolver else None
    if member is None:
        return False
    found.add(member.member)
    return True
