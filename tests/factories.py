"""The small world most tests start from."""

from collections.abc import Iterator
from contextlib import contextmanager

from saas.base import clock
from saas.base.db import transaction
from saas.base.ids import PLATFORM, TenantId
from saas.base.scope import tenant_scope

LOTUS = TenantId(1)
CEDAR = TenantId(2)


async def make_tenants() -> None:
    """Two brands, so that every test can show that one does not touch the other."""
    with tenant_scope(PLATFORM):
        async with transaction() as tx:
            for number, slug, name in ((LOTUS, "lotus", "Lotus"), (CEDAR, "cedar", "Cedar")):
                await tx.execute(
                    "INSERT INTO tenant (id, slug, name, status, currency, time_zone, locale, created_at) "
                    "VALUES ($1, $2, $3, 'active', 'CNY', 'Asia/Shanghai', 'zh-CN', $4)",
                    number,
                    slug,
                    name,
                    clock.now(),
                )


@contextmanager
def as_tenant(tenant_id: TenantId) -> Iterator[None]:
    """Act for one brand."""
    with tenant_scope(tenant_id):
        yield
