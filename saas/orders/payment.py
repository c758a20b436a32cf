"""What a payment sets off, for any number of orders at once: commission, the ledger's accrual, the day's sales.

Written after the orders and their lines, in their transaction.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from saas.base.db import Row, current_tx
from saas.base.ids import CommissionId, DistributorId, OrderId
from saas.commissions.commands import Accrual, PaidOrder, Reversed, accrue, record
from saas.commissions.reversing import TakenBack
from saas.commissions.rules import Member
from saas.events.commands import tell
from saas.events.rules import Event, EventKind
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting, ReferenceKind
from saas.network.queries import Chain
from saas.notifications.commands import announce
from saas.notifications.rules import order_paid
from saas.orders.draft import OrderDraft
from saas.orders.facts import Evidence, Payable, performance
from saas.orders.rules import OrderEvent
from tenants.program.document import CrossRegionLead
from tenants.program.versions import StoredProgram


class DaySale(NamedTuple):
    """What an order adds to its seller's sales of a day, or takes back when negative."""

    seller_id: DistributorId
    day: date
    currency: str
    orders: int
    pieces: int
    amount_minor: int


class Sold(NamedTuple):
    """What an order counts for in the sums of its day."""

    seller_id: DistributorId
    partner_id: UUID | None
    day: date
    currency: str
    pieces: int
    amount_minor: int


def day_sales(sold: Sold, lead: CrossRegionLead | None, sign: int = 1) -> Iterator[DaySale]:
    """Whose sums an order changes: the amount may be shared, order and pieces are the seller's. -1 takes it back."""
    orders, pieces = sign, sign * sold.pieces
    for owner, part_minor in performance(sold.seller_id, sold.partner_id, sold.amount_minor, lead):
        yield DaySale(owner, sold.day, sold.currency, orders, pieces, sign * part_minor)
        orders = pieces = 0


def unchanged_since(stored: StoredProgram, chain: Chain) -> datetime:
    """Since when the program and everybody in the chain are as they are now; the earliest payment to decide by them."""
    return max(stored.activated_at, *(member.since for member in chain.members))


def members_of(chains: Mapping[DistributorId, Chain]) -> Mapping[DistributorId, Sequence[Member]]:
    """The chain of each seller as commission asks for it."""
    return {
        seller_id: tuple(Member(member.id, member.tier or None, member.status) for member in chain.members)
        for seller_id, chain in chains.items()
    }


def decide(
    payables: Iterable[Payable],
    stored: StoredProgram,
    chains: Mapping[DistributorId, Sequence[Member]],
    evidence: Evidence,
) -> list[Accrual]:
    """The commission of orders, one after the other, by one program version and the tree of this moment.

    Writes nothing; ``evidence`` knows of these orders afterwards.
    """
    accruals = []
    for payable in payables:
        chain = chains[payable.seller_id]
        order = PaidOrder(
            id=payable.id,
            program_number=stored.number,
            currency=payable.currency,
            paid_at=payable.paid_at,
            day=payable.day,
            hold_until=payable.hold_until,
            self_purchase=payable.self_purchase,
            chain=chain,
            lines=payable.lines,
            facts=evidence.of(payable, chain),
        )
        accrual = accrue(stored.compiled, order)
        evidence.add(payable, accrual)
        accruals.append(accrual)
    return accruals


async def book(
    accruals: Sequence[Accrual], evidence: Evidence, *, fresh: bool = False
) -> Mapping[OrderId, Sequence[CommissionId]]:
    """Write what was decided; ``fresh``: of orders that this very transaction makes. Answers the ids of the shares."""
    ids = await record(accruals)
    await evidence.keep()
    await post([_accrual_posting(accrual) for accrual in accruals if accrual.earned], fresh=fresh)
    lead = evidence.program.lead
    await add_sales([sale for accrual in accruals for sale in day_sales(_sold(accrual.order), lead)])
    tell(
        Event(EventKind.COMMISSION_EARNED, one.order.id, owner, minor, one.order.currency)
        for one in accruals
        for owner, minor in one.earned.items()
    )
    return ids


_STEPS = {
    OrderEvent.PAY: EventKind.ORDER_PAID,
    OrderEvent.SHIP: EventKind.ORDER_SHIPPED,
    OrderEvent.DELIVER: EventKind.ORDER_DELIVERED,
    OrderEvent.CLOSE: EventKind.ORDER_CLOSED,
    OrderEvent.CANCEL: EventKind.ORDER_CANCELLED,
}


_FIRST = (EventKind.ORDER_PLACED, EventKind.ORDER_PAID, EventKind.ORDER_SHIPPED, EventKind.ORDER_DELIVERED)


def tell_step(event: OrderEvent, orders: Iterable[Row]) -> None:
    """Tell those who follow that orders took a step."""
    tell(Event(_STEPS[event], order["id"], order["seller_id"]) for order in orders)


