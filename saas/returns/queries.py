"""Returns and write-offs as they are read, and what a return took back of whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.base.db import reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import CommissionId, DistributorId, OrderId, OrderLineId, ReturnId, WriteOffId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.returns.rules import OPEN_STATES, ReturnState


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnView:
    """One return. ``goods_minor`` is what its goods had cost, known once they were received.

    ``override_reason``: why the brand took it after the time for returns was over. ``whole``: with it all of the order
    had come back.
    """

    id: ReturnId
    order_id: OrderId
    seller_id: DistributorId
    status: ReturnState
    currency: str
    reason: str
    override_reason: str | None
    requested_by: UUID | None
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    decision: str | None
    sellable: bool | None
    whole: bool
    goods_minor: int | None
    received_by: UUID | None
    received_at: datetime | None
    exchange_order_id: OrderId | None
    freight_minor: int | None
    refunded_minor: int | None
    refunded_by: UUID | None
    refunded_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLineView:
    """Pieces of one line; ``refund_minor`` is what they had cost, known once they were received."""

    return_id: ReturnId
    line_id: OrderLineId
    line_no: int
    sku: str
    quantity: int
    refund_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalView:
    """What a return took back of one share, and on which account the money was then."""

    return_id: ReturnId
    commission_id: CommissionId
    beneficiary_id: DistributorId
    component: str
    level: int
    currency: str
    account: str
    amount_minor: int
    reversed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffView:
    """A debt that the brand gives up, once a second person agreed."""

    id: WriteOffId
    distributor_id: DistributorId
    currency: str
    amount_minor: int
    reason: str
    status: str
    requested_by: UUID
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFilter:
    """Which returns; what is not given does not matter."""

    statuses: Collection[ReturnState] | None = None
    seller_id: DistributorId | None = None
    order_id: OrderId | None = None


_COLUMNS = (
    "r.id, r.order_id, r.seller_id, r.status, o.currency, r.reason, r.override_reason, r.requested_by, r.requested_at, "
    "r.decided_by, r.decided_at, r.decision, r.sellable, r.whole, r.goods_minor, r.received_by, r.received_at, "
    "r.exchange_order_id, r.freight_minor, r.refunded_minor, r.refunded_by, r.refunded_at"
)
_FROM = "FROM return_case r JOIN sales_order o ON o.tenant_id = r.tenant_id AND o.id = r.order_id"
_WRITE_OFF = (
    "id, distributor_id, currency, amount_minor, reason, status, requested_by, requested_at, decided_by, decided_at"
)


async def return_by_id(return_id: ReturnId, seller_id: DistributorId | None = None) -> ReturnView:
    """One return. Raises ``NotFound``, also for one of another seller when ``seller_id`` is given."""
    async with reading() as tx:
        row = await tx.row(f"SELECT {_COLUMNS} {_FROM} WHERE r.tenant_id = $1 AND r.id = $2", tx.tenant_id, return_id)
    if row is None or seller_id not in (None, row["seller_id"]):
        raise NotFound("input.id", kind="return", value=return_id)
    return ReturnView(**{**row, "status": ReturnState(row["status"])})


async def returns(request: PageRequest, wanted: ReturnFilter) -> Page[ReturnView]:
    """A page of returns, the latest first."""
    async with reading() as tx:
        where = Where(tx, "r")
        if wanted.statuses is not None:
            where.within("r.status", list(wanted.statuses))
        if wanted.seller_id is not None:
            where.add("r.seller_id = $", wanted.seller_id)
        if wanted.order_id is not None:
            where.add("r.order_id = $", wanted.order_id)
        if request.after is not None:
            at, id_ = decode_cursor(request.after, datetime, UUID)
            where.after(("r.requested_at", "r.id"), (at, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_COLUMNS} {_FROM} WHERE {where.sql} "
            f"ORDER BY r.requested_at DESC, r.id DESC LIMIT {request.first + 1}",
            *where.args,
        )
    found = [ReturnView(**{**row, "status": ReturnState(row["status"])}) for row in rows]
    return page_of(found, request, [encode_cursor(one.requested_at, one.id) for one in found])


async def open_returns(seller_id: DistributorId) -> int:
    """How many returns of a seller's orders still expect something: a decision, the goods or the refund."""
    async with reading() as tx:
        found: int = await tx.value(
            f"SELECT count(*) FROM return_case WHERE tenant_id = $1 AND seller_id = $2 "
            f"AND status {tx.within(3, 'text')}",
            tx.tenant_id,
            seller_id,
            list(OPEN_STATES),
        )
    return found


