"""The program's commission rules as plain tuples, ready for the hot loop of ``saas/commissions/rules.py``.

Plans are made on first use and kept in the compiled program: there are only as many as the document tells products,
categories and days apart, whatever SKUs are asked for.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from typing import NamedTuple

from saas.base.money import BPS_WHOLE
from tenants.program.components import (
    CommissionBase,
    Differential,
    FixedPerProduct,
    LevelTable,
    LineComponent,
    PaidGoods,
    PerPieceVolume,
)
from tenants.program.document import CrossRegionLead, Program
from tenants.program.parts import Limits, PeriodLength
from tenants.program.plan import DifferentialSlot, PieceSlot, Plan, Slot


class PieceCounter(NamedTuple):
    """What a component counts: the pieces a seller sold in the period, of the products and on the days it names.

    Every paid piece within ``only`` counts, also one that a fixed amount pays for.
    """

    component: str
    period: PeriodLength
    effective_from: date | None
    effective_until: date | None
    only: Limits | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledProgram:
    """A program's commission rules, immutable but for the plans it remembers. Keep one per program version.

    ``base`` is ``None`` for what was paid for the goods. ``chain_needed`` members of a line's chain, from the seller,
    decide about it: those of the longest component and the one above; ``None`` is the whole chain. ``days`` are the
    days on which a component starts or stops. ``products`` and ``categories`` map what the document names to itself;
    what they lack is "any other". ``volumes`` are the amounts a piece by component. What must be known beyond line and
    chain: ``needs_pieces``, the seller's pieces; ``qualifying``, the periods whose own sales of uplines count;
    ``lead``, who shares with a region's distributor.
    """

    base: CommissionBase | None
    cap_bps: int | None
    compress: bool
    self_purchase_pays_seller: bool
    chain_needed: int | None
    needs_pieces: tuple[PieceCounter, ...]
    qualifying: frozenset[PeriodLength]
    lead: CrossRegionLead | None
    paid_levels: int
    days: tuple[date, ...]
    products: Mapping[str, str]
    categories: Mapping[str, str]
    components: tuple[LineComponent, ...]
    volumes: Mapping[str, PieceSlot]
    plans: dict[tuple[int, str | None, str | None], Plan] = field(default_factory=dict, repr=False, compare=False)

    def plan_for(self, sku: str, category: str | None, day: date) -> Plan:
        """The plan for a product sold on ``day``, the calendar day of the sale in the brand's time zone."""
        era = bisect_right(self.days, day) if self.days else 0
        key = (era, self.products.get(sku), self.categories.get(category) if category is not None else None)
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = self._plan(key[1], key[2], self.days[era - 1] if era else date.min)
        return plan

    def limit_of(self, base_minor: int) -> int:
        """What all shares of a line may come to together (docs/rules.md §3.7): the cap's part of its base, or all."""
        return base_minor if self.cap_bps is None else base_minor * self.cap_bps // BPS_WHOLE

    def counters_for(self, sku: str, category: str | None, day: date) -> tuple[str, ...]:
        """The components whose count of the seller's pieces a line advances."""
        return self.plan_for(sku, category, day).counters if self.needs_pieces else ()

    def _plan(self, sku: str | None, category: str | None, day: date) -> Plan:
        """The first fixed amount in effect for the SKU, or else everything that applies (docs/rules.md §3.5)."""
        current = [part for part in self.components if _applies(part, sku, category, day)]
        counters = tuple(part.key for part in current if isinstance(part, PerPieceVolume))
        pieces = tuple(_piece_slot(part) for part in current if isinstance(part, PerPieceVolume))
        fixed = next((part for part in current if isinstance(part, FixedPerProduct)), None)
        if fixed is not None and sku is not None:
            amounts = fixed.products[sku]
            slots = tuple(Slot(fixed.key, level, True, each, None) for level, each in enumerate(amounts))
            return Plan(slots, len(slots), tuple(slot._replace(replaced=True) for slot in pieces), counters=counters)
        tables = [part for part in current if isinstance(part, LevelTable)]
        return Plan(
            tuple(slot for table in tables for slot in _table_slots(table, sku)),
            max((levels_of(part, self.paid_levels) for part in current), default=0),
            pieces,
            tuple(_differential_slot(part, self.paid_levels) for part in current if isinstance(part, Differential)),
            counters,
        )


