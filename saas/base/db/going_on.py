"""One request, one read transaction: readings go on where the one before stopped, until somebody writes.

A request that reads five times would otherwise begin and commit five times, two round trips each. Within
``reading_on()`` the end of a reading leaves its transaction open, and the next reading of the same tenant in the same
request takes it over; a writing transaction, another tenant or the end of the block ends it first, so a request sees
what it wrote. At most one stands open in a request, and none while anybody of that request waits for a connection: a
pool cannot run dry on transactions that stand idle.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from saas.base.db.tx import Tx
from saas.base.ids import TenantId

if TYPE_CHECKING:
    from saas.base.db.database import Database

Begun = AbstractAsyncContextManager[Tx]


class _Standing:
    """What stands open between two readings of one request."""

    def __init__(self) -> None:
        self._open: tuple[Begun, Tx] | None = None
        self._waiting = 0
        self._over = False

    async def begin(self, database: "Database", tenant_id: TenantId, *, read_only: bool) -> tuple[Begun, Tx]:
        """The transaction that stands open when it fits, else a new one."""
        taken, self._open = self._open, None
        if taken is not None:
            if read_only and taken[1].tenant_id == tenant_id:
                taken[1].adopt()
                return taken
            following = database.go_on(taken[0], tenant_id, read_only=read_only)
            return following, await following.__aenter__()
        self._waiting += 1
        try:
            block = database.begin(tenant_id, read_only=read_only)
            return block, await block.__aenter__()
        finally:
            self._waiting -= 1

    def keeps(self, block: Begun, tx: Tx, *, read_only: bool) -> bool:
        """Leave it open for the next reading, unless the connection is needed now."""
        if not read_only or self._over or self._waiting or self._open is not None:
            return False
        tx.disown()
        self._open = block, tx
        return True

    async def end(self) -> None:
        """End what stands open; nothing is kept from now on."""
        self._over = True
        await self.let_go()

    async def let_go(self) -> None:
        """End what stands open; what is read next may stand open again."""
        taken, self._open = self._open, None
        if taken is not None:
            await taken[0].__aexit__(None, None, None)


_standing: ContextVar[_Standing | None] = ContextVar("standing", default=None)


@asynccontextmanager
async def reading_on() -> AsyncIterator[None]:
    """Let the readings of this block share a transaction. Around what answers one request, without waiting for it."""
    standing = _Standing()
    token = _standing.set(standing)
    try:
        yield
    finally:
        _standing.reset(token)
        await standing.end()


async def let_go() -> None:
    """Give back the connection of a reading that stands open, before what takes its time without the database."""
    standing = _standing.get()
    if standing is not None:
        await standing.let_go()


@asynccontextmanager
async def begun(database: "Database", tenant_id: TenantId, *, read_only: bool) -> AsyncIterator[Tx]:
    """A transaction: of ``reading_on()`` where there is one, else of its own."""
    standing = _standing.get()
    if standing is None:
        async with database.begin(tenant_id, read_only=read_only) as tx:
            yield tx
        return
    block, tx = await standing.begin(database, tenant_id, read_only=read_only)
    error: tuple[Any, Any, Any] = (None, None, None)
    try:
        yield tx
    except BaseException as exc:
        error = type(exc), exc, exc.__traceback__
        raise
    finally:
        if error[0] is not None or not standing.keeps(block, tx, read_only=read_only):
            await block.__aexit__(*error)
