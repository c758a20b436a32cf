"""Work on many brands, one after the other or a few at a time; each crossing is written into that brand's own log."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

from saas.base.db import reading, transaction
from saas.base.ids import PLATFORM, TenantId
from saas.base.scope import tenant_scope
from tenants import audit
from tenants.actors import Actor, check_platform
from tenants.errors import ReasonRequired

T = TypeVar("T")

AT_ONCE = 4
"""Brands that ``in_each_tenant`` works on at a time: each holds a connection, and others need some, too."""


@asynccontextmanager
async def across_tenants(
    actor: Actor, *, reason: str, only: Collection[TenantId] | None = None
) -> AsyncIterator[AsyncIterator[TenantId]]:
    """Enter the scope of every brand in turn, suspended ones too, or of those in ``only``.

    ``async with across_tenants(actor, reason="…") as brands: async for tenant_id in brands: …``. The outer block makes
    sure that no scope stays behind when the loop is left early. Raises ``Forbidden`` unless an operator, or the system
    itself, asks, and ``ReasonRequired`` for a blank reason.
    """
    said = _said(actor, reason)
    async with aclosing(_each(actor, said, only)) as brands:
        yield brands


async def in_each_tenant(actor: Actor, work: Callable[[], Awaitable[T]], *, reason: str) -> Sequence[T]:
    """Do the same in every brand, suspended ones too, a few at a time; what came of it, in the order of the brands.

    In each one ``work`` and the line of the crossing are one transaction. The first failure ends what is under way;
    what brands were done before stays. Raises what ``across_tenants`` does, and what ``work`` does.
    """
    said, gate = _said(actor, reason), asyncio.Semaphore(AT_ONCE)

    async def enter(tenant_id: TenantId) -> T:
        async with gate:
            with tenant_scope(tenant_id):
                async with transaction():
                    await audit.record(actor, "tenant.cross", str(tenant_id), reason=said)
                    return await work()

    try:
        async with asyncio.TaskGroup() as group:
            entered = [group.create_task(enter(tenant_id)) for tenant_id in await _brands()]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in entered]


async def _each(actor: Actor, reason: str, only: Collection[TenantId] | None) -> AsyncGenerator[TenantId, None]:
    for tenant_id in await _brands():
        if only is not None and tenant_id not in only:
            continue
        with tenant_scope(tenant_id):
            async with transaction():
                await audit.record(actor, "tenant.cross", str(tenant_id), reason=reason)
            yield tenant_id


async def _brands() -> Sequence[TenantId]:
    with tenant_scope(PLATFORM):
        async with reading() as tx:
            rows = await tx.rows("SELECT id FROM tenant WHERE id <> 0 ORDER BY id")
    return [TenantId(row["id"]) for row in rows]


def _said(actor: Actor, reason: str) -> str:
    """The reason as it is written down. Raises ``Forbidden`` or ``ReasonRequired``."""
    check_platform(actor)
    if not reason.strip():
        raise ReasonRequired("input.reason")
    return reason.strip()
