"""The hash chain over every movement of money and its entries."""

from saas.base.chain import Log

LEDGER = Log(
    "ledger",
    "ledger_transaction",
    "r.kind, r.reference_kind, r.reference_id, r.idempotency_key, r.input_hash, r.effective_at, r.recorded_at, "
    "e.entry_no, e.account, e.owner_id, e.currency, e.amount_minor, e.effective_at AS entry_effective_at",
    joined="LEFT JOIN ledger_entry e ON e.tenant_id = r.tenant_id AND e.transaction_id = r.id",
    order="e.entry_no",
)
"""A movement is sealed as a whole; an entry added to a sealed one is found as well."""
