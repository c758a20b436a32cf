"""The access table's part about exits."""

from typing import Final

from tenants.access import DISTRIBUTOR, OPERATIONS, OWNER, STAFF, on

_READ: Final = STAFF | DISTRIBUTOR

EXITS: Final = [
    on(
        "ExitCase",
        _READ.may("id distributorId distributor kind status reason quote requestedAt approvedAt executedAt closedAt"),
        _READ.may("erasedAt finalStatement certificate"),
    ),
    on("ExitCaseConnection", _READ.may("edges nodes pageInfo")),
    on("ExitCaseEdge", _READ.may("cursor node")),
    on(
        "ExitQuote",
        _READ.may(
            "downlineTo heirId directDownline team openOrders openOrdersGoods pendingCommission pending available "
            "settled inPayout payoutsInFlight owed forfeited finalAmount finalAt undelivered"
        ),
        _READ.may("unsettledAwards adjustments openReturns stock stockSince buyBackBps buyBack payableOn"),
    ),
    on("ExitStockLine", _READ.may("sku bought gone quantity paid buyBack")),
    on("ExitCertificate", _READ.may("number kind code name joinedOn leftOn closedOn text html")),
    on("ExitFinalStatement", _READ.may("since until opening movements")),
    on("ExitMovement", _READ.may("account kind amount")),
    on("ExitPayload", (OPERATIONS | DISTRIBUTOR).may("exit userErrors")),
    on("InactiveDistributor", STAFF.may("distributorId distributor joinedAt lastSaleOn")),
    on("InactiveDistributorConnection", STAFF.may("edges nodes pageInfo")),
    on("InactiveDistributorEdge", STAFF.may("cursor node")),
    on("ExitVerdict", OPERATIONS.may("exitId exit userErrors")),
    on("ExitsPayload", OPERATIONS.may("verdicts userErrors")),
    on("QuotedExit", OPERATIONS.may("distributorId quote exit")),
    on("QuoteInactiveExitsPayload", OPERATIONS.may("exits userErrors")),
    on("ErasedPerson", OWNER.may("exitId distributorId code closedAt")),
    on("ErasePersonalDataPayload", OWNER.may("erased userErrors")),
]
"""The types of exits; the roots stand with the others."""
