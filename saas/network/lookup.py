"""Finding a person in every brand, for a platform operator who has a reason: no brand can do it, and each sees it done.

Brands hash numbers under keys of their own, so there is no index across them: each is asked in its own scope, a few at
a time. Its audit log keeps a line of the crossing with the reason, and one of each person that was read.
"""

from dataclasses import dataclass

from saas.base.db import current_tx
from saas.base.ids import DistributorId
from saas.base.text import reason_of
from saas.network.contact import masked_name
from saas.network.orange import Number, hash_of, normal_number
from saas.network.rules import Status
from tenants import audit
from tenants.actors import Actor, check_fresh, check_platform
from tenants.crossing import in_each_tenant
from tenants.registry import this_brand


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A person in a brand, as far as an operator is told: no name in full, no number."""

    brand: str
    id: DistributorId
    code: str
    name_masked: str
    status: Status


async def look_up(kind: Number, number: str, reason: str, actor: Actor) -> tuple[list[Found], int]:
    """Everybody with this number, in the order of the brands, and how many brands were asked.

    Raises ``Forbidden`` unless an operator asks, ``LoginNotFresh``, ``ReasonRefused``, ``PhoneInvalid`` or
    ``IdNumberInvalid``.
    """
    check_platform(actor)
    check_fresh(actor)
    normal, reason = normal_number(kind, number), reason_of(reason)
    asked = await in_each_tenant(actor, lambda: _here(kind, normal, reason, actor), reason=reason)
    return [one for found in asked for one in found], len(asked)


async def _here(kind: Number, normal: str, reason: str, actor: Actor) -> list[Found]:
    """Those of the active brand, each written down as read; joins the transaction of the crossing."""
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT id, code, name, status FROM distributor WHERE tenant_id = $1 AND {kind}_hash = $2 ORDER BY id",
        tx.tenant_id,
        hash_of(kind, normal),
    )
    await audit.record_each(
        actor, [("distributor.look_up", str(row["id"]), {"by": kind, "reason": reason}) for row in rows]
    )
    brand = (await this_brand()).slug if rows else ""
    return [
        Found(
            brand=brand,
            id=DistributorId(row["id"]),
            code=row["code"],
            name_masked=masked_name(row["name"]),
            status=Status(row["status"]),
        )
        for row in rows
    ]
