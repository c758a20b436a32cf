"""What an exit costs and brings, and which step follows which (docs/rules.md §7). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from saas.base.errors import WrongState
from saas.base.ids import DistributorId
from saas.exits.errors import ExitNotVoluntary
from tenants.program.document import ExitTerms, Program


class ExitKind(StrEnum):
    """Why a distributor leaves."""

    VOLUNTARY = "voluntary"
    BREACH = "breach"


class ExitState(StrEnum):
    """Where an exit is: quoted → approved → executed → closed, or rejected, or withdrawn."""

    QUOTED = "quoted"
    APPROVED = "approved"
    EXECUTED = "executed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class ExitStep(StrEnum):
    """What can be done with an exit."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    EXECUTE = "execute"
    CLOSE = "close"


_STEPS: Mapping[ExitStep, tuple[tuple[ExitState, ...], ExitState]] = {
    ExitStep.APPROVE: ((ExitState.QUOTED,), ExitState.APPROVED),
    ExitStep.REJECT: ((ExitState.QUOTED, ExitState.APPROVED), ExitState.REJECTED),
    ExitStep.WITHDRAW: ((ExitState.QUOTED, ExitState.APPROVED), ExitState.WITHDRAWN),
    ExitStep.EXECUTE: ((ExitState.APPROVED,), ExitState.EXECUTED),
    ExitStep.CLOSE: ((ExitState.EXECUTED,), ExitState.CLOSED),
}


def next_state(kind: ExitKind, state: ExitState, step: ExitStep) -> ExitState:
    """The state after a step. Raises ``WrongState``, or ``ExitNotVoluntary`` for withdrawing a breach."""
    if step is ExitStep.WITHDRAW and kind is not ExitKind.VOLUNTARY:
        raise ExitNotVoluntary("input.id")
    sources, target = _STEPS[step]
    if state not in sources:
        raise WrongState("input.id", kind="exit", state=state, needed=" / ".join(sources))
    return target


def terms_of(program: Program, kind: ExitKind) -> ExitTerms:
    """What the program says about this kind of exit."""
    return program.exit.voluntary if kind is ExitKind.VOLUNTARY else program.exit.breach


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a distributor stands when it wants to leave. Amounts in minor units of ``currency``.

    ``undelivered`` counts the shares of pending commission whose hold has not begun.
    """

    currency: str
    sponsor_id: DistributorId | None
    direct_downline: int
    team: int
    open_orders: int
    open_orders_minor: int
    pending_minor: int
    available_minor: int
    settled_minor: int
    in_payout_minor: int
    payouts_in_flight: int
    last_hold_until: datetime | None
    undelivered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an exit would mean, before anybody decides. Amounts in minor units of ``currency``.

    ``heir_id`` takes the downline, None is the brand. ``owed_minor`` is a negative balance, to be recovered.
    ``final_minor`` is everything the distributor is still to get, before fee and withholding, negative when it owes;
    ``final_at`` is when the last hold ends, None when nothing is held, and not known yet while ``undelivered`` shares
    await a delivery.
    """

    currency: str
    downline_to: Literal["sponsor", "brand"]
    pending: Literal["keep", "forfeit"]
    heir_id: DistributorId | None
    direct_downline: int
    team: int
    open_orders: int
    open_orders_minor: int
    pending_minor: int
    available_minor: int
    settled_minor: int
    in_payout_minor: int
    payouts_in_flight: int
    owed_minor: int
    forfeited_minor: int
    final_minor: int
    final_at: datetime | None
    undelivered: int


def quote_of(position: Position, terms: ExitTerms) -> Quote:
    """Quote an exit by the program's terms."""
    forfeits = terms.pending == "forfeit"
    free = position.available_minor + position.settled_minor
    kept = 0 if forfeits else position.pending_minor
    held = not forfeits and not position.undelivered
    return Quote(
        currency=position.currency,
        downline_to=terms.downline_to,
        pending=terms.pending,
        heir_id=position.sponsor_id if terms.downline_to == "sponsor" else None,
        direct_downline=position.direct_downline,
        team=position.team,
        open_orders=position.open_orders,
        open_orders_minor=position.open_orders_minor,
        pending_minor=position.pending_minor,
        available_minor=position.available_minor,
        settled_minor=position.settled_minor,
        in_payout_minor=position.in_payout_minor,
        payouts_in_flight=position.payouts_in_flight,
        owed_minor=max(-free, 0),
        forfeited_minor=position.pending_minor - kept,
        final_minor=kept + free + position.in_payout_minor,
        final_at=position.last_hold_until if held else None,
        undelivered=0 if forfeits else position.undelivered,
    )
