"""Payouts, destinations and batches as they are read. Destinations are masked here; commands read them in clear."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.base.db import Row, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, PayoutBatchId, PayoutId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.payouts.rules import OPEN_STATES, BatchState, Breakdown, DestinationKind, DestinationState, PayoutState


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationView:
    """A destination with its number masked; payouts leave for it ``usable_from`` then on, None: at once."""

    id: UUID
    distributor_id: DistributorId
    kind: DestinationKind
    masked: str
    has_invoice: bool
    status: DestinationState
    created_at: datetime
    verified_at: datetime | None
    verified_by: UUID | None
    usable_from: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutView:
    """A payout with its arithmetic, and the destination it goes to, masked."""

    id: PayoutId
    distributor_id: DistributorId
    destination: str
    batch_id: PayoutBatchId | None
    currency: str
    amounts: Breakdown
    status: PayoutState
    requested_by: UUID | None
    requested_at: datetime
    finished_at: datetime | None
    failure: str | None
    provider_reference: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFilter:
    """Which payouts; None does not restrict. The period ``[since, until)`` is of the request."""

    distributor_id: DistributorId | None = None
    batch_id: PayoutBatchId | None = None
    statuses: Collection[PayoutState] | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch with what is in it. Paid and failed count payouts."""

    id: PayoutBatchId
    number: str
    provider: str
    currency: str
    status: BatchState
    payouts: int
    paid: int
    failed: int
    unknown: int
    requested_minor: int
    net_minor: int
    created_by: UUID
    created_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    submitted_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account as it may be read: which provider, how its number ends, and since when."""

    provider: str
    masked: str
    set_by: UUID
    set_at: datetime


_DESTINATION = (
    "id, distributor_id, kind, masked, has_invoice, status, created_at, verified_at, verified_by, usable_from"
)
_PAYOUT = (
    "p.id, p.distributor_id, d.masked AS destination, p.batch_id, p.currency, p.requested_minor, p.fee_minor, "
    "p.withheld_minor, p.net_minor, p.status, p.requested_by, p.requested_at, p.finished_at, p.failure, "
    "p.provider_reference"
)
_FROM = "FROM payout p JOIN payout_destination d ON d.tenant_id = p.tenant_id AND d.id = p.destination_id"
_BATCH = """
SELECT b.id, b.number, b.provider, b.currency, b.status, b.created_by, b.created_at, b.approved_by, b.approved_at,
    b.submitted_at, b.completed_at, count(p.id) AS payouts, count(p.id) FILTER (WHERE p.status = 'paid') AS paid,
    count(p.id) FILTER (WHERE p.status = 'failed') AS failed,
    count(p.id) FILTER (WHERE p.status = 'unknown') AS unknown,
    CAST(coalesce(sum(p.requested_minor), 0) AS bigint) AS requested_minor,
    CAST(coalesce(sum(p.net_minor), 0) AS bigint) AS net_minor
FROM payout_batch b LEFT JOIN payout p ON p.tenant_id = b.tenant_id AND p.batch_id = b.id
WHERE {where}
GROUP BY b.tenant_id, b.id ORDER BY b.created_at DESC, b.id DESC LIMIT {limit}
"""


async def destination_of(distributor_id: DistributorId) -> DestinationView | None:
    """The live destination of a distributor."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_DESTINATION} FROM payout_destination "
            f"WHERE tenant_id = $1 AND distributor_id = $2 AND status <> 'retired'",
            tx.tenant_id,
            distributor_id,
        )
    return None if row is None else _destination(row)


