"""What an exit costs and brings, and which step follows which (docs/rules.md §7). Pure."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from saas.base.errors import WrongState
from saas.base.ids import DistributorId
from saas.base.money import divide_half_up, share
from saas.exits.errors import ExitNotVoluntary, StockNotBought, StockTwice
from saas.ledger.rules import Account, Movement
from saas.network.rules import DownlineTo
from saas.orders.rules import Purchase
from saas.settlement.rules import SettlementPolicy, add_working_days, period_at
from tenants.program.calendar import start_of_day
from tenants.program.document import ExitTerms, Program


class ExitKind(StrEnum):
    """Why a distributor leaves."""

    VOLUNTARY = "voluntary"
    BREACH = "breach"
    INACTIVITY = "inactivity"
    BRAND_DECISION = "brand_decision"


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
    """The state after a step. Raises ``WrongState``, or ``ExitNotVoluntary`` for withdrawing what is the brand's."""
    if step is ExitStep.WITHDRAW and kind is not ExitKind.VOLUNTARY:
        raise ExitNotVoluntary("input.id")
    sources, target = _STEPS[step]
    if state not in sources:
        raise WrongState("input.id", kind="exit", state=state, needed=" / ".join(sources))
    return target


def terms_of(program: Program, kind: ExitKind) -> ExitTerms:
    """What the program says about this kind of exit."""
    policy = program.exit
    return {
        ExitKind.VOLUNTARY: policy.voluntary,
        ExitKind.BREACH: policy.breach,
        ExitKind.INACTIVITY: policy.inactivity,
        ExitKind.BRAND_DECISION: policy.brand_decision,
    }[kind]


@dataclass(frozen=True, slots=True)
class Gone:
    """Pieces of a product that the distributor bought for itself and declares as sold or used."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLine:
    """A product to buy back: of the pieces ``bought`` those not ``gone``, and what was paid for them.

    Amounts in minor units; ``buy_back_minor`` is what the brand gives for them.
    """

    sku: str
    bought: int
    gone: int
    quantity: int
    paid_minor: int
    buy_back_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What is bought back of what was paid for at ``since`` or later, at ``rate_bps`` of that."""

    since: datetime | None
    rate_bps: int
    lines: tuple[StockLine, ...]


NO_STOCK = Stock(since=None, rate_bps=0, lines=())
"""Nothing is bought back."""


