"""Transactions that make a span of each statement. A database chooses them when it is opened; others pay nothing."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, TypeVar, cast

from saas.base.db.tx import Tx
from saas.base.tracing import span, tracing

T = TypeVar("T", bound=Tx)


def traced_if_wanted(of: type[T], *statements: str) -> type[T]:
    """The class itself; or, where an installation asked for traces, one whose ``statements`` make spans.

    ``statements`` are the methods that bring one to the database, each with its text as the first argument.
    """
    if not tracing():
        return of
    methods = {name: _told(getattr(of, name)) for name in statements}
    return cast(type[T], type(f"Traced{of.__name__}", (of,), {**methods, "batches": _told_batches(of)}))


def _told(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def run(self: Tx, sql: str, *args: Any, **named: Any) -> Any:
        with _statement(self, sql):
            return await method(self, sql, *args, **named)

    return run


def _told_batches(of: type[Tx]) -> Callable[..., AsyncGenerator[Sequence[Sequence[Any]], None]]:
    """The span of a long answer ends with its first batch: what is done between the others is not the statement's."""

    async def batches(self: Tx, sql: str, *args: Any, **named: Any) -> AsyncGenerator[Sequence[Sequence[Any]], None]:
        async with aclosing(of.batches(self, sql, *args, **named)) as found:
            with _statement(self, sql):
                batch = await anext(found, None)
            while batch is not None:
                yield batch
                batch = await anext(found, None)

    return batches


def _statement(tx: Tx, sql: str) -> AbstractContextManager[Any]:
    """A span of a statement, whose text is one of ours with ``$1`` where a value goes."""
    text = " ".join(sql.split())
    return span(text.partition(" ")[0], **{"db.system.name": tx.kind, "db.query.text": text})
