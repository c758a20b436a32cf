"""Settlements and statements as they are read, their lines, and a statement as a file."""

from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from saas.base import clock
from saas.base.db import Row, reading
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, SettlementId, StatementId
from saas.base.paging import PAGE_MAX, Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.sheets import amount, csv_text
from saas.commissions import maturity
from saas.commissions.queries import CommissionFilter, CommissionSort, CommissionView, of_beneficiary
from saas.performance import settling
from saas.performance.queries import AwardView, awards_on
from saas.settlement.adjusted import adjustments_on, first_decided
from saas.settlement.drafting import DUE, drafted, drafts_due, drawn
from saas.settlement.policy import settlement_policy
from saas.settlement.rules import Draft, Period, SettlementPolicy, period_after, period_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementView:
    """A closed period with its totals."""

    id: SettlementId
    period: Period
    currency: str
    statements: int
    commission_minor: int
    awards_minor: int
    adjusted_minor: int
    penalties_minor: int
    closed_at: datetime
    closed_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementView:
    """A distributor's statement. Opening and closing are the settled balance; payouts since the last are negative.

    The amounts are those of ``rules.Draft`` and ``rules.Recovery``.
    """

    id: StatementId
    settlement_id: SettlementId
    distributor_id: DistributorId
    number: str
    label: str
    currency: str
    lines: int
    opening_minor: int
    commission_minor: int
    awards_minor: int
    adjusted_minor: int
    penalties_minor: int
    adjustment_minor: int
    payout_minor: int
    set_aside_minor: int
    debt_minor: int
    recovered_minor: int
    recovery_bps: int | None
    closing_minor: int
    payable_on: date
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What closing the next period would write if nothing else happened. ``over`` tells whether it may be closed.

    ``debt_minor`` is owed before it, ``recovered_minor`` what it would take of that, ``payable_minor`` what could be
    asked for afterwards by all together.
    """

    period: Period
    currency: str
    over: bool
    statements: int
    lines: int
    commission_minor: int
    awards_minor: int
    adjusted_minor: int
    penalties_minor: int
    debt_minor: int
    recovered_minor: int
    payable_minor: int


_SETTLEMENT = (
    "id, period_from, period_until, label, currency, statements, commission_minor, awards_minor, adjusted_minor, "
    "penalties_minor, closed_at, closed_by"
)
_STATEMENT = (
    "s.id, s.settlement_id, s.distributor_id, s.number, r.label, s.currency, s.lines, s.opening_minor, "
    "s.commission_minor, s.awards_minor, s.adjusted_minor, s.penalties_minor, s.adjustment_minor, s.payout_minor, "
    "s.set_aside_minor, s.debt_minor, s.recovered_minor, s.recovery_bps, s.closing_minor, s.payable_on, s.created_at"
)
_FROM = "FROM statement s JOIN settlement r ON r.tenant_id = s.tenant_id AND r.id = s.settlement_id"


async def settlements(page: PageRequest) -> Page[SettlementView]:
    """Closed periods, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        if page.after:
            until, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("period_until", "id"), (until, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_SETTLEMENT} FROM settlement WHERE {where.sql} "
            f"ORDER BY period_until DESC, id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [_settlement(row) for row in rows]
    return page_of(found, page, [encode_cursor(one.period.until, one.id) for one in found])


async def settlement_by_id(settlement_id: SettlementId) -> SettlementView:
    """One closed period. Raises ``NotFound``."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_SETTLEMENT} FROM settlement WHERE tenant_id = $1 AND id = $2", tx.tenant_id, settlement_id
        )
    if row is None:
        raise NotFound("id", kind="settlement", value=settlement_id)
    return _settlement(row)


async def settlement_of(currency: str, moment: datetime) -> SettlementView | None:
    """The closed period that ``moment`` belongs to."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_SETTLEMENT} FROM settlement "
            f"WHERE tenant_id = $1 AND currency = $2 AND period_from <= $3 AND period_until > $3",
            tx.tenant_id,
            currency,
            moment,
        )
    return None if row is None else _settlement(row)