def months_before(now: datetime, months: int, time_zone: str) -> datetime:
    """The first moment of the day so many calendar months ago; the last day of a month that is shorter."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    year, month = divmod(today.year * 12 + today.month - 1 - months, 12)
    day = min(today.day, monthrange(year, month + 1)[1])
    return start_of_day(date(year, month + 1, day), time_zone)


def stock_of(purchases: Sequence[Purchase], gone: Sequence[Gone], since: datetime, rate_bps: int) -> Stock:
    """What is left of purchases, the oldest first, when the oldest pieces of each product are those gone.

    What was paid for the rest of a line is the whole less the part of the pieces gone, half up; the brand gives
    ``rate_bps`` of the sum of each product, half up. Raises ``StockNotBought`` or ``StockTwice``.
    """
    left = _declared(purchases, gone)
    bought: defaultdict[str, int] = defaultdict(int)
    kept: defaultdict[str, int] = defaultdict(int)
    paid: defaultdict[str, int] = defaultdict(int)
    for line in purchases:
        away = min(left.get(line.sku, 0), line.quantity)
        left[line.sku] = left.get(line.sku, 0) - away
        bought[line.sku] += line.quantity
        kept[line.sku] += line.quantity - away
        paid[line.sku] += line.amount_minor - divide_half_up(line.amount_minor * away, line.quantity)
    lines = tuple(
        StockLine(
            sku=sku,
            bought=bought[sku],
            gone=bought[sku] - kept[sku],
            quantity=kept[sku],
            paid_minor=paid[sku],
            buy_back_minor=share(paid[sku], rate_bps),
        )
        for sku in sorted(bought)
    )
    return Stock(since=since, rate_bps=rate_bps, lines=lines)


def _declared(purchases: Sequence[Purchase], gone: Sequence[Gone]) -> dict[str, int]:
    declared: dict[str, int] = {}
    for i, one in enumerate(gone):
        bought = sum(line.quantity for line in purchases if line.sku == one.sku)
        if one.sku in declared:
            raise StockTwice(f"input.gone[{i}].sku", sku=one.sku)
        if not 0 <= one.quantity <= bought:
            raise StockNotBought(f"input.gone[{i}].quantity", sku=one.sku, bought=bought)
        declared[one.sku] = one.quantity
    return declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a distributor stands when it wants to leave. Amounts in minor units of ``currency``.

    ``awards_minor`` is the part of what is available that periods brought. ``undelivered`` counts the shares of pending
    commission whose hold has not begun. ``adjustments_minor`` was agreed to, penalties among it, and waits for the
    next statement.
    """

    currency: str
    sponsor_id: DistributorId | None
    direct_downline: int
    team: int
    open_orders: int
    open_orders_minor: int
    pending_minor: int
    available_minor: int
    awards_minor: int
    settled_minor: int
    in_payout_minor: int
    payouts_in_flight: int
    last_hold_until: datetime | None
    undelivered: int
    adjustments_minor: int = 0
    open_returns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What an exit would mean, before anybody decides. Amounts in minor units of ``currency``.

    ``heir_id`` takes the downline, None is the brand. ``owed_minor`` is a negative balance, to be recovered.
    ``final_minor`` is everything the distributor is still to get, before fee and withholding, negative when it owes;
    ``final_at`` is when the last hold ends, None when nothing is held, and not known yet while ``undelivered`` shares
    await a delivery. ``payable_on`` is the day by which the final amount can be paid, None when nothing is or it is not
    known yet. ``stock`` is bought back at ``buy_back_bps`` of what was paid for it at ``stock_since`` or later.
    ``adjustments_minor`` was agreed to and waits for the next statement; ``open_returns`` of its orders are under way.
    """

    currency: str
    downline_to: DownlineTo
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
    awards_minor: int = 0
    stock: tuple[StockLine, ...] = ()
    stock_since: datetime | None = None
    buy_back_bps: int = 0
    buy_back_minor: int = 0
    payable_on: date | None = None
    adjustments_minor: int = 0
    open_returns: int = 0


def quote_of(
    position: Position, terms: ExitTerms, stock: Stock = NO_STOCK, heir_id: DistributorId | None = None
) -> Quote:
    """Quote an exit by the program's terms."""
    forfeits = terms.pending == "forfeit"
    free = position.available_minor + position.settled_minor
    kept = 0 if forfeits else position.pending_minor
    held = not forfeits and not position.undelivered
    buy_back = sum(line.buy_back_minor for line in stock.lines)
    return Quote(
        currency=position.currency,
        downline_to=terms.downline_to,
        pending=terms.pending,
        heir_id=position.sponsor_id if terms.downline_to == "sponsor" else heir_id,
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
        final_minor=kept + free + position.in_payout_minor + position.adjustments_minor + buy_back,
        final_at=position.last_hold_until if held else None,
        undelivered=0 if forfeits else position.undelivered,
        awards_minor=position.awards_minor,
        stock=stock.lines,
        stock_since=stock.since,
        buy_back_bps=stock.rate_bps,
        buy_back_minor=buy_back,
        adjustments_minor=position.adjustments_minor,
        open_returns=position.open_returns,
    )


def dated(quote: Quote, policy: SettlementPolicy, now: datetime) -> Quote:
    """The quote with the day by which its final amount can be paid (docs/rules.md §6).

    What is held or available, or adjusted, is settled when the period of its last hold, or the present one, is over;
    what is settled already can be paid at once.
    """
    if quote.final_minor <= 0 or quote.undelivered:
        return quote
    bound = now
    if quote.final_at is not None:
        bound = period_at(policy, max(now, quote.final_at)).until
    elif quote.available_minor or quote.adjustments_minor:
        bound = period_at(policy, now).until
    day = bound.astimezone(ZoneInfo(policy.time_zone)).date()
    return replace(quote, payable_on=add_working_days(day, policy.days_to_pay))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What stood on an account when the distributor left, in minor units."""

    account: Account
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalStatement:
    """All that happened to the money of who left, from the exit to its close; every account ends at nothing."""

    since: datetime
    until: datetime
    openings: tuple[Opening, ...]
    movements: tuple[Movement, ...]


def final_statement(movements: Sequence[Movement], since: datetime, until: datetime) -> FinalStatement:
    """The final statement of accounts that are empty at ``until``: what they held is what left them since."""
    sums: defaultdict[tuple[Account, str], int] = defaultdict(int)
    for one in movements:
        sums[one.account, one.currency] -= one.amount_minor
    openings = (
        Opening(account=account, currency=currency, amount_minor=amount)
        for (account, currency), amount in sorted(sums.items())
        if amount
    )
    return FinalStatement(since=since, until=until, openings=tuple(openings), movements=tuple(movements))
