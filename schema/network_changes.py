"""Enrolment, review, standing, moves, and the orange list."""

from datetime import datetime

import strawberry

from saas.base.errors import NotFound
from saas.base.ids import DistributorId
from saas.network import commands, orange, queries
from saas.network.commands import Move
from saas.network.orange import Listing
from saas.network.rules import Enrol, Kind
from schema.context import Info
from schema.errors import In, Payload, refusals
from schema.ids import from_global, maybe_global, to_global
from schema.limits import at_most_a_thousand
from schema.network import Distributor, distributor, viewing
from schema.numbers import Number
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.people import DonePayload


@strawberry.input(description="A person or firm to take into the network.")
class EnrolInput:
    """An applicant."""

    idempotency_key: str = strawberry.field(description="The same key and content enrol once.")
    code: str = strawberry.field(description="Its code, unique in the brand.")
    name: str = strawberry.field(description="Its name.")
    kind: Kind = strawberry.field(default=Kind.PERSON, description="What it is in law.")
    sponsor_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its sponsor; none for a place directly under the brand."
    )
    sponsor_code: str | None = strawberry.field(default=None, description="Its sponsor by code, instead of by id.")
    tier: str | None = strawberry.field(default=None, description="Its tier; the lowest by default.")
    region: str | None = strawberry.field(default=None, description="Its region, GB/T 2260.")
    phone: str | None = strawberry.field(default=None, description="Its phone number; kept encrypted.")
    id_number: str | None = strawberry.field(
        default=None, description="Its identity number; only a keyed hash is kept."
    )
    reviewed: bool = strawberry.field(
        default=False, description="The brand has made up its mind: joins at once, whatever the program says of review."
    )


@strawberry.input(description="Many applicants, all or none. Sponsors may be among them, by code.")
class EnrolManyInput:
    """Up to a thousand applicants."""

    distributors: list[EnrolInput] = strawberry.field(description="The applicants.")
    dry_run: bool = strawberry.field(default=False, description="Decide and answer, write nothing.")


@strawberry.input(description="A distributor and a reason.")
class DistributorReasonInput:
    """For steps that need a reason."""

    distributor_id: strawberry.ID = strawberry.field(description="The distributor.")
    reason: str = strawberry.field(description="Why; it stands in the audit log.")


@strawberry.input(description="A distributor.")
class DistributorInput:
    """By id."""

    distributor_id: strawberry.ID = strawberry.field(description="The distributor.")


@strawberry.input(description="Another place in the tree for a distributor and its whole downline.")
class MoveDistributorInput:
    """A move."""

    distributor_id: strawberry.ID = strawberry.field(description="Who moves, with everybody below.")
    sponsor_id: strawberry.ID | None = strawberry.field(
        default=None, description="The new sponsor; none for a place directly under the brand."
    )
    reason: str = strawberry.field(description="Why; it stands in the history.")


@strawberry.input(description="A number to put on the orange list (橙色名单).")
class BarNumberInput:
    """A number in clear, which is not kept."""

    kind: Number = strawberry.field(description="Which number it is.")
    number: str = strawberry.field(description="The number; only a keyed hash of it is kept.")
    reason: str = strawberry.field(description="Why.")


@strawberry.input(description="An entry of the orange list to lift.")
class LiftBarInput:
    """An entry."""

    id: strawberry.ID = strawberry.field(description="The entry.")
    reason: str = strawberry.field(description="Why; it stands in the audit log.")


