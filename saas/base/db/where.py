"""Conditions of a query as they are found to be wanted, with their numbered arguments."""

import re
from collections.abc import Mapping, Sequence

from saas.base.db.tx import Tx

_BARE = re.compile(r"\$(?!\d)")


class Where:
    """The conditions of one statement, led by the tenant.

    A ``$`` without a number in a condition becomes the number of the value that comes with it::

        where = Where(tx, "o")
        where.add("o.placed_at >= $", since)
        await tx.rows(f"SELECT … FROM sales_order o WHERE {where.sql}", *where.args)
    """

    def __init__(self, tx: Tx, alias: str = "") -> None:
        self._tx = tx
        self._conditions = [f"{alias}.tenant_id = $1" if alias else "tenant_id = $1"]
        self.args: list[object] = [tx.tenant_id]

    @property
    def sql(self) -> str:
        """All conditions, to be put behind WHERE."""
        return " AND ".join(self._conditions)

    def arg(self, value: object) -> str:
        """Add an argument and answer its placeholder."""
        self.args.append(value)
        return f"${len(self.args)}"

    def add(self, condition: str, value: object) -> None:
        """Add a condition on one value."""
        self._conditions.append(_BARE.sub(self.arg(value), condition))

    def within(self, column: str, values: object, kind: str = "text") -> None:
        """Add that a column is one of a list."""
        self.args.append(values)
        self._conditions.append(f"{column} {self._tx.within(len(self.args), kind)}")

    def within_any(self, lists: Mapping[str, Sequence[str] | None]) -> None:
        """Add that at least one column is in its list of texts; columns without a list do not matter."""
        conditions = []
        for column, values in lists.items():
            if values is not None:
                self.args.append(list(values))
                conditions.append(f"{column} {self._tx.within(len(self.args), 'text')}")
        if conditions:
            self._conditions.append(f"({' OR '.join(conditions)})")

    def after(self, columns: tuple[str, str], keys: tuple[object, object], *, descending: bool) -> None:
        """Add that a row comes after the one with ``keys``, in the order of ``columns``."""
        first, second = (self.arg(key) for key in keys)
        self._conditions.append(f"({', '.join(columns)}) {'<' if descending else '>'} ({first}, {second})")
