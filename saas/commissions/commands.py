"""Commission as it is written: accrued at payment, put under a hold at delivery, reversed when the sale is undone.

The money itself moves in the ledger; whoever calls these posts what they answer.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from saas.base.db import Row, transaction
from saas.base.ids import CommissionId, DistributorId, OrderId, OrderLineId, new_id
from saas.commissions.queries import CommissionView, place
from saas.commissions.rules import NO_FACTS, CompiledProgram, Facts, Line, Member, Reason, Share, commission_for_line
from saas.events.commands import tell
from saas.events.rules import Event, EventKind

COLUMNS = (
    "id",
    "order_id",
    "line_id",
    "component",
    "level",
    "beneficiary_id",
    "tier",
    "rate_bps",
    "per_piece_minor",
    "base_minor",
    "quantity",
    "amount_minor",
    "reason",
    "detail",
    "program_number",
    "currency",
    "status",
    "earned_at",
    "hold_until",
)

UNREACHED = frozenset({Reason.BEYOND_PAID_LEVELS, Reason.NO_COMPONENT})
"""Why an upline has no row: the order's path and its lines' rows tell of it at any time."""


class PaidLine(NamedTuple):
    """A line as it was paid; ``amount_minor`` is for the goods alone."""

    id: OrderLineId
    sku: str
    category: str | None
    quantity: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOrder:
    """What decides an order's commission. ``chain`` is as of the payment, ``day`` its day in the brand's time zone.

    ``facts`` are as before the order's first line; the pieces grow from line to line.
    """

    id: OrderId
    program_number: int
    currency: str
    paid_at: datetime
    day: date
    hold_until: datetime | None
    self_purchase: bool
    chain: Sequence[Member]
    lines: Sequence[PaidLine]
    facts: Facts = NO_FACTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Accrual:
    """An order's commission: its shares by line, what each beneficiary earned, and the company's part of each line.

    ``pieces``: what the seller has sold of each counted component after the order, of those that the order advanced;
    ``open_lifts``: what of their lift is open after it.
    """

    order: PaidOrder
    shares: Sequence[tuple[OrderLineId, Share]]
    earned: Mapping[DistributorId, int]
    company: Mapping[OrderLineId, int]
    pieces: Mapping[str, int]
    open_lifts: Mapping[str, int]


class Reversed(NamedTuple):
    """Pending commission of one beneficiary on one order that is taken back."""

    order_id: OrderId
    beneficiary_id: DistributorId
    currency: str
    amount_minor: int


def accrue(program: CompiledProgram, order: PaidOrder) -> Accrual:
    """Decide an order's commission (docs/rules.md §3). Writes nothing.

    Uplines that commission does not reach are left out (``UNREACHED``).
    """
    shares: list[tuple[OrderLineId, Share]] = []
    earned: dict[DistributorId, int] = {}
    company: dict[OrderLineId, int] = {}
    facts, pieces, open_lifts = order.facts, dict[str, int](), dict(order.facts.open_lifts)
    for line_id, sku, category, quantity, amount_minor in order.lines:
        line = Line(sku, category, quantity, amount_minor, order.day, order.self_purchase)
        result = commission_for_line(program, line, order.chain, facts)
        company[line_id] = result.company_minor
        for share in result.shares:
            if share.reason in UNREACHED:
                continue
            shares.append((line_id, share))
            if share.amount_minor and share.beneficiary_id is not None:
                owner = DistributorId(share.beneficiary_id)
                earned[owner] = earned.get(owner, 0) + share.amount_minor
        for key in program.counters_for(sku, category, order.day):
            pieces[key] = facts.pieces.get(key, 0) + quantity
            facts = facts._replace(pieces={**facts.pieces, key: pieces[key]})
        if open_lifts:
            _make_up(open_lifts, result.shares)
            facts = facts._replace(open_lifts=dict(open_lifts))
    return Accrual(order=order, shares=shares, earned=earned, company=company, pieces=pieces, open_lifts=open_lifts)


def _make_up(open_lifts: dict[str, int], shares: Sequence[Share]) -> None:
    """Take off what a line made up for."""
    for share in shares:
        if share.level == 0 and share.component in open_lifts:
            open_lifts[share.component] -= share.arithmetic.made_up_minor or 0


async def record(accruals: Sequence[Accrual]) -> Mapping[OrderId, Sequence[CommissionId]]:
    """Write the rows of accruals, within the running transaction; their orders and lines must be there.

    Answers the ids of each order's shares, in their order.
    """
    ids = {one.order.id: [CommissionId(new_id()) for _ in one.shares] for one in accruals}
    async with transaction() as tx:
        rows = [row for accrual in accruals for row in _rows(accrual, ids[accrual.order.id])]
        await tx.insert_later("commission", COLUMNS, rows)
    return ids


def _rows(accrual: Accrual, ids: Sequence[CommissionId]) -> Iterator[tuple[object, ...]]:
    order = accrual.order
    tail = (order.paid_at, order.hold_until)
    for id_, (line_id, share) in zip(ids, accrual.shares, strict=True):
        detail = orjson.dumps(share.detail).decode() if share.detail else None
        explained = (*share[:9], share.reason.value, detail, order.program_number, order.currency, _status(share))
        yield (id_, order.id, line_id, *explained, *tail)


def _status(share: Share) -> str:
    return "pending" if share.amount_minor else "nothing"


def views_of(accrual: Accrual, ids: Sequence[CommissionId]) -> Sequence[CommissionView]:
    """What reading an order's shares would answer that ``record`` has written under these ids."""
    order = accrual.order
    views = [
        CommissionView(
            id=id_,
            order_id=order.id,
            line_id=line_id,
            share=share,
            program_number=order.program_number,
            currency=order.currency,
            status=_status(share),
            earned_at=order.paid_at,
            hold_until=order.hold_until,
            statement_id=None,
            reversed_minor=0,
            clawed_minor=0,
            evened_minor=0,
        )
        for id_, (line_id, share) in zip(ids, accrual.shares, strict=True)
    ]
    return sorted(views, key=place)


