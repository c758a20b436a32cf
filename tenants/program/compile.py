"""The program's commission rules as plain tuples, ready for the hot loop of ``saas/commissions/rules.py``.

A *slot* is one level of one component with its value for one product; a *plan* is the slots that apply to a
product on a day. Plans are made on first use and kept in the compiled program: there are only as many as the document
tells products, categories and days apart, whatever SKUs are asked for.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tenants.program.components import FixedPerProduct, LevelTable, Pool
from tenants.program.document import Program
from tenants.program.parts import Limits


class Slot(NamedTuple):
    """One level of one component: ``value`` is bps of the base, or minor units for each piece."""

    component: str
    level: int
    per_piece: bool
    value: int
    by_tier: Mapping[str | None, int] | None

    @property
    def most(self) -> int:
        """The highest value any tier gets."""
        return max(self.value, *self.by_tier.values()) if self.by_tier else self.value


class Plan(NamedTuple):
    """What applies to a product on a day: slots in the document's order of components, then by level.

    ``reach`` is the number of levels covered, counted from the seller; 0 when nothing applies.
    """

    slots: tuple[Slot, ...]
    reach: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledProgram:
    """A program's commission rules, immutable but for the plans it remembers. Keep one per program version.

    ``chain_needed`` members of a line's chain, from the seller, decide about it: those of the longest component and
    the one above; ``None`` is the whole chain. ``days`` are the days on which a component starts or stops.
    ``products`` and ``categories`` map what the document names to itself; what they lack is "any other".
    """

    pool_bps: int | None
    cap_bps: int | None
    compress: bool
    self_purchase_pays_seller: bool
    chain_needed: int | None
    days: tuple[date, ...]
    products: Mapping[str, str]
    categories: Mapping[str, str]
    components: tuple[LevelTable | FixedPerProduct, ...]
    plans: dict[tuple[int, str | None, str | None], Plan] = field(default_factory=dict, repr=False, compare=False)

    def plan_for(self, sku: str, category: str | None, day: date) -> Plan:
        """The plan for a product sold on ``day``, the calendar day of the sale in the brand's time zone."""
        era = bisect_right(self.days, day) if self.days else 0
        key = (era, self.products.get(sku), self.categories.get(category) if category is not None else None)
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = _plan(self.components, key[1], key[2], self.days[era - 1] if era else date.min)
        return plan


def compile_program(program: Program) -> CompiledProgram:
    """Compile a program that ``validate`` found without errors."""
    commission = program.commission
    components = tuple(part for part in commission.components if isinstance(part, LevelTable | FixedPerProduct))
    days = {day for part in components for day in (part.effective_from, part.effective_until) if day is not None}
    return CompiledProgram(
        pool_bps=commission.base.share_bps if isinstance(commission.base, Pool) else None,
        cap_bps=commission.cap_bps,
        compress=commission.inactive_upline == "compress",
        self_purchase_pays_seller=commission.self_purchase_pays_seller,
        chain_needed=None
        if commission.inactive_upline == "compress"
        else 1 + max(map(levels_of, components), default=0),
        days=tuple(sorted(days)),
        products={sku: sku for part in components for sku in _products_named(part)},
        categories={name: name for part in components for name in _categories_named(part)},
        components=components,
    )


def levels_of(component: LevelTable | FixedPerProduct) -> int:
    """How many levels a component covers, counted from the seller."""
    if isinstance(component, FixedPerProduct):
        return max(map(len, component.products.values()))
    return len(component.levels)


def _products_named(component: LevelTable | FixedPerProduct) -> Iterator[str]:
    """The SKUs a component treats differently from others."""
    if isinstance(component, FixedPerProduct):
        yield from component.products
    else:
        yield from component.product_overrides
        if component.only is not None and component.only.products is not None:
            yield from component.only.products


def _categories_named(component: LevelTable | FixedPerProduct) -> tuple[str, ...]:
    if isinstance(component, FixedPerProduct) or component.only is None:
        return ()
    return component.only.categories or ()


def _plan(
    components: tuple[LevelTable | FixedPerProduct, ...], sku: str | None, category: str | None, day: date
) -> Plan:
    """The first fixed amount in effect for the SKU, or else all level tables that apply (docs/rules.md §3.5)."""
    current = [part for part in components if _in_effect(part, day)]
    fixed = next((part for part in current if isinstance(part, FixedPerProduct) and sku in part.products), None)
    if fixed is not None and sku is not None:
        slots = [Slot(fixed.key, level, True, each, None) for level, each in enumerate(fixed.products[sku])]
    else:
        tables = [part for part in current if isinstance(part, LevelTable) and _within(part.only, sku, category)]
        slots = [slot for table in tables for slot in _table_slots(table, sku)]
    return Plan(tuple(slots), max((slot.level + 1 for slot in slots), default=0))


def _in_effect(component: LevelTable | FixedPerProduct, day: date) -> bool:
    starts, ends = component.effective_from, component.effective_until
    return (starts is None or starts <= day) and (ends is None or day < ends)


def _within(limits: Limits | None, sku: str | None, category: str | None) -> bool:
    if limits is None or (limits.products is None and limits.categories is None):
        return True
    return (sku is not None and sku in (limits.products or ())) or (
        category is not None and category in (limits.categories or ())
    )


def _table_slots(table: LevelTable, sku: str | None) -> Iterator[Slot]:
    own = table.product_overrides.get(sku, ()) if sku is not None else ()
    for number, level in enumerate(table.levels):
        per_piece = level.unit == "per_piece_minor"
        override = own[number] if number < len(own) else None
        by_tier: dict[str | None, int] = dict(level.by_tier.items())
        if override is not None:
            yield Slot(table.key, number, per_piece, override, None)
        else:
            yield Slot(table.key, number, per_piece, level.value, by_tier or None)
