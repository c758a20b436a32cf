"""Adjustments and penalties: lines of the next statement that two people of the brand decide."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.dataloader import DataLoader

from saas.base.ids import AdjustmentId, DistributorId, StatementId
from saas.settlement import adjusted
from saas.settlement import adjustments as commands
from saas.settlement.adjusted import AdjustmentKind, AdjustmentState, AdjustmentView
from saas.settlement.adjustments import NewAdjustment, RequestAdjustments
from saas.settlement.penalties import Lift, LiftPenalties, lift_penalties
from schema.commissions import own_or_asked
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, maybe_global, to_global
from schema.limits import at_most_a_thousand
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import BigInt, Money, money

described(
    "Where an adjustment is.",
    name="AdjustmentStatus",
    REQUESTED="Waits for a second person.",
    APPROVED="Waits for the next statement.",
    REJECTED="Turned down.",
    SETTLED="On a statement.",
)(AdjustmentState)
described(
    "What was decided.",
    name="AdjustmentKind",
    ADJUSTMENT="An adjustment (调整), either way.",
    PENALTY="A penalty (处罚), which takes; or, with `lifts`, what gives one back.",
)(AdjustmentKind)


@strawberry.type(
    description="An amount that two people of the brand decide (调整, 处罚): a line of the next statement."
)
class Adjustment:
    """An adjustment."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    kind: AdjustmentKind = strawberry.field(description="An adjustment or a penalty.")
    lifts: strawberry.ID | None = strawberry.field(description="The penalty that this gives back.")
    distributor_id: strawberry.ID = strawberry.field(description="Whose statement it goes on.")
    amount: Money = strawberry.field(description="In the distributor's favour, or against it when below zero.")
    reason: str = strawberry.field(description="Why.")
    reference: str | None = strawberry.field(description="What it is about, such as the number of a statement.")
    status: AdjustmentState = strawberry.field(description="Where it is.")
    requested_by: strawberry.ID = strawberry.field(description="Who asked for it.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    decided_by: strawberry.ID | None = strawberry.field(description="Who decided it.")
    decided_at: datetime | None = strawberry.field(description="When it was decided.")
    statement_id: strawberry.ID | None = strawberry.field(description="The statement it is on.")


def adjustment(view: AdjustmentView) -> Adjustment:
    """An adjustment for the API."""
    return Adjustment(
        id=to_global("Adjustment", view.id),
        kind=view.kind,
        lifts=maybe_global("Adjustment", view.lifts_id),
        distributor_id=to_global("Distributor", view.distributor_id),
        amount=money(view.amount_minor, view.currency),
        reason=view.reason,
        reference=view.reference,
        status=view.status,
        requested_by=to_global("Member", view.requested_by),
        requested_at=view.requested_at,
        decided_by=maybe_global("Member", view.decided_by),
        decided_at=view.decided_at,
        statement_id=maybe_global("Statement", view.statement_id),
    )


def lines_decided(info: Info) -> DataLoader[StatementId, Sequence[AdjustmentView]]:
    """What was decided that is on the request's statements, each read once."""

    async def load(ids: list[StatementId]) -> list[Sequence[AdjustmentView]]:
        found = await adjusted.adjustments_on_each(ids)
        return [found[id_] for id_ in ids]

    return info.context.loader("statement-adjustments", load)


@strawberry.input(description="An adjustment to ask for.")
class AdjustmentInput:
    """One line."""

    distributor_id: strawberry.ID = strawberry.field(description="Whose statement it goes on.")
    amount_minor: BigInt = strawberry.field(
        description="In minor units; below zero is against the distributor. Of a penalty what it takes, above zero."
    )
    reason: str = strawberry.field(description="Why; the distributor reads it.")
    reference: str | None = strawberry.field(default=None, description="What it is about, 1 to 100 characters.")
    kind: AdjustmentKind = strawberry.field(
        default=AdjustmentKind.ADJUSTMENT, description="An adjustment, or a penalty, which only takes."
    )


@strawberry.input(description="Adjustments to ask for together, all or none.")
class RequestAdjustmentsInput:
    """One or many."""

    idempotency_key: str = strawberry.field(description="The same key and content ask once.")
    adjustments: list[AdjustmentInput] = strawberry.field(description="1 to 1,000 of them.")
    dry_run: bool = strawberry.field(default=False, description="Look whether they could be, write nothing.")


@strawberry.input(description="A penalty to give back, all of it.")
class LiftInput:
    """One penalty."""

    id: strawberry.ID = strawberry.field(description="A penalty that was approved, or is on a statement.")
    reason: str = strawberry.field(description="Why; the distributor reads it.")


@strawberry.input(description="Penalties to give back together, all or none.")
class LiftPenaltiesInput:
    """One or many."""

    idempotency_key: str = strawberry.field(description="The same key and content ask once.")
    penalties: list[LiftInput] = strawberry.field(description="1 to 1,000 of them.")
    dry_run: bool = strawberry.field(default=False, description="Look whether they could be, write nothing.")


@strawberry.input(description="Adjustments and penalties to decide together, all or none.")
class AdjustmentsInput:
    """By ids."""

    ids: list[strawberry.ID] = strawberry.field(description="1 to 1,000 adjustments that somebody else asked for.")


@strawberry.type(description="Adjustments that were asked for.")
class RequestAdjustmentsPayload(Payload):
    """Answer of a request; a dry run makes none, and says what they come to."""

    adjustments: list[Adjustment] = strawberry.field(default_factory=list, description="None by a dry run.")
    count: int = strawberry.field(default=0, description="How many.")
    given: Money | None = strawberry.field(default=None, description="What they give in all.")
    taken: Money | None = strawberry.field(default=None, description="What they take in all, below zero.")


@strawberry.type(description="Adjustments as they are now.")
class AdjustmentsPayload(Payload):
    """Answer of a decision."""

    adjustments: list[Adjustment] = strawberry.field(default_factory=list, description="None when refused.")


Status = Annotated[AdjustmentState | None, strawberry.argument(description="Only this status.")]


@strawberry.type
class AdjustmentQuery:
    """Reads of adjustments."""

    @strawberry.field(
        description="Adjustments and penalties, the latest first; a distributor's own, once they are on a statement."
    )
    async def adjustments(
        self,
        info: Info,
        of: Annotated[strawberry.ID | None, strawberry.argument(description="Only this distributor's.")] = None,
        status: Status = None,
        kind: Annotated[AdjustmentKind | None, strawberry.argument(description="Only this kind.")] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Adjustment]:
        """A page of them."""
        own = info.context.who.distributor_id is not None
        page = await adjusted.adjustments(
            request(first, after),
            distributor_id=own_or_asked(info, of, "of"),
            status=AdjustmentState.SETTLED if own else status,
            kind=kind,
        )
        return connection(page, adjustment, after)


@strawberry.type
class AdjustmentMutation:
    """Writes of adjustments."""

    @strawberry.mutation(
        description="Ask for adjustments or penalties of the next statements, one or many; a second person decides."
    )
    @refusals(RequestAdjustmentsPayload)
    async def request_adjustments(self, info: Info, input: In[RequestAdjustmentsInput]) -> RequestAdjustmentsPayload:
        """Ask."""
        at_most_a_thousand(input.adjustments, "input.adjustments")
        asked = RequestAdjustments(
            adjustments=[_new(one, f"input.adjustments[{i}]") for i, one in enumerate(input.adjustments)],
            dry_run=input.dry_run,
            idempotency_key=input.idempotency_key,
        )
        return _payload(await commands.request_adjustments(asked, info.context.who))

    @strawberry.mutation(
        description="Ask for penalties to be given back on the next statements; a second person decides, as on any."
    )
    @refusals(RequestAdjustmentsPayload)
    async def lift_penalties(self, info: Info, input: In[LiftPenaltiesInput]) -> RequestAdjustmentsPayload:
        """Ask."""
        at_most_a_thousand(input.penalties, "input.penalties")
        wanted = LiftPenalties(
            penalties=[_lift(one, f"input.penalties[{i}].id") for i, one in enumerate(input.penalties)],
            dry_run=input.dry_run,
            idempotency_key=input.idempotency_key,
        )
        return _payload(await lift_penalties(wanted, info.context.who))

    @strawberry.mutation(
        description="Agree to adjustments, as a second person; the next closing puts them on statements."
    )
    @refusals(AdjustmentsPayload)
    async def approve_adjustments(self, info: Info, input: In[AdjustmentsInput]) -> AdjustmentsPayload:
        """Approve."""
        found = await commands.approve_adjustments(_ids(input), info.context.who)
        return AdjustmentsPayload(adjustments=[adjustment(one) for one in found])

    @strawberry.mutation(description="Turn adjustments down, as a second person.")
    @refusals(AdjustmentsPayload)
    async def reject_adjustments(self, info: Info, input: In[AdjustmentsInput]) -> AdjustmentsPayload:
        """Reject."""
        found = await commands.reject_adjustments(_ids(input), info.context.who)
        return AdjustmentsPayload(adjustments=[adjustment(one) for one in found])


def _ids(given: AdjustmentsInput) -> list[AdjustmentId]:
    at_most_a_thousand(given.ids, "input.ids")
    return [AdjustmentId(from_global("Adjustment", id_, f"input.ids[{i}]")) for i, id_ in enumerate(given.ids)]


def _new(given: AdjustmentInput, field: str) -> NewAdjustment:
    return NewAdjustment(
        distributor_id=DistributorId(from_global("Distributor", given.distributor_id, f"{field}.distributorId")),
        amount_minor=given.amount_minor,
        reason=given.reason,
        reference=given.reference,
        kind=given.kind,
    )


def _lift(given: LiftInput, field: str) -> Lift:
    return Lift(AdjustmentId(from_global("Adjustment", given.id, field)), given.reason)


def _payload(asked: commands.Asked) -> RequestAdjustmentsPayload:
    return RequestAdjustmentsPayload(
        adjustments=[adjustment(one) for one in asked.adjustments],
        count=asked.count,
        given=money(asked.given_minor, asked.currency),
        taken=money(asked.taken_minor, asked.currency),
    )
