"""Balances, ledger entries, settlement and statements."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from saas.base.errors import NotFound
from saas.base.ids import DistributorId, SettlementId, StatementId
from saas.ledger import queries as ledger
from saas.ledger.queries import Balances, EntryFilter, EntryLine
from saas.ledger.rules import Account, Kind
from saas.performance.queries import awards_on
from saas.settlement import commands, queries
from saas.settlement.adjusted import AdjustmentKind
from saas.settlement.commands import CloseSettlement
from saas.settlement.queries import SettlementView, StatementView
from schema.adjustments import Adjustment, adjustment, lines_decided
from schema.awards import Award, award
from schema.commissions import Commission, commission, own_or_asked
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, to_global
from schema.network import Distributor, distributor_by_id
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import Money, money
from tenants.actors import Role

described(
    "Where money stands in the ledger. The first five are kept per distributor, the others are the brand's own.",
    name="LedgerAccount",
    PENDING="Earned; the hold is not over.",
    AVAILABLE="The hold is over; the next settlement takes it.",
    SETTLED="On a statement; can be asked for.",
    PAYOUT="Asked for; on its way.",
    DEBT="Owed and recovered in parts; never above zero.",
    COMMISSION_EXPENSE="What commission cost the brand.",
    CASH="What left the brand.",
    FEE_INCOME="Fees of payouts.",
    WITHHOLDING="Withheld from payouts.",
    FORFEITED="Given up by those who left.",
    STOCK="Stock bought back from those who left.",
    PENALTIES="Penalties taken, less those lifted.",
)(Account)
described(
    "Why money moved.",
    name="LedgerKind",
    ACCRUAL="An order was paid.",
    REBATE="A period's sales earned a rebate.",
    BONUS="A period earned a bonus or an award.",
    REVERSAL="An order was cancelled.",
    RELEASE="A hold ended.",
    SETTLEMENT="A period was closed.",
    PAYOUT_REQUEST="A payout was asked for.",
    PAYOUT_CANCEL="A payout was withdrawn.",
    PAYOUT_PAID="A payout was paid.",
    PAYOUT_FAILED="A payout failed; the money came back.",
    FORFEIT="Pending commission was given up at an exit.",
    BUY_BACK="Stock was bought back at an exit.",
    CLAWBACK="Goods came back; commission on them was taken back.",
    WRITE_OFF="A debt was given up by the brand.",
    ADJUSTMENT="Two people of the brand decided it.",
    PENALTY="Two people of the brand decided a penalty, or to lift one.",
    RECOVERY="A debt was set aside, or paid from what was earned.",
)(Kind)


@strawberry.type(description="What one distributor has.")
class Balance:
    """The accounts of a distributor, in the brand's currency."""

    pending: Money = strawberry.field(description="Earned; the hold is not over.")
    available: Money = strawberry.field(description="The hold is over; the next settlement takes it.")
    settled: Money = strawberry.field(description="On a statement; can be asked for. Negative is owed.")
    in_payout: Money = strawberry.field(description="Asked for; on its way.")
    debt: Money = strawberry.field(description="Owed besides, and recovered in parts; below zero.")


def balance(found: Balances, currency: str) -> Balance:
    """Balances for the API."""
    return Balance(
        pending=money(found.of(Account.PENDING, currency), currency),
        available=money(found.of(Account.AVAILABLE, currency), currency),
        settled=money(found.of(Account.SETTLED, currency), currency),
        in_payout=money(found.of(Account.PAYOUT, currency), currency),
        debt=money(found.of(Account.DEBT, currency), currency),
    )


