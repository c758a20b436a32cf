"""Periods as they are read: which are due, what a close would write, closes, awards with their explanation, reviews."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Row, as_time, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound, Said
from saas.base.ids import AwardId, DistributorId, OrderId, PeriodCloseId, StatementId
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.network.tiers import Outcome, TierHolder, explained, recalled
from saas.performance.planning import Plan, plan, reigns
from saas.performance.reads import CalendarPeriod, calendar_period
from saas.performance.rules import AwardReason, Detail, Figures, components_of, reviews_tiers
from tenants.program.calendar import period_label
from tenants.program.document import Program
from tenants.program.parts import PeriodLength
from tenants.program.versions import program
from tenants.registry import this_brand

LENGTHS: Sequence[PeriodLength] = ("month", "quarter", "year")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCloseView:
    """A closed period: what it paid and whom it promoted, demoted or revoked."""

    id: PeriodCloseId
    length: PeriodLength
    period_from: date
    period_until: date
    currency: str
    program_number: int
    awards: int
    awards_minor: int
    tier_changes: int
    closed_at: datetime
    closed_by: UUID | None

    @property
    def label(self) -> str:
        """What people call it."""
        return period_label(self.length, self.period_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardView:
    """An award and where its money is; it is what ``explain`` takes."""

    id: AwardId
    close_id: PeriodCloseId
    distributor_id: DistributorId
    component: str
    kind: str
    scope: str
    program_number: int
    currency: str
    tier: str | None
    measured: int
    amount_minor: int
    reason: AwardReason
    detail: Detail
    order_id: OrderId | None
    status: str
    earned_at: datetime
    length: PeriodLength
    period_from: date
    period_until: date
    statement_id: StatementId | None

    @property
    def label(self) -> str:
        """What people call the period."""
        return period_label(self.length, self.period_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardFilter:
    """Which awards; what is not given does not matter. ``day`` lies in the period."""

    distributor_id: DistributorId | None = None
    close_id: PeriodCloseId | None = None
    components: Collection[str] | None = None
    statuses: Collection[str] | None = None
    length: PeriodLength | None = None
    day: date | None = None
    statement_id: StatementId | None = None


_CLOSE = (
    "id, length, period_from, period_until, currency, program_number, awards, awards_minor, tier_changes, closed_at, "
    "closed_by"
)
_AWARD = (
    "a.id, a.close_id, a.distributor_id, a.component, a.kind, a.scope, a.program_number, a.currency, a.tier, "
    "a.measured, a.amount_minor, a.detail, a.order_id, a.status, a.earned_at, p.length, a.period_from, a.period_until, "
    "a.statement_id"
)
_REVIEW = (
    "r.id, r.close_id, r.distributor_id, r.period_from, r.tier_before, r.tier_after, r.outcome, r.misses, r.own_minor, "
    "r.group_minor, r.active_downline_minor, r.orders, p.length, p.program_number, p.currency, d.code"
)
_REVIEWS = (
    "FROM tier_review r JOIN period_close p ON p.tenant_id = r.tenant_id AND p.id = r.close_id "
    "JOIN distributor d ON d.tenant_id = r.tenant_id AND d.id = r.distributor_id"
)
_AWARDS = "FROM award a JOIN period_close p ON p.tenant_id = a.tenant_id AND p.id = a.close_id"


async def preview_period(length: PeriodLength, day: date) -> Plan:
    """What closing the period of ``day`` would write as things are now; reads only, and may still be running.

    Raises ``NoActiveProgram`` or ``NothingInPeriod``.
    """
    async with reading():
        return await plan(calendar_period(length, day, (await this_brand()).time_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class TierReviewView:
    """How a close judged the holder of a tier; ``said`` is the review in one sentence, in both languages."""

    id: UUID
    close_id: PeriodCloseId
    distributor_id: DistributorId
    length: PeriodLength
    period_from: date
    tier_before: str
    tier_after: str
    outcome: Outcome
    misses: int
    suspends: bool
    figures: Figures
    currency: str
    said: Said

    @property
    def label(self) -> str:
        """What people call the period."""
        return period_label(self.length, self.period_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierReviewFilter:
    """Which reviews; what is not given does not matter. ``day`` lies in the period."""

    distributor_id: DistributorId | None = None
    close_id: PeriodCloseId | None = None
    outcomes: Collection[Outcome] | None = None
    day: date | None = None


async def close_of(length: PeriodLength, first: date) -> PeriodCloseView | None:
    """The close of a period, if it is closed."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_CLOSE} FROM period_close WHERE tenant_id = $1 AND length = $2 AND period_from = $3",
            tx.tenant_id,
            length,
            first,
        )
    return None if row is None else PeriodCloseView(**row)


