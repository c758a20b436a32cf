"""Who serves a region: what orders ask of territories (docs/rules.md §2.5)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from saas.base.db import current_tx
from saas.base.ids import DistributorId
from saas.network.rules import Status


@dataclass(frozen=True, slots=True)
class Server:
    """A distributor with the region it serves, as it is now."""

    id: DistributorId
    code: str
    tier: str
    status: Status
    region: str | None


@dataclass(frozen=True, slots=True)
class Servers:
    """Distributors ``by_id``, and ``sole``: of each region whoever is the only active one there."""

    by_id: Mapping[DistributorId, Server] = field(default_factory=dict)
    sole: Mapping[str, Server] = field(default_factory=dict)


async def servers(ids: Collection[DistributorId], regions: Collection[str]) -> Servers:
    """These distributors, and the only active one of each of these regions, in one statement."""
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT d.id, d.code, d.tier, d.status, d.region, 0 AS sole FROM distributor d "
        f"WHERE d.tenant_id = $1 AND d.id {tx.within(2, 'uuid')} UNION ALL "
        f"SELECT d.id, d.code, d.tier, d.status, d.region, 1 AS sole FROM distributor d "
        f"WHERE d.tenant_id = $1 AND d.region {tx.within(3, 'text')} AND d.status = 'active' AND NOT EXISTS ("
        f"SELECT 1 FROM distributor o WHERE o.tenant_id = $1 AND o.region = d.region AND o.status = 'active' "
        f"AND o.id <> d.id)",
        tx.tenant_id,
        list(ids),
        list(regions),
    )
    by_id: dict[DistributorId, Server] = {}
    sole: dict[str, Server] = {}
    for row in rows:
        found = Server(row["id"], row["code"], row["tier"], Status(row["status"]), row["region"])
        if row["sole"]:
            sole[row["region"]] = found
        else:
            by_id[found.id] = found
    return Servers(by_id, sole)
