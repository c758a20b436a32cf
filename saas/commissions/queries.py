"""Commission as it is read: with its explanation, by order and by beneficiary, and summed up."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import orjson

from saas.base.db import Row, as_time, reading
from saas.base.db.where import Where
from saas.base.ids import CommissionId, DistributorId, OrderId, OrderLineId, StatementId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.commissions.rules import Reason, Share

_COLUMNS = (
    "id, order_id, line_id, component, level, beneficiary_id, tier, rate_bps, per_piece_minor, base_minor, quantity, "
    "amount_minor, reason, detail, program_number, currency, status, earned_at, hold_until, statement_id, "
    "reversed_minor, clawed_minor, evened_minor"
)

_REASONS = {reason.value: reason for reason in Reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionView:
    """One share of one order line and where its money is; ``share`` is what ``explain`` takes, as of the sale.

    ``reversed_minor`` of it was taken back, ``clawed_minor`` of that after it was on a statement. ``evened_minor`` of
    the lift was evened, before any limit and before a lead was shared.
    """

    id: CommissionId
    order_id: OrderId
    line_id: OrderLineId
    share: Share
    program_number: int
    currency: str
    status: str
    earned_at: datetime
    hold_until: datetime | None
    statement_id: StatementId | None
    reversed_minor: int
    clawed_minor: int
    evened_minor: int

    @property
    def stated_minor(self) -> int:
        """What its statement has of it: what was left when the period was closed."""
        return self.share.amount_minor - self.reversed_minor + self.clawed_minor


class CommissionSort(StrEnum):
    """The order of a list of commission."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"


_SORTS = {
    CommissionSort.NEWEST: ("earned_at", datetime, True),
    CommissionSort.OLDEST: ("earned_at", datetime, False),
    CommissionSort.LARGEST: ("amount_minor", int, True),
    CommissionSort.SMALLEST: ("amount_minor", int, False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionFilter:
    """Which commission; what is not given does not matter. The period ``[since, until)`` is of the payment."""

    statuses: Sequence[str] | None = None
    components: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    statement_id: StatementId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSum:
    """What one level of one component came to in a period. ``shares`` counts those that earned and stand."""

    component: str
    level: int
    currency: str
    shares: int
    earned_minor: int
    reversed_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """What keeps a distributor's pending commission: when the last hold ends, and how many shares await a delivery."""

    last_hold_until: datetime | None
    undelivered: int


async def of_orders(order_ids: Collection[OrderId]) -> Mapping[OrderId, Sequence[CommissionView]]:
    """The shares of each order, by line, level and component."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM commission WHERE tenant_id = $1 AND order_id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            list(order_ids),
        )
    found: dict[OrderId, list[CommissionView]] = {order_id: [] for order_id in order_ids}
    for view in sorted(map(_view, rows), key=place):
        found[view.order_id].append(view)
    return found


def place(view: CommissionView) -> tuple[UUID, int, str]:
    """Where a share stands among those of its order: by line, level and component, whatever the database collates."""
    return view.line_id, view.share.level, view.share.component


async def of_beneficiary(
    beneficiary_id: DistributorId,
    request: PageRequest,
    wanted: CommissionFilter,
    sort: CommissionSort = CommissionSort.NEWEST,
) -> Page[CommissionView]:
    """What one distributor earned, or did not although its level was reached."""
    column, kind, descending = _SORTS[sort]
    async with reading() as tx:
        where = Where(tx)
        where.add("beneficiary_id = $", beneficiary_id)
        _narrow(where, wanted)
        if request.after is not None:
            key, id_ = decode_cursor(request.after, kind, UUID)
            where.after((column, "id"), (key, id_), descending=descending)
        direction = "DESC" if descending else "ASC"
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM commission WHERE {where.sql} "
            f"ORDER BY {column} {direction}, id {direction} LIMIT {request.first + 1}",
            *where.args,
        )
    return page_of([_view(row) for row in rows], request, [encode_cursor(row[column], row["id"]) for row in rows])


async def summary(wanted: CommissionFilter, beneficiary_id: DistributorId | None = None) -> Sequence[LevelSum]:
    """Sums by component and level, of the whole brand or of one beneficiary."""
    async with reading() as tx:
        where = Where(tx)
        _narrow(where, wanted)
        if beneficiary_id is not None:
            where.add("beneficiary_id = $", beneficiary_id)
        rows = await tx.rows(
            f"SELECT component, level, currency, "
            f"count(*) FILTER (WHERE status NOT IN ('nothing', 'reversed')) AS shares, "
            f"CAST(coalesce(sum(amount_minor - reversed_minor) FILTER (WHERE status <> 'reversed'), 0) AS bigint) "
            f"AS earned_minor, CAST(coalesce(sum(CASE status WHEN 'reversed' THEN amount_minor "
            f"ELSE reversed_minor END), 0) AS bigint) AS reversed_minor "
            f"FROM commission WHERE {where.sql} "
            f"GROUP BY component, level, currency ORDER BY component, level, currency",
            *where.args,
        )
    return [LevelSum(**row) for row in rows]


async def holds_of(beneficiary_id: DistributorId) -> Holds:
    """The holds on one distributor's pending commission."""
    async with reading() as tx:
        row = await tx.row(
            "SELECT max(hold_until) AS last_hold_until, count(*) FILTER (WHERE hold_until IS NULL) AS undelivered "
            "FROM commission WHERE tenant_id = $1 AND beneficiary_id = $2 AND status = 'pending'",
            tx.tenant_id,
            beneficiary_id,
        )
    if row is None:
        return Holds(last_hold_until=None, undelivered=0)
    return Holds(last_hold_until=as_time(row["last_hold_until"]), undelivered=row["undelivered"])


def _narrow(where: Where, wanted: CommissionFilter) -> None:
    if wanted.statuses is not None:
        where.within("status", list(wanted.statuses))
    if wanted.components is not None:
        where.within("component", list(wanted.components))
    if wanted.since is not None:
        where.add("earned_at >= $", wanted.since)
    if wanted.until is not None:
        where.add("earned_at < $", wanted.until)
    if wanted.statement_id is not None:
        where.add("statement_id = $", wanted.statement_id)


def _view(row: Row) -> CommissionView:
    return CommissionView(
        id=row["id"],
        order_id=row["order_id"],
        line_id=row["line_id"],
        share=Share(
            row["component"],
            row["level"],
            row["beneficiary_id"],
            row["tier"],
            row["rate_bps"],
            row["per_piece_minor"],
            row["base_minor"],
            row["quantity"],
            row["amount_minor"],
            _REASONS[row["reason"]],
            tuple(orjson.loads(row["detail"])) if row["detail"] else (),
        ),
        program_number=row["program_number"],
        currency=row["currency"],
        status=row["status"],
        earned_at=row["earned_at"],
        hold_until=row["hold_until"],
        statement_id=row["statement_id"],
        reversed_minor=row["reversed_minor"],
        clawed_minor=row["clawed_minor"],
        evened_minor=row["evened_minor"] or 0,
    )
