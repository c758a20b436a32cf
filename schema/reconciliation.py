"""The ledger beside statements and payouts, and where a cent is."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.base.errors import NotFound
from saas.base.ids import DistributorId, SettlementId
from saas.ledger.rules import Kind
from saas.reconciliation import queries
from saas.reconciliation import trail as trails
from saas.reconciliation.queries import Span, span_of
from saas.reconciliation.rules import Reconciled
from saas.reconciliation.search import Found, FoundKind, FoundPart, Search, find_amount
from saas.reconciliation.trail import Share, Use
from schema.downloads import FileDownload, file_download
from schema.enums import described
from schema.ids import from_global, maybe_global, split_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import BigInt, Money, money


@strawberry.type(description="Where the ledger and the other books say different things; there must be none.")
class BookDifference:
    """A difference."""

    what: str = strawberry.field(description="Which part: `opening`, `earned`, `adjustments`, `clawed_back`, `paid`, …")
    ledger: Money = strawberry.field(description="What the ledger says.")
    elsewhere: Money = strawberry.field(description="What statements, returns, write-offs, exits and payouts say.")


@strawberry.type(description="One distributor's money between the brand and it, in both books. Opening + … = closing.")
class ReconciliationLine:
    """A line; positive is in the distributor's favour."""

    distributor_id: strawberry.ID | None = strawberry.field(description="Whose; none for all together.")
    opening: Money = strawberry.field(description="Settled, owed and on its way before, together.")
    commission: Money = strawberry.field(description="Commission settled.")
    awards: Money = strawberry.field(description="Rebates and bonuses settled.")
    adjustments: Money = strawberry.field(description="Adjustments.")
    penalties: Money = strawberry.field(description="Penalties, negative, less those lifted.")
    clawed_back: Money = strawberry.field(description="Taken back after it was settled.")
    written_off: Money = strawberry.field(description="Debts given up.")
    bought_back: Money = strawberry.field(description="Stock bought back at an exit.")
    paid: Money = strawberry.field(description="Paid out, net.")
    fees: Money = strawberry.field(description="Fees of payouts.")
    withheld: Money = strawberry.field(description="Withheld from payouts.")
    closing: Money = strawberry.field(description="What the ledger comes to after.")
    closing_elsewhere: Money = strawberry.field(description="What statements, returns and payouts come to after.")
    differences: list[BookDifference] = strawberry.field(description="Where the two part; empty when all is well.")


def _line(one: Reconciled, currency: str) -> ReconciliationLine:
    def shown(amount_minor: int) -> Money:
        return money(amount_minor, currency)

    return ReconciliationLine(
        distributor_id=maybe_global("Distributor", one.distributor_id),
        opening=shown(one.opening_minor),
        commission=shown(one.commission_minor),
        awards=shown(one.awards_minor),
        adjustments=shown(one.adjustments_minor),
        penalties=shown(one.penalties_minor),
        clawed_back=shown(one.clawed_back_minor),
        written_off=shown(one.written_off_minor),
        bought_back=shown(one.bought_back_minor),
        paid=shown(one.paid_minor),
        fees=shown(one.fees_minor),
        withheld=shown(one.withheld_minor),
        closing=shown(one.closing_minor),
        closing_elsewhere=shown(one.elsewhere_minor),
        differences=[
            BookDifference(what=d.what, ledger=shown(d.ledger_minor), elsewhere=shown(d.elsewhere_minor))
            for d in one.differences
        ],
    )


