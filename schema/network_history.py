"""What a distributor's record says of its past: under whom it stood, and its tiers, statuses and pins."""

from datetime import date, datetime

import strawberry

from saas.network.queries import SponsorshipRow, StandingRow
from saas.network.rules import Cause, Status
from schema.enums import described
from schema.ids import maybe_global

described(
    "Where a distributor is in its life with the brand.",
    name="DistributorStatus",
    APPLIED="Has applied; the brand has yet to decide.",
    ACTIVE="Sells, recruits and earns.",
    SUSPENDED="Does none of it until it is reinstated.",
    EXITED="Has left.",
    REJECTED="Was turned down.",
)(Status)


@strawberry.type(description="One interval of a distributor's history: under whom it stood, and why it came there.")
class Sponsorship:
    """A row of the history."""

    sponsor_id: strawberry.ID | None = strawberry.field(description="The sponsor; none for a place under the brand.")
    valid_from: datetime = strawberry.field(description="From this moment on.")
    valid_until: datetime | None = strawberry.field(description="Until this moment; none for the present one.")
    reason: str | None = strawberry.field(description="Why it came there; not told to distributors.")


described(
    "Why a tier or status began.",
    name="StandingCause",
    ENROLMENT="The distributor came.",
    REVIEW="The brand decided on its application.",
    MANUAL="The brand set the tier by hand.",
    PROMOTION="A period's review: it reached a higher tier.",
    DEMOTION="A period's review: it missed what its tier asks.",
    REVOCATION="A period's review: it missed that too many times in a row.",
    STATUS="It was suspended or reinstated, or left.",
)(Cause)


@strawberry.type(description="One interval of a distributor's history: its tier and status, and why they began.")
class Standing:
    """A row of the history."""

    valid_from: datetime = strawberry.field(description="From this moment on.")
    valid_until: datetime | None = strawberry.field(description="Until this moment; none for the present one.")
    tier: str = strawberry.field(description="Its rank (级别), a code of the program of that time.")
    status: Status = strawberry.field(description="Where it was in its life with the brand.")
    cause: Cause = strawberry.field(description="What made it begin.")
    reason: str | None = strawberry.field(description="Why, in the office's words; not told to distributors.")
    actor: str | None = strawberry.field(description="Who did it, a log-in or key; not told to distributors.")


def standing(row: StandingRow) -> Standing:
    """An interval for the API."""
    return Standing(
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        tier=row.tier,
        status=row.status,
        cause=row.cause,
        reason=row.reason,
        actor=row.actor,
    )


@strawberry.type(description="A tier that no review changes for the time being.")
class TierPin:
    """A pin."""

    until: date = strawberry.field(description="The day from which reviews change it again.")
    reason: str | None = strawberry.field(description="Why, in the office's words; not told to distributors.")
    pinned_at: datetime = strawberry.field(description="Since when.")


def sponsorship(row: SponsorshipRow) -> Sponsorship:
    """An interval for the API."""
    return Sponsorship(
        sponsor_id=maybe_global("Distributor", row.sponsor_id),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        reason=row.reason,
    )