@strawberry.type(description="One entry of the ledger, its reason, and the balance after it.")
class LedgerEntry:
    """A line of an account."""

    transaction_id: strawberry.ID = strawberry.field(description="The movement it belongs to.")
    kind: Kind = strawberry.field(description="Why money moved.")
    account: Account = strawberry.field(description="The account.")
    amount: Money = strawberry.field(description="Positive is in the distributor's favour.")
    balance: Money = strawberry.field(description="The account's balance after it.")
    reference: strawberry.ID | None = strawberry.field(
        description="What it is about: an order, return, award, settlement, payout, exit, write-off, or adjustment."
    )
    effective_at: datetime = strawberry.field(description="When it took effect.")
    recorded_at: datetime = strawberry.field(description="When it was written.")


_REFERENCES = {
    "order": "Order",
    "return": "ReturnCase",
    "settlement": "Settlement",
    "payout": "Payout",
    "exit": "ExitCase",
    "award": "Award",
    "write_off": "WriteOff",
    "adjustment": "Adjustment",
}


def ledger_entry(line: EntryLine) -> LedgerEntry:
    """An entry for the API."""
    kind = _REFERENCES.get(line.reference_kind)
    return LedgerEntry(
        transaction_id=to_global("LedgerTransaction", line.transaction_id),
        kind=line.kind,
        account=line.account,
        amount=money(line.amount_minor, line.currency),
        balance=money(line.balance_minor, line.currency),
        reference=to_global(kind, line.reference_id) if kind else None,
        effective_at=line.effective_at,
        recorded_at=line.recorded_at,
    )


