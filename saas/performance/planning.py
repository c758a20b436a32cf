"""What closing a period writes, decided from what the orders say; previews show exactly this."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from saas.base.db import reading
from saas.network.history import roll
from saas.performance import firsts, gathering
from saas.performance.errors import NothingInPeriod
from saas.performance.reads import CalendarPeriod
from saas.performance.reviewing import Reviewed, reviews
from saas.performance.rules import Award, PeriodBook
from tenants.errors import NoActiveProgram
from tenants.program.versions import StoredProgram, program


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A period's awards, also those of nothing, and reviews of tiers, by the program in force at its end."""

    period: CalendarPeriod
    program_number: int
    currency: str
    awards: Sequence[Award]
    reviews: Sequence[Reviewed]

    @property
    def paid(self) -> Sequence[Award]:
        """The awards that pay something."""
        return [award for award in self.awards if award.amount_minor]

    @property
    def awards_minor(self) -> int:
        """What they come to."""
        return sum(award.amount_minor for award in self.awards)

    @property
    def changes(self) -> Sequence[Reviewed]:
        """The reviews that change a tier, or end a standing."""
        return [one for one in self.reviews if one.review.changes]


async def plan(period: CalendarPeriod) -> Plan:
    """Decide a period from the orders as they are now. Raises ``NoActiveProgram`` or ``NothingInPeriod``."""
    async with reading():
        stored = await program_for(period)
        content = stored.program
        book = PeriodBook(content, period.length)
        if not book.components and not book.reviews_tiers:
            raise NothingInPeriod("input.length", number=stored.number, label=period.label)
        await gathering.fill(book, content, period)
        holders = gathering.holders_of(await roll(), book, period)
        taken = await firsts.taken(book, content, period, holders)
        reviewed = await reviews(content, period, book.tier_figures(holders)) if book.reviews_tiers else []
    return Plan(
        period=period,
        program_number=stored.number,
        currency=content.currency,
        awards=book.awards(holders, taken),
        reviews=reviewed,
    )


async def program_for(period: CalendarPeriod) -> StoredProgram:
    """The program in force at the period's end; of a past before all programs, the first there was.

    Raises ``NoActiveProgram``.
    """
    async with reading():
        return await program((await reigns()).at(period.judged_at))


@dataclass(frozen=True, slots=True)
class Reigns:
    """The versions that were ever to be in force, by the moment from which on they are, and the first that was."""

    since: Sequence[datetime]
    numbers: Sequence[int]
    first: int | None

    def at(self, moment: datetime) -> int:
        """The version in force at a moment. Raises ``NoActiveProgram``."""
        place = bisect_right(self.since, moment)
        number = self.numbers[place - 1] if place else self.first
        if number is None:
            raise NoActiveProgram
        return number


async def reigns() -> Reigns:
    """Which version was in force when, for any number of periods in one statement."""
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT number, status, activated_at FROM program_version WHERE tenant_id = $1 AND status <> 'draft' "
            "AND activated_at IS NOT NULL ORDER BY activated_at, number",
            tx.tenant_id,
        )
    first = next((row["number"] for row in rows if row["status"] in {"active", "retired"}), None)
    return Reigns([row["activated_at"] for row in rows], [row["number"] for row in rows], first)