async def next_period(policy: SettlementPolicy) -> Period | None:
    """The period to be closed next: after the last closed one, else where anything first falls due.

    None where nothing was ever settled and nothing is due: a period closed there would decide all later ones.
    """
    async with reading() as tx:
        last = await tx.row(
            "SELECT period_until FROM settlement WHERE tenant_id = $1 AND currency = $2 "
            "ORDER BY period_from DESC LIMIT 1",
            tx.tenant_id,
            policy.currency,
        )
        if last is not None:
            return period_after(policy, last["period_until"], clock.now())
        due = await _first_due(policy.currency)
        return None if due is None else period_after(policy, period_at(policy, due).since, clock.now())


async def _first_due(currency: str) -> datetime | None:
    """When something first falls due.

    Commission when its hold ends, an award within the period that earned it, an adjustment when it was agreed to.
    """
    async with reading():
        held, awarded = await maturity.first_due(currency), await settling.first_due(currency)
        within = None if awarded is None else awarded - timedelta.resolution
        moments = (held, within, await first_decided(currency))
    return min((one for one in moments if one is not None), default=None)


async def preview() -> Preview:
    """What closing the next period would do as things are now, the present one where nothing is due; reads only."""
    async with reading() as tx:
        policy = await settlement_policy()
        period = await next_period(policy) or period_at(policy, clock.now())
        totals = Counter[str]()
        async with aclosing(drafts_due(tx, policy, period)) as parts:
            async for drafts in parts:
                for one in drafts:
                    totals.update(_counted(one))
    return Preview(
        period=period,
        currency=policy.currency,
        over=period.until <= clock.now(),
        statements=totals["statements"],
        lines=totals["lines"],
        commission_minor=totals["commission"],
        awards_minor=totals["awards"],
        adjusted_minor=totals["adjusted"],
        penalties_minor=totals["penalties"],
        debt_minor=totals["debt"],
        recovered_minor=totals["recovered"],
        payable_minor=totals["payable"],
    )


def _counted(one: Draft) -> dict[str, int]:
    return {
        "statements": 1,
        "lines": one.lines,
        "commission": one.commission_minor,
        "awards": one.awards_minor,
        "adjusted": one.adjusted_minor,
        "penalties": one.penalties_minor,
        "debt": one.recovery.debt_minor,
        "recovered": one.recovery.recovered_minor,
        "payable": max(one.closing_minor, 0),
    }


async def previewed(page: PageRequest) -> Page[Draft]:
    """The statements that closing the next period would write, by distributor."""
    async with reading() as tx:
        policy = await settlement_policy()
        period = await next_period(policy) or period_at(policy, clock.now())
        after = decode_cursor(page.after, UUID)[0] if page.after else UUID(int=0)
        rows = await tx.rows(
            f"{drafted(f'({DUE})')} WHERE o.owner_id > $4 ORDER BY o.owner_id LIMIT {page.first + 1}",
            tx.tenant_id,
            policy.currency,
            period.until,
            after,
        )
    found = [drawn(policy, **row) for row in rows]
    return page_of(found, page, [encode_cursor(one.distributor_id) for one in found])