async def destination_by_id(destination_id: UUID) -> DestinationView:
    """A destination, live or retired. Raises ``NotFound``."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_DESTINATION} FROM payout_destination WHERE tenant_id = $1 AND id = $2",
            tx.tenant_id,
            destination_id,
        )
    if row is None:
        raise NotFound("id", kind="payout destination", value=destination_id)
    return _destination(row)


async def destinations(page: PageRequest, status: DestinationState | None = None) -> Page[DestinationView]:
    """Destinations, the oldest first, so that those that wait longest to be verified lead."""
    async with reading() as tx:
        where = Where(tx)
        if status is not None:
            where.add("status = $", status)
        if page.after:
            at, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("created_at", "id"), (at, id_), descending=False)
        rows = await tx.rows(
            f"SELECT {_DESTINATION} FROM payout_destination WHERE {where.sql} "
            f"ORDER BY created_at, id LIMIT {page.first + 1}",
            *where.args,
        )
    found = [_destination(row) for row in rows]
    return page_of(found, page, [encode_cursor(one.created_at, one.id) for one in found])


async def payouts(wanted: PayoutFilter, page: PageRequest) -> Page[PayoutView]:
    """Payouts, the latest first."""
    async with reading() as tx:
        where = Where(tx, "p")
        if wanted.distributor_id is not None:
            where.add("p.distributor_id = $", wanted.distributor_id)
        if wanted.batch_id is not None:
            where.add("p.batch_id = $", wanted.batch_id)
        if wanted.statuses is not None:
            where.within("p.status", list(wanted.statuses))
        if wanted.since is not None:
            where.add("p.requested_at >= $", wanted.since)
        if wanted.until is not None:
            where.add("p.requested_at < $", wanted.until)
        if page.after:
            at, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("p.requested_at", "p.id"), (at, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_PAYOUT} {_FROM} WHERE {where.sql} "
            f"ORDER BY p.requested_at DESC, p.id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [_payout(row) for row in rows]
    return page_of(found, page, [encode_cursor(one.requested_at, one.id) for one in found])


async def payout_by_id(
    payout_id: PayoutId, distributor_id: DistributorId | None = None, field: str = "id"
) -> PayoutView:
    """A payout, of this distributor where one is named. Raises ``NotFound``, of ``field``."""
    async with reading() as tx:
        where = Where(tx, "p")
        where.add("p.id = $", payout_id)
        if distributor_id is not None:
            where.add("p.distributor_id = $", distributor_id)
        row = await tx.row(f"SELECT {_PAYOUT} {_FROM} WHERE {where.sql}", *where.args)
    if row is None:
        raise NotFound(field, kind="payout", value=payout_id)
    return _payout(row)


async def payouts_by_id(ids: Collection[PayoutId]) -> Mapping[PayoutId, PayoutView]:
    """These payouts, in one statement; those the brand does not have are left out."""
    async with reading() as tx:
        where = Where(tx, "p")
        where.within("p.id", list(ids), "uuid")
        rows = await tx.rows(f"SELECT {_PAYOUT} {_FROM} WHERE {where.sql}", *where.args)
    return {row["id"]: _payout(row) for row in rows}


async def open_payouts(distributor_id: DistributorId) -> int:
    """How many payouts of a distributor have no final result yet."""
    async with reading() as tx:
        where = Where(tx)
        where.add("distributor_id = $", distributor_id)
        where.within("status", list(OPEN_STATES))
        count: int = await tx.value(f"SELECT count(*) FROM payout WHERE {where.sql}", *where.args)
    return count


async def batches(page: PageRequest, status: BatchState | None = None) -> Page[BatchView]:
    """Batches, the latest first."""
    async with reading() as tx:
        where = Where(tx, "b")
        if status is not None:
            where.add("b.status = $", status)
        if page.after:
            at, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("b.created_at", "b.id"), (at, id_), descending=True)
        rows = await tx.rows(_BATCH.format(where=where.sql, limit=page.first + 1), *where.args)
    found = [_batch(row) for row in rows]
    return page_of(found, page, [encode_cursor(one.created_at, one.id) for one in found])


async def batch_by_id(batch_id: PayoutBatchId, field: str = "id") -> BatchView:
    """A batch. Raises ``NotFound``, of ``field``."""
    async with reading() as tx:
        row = await tx.row(_BATCH.format(where="b.tenant_id = $1 AND b.id = $2", limit=1), tx.tenant_id, batch_id)
    if row is None:
        raise NotFound(field, kind="payout batch", value=batch_id)
    return _batch(row)


async def accounts() -> list[AccountView]:
    """The brand's accounts, without what is secret."""
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT provider, masked, set_by, set_at FROM provider_account WHERE tenant_id = $1 ORDER BY provider",
            tx.tenant_id,
        )
    return [AccountView(**row) for row in rows]


def _destination(row: Row) -> DestinationView:
    kind, status = DestinationKind(row["kind"]), DestinationState(row["status"])
    return DestinationView(**{**row, "kind": kind, "status": status})


def _batch(row: Row) -> BatchView:
    return BatchView(**{**row, "status": BatchState(row["status"])})


def _payout(row: Row) -> PayoutView:
    return PayoutView(
        id=row["id"],
        distributor_id=row["distributor_id"],
        destination=row["destination"],
        batch_id=row["batch_id"],
        currency=row["currency"],
        amounts=Breakdown(
            requested_minor=row["requested_minor"],
            fee_minor=row["fee_minor"],
            withheld_minor=row["withheld_minor"],
            net_minor=row["net_minor"],
        ),
        status=PayoutState(row["status"]),
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        finished_at=row["finished_at"],
        failure=row["failure"],
        provider_reference=row["provider_reference"],
    )
