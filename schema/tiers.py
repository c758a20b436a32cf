"""Tiers given by hand: to one or many, at once or at a coming moment, pinned or not."""

from datetime import date, datetime

import strawberry

from saas.base.ids import DistributorId
from saas.network import commands
from saas.network.commands import TierSet, TierWish
from schema.context import Info
from schema.errors import In, Payload, refusals
from schema.ids import from_global, maybe_global, to_global
from schema.limits import at_most_a_thousand
from schema.network import Distributor
from schema.network_changes import now

_REASON = "Why, 1 to 500 characters; it stands in the history."
_PIN = "No review of a period changes the tier before this day; without it, an earlier pin is lifted."
_FROM = "A coming moment from which it holds, as a job that can be cancelled until then; at once by default."


@strawberry.input(description="Another tier for a distributor.")
class SetTierInput:
    """A tier, with a reason."""

    distributor_id: strawberry.ID = strawberry.field(description="The distributor.")
    tier: str = strawberry.field(description="Its new tier, a code of the program.")
    reason: str = strawberry.field(description=_REASON)
    pin_until: date | None = strawberry.field(default=None, description=_PIN)
    effective_from: datetime | None = strawberry.field(default=None, description=_FROM)


@strawberry.input(description="A distributor and the tier it is to have.")
class TierInput:
    """One of many."""

    distributor_id: strawberry.ID = strawberry.field(description="The distributor.")
    tier: str = strawberry.field(description="Its new tier, a code of the program.")


@strawberry.input(description="Tiers of many distributors, all or none.")
class SetTiersInput:
    """Up to a thousand tiers."""

    tiers: list[TierInput] = strawberry.field(description="Who gets which tier.")
    reason: str = strawberry.field(description=_REASON)
    pin_until: date | None = strawberry.field(default=None, description=_PIN)
    effective_from: datetime | None = strawberry.field(default=None, description=_FROM)
    dry_run: bool = strawberry.field(default=False, description="Decide and answer, write nothing.")


@strawberry.type(description="A distributor after its tier was set.")
class SetTierPayload(Payload):
    """Answer of one tier."""

    distributor: Distributor | None = strawberry.field(
        default=None, description="The distributor as it is now; none when refused."
    )
    job_id: strawberry.ID | None = strawberry.field(
        default=None, description="The job that sets the tier at the coming moment; none when it holds at once."
    )


@strawberry.type(description="What a decision about many tiers changes, or would change, for one distributor.")
class TierSetting:
    """One of many."""

    distributor_id: strawberry.ID = strawberry.field(description="The distributor.")
    before: str = strawberry.field(description="Its tier until now.")
    after: str = strawberry.field(description="Its tier from now on.")


@strawberry.type(description="What a decision about many tiers changes, or would change.")
class SetTiersPayload(Payload):
    """Answer of many tiers."""

    settings: list[TierSetting] = strawberry.field(
        default_factory=list, description="Every distributor of the list; none when refused or yet to come."
    )
    job_id: strawberry.ID | None = strawberry.field(
        default=None, description="The job that sets the tiers at the coming moment; none when they hold at once."
    )


@strawberry.type
class TierMutation:
    """Writes of tiers."""

    @strawberry.mutation(description="Give a distributor another tier, for sales from now on or from a coming moment.")
    @refusals(SetTierPayload)
    async def set_tier(self, info: Info, input: In[SetTierInput]) -> SetTierPayload:
        """Set the tier."""
        id_ = _id(input.distributor_id, "input")
        who, pin, job = info.context.who, input.pin_until, None
        if input.effective_from is None:
            await commands.set_tier(id_, input.tier, input.reason, who, pin_until=pin)
        else:
            job = await commands.schedule_tier(id_, input.tier, input.reason, input.effective_from, who, pin_until=pin)
        return SetTierPayload(distributor=await now(info, id_), job_id=maybe_global("Job", job))

    @strawberry.mutation(description="Give many distributors their tiers, all or none; with a dry run.")
    @refusals(SetTiersPayload)
    async def set_tiers(self, info: Info, input: In[SetTiersInput]) -> SetTiersPayload:
        """Set many tiers."""
        at_most_a_thousand(input.tiers, "input.tiers")
        wishes = [TierWish(_id(one.distributor_id, f"input.tiers[{i}]"), one.tier) for i, one in enumerate(input.tiers)]
        who, pin, moment = info.context.who, input.pin_until, input.effective_from
        if moment is not None and input.dry_run:
            tried = await commands.would_set_tiers(wishes, input.reason, moment, who, pin_until=pin)
            return SetTiersPayload(settings=[_setting(one) for one in tried])
        if moment is not None:
            job = await commands.schedule_tiers(wishes, input.reason, moment, who, pin_until=pin)
            return SetTiersPayload(job_id=to_global("Job", job))
        done = await commands.set_tiers(wishes, input.reason, who, pin_until=pin, dry_run=input.dry_run)
        return SetTiersPayload(settings=[_setting(one) for one in done])


def _setting(one: TierSet) -> TierSetting:
    return TierSetting(distributor_id=to_global("Distributor", one.distributor_id), before=one.before, after=one.after)


def _id(value: strawberry.ID, field: str) -> DistributorId:
    return DistributorId(from_global("Distributor", value, f"{field}.distributorId"))
