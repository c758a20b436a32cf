"""Migration operations that keep every table in the shape the house promises, on both databases.

A tenant table is always ``PRIMARY KEY (tenant_id, …)``, and on PostgreSQL under forced row-level security with
rights for the application role alone; a migration cannot forget either, because it cannot spell a table otherwise.
"""

from abc import ABC, abstractmethod

from tortoise.migrations.operations import TortoiseOperation
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import State

APP_ROLE = "banyan_app"
"""The PostgreSQL role the server works under: owns nothing, so that row-level security binds it."""

TENANT_SETTING = "NULLIF(current_setting('app.tenant', true), '')::integer"


class Ddl(TortoiseOperation, ABC):
    """An operation that is a list of statements each way, by dialect."""

    reversible = True

    @abstractmethod
    def forward(self, postgres: bool) -> list[str]:
        """Statements that apply the operation."""

    @abstractmethod
    def backward(self, postgres: bool) -> list[str]:
        """Statements that take it back."""

    async def database_forward(
        self, app_label: str, old_state: State, new_state: State, state_editor: BaseSchemaEditor | None = None
    ) -> None:
        await _run(state_editor, self.forward)

    async def database_backward(
        self, app_label: str, old_state: State, new_state: State, state_editor: BaseSchemaEditor | None = None
    ) -> None:
        await _run(state_editor, self.backward)


async def _run(editor: BaseSchemaEditor | None, statements: object) -> None:
    if editor is None or not callable(statements):
        return
    for sql in statements(editor.client.capabilities.dialect == "postgres"):
        await editor.client.execute_query(sql)


def _columns(text: str, postgres: bool) -> str:
    lines = " ".join(text.split())
    return lines if postgres else lines.replace(' COLLATE "C"', "")


class Sql(Ddl):
    """One statement each way, the same for both databases."""

    def __init__(self, forward: str, backward: str) -> None:
        self._forward = forward
        self._backward = backward

    def forward(self, postgres: bool) -> list[str]:
        return [self._forward]

    def backward(self, postgres: bool) -> list[str]:
        return [self._backward]


class Backfill(Ddl):
    """A statement on the rows of every tenant in ``tables``; nothing is done on the way back.

    Row-level security is forced, so it would hide them from the owner too; it is lifted for the statement alone.
    """

    def __init__(self, statement: str, *tables: str) -> None:
        self._statement = statement
        self._tables = tables

    def forward(self, postgres: bool) -> list[str]:
        if not postgres:
            return [self._statement]
        lifted, forced = (
            [f"ALTER TABLE {table} {how} ROW LEVEL SECURITY" for table in self._tables] for how in ("NO FORCE", "FORCE")
        )
        return [*lifted, self._statement, *forced]

    def backward(self, postgres: bool) -> list[str]:
        return []


class GlobalTable(Ddl):
    """One of the few small tables that belong to no tenant (a reference table on Citus)."""

    def __init__(self, name: str, columns: str) -> None:
        self.name = name
        self.columns = columns

    def forward(self, postgres: bool) -> list[str]:
        made = [f"CREATE TABLE {self.name} ({_columns(self.columns, postgres)})"]
        return [*made, f"GRANT SELECT, INSERT, UPDATE ON {self.name} TO {APP_ROLE}"] if postgres else made

    def backward(self, postgres: bool) -> list[str]:
        return [f"DROP TABLE {self.name}"]


class TenantTable(Ddl):
    """A table led by ``tenant_id``, keyed by ``(tenant_id, id)`` unless ``key`` names other columns."""

    def __init__(self, name: str, columns: str, key: str | None = None) -> None:
        self.name = name
        self.columns = columns
        self.key = key

    def forward(self, postgres: bool) -> list[str]:
        head = "tenant_id integer NOT NULL REFERENCES tenant (id), "
        if self.key is None:
            head, key = head + "id uuid NOT NULL, ", "tenant_id, id"
        else:
            key = f"tenant_id, {self.key}" if self.key else "tenant_id"
        body = _columns(self.columns, postgres)
        columns, constraints = _split(body)
        made = [f"CREATE TABLE {self.name} ({head}{columns}, PRIMARY KEY ({key}){constraints})"]
        if not postgres:
            return made
        return [
            *made,
            f"ALTER TABLE {self.name} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {self.name} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY tenant ON {self.name} "
            f"USING (tenant_id = {TENANT_SETTING}) WITH CHECK (tenant_id = {TENANT_SETTING})",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {self.name} TO {APP_ROLE}",
        ]

    def backward(self, postgres: bool) -> list[str]:
        return [f"DROP TABLE {self.name}"]


