"""Calendar periods: which are due, what a close would write, closes, awards and reviews of tiers."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import strawberry

from saas.base.ids import PeriodCloseId
from saas.base.paging import Int32, Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.network.tiers import Outcome, explained
from saas.performance import queries
from saas.performance.commands import ClosePeriod, close_period
from saas.performance.planning import Plan
from saas.performance.queries import AwardFilter, PeriodCloseView, TierReviewFilter
from saas.performance.reads import CalendarPeriod
from schema.awards import (
    Award,
    AwardStatus,
    TierReview,
    award,
    planned_award,
    planned_review,
    tier_review,
)
from schema.commissions import own_or_asked
from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from schema.scalars import Money, money
from tenants.program.versions import program

Row = TypeVar("Row")


@described("How long a calendar period is.", MONTH="A month.", QUARTER="A quarter.", YEAR="A year.")
class PeriodLength(StrEnum):
    """As in programs."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@strawberry.type(description="A calendar period of the brand that is over and not closed.")
class DuePeriod:
    """A period that closePeriod takes."""

    length: PeriodLength = strawberry.field(description="A month, a quarter or a year.")
    label: str = strawberry.field(description="What people call it, such as 2026-03 or 2026-Q1.")
    period_from: date = strawberry.field(description="Its first day.")
    period_until: date = strawberry.field(description="The day after its last.")


def due_period(period: CalendarPeriod) -> DuePeriod:
    """A period for the API."""
    return DuePeriod(
        length=PeriodLength(period.length), label=period.label, period_from=period.first, period_until=period.until
    )


