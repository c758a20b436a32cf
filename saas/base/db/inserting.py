"""The text of inserts on PostgreSQL: many tables in one statement, rows as places in arrays of their columns."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

ColumnTypes: TypeAlias = Mapping[tuple[str, str], str]


class Shape(NamedTuple):
    """What an insert is, without its rows: ``conflict`` is what follows the rows, ``where`` chooses among them.

    ``whole``: nothing that follows goes in unless all of it did. ``single``: it is one row, whose values come as they
    are; arrays of one value each take longer to send and to read.
    """

    table: str
    columns: tuple[str, ...]
    conflict: str = ""
    where: str = ""
    whole: bool = False
    single: bool = False


class Texts:
    """The texts of a database's inserts. There are as many as the code has ways to write, so all are kept.

    A way to write is there twice, for a single row and for several.
    """

    def __init__(self, types: ColumnTypes) -> None:
        self._types = types
        self._known: dict[tuple[Shape, ...], str] = {}

    def text(self, shapes: tuple[Shape, ...]) -> str:
        """One statement: ``$1`` is the tenant, then the columns of each, and it answers how many rows each put in.

        A single insert answers nothing, so that its rows need not be kept until they are counted.
        """
        found = self._known.get(shapes)
        if found is None:
            alone = len(shapes) == 1 and not shapes[0].whole
            found = self._known[shapes] = self._parts(shapes)[0] if alone else self._together(shapes)
        return found

    def _together(self, shapes: Sequence[Shape]) -> str:
        parts = self._parts(shapes)
        named = ", ".join(f"w{number} AS ({part} RETURNING 1)" for number, part in enumerate(parts))
        counts = ", ".join(f"(SELECT count(*) FROM w{number})" for number in range(len(parts)))
        return f"WITH {named} SELECT {counts}"

    def _parts(self, shapes: Sequence[Shape]) -> list[str]:
        """Each begins when the one before it has ended.

        PostgreSQL alone would take the last one first, and so rows that others wait for in another order than they were
        asked for, by which everybody avoids deadlocks.
        """
        parts: list[str] = []
        wholes: list[str] = []
        first = 2
        for number, one in enumerate(shapes):
            names = ", ".join(one.columns)
            listed = self._listed(one, first)
            conditions = [*wholes, *([f"(SELECT count(*) FROM w{number - 1}) >= 0"] if number else [])]
            conditions += [f"({one.where})"] if one.where else []
            where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            source = f"SELECT $1, listed.* FROM {listed} AS listed({names}){where}"
            parts.append(f"INSERT INTO {one.table} (tenant_id, {names}) {source}{one.conflict}")
            if one.whole:
                all_of_it = "1" if one.single else f"cardinality(${first})"
                wholes.append(f"(SELECT count(*) FROM w{number}) = {all_of_it}")
            first += len(one.columns)
        return parts

    def _listed(self, shape: Shape, first: int) -> str:
        """The rows as a table: of arrays, or of the values of a single one."""
        many = "" if shape.single else "[]"
        placed = enumerate(shape.columns, start=first)
        columns = ", ".join(f"${i}::{self._types[shape.table, name]}{many}" for i, name in placed)
        return f"(SELECT {columns})" if shape.single else f"unnest({columns})"
