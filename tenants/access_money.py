"""The rules of adjustments, penalties, files and reconciliation, beside the access table."""

from typing import Final

from tenants.access import FINANCE, OPERATOR, STAFF, on
from tenants.access_groups import MONEY_READ, page

MONEY: Final = [
    on(
        "Query",
        MONEY_READ.may("adjustments statementDocument"),
        STAFF.may("settlementDocument reconciliation moneyTrail findMoney"),
    ),
    on(
        "Mutation",
        FINANCE.may("requestAdjustments liftPenalties approveAdjustments rejectAdjustments recordPayoutResults"),
    ),
    on(
        "Adjustment",
        MONEY_READ.may("id kind lifts distributorId amount reason reference status requestedAt decidedAt statementId"),
        STAFF.may("requestedBy decidedBy"),
    ),
    *page("Adjustment", MONEY_READ),
    on("RequestAdjustmentsPayload", FINANCE.may("adjustments count given taken userErrors")),
    on("AdjustmentsPayload", FINANCE.may("adjustments userErrors")),
    on("RecordPayoutResultsPayload", FINANCE.may("verdicts paidCount failedCount paid returned userErrors")),
    on("PayoutResultVerdict", FINANCE.may("payoutId userErrors")),
    on("FileDownload", (MONEY_READ | OPERATOR).may("fileName mediaType content")),
    on(
        "Statement",
        MONEY_READ.may(
            "adjustments penalties other debt recovered debtLeft recoveryBps setAside adjustmentLines penaltyLines"
        ),
    ),
    on("Settlement", STAFF.may("adjustments penalties")),
    on("SettlementPreview", STAFF.may("adjustments penalties debt recovered payable statements")),
    on(
        "DraftStatement",
        STAFF.may(
            "distributorId lineCount opening commission awards adjustments penalties other payouts debt "
            "recovered debtLeft setAside closing"
        ),
    ),
    *page("DraftStatement", STAFF),
    on("Balance", MONEY_READ.may("debt")),
    on("Reconciliation", STAFF.may("after until agrees differing totals lines csv")),
    on(
        "ReconciliationLine",
        STAFF.may(
            "distributorId opening commission awards adjustments penalties clawedBack writtenOff boughtBack paid "
            "fees withheld closing closingElsewhere differences"
        ),
    ),
    *page("ReconciliationLine", STAFF),
    on("FoundMoney", STAFF.may("kind id part amount at distributorId number status movement")),
    *page("FoundMoney", STAFF),
    on("BookDifference", STAFF.may("what ledger elsewhere")),
    on(
        "TrailShare",
        STAFF.may(
            "kind id distributorId amount status orderId orderNumber lineId sku component releaseId statementId "
            "statementNumber settlementId transactionId takenBack uses left"
        ),
    ),
    on(
        "TrailUse",
        STAFF.may("kind id amount at transactionId status batchId batchNumber provider providerReference finishedAt"),
    ),
]
"""By type, as ``tenants.access_table`` joins them."""
