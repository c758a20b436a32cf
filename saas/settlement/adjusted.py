"""Adjustments as they are read, and on their way to a statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from saas.base.db import ConstraintViolated, Row, Tx, reading
from saas.base.db.where import Where
from saas.base.ids import AdjustmentId, DistributorId, StatementId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of

TAKEN_COLUMNS = "id uuid, distributor_id uuid, kind text, amount_minor bigint"
"""The columns of a scratch table of adjustments that were taken."""

_SUMS = (
    "SELECT distributor_id AS owner_id, "
    "CAST(sum(CASE kind WHEN 'adjustment' THEN amount_minor ELSE 0 END) AS bigint) AS amount_minor, "
    "CAST(sum(CASE kind WHEN 'penalty' THEN amount_minor ELSE 0 END) AS bigint) AS penalties_minor"
)
DUE = f"{_SUMS} FROM adjustment WHERE tenant_id = $1 AND status = 'approved' AND currency = $2 GROUP BY distributor_id"
"""SQL of what the next closing takes in the currency ``$2``, by owner: all that a second person agreed to."""


class AdjustmentKind(StrEnum):
    """What was decided: an adjustment either way, or a penalty, which takes until it is lifted."""

    ADJUSTMENT = "adjustment"
    PENALTY = "penalty"


class AdjustmentState(StrEnum):
    """Where an adjustment is. An approved one waits for the next statement; a settled one is on it."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentView:
    """An amount in minor units in the distributor's favour, or against it when negative, with its reason.

    A penalty is negative; one that is positive gives back the penalty ``lifts_id``.
    """

    id: AdjustmentId
    kind: AdjustmentKind
    lifts_id: AdjustmentId | None
    distributor_id: DistributorId
    currency: str
    amount_minor: int
    reason: str
    reference: str | None
    status: AdjustmentState
    requested_by: UUID
    requested_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None
    statement_id: StatementId | None

    @property
    def stated(self) -> str:
        """What a line of a statement calls it."""
        return "penalty_lifted" if self.lifts_id else self.kind


_COLUMNS = (
    "id, kind, lifts_id, distributor_id, currency, amount_minor, reason, reference, status, requested_by, "
    "requested_at, decided_by, decided_at, statement_id"
)


async def adjustments(
    page: PageRequest,
    *,
    distributor_id: DistributorId | None = None,
    statement_id: StatementId | None = None,
    status: AdjustmentState | None = None,
    kind: AdjustmentKind | None = None,
) -> Page[AdjustmentView]:
    """Adjustments, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        wanted = {"distributor_id": distributor_id, "statement_id": statement_id, "status": status, "kind": kind}
        for column, value in wanted.items():
            if value is not None:
                where.add(f"{column} = $", value)
        if page.after:
            at, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("requested_at", "id"), (at, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM adjustment WHERE {where.sql} "
            f"ORDER BY requested_at DESC, id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [_view(row) for row in rows]
    return page_of(found, page, [encode_cursor(one.requested_at, one.id) for one in found])


async def adjustments_by_id(ids: Sequence[AdjustmentId]) -> list[AdjustmentView]:
    """Those of these adjustments that there are, in the order they were asked for."""
    async with reading() as tx:
        where = Where(tx)
        where.within("id", list(ids), "uuid")
        return await _read(tx, where)


async def lifted_among(ids: Sequence[AdjustmentId]) -> list[AdjustmentId]:
    """Those of these penalties of which it was asked, and not turned down, that they are given back."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT lifts_id FROM adjustment WHERE tenant_id = $1 AND lifts_id {tx.within(2, 'uuid')} "
            f"AND status <> 'rejected'",
            tx.tenant_id,
            list(ids),
        )
    return [row["lifts_id"] for row in rows]


async def adjustments_of_request(request_id: UUID) -> list[AdjustmentView]:
    """The adjustments that were asked for together."""
    async with reading() as tx:
        where = Where(tx)
        where.add("request_id = $", request_id)
        return await _read(tx, where)


