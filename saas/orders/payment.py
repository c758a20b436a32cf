"""What a payment sets off, for any number of orders at once: commission, the ledger's accrual, the day's sales.

Written after the orders and their lines, in their transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from saas.base.clock import local_day
from saas.base.db import current_tx
from saas.base.ids import DistributorId, OrderId
from saas.commissions.commands import Accrual, PaidLine, PaidOrder, Reversed, accrue, record
from saas.commissions.rules import Member
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting
from saas.network.queries import Chain
from tenants.program.versions import StoredProgram


class Payable(NamedTuple):
    """An order at the moment of its payment."""

    id: OrderId
    seller_id: DistributorId
    self_purchase: bool
    currency: str
    paid_at: datetime
    hold_until: datetime | None
    lines: Sequence[PaidLine]


class DaySale(NamedTuple):
    """What an order adds to its seller's sales of a day, or takes back when negative."""

    seller_id: DistributorId
    day: date
    currency: str
    orders: int
    pieces: int
    amount_minor: int


def unchanged_since(stored: StoredProgram, chain: Chain) -> datetime:
    """Since when the program and everybody in the chain are as they are now; the earliest payment to decide by them."""
    return max(stored.activated_at, *(member.since for member in chain.members))


def decide(
    payables: Iterable[Payable], stored: StoredProgram, chains: Mapping[DistributorId, Chain], time_zone: str
) -> list[Accrual]:
    """The commission of orders by one program version and the tree of this moment. Writes nothing."""
    members: dict[DistributorId, tuple[Member, ...]] = {}
    accruals = []
    for payable in payables:
        chain = members.get(payable.seller_id)
        if chain is None:
            chain = members[payable.seller_id] = tuple(
                Member(member.id, member.tier or None, member.status) for member in chains[payable.seller_id].members
            )
        order = PaidOrder(
            id=payable.id,
            program_number=stored.number,
            currency=payable.currency,
            paid_at=payable.paid_at,
            day=local_day(payable.paid_at, time_zone),
            hold_until=payable.hold_until,
            self_purchase=payable.self_purchase,
            chain=chain,
            lines=payable.lines,
        )
        accruals.append(accrue(stored.compiled, order))
    return accruals


async def book(accruals: Sequence[Accrual]) -> None:
    """Write what was decided."""
    await record(accruals)
    await post([_accrual_posting(accrual) for accrual in accruals if accrual.earned])
    await add_sales([_sale(accrual.order) for accrual in accruals])


async def book_back(reversals: Sequence[Reversed], at: datetime) -> None:
    """Take back in the ledger what cancelled orders had accrued and still was pending."""
    by_order: dict[OrderId, list[Reversed]] = {}
    for reversal in reversals:
        by_order.setdefault(reversal.order_id, []).append(reversal)
    await post([_reversal_posting(order_id, parts, at) for order_id, parts in by_order.items()])


async def add_sales(sales: Sequence[DaySale]) -> None:
    """Add to the daily sums; every transaction takes the rows in one order."""
    sums: dict[tuple[DistributorId, date, str], tuple[int, int, int]] = {}
    for seller_id, day, currency, orders, pieces, amount_minor in sales:
        key = (seller_id, day, currency)
        before = sums.get(key, (0, 0, 0))
        sums[key] = (before[0] + orders, before[1] + pieces, before[2] + amount_minor)
    await current_tx().insert_many(
        "sales_day",
        ("distributor_id", "day", "currency", "orders", "pieces", "amount_minor"),
        [(*key, *sums[key]) for key in sorted(sums)],
        or_update="(tenant_id, distributor_id, day, currency) DO UPDATE SET orders = sales_day.orders + "
        "excluded.orders, pieces = sales_day.pieces + excluded.pieces, "
        "amount_minor = sales_day.amount_minor + excluded.amount_minor",
    )


def _sale(order: PaidOrder) -> DaySale:
    return DaySale(
        DistributorId(order.chain[0].id),
        order.day,
        order.currency,
        1,
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