@strawberry.type(description="A closed calendar period; it never changes.")
class PeriodClose:
    """What a period paid, and whom it promoted, demoted or revoked."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    length: PeriodLength = strawberry.field(description="A month, a quarter or a year.")
    label: str = strawberry.field(description="What people call it, such as 2026-03 or 2026-Q1.")
    period_from: date = strawberry.field(description="Its first day.")
    period_until: date = strawberry.field(description="The day after its last.")
    program_number: int = strawberry.field(description="The version of the program in force at its end.")
    award_count: int = strawberry.field(description="How many awards pay something.")
    awards_total: Money = strawberry.field(description="What they come to.")
    tier_changes: int = strawberry.field(description="How many reviews changed a tier or ended a standing.")
    closed_at: datetime = strawberry.field(description="When it was closed.")


def period_close(view: PeriodCloseView) -> PeriodClose:
    """A close for the API."""
    return PeriodClose(
        id=to_global("PeriodClose", view.id),
        length=PeriodLength(view.length),
        label=view.label,
        period_from=view.period_from,
        period_until=view.period_until,
        program_number=view.program_number,
        award_count=view.awards,
        awards_total=money(view.awards_minor, view.currency),
        tier_changes=view.tier_changes,
        closed_at=view.closed_at,
    )


@strawberry.type(description="What closing a period would write as things are now; nothing is written.")
class PeriodPreview:
    """The plan of a close, of a period that may still run."""

    plan: strawberry.Private[Plan]
    length: PeriodLength = strawberry.field(description="A month, a quarter or a year.")
    label: str = strawberry.field(description="What people call it, such as 2026-03 or 2026-Q1.")
    period_from: date = strawberry.field(description="Its first day.")
    period_until: date = strawberry.field(description="The day after its last.")
    over: bool = strawberry.field(description="Whether it may be closed already.")
    program_number: int = strawberry.field(description="The version of the program in force at its end.")
    award_count: int = strawberry.field(description="How many awards would pay something.")
    awards_total: Money = strawberry.field(description="What they would come to.")
    tier_changes: int = strawberry.field(description="How many reviews would change a tier or end a standing.")

    @strawberry.field(description="The awards, by component and code, also those of nothing.")
    async def awards(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[Award]:
        """A page of them."""
        return _part(self.plan.awards, lambda one: planned_award(one, self.plan), first, after)

    @strawberry.field(description="The reviews of tiers, by code.")
    async def tier_reviews(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[TierReview]:
        """A page of them."""
        plan = self.plan
        content = (await program(plan.program_number)).program
        return _part(plan.reviews, lambda one: planned_review(one, plan, explained(content, one.review)), first, after)


def period_preview(plan: Plan) -> PeriodPreview:
    """A plan for the API."""
    period = plan.period
    return PeriodPreview(
        plan=plan,
        length=PeriodLength(period.length),
        label=period.label,
        period_from=period.first,
        period_until=period.until,
        over=period.over,
        program_number=plan.program_number,
        award_count=len(plan.paid),
        awards_total=money(plan.awards_minor, plan.currency),
        tier_changes=len(plan.changes),
    )


def _part(rows: Sequence[Row], make: Callable[[Row], Any], first: int, after: str | None) -> Connection[Any]:
    """A page of rows that are all at hand; a cursor is a place among them."""
    wanted = request(first, after)
    place = decode_cursor(after, Int32)[0] if after else 0
    start = max(place, 0) if isinstance(place, int) else 0
    return connection(_slice(rows, wanted, start), make, after)


def _slice(rows: Sequence[Row], wanted: PageRequest, start: int) -> Page[Row]:
    part = rows[start : start + wanted.first + 1]
    return page_of(part, wanted, [encode_cursor(start + number) for number in range(1, len(part) + 1)])


@strawberry.input(description="The period to close.")
class ClosePeriodInput:
    """A calendar period, by its length and a day in it."""

    idempotency_key: str = strawberry.field(description="The same key and content close once.")
    length: PeriodLength = strawberry.field(description="A month, a quarter or a year.")
    day: date = strawberry.field(description="A day of the period, in the brand's time zone.")


@strawberry.type(description="A closed calendar period.")
class PeriodPayload(Payload):
    """Answer of a close."""

    period_close: PeriodClose | None = strawberry.field(default=None, description="The period; none when refused.")


Whose = Annotated[
    strawberry.ID | None, strawberry.argument(description="Whose; a distributor sees its own only, and by default.")
]
DayIn = Annotated[date | None, strawberry.argument(description="Only of periods that this day lies in.")]
OfLength = Annotated[PeriodLength | None, strawberry.argument(description="Only of periods of this length.")]
CloseOf = Annotated[strawberry.ID | None, strawberry.argument(description="Only of this closed period.")]


@strawberry.type
class PeriodQuery:
    """Reads of periods."""

    @strawberry.field(description="The calendar periods that are over and not closed, the earliest first.")
    async def periods_due(self) -> list[DuePeriod]:
        """Those for which the program pays or reviews tiers."""
        return [due_period(period) for period in await queries.periods_due()]

    @strawberry.field(description="What closing a calendar period would write as things are now; it may still run.")
    async def period_preview(
        self,
        length: Annotated[PeriodLength, strawberry.argument(description="A month, a quarter or a year.")],
        day: Annotated[date, strawberry.argument(description="A day of the period.")],
    ) -> PeriodPreview:
        """A dry run."""
        return period_preview(await queries.preview_period(length.value, day))

    @strawberry.field(description="Closed calendar periods, the latest first.")
    async def period_closes(
        self, length: OfLength = None, first: First = PAGE_DEFAULT, after: After = None
    ) -> Connection[PeriodClose]:
        """A page of closes."""
        found = await queries.period_closes(request(first, after), length.value if length else None)
        return connection(found, period_close, after)

    @strawberry.field(description="What periods gave, also what they did not and why, the latest first.")
    async def awards(
        self,
        info: Info,
        of: Whose = None,
        close: CloseOf = None,
        components: Annotated[list[str] | None, strawberry.argument(description="Only these components.")] = None,
        statuses: Annotated[list[AwardStatus] | None, strawberry.argument(description="Only these statuses.")] = None,
        length: OfLength = None,
        day: DayIn = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[Award]:
        """A page of awards."""
        wanted = AwardFilter(
            distributor_id=own_or_asked(info, of, "of"),
            close_id=_close_id(close),
            components=components,
            statuses=[status.value for status in statuses] if statuses is not None else None,
            length=length.value if length else None,
            day=day,
        )
        return connection(await queries.awards(wanted, request(first, after)), award, after)

    @strawberry.field(description="How closes judged the holders of tiers, the latest period first.")
    async def tier_reviews(
        self,
        info: Info,
        of: Whose = None,
        close: CloseOf = None,
        outcomes: Annotated[list[Outcome] | None, strawberry.argument(description="Only these outcomes.")] = None,
        day: DayIn = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[TierReview]:
        """A page of reviews."""
        whose = own_or_asked(info, of, "of")
        wanted = TierReviewFilter(distributor_id=whose, close_id=_close_id(close), outcomes=outcomes, day=day)
        return connection(await queries.tier_reviews(wanted, request(first, after)), tier_review, after)


def _close_id(close: strawberry.ID | None) -> PeriodCloseId | None:
    return PeriodCloseId(from_global("PeriodClose", close, "close")) if close else None


@strawberry.type
class PeriodMutation:
    """Writes of periods."""

    @strawberry.mutation(description="Close a calendar period: rebates, bonuses and awards, and tiers reviewed. Once.")
    @refusals(PeriodPayload)
    async def close_period(self, info: Info, input: In[ClosePeriodInput]) -> PeriodPayload:
        """Close."""
        command = ClosePeriod(length=input.length.value, day=input.day, idempotency_key=input.idempotency_key)
        return PeriodPayload(period_close=period_close(await close_period(command, info.context.who)))