@strawberry.type(description="The ledger beside everything that it must agree with, in a span of time.")
class Reconciliation:
    """Both books."""

    span: strawberry.Private[Span]
    currency: strawberry.Private[str]
    after: datetime = strawberry.field(description="What is after this moment is in it.")
    until: datetime = strawberry.field(description="The last moment that is in it.")
    agrees: bool = strawberry.field(description="Whether the books say the same of everybody.")
    differing: list[strawberry.ID] = strawberry.field(description="Distributors of whom they do not, at most 100.")
    totals: ReconciliationLine = strawberry.field(description="Everybody together.")

    @strawberry.field(description="Everybody who ever had anything settled.")
    async def lines(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[ReconciliationLine]:
        """A page of lines."""
        page = await queries.reconcile(self.span, request(first, after))
        return connection(page, lambda one: _line(one, self.currency), after)

    @strawberry.field(description="All lines as CSV.")
    async def csv(self) -> FileDownload:
        """For a spreadsheet."""
        return file_download(await queries.reconciliation_csv(self.span))


class TrailKind(StrEnum):
    """What gave money, or took it."""

    COMMISSION = "COMMISSION"
    AWARD = "AWARD"
    ADJUSTMENT = "ADJUSTMENT"
    PENALTY = "PENALTY"
    WRITE_OFF = "WRITE_OFF"
    BUY_BACK = "BUY_BACK"
    PAYOUT = "PAYOUT"
    RETURN = "RETURN"
    CANCELLATION = "CANCELLATION"


described(
    "What gave money, or took it.",
    name="TrailKind",
    COMMISSION="A share of an order.",
    AWARD="A rebate or bonus.",
    ADJUSTMENT="An adjustment.",
    PENALTY="A penalty, or what gave one back.",
    WRITE_OFF="A debt that was given up.",
    BUY_BACK="Stock bought back at an exit.",
    PAYOUT="A payout.",
    RETURN="Goods that came back.",
    CANCELLATION="A cancelled order, because of whose pieces this share had been lifted.",
)(TrailKind)
_GLOBAL = {
    TrailKind.COMMISSION: "Commission",
    TrailKind.AWARD: "Award",
    TrailKind.ADJUSTMENT: "Adjustment",
    TrailKind.PENALTY: "Adjustment",
    TrailKind.WRITE_OFF: "WriteOff",
    TrailKind.BUY_BACK: "ExitCase",
    TrailKind.PAYOUT: "Payout",
    TrailKind.RETURN: "ReturnCase",
    TrailKind.CANCELLATION: "Order",
}


@strawberry.type(description="What took a part of a share; of a payout also its batch and what the provider said.")
class TrailUse:
    """A use. By convention the oldest shares are taken first."""

    kind: TrailKind = strawberry.field(description="A payout, a return, a cancelled order, an adjustment or a penalty.")
    id: strawberry.ID = strawberry.field(description="Which one.")
    amount: Money = strawberry.field(description="The part of the share that it took.")
    at: datetime = strawberry.field(description="When.")
    transaction_id: strawberry.ID | None = strawberry.field(description="The movement in the ledger.")
    status: str | None = strawberry.field(description="Where the payout is.")
    batch_id: strawberry.ID | None = strawberry.field(description="The batch it went out with.")
    batch_number: str | None = strawberry.field(description="Its number, as it is in the file for the bank.")
    provider: str | None = strawberry.field(description="Who carried it out.")
    provider_reference: str | None = strawberry.field(description="The provider's own number of it.")
    finished_at: datetime | None = strawberry.field(description="When its result was known.")


@strawberry.type(description="Something a distributor was given: where it comes from, and all that became of it.")
class TrailShare:
    """A share on its way: order, line, commission, release, statement, and what took it."""

    kind: TrailKind = strawberry.field(description="What it is.")
    id: strawberry.ID = strawberry.field(description="Which one.")
    distributor_id: strawberry.ID = strawberry.field(description="Whose it is.")
    amount: Money = strawberry.field(description="What it came to when it was settled, or comes to until then.")
    status: str = strawberry.field(description="Where it is.")
    order_id: strawberry.ID | None = strawberry.field(description="The order behind it.")
    order_number: str | None = strawberry.field(description="Its number.")
    line_id: strawberry.ID | None = strawberry.field(description="The line of the order.")
    sku: str | None = strawberry.field(description="What was sold.")
    component: str | None = strawberry.field(description="The component of the program that gave it.")
    release_id: strawberry.ID | None = strawberry.field(description="The movement that released it.")
    statement_id: strawberry.ID | None = strawberry.field(description="The statement that settled it.")
    statement_number: str | None = strawberry.field(description="Its number.")
    settlement_id: strawberry.ID | None = strawberry.field(description="The closed period.")
    transaction_id: strawberry.ID | None = strawberry.field(description="The movement that settled it.")
    taken_back: Money = strawberry.field(
        description="What of it was taken back after it was settled; it is among what took from the oldest shares, or "
        "waits for the next ones."
    )
    uses: list[TrailUse] = strawberry.field(description="What was taken of it, in order.")
    left: Money = strawberry.field(description="What nothing has taken; of a payout's trail, what others took too.")


def _use(one: Use, currency: str) -> TrailUse:
    return TrailUse(
        kind=TrailKind(one.kind),
        id=to_global(_GLOBAL[TrailKind(one.kind)], one.id),
        amount=money(one.amount_minor, currency),
        at=one.at,
        transaction_id=maybe_global("LedgerTransaction", one.transaction_id),
        status=one.status,
        batch_id=maybe_global("PayoutBatch", one.batch_id),
        batch_number=one.batch_number,
        provider=one.provider,
        provider_reference=one.provider_reference,
        finished_at=one.finished_at,
    )


def _share(one: Share) -> TrailShare:
    return TrailShare(
        kind=TrailKind(one.kind),
        id=to_global(_GLOBAL[TrailKind(one.kind)], one.id),
        distributor_id=to_global("Distributor", one.distributor_id),
        amount=money(one.amount_minor, one.currency),
        status=one.status,
        order_id=maybe_global("Order", one.order_id),
        order_number=one.order_number,
        line_id=maybe_global("OrderLine", one.line_id),
        sku=one.sku,
        component=one.component,
        release_id=maybe_global("LedgerTransaction", one.release_id),
        statement_id=maybe_global("Statement", one.statement_id),
        statement_number=one.statement_number,
        settlement_id=maybe_global("Settlement", one.settlement_id),
        transaction_id=maybe_global("LedgerTransaction", one.transaction_id),
        taken_back=money(one.clawed_minor, one.currency),
        uses=[_use(use, one.currency) for use in one.uses],
        left=money(one.left_minor, one.currency),
    )


described(
    "What has an amount that was looked for.",
    name="FoundMoneyKind",
    PAYOUT="A payout; at its result, else when it was sent, else when it was asked for.",
    BATCH="A batch of payouts; when it was handed to its provider, else when it was made.",
    STATEMENT="A statement; when its period was closed.",
    ORDER="An order; when it was paid, else when it was placed.",
    RETURN="A return; when it was refunded, else when the goods were there.",
    ADJUSTMENT="An adjustment; when it was asked for.",
    PENALTY="A penalty, or the lifting of one; when it was asked for.",
    WRITE_OFF="A write-off; when it was decided, else when it was asked for.",
    MOVEMENT="A movement in the ledger; when it took effect.",
)(FoundKind)
described(
    "Which amount of it; the first that fits.",
    name="FoundMoneyPart",
    NET="What the bank pays, of a payout or a batch.",
    REQUESTED="What left the balance for a payout.",
    WITHHELD="What was withheld from a payout.",
    FEE="The fee of a payout.",
    PAID="What was really paid of a batch.",
    CLOSING="What a statement closes with, for or against the distributor.",
    COMMISSION="The commission of a statement.",
    AWARDS="The rebates and bonuses of a statement.",
    ADJUSTMENTS="The adjustments of a statement.",
    PENALTIES="The penalties of a statement, less those lifted.",
    TOTAL="All that an order cost, with freight and tax.",
    GOODS="The goods of an order or a return.",
    REFUND="What was refunded of a return.",
    AMOUNT="The amount itself.",
)(FoundPart)
_FOUND_GLOBAL = {
    FoundKind.PAYOUT: "Payout",
    FoundKind.BATCH: "PayoutBatch",
    FoundKind.STATEMENT: "Statement",
    FoundKind.ORDER: "Order",
    FoundKind.RETURN: "ReturnCase",
    FoundKind.ADJUSTMENT: "Adjustment",
    FoundKind.PENALTY: "Adjustment",
    FoundKind.WRITE_OFF: "WriteOff",
    FoundKind.MOVEMENT: "LedgerTransaction",
}


@strawberry.type(description="Something in the books that has an amount.")
class FoundMoney:
    """A find."""

    kind: FoundKind = strawberry.field(description="What it is.")
    id: strawberry.ID = strawberry.field(description="Which one; `moneyTrail` follows it, of a batch its payouts.")
    part: FoundPart = strawberry.field(description="Which amount of it.")
    amount: Money = strawberry.field(description="The amount that was looked for.")
    at: datetime = strawberry.field(description="When it came about.")
    distributor_id: strawberry.ID | None = strawberry.field(description="Whose it is; none of the brand's own.")
    number: str | None = strawberry.field(
        description="The number people know it by: of a payout its batch's, of a return its order's, of an adjustment "
        "or a penalty its reference."
    )
    status: str | None = strawberry.field(description="Where it is, of what has a status.")
    movement: Kind | None = strawberry.field(description="Why money moved, of a movement.")


def _found_money(one: Found) -> FoundMoney:
    return FoundMoney(
        kind=one.kind,
        id=to_global(_FOUND_GLOBAL[one.kind], one.id),
        part=one.part,
        amount=money(one.amount_minor, one.currency),
        at=one.at,
        distributor_id=maybe_global("Distributor", one.distributor_id),
        number=one.number,
        status=one.status,
        movement=one.movement,
    )


@strawberry.type
class ReconciliationQuery:
    """Reads of both books."""

    @strawberry.field(description="The ledger beside statements, returns, payouts: of a settlement, a span, or ever.")
    async def reconciliation(
        self,
        settlement: Annotated[
            strawberry.ID | None, strawberry.argument(description="From the closing before to that of this period.")
        ] = None,
        since: Annotated[datetime | None, strawberry.argument(description="Booked then or later.")] = None,
        until: Annotated[datetime | None, strawberry.argument(description="Booked before; now by default.")] = None,
    ) -> Reconciliation:
        """Compare."""
        closed = SettlementId(from_global("Settlement", settlement, "settlement")) if settlement else None
        span = await span_of(closed, since, until)
        found = await queries.compared(span)
        return Reconciliation(
            span=span,
            currency=found.currency,
            after=span.since,
            until=span.until,
            agrees=found.agrees,
            differing=[to_global("Distributor", id_) for id_ in found.differing],
            totals=_line(found.totals, found.currency),
        )

    @strawberry.field(
        description="Where a cent is. Of an order, a line of one, a share of commission, an award, an adjustment, a "
        "statement, a payout, a return, a write-off, an exit or a movement in the ledger: the shares it is about, and "
        "what became of each; of what only took, the parts that it took, and of a return the shares it took back."
    )
    async def money_trail(
        self, of: Annotated[strawberry.ID, strawberry.argument(description="The thing to follow.")]
    ) -> list[TrailShare]:
        """Follow it."""
        known = split_global(of)
        if known is None:
            raise NotFound("of", kind="commission", value=of[:60])
        return [_share(one) for one in await trails.trail(*known)]

    @strawberry.field(
        description="What has an amount, as it stands on a bank statement: payouts, batches, statements, orders, "
        "returns, adjustments, penalties, write-offs and movements in the ledger, the latest first. Then `moneyTrail` "
        "follows it."
    )
    async def find_money(
        self,
        amount_minor: Annotated[BigInt, strawberry.argument(description="The amount, in minor units, above zero.")],
        since: Annotated[date | None, strawberry.argument(description="The first day; by default 92 days ago.")] = None,
        until: Annotated[
            date | None,
            strawberry.argument(description="The day after the last, at most 366 later; tomorrow by default."),
        ] = None,
        of: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only this distributor's; movements are then those of its accounts."),
        ] = None,
        kinds: Annotated[list[FoundKind] | None, strawberry.argument(description="Only these kinds.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[FoundMoney]:
        """A page of finds."""
        owner = DistributorId(from_global("Distributor", of, "of")) if of else None
        wanted = Search(amount_minor=amount_minor, since=since, until=until, distributor_id=owner, kinds=kinds)
        return connection(await find_amount(wanted, request(first, after)), _found_money, after)
