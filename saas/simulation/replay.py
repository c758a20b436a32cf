"""History under a program: orders in the order of their payment go in, sums come out. No database.

Each order meets the chain as it was when it was really decided, with the tiers and states of that moment; what counts
pieces or own sales counts what was really sold. Orders before the replay's first moment only count for those after
it, as far back as the calendar period that was running then.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple, TypeAlias
from uuid import UUID

from saas.base.clock import local_day
from saas.commissions.rules import (
    NO_FACTS,
    CompiledProgram,
    Facts,
    Line,
    LineResult,
    Member,
    Reason,
    Share,
    commission_for_line,
)
from saas.commissions.shares import SPLIT
from saas.network.history import RollMember
from saas.network.rules import SEGMENT
from saas.performance.rules import PeriodBook, SaleFact, SoldLine, components_of
from saas.simulation.sales import OwnSales, microseconds
from saas.simulation.sums import Period, Sums
from tenants.program.calendar import period_bounds, period_days, start_of_day
from tenants.program.compile import compile_program
from tenants.program.document import Program
from tenants.program.parts import PeriodLength

LENGTHS: tuple[PeriodLength, ...] = ("month", "quarter", "year")
ChainAt: TypeAlias = Callable[[str, datetime], tuple[RollMember, ...]]

SHRINKABLE = frozenset({Reason.CAPPED, Reason.CAPPED_TO_ZERO, Reason.MOVED_UP, *SPLIT})
"""Why a share is what it is, where the limit on its line may have shrunk it."""

_IN_FULL, _MOVED_UP = Reason.IN_FULL, Reason.MOVED_UP


class Sale(NamedTuple):
    """A line of a paid order with its order's head; the rows a replay is fed with.

    ``path`` is the seller's at the payment. Ids are text and flags numbers: a million of them need no objects.
    """

    order_id: str
    path: str
    paid_at: datetime
    decided_at: datetime | None
    self_purchase: int
    channel: str | None
    sku: str
    category: str | None
    quantity: int
    amount_minor: int
    company_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is replayed: orders paid in ``[since, until)``, in a brand's time zone."""

    since: datetime
    until: datetime
    time_zone: str

    def warm_from(self, program: CompiledProgram) -> datetime:
        """From when on orders have to be known, so that what counts from the beginning of a period is right."""
        lengths = {counter.period for counter in program.needs_pieces} | program.qualifying
        day = local_day(self.since, self.time_zone)
        return min((period_bounds(length, day, self.time_zone)[0] for length in lengths), default=self.since)

    def whole_periods(self, length: PeriodLength) -> Iterator[tuple[date, datetime, datetime]]:
        """The calendar periods that lie in the span from beginning to end: first day, first moment, end."""
        day = local_day(self.since, self.time_zone)
        while True:
            first, after = period_days(length, day)
            begins, ends = period_bounds(length, first, self.time_zone)
            if ends > self.until:
                return
            if begins >= self.since:
                yield first, begins, ends
            day = after


class Decided(NamedTuple):
    """An order under the program."""

    order_id: str
    lines: Sequence[tuple[Sale, LineResult]]


NO_PARTNERS: Mapping[str, str] = MappingProxyType({})


