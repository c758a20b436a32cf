"""Exits as they are read: quotes, certificates, final statements, and who might be let go."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import strawberry
from strawberry.dataloader import DataLoader

from saas.base.ids import DistributorId, ExitId
from saas.exits import commands, queries
from saas.exits.certificate import Certificate
from saas.exits.commands import ExitRequest, Gone
from saas.exits.queries import ExitFilter, ExitView, Inactive
from saas.exits.rules import ExitKind, ExitState, FinalStatement, Quote
from saas.ledger.queries import Balances
from saas.ledger.rules import Account, Kind
from schema.commissions import own_or_asked
from schema.context import Info
from schema.enums import described
from schema.ids import from_global, to_global
from schema.network import Distributor, distributor_by_id
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import Money, money
from schema.settlement import Balance, balance
from tenants.actors import Role

described(
    "Why a distributor leaves.",
    VOLUNTARY="It wants to; can be withdrawn until it is executed.",
    BREACH="It broke the rules; it is barred from enrolling again.",
    INACTIVITY="It sold nothing for a long time.",
    BRAND_DECISION="The brand decided so.",
)(ExitKind)
described(
    "Where an exit is.",
    name="ExitStatus",
    QUOTED="Asked for, with a quote; waits for a second person.",
    APPROVED="Agreed to by a second person.",
    EXECUTED="The distributor has left; its money is being settled.",
    CLOSED="Nothing is left.",
    WITHDRAWN="Taken back by the distributor.",
    REJECTED="Turned down.",
)(ExitState)


@described(
    "Who takes the downline.",
    SPONSOR="The sponsor of who leaves.",
    BRAND="The brand itself.",
    HEIR="The distributor named with the exit; one from directly below takes the place of who leaves.",
)
class DownlineTo(StrEnum):
    """As in the program."""

    SPONSOR = "sponsor"
    BRAND = "brand"
    HEIR = "heir"


@described(
    "What becomes of pending commission.",
    KEEP="It is kept until its hold ends, then settled.",
    FORFEIT="It stays with the brand.",
)
class PendingCommission(StrEnum):
    """As in the program."""

    KEEP = "keep"
    FORFEIT = "forfeit"


@strawberry.type(description="A product to buy back: the pieces bought for itself that are not gone.")
class ExitStockLine:
    """Of a quote."""

    sku: str = strawberry.field(description="The product.")
    bought: int = strawberry.field(description="Pieces bought in the window and shipped.")
    gone: int = strawberry.field(description="Pieces declared as gone, the oldest first.")
    quantity: int = strawberry.field(description="Pieces to buy back.")
    paid: Money = strawberry.field(description="What was paid for them.")
    buy_back: Money = strawberry.field(description="What the brand gives for them.")


@strawberry.type(description="What an exit would mean, before anybody decides.")
class ExitQuote:
    """A quote."""

    heir: strawberry.Private[DistributorId | None]
    downline_to: DownlineTo = strawberry.field(description="Who takes the downline, by the program.")
    direct_downline: int = strawberry.field(description="How many stand directly below.")
    team: int = strawberry.field(description="How many stand below in all.")
    open_orders: int = strawberry.field(description="Orders that are not closed or cancelled.")
    open_orders_goods: Money = strawberry.field(description="What their goods came to.")
    pending_commission: PendingCommission = strawberry.field(description="What becomes of pending commission.")
    pending: Money = strawberry.field(description="Commission under a hold.")
    available: Money = strawberry.field(description="Commission and awards that wait for a settlement.")
    unsettled_awards: Money = strawberry.field(description="The part of it that closed periods brought.")
    adjustments: Money = strawberry.field(description="Adjustments and penalties agreed to; they wait for a statement.")
    open_returns: int = strawberry.field(description="Returns of its orders that still expect something.")
    settled: Money = strawberry.field(description="The settled balance.")
    in_payout: Money = strawberry.field(description="What is on its way out.")
    payouts_in_flight: int = strawberry.field(description="Payouts without a final result.")
    owed: Money = strawberry.field(description="What is to be recovered of a negative balance.")
    forfeited: Money = strawberry.field(description="Pending commission that stays with the brand.")
    final_amount: Money = strawberry.field(
        description="Everything still to be paid, before fee and withholding; negative is owed."
    )
    stock: list[ExitStockLine] = strawberry.field(description="The stock to buy back, by product.")
    stock_since: datetime | None = strawberry.field(
        description="Purchases paid for since then count; none when the program buys nothing back."
    )
    buy_back_bps: int = strawberry.field(description="What the brand gives, of what was paid.")
    buy_back: Money = strawberry.field(description="All of the buy-back; paid out with the settled balance.")
    payable_on: date | None = strawberry.field(
        description="By when the final amount can be paid; none when nothing is, or it is not known yet."
    )
    final_at: datetime | None = strawberry.field(description="When the last hold ends; none when nothing is held.")
    undelivered: int = strawberry.field(description="Shares whose hold has not begun, so that the date is not known.")

    @strawberry.field(description="Who takes the downline, if the caller may see it; none is the brand, too.")
    async def heir_id(self, info: Info) -> strawberry.ID | None:
        """A sponsor above what a distributor sees does not exist for it."""
        if self.heir is None or await distributor_by_id(info, self.heir) is None:
            return None
        return to_global("Distributor", self.heir)


def quote(found: Quote) -> ExitQuote:
    """A quote for the API."""

    def amount(minor: int) -> Money:
        return money(minor, found.currency)

    return ExitQuote(
        downline_to=DownlineTo(found.downline_to),
        heir=found.heir_id,
        direct_downline=found.direct_downline,
        team=found.team,
        open_orders=found.open_orders,
        open_orders_goods=amount(found.open_orders_minor),
        pending_commission=PendingCommission(found.pending),
        pending=amount(found.pending_minor),
        available=amount(found.available_minor),
        unsettled_awards=amount(found.awards_minor),
        adjustments=amount(found.adjustments_minor),
        open_returns=found.open_returns,
        settled=amount(found.settled_minor),
        in_payout=amount(found.in_payout_minor),
        payouts_in_flight=found.payouts_in_flight,
        owed=amount(found.owed_minor),
        forfeited=amount(found.forfeited_minor),
        final_amount=amount(found.final_minor),
        stock=[
            ExitStockLine(
                sku=line.sku,
                bought=line.bought,
                gone=line.gone,
                quantity=line.quantity,
                paid=amount(line.paid_minor),
                buy_back=amount(line.buy_back_minor),
            )
            for line in found.stock
        ],
        stock_since=found.stock_since,
        buy_back_bps=found.buy_back_bps,
        buy_back=amount(found.buy_back_minor),
        payable_on=found.payable_on,
        final_at=found.final_at,
        undelivered=found.undelivered,
    )


@strawberry.type(description="The certificate of an exit (退出证明), in the caller's language.")
class ExitCertificate:
    """A document."""

    number: str = strawberry.field(description="Its number, unique within the brand.")
    kind: ExitKind = strawberry.field(description="Why the distributor left.")
    code: str = strawberry.field(description="The distributor's code.")
    name: str = strawberry.field(description="The distributor's name; a dash once it was erased.")
    joined_on: date | None = strawberry.field(description="The day it joined.")
    left_on: date = strawberry.field(description="The day it left.")
    closed_on: date | None = strawberry.field(description="The day everything was settled; none before.")
    text: str = strawberry.field(description="The certificate in words.")
    html: str = strawberry.field(description="The certificate as a page to print.")


@strawberry.type(description="What one kind of movement did to one account since the distributor left, all together.")
class ExitMovement:
    """Of a final statement."""

    account: Account = strawberry.field(description="The account.")
    kind: Kind = strawberry.field(description="Why money moved.")
    amount: Money = strawberry.field(description="How much; positive is in the distributor's favour.")


@strawberry.type(description="All that happened to the money of who left, from the exit to its close at nothing.")
class ExitFinalStatement:
    """Made once, at the close; each movement is in the ledger entries."""

    since: datetime = strawberry.field(description="When the distributor left.")
    until: datetime = strawberry.field(description="When nothing was left.")
    opening: Balance = strawberry.field(description="Where its money stood then.")
    movements: list[ExitMovement] = strawberry.field(description="What moved it since.")


def final(found: FinalStatement, owner: DistributorId, currency: str) -> ExitFinalStatement:
    """A final statement for the API."""
    opening = Balances(owner, {(one.account, one.currency): one.amount_minor for one in found.openings})
    return ExitFinalStatement(
        since=found.since,
        until=found.until,
        opening=balance(opening, currency),
        movements=[
            ExitMovement(account=m.account, kind=m.kind, amount=money(m.amount_minor, m.currency))
            for m in found.movements
        ],
    )


@strawberry.type(description="A distributor's exit (清退, 退出).")
class ExitCase:
    """An exit."""

    view: strawberry.Private[ExitView]
    id: strawberry.ID = strawberry.field(description="Global id.")
    distributor_id: strawberry.ID = strawberry.field(description="Who leaves.")
    kind: ExitKind = strawberry.field(description="Why.")
    status: ExitState = strawberry.field(description="Where it is.")
    reason: str = strawberry.field(description="In words.")
    quote: ExitQuote = strawberry.field(description="What it was decided on.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    approved_at: datetime | None = strawberry.field(description="When a second person agreed.")
    executed_at: datetime | None = strawberry.field(description="When it happened.")
    closed_at: datetime | None = strawberry.field(description="When nothing was left.")
    erased_at: datetime | None = strawberry.field(description="When the personal data of who left was erased.")
    final_statement: ExitFinalStatement | None = strawberry.field(description="Of a closed exit.")

    @strawberry.field(description="The certificate, once the distributor has left.")
    async def certificate(self, info: Info) -> ExitCertificate | None:
        """Made when it is asked for, from what is known of who left."""
        found, locale = await _certificates(info).load(self.view), info.context.locale
        if found is None:
            return None
        return ExitCertificate(
            number=found.number,
            kind=found.kind,
            code=found.code,
            name=found.name,
            joined_on=found.joined_on,
            left_on=found.left_on,
            closed_on=found.closed_on,
            text=found.text(locale),
            html=found.html(locale),
        )

    @strawberry.field(description="Who leaves, if the caller may see it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """Loaded for a whole page at once."""
        return await distributor_by_id(info, self.view.distributor_id)


def _certificates(info: Info) -> DataLoader[ExitView, Certificate | None]:
    """The certificates of the request's exits, with the people in one go."""

    async def load(cases: list[ExitView]) -> list[Certificate | None]:
        found = await queries.certificates_of(cases)
        return [found.get(case.id) for case in cases]

    return info.context.loader("exit-certificates", load)