async def statements(
    page: PageRequest,
    *,
    settlement_id: SettlementId | None = None,
    distributor_id: DistributorId | None = None,
) -> Page[StatementView]:
    """Statements, of one period or of one distributor when wished, the latest first."""
    async with reading() as tx:
        where = Where(tx, "s")
        if settlement_id is not None:
            where.add("s.settlement_id = $", settlement_id)
        if distributor_id is not None:
            where.add("s.distributor_id = $", distributor_id)
        if page.after:
            at, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("s.created_at", "s.id"), (at, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {_STATEMENT} {_FROM} WHERE {where.sql} "
            f"ORDER BY s.created_at DESC, s.id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [StatementView(**row) for row in rows]
    return page_of(found, page, [encode_cursor(one.created_at, one.id) for one in found])


async def statement_by_id(statement_id: StatementId) -> StatementView:
    """One statement. Raises ``NotFound``."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT {_STATEMENT} {_FROM} WHERE s.tenant_id = $1 AND s.id = $2", tx.tenant_id, statement_id
        )
    if row is None:
        raise NotFound("id", kind="statement", value=statement_id)
    return StatementView(**row)


async def statement_lines(statement: StatementView, page: PageRequest) -> Page[CommissionView]:
    """The commission that a statement settles, in the order it was earned; each line explains itself."""
    wanted = CommissionFilter(statement_id=statement.id)
    return await of_beneficiary(statement.distributor_id, page, wanted, CommissionSort.OLDEST)


async def statement_csv(statement_id: StatementId) -> str:
    """A statement with all of its lines as CSV. Raises ``NotFound``."""
    rows: list[list[str | int | date]] = []
    async with reading():
        found = await statement_by_id(statement_id)
        currency = found.currency
        rows += [
            ["statement", found.number],
            ["period", found.label],
            ["currency", currency],
            ["opening", amount(found.opening_minor, currency)],
            ["commission", amount(found.commission_minor, currency)],
            ["awards", amount(found.awards_minor, currency)],
            ["adjustments", amount(found.adjusted_minor, currency)],
            ["penalties", amount(found.penalties_minor, currency)],
            ["adjustment", amount(found.adjustment_minor, currency)],
            ["payouts", amount(found.payout_minor, currency)],
            ["set_aside", amount(found.set_aside_minor, currency)],
            ["closing", amount(found.closing_minor, currency)],
            ["debt", amount(found.debt_minor, currency)],
            ["recovered", amount(found.recovered_minor, currency)],
            ["payable_on", found.payable_on],
            [],
            ["earned_at", "order_id", "component", "level", "tier", "base", "quantity", "amount"],
        ]
        after = None
        while True:
            page = await statement_lines(found, PageRequest(PAGE_MAX, after))
            rows += [_csv_line(line) for line in page.items]
            if not page.has_next:
                break
            after = page.cursors[-1]
        rows += await _csv_awards(statement_id)
        rows += [
            [one.stated, one.reason, one.reference or "", amount(one.amount_minor, currency)]
            for one in await adjustments_on(statement_id)
        ]
    return csv_text(rows)


async def _csv_awards(statement_id: StatementId) -> list[list[str | int | date]]:
    awards = await awards_on(statement_id)
    head: list[list[str | int | date]] = [[], ["period", "component", "kind", "channel", "tier", "measured", "amount"]]
    return [*head, *map(_csv_award, awards)] if awards else []


def _csv_award(award: AwardView) -> list[str | int | date]:
    counted = award.detail["measure"] in {"pieces", "orders"}
    return [
        award.label,
        award.component,
        award.kind,
        award.scope,
        award.tier or "",
        award.measured if counted else amount(award.measured, award.currency),
        amount(award.amount_minor, award.currency),
    ]


def _csv_line(line: CommissionView) -> list[str | int | date]:
    share = line.share
    return [
        line.earned_at.isoformat(),
        str(line.order_id),
        share.component,
        share.level,
        share.tier or "",
        amount(share.base_minor, line.currency),
        share.quantity,
        amount(line.stated_minor, line.currency),
    ]


def moment_of(day: date, time_zone: str) -> datetime:
    """The first moment of a day of the brand."""
    return datetime.combine(day, time(), ZoneInfo(time_zone))


def _settlement(row: Row) -> SettlementView:
    return SettlementView(
        id=row["id"],
        period=Period(row["period_from"], row["period_until"], row["label"]),
        currency=row["currency"],
        statements=row["statements"],
        commission_minor=row["commission_minor"],
        awards_minor=row["awards_minor"],
        adjusted_minor=row["adjusted_minor"],
        penalties_minor=row["penalties_minor"],
        closed_at=row["closed_at"],
        closed_by=row["closed_by"],
    )