class Replay:
    """One program over the orders of some sellers, all of each.

    ``partners``: of orders that are cross-region leads, the path of the distributor of the customer's region.
    """

    def __init__(
        self,
        program: Program,
        span: Span,
        chain_at: ChainAt,
        own_sales: OwnSales | None = None,
        partners: Mapping[str, str] = NO_PARTNERS,
    ) -> None:
        self.program = compile_program(program)
        self.sums = Sums()
        self.taken = 0
        """How many orders were taken, those before the span among them."""
        self._span = span
        self._chain_at = chain_at
        self._own_sales = own_sales
        self._partners = partners
        self._members: dict[int, tuple[Member, ...]] = {}
        self._pieces: dict[str, dict[str, int]] = {}
        self._day = date.min
        self._day_bounds = (span.since, span.since)
        self._since: Mapping[PeriodLength, int] = {}
        self._firsts: Mapping[PeriodLength, date] = {}
        self._books: list[PeriodBook] = []
        self._left: list[Sale] = []
        for length in LENGTHS:
            if components_of(program, length):
                for first, _, _ in span.whole_periods(length):
                    self.sums.books[length, first] = PeriodBook(program, length)

    def feed(self, rows: Iterable[Sequence[object]]) -> None:
        """Take rows like ``Sale``, sorted by payment and order; an order may go on in the rows that come next."""
        for order in self.orders(rows):
            self._take(order)

    def finish(self) -> Sums:
        """Take what is left, and answer the sums."""
        for order in self.orders((), last=True):
            self._take(order)
        return self.sums

    def orders(self, rows: Iterable[Sequence[object]], *, last: bool = False) -> Iterator[list[Sale]]:
        """The orders that are complete with these rows; with the ``last`` rows all of them are."""
        held = self._left
        for _, found in groupby(map(Sale._make, rows), key=itemgetter(0)):
            lines = list(found)
            if held and held[0].order_id == lines[0].order_id:
                held += lines
                continue
            if held:
                yield held
            held = lines
        self._left = [] if last else held
        if last and held:
            yield held

    def decide(self, sales: Sequence[Sale]) -> Decided:
        """Decide one order, and count it for those after it."""
        order_id, path, paid_at, decided_at, self_purchase, *_ = sales[0]
        decided_at = decided_at or paid_at
        partner_path = self._partners.get(order_id)
        if not self._day_bounds[0] <= paid_at < self._day_bounds[1]:
            self._begin_day(paid_at)
        program, day = self.program, self._day
        chain = self._chain(path, decided_at)
        facts = NO_FACTS
        pieces: dict[str, int] | None = None
        if program.needs_pieces or program.qualifying or partner_path:
            pieces = self._pieces.setdefault(path[-SEGMENT:], {}) if program.needs_pieces else None
            facts = self._facts(sales[0], decided_at, partner_path, chain, pieces)
        decided = []
        for sale in sales:
            sku, category, quantity, amount_minor = sale[6:10]
            line = Line(sku, category, quantity, amount_minor, day, self_purchase != 0)
            decided.append((sale, commission_for_line(program, line, chain, facts)))
            if pieces is not None:
                for key in program.counters_for(sku, category, day):
                    pieces[key] = pieces.get(key, 0) + quantity
        return Decided(order_id, decided)

    def _take(self, order: Sequence[Sale]) -> None:
        decided = self.decide(order)
        self.taken += 1
        if order[0].paid_at < self._span.since:
            return
        self._sum(decided)
        if self._books:
            fact = self._fact(order)
            for book in self._books:
                book.add(fact)

    def _sum(self, decided: Decided) -> None:
        sums = self.sums
        by_place, by_owner = sums.by_place, sums.by_owner
        sums.orders += 1
        for sale, (shares, _, company_minor) in decided.lines:
            sums.lines += 1
            sums.goods_minor += sale.amount_minor
            sums.company_minor += company_minor
            sums.real_company_minor += sale.company_minor
            capped = False
            for share in shares:
                component, level, owner, tier, _, _, _, _, amount_minor, reason, _ = share
                if amount_minor and owner is not None:
                    place = (component, level, tier)
                    count, before = by_place.get(place, (0, 0))
                    by_place[place] = (count + 1, before + amount_minor)
                    by_owner[owner] = by_owner.get(owner, 0) + amount_minor
                if reason is not _IN_FULL and was_capped(share):
                    capped = True
            sums.capped_lines += capped

    def _chain(self, path: str, moment: datetime) -> tuple[Member, ...]:
        """The chain as commission takes it; equal chains are one tuple there, so here too."""
        found = self._chain_at(path, moment)
        members = self._members.get(id(found))
        if members is None:
            needed = found[: self.program.chain_needed]
            members = self._members[id(found)] = tuple(Member(one.id, one.tier, one.status) for one in needed)
        return members

    def _facts(
        self,
        head: Sale,
        decided_at: datetime,
        partner_path: str | None,
        chain: Sequence[Member],
        pieces: dict[str, int] | None,
    ) -> Facts:
        """What is known of an order besides its lines; ``pieces`` grow with them."""
        own_sales: dict[tuple[PeriodLength, UUID], int] = {}
        if self._own_sales is not None:
            path, before, order_id = head.path, microseconds(head.paid_at), head.order_id
            for length in self.program.qualifying:
                since = self._since[length]
                for above, member in enumerate(chain[1:], start=1):
                    end = len(path) - SEGMENT * above
                    seat = path[end - SEGMENT : end]
                    own_sales[length, member.id] = self._own_sales.sold(seat, since, before, order_id)
        partner = None
        if partner_path and self.program.lead is not None:
            one = self._chain_at(partner_path[-SEGMENT:], decided_at)[0]
            partner = Member(one.id, one.tier, one.status)
        return Facts(NO_FACTS.pieces if pieces is None else pieces, own_sales, partner)

    def _begin_day(self, moment: datetime) -> None:
        """What holds for a day: its bounds, the periods it is in, and what is counted anew in them."""
        zone = self._span.time_zone
        self._day = day = local_day(moment, zone)
        self._day_bounds = (start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone))
        firsts = {length: period_days(length, day)[0] for length in LENGTHS}
        for counter in self.program.needs_pieces:
            if firsts[counter.period] != self._firsts.get(counter.period):
                for pieces in self._pieces.values():
                    pieces.pop(counter.component, None)
        self._firsts = firsts
        self._since = {length: microseconds(start_of_day(first, zone)) for length, first in firsts.items()}
        self._books = [self.sums.books[period] for period in self._periods() if period in self.sums.books]

    def _periods(self) -> Iterator[Period]:
        yield from self._firsts.items()

    def _fact(self, order: Sequence[Sale]) -> SaleFact:
        head, lead = order[0], self.program.lead
        partner_path = self._partners.get(head.order_id, "")
        return SaleFact(
            UUID(head.order_id),
            head.paid_at,
            self._day,
            head.path,
            head.channel,
            [SoldLine(sale.sku, sale.category, sale.quantity, sale.amount_minor) for sale in order],
            partner_path,
            lead.performance_to_region_bps if lead is not None and partner_path else 0,
        )


def was_capped(share: Share) -> bool:
    """Whether the limit on its line has shrunk a share; of one that was split, the whole."""
    reason = share.reason
    if reason not in SHRINKABLE:
        return False
    if reason is _MOVED_UP:
        return share.amount_minor < share.full_minor
    if reason in SPLIT:
        return (share.arithmetic.whole_minor or 0) < share.full_minor
    return True
