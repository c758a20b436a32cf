"""Work on many brands, one after the other, each crossing written into that brand's own audit log."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager

from saas.base.db import reading, transaction
from saas.base.ids import PLATFORM, TenantId
from saas.base.scope import tenant_scope
from tenants import audit
from tenants.actors import Actor, check_platform
from tenants.errors import ReasonRequired


@asynccontextmanager
async def across_tenants(
    actor: Actor, *, reason: str, only: Collection[TenantId] | None = None
) -> AsyncIterator[AsyncIterator[TenantId]]:
    """Enter the scope of every brand in turn, suspended ones too, or of those in ``only``.

    ``async with across_tenants(actor, reason="…") as brands: async for tenant_id in brands: …``. The outer block makes
    sure that no scope stays behind when the loop is left early. Raises ``Forbidden`` unless an operator, or the system
    itself, asks, and ``ReasonRequired`` for a blank reason.
    """
    check_platform(actor)
    if not reason.strip():
        raise ReasonRequired("input.reason")
    async with aclosing(_each(actor, reason.strip(), only)) as brands:
        yield brands


async def _each(actor: Actor, reason: str, only: Collection[TenantId] | None) -> AsyncGenerator[TenantId, None]:
    with tenant_scope(PLATFORM):
        async with reading() as tx:
            rows = await tx.rows("SELECT id FROM tenant WHERE id <> 0 ORDER BY id")
    for row in rows:
        tenant_id = TenantId(row["id"])
        if only is not None and tenant_id not in only:
            continue
        with tenant_scope(tenant_id):
            async with transaction():
                await audit.record(actor, "tenant.cross", str(tenant_id), reason=reason)
            yield tenant_id