def exit_case(view: ExitView) -> ExitCase:
    """An exit for the API."""
    statement, owner = view.final_statement, view.distributor_id
    return ExitCase(
        view=view,
        id=to_global("ExitCase", view.id),
        distributor_id=to_global("Distributor", view.distributor_id),
        kind=view.kind,
        status=view.status,
        reason=view.reason,
        quote=quote(view.quote),
        requested_at=view.requested_at,
        approved_at=view.approved_at,
        executed_at=view.executed_at,
        closed_at=view.closed_at,
        erased_at=view.erased_at,
        final_statement=final(statement, owner, view.quote.currency) if statement else None,
    )


@strawberry.type(description="An active distributor that sold nothing for a while.")
class InactiveDistributor:
    """A proposal for an exit."""

    distributor_id: strawberry.ID = strawberry.field(description="Who.")
    joined_at: datetime = strawberry.field(description="When it joined.")
    last_sale_on: date | None = strawberry.field(description="The day of its last sale; none when it never sold.")
    row: strawberry.Private[Inactive]

    @strawberry.field(description="Who, if the caller may see it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """Loaded for a whole page at once."""
        return await distributor_by_id(info, self.row.distributor_id)


def inactive(row: Inactive) -> InactiveDistributor:
    """A proposal for the API."""
    return InactiveDistributor(
        row=row,
        distributor_id=to_global("Distributor", row.distributor_id),
        joined_at=row.joined_at,
        last_sale_on=row.last_sale_on,
    )


@strawberry.input(description="Pieces of a product, bought for itself, that the distributor sold or used.")
class GoneInput:
    """A product and a number."""

    sku: str = strawberry.field(description="The product.")
    quantity: int = strawberry.field(description="Pieces that are gone.")


def gone_of(given: list[GoneInput] | None) -> list[Gone]:
    """What is declared as gone."""
    return [Gone(one.sku, one.quantity) for one in given or ()]


def heir_of(given: strawberry.ID | None, field: str) -> DistributorId | None:
    """Who is named to take the downline."""
    return None if given is None else DistributorId(from_global("Distributor", given, field))


@strawberry.type
class ExitQuery:
    """Reads of exits."""

    @strawberry.field(description="Exits, the latest first; a distributor its own.")
    async def exits(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Only this distributor's.")] = None,
        statuses: Annotated[list[ExitState] | None, strawberry.argument(description="Only these statuses.")] = None,
        kinds: Annotated[list[ExitKind] | None, strawberry.argument(description="Only these kinds.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[ExitCase]:
        """A page of exits."""
        wanted = ExitFilter(statuses=statuses, kinds=kinds, distributor_id=own_or_asked(info, of, "of"))
        return connection(await queries.exits(wanted, request(first, after)), exit_case, after)

    @strawberry.field(description="One exit; a distributor reads its own.")
    async def exit(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> ExitCase:
        """An exit."""
        who = info.context.who
        own: DistributorId | None = who.distributor_id if who.role is Role.DISTRIBUTOR else None
        return exit_case(await queries.exit_by_id(ExitId(from_global("ExitCase", id, "id")), own))

    @strawberry.field(description="What an exit would mean, without asking for one.")
    async def exit_preview(
        self,
        of: Annotated[strawberry.ID, strawberry.argument(description="Who would leave.")],
        kind: Annotated[ExitKind, strawberry.argument(description="Why.")],
        heir_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Who takes the downline, where the program lets name it."),
        ] = None,
        gone: Annotated[
            list[GoneInput] | None, strawberry.argument(description="Stock that is not there to be bought back.")
        ] = None,
    ) -> ExitQuote:
        """A dry run."""
        request = ExitRequest(
            distributor_id=DistributorId(from_global("Distributor", of, "of")),
            kind=kind,
            heir_id=heir_of(heir_id, "heirId"),
            gone=gone_of(gone),
        )
        return quote(await commands.preview_exit(request))

    @strawberry.field(description="Active distributors without a sale in the last days, who have no exit under way.")
    async def inactive_distributors(
        self,
        days: Annotated[int, strawberry.argument(description="1 to 3650 days, of the brand's calendar.")],
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[InactiveDistributor]:
        """A page of proposals, the longest here first."""
        return connection(await queries.inactive_distributors(days, request(first, after)), inactive, after)
