"""What a distributor bought for itself, as far as it may still have it: the ground of a buy-back (docs/rules.md §7)."""

from collections.abc import Sequence
from datetime import datetime

from saas.base.db import reading
from saas.base.ids import DistributorId
from saas.orders.rules import Purchase


async def own_purchases(buyer_id: DistributorId, currency: str, since: datetime) -> Sequence[Purchase]:
    """The lines paid at ``since`` or later that were shipped, the oldest first.

    What was not shipped yet is no stock, and can still be cancelled.
    """
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT l.sku, l.quantity, l.amount_minor FROM sales_order o "
            "JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id "
            "WHERE o.tenant_id = $1 AND o.seller_id = $2 AND o.self_purchase AND o.currency = $3 AND o.paid_at >= $4 "
            "AND o.status IN ('shipped', 'delivered', 'closed') ORDER BY o.paid_at, o.id, l.line_no",
            tx.tenant_id,
            buyer_id,
            currency,
            since,
        )
    return [Purchase(**row) for row in rows]