async def returns_to_come(beneficiary_id: DistributorId) -> int:
    """How many returns whose goods are not there yet may take commission back from a distributor."""
    async with reading() as tx:
        found: int = await tx.value(
            "SELECT count(*) FROM return_case r WHERE r.tenant_id = $1 AND r.status IN ('requested', 'approved') "
            "AND EXISTS (SELECT 1 FROM return_line b JOIN commission c ON c.tenant_id = b.tenant_id "
            "AND c.line_id = b.line_id WHERE b.tenant_id = $1 AND b.return_id = r.id AND c.beneficiary_id = $2 "
            "AND c.status IN ('pending', 'available', 'settled') AND c.amount_minor > c.reversed_minor)",
            tx.tenant_id,
            beneficiary_id,
        )
    return found


async def lines_of(return_ids: Collection[ReturnId]) -> Mapping[ReturnId, Sequence[ReturnLineView]]:
    """The lines of each return, in the order of their order."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT r.return_id, r.line_id, l.line_no, l.sku, r.quantity, r.refund_minor FROM return_line r "
            f"JOIN order_line l ON l.tenant_id = r.tenant_id AND l.id = r.line_id "
            f"WHERE r.tenant_id = $1 AND r.return_id {tx.within(2, 'uuid')} ORDER BY r.return_id, l.line_no",
            tx.tenant_id,
            list(return_ids),
        )
    found: dict[ReturnId, list[ReturnLineView]] = {return_id: [] for return_id in return_ids}
    for row in rows:
        found[row["return_id"]].append(ReturnLineView(**row))
    return found


async def reversals_of(
    return_ids: Collection[ReturnId], beneficiary_id: DistributorId | None = None
) -> Mapping[ReturnId, Sequence[ReversalView]]:
    """What each return took back, of everybody or of one beneficiary."""
    async with reading() as tx:
        where = Where(tx, "v")
        where.within("v.return_id", list(return_ids), "uuid")
        if beneficiary_id is not None:
            where.add("v.beneficiary_id = $", beneficiary_id)
        rows = await tx.rows(
            f"SELECT v.return_id, v.commission_id, v.beneficiary_id, c.component, c.level, v.currency, v.account, "
            f"v.amount_minor, v.reversed_at FROM commission_reversal v "
            f"JOIN commission c ON c.tenant_id = v.tenant_id AND c.id = v.commission_id "
            f"WHERE {where.sql} ORDER BY v.return_id, c.line_id, c.level, c.component",
            *where.args,
        )
    found: dict[ReturnId, list[ReversalView]] = {return_id: [] for return_id in return_ids}
    for row in rows:
        found[row["return_id"]].append(ReversalView(**row))
    return found


async def write_off_by_id(write_off_id: WriteOffId) -> WriteOffView:
    """One write-off. Raises ``NotFound``."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_WRITE_OFF} FROM write_off WHERE tenant_id = $1 AND id = $2", tx.tenant_id, write_off_id
        )
    if row is None:
        raise NotFound("input.id", kind="write-off", value=write_off_id)
    return WriteOffView(**row)


async def write_offs(request: PageRequest, distributor_id: DistributorId | None = None) -> Page[WriteOffView]:
    """Write-offs, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        if distributor_id is not None:
            where.add("distributor_id = $", distributor_id)
        if request.after is not None:
            at, id_ = decode_cursor(request.after, datetime, UUID)
            where.after(("requested_at", "id"), (at, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_WRITE_OFF} FROM write_off WHERE {where.sql} "
            f"ORDER BY requested_at DESC, id DESC LIMIT {request.first + 1}",
            *where.args,
        )
    found = [WriteOffView(**row) for row in rows]
    return page_of(found, request, [encode_cursor(one.requested_at, one.id) for one in found])