def tell_placed(placed: Iterable[OrderDraft]) -> None:
    """Tell those who follow of new orders, with the steps that they took before they came here."""
    for one in placed:
        asked = one.asked
        moments = (one.placed_at, asked.paid_at, asked.shipped_at, asked.delivered_at)
        tell(Event(kind, one.id, asked.seller_id) for kind, at in zip(_FIRST, moments, strict=True) if at is not None)


async def tell_paid(accruals: Sequence[Accrual]) -> None:
    """Have the sellers told that their orders were paid."""
    await announce(
        [
            order_paid(
                DistributorId(one.order.chain[0].id),
                one.order.id,
                sum(line.amount_minor for line in one.order.lines),
                one.order.currency,
            )
            for one in accruals
        ]
    )


def reversal_postings(reversals: Sequence[Reversed], at: datetime) -> list[Posting]:
    """What takes back in the ledger what cancelled orders had accrued and still was pending."""
    by_order: dict[OrderId, list[Reversed]] = {}
    for reversal in reversals:
        by_order.setdefault(reversal.order_id, []).append(reversal)
    return [_reversal_posting(order_id, parts, at) for order_id, parts in by_order.items()]


def clawback_posting(
    taken: Sequence[TakenBack], reference_kind: ReferenceKind, reference_id: UUID, at: datetime
) -> Posting:
    """What takes back in the ledger what shares lost, from the accounts on which the money was."""
    sums: dict[tuple[DistributorId, Account, str], int] = {}
    currencies: dict[str, int] = {}
    for one in taken:
        key = (one.beneficiary_id, Account(one.account), one.currency)
        sums[key] = sums.get(key, 0) + one.amount_minor
        currencies[one.currency] = currencies.get(one.currency, 0) + one.amount_minor
    entries = [Entry(account, owner, -amount, currency) for (owner, account, currency), amount in sorted(sums.items())]
    entries += [Entry(Account.COMMISSION_EXPENSE, None, amount, currency) for currency, amount in currencies.items()]
    return Posting(
        kind=Kind.CLAWBACK,
        reference_kind=reference_kind,
        reference_id=reference_id,
        idempotency_key=f"clawback:{reference_id}",
        effective_at=at,
        entries=tuple(entries),
    )


async def add_sales(sales: Sequence[DaySale]) -> None:
    """Add to the daily sums; every transaction takes the rows in one order."""
    sums: dict[tuple[DistributorId, date, str], tuple[int, int, int]] = {}
    for seller_id, day, currency, orders, pieces, amount_minor in sales:
        key = (seller_id, day, currency)
        before = sums.get(key, (0, 0, 0))
        sums[key] = (before[0] + orders, before[1] + pieces, before[2] + amount_minor)
    await current_tx().insert_later(
        "sales_day",
        ("distributor_id", "day", "currency", "orders", "pieces", "amount_minor"),
        [(*key, *sums[key]) for key in sorted(sums)],
        or_update="(tenant_id, distributor_id, day, currency) DO UPDATE SET orders = sales_day.orders + "
        "excluded.orders, pieces = sales_day.pieces + excluded.pieces, "
        "amount_minor = sales_day.amount_minor + excluded.amount_minor",
    )


def _sold(order: PaidOrder) -> Sold:
    partner = order.facts.partner
    return Sold(
        DistributorId(order.chain[0].id),
        partner and partner.id,
        order.day,
        order.currency,
        sum(line.quantity for line in order.lines),
        sum(line.amount_minor for line in order.lines),
    )


def _accrual_posting(accrual: Accrual) -> Posting:
    order = accrual.order
    currency = order.currency
    entries = [Entry(Account.PENDING, owner, amount, currency) for owner, amount in accrual.earned.items()]
    expense = Entry(Account.COMMISSION_EXPENSE, None, -sum(accrual.earned.values()), currency)
    return Posting(
        kind=Kind.ACCRUAL,
        reference_kind="order",
        reference_id=order.id,
        idempotency_key=f"accrual:{order.id}",
        effective_at=order.paid_at,
        entries=(*entries, expense),
    )


def _reversal_posting(order_id: OrderId, parts: Sequence[Reversed], at: datetime) -> Posting:
    currency = parts[0].currency
    entries = [Entry(Account.PENDING, part.beneficiary_id, -part.amount_minor, currency) for part in parts]
    expense = Entry(Account.COMMISSION_EXPENSE, None, sum(part.amount_minor for part in parts), currency)
    return Posting(
        kind=Kind.REVERSAL,
        reference_kind="order",
        reference_id=order_id,
        idempotency_key=f"reversal:{order_id}",
        effective_at=at,
        entries=(*entries, expense),
    )