def compile_program(program: Program) -> CompiledProgram:
    """Compile a program that ``validate`` found without errors."""
    commission, paid_levels = program.commission, program.hierarchy.paid_levels
    components = tuple(part for part in commission.components if isinstance(part, LineComponent))
    days = {day for part in components for day in (part.effective_from, part.effective_until) if day is not None}
    compress = commission.inactive_upline == "compress"
    return CompiledProgram(
        base=None if isinstance(commission.base, PaidGoods) else commission.base,
        cap_bps=commission.cap_bps,
        compress=compress,
        self_purchase_pays_seller=commission.self_purchase_pays_seller,
        chain_needed=None if compress else 1 + max((levels_of(part, paid_levels) for part in components), default=0),
        needs_pieces=tuple(_counter(part) for part in components if isinstance(part, PerPieceVolume)),
        qualifying=frozenset(_qualifying(components)),
        lead=program.territory.cross_region_lead,
        paid_levels=paid_levels,
        days=tuple(sorted(days)),
        products={sku: sku for part in components for sku in _products_named(part)},
        categories={name: name for part in components for name in _categories_named(part)},
        components=components,
        volumes={part.key: _piece_slot(part) for part in components if isinstance(part, PerPieceVolume)},
    )


def levels_of(component: LineComponent, paid_levels: int) -> int:
    """How many levels a component covers, counted from the seller."""
    match component:
        case LevelTable():
            return len(component.levels)
        case FixedPerProduct():
            return max(map(len, component.products.values()))
        case Differential():
            return paid_levels if component.levels is None else component.levels
        case PerPieceVolume():
            return 1


def _counter(part: PerPieceVolume) -> PieceCounter:
    return PieceCounter(part.key, part.period, part.effective_from, part.effective_until, part.only)


def _qualifying(components: Sequence[LineComponent]) -> Iterator[PeriodLength]:
    for part in components:
        if isinstance(part, LevelTable) and part.qualify is not None:
            yield part.qualify.period


def _products_named(component: LineComponent) -> Iterator[str]:
    """The SKUs a component treats differently from others."""
    if isinstance(component, FixedPerProduct):
        yield from component.products
        return
    if isinstance(component, LevelTable):
        yield from component.product_overrides
    if component.only is not None and component.only.products is not None:
        yield from component.only.products


def _categories_named(component: LineComponent) -> tuple[str, ...]:
    if isinstance(component, FixedPerProduct) or component.only is None:
        return ()
    return component.only.categories or ()


def _applies(component: LineComponent, sku: str | None, category: str | None, day: date) -> bool:
    starts, ends = component.effective_from, component.effective_until
    if (starts is not None and day < starts) or (ends is not None and day >= ends):
        return False
    if isinstance(component, FixedPerProduct):
        return sku in component.products
    return component.only is None or component.only.covers(sku, category)


def _table_slots(table: LevelTable, sku: str | None) -> Iterator[Slot]:
    own = table.product_overrides.get(sku, ()) if sku is not None else ()
    condition = None if table.qualify is None else (table.qualify.period, table.qualify.own_sales_minor)
    for number, level in enumerate(table.levels):
        qualify = condition if number else None
        per_piece = level.unit == "per_piece_minor"
        override = own[number] if number < len(own) else None
        by_tier: dict[str | None, int] = dict(level.by_tier.items())
        if override is not None:
            yield Slot(table.key, number, per_piece, override, None, qualify)
        else:
            yield Slot(table.key, number, per_piece, level.value, by_tier or None, qualify)


def _piece_slot(part: PerPieceVolume) -> PieceSlot:
    """With ``WHOLE``, a lift that was reached never falls: no order takes back what others brought."""
    bands = sorted((band.above_pieces, band.extra_minor) for band in part.bands)
    if part.applies == "WHOLE":
        bands = list(accumulate(bands, lambda lower, band: (band[0], max(lower[1], band[1]))))
    return PieceSlot(part.key, part.per_piece_minor, tuple(bands), part.applies == "WHOLE")


def _differential_slot(part: Differential, paid_levels: int) -> DifferentialSlot:
    rates: dict[str | None, int] = dict(part.rates_bps.items())
    return DifferentialSlot(part.key, rates, levels_of(part, paid_levels), part.same_tier_bonus_bps)
