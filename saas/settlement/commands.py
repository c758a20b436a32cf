"""Commission becomes money: settled when a period is closed (docs/rules.md §6)."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.base.idempotency import claim
from saas.base.ids import SettlementId, StatementId, new_id
from saas.commissions import maturity
from saas.events.commands import tell_now
from saas.events.rules import Event, EventKind
from saas.ledger.bulk import MOVE_COLUMNS, hold_balances, post_moves
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting, transfer
from saas.network.standstill import stand_still
from saas.notifications.commands import announce
from saas.notifications.rules import statement_ready
from saas.performance import settling
from saas.performance.errors import PeriodNotOver
from saas.settlement import adjusted
from saas.settlement.adjusted import AdjustmentKind
from saas.settlement.drafting import DRAFTED_COLUMNS, EARNED_COLUMNS, PAGE, drafted, drawn, earned
from saas.settlement.errors import NothingToSettle, PeriodOutOfOrder
from saas.settlement.models import Settlement
from saas.settlement.policy import settlement_policy
from saas.settlement.queries import SettlementView, moment_of, next_period, settlement_by_id, settlement_of
from saas.settlement.releasing import HELD, release, release_due
from saas.settlement.rules import Draft, Period, SettlementPolicy, add_working_days, statement_numbers
from tenants import audit
from tenants.actors import Actor

__all__ = ["CloseSettlement", "close", "release_due"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSettlement:
    """Close the period that ``day`` lies in, in the brand's time zone; without a day, the next one in line.

    The first one in line is that in which commission first falls due.
    Where the program settles per order there is no calendar, and the day does not matter.
    """

    day: date | None = None
    idempotency_key: str


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
        statements = await _settle(tx, settlement_id, policy, period, actor)
        await audit.record(actor, "settlement.close", str(settlement_id), period=period.label, statements=statements)
        return await settlement_by_id(settlement_id)


async def _one_at_a_time(tx: Tx, currency: str) -> None:
    """Let one closing run: its row is written first, so another waits here until this one has ended."""
    await tx.insert_many(
        "settlement_run",
        ("currency", "runs"),
        [(currency, 1)],
        or_update="(tenant_id, currency) DO UPDATE SET runs = settlement_run.runs + 1",
    )


@dataclass(frozen=True, slots=True)
class _Closing:
    """What is being closed."""

    id: SettlementId
    policy: SettlementPolicy
    period: Period
    actor: Actor


async def _settle(tx: Tx, settlement_id: SettlementId, policy: SettlementPolicy, period: Period, actor: Actor) -> int:
    """Take every lock first, in the order everybody takes them: the tree, commission, awards, balances. Then write.

    What is taken is listed in tables of this transaction, so that no row of it has to be carried here.
    """
    closing = _Closing(settlement_id, policy, period, actor)
    await stand_still()
    async with (
        tx.scratch("due", maturity.DUE_COLUMNS),
        tx.scratch("taken", maturity.TAKEN_COLUMNS),
        tx.scratch("taken_award", settling.TAKEN_COLUMNS),
        tx.scratch("taken_adjustment", adjusted.TAKEN_COLUMNS),
        tx.scratch("earned", EARNED_COLUMNS),
        tx.scratch("drafted", DRAFTED_COLUMNS),
    ):
        due = await maturity.take_all_due(tx, "due", period.until)
        taken = await maturity.take_available(tx, "taken", policy.currency, period.until)
        if due:
            taken += await maturity.take_of_due(tx, "taken", "due", policy.currency, period.until)
        awards = await settling.take_available(tx, "taken_award", policy.currency, period.until)
        adjustments = await adjusted.take_approved(tx, "taken_adjustment", policy.currency)
        statements = await _draw(tx, closing, due)
        with clock.at(clock.now()):  # everything below is of one moment, at which both books can be cut
            if due:
                await release(tx, "due", due)
            await _write(tx, closing, statements)
            await maturity.settle(tx, "taken", settlement_id, taken)
            await settling.settle(tx, "taken_award", settlement_id, awards)
            await adjusted.settle(tx, "taken_adjustment", settlement_id, adjustments)
            await _post_earned(tx, closing)
            await _post_decided(tx, policy)
    return statements


async def _draw(tx: Tx, closing: _Closing, due: int) -> int:
    """Hold every balance that will move, then list what each statement depends on; answers how many there will be."""
    for table in ("due", "taken", "taken_award", "taken_adjustment"):
        await tx.weigh(table)
    brought = earned(
        maturity.taken_of("taken"), settling.taken_of("taken_award"), adjusted.taken_of("taken_adjustment")
    )
    statements = await tx.execute(f"INSERT INTO earned {brought}")
    await tx.weigh("earned")
    accounts = (Account.AVAILABLE, Account.DEBT, Account.SETTLED)
    listed = " UNION ALL ".join(f"SELECT '{account}' AS account" for account in accounts)
    wanted = f"SELECT e.owner_id, CAST($2 AS text) AS currency, a.account FROM earned e CROSS JOIN ({listed}) AS a"
    currency = closing.policy.currency
    await hold_balances(tx, f"{wanted} UNION {HELD.format(due='due')}" if due else wanted, currency)
    await tx.execute(f"INSERT INTO drafted {drafted('earned')}", tx.tenant_id, currency)
    return statements


async def _drafts(tx: Tx, policy: SettlementPolicy) -> AsyncGenerator[tuple[int, Sequence[Draft]], None]:
    """The statements to write, in the order of their distributors, a part at a time with the number of its first."""
    first, after = 1, UUID(int=0)
    while True:
        rows = await tx.rows(f"SELECT * FROM drafted WHERE owner_id > $1 ORDER BY owner_id LIMIT {PAGE}", after)
        if not rows:
            return
        yield first, [drawn(policy, **row) for row in rows]
        first, after = first + len(rows), rows[-1]["owner_id"]


async def _write(tx: Tx, closing: _Closing, statements: int) -> None:
    """The settlement and its statements, and what becomes of debts."""
    await _write_settlement(tx, closing, statements)
    async with aclosing(_drafts(tx, closing.policy)) as parts:
        async for first, drafts in parts:
            await _write_statements(tx, closing, first, drafts)
            await post([_recovery(closing, one) for one in drafts if one.recovery.set_aside_minor])


async def _write_settlement(tx: Tx, closing: _Closing, statements: int) -> None:
    period, policy = closing.period, closing.policy
    sums = await tx.row(
        "SELECT CAST(coalesce(sum(commission_minor), 0) AS bigint) AS commission_minor, "
        "CAST(coalesce(sum(awards_minor), 0) AS bigint) AS awards_minor, "
        "CAST(coalesce(sum(adjusted_minor), 0) AS bigint) AS adjusted_minor, "
        "CAST(coalesce(sum(penalties_minor), 0) AS bigint) AS penalties_minor FROM earned"
    )
    await Settlement.create(
        id=closing.id,
        period_from=period.since,
        period_until=period.until,
        currency=policy.currency,
        label=period.label,
        statements=statements,
        **(sums or {}),
        closed_at=clock.now(),
        closed_by=closing.actor.id,
    )


_STATEMENT_COLUMNS = (
    "id",
    "settlement_id",
    "distributor_id",
    "number",
    "currency",
    "lines",
    "opening_minor",
    "commission_minor",
    "awards_minor",
    "adjusted_minor",
    "penalties_minor",
    "adjustment_minor",
    "payout_minor",
    "set_aside_minor",
    "debt_minor",
    "recovered_minor",
    "recovery_bps",
    "closing_minor",
    "payable_on",
    "created_at",
)


async def _write_statements(tx: Tx, closing: _Closing, first: int, drafts: Sequence[Draft]) -> None:
    now, policy = clock.now(), closing.policy
    numbers = statement_numbers(policy, closing.period, first, len(drafts))
    numbered = [(StatementId(new_id()), number, one) for number, one in zip(numbers, drafts, strict=True)]
    payable_on = add_working_days(clock.local_day(now, policy.time_zone), policy.days_to_pay)
    await tx.insert_many(
        "statement",
        _STATEMENT_COLUMNS,
        [
            (
                id_,
                closing.id,
                one.distributor_id,
                number,
                policy.currency,
                one.lines,
                one.opening_minor,
                one.commission_minor,
                one.awards_minor,
                one.adjusted_minor,
                one.penalties_minor,
                one.adjustment_minor,
                one.payout_minor,
                one.recovery.set_aside_minor,
                one.recovery.debt_minor,
                one.recovery.recovered_minor,
                one.recovery_bps,
                one.closing_minor,
                payable_on,
                now,
            )
            for id_, number, one in numbered
        ],
    )
    label, currency = closing.period.label, policy.currency
    settled = EventKind.COMMISSION_SETTLED
    await tell_now(Event(settled, id_, one.distributor_id, one.earned_minor, currency) for id_, _, one in numbered)
    await announce(
        [
            statement_ready(one.distributor_id, id_, one.earned_minor, currency, number=number, label=label)
            for id_, number, one in numbered
        ]
    )


def _recovery(closing: _Closing, one: Draft) -> Posting:
    """Debt that moves from the settled balance to its own account, or is paid from it."""
    amount = one.recovery.set_aside_minor
    return Posting(
        kind=Kind.RECOVERY,
        reference_kind="settlement",
        reference_id=closing.id,
        idempotency_key=f"recovery:{closing.id}:{one.distributor_id}",
        effective_at=clock.now(),
        entries=tuple(transfer(one.distributor_id, Account.DEBT, Account.SETTLED, amount, closing.policy.currency)),
    )


async def _post_earned(tx: Tx, closing: _Closing) -> None:
    """What the period brought each distributor moves to its settled balance."""
    async with tx.scratch("settled", MOVE_COLUMNS):
        await tx.execute(
            f"INSERT INTO settled "
            f"(transaction_id, reference_id, key, effective_at, owner_id, currency, amount_minor) "
            f"SELECT {tx.new_id}, $1, 'settlement:{closing.id}:' || CAST(owner_id AS text), $2, owner_id, $3, "
            f"commission_minor + awards_minor FROM earned WHERE commission_minor + awards_minor > 0",
            closing.id,
            clock.now(),
            closing.policy.currency,
        )
        await tx.weigh("settled")
        await post_moves(tx, "settled", Kind.SETTLEMENT, "settlement", Account.AVAILABLE, Account.SETTLED)


_AGAINST = {AdjustmentKind.ADJUSTMENT: Account.COMMISSION_EXPENSE, AdjustmentKind.PENALTY: Account.PENALTIES}
"""The brand's account on the other side."""


async def _post_decided(tx: Tx, policy: SettlementPolicy) -> None:
    """Each adjustment and penalty is a movement of its own between an account of the brand and the settled balance."""
    after = UUID(int=0)
    while rows := await tx.rows(f"SELECT * FROM taken_adjustment WHERE id > $1 ORDER BY id LIMIT {PAGE}", after):
        await post(
            [
                Posting(
                    kind=Kind(row["kind"]),
                    reference_kind="adjustment",
                    reference_id=row["id"],
                    idempotency_key=f"{row['kind']}:{row['id']}",
                    effective_at=clock.now(),
                    entries=(
                        Entry(Account.SETTLED, row["distributor_id"], row["amount_minor"], policy.currency),
                        Entry(_AGAINST[row["kind"]], None, -row["amount_minor"], policy.currency),
                    ),
                )
                for row in rows
            ]
        )
        after = rows[-1]["id"]
