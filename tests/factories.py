"""The small world most tests start from."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from saas.base import clock
from saas.base.db import transaction
from saas.base.ids import PLATFORM, DistributorId, TenantId, new_id
from saas.base.scope import tenant_scope
from saas.network.rules import segment
from tenants.program import as_data
from tenants.program.presets import preset

LOTUS = TenantId(1)
CEDAR = TenantId(2)
_more = count(100)


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


def without_periods(name: str) -> dict[str, Any]:
    """A preset without what its periods bring, for tests that add their own."""
    data = as_data(preset(name))
    data["commission"]["components"] = [
        part for part in data["commission"]["components"] if part["kind"] in {"level_table", "fixed_per_product"}
    ]
    data["tiers"] = [{**tier, "promotion": None, "keep": None} for tier in data["tiers"]]
    return data


async def make_distributor(tenant_id: TenantId) -> DistributorId:
    """A bare row of the tree, for tests that need somebody to be there and no network."""
    id_ = DistributorId(new_id())
    with tenant_scope(tenant_id):
        async with transaction() as tx:
            no = await tx.value("SELECT count(*) + 1 FROM distributor WHERE tenant_id = $1", tenant_id)
            head = ("id", "no", "code", "name", "kind", "status", "tier", "path", "depth")
            columns = (*head, "applied_at", "joined_at", "changed_at")
            now = clock.now()
            row = (id_, no, f"X{no}", f"Nobody {no}", "person", "active", "silver", segment(no), 0, now, now, now)
            await tx.insert_many("distributor", columns, [row])
            standing = (id_, now, "silver", "active", "enrolment")
            await tx.insert_many("standing", ("distributor_id", "valid_from", "tier", "status", "kind"), [standing])
    return id_


async def new_brand() -> TenantId:
    """One more brand, for tests that want a fresh one again and again in one database."""
    tenant_id = TenantId(next(_more))
    with tenant_scope(PLATFORM):
        async with transaction() as tx:
            await tx.execute(
                "INSERT INTO tenant (id, slug, name, status, currency, time_zone, locale, created_at) "
                "VALUES ($1, $2, $2, 'active', 'CNY', 'Asia/Shanghai', 'zh-CN', $3)",
                tenant_id,
                f"brand{tenant_id}",
                clock.now(),
            )
    return tenant_id


@contextmanager
def as_tenant(tenant_id: TenantId) -> Iterator[None]:
    """Act for one brand."""
    with tenant_scope(tenant_id):
        yield
