"""Exits: a distributor leaves."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.base.ids import DistributorId, ExitId
from saas.exits import commands, queries
from saas.exits.commands import ExecuteExit, QuoteExit
from saas.exits.queries import ExitFilter, ExitView
from saas.exits.rules import ExitKind, ExitState, Quote
from schema.commissions import own_or_asked
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, to_global
from schema.network import Distributor, distributor_by_id
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import Money, money
from tenants.actors import Role

described(
    "Why a distributor leaves.",
    VOLUNTARY="It wants to; can be withdrawn until it is executed.",
    BREACH="It broke the rules; it is barred from enrolling again.",
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


@described("Who takes the downline.", SPONSOR="The sponsor of who leaves.", BRAND="The brand itself.")
class DownlineTo(StrEnum):
    """As in the program."""

    SPONSOR = "sponsor"
    BRAND = "brand"


@described(
    "What becomes of pending commission.",
    KEEP="It is kept until its hold ends, then settled.",
    FORFEIT="It stays with the brand.",
)
class PendingCommission(StrEnum):
    """As in the program."""

    KEEP = "keep"
    FORFEIT = "forfeit"


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
    available: Money = strawberry.field(description="Commission that waits for a settlement.")
    settled: Money = strawberry.field(description="The settled balance.")
    in_payout: Money = strawberry.field(description="What is on its way out.")
    payouts_in_flight: int = strawberry.field(description="Payouts without a final result.")
    owed: Money = strawberry.field(description="What is to be recovered of a negative balance.")
    forfeited: Money = strawberry.field(description="Pending commission that stays with the brand.")
    final_amount: Money = strawberry.field(
        description="Everything still to be paid, before fee and withholding; negative is owed."
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
        settled=amount(found.settled_minor),
        in_payout=amount(found.in_payout_minor),
        payouts_in_flight=found.payouts_in_flight,
        owed=amount(found.owed_minor),
        forfeited=amount(found.forfeited_minor),
        final_amount=amount(found.final_minor),
        final_at=found.final_at,
        undelivered=found.undelivered,
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

    @strawberry.field(description="Who leaves, if the caller may see it.")
    async def distributor(self, info: Info) -> Distributor | None:
        """Loaded for a whole page at once."""
        return await distributor_by_id(info, self.view.distributor_id)


def exit_case(view: ExitView) -> ExitCase:
    """An exit for the API."""
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
    )


@strawberry.input(description="An exit to quote, as the first step of it.")
class QuoteExitInput:
    """A distributor, a kind and a reason."""

    idempotency_key: str = strawberry.field(description="The same key and content open one exit.")
    distributor_id: strawberry.ID = strawberry.field(description="Who leaves; a distributor itself.")
    kind: ExitKind = strawberry.field(description="Why; a distributor asks for voluntary ones.")
    reason: str = strawberry.field(description="In words.")


@strawberry.input(description="An exit.")
class ExitInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The exit.")


@strawberry.input(description="An exit to turn down.")
class RejectExitInput:
    """An exit and a reason."""

    id: strawberry.ID = strawberry.field(description="The exit.")
    reason: str = strawberry.field(description="Why; it stands in the audit log.")


@strawberry.input(description="An approved exit to execute.")
class ExecuteExitInput:
    """An exit."""

    idempotency_key: str = strawberry.field(description="The same key and content execute once.")
    id: strawberry.ID = strawberry.field(description="The exit.")


@strawberry.type(description="An exit as it is now.")
class ExitPayload(Payload):
    """Answer of the mutations of exits."""

    exit: ExitCase | None = strawberry.field(default=None, description="The exit; none when refused.")


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
    ) -> ExitQuote:
        """A dry run."""
        return quote(await commands.preview_exit(DistributorId(from_global("Distributor", of, "of")), kind))


@strawberry.type
class ExitMutation:
    """Writes of exits."""

    @strawberry.mutation(description="Open an exit with its quote. It waits for a second person.")
    @refusals(ExitPayload)
    async def quote_exit(self, info: Info, input: In[QuoteExitInput]) -> ExitPayload:
        """Quote it."""
        command = QuoteExit(
            distributor_id=DistributorId(from_global("Distributor", input.distributor_id, "input.distributorId")),
            kind=input.kind,
            reason=input.reason,
            idempotency_key=input.idempotency_key,
        )
        return ExitPayload(exit=exit_case(await commands.quote_exit(command, info.context.who)))

    @strawberry.mutation(description="Agree to an exit that somebody else asked for.")
    @refusals(ExitPayload)
    async def approve_exit(self, info: Info, input: In[ExitInput]) -> ExitPayload:
        """Approve it."""
        return ExitPayload(exit=exit_case(await commands.approve_exit(_id(input.id), info.context.who)))

    @strawberry.mutation(description="Turn an exit down before it is executed.")
    @refusals(ExitPayload)
    async def reject_exit(self, info: Info, input: In[RejectExitInput]) -> ExitPayload:
        """Reject it."""
        return ExitPayload(exit=exit_case(await commands.reject_exit(_id(input.id), input.reason, info.context.who)))

    @strawberry.mutation(description="Take back a voluntary exit before it is executed.")
    @refusals(ExitPayload)
    async def withdraw_exit(self, info: Info, input: In[ExitInput]) -> ExitPayload:
        """Withdraw it."""
        return ExitPayload(exit=exit_case(await commands.withdraw_exit(_id(input.id), info.context.who)))

    @strawberry.mutation(description="Let an approved exit happen: log-in, orders, downline and commission at once.")
    @refusals(ExitPayload)
    async def execute_exit(self, info: Info, input: In[ExecuteExitInput]) -> ExitPayload:
        """Execute it."""
        command = ExecuteExit(exit_id=_id(input.id), idempotency_key=input.idempotency_key)
        return ExitPayload(exit=exit_case(await commands.execute_exit(command, info.context.who)))

    @strawberry.mutation(description="Close an executed exit when nothing is left to settle or to pay.")
    @refusals(ExitPayload)
    async def close_exit(self, info: Info, input: In[ExitInput]) -> ExitPayload:
        """Close it."""
        return ExitPayload(exit=exit_case(await commands.close_exit(_id(input.id), info.context.who)))


def _id(value: strawberry.ID) -> ExitId:
    return ExitId(from_global("ExitCase", value, "input.id"))