@strawberry.type(description="A distributor's part of a closed period (结算单); it never changes.")
class Statement:
    """A statement. Opening and closing are the settled balance."""

    view: strawberry.Private[StatementView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    settlement_id: strawberry.ID = strawberry.field(description="The closed period.")
    distributor_id: strawberry.ID = strawberry.field(description="Whose it is.")
    number: str = strawberry.field(description="Its number.")
    label: str = strawberry.field(description="The period.")
    line_count: int = strawberry.field(description="How many shares of commission it settles.")
    opening: Money = strawberry.field(description="The settled balance before.")
    commission: Money = strawberry.field(description="Commission that became available in the period.")
    awards: Money = strawberry.field(description="Rebates and bonuses of calendar periods that ended by then.")
    adjustments: Money = strawberry.field(description="Adjustments that two people of the brand decided.")
    penalties: Money = strawberry.field(description="Penalties, negative, less those lifted.")
    other: Money = strawberry.field(
        description="All else that moved the settled balance: goods that came back, write-offs, stock bought back."
    )
    adjustment: Money = strawberry.field(
        description="The same as `other`.",
        deprecation_reason="Use `other`, or `adjustments` for what was decided. Until 2027-06-30.",
    )
    payouts: Money = strawberry.field(description="Payouts since the statement before, negative.")
    debt: Money = strawberry.field(description="What was owed before, wherever it stood.")
    recovered: Money = strawberry.field(description="What this statement took of it.")
    debt_left: Money = strawberry.field(description="What is owed on.")
    recovery_bps: int | None = strawberry.field(
        description="At most so much of what was earned was taken, in basis points; none is all of it."
    )
    set_aside: Money = strawberry.field(
        description="Debt moved from the settled balance to its own account, or paid there (negative)."
    )
    closing: Money = strawberry.field(description="The settled balance after: what can be asked for.")
    payable_on: date = strawberry.field(description="When it is due to be paid at the latest.")
    created_at: datetime = strawberry.field(description="When it was written.")

    @strawberry.field(description="Whose it is, if the caller may see it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """Loaded for a whole page at once."""
        return await distributor_by_id(info, self.view.distributor_id)

    @strawberry.field(description="The commission it settles, each share explained.")
    async def lines(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[Commission]:
        """A page of its lines."""
        return connection(await queries.statement_lines(self.view, request(first, after)), commission, after)

    @strawberry.field(description="The rebates and bonuses it settles, each explained.")
    async def award_lines(self) -> list[Award]:
        """A handful for each period."""
        return [award(line) for line in await awards_on(self.view.id)]

    @strawberry.field(description="The adjustments it settles.")
    async def adjustment_lines(self, info: Info) -> list[Adjustment]:
        """Loaded for a whole page at once."""
        lines = await lines_decided(info).load(self.view.id)
        return [adjustment(line) for line in lines if line.kind is AdjustmentKind.ADJUSTMENT]

    @strawberry.field(description="The penalties it settles, and those it gives back.")
    async def penalty_lines(self, info: Info) -> list[Adjustment]:
        """Loaded for a whole page at once."""
        lines = await lines_decided(info).load(self.view.id)
        return [adjustment(line) for line in lines if line.kind is AdjustmentKind.PENALTY]

    @strawberry.field(description="The statement with all of its lines as CSV.")
    async def csv(self) -> str:
        """For a spreadsheet."""
        return await queries.statement_csv(self.view.id)


def statement(view: StatementView) -> Statement:
    """A statement for the API."""
    return Statement(
        view=view,
        id=to_global("Statement", view.id),
        settlement_id=to_global("Settlement", view.settlement_id),
        distributor_id=to_global("Distributor", view.distributor_id),
        number=view.number,
        label=view.label,
        line_count=view.lines,
        opening=money(view.opening_minor, view.currency),
        commission=money(view.commission_minor, view.currency),
        awards=money(view.awards_minor, view.currency),
        adjustments=money(view.adjusted_minor, view.currency),
        penalties=money(view.penalties_minor, view.currency),
        other=money(view.adjustment_minor, view.currency),
        adjustment=money(view.adjustment_minor, view.currency),
        debt=money(view.debt_minor, view.currency),
        recovered=money(view.recovered_minor, view.currency),
        debt_left=money(view.debt_minor - view.recovered_minor, view.currency),
        recovery_bps=view.recovery_bps,
        set_aside=money(view.set_aside_minor, view.currency),
        payouts=money(view.payout_minor, view.currency),
        closing=money(view.closing_minor, view.currency),
        payable_on=view.payable_on,
        created_at=view.created_at,
    )


@strawberry.type(description="A closed period (结算).")
class Settlement:
    """A settlement."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    label: str = strawberry.field(description="The period.")
    period_from: datetime = strawberry.field(description="Its first moment.")
    period_until: datetime = strawberry.field(description="The moment after its last; belongs to the next.")
    statement_count: int = strawberry.field(description="How many statements it made.")
    commission: Money = strawberry.field(description="Commission settled in all.")
    awards: Money = strawberry.field(description="Rebates and bonuses settled in all.")
    adjustments: Money = strawberry.field(description="Adjustments settled in all.")
    penalties: Money = strawberry.field(description="Penalties settled in all, negative, less those lifted.")
    closed_at: datetime = strawberry.field(description="When it was closed.")


def settlement(view: SettlementView) -> Settlement:
    """A settlement for the API."""
    return Settlement(
        id=to_global("Settlement", view.id),
        label=view.period.label,
        period_from=view.period.since,
        period_until=view.period.until,
        statement_count=view.statements,
        commission=money(view.commission_minor, view.currency),
        awards=money(view.awards_minor, view.currency),
        adjustments=money(view.adjusted_minor, view.currency),
        penalties=money(view.penalties_minor, view.currency),
        closed_at=view.closed_at,
    )


@strawberry.input(description="The period to close.")
class CloseSettlementInput:
    """A period, by a day in it."""

    idempotency_key: str = strawberry.field(description="The same key and content close once.")
    day: date | None = strawberry.field(
        default=None, description="A day of the period, in the brand's time zone; the next period in line by default."
    )


@strawberry.input(description="Which commission to release: all whose hold is over.")
class ReleaseCommissionInput:
    """Releasing happens once for each share, so no key is needed."""

    dry_run: bool = strawberry.field(default=False, description="Count and answer, write nothing.")


@strawberry.type(description="A closed period.")
class SettlementPayload(Payload):
    """Answer of a closing."""

    settlement: Settlement | None = strawberry.field(default=None, description="The period; none when refused.")


@strawberry.type(description="What was released.")
class ReleasePayload(Payload):
    """Answer of a release."""

    released: int = strawberry.field(default=0, description="How many shares became available.")


@strawberry.type
class SettlementQuery:
    """Reads of money."""

    @strawberry.field(description="What a distributor has, now or as of a moment; a distributor sees its own.")
    async def balance(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Whose; one's own by default.")] = None,
        as_of: Annotated[
            datetime | None, strawberry.argument(description="Everything effective up to this moment.")
        ] = None,
    ) -> Balance:
        """Balances."""
        whose = await _whose(info, of)
        found = await ledger.balance_as_of(whose, as_of) if as_of else (await ledger.balances_of([whose]))[whose]
        return balance(found, await info.context.currency())

    @strawberry.field(description="A distributor's entries in the ledger, the latest first.")
    async def ledger_entries(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Whose; one's own by default.")] = None,
        account: Annotated[Account | None, strawberry.argument(description="Only this account.")] = None,
        kind: Annotated[Kind | None, strawberry.argument(description="Only this kind.")] = None,
        since: Annotated[datetime | None, strawberry.argument(description="Effective then or later.")] = None,
        until: Annotated[datetime | None, strawberry.argument(description="Effective before.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[LedgerEntry]:
        """A page of entries."""
        wanted = EntryFilter(account=account, kind=kind, since=since, until=until)
        page = await ledger.entries_of(await _whose(info, of), wanted, request(first, after))
        return connection(page, ledger_entry, after)

    @strawberry.field(description="Closed periods, the latest first.")
    async def settlements(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[Settlement]:
        """A page of settlements."""
        return connection(await queries.settlements(request(first, after)), settlement, after)

    @strawberry.field(description="Statements, the latest first; a distributor's own.")
    async def statements(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Only this distributor's.")] = None,
        settlement: Annotated[strawberry.ID | None, strawberry.argument(description="Only this period's.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Statement]:
        """A page of statements."""
        page = await queries.statements(
            request(first, after),
            settlement_id=SettlementId(from_global("Settlement", settlement, "settlement")) if settlement else None,
            distributor_id=own_or_asked(info, of, "of"),
        )
        return connection(page, statement, after)

    @strawberry.field(description="One statement; a distributor reads its own.")
    async def statement(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> Statement:
        """A statement."""
        found = await queries.statement_by_id(StatementId(from_global("Statement", id, "id")))
        who = info.context.who
        if who.role is Role.DISTRIBUTOR and found.distributor_id != who.distributor_id:
            raise NotFound("id", kind="statement", value=id)
        return statement(found)


async def _whose(info: Info, asked: strawberry.ID | None) -> DistributorId:
    """Whose money is read; it must exist for the caller. Raises ``NotFound``."""
    whose = own_or_asked(info, asked, "of")
    if whose is None or await distributor_by_id(info, whose) is None:
        raise NotFound("of", kind="distributor", value=asked or "-")
    return whose


@strawberry.type
class SettlementMutation:
    """Writes of settlement."""

    @strawberry.mutation(description="Make all commission available whose hold is over. Closing a period does it too.")
    @refusals(ReleasePayload)
    async def release_commission(self, info: Info, input: In[ReleaseCommissionInput]) -> ReleasePayload:
        """Release."""
        return ReleasePayload(released=await commands.release_due(info.context.who, dry_run=input.dry_run))

    @strawberry.mutation(description="Close a period: one statement for each distributor. Once, whoever asks.")
    @refusals(SettlementPayload)
    async def close_settlement(self, info: Info, input: In[CloseSettlementInput]) -> SettlementPayload:
        """Close."""
        command = CloseSettlement(day=input.day, idempotency_key=input.idempotency_key)
        return SettlementPayload(settlement=settlement(await commands.close(command, info.context.who)))