async def start_hold(order_ids: Collection[OrderId], hold_until: datetime) -> None:
    """Say when the pending commission of delivered orders becomes available."""
    async with transaction() as tx:
        await tx.execute(
            f"UPDATE commission SET hold_until = $3 "
            f"WHERE tenant_id = $1 AND order_id {tx.within(2, 'uuid')} AND status = 'pending'",
            tx.tenant_id,
            list(order_ids),
            hold_until,
        )


async def reverse_orders(order_ids: Collection[OrderId]) -> list[Reversed]:
    """Take back all pending commission of orders; answers what the ledger must reverse."""
    return await _reverse("order_id", order_ids)


async def reverse_beneficiary(distributor_id: DistributorId) -> list[Reversed]:
    """Take back all pending commission of one distributor; answers what the ledger must reverse or forfeit."""
    return await _reverse("beneficiary_id", [distributor_id])


async def _reverse(column: str, ids: Collection[UUID]) -> list[Reversed]:
    """Rows are locked in the order in which a release locks them, so that the two cannot block each other.

    Where nothing is locked there is no order either: SQLite would read all that is pending for the sake of it.
    """
    async with transaction() as tx:
        in_order = f"ORDER BY hold_until, order_id, id{tx.for_update}" if tx.for_update else ""
        locked = await tx.rows(
            f"SELECT id FROM commission WHERE tenant_id = $1 AND {column} {tx.within(2, 'uuid')} "
            f"AND status = 'pending' {in_order}",
            tx.tenant_id,
            list(ids),
        )
        rows = await tx.rows(
            f"UPDATE commission SET status = 'reversed' "
            f"WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} AND status = 'pending' "
            f"RETURNING order_id, beneficiary_id, currency, amount_minor - reversed_minor AS amount_minor",
            tx.tenant_id,
            [row["id"] for row in locked],
        )
        return _told(_summed(rows))


def _told(reversals: list[Reversed]) -> list[Reversed]:
    tell(
        Event(EventKind.COMMISSION_REVERSED, one.order_id, one.beneficiary_id, one.amount_minor, one.currency)
        for one in reversals
    )
    return reversals


def _summed(rows: Sequence[Row]) -> list[Reversed]:
    sums: dict[tuple[OrderId, DistributorId, str], int] = {}
    for row in rows:
        key = (row["order_id"], row["beneficiary_id"], row["currency"])
        sums[key] = sums.get(key, 0) + row["amount_minor"]
    return [Reversed(*key, amount) for key, amount in sorted(sums.items())]
