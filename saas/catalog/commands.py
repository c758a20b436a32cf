"""Writes of the catalogue."""

from collections.abc import Mapping, Sequence

from saas.base import clock
from saas.base.db import transaction
from saas.base.errors import NotFound, Rejected
from saas.base.ids import new_id
from saas.catalog.queries import ProductView, by_sku
from saas.catalog.rules import PutProduct, objections
from tenants import audit
from tenants.actors import Actor

TOLD_MOST = 100
"""Products of one change that the audit log tells one by one."""


async def put_products(products: Sequence[PutProduct], actor: Actor) -> list[ProductView]:
    """Create products, or give those that exist their new name and category; an archived one is for sale again.

    All or none. Raises ``Rejected`` with everything that is wrong.
    """
    if wrong := list(objections(products)):
        raise Rejected(wrong)
    async with transaction() as tx:
        now, skus = clock.now(), [product.sku for product in products]
        before = await by_sku(skus[:TOLD_MOST])
        rows = [(new_id(), p.sku, p.name, p.category, "active", now) for p in sorted(products, key=lambda p: p.sku)]
        await tx.insert_many(
            "product",
            ("id", "sku", "name", "category", "status", "created_at"),
            rows,
            or_update="(tenant_id, sku) DO UPDATE SET "
            "name = excluded.name, category = excluded.category, status = excluded.status",
        )
        found = await by_sku(skus)
        changed = audit.change(_told(before), _told({sku: found[sku] for sku in skus[:TOLD_MOST]}))
        await audit.record(actor, "product.put", None, count=len(skus), **changed)
        return [found[sku] for sku in skus]


def _told(products: Mapping[str, ProductView]) -> dict[str, object]:
    """Products for the audit log."""
    return {sku: {"name": one.name, "category": one.category, "status": one.status} for sku, one in products.items()}


async def archive_products(skus: Sequence[str], actor: Actor) -> list[ProductView]:
    """Take products off sale; orders that name them stay as they are. Archiving twice changes nothing.

    Raises ``Rejected`` with a ``NotFound`` for each SKU the brand does not have.
    """
    async with transaction() as tx:
        await tx.execute(
            f"UPDATE product SET status = 'archived' WHERE tenant_id = $1 AND sku {tx.within(2, 'text')}",
            tx.tenant_id,
            list(skus),
        )
        found = await by_sku(skus)
        if missing := [i for i, sku in enumerate(skus) if sku not in found]:
            raise Rejected([NotFound(f"input.skus[{i}]", kind="product", value=skus[i]) for i in missing])
        await audit.record(actor, "product.archive", skus=list(skus)[:100], count=len(skus))
        return [found[sku] for sku in skus]
