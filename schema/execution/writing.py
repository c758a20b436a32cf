"""Writes the function that reads a selection: one line or two per field, every value checked for what it must be.

A generated function answers exactly what the ordinary executor would, or raises: it knows the happy way only. Names
come into its text as variables of its namespace or through ``repr``, never as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from saas.base.rows import Column, RawRows
from schema.execution.leaves import checked_leaf
from schema.execution.rows import Wraps, items_of, row_of

Read: TypeAlias = Callable[[Any, "Bare"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Bare:
    """What a resolver that only computes may know of its request. Asking for more sends it the ordinary way."""

    context: Any


class Unexpected(Exception):
    """A value a plan does not read; the ordinary executor does."""


class Writer:
    """Writes the functions of one plan; at most so many fields."""

    def __init__(self, executor: Executor[Any], fields_most: int) -> None:
        self.fields = 0
        self._executor = executor
        self._fields_most = fields_most
        self._text: list[str] = []
        self._names: dict[str, Any] = {"Unexpected": Unexpected, "RawRows": RawRows}
        self._columns: Mapping[str, Column] | None = None
        """While rows are read as the database answered them: where their members are."""

    def write(self, type_: GraphQLObjectType, details: FieldDetailsList) -> tuple[Read, GroupedFieldSet] | None:
        """The function for a type at a place, and the fields it leaves open. None where it would leave nothing out."""
        written = self._object(type_, details)
        if written is None:
            return None
        function, resolved = written
        exec(compile("\n".join(self._text), "<selection>", "exec"), self._names)  # noqa: S102  # our own text
        return self._names[function], resolved

    def _object(
        self, type_: GraphQLObjectType, details: FieldDetailsList, *, bare: bool = False
    ) -> tuple[str, GroupedFieldSet] | None:
        """Write ``def readN(o, b)``; its name, and what it leaves open. None when there is nothing to gain.

        ``bare``: ``o`` is the row of an object that nobody makes.
        """
        classes = classes_of(type_)
        collected = self._executor.collect_subfields(type_, details)
        if not classes or collected.new_defer_usages:
            return None
        lines, answer, resolved = [], [], GroupedFieldSet()
        for key, nodes in collected.grouped_field_set.items():
            field = self._executor.schema.get_field(type_, nodes[0].node.name.value)
            if field is None:
                continue  # of a document that was never validated; the answer has no place for it
            line = self._field(type_, field, nodes, bare=bare)
            if line is None:
                resolved[key] = nodes
                answer.append(f"{key!r}: None")
            else:
                value = f"v{len(answer)}"
                lines += [one.replace("@", value) for one in line]
                answer.append(f"{key!r}: {value}")
        if len(resolved) == len(answer):
            return None
        function = self._named("read", None)
        body = [*([] if bare else self._checks(type_, classes)), *lines, f"return {{{', '.join(answer)}}}"]
        self._text += [f"def {function}(o, b):", *(f"    {line}" for line in body)]
        return function, resolved

    def _checks(self, type_: GraphQLObjectType, classes: Sequence[type]) -> list[str]:
        head = " and ".join(f"type(o) is not {self._named('class', one)}" for one in classes)
        checks = [f"if {head}: raise Unexpected"]
        if type_.is_type_of is not None:
            checks.append(f"if {self._named('is_type_of', type_.is_type_of)}(o, None) is not True: raise Unexpected")
        return checks

    def _field(
        self, type_: GraphQLObjectType, field: GraphQLField, details: FieldDetailsList, *, bare: bool
    ) -> list[str] | None:
        """Lines that read a field into ``@``; none when it has to be resolved."""
        if self.fields >= self._fields_most or any(map(_is_special, details)):
            return None
        self.fields += 1
        if details[0].node.name.value == "__typename":
            return [f"@ = {type_.name!r}"]
        if items := None if bare else self._items(field, details):
            return items
        source = self._row_source(field, "o") if bare else self._source(field)
        completed = None if source is None else self._completed(field.type, details)
        return None if completed is None else [f"@ = {source}", *completed]

    def _items(self, field: GraphQLField, details: FieldDetailsList) -> list[str] | None:
        """Lines that read a list of objects from their rows; none where an object may be more than its row."""
        made = _plain_field(field)
        items = items_of(made.base_resolver._unbound_wrapped_func) if made and made.base_resolver else None
        inner = get_nullable_type(field.type)
        item = get_nullable_type(inner.of_type) if is_list_type(inner) else None
        if items is None or not is_object_type(item) or item.is_type_of is not None or not classes_of(item):
            return None
        before = self.fields
        written = self._object(item, details, bare=True)
        if written is None or written[1]:
            self.fields = before
            return None
        class_ = classes_of(item)[0]
        wraps, makes = self._named("wraps", Wraps), self._named("class", class_)
        raw = self._raw_items(item, details, getattr(class_, "raw_columns", None))
        return [
            f"@ = o.{items.make}",
            f"if type(@) is not {wraps} or @.makes is not {makes}: raise Unexpected",
            f"@ = o.{items.rows}",
            *raw,
            f"{'    ' if raw else ''}@ = [{written[0]}(x, b) for x in @]",
        ]

    def _raw_items(
        self, item: GraphQLObjectType, details: FieldDetailsList, columns: Mapping[str, Column] | None
    ) -> list[str]:
        """Lines before the last of ``_items`` that read rows as the database answered them, where they are that."""
        if columns is None:
            return []
        before, self._columns = self.fields, columns
        written = self._object(item, details, bare=True)
        self.fields, self._columns = before, None
        if written is None:
            return []
        known = self._named("columns", columns)
        return [f"if type(@) is RawRows and @.columns is {known}: @ = [{written[0]}(x, b) for x in @.raw]", "else:"]

    def _row_source(self, field: GraphQLField, row: str) -> str | None:
        """The expression for a field that is a member of the row."""
        made = _plain_field(field)
        found = row_of(made.base_resolver._unbound_wrapped_func) if made and made.base_resolver else None
        if found is None:
            return None
        value = f"{row}.{found.member}"
        if self._columns is not None:
            column = self._columns[found.member]
            value = f"{row}[{column.place}]"
            value = value if column.make is None else f"{self._named('make', column.make)}({value})"
        return value if found.make is None else f"{self._named('make', found.make)}({value})"

    def _source(self, field: GraphQLField) -> str | None:
        """The expression for the raw value of a field: an attribute, or what a resolver computes from the object."""
        made = _plain_field(field)
        if made is None:
            return None
        resolver = made.base_resolver
        if resolver is None:
            return f"o.{made.python_name}" if made.default_resolver is getattr else None
        computes = resolver.self_parameter and not (
            resolver.is_async or resolver.arguments or resolver.root_parameter or resolver.parent_parameter
        )
        if not computes:
            return None
        if row_of(resolver._unbound_wrapped_func) is not None:
            return self._row_source(field, "o.row")
        info = resolver.info_parameter
        function = self._named("compute", resolver.wrapped_func)
        return f"{function}(o, {info.name}=b)" if info else f"{function}(o)"

    def _completed(self, type_: GraphQLOutputType, details: FieldDetailsList) -> list[str] | None:
        """Lines that turn the raw value in ``@`` into the answer's; none when it has to be resolved."""
        inner = get_nullable_type(type_)
        lines: list[str] | None = None
        if is_leaf_type(inner):
            lines = self._leaf(inner)
        elif is_list_type(inner):
            lines = self._list(inner.of_type, details)
        elif is_object_type(inner):
            written = self._object(inner, details)
            lines = [f"@ = {written[0]}(@, b)"] if written is not None and not written[1] else None
        if lines is None or is_non_null_type(type_):
            return lines
        return ["if @ is not None:", *(f"    {line}" for line in lines)]

    def _leaf(self, type_: GraphQLLeafType) -> list[str]:
        lines, names = checked_leaf(type_)
        return self._renamed(lines, names)

    def _list(self, type_: GraphQLOutputType, details: FieldDetailsList) -> list[str] | None:
        lines = self._completed(type_, details)
        if lines is None:
            return None
        function = self._named("item", None)
        body = [line.replace("@", "x") for line in lines]
        self._text += [f"def {function}(x, b):", *(f"    {line}" for line in body), "    return x"]
        return [
            "if type(@) is not list and type(@) is not tuple: raise Unexpected",
            f"@ = [{function}(x, b) for x in @]",
        ]

    def _renamed(self, lines: list[str], names: Mapping[str, Any]) -> list[str]:
        for name, value in names.items():
            lines = [line.replace(f"${name}", self._named(name, value)) for line in lines]
        return lines

    def _named(self, kind: str, value: Any) -> str:
        """A name of its own for a value in the namespace of the functions."""
        name = f"{kind}{len(self._names)}"
        self._names[name] = value
        return name


def classes_of(type_: GraphQLObjectType) -> list[type]:
    """The classes whose very instances a plan reads: an instance of anything else may be more than it looks."""
    definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(definition, StrawberryObjectDefinition):
        return []
    generic = definition.concrete_of
    return list(dict.fromkeys([definition.origin, *([generic.origin] if generic else [])]))


def _plain_field(field: GraphQLField) -> StrawberryField | None:
    """A field without arguments, and with nothing around its resolver."""
    made = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return made if isinstance(made, StrawberryField) and not made.extensions and not field.args else None


def _is_special(details: Any) -> bool:
    """Whether a node has arguments, or anything about it that is experimental."""
    node = details.node
    conditions = {"skip", "include"}
    return bool(
        node.arguments
        or details.defer_usage is not None
        or details.fragment_variable_values is not None
        or any(directive.name.value not in conditions for directive in node.directives or ())
    )
