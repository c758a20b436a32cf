"""What an order may do and what its prices may be: the state machine, the allowed band, the hold. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from saas.base.money import BPS_WHOLE
from saas.orders.errors import OrderStepRefused
from tenants.program.pricing import PricePolicy


class OrderState(StrEnum):
    """Where an order stands (docs/rules.md §4)."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class OrderEvent(StrEnum):
    """What may happen to an order."""

    PAY = "pay"
    SHIP = "ship"
    DELIVER = "deliver"
    CLOSE = "close"
    CANCEL = "cancel"


_STEPS: dict[OrderEvent, dict[OrderState, OrderState]] = {
    OrderEvent.PAY: {OrderState.PLACED: OrderState.PAID},
    OrderEvent.SHIP: {OrderState.PAID: OrderState.SHIPPED},
    OrderEvent.DELIVER: {OrderState.SHIPPED: OrderState.DELIVERED},
    OrderEvent.CLOSE: {OrderState.DELIVERED: OrderState.CLOSED},
    OrderEvent.CANCEL: {OrderState.PLACED: OrderState.CANCELLED, OrderState.PAID: OrderState.CANCELLED},
}


def next_state(state: OrderState, event: OrderEvent) -> OrderState:
    """Where ``event`` takes an order in ``state``. Raises ``OrderStepRefused`` when it takes it nowhere."""
    step = _STEPS[event]
    if state not in step:
        raise OrderStepRefused(event=event.value, state=state.value, needed=", ".join(step))
    return step[state]


class PriceVerdict(StrEnum):
    """Where an amount lies with regard to the band."""

    INSIDE = "inside"
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """The price asked for one piece and how far it may be missed, in bps of it."""

    guide_price_minor: int
    below_bps: int
    above_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCheck:
    """The verdict on an amount, with the least and the most allowed for the quantity, both included."""

    verdict: PriceVerdict
    least_minor: int
    most_minor: int


def price_entry(policy: PricePolicy, sku: str) -> PriceEntry | None:
    """The policy's entry for a product; ``None`` when the policy does not price it, and any price is allowed."""
    product = policy.products.get(sku)
    if product is None:
        return None
    band = product.band or policy.default_band
    return PriceEntry(guide_price_minor=product.guide_price_minor, below_bps=band.below_bps, above_bps=band.above_bps)


def check_price(
    entry: PriceEntry, quantity: int, amount_minor: int, purchase_price_minor: int | None = None
) -> PriceCheck:
    """Judge what a line of ``quantity`` pieces costs in all (docs/rules.md §2.3).

    Exact: the bounds are the outermost whole minor units inside the band, not rounded prices of one piece. Who buys
    for itself at a purchase price pays that at least, instead of the band's lower bound.
    """
    asked = entry.guide_price_minor * quantity
    least = -(-asked * (BPS_WHOLE - entry.below_bps) // BPS_WHOLE)
    most = asked * (BPS_WHOLE + entry.above_bps) // BPS_WHOLE
    if purchase_price_minor is not None:
        least = purchase_price_minor * quantity
        most = max(most, least)
    verdict = (
        PriceVerdict.BELOW
        if amount_minor < least
        else PriceVerdict.ABOVE
        if amount_minor > most
        else PriceVerdict.INSIDE
    )
    return PriceCheck(verdict=verdict, least_minor=least, most_minor=most)


def hold_until(delivered_at: datetime, hold_days: int) -> datetime:
    """When the hold of an order ends and its commission becomes available: whole days of 24 hours from delivery."""
    return delivered_at + timedelta(days=hold_days)


class Purchase(NamedTuple):
    """A line of goods that a distributor bought for itself, and what it paid for it in minor units."""

    sku: str
    quantity: int
    amount_minor: int