async def close_by_id(close_id: PeriodCloseId) -> PeriodCloseView:
    """One closed period. Raises ``NotFound``."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_CLOSE} FROM period_close WHERE tenant_id = $1 AND id = $2", tx.tenant_id, close_id
        )
    if row is None:
        raise NotFound("id", kind="period close", value=close_id)
    return PeriodCloseView(**row)


async def period_closes(page: PageRequest, length: PeriodLength | None = None) -> Page[PeriodCloseView]:
    """Closed periods, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        if length is not None:
            where.add("length = $", length)
        if page.after:
            until, id_ = decode_cursor(page.after, date, UUID)
            where.after(("period_until", "id"), (until, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_CLOSE} FROM period_close WHERE {where.sql} "
            f"ORDER BY period_until DESC, id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [PeriodCloseView(**row) for row in rows]
    return page_of(found, page, [encode_cursor(one.period_until, one.id) for one in found])


async def periods_due() -> Sequence[CalendarPeriod]:
    """The periods that are over and not closed although their program pays or reviews by them, the earliest first.

    From the one in which the first order was paid.
    """
    async with reading() as tx:
        first = await tx.value(
            "SELECT paid_at FROM sales_order WHERE tenant_id = $1 AND paid_at IS NOT NULL ORDER BY paid_at LIMIT 1",
            tx.tenant_id,
        )
        if first is None:
            return []
        zone = (await this_brand()).time_zone
        closed = await tx.rows("SELECT length, period_from FROM period_close WHERE tenant_id = $1", tx.tenant_id)
        known = {(row["length"], row["period_from"]) for row in closed}
        found, versions = [], await reigns()
        for length in LENGTHS:
            period = calendar_period(length, clock.local_day(first, zone), zone)
            while period.over:
                if (length, period.first) not in known:
                    content = (await program(versions.at(period.judged_at))).program
                    if components_of(content, length) or reviews_tiers(content, length):
                        found.append(period)
                period = calendar_period(length, period.until, zone)
    return sorted(found, key=lambda one: (one.until, one.first))


async def awards(wanted: AwardFilter, page: PageRequest) -> Page[AwardView]:
    """Awards, the latest first, also those of nothing."""
    async with reading() as tx:
        where = Where(tx, "a")
        _narrow(where, wanted)
        if page.after:
            at, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("a.earned_at", "a.id"), (at, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_AWARD} {_AWARDS} WHERE {where.sql} ORDER BY a.earned_at DESC, a.id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [_award(row) for row in rows]
    return page_of(found, page, [encode_cursor(one.earned_at, one.id) for one in found])


async def awards_on(statement_id: StatementId) -> Sequence[AwardView]:
    """The awards that a statement settles, in the order they were earned; a handful for each period."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_AWARD} {_AWARDS} WHERE a.tenant_id = $1 AND a.statement_id = $2 ORDER BY a.earned_at, a.id",
            tx.tenant_id,
            statement_id,
        )
    return [_award(row) for row in rows]


async def tier_reviews(wanted: TierReviewFilter, page: PageRequest) -> Page[TierReviewView]:
    """Reviews of tiers, those of the latest period first."""
    async with reading() as tx:
        where = Where(tx, "r")
        if wanted.distributor_id is not None:
            where.add("r.distributor_id = $", wanted.distributor_id)
        if wanted.close_id is not None:
            where.add("r.close_id = $", wanted.close_id)
        if wanted.outcomes is not None:
            where.within("r.outcome", [str(outcome) for outcome in wanted.outcomes])
        if wanted.day is not None:
            where.add("r.period_from <= $", wanted.day)
            where.add("p.period_until > $", wanted.day)
        if page.after:
            first, id_ = decode_cursor(page.after, date, UUID)
            where.after(("r.period_from", "r.id"), (first, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_REVIEW} {_REVIEWS} WHERE {where.sql} ORDER BY r.period_from DESC, r.id DESC "
            f"LIMIT {page.first + 1}",
            *where.args,
        )
        found = [_review(row, (await program(row["program_number"])).program) for row in rows]
    return page_of(found, page, [encode_cursor(one.period_from, one.id) for one in found])


def _review(row: Row, content: Program) -> TierReviewView:
    outcome = Outcome(row["outcome"])
    figures = Figures(row["own_minor"], row["group_minor"], row["active_downline_minor"], row["orders"])
    holder = TierHolder(row["distributor_id"], row["code"], row["tier_before"], 0, row["misses"])
    review = recalled(content, holder, figures, outcome=outcome, tier_after=row["tier_after"], misses=row["misses"])
    return TierReviewView(
        id=row["id"],
        close_id=row["close_id"],
        distributor_id=row["distributor_id"],
        length=row["length"],
        period_from=row["period_from"],
        tier_before=row["tier_before"],
        tier_after=row["tier_after"],
        outcome=outcome,
        misses=row["misses"],
        suspends=review.suspends,
        figures=figures,
        currency=row["currency"],
        said=explained(content, review),
    )


def _narrow(where: Where, wanted: AwardFilter) -> None:
    for column, value in (
        ("a.distributor_id", wanted.distributor_id),
        ("a.close_id", wanted.close_id),
        ("p.length", wanted.length),
        ("a.statement_id", wanted.statement_id),
    ):
        if value is not None:
            where.add(f"{column} = $", value)
    if wanted.components is not None:
        where.within("a.component", list(wanted.components))
    if wanted.statuses is not None:
        where.within("a.status", list(wanted.statuses))
    if wanted.day is not None:
        where.add("a.period_from <= $", wanted.day)
        where.add("a.period_until > $", wanted.day)


def _award(row: Row) -> AwardView:
    detail = orjson.loads(row["detail"])
    reason = AwardReason(detail.pop("reason"))
    earned_at = as_time(row["earned_at"])
    return AwardView(**{**row, "detail": detail, "reason": reason, "earned_at": earned_at})
