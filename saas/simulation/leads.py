"""Who shares an order with its seller under a draft: the distributor of the customer's region (docs/rules.md §3.8).

An order that was decided under a program with cross-region leads has the partner it found then, or none. One that was
decided under a program without them was never asked: its partner is found as a placed order finds it, the only active
distributor of its region, by the regions of now, for no history of regions is kept.
"""

from collections.abc import Mapping
from datetime import datetime

from saas.base.db import Tx
from saas.performance.gathering import partnered
from tenants.program.versions import program

_SOLE = (
    "SELECT p.id, p.region, p.path, p.joined_at FROM distributor p WHERE p.tenant_id = $1 AND p.region IS NOT NULL "
    "AND p.status = 'active' AND NOT EXISTS (SELECT 1 FROM distributor o WHERE o.tenant_id = $1 "
    "AND o.region = p.region AND o.status = 'active' AND o.id <> p.id)"
)


async def partners(tx: Tx, currency: str, since: datetime, until: datetime) -> Mapping[str, str]:
    """Of orders paid in ``[since, until)`` that are shared, the path of the partner."""
    leads = await partnered(tx, currency, since, until)
    found = {str(order_id): lead.partner_path for order_id, lead in leads.items()}
    if without := await _without_leads(tx):
        paths: dict[str, str] = {}  # one text for all orders of a partner
        for order_id, path in await _never_asked(tx, currency, since, until, without):
            found.setdefault(order_id, paths.setdefault(path, path))
    return found


async def _without_leads(tx: Tx) -> list[int]:
    """The versions under which nobody was asked who serves a customer's region."""
    rows = await tx.rows("SELECT number FROM program_version WHERE tenant_id = $1 AND status <> 'draft'", tx.tenant_id)
    return [row["number"] for row in rows if (await program(row["number"])).compiled.lead is None]


async def _never_asked(
    tx: Tx, currency: str, since: datetime, until: datetime, versions: list[int]
) -> list[tuple[str, str]]:
    rows = await tx.rows(
        f"WITH sole AS MATERIALIZED ({_SOLE}) SELECT CAST(o.id AS text) AS id, sole.path FROM sales_order o "
        f"JOIN sole ON sole.region = o.region "
        f"JOIN distributor s ON s.tenant_id = o.tenant_id AND s.id = o.seller_id "
        f"WHERE o.tenant_id = $1 AND o.currency = $2 AND o.paid_at >= $3 AND o.paid_at < $4 "
        f"AND o.status <> 'cancelled' AND o.program_number {tx.within(5, 'integer')} AND NOT o.self_purchase "
        f"AND (s.region IS NULL OR s.region <> o.region) AND sole.id <> o.seller_id "
        f"AND sole.joined_at <= coalesce(o.decided_at, o.paid_at)",
        *(tx.tenant_id, currency, since, until, versions),
    )
    return [(row["id"], row["path"]) for row in rows]
