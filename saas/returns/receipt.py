"""What goods set off that came back: commission of everybody, sums of sales, counts of pieces (docs/rules.md §4).

Commission goes back at the shares of the sale. Sales are less in the period in which the goods came back, for a closed
period never changes. Pieces are counted anew for the period of the sale, and the lifts that other orders had because of
them are evened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from saas.base.clock import local_day
from saas.base.db import Row, Tx
from saas.base.ids import DistributorId, OrderLineId
from saas.base.money import part_back, share
from saas.commissions.reversing import Cause, PiecesBack, TakenBack, take_back
from saas.ledger.commands import post
from saas.orders.evening import uncount
from saas.orders.payment import DaySale, add_sales, clawback_posting
from saas.returns.queries import ReturnView
from tenants.program.versions import program


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came back, and what it takes with it; ``record`` writes what refers to the return as received."""

    case: ReturnView
    at: datetime
    goods_minor: int
    whole: bool
    taken: Sequence[TakenBack]
    sales: Sequence[DaySale]

    @property
    def commission_minor(self) -> int:
        """What was taken back of everybody together."""
        return sum(one.amount_minor for one in self.taken)

    async def record(self, tx: Tx) -> None:
        """Move the money and count the sales; after all other locks, as payments do."""
        if self.taken:
            await post([clawback_posting(self.taken, "return", self.case.id, self.at)])
        await add_sales(self.sales)


async def book_receipt(tx: Tx, case: ReturnView, at: datetime) -> Receipt:
    """Count a return's goods as back and take back the commission on them; the return's order is locked."""
    lines = await tx.rows(
        "SELECT l.id, l.sku, l.quantity AS pieces, l.amount_minor, l.returned, l.refunded_minor, r.quantity "
        "FROM return_line r JOIN order_line l ON l.tenant_id = r.tenant_id AND l.id = r.line_id "
        "WHERE r.tenant_id = $1 AND r.return_id = $2 ORDER BY l.line_no",
        *(tx.tenant_id, case.id),
    )
    order = await _order(tx, case)
    uncounted = await uncount([(case.seller_id, order["paid_at"])])
    back: dict[OrderLineId, PiecesBack] = {}
    goods_minor = 0
    for line in lines:
        returned = line["returned"] + line["quantity"]
        refund = part_back(line["amount_minor"], returned, line["pieces"]) - line["refunded_minor"]
        back[line["id"]] = PiecesBack(returned, line["pieces"])
        goods_minor += refund
        await tx.execute(
            "UPDATE order_line SET returned = $3, refunded_minor = refunded_minor + $4 "
            "WHERE tenant_id = $1 AND id = $2",
            *(tx.tenant_id, line["id"], returned, refund),
        )
        await tx.execute(
            "UPDATE return_line SET refund_minor = $4 WHERE tenant_id = $1 AND return_id = $2 AND line_id = $3",
            *(tx.tenant_id, case.id, line["id"], refund),
        )
    lifts = await uncounted.lifts({line["id"]: line["returned"] for line in lines})
    taken = await take_back(Cause(return_id=case.id, at=at), back, lifts.get(case.seller_id, {}))
    order = await _order(tx, case)
    pieces = sum(line["quantity"] for line in lines)
    sales = await _sales(case, order, pieces, goods_minor, local_day(at, uncounted.time_zone))
    whole = not order["left_pieces"]
    return Receipt(case=case, at=at, goods_minor=goods_minor, whole=whole, taken=taken, sales=sales)


async def _order(tx: Tx, case: ReturnView) -> Row:
    """The order with what is left of it."""
    row = await tx.row(
        "SELECT o.program_number, o.paid_at, (SELECT c.distributor_id FROM cross_region_lead c "
        "WHERE c.tenant_id = o.tenant_id AND c.order_id = o.id) AS partner_id, "
        "CAST(sum(l.quantity - l.returned) AS bigint) AS left_pieces, "
        "CAST(sum(l.refunded_minor) AS bigint) AS refunded_minor "
        "FROM sales_order o JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id "
        "WHERE o.tenant_id = $1 AND o.id = $2 GROUP BY o.tenant_id, o.id, o.program_number, o.paid_at",
        *(tx.tenant_id, case.order_id),
    )
    if row is None:
        raise RuntimeError("the order of a return vanished while it was locked")
    return row


async def _sales(case: ReturnView, order: Row, pieces: int, goods_minor: int, day: date) -> Sequence[DaySale]:
    """Whose sums of the day are less: the amount may be shared, order and pieces are the seller's.

    The partner's part is of all that came back so far, so that with the last piece exactly its part is gone.
    """
    lead = (await program(order["program_number"])).compiled.lead
    part = 0
    if lead is not None and order["partner_id"] is not None:
        rate, after = lead.performance_to_region_bps, order["refunded_minor"]
        part = share(after, rate) - share(after - goods_minor, rate)
    orders = 0 if order["left_pieces"] else -1
    sales = [DaySale(case.seller_id, day, case.currency, orders, -pieces, part - goods_minor)]
    if part:
        partner = DistributorId(UUID(str(order["partner_id"])))  # SQLite answers text for a subquery
        sales.append(DaySale(partner, day, case.currency, 0, 0, -part))
    return sales
