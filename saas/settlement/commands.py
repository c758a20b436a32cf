"""Commission becomes money: released when its hold is over, settled when a period is closed (docs/rules.md §6)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.idempotency import claim
from saas.base.ids import DistributorId, OrderId, SettlementId, StatementId, new_id
from saas.commissions import maturity
from saas.commissions.maturity import Due
from saas.jobs.worker import Report
from saas.ledger.commands import lock_balances, post
from saas.ledger.rules import Account, Entry, Kind, Posting, transfer
from saas.network.standstill import stand_still
from saas.notifications.commands import announce
from saas.notifications.rules import commission_available, statement_ready
from saas.performance import settling
from saas.performance.errors import PeriodNotOver
from saas.settlement.errors import NothingToSettle, PeriodOutOfOrder
from saas.settlement.models import Settlement
from saas.settlement.policy import settlement_policy
from saas.settlement.queries import (
    SettlementView,
    drafts_for,
    moment_of,
    next_period,
    settlement_by_id,
    settlement_of,
)
from saas.settlement.rules import Draft, Period, SettlementPolicy, add_working_days, statement_number
from tenants import audit
from tenants.actors import Actor

RELEASE_BATCH = 2_000
"""Commission rows released in one transaction: short locks, and little to do again after a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSettlement:
    """Close the period that ``day`` lies in, in the brand's time zone; without a day, the next one in line.

    The first one in line is that in which commission first falls due.
    Where the program settles per order there is no calendar, and the day does not matter.
    """

    day: date | None = None
    idempotency_key: str


async def release_due(actor: Actor, *, dry_run: bool = False, report: Report | None = None) -> int:
    """Make all commission available whose hold is over; answers how many rows were, or would be.

    Batch by batch, each in its own transaction, so it may be stopped anywhere and run again, or run twice at once;
    ``report`` is told between them how many there were, and of how many.
    """
    if dry_run:
        return await maturity.count_due(clock.now())
    total = 0 if report is None else await maturity.count_due(clock.now())
    released = 0
    while True:
        if report is not None:
            await report(released, max(total, released))
        async with transaction():
            due = await maturity.lock_due(clock.now(), RELEASE_BATCH)
            if due:
                await _release(due)
                await _tell_available(due)
                await audit.record(actor, "commission.release", count=len(due))
        released += len(due)
        if len(due) < RELEASE_BATCH:
            return released


async def _release(due: Sequence[Due]) -> None:
    await maturity.make_available([row.id for row in due])
    await post(_release_postings(due))


async def _tell_available(due: Sequence[Due]) -> None:
    sums: defaultdict[tuple[DistributorId, str], int] = defaultdict(int)
    for row in due:
        sums[row.beneficiary_id, row.currency] += row.amount_minor
    await announce([commission_available(owner, amount, currency) for (owner, currency), amount in sums.items()])


def _release_postings(due: Sequence[Due]) -> list[Posting]:
    """One movement for each order and end of its hold, effective at that moment however late it is noticed."""
    groups: defaultdict[tuple[OrderId, datetime], list[Due]] = defaultdict(list)
    for row in due:
        groups[row.order_id, row.hold_until].append(row)
    return [
        Posting(
            kind=Kind.RELEASE,
            reference_kind="order",
            reference_id=order_id,
            idempotency_key=f"release:{rows[0].id}",  # a row is released once, and leads its batch in order of ids
            effective_at=hold_until,
            entries=_released(rows),
        )
        for (order_id, hold_until), rows in groups.items()
    ]


def _released(rows: Sequence[Due]) -> tuple[Entry, ...]:
    sums: defaultdict[tuple[DistributorId, str], int] = defaultdict(int)
    for row in rows:
        sums[row.beneficiary_id, row.currency] += row.amount_minor
    return tuple(
        entry
        for (owner, currency), amount in sums.items()
        for entry in transfer(owner, Account.PENDING, Account.AVAILABLE, amount, currency)
    )


