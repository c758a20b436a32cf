"""Exits as they are read, each with the quote it was decided on."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from saas.base.db import Row, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, ExitId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.exits.rules import ExitKind, ExitState, Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitView:
    """One exit."""

    id: ExitId
    distributor_id: DistributorId
    kind: ExitKind
    status: ExitState
    reason: str
    quote: Quote
    requested_by: UUID
    requested_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    executed_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitFilter:
    """Which exits; None does not restrict."""

    statuses: Collection[ExitState] | None = None
    kinds: Collection[ExitKind] | None = None
    distributor_id: DistributorId | None = None


_COLUMNS = (
    "id, distributor_id, kind, status, reason, quote, requested_by, requested_at, approved_by, approved_at, "
    "executed_at, closed_at"
)


async def exit_by_id(exit_id: ExitId, distributor_id: DistributorId | None = None) -> ExitView:
    """One exit. Raises ``NotFound``, also for one of somebody else when ``distributor_id`` is given."""
    async with reading() as tx:
        row = await tx.row(f"SELECT {_COLUMNS} FROM exit_case WHERE tenant_id = $1 AND id = $2", tx.tenant_id, exit_id)
    if row is None or distributor_id not in (None, row["distributor_id"]):
        raise NotFound("input.id", kind="exit", value=exit_id)
    return _view(row)


async def exits(wanted: ExitFilter, page: PageRequest) -> Page[ExitView]:
    """The exits, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        if wanted.statuses is not None:
            where.within("status", list(wanted.statuses))
        if wanted.kinds is not None:
            where.within("kind", list(wanted.kinds))
        if wanted.distributor_id is not None:
            where.add("distributor_id = $", wanted.distributor_id)
        if page.after:
            where.add("id < $", decode_cursor(page.after, UUID)[0])
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM exit_case WHERE {where.sql} ORDER BY id DESC LIMIT {page.first + 1}", *where.args
        )
    return page_of([_view(row) for row in rows], page, [encode_cursor(row["id"]) for row in rows])


def _view(row: Row) -> ExitView:
    said = orjson.loads(row["quote"])
    heir, final_at = said.pop("heir_id"), said.pop("final_at")
    quote = Quote(
        heir_id=DistributorId(UUID(heir)) if heir else None,
        final_at=datetime.fromisoformat(final_at) if final_at else None,
        **said,
    )
    return ExitView(**{**row, "kind": ExitKind(row["kind"]), "status": ExitState(row["status"]), "quote": quote})
