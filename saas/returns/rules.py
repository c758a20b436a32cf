"""What a return gives back, how long it may be asked for, and which step follows which (docs/rules.md §4). Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from saas.base.errors import WrongState
from tenants.program.document import Returns


class ReturnState(StrEnum):
    """Where a return is: requested → approved → received → refunded, or rejected, or withdrawn."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    RECEIVED = "received"
    REFUNDED = "refunded"


class ReturnStep(StrEnum):
    """What can be done with a return."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    RECEIVE = "receive"
    REFUND = "refund"


_REQUESTED, _APPROVED, _RECEIVED = ReturnState.REQUESTED, ReturnState.APPROVED, ReturnState.RECEIVED
_STEPS: Mapping[ReturnStep, tuple[tuple[ReturnState, ...], ReturnState]] = {
    ReturnStep.APPROVE: ((_REQUESTED,), _APPROVED),
    ReturnStep.REJECT: ((_REQUESTED, _APPROVED), ReturnState.REJECTED),
    ReturnStep.WITHDRAW: ((_REQUESTED, _APPROVED), ReturnState.WITHDRAWN),
    ReturnStep.RECEIVE: ((_APPROVED,), _RECEIVED),
    ReturnStep.REFUND: ((_RECEIVED,), ReturnState.REFUNDED),
}
OPEN_STATES = (_REQUESTED, _APPROVED, _RECEIVED)
"""States in which something is still expected."""


def next_state(state: ReturnState, step: ReturnStep) -> ReturnState:
    """The state after a step. Raises ``WrongState``."""
    sources, target = _STEPS[step]
    if state not in sources:
        raise WrongState("input.id", kind="return", state=state, needed=" / ".join(sources))
    return target


def window_end(terms: Returns, sku: str, delivered_at: datetime) -> datetime:
    """Until when, not included, a product may be returned: whole days of 24 hours from delivery."""
    return delivered_at + timedelta(days=terms.products.get(sku, terms.window_days))


def refund_due(goods_minor: int, freight_minor: int, exchange_minor: int) -> int:
    """What is paid back: goods and freight, less what an exchange cost; never less than nothing."""
    return max(goods_minor + freight_minor - exchange_minor, 0)
