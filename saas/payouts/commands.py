"""The writes of payouts that others may call."""

from saas.payouts.accounts import SetAccount, set_account
from saas.payouts.batches import CreateBatch, approve_batch, cancel_batch, create_batch, send_approved, submit_batch
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
from saas.payouts.results import Recorded, RecordResult, RecordResults, Result, record_result, record_results
from saas.payouts.sending import NoticeForged, receive_notice

__all__ = [
    "CancelPayout",
    "CreateBatch",
    "NoticeForged",
    "RecordResult",
    "RecordResults",
    "Recorded",
    "RequestPayout",
    "Result",
    "SetAccount",
    "SetDestination",
    "Sweep",
    "SweepPayouts",
    "approve_batch",
    "cancel_batch",
    "cancel_payout",
    "create_batch",
    "receive_notice",
    "record_result",
    "record_results",
    "request_payout",
    "reveal_destination",
    "send_approved",
    "set_account",
    "set_destination",
    "submit_batch",
    "sweep_payouts",
    "verify_destination",
]