async def close(command: CloseSettlement, actor: Actor) -> SettlementView:
    """Close a period: one statement for each distributor with commission that became available before its end.

    Rebates and bonuses of calendar periods that ended by then are on it too.

    One transaction: all of it or nothing. A period that is closed already is answered as it is. Raises
    ``NothingToSettle``, ``PeriodNotOver``, ``PeriodOutOfOrder``, ``IdempotencyConflict``, ``NoActiveProgram``.
    """
    async with transaction() as tx:
        policy = await settlement_policy()
        await _one_at_a_time(tx, policy.currency)
        calendar = policy.period != "per_order"
        wanted = moment_of(command.day, policy.time_zone) if command.day is not None and calendar else None
        closed = None if wanted is None else await settlement_of(policy.currency, wanted)
        settlement_id = SettlementId(new_id()) if closed is None else closed.id
        earlier = await claim("settlement.close", command.idempotency_key, command, settlement_id)
        if earlier is not None:
            return await settlement_by_id(SettlementId(earlier))
        if closed is not None:
            return closed
        period = await next_period(policy)
        if period is None:
            raise NothingToSettle("input.day")
        if wanted is not None and not period.since <= wanted < period.until:
            raise PeriodOutOfOrder("input.day", label=period.label)
        if period.until > clock.now():
            raise PeriodNotOver("input.day", label=period.label, until=period.until.isoformat())
        drafts = await _settle(tx, settlement_id, policy, period, actor)
        await audit.record(actor, "settlement.close", str(settlement_id), period=period.label, statements=len(drafts))
        return await settlement_by_id(settlement_id)


async def _one_at_a_time(tx: Tx, currency: str) -> None:
    """Let one closing run: its row is written first, so another waits here until this one has ended."""
    await tx.insert_many(
        "settlement_run",
        ("currency", "runs"),
        [(currency, 1)],
        or_update="(tenant_id, currency) DO UPDATE SET runs = settlement_run.runs + 1",
    )


async def _settle(
    tx: Tx, settlement_id: SettlementId, policy: SettlementPolicy, period: Period, actor: Actor
) -> Sequence[Draft]:
    """Take every lock first, in the order everybody takes them: the tree, commission, awards, balances. Then write."""
    now, currency = clock.now(), policy.currency
    await stand_still()
    due = await maturity.lock_all_due(period.until)
    ids = await maturity.lock_available(currency, period.until)
    ids = [*ids, *(row.id for row in due if row.currency == currency and row.hold_until < period.until)]
    award_ids = await settling.lock_available(currency, period.until)
    sums, awards = await maturity.sums_of(ids), await settling.sums_of(award_ids)
    owners = {row.beneficiary_id for row in due}.union(sums, awards)
    await lock_balances(owners, [Account.PENDING, Account.AVAILABLE, Account.SETTLED], currency)
    await _release(due)
    drafts = await drafts_for(sums, awards, currency)
    await Settlement.create(
        id=settlement_id,
        period_from=period.since,
        period_until=period.until,
        currency=currency,
        label=period.label,
        statements=len(drafts),
        commission_minor=sum(one.commission_minor for one in drafts),
        awards_minor=sum(one.awards_minor for one in drafts),
        closed_at=now,
        closed_by=actor.id,
    )
    await _write_statements(tx, settlement_id, policy, period, drafts)
    await maturity.settle(ids, settlement_id)
    await settling.settle(award_ids, settlement_id)
    await post(
        [
            Posting(
                kind=Kind.SETTLEMENT,
                reference_kind="settlement",
                reference_id=settlement_id,
                idempotency_key=f"settlement:{settlement_id}:{one.distributor_id}",
                effective_at=now,
                entries=tuple(
                    transfer(one.distributor_id, Account.AVAILABLE, Account.SETTLED, one.earned_minor, currency)
                ),
            )
            for one in drafts
        ]
    )
    return drafts


async def _write_statements(
    tx: Tx, settlement_id: SettlementId, policy: SettlementPolicy, period: Period, drafts: Sequence[Draft]
) -> None:
    now, currency = clock.now(), policy.currency
    numbered = [
        (StatementId(new_id()), statement_number(policy, period, sequence), one)
        for sequence, one in enumerate(drafts, start=1)
    ]
    payable_on = add_working_days(clock.local_day(now, policy.time_zone), policy.days_to_pay)
    await tx.insert_many(
        "statement",
        (
            "id",
            "settlement_id",
            "distributor_id",
            "number",
            "currency",
            "lines",
            "opening_minor",
            "commission_minor",
            "awards_minor",
            "adjustment_minor",
            "payout_minor",
            "closing_minor",
            "payable_on",
            "created_at",
        ),
        [
            (
                id_,
                settlement_id,
                one.distributor_id,
                number,
                currency,
                one.lines,
                one.opening_minor,
                one.commission_minor,
                one.awards_minor,
                one.adjustment_minor,
                one.payout_minor,
                one.closing_minor,
                payable_on,
                now,
            )
            for id_, number, one in numbered
        ],
    )
    await announce(
        [
            statement_ready(one.distributor_id, id_, one.earned_minor, currency, number=number, label=period.label)
            for id_, number, one in numbered
        ]
    )
