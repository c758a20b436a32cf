"""The rules of what is sold and what comes back, beside the access table."""

from typing import Final

from tenants.access import FINANCE, STAFF, Scope, key, on
from tenants.access_groups import (
    CATALOG_READ,
    CATALOG_WRITE,
    COMMISSIONS_READ,
    MONEY_READ,
    ORDERS_MOVE,
    ORDERS_PLACE,
    ORDERS_READ,
    page,
)

SALES: Final = [
    on("Product", CATALOG_READ.may("id sku name category status createdAt")),
    *page("Product", CATALOG_READ),
    on("ProductsPayload", CATALOG_WRITE.may("products userErrors")),
    on(
        "Order",
        ORDERS_READ.may(
            "id number sellerId seller customer selfPurchase forMember channel region servedById servedBy "
            "source status goods freight tax programNumber placedAt paidAt shippedAt deliveredAt closedAt "
            "cancelledAt holdUntil lines"
        ),
        (COMMISSIONS_READ | key(Scope.ORDERS_WRITE)).may("commissions"),
    ),
    *page("Order", ORDERS_READ),
    on("OrderLine", ORDERS_READ.may("id lineNo sku quantity amount traceCodes"), STAFF.may("company")),
    on("TraceCode", ORDERS_READ.may("code freedAt")),
    on("OrderPayload", ORDERS_PLACE.may("order userErrors")),
    on("OrderVerdict", ORDERS_MOVE.may("orderId replayed goods userErrors")),
    on("PlaceOrdersPayload", ORDERS_MOVE.may("verdicts userErrors")),
    on(
        "PriceCase",
        STAFF.may(
            "id orderId lineId sellerId sku side quantity amount lowest highest status openedAt closedAt resolution"
        ),
    ),
    *page("PriceCase", STAFF),
    on(
        "Listing",
        ORDERS_READ.may(
            "id distributorId distributor sku channel price status outsideBand openedAt changedAt closedAt"
        ),
    ),
    *page("Listing", ORDERS_READ),
    on("ListingPayload", ORDERS_PLACE.may("listing userErrors")),
    on(
        "BelowFloor",
        STAFF.may("distributorId distributor listingId orderId lineId sku channel quantity amount floor missing"),
    ),
    *page("BelowFloor", STAFF),
    on("BelowFloorCount", STAFF.may("listings orderLines")),
    on("PriceQuote", (STAFF | ORDERS_PLACE).may("goods lines userErrors")),
    on(
        "PriceQuoteLine",
        (STAFF | ORDERS_PLACE).may(
            "sku quantity amount source promotion freePieces guide lowest highest outsideBand why"
        ),
    ),
    on(
        "Promotion",
        (CATALOG_READ | ORDERS_PLACE).may(
            "key name kind effectiveFrom effectiveUntil channels membersOnly price threshold off buy get"
        ),
    ),
    on(
        "ProductPrice",
        (CATALOG_READ | ORDERS_PLACE).may("product guide lowest highest purchase channels promotions"),
    ),
    *page("ProductPrice", CATALOG_READ | ORDERS_PLACE),
    on("Query", ORDERS_READ.may("returnCase returns"), MONEY_READ.may("writeOffs")),
    on(
        "Mutation",
        ORDERS_PLACE.may("requestReturn withdrawReturn"),
        ORDERS_MOVE.may("approveReturn rejectReturn receiveReturn exchangeReturn"),
        FINANCE.may("refundReturn requestWriteOff approveWriteOff rejectWriteOff"),
    ),
    on(
        "ReturnCase",
        ORDERS_READ.may(
            "id orderId sellerId status reason overrideReason requestedAt decidedAt decision sellable whole goods "
            "receivedAt exchangeOrderId freight refunded refundedAt lines"
        ),
        MONEY_READ.may("reversals"),
    ),
    *page("ReturnCase", ORDERS_READ),
    on("ReturnLine", ORDERS_READ.may("lineId lineNo sku quantity refund")),
    on("CommissionReversal", MONEY_READ.may("commissionId beneficiaryId component level account amount reversedAt")),
    on("ReturnPayload", (ORDERS_PLACE | FINANCE).may("returnCase userErrors")),
    on("WriteOff", MONEY_READ.may("id distributorId amount reason status requestedAt decidedAt")),
    *page("WriteOff", MONEY_READ),
    on("WriteOffPayload", FINANCE.may("writeOff userErrors")),
]
"""By type, as ``tenants.access_table`` joins them."""
