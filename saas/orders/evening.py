"""Undone orders and the lifts of pieces with volume: no more stands than the pieces that are left bring.

An order that is undone takes its pieces out of its seller's periods. The lifts that other orders had because of them
are evened, whoever's share they are and whatever version paid them: of each version those of the newest lines first.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from saas.base.clock import local_day
from saas.base.db import current_tx
from saas.base.ids import DistributorId, OrderLineId
from saas.commissions.lifts import Undone, even
from saas.commissions.reversing import LiftBack
from saas.commissions.volumes import Periods, forget, periods_of
from saas.orders.counting import Days, SoldLine, in_order, sold_lines, tallies
from tenants import registry
from tenants.program.calendar import period_days, start_of_day
from tenants.program.parts import PeriodLength
from tenants.program.versions import StoredProgram, active_program, program

Sale = tuple[DistributorId, datetime]
"""A seller and the moment of a payment."""
EvenedLifts = Mapping[DistributorId, dict[tuple[OrderLineId, str], LiftBack]]
"""By seller, the lifts that change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncounted:
    """Periods that are locked while orders in them are undone; none where no version counts pieces."""

    periods: Periods
    spans: Collection[Days]
    time_zone: str

    async def lifts(self, returned_before: Mapping[OrderLineId, int] | None = None) -> EvenedLifts:
        """What becomes of the lifts, now that the orders are undone.

        ``returned_before``: of lines of which pieces came back, how many were back before; all of their lifts are in
        the answer, of other lines those that are evened.
        """
        before = returned_before or {}
        found: dict[DistributorId, dict[tuple[OrderLineId, str], LiftBack]] = {}
        sellers = {seller_id for seller_id, _ in self.periods}
        lines = await sold_lines(sellers, self.spans, self.time_zone) if self.spans else []
        versions = in_order([await program(number) for number in {line.program_number for line in lines}])
        so_far = set[int]()
        for stored in versions:
            so_far.add(stored.number)
            for counter, tally in tallies((line for line in lines if line.program_number in so_far), stored).items():
                if (counter.seller_id, counter.period_from) not in self.periods:
                    continue
                undone = [_undone(stored, line, counter.component, before) for line in tally.lines]
                evened = even(stored.compiled.volumes[counter.component], tally.before, undone)
                for line, (paid, _, now), evened_minor in zip(tally.lines, undone, evened, strict=True):
                    if line.id in before or evened_minor != now.evened_minor:
                        lift = LiftBack(paid, now._replace(evened_minor=evened_minor))
                        found.setdefault(counter.seller_id, {})[line.id, counter.component] = lift
        return found


def _undone(
    stored: StoredProgram, line: SoldLine, component: str, returned_before: Mapping[OrderLineId, int]
) -> Undone:
    now = line.lifted(component)
    was = now._replace(returned=returned_before.get(line.id, now.returned))
    return Undone(line.paid(component, stored), was, now)


async def uncount(sales: Collection[Sale]) -> Uncounted:
    """Have the pieces of these sellers counted again, which locks the counts: before commission and balances.

    To be called before the orders are undone. Where no version counts pieces nothing is locked.
    """
    time_zone = (await registry.this_brand()).time_zone
    days = {(seller_id, local_day(paid_at, time_zone)) for seller_id, paid_at in sales}
    lengths = await _counted_lengths(days, time_zone) if days else set[PeriodLength]()
    periods = periods_of(days) if lengths else ()
    if periods:
        await forget(periods)
    spans = {period_days(length, day) for _, day in days for length in lengths}
    return Uncounted(periods=periods, spans=spans, time_zone=time_zone)


async def _counted_lengths(days: Collection[tuple[DistributorId, date]], time_zone: str) -> set[PeriodLength]:
    """Of which periods the versions count pieces that these sellers sold under in the years of these days."""
    tx = current_tx()
    years = [period_days("year", day) for _, day in days]
    rows = await tx.rows(
        f"SELECT DISTINCT program_number FROM sales_order WHERE tenant_id = $1 AND seller_id {tx.within(2, 'uuid')} "
        f"AND paid_at >= $3 AND paid_at < $4 AND status <> 'cancelled'",
        tx.tenant_id,
        sorted({seller_id for seller_id, _ in days}),
        start_of_day(min(first for first, _ in years), time_zone),
        start_of_day(max(until for _, until in years), time_zone),
    )
    versions = [await active_program(), *[await program(row["program_number"]) for row in rows]]
    return {counter.period for stored in versions for counter in stored.compiled.needs_pieces}
