"""Exits as they are decided: quoted, approved, executed, closed; and personal data erased afterwards."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from saas.base.ids import DistributorId, ExitId
from saas.exits import commands, together
from saas.exits.bulk import QuoteAllInactive, start_inactive
from saas.exits.commands import Erasable, ExecuteExit, Quoted, QuoteExit, QuoteInactive
from saas.exits.rules import ExitKind
from saas.exits.together import ApproveExits, Decided, ExecuteExits
from schema.context import Info
from schema.errors import In, Payload, UserError, refusals, user_errors
from schema.exits import ExitCase, ExitQuote, GoneInput, exit_case, gone_of, heir_of, quote
from schema.ids import from_global, to_global
from schema.jobs import JobPayload, job


@strawberry.input(description="An exit to quote, as the first step of it.")
class QuoteExitInput:
    """A distributor, a kind and a reason."""

    idempotency_key: str = strawberry.field(description="The same key and content open one exit.")
    distributor_id: strawberry.ID = strawberry.field(description="Who leaves; a distributor itself.")
    kind: ExitKind = strawberry.field(description="Why; a distributor asks for voluntary ones.")
    reason: str = strawberry.field(description="In words.")
    heir_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Who takes the downline, where the program lets it be named; a distributor: one directly below.",
    )
    gone: list[GoneInput] | None = strawberry.field(
        default=None, description="Stock that is not there to be bought back; all of it is when this is left out."
    )


@strawberry.input(description="Exits for inactivity, all of them or none.")
class QuoteInactiveExitsInput:
    """Distributors of the list of inactive ones."""

    idempotency_key: str = strawberry.field(description="The same key and content open the same exits.")
    distributor_ids: list[strawberry.ID] = strawberry.field(description="1 to 100 of inactiveDistributors.")
    days: int = strawberry.field(description="For how many days they sold nothing.")
    reason: str = strawberry.field(description="In words.")
    heir_id: strawberry.ID | None = strawberry.field(
        default=None, description="Who takes their downlines, where the program lets it be named."
    )
    dry_run: bool = strawberry.field(default=False, description="Only quote; nothing is kept.")


@strawberry.input(description="The erasure of personal data whose retention is over.")
class ErasePersonalDataInput:
    """For real, or to see whose."""

    dry_run: bool = strawberry.field(default=False, description="Only tell whose data would be erased.")


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


@strawberry.input(description="Exits to approve, each by itself.")
class ApproveExitsInput:
    """Exits."""

    ids: list[strawberry.ID] = strawberry.field(description="1 to 100 exits.")
    dry_run: bool = strawberry.field(default=False, description="Look whether each could be, write nothing.")


@strawberry.input(description="Approved exits to execute, each by itself.")
class ExecuteExitsInput:
    """Exits."""

    idempotency_key: str = strawberry.field(
        description="The same key and content execute each once; those refused before are tried again."
    )
    ids: list[strawberry.ID] = strawberry.field(description="1 to 100 exits, executed in this order.")
    dry_run: bool = strawberry.field(
        default=False, description="Look whether each could be, as if no other of them were; write nothing."
    )


@strawberry.type(description="An exit as it is now.")
class ExitPayload(Payload):
    """Answer of the mutations of exits."""

    exit: ExitCase | None = strawberry.field(default=None, description="The exit; none when refused.")


@strawberry.type(description="What became of one exit of several.")
class ExitVerdict:
    """A verdict."""

    exit_id: strawberry.ID = strawberry.field(description="The exit that was meant.")
    exit: ExitCase | None = strawberry.field(
        description="The exit as it stands now, also when it was refused; none when there is none."
    )
    user_errors: list[UserError] = strawberry.field(description="Why it was refused; empty when it was done.")


@strawberry.type(description="What became of each exit, in the order they were given.")
class ExitsPayload(Payload):
    """Answer of approveExits and executeExits."""

    verdicts: list[ExitVerdict] | None = strawberry.field(default=None, description="One for each exit.")


@strawberry.type(description="The quote of one distributor's exit.")
class QuotedExit:
    """Of several."""

    distributor_id: strawberry.ID = strawberry.field(description="Who leaves.")
    quote: ExitQuote = strawberry.field(description="What it would mean.")
    exit: ExitCase | None = strawberry.field(description="The exit; none of a dry run.")


@strawberry.type(description="Exits that were asked for together.")
class QuoteInactiveExitsPayload(Payload):
    """Answer of quoteInactiveExits."""

    exits: list[QuotedExit] = strawberry.field(default_factory=list, description="In the order they were asked for.")


@strawberry.type(description="One who left, whose personal data need not be kept any longer.")
class ErasedPerson:
    """By code."""

    exit_id: strawberry.ID = strawberry.field(description="The exit.")
    distributor_id: strawberry.ID = strawberry.field(description="Who left.")
    code: str = strawberry.field(description="The distributor's code, which is kept.")
    closed_at: datetime = strawberry.field(description="When the exit was closed.")


@strawberry.type(description="Whose personal data was erased, or would be.")
class ErasePersonalDataPayload(Payload):
    """Answer of erasePersonalData; up to 1000 people, the longest gone first."""

    erased: list[ErasedPerson] = strawberry.field(default_factory=list, description="Who.")


@strawberry.input(description="Whose exits to quote: all who sold nothing for so long.")
class StartInactiveExitsInput:
    """Days and a reason."""

    days: int = strawberry.field(description="For how many days they sold nothing.")
    reason: str = strawberry.field(description="Why they are to leave.")
    idempotency_key: str = strawberry.field(description="The same key answers the same job.")


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
            heir_id=heir_of(input.heir_id, "input.heirId"),
            gone=gone_of(input.gone),
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

    @strawberry.mutation(description="Agree to many exits that somebody else asked for, each by itself; dryRun tells.")
    @refusals(ExitsPayload)
    async def approve_exits(self, info: Info, input: In[ApproveExitsInput]) -> ExitsPayload:
        """Approve them."""
        command = ApproveExits(exit_ids=_ids(input.ids), dry_run=input.dry_run)
        return _verdicts(await together.approve_exits(command, info.context.who), info.context.locale)

    @strawberry.mutation(description="Let many approved exits happen, each by itself; dryRun only tells.")
    @refusals(ExitsPayload)
    async def execute_exits(self, info: Info, input: In[ExecuteExitsInput]) -> ExitsPayload:
        """Execute them."""
        command = ExecuteExits(exit_ids=_ids(input.ids), idempotency_key=input.idempotency_key, dry_run=input.dry_run)
        return _verdicts(await together.execute_exits(command, info.context.who), info.context.locale)

    @strawberry.mutation(description="Close an executed exit when nothing is left to settle or to pay.")
    @refusals(ExitPayload)
    async def close_exit(self, info: Info, input: In[ExitInput]) -> ExitPayload:
        """Close it."""
        return ExitPayload(exit=exit_case(await commands.close_exit(_id(input.id), info.context.who)))

    @strawberry.mutation(description="Quote the exits of distributors that sold nothing; dryRun only tells.")
    @refusals(QuoteInactiveExitsPayload)
    async def quote_inactive_exits(self, info: Info, input: In[QuoteInactiveExitsInput]) -> QuoteInactiveExitsPayload:
        """Quote them."""
        command = QuoteInactive(
            distributor_ids=[
                DistributorId(from_global("Distributor", one, f"input.distributorIds[{i}]"))
                for i, one in enumerate(input.distributor_ids)
            ],
            days=input.days,
            reason=input.reason,
            heir_id=heir_of(input.heir_id, "input.heirId"),
            idempotency_key=input.idempotency_key,
            dry_run=input.dry_run,
        )
        made = await commands.quote_inactive(command, info.context.who)
        return QuoteInactiveExitsPayload(exits=[_quoted(one) for one in made])

    @strawberry.mutation(description="Quote the exits of all distributors that sold nothing, as a job.")
    @refusals(JobPayload)
    async def start_inactive_exits(self, info: Info, input: In[StartInactiveExitsInput]) -> JobPayload:
        """Start it."""
        command = QuoteAllInactive(days=input.days, reason=input.reason, idempotency_key=input.idempotency_key)
        return JobPayload(job=job(await start_inactive(command, info.context.who)))

    @strawberry.mutation(
        description="Erase the personal data of those who left, where the program's retention is over."
    )
    @refusals(ErasePersonalDataPayload)
    async def erase_personal_data(self, info: Info, input: In[ErasePersonalDataInput]) -> ErasePersonalDataPayload:
        """Erase it; the books stay."""
        erased = await commands.erase_expired(info.context.who, dry_run=input.dry_run)
        return ErasePersonalDataPayload(erased=[_erased(one) for one in erased])


def _id(value: strawberry.ID) -> ExitId:
    return ExitId(from_global("ExitCase", value, "input.id"))


def _ids(values: list[strawberry.ID]) -> list[ExitId]:
    return [ExitId(from_global("ExitCase", value, f"input.ids[{i}]")) for i, value in enumerate(values)]


def _verdicts(decided: Sequence[Decided], locale: str) -> ExitsPayload:
    return ExitsPayload(
        verdicts=[
            ExitVerdict(
                exit_id=to_global("ExitCase", one.exit_id),
                exit=exit_case(one.exit) if one.exit else None,
                user_errors=user_errors(one.errors, locale),
            )
            for one in decided
        ]
    )


def _quoted(one: Quoted) -> QuotedExit:
    return QuotedExit(
        distributor_id=to_global("Distributor", one.distributor_id),
        quote=quote(one.quote),
        exit=exit_case(one.exit) if one.exit else None,
    )


def _erased(one: Erasable) -> ErasedPerson:
    return ErasedPerson(
        exit_id=to_global("ExitCase", one.exit_id),
        distributor_id=to_global("Distributor", one.distributor_id),
        code=one.code,
        closed_at=one.closed_at,
    )