def _split(body: str) -> tuple[str, str]:
    """Part the columns from the table constraints, which must follow the primary key on SQLite."""
    starts = [at for word in ("UNIQUE (", "CHECK (", "FOREIGN KEY (") if (at := body.find(f", {word}")) >= 0]
    at = min(starts, default=len(body))
    return body[:at], body[at:]


class Index(Ddl):
    """An index; unique and partial when asked. ``columns`` begin with ``tenant_id`` like everything else."""

    def __init__(self, table: str, name: str, columns: str, *, unique: bool = False, where: str = "") -> None:
        if not columns.startswith("(tenant_id"):
            raise ValueError(f"index {name} of {table} must be led by tenant_id")
        self.table = table
        self.name = f"{table}_{name}_idx"
        self.columns = columns
        self.unique = "UNIQUE " if unique else ""
        self.where = f" WHERE {where}" if where else ""

    def forward(self, postgres: bool) -> list[str]:
        return [f"CREATE {self.unique}INDEX {self.name} ON {self.table} {self.columns}{self.where}"]

    def backward(self, postgres: bool) -> list[str]:
        return [f"DROP INDEX {self.name}"]


class AppendOnly(Ddl):
    """Rows of the table are written once: no role of the application may change or remove them."""

    def __init__(self, table: str) -> None:
        self.table = table

    def forward(self, postgres: bool) -> list[str]:
        if postgres:
            return [f"REVOKE UPDATE, DELETE ON {self.table} FROM {APP_ROLE}"]
        return [
            f"CREATE TRIGGER {self.table}_no_{event.lower()} BEFORE {event} ON {self.table} "
            f"BEGIN SELECT RAISE(ABORT, '{self.table} is append-only'); END"
            for event in ("UPDATE", "DELETE")
        ]

    def backward(self, postgres: bool) -> list[str]:
        if postgres:
            return [f"GRANT UPDATE, DELETE ON {self.table} TO {APP_ROLE}"]
        return [f"DROP TRIGGER {self.table}_no_{event}" for event in ("update", "delete")]


class AddColumn(Ddl):
    """A further column; SQLite asks for a default where it may not be NULL."""

    def __init__(self, table: str, name: str, definition: str) -> None:
        self.table = table
        self.name = name
        self.definition = definition

    def forward(self, postgres: bool) -> list[str]:
        return [f"ALTER TABLE {self.table} ADD COLUMN {self.name} {self.definition}"]

    def backward(self, postgres: bool) -> list[str]:
        return [f"ALTER TABLE {self.table} DROP COLUMN {self.name}"]


class Recheck(Ddl):
    """Another condition in place of a CHECK that the table has; the rows stay where they are.

    PostgreSQL knows the constraint by ``name``. SQLite keeps a table's definition as text, and a condition may be
    changed in it: what is stored does not depend on it (sqlite.org/lang_altertable.html, "Making Other Kinds Of Table
    Schema Changes"). An SQLite without that text refuses the migration.
    """

    def __init__(self, table: str, name: str, before: str, after: str) -> None:
        self.table = table
        self.name = name
        self.before = " ".join(before.split())
        self.after = " ".join(after.split())

    def forward(self, postgres: bool) -> list[str]:
        return self._replace(self.before, self.after, postgres)

    def backward(self, postgres: bool) -> list[str]:
        return self._replace(self.after, self.before, postgres)

    def _replace(self, old: str, new: str, postgres: bool) -> list[str]:
        if postgres:
            return [
                f"ALTER TABLE {self.table} DROP CONSTRAINT {self.name}",
                f"ALTER TABLE {self.table} ADD CONSTRAINT {self.name} CHECK ({new})",
            ]
        quoted_old, quoted_new = (f"CHECK ({text})".replace("'", "''") for text in (old, new))
        return [
            "PRAGMA writable_schema = ON",
            f"UPDATE sqlite_schema SET sql = CASE WHEN instr(sql, '{quoted_old}') THEN "
            f"replace(sql, '{quoted_old}', '{quoted_new}') END WHERE type = 'table' AND name = '{self.table}'",
            "PRAGMA writable_schema = RESET",
        ]
