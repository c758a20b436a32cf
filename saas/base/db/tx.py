"""What code inside a transaction works with: SQL written once, run on either database."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TypeAlias

from tortoise.backends.base.client import BaseDBAsyncClient

from saas.base.ids import TenantId
from saas.base.scope import ScopeMissing

Row: TypeAlias = Mapping[str, Any]
Observer: TypeAlias = Callable[[str], None]


class ForeignTask(RuntimeError):
    """A programming error: a task used the transaction of another task, which may end before it does."""


class ScopeMismatch(RuntimeError):
    """A programming error: a block inside a transaction asked for what that transaction cannot give."""


class ConstraintViolated(Exception):
    """The database refused a row; ``str()`` names the constraint. The transaction cannot go on."""


class Taken(Exception):
    """Rows that had to go in met a key that others have; nothing of what was to follow them went in."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


class Tx(ABC):
    """One open transaction of one tenant.

    Statements carry ``$1 … $n`` and name the tenant themselves; a list argument belongs to ``within``. UUIDs, aware
    datetimes, dates and booleans go in and come out as Python objects on both databases, ``jsonb`` as text.
    """

    kind: str
    """``sqlite`` or ``postgresql``."""

    for_update: str
    """The clause that locks the rows read, empty where the whole database is locked already."""

    for_share: str
    """The clause that keeps others from changing the rows read, but not from reading them with this clause too."""

    laterally: bool
    """Whether a subquery may use columns of what stands before it in FROM."""
    rows_by_place = False
    """Whether rows are also read by the place of a column, as ``saas.base.rows`` does."""
    new_id: str
    """The expression that makes an identifier of its own for each row of a statement, ordered by time as all are."""

    def __init__(self, tenant_id: TenantId, observer: Observer | None, *, read_only: bool) -> None:
        self._tenant_id = tenant_id
        self._read_only = read_only
        self._task = asyncio.current_task()
        self._observer = observer
        self._before_commit: list[Callable[[], Awaitable[None]]] = []
        self._after_commit: list[Callable[[], None]] = []

    @property
    def tenant_id(self) -> TenantId:
        """The tenant every statement of this transaction must name."""
        return self._tenant_id

    @property
    @abstractmethod
    def orm(self) -> BaseDBAsyncClient:
        """The same connection for Tortoise."""

    def adopt(self) -> None:
        """Belong to the running task from now on; the one that began has left the block."""
        self._task = asyncio.current_task()

    def disown(self) -> None:
        """Belong to nobody while it stands open: a task that was begun inside must not take it for its own."""
        self._task = None

    def owned_by_caller(self) -> bool:
        """Whether the running task is the one that began, and has not left."""
        return self._task is not None and asyncio.current_task() is self._task

    def check_join(self, tenant_id: TenantId, *, read_only: bool) -> None:
        """Refuse an inner block that asks for another tenant, or to write inside a reading one."""
        if tenant_id != self._tenant_id:
            raise ScopeMismatch("the scope changed inside a transaction; leave the transaction first")
        if self._read_only and not read_only:
            raise ScopeMismatch("transaction() inside reading(); open the transaction first")

    def check_task(self) -> None:
        """Refuse any task but the one that began: its statements would interleave, or outlive the connection."""
        if not self.owned_by_caller():
            raise ForeignTask("this transaction belongs to another task; open a transaction() or reading() of your own")

    def observe(self, sql: str) -> None:
        """Count a statement, and refuse it from a foreign task."""
        self.check_task()
        if self._observer is not None:
            self._observer(sql)

    def before_commit(self, call: Callable[[], Awaitable[None]]) -> None:
        """Await ``call`` as the last thing of the whole transaction, whoever asks; what it writes is committed too."""
        self._before_commit.append(call)

    async def conclude(self) -> None:
        """Do what was left for the end, and insert what waits."""
        for call in self._before_commit:
            await call()
        await self.flush()

    @abstractmethod
    async def notify(self, channel: str, text: str) -> None:
        """Tell every process that listens on ``channel``, once this transaction is committed."""

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run ``call`` once the transaction has been committed; never when it is rolled back."""
        self._after_commit.append(call)

    def committed(self) -> None:
        """Tell those who asked to be told."""
        for call in self._after_commit:
            call()

    @abstractmethod
    async def rows(self, sql: str, *args: object) -> Sequence[Row]:
        """All rows of a query."""

    @abstractmethod
    def batches(self, sql: str, *args: object, size: int = 5_000) -> AsyncGenerator[Sequence[Sequence[Any]], None]:
        """A long answer in parts of up to ``size`` rows, each a row of plain values in the order of its columns.

        What is read never stands in memory as a whole. Leave the loop early only within ``contextlib.aclosing``.
        """

    @abstractmethod
    async def execute(self, sql: str, *args: object) -> int:
        """Run a statement and answer how many rows it touched."""

    @abstractmethod
    async def insert_many(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        or_ignore: bool = False,
        or_update: str = "",
    ) -> int:
        """Insert rows in one statement and answer how many went in. ``tenant_id`` is put in front of every row.

        With ``or_ignore`` a row that a unique key refuses is left out. With ``or_update``, e.g.
        ``"(tenant_id, sku) DO UPDATE SET name = excluded.name"``, it changes the row that is there; such rows come
        sorted by their key, so that two transactions take them in the same order.
        """

    @abstractmethod
    async def insert_later(
        self,
        table: str,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        or_update: str = "",
        or_taken: bool = False,
        where: str = "",
    ) -> None:
        """Insert rows together with whatever the transaction does next, at the latest before it commits.

        Saves a round trip where nobody needs the answer. A row that is refused is reported by the statement that takes
        it along. With ``or_taken`` a key that others have raises ``Taken``, and nothing goes in that was asked for
        after these rows: what follows may count on them. ``where`` chooses by a condition on ``listed.<column>``,
        ``$1`` being the tenant.
        """

    @abstractmethod
    async def flush(self) -> None:
        """Insert what waits."""

    @abstractmethod
    def within(self, number: int, kind: str) -> str:
        """The condition "is one of the list in ``$number``", e.g. ``f"id {tx.within(2, 'uuid')}"``."""

    @abstractmethod
    def recordset(self, number: int, **columns: str) -> str:
        """The list of JSON objects in ``$number`` (as text) as a table to select from or update by.

        ``f"… FROM {tx.recordset(2, id='uuid', path='text')} AS v"``. Ids, text and integers only: a moment would
        not compare on SQLite.
        """

    @abstractmethod
    def sha256(self, text: str) -> str:
        """The expression that is the SHA-256 of a text, in hex."""

    @asynccontextmanager
    async def scratch(self, name: str, columns: str) -> AsyncIterator[None]:
        """A table of this transaction alone, empty at first and gone after the block: for sets too large to carry.

        No other connection sees it, and a rollback takes it along. ``weigh`` it once it is filled.
        """
        await self.execute(f"CREATE TEMP TABLE {name} ({columns})")
        yield
        await self.execute(f"DROP TABLE {name}")

    @abstractmethod
    async def weigh(self, name: str) -> None:
        """Let the database know how large a scratch table is, so that it does not plan for a handful of rows."""

    async def row(self, sql: str, *args: object) -> Row | None:
        """The first row, or none."""
        found = await self.rows(sql, *args)
        return found[0] if found else None

    async def value(self, sql: str, *args: object) -> Any:
        """The first column of the first row, or none."""
        found = await self.row(sql, *args)
        return None if found is None else next(iter(found.values()))


def conflict_clause(*, or_ignore: bool, or_update: str) -> str:
    """What an INSERT does about a row whose key is taken."""
    if or_update:
        return f" ON CONFLICT {or_update}"
    return " ON CONFLICT DO NOTHING" if or_ignore else ""


def as_time(value: object) -> datetime | None:
    """A moment that SQL computed: SQLite answers text for an expression, PostgreSQL a datetime."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value)).astimezone(UTC)


_open: ContextVar[Tx | None] = ContextVar("transaction", default=None)


def open_tx() -> Tx | None:
    """The transaction of this context, whoever began it."""
    return _open.get()


def current_tx() -> Tx:
    """The transaction the calling task is in. Raises ``ScopeMissing`` outside of one."""
    tx = _open.get()
    if tx is None:
        raise ScopeMissing("no transaction is open; use transaction() or reading()")
    tx.check_task()
    return tx


@contextmanager
def entered(tx: Tx) -> Iterator[None]:
    """Make ``tx`` the current transaction within the block."""
    token = _open.set(tx)
    try:
        yield
    finally:
        _open.reset(token)