async def adjustments_on(statement_id: StatementId) -> Sequence[AdjustmentView]:
    """The adjustments and penalties of a statement, in the order they were asked for."""
    return (await adjustments_on_each([statement_id]))[statement_id]


async def adjustments_on_each(ids: Sequence[StatementId]) -> Mapping[StatementId, Sequence[AdjustmentView]]:
    """The same of many statements, in one statement of the database."""
    async with reading() as tx:
        where = Where(tx)
        where.within("statement_id", list(ids), "uuid")
        read = await _read(tx, where)
    found: dict[StatementId, list[AdjustmentView]] = {id_: [] for id_ in ids}
    for one in read:
        if one.statement_id is not None:
            found[one.statement_id].append(one)
    return found


async def _read(tx: Tx, where: Where) -> list[AdjustmentView]:
    rows = await tx.rows(f"SELECT {_COLUMNS} FROM adjustment WHERE {where.sql}", *where.args)
    return sorted(map(_view, rows), key=lambda one: (one.requested_at, one.id))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Adjustments of one distributor that are on no statement yet: how many, and what those agreed to come to."""

    count: int
    approved_minor: int


async def waiting_of(distributor_id: DistributorId, currency: str) -> Waiting:
    """What a distributor's next statement may still bring beside what it earns."""
    async with reading() as tx:
        row = await tx.row(
            "SELECT count(*) AS count, CAST(coalesce(sum(CASE WHEN status = 'approved' THEN amount_minor END), 0) "
            "AS bigint) AS approved_minor FROM adjustment WHERE tenant_id = $1 AND distributor_id = $2 "
            "AND currency = $3 AND status IN ('requested', 'approved')",
            tx.tenant_id,
            distributor_id,
            currency,
        )
    return Waiting(0, 0) if row is None else Waiting(**row)


async def first_decided(currency: str) -> datetime | None:
    """When the first of what waits for a statement was agreed to."""
    async with reading() as tx:
        row = await tx.row(
            "SELECT decided_at FROM adjustment WHERE tenant_id = $1 AND status = 'approved' AND currency = $2 "
            "ORDER BY decided_at LIMIT 1",
            tx.tenant_id,
            currency,
        )
    return None if row is None else row["decided_at"]


async def take_approved(tx: Tx, into: str, currency: str) -> int:
    """List the adjustments that wait for a statement, locked; answers how many."""
    return await tx.execute(
        f"INSERT INTO {into} (id, distributor_id, kind, amount_minor) SELECT id, distributor_id, kind, amount_minor "
        f"FROM adjustment WHERE tenant_id = $1 AND status = 'approved' AND currency = $2 ORDER BY id{tx.for_update}",
        tx.tenant_id,
        currency,
    )


def taken_of(taken: str) -> str:
    """SQL of what adjustments and penalties that were taken come to, by owner."""
    return f"{_SUMS} FROM {taken} GROUP BY distributor_id"


async def settle(tx: Tx, taken: str, settlement_id: UUID, count: int) -> None:
    """Put the ``count`` adjustments that were taken on the statements of a settlement, which are written already."""
    changed = await tx.execute(
        f"UPDATE adjustment SET status = 'settled', statement_id = v.statement_id FROM ("
        f"SELECT t.id, s.id AS statement_id FROM {taken} t JOIN statement s ON s.tenant_id = $1 "
        f"AND s.settlement_id = $2 AND s.distributor_id = t.distributor_id) AS v "
        f"WHERE adjustment.tenant_id = $1 AND adjustment.status = 'approved' AND adjustment.id = v.id",
        tx.tenant_id,
        settlement_id,
    )
    if changed != count:
        raise ConstraintViolated(f"{changed} of {count} locked adjustments changed")


def _view(row: Row) -> AdjustmentView:
    """A row as it is read."""
    values: dict[str, Any] = {**row, "status": AdjustmentState(row["status"]), "kind": AdjustmentKind(row["kind"])}
    return AdjustmentView(**values)
