"""The writes of payouts that others may call."""

from saas.payouts.batches import (
    CreateBatch,
    RecordResult,
    approve_batch,
    cancel_batch,
    create_batch,
    record_result,
    submit_batch,
)
from saas.payouts.destinations import SetDestination, reveal_destination, set_destination, verify_destination
from saas.payouts.requests import (
    CancelPayout,
    RequestPayout,
    Sweep,
    SweepPayouts,
    cancel_payout,
    request_payout,
    sweep_payouts,
)

__all__ = [
    "CancelPayout",
    "CreateBatch",
    "RecordResult",
    "RequestPayout",
    "SetDestination",
    "Sweep",
    "SweepPayouts",
    "approve_batch",
    "cancel_batch",
    "cancel_payout",
    "create_batch",
    "record_result",
    "request_payout",
    "reveal_destination",
    "set_destination",
    "submit_batch",
    "sweep_payouts",
    "verify_destination",
]