@strawberry.type(description="A number the brand does not take again, without the number.")
class OrangeEntry:
    """An entry of the orange list."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    kind: Number = strawberry.field(description="Which number it is.")
    reason: str = strawberry.field(description="Why it is listed.")
    exit_case_id: strawberry.ID | None = strawberry.field(description="The exit it was listed by, if one did.")
    added_at: datetime = strawberry.field(description="Since when.")


def orange_entry(found: Listing) -> OrangeEntry:
    """An entry for the API."""
    return OrangeEntry(
        id=to_global("OrangeEntry", found.id),
        kind=found.kind,
        reason=found.reason,
        exit_case_id=maybe_global("ExitCase", found.exit_case_id),
        added_at=found.added_at,
    )


@strawberry.type(description="A distributor as it is now.")
class DistributorPayload(Payload):
    """Answer of the mutations of one distributor."""

    distributor: Distributor | None = strawberry.field(default=None, description="The distributor; none when refused.")


@strawberry.type(description="Distributors as they are now.")
class EnrolManyPayload(Payload):
    """Answer of a bulk enrolment."""

    distributors: list[Distributor] | None = strawberry.field(
        default=None, description="The distributors; none when refused, or after a dry run."
    )
    count: int = strawberry.field(default=0, description="How many were, or would be, enrolled.")


@strawberry.type(description="What a move did.")
class MoveDistributorPayload(Payload):
    """Answer of a move."""

    distributor: Distributor | None = strawberry.field(default=None, description="Who moved; none when refused.")
    moved: int = strawberry.field(default=0, description="How many distributors moved, the downline included.")


@strawberry.type(description="A phone number in clear.")
class RevealPhonePayload(Payload):
    """Answer of a look at a phone number."""

    phone: str | None = strawberry.field(default=None, description="The number; none when there is none.")


@strawberry.type(description="An entry of the orange list.")
class OrangeEntryPayload(Payload):
    """Answer of the mutations of the orange list."""

    id: strawberry.ID | None = strawberry.field(default=None, description="The entry; none when refused.")


@strawberry.type
class OrangeQuery:
    """Reads of the orange list."""

    @strawberry.field(description="The orange list (橙色名单), oldest first; the numbers themselves are kept nowhere.")
    async def orange_list(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[OrangeEntry]:
        """A page of the list."""
        return connection(await orange.listings(request(first, after)), orange_entry, after)


@strawberry.type
class NetworkMutation:
    """Writes to the tree."""

    @strawberry.mutation(description="Take somebody into the network; a distributor enrols people under itself.")
    @refusals(DistributorPayload)
    async def enrol(self, info: Info, input: In[EnrolInput]) -> DistributorPayload:
        """Enrol."""
        id_ = await commands.enrol(_enrol(input, "input"), info.context.who)
        return DistributorPayload(distributor=await now(info, id_))

    @strawberry.mutation(description="Take many people into the network, all or none; with a dry run.")
    @refusals(EnrolManyPayload)
    async def enrol_many(self, info: Info, input: In[EnrolManyInput]) -> EnrolManyPayload:
        """Enrol in bulk."""
        at_most_a_thousand(input.distributors, "input.distributors")
        wanted = [_enrol(one, f"input.distributors[{i}]") for i, one in enumerate(input.distributors)]
        ids = await commands.enrol_many(wanted, info.context.who, dry_run=input.dry_run)
        if input.dry_run:
            return EnrolManyPayload(count=len(ids))
        found = await queries.find(ids, await viewing(info))
        return EnrolManyPayload(distributors=[distributor(found[id_]) for id_ in ids], count=len(ids))

    @strawberry.mutation(description="Let an applicant join.")
    @refusals(DistributorPayload)
    async def approve_distributor(self, info: Info, input: In[DistributorInput]) -> DistributorPayload:
        """Approve."""
        id_ = _id(input.distributor_id)
        await commands.approve(id_, info.context.who)
        return DistributorPayload(distributor=await now(info, id_))

    @strawberry.mutation(description="Turn an applicant down.")
    @refusals(DistributorPayload)
    async def reject_distributor(self, info: Info, input: In[DistributorReasonInput]) -> DistributorPayload:
        """Reject."""
        id_ = _id(input.distributor_id)
        await commands.reject(id_, input.reason, info.context.who)
        return DistributorPayload(distributor=await now(info, id_))

    @strawberry.mutation(description="Stop a distributor from ordering, recruiting, earning and being paid out.")
    @refusals(DistributorPayload)
    async def suspend_distributor(self, info: Info, input: In[DistributorReasonInput]) -> DistributorPayload:
        """Suspend."""
        id_ = _id(input.distributor_id)
        await commands.suspend(id_, input.reason, info.context.who)
        return DistributorPayload(distributor=await now(info, id_))

    @strawberry.mutation(description="End a suspension.")
    @refusals(DistributorPayload)
    async def reinstate_distributor(self, info: Info, input: In[DistributorReasonInput]) -> DistributorPayload:
        """Reinstate."""
        id_ = _id(input.distributor_id)
        await commands.reinstate(id_, input.reason, info.context.who)
        return DistributorPayload(distributor=await now(info, id_))

    @strawberry.mutation(description="Move a distributor with its whole downline under another sponsor.")
    @refusals(MoveDistributorPayload)
    async def move_distributor(self, info: Info, input: In[MoveDistributorInput]) -> MoveDistributorPayload:
        """Move a subtree."""
        id_ = _id(input.distributor_id)
        sponsor = (
            DistributorId(from_global("Distributor", input.sponsor_id, "input.sponsorId")) if input.sponsor_id else None
        )
        moved = await commands.move(Move(distributor=id_, sponsor=sponsor, reason=input.reason), info.context.who)
        return MoveDistributorPayload(distributor=await now(info, id_), moved=moved)

    @strawberry.mutation(description="Read a distributor's phone number in clear; written to the audit log.")
    @refusals(RevealPhonePayload)
    async def reveal_phone(self, info: Info, input: In[DistributorInput]) -> RevealPhonePayload:
        """Reveal it."""
        return RevealPhonePayload(phone=await commands.reveal_phone(_id(input.distributor_id), info.context.who))

    @strawberry.mutation(description="Put a number on the orange list.")
    @refusals(OrangeEntryPayload)
    async def bar_number(self, info: Info, input: In[BarNumberInput]) -> OrangeEntryPayload:
        """List it."""
        id_ = await orange.add(input.kind, input.number, input.reason, info.context.who)
        return OrangeEntryPayload(id=to_global("OrangeEntry", id_))

    @strawberry.mutation(description="Take an entry off the orange list.")
    @refusals(DonePayload)
    async def lift_bar(self, info: Info, input: In[LiftBarInput]) -> DonePayload:
        """Lift it."""
        await orange.lift(from_global("OrangeEntry", input.id, "input.id"), input.reason, info.context.who)
        return DonePayload(done=True)


def _id(value: strawberry.ID) -> DistributorId:
    return DistributorId(from_global("Distributor", value, "input.distributorId"))


def _enrol(given: EnrolInput, field: str) -> Enrol:
    sponsor: DistributorId | str | None = given.sponsor_code
    if given.sponsor_id:
        sponsor = DistributorId(from_global("Distributor", given.sponsor_id, f"{field}.sponsorId"))
    return Enrol(
        code=given.code,
        name=given.name,
        idempotency_key=given.idempotency_key,
        kind=given.kind,
        sponsor=sponsor,
        tier=given.tier,
        region=given.region,
        phone=given.phone,
        id_number=given.id_number,
        reviewed=given.reviewed,
    )


async def now(info: Info, id_: DistributorId) -> Distributor:
    """A distributor as it is after a change. Raises ``NotFound``."""
    found = await queries.find([id_], await viewing(info))
    if id_ not in found:
        raise NotFound("input.distributorId", kind="distributor", value=id_)
    return distributor(found[id_])
