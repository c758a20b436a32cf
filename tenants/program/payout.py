"""What a program can pay out at most: for each product, category and day the document tells apart.

Which category a product has is the catalogue's business, so a product and a category named apart are also looked at
together, as a case that may exist. Products of which no component nor the base knows anything are one: the cheapest.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from saas.base.money import BPS_WHOLE
from tenants.program.components import (
    Component,
    Differential,
    FixedPerProduct,
    GrossMargin,
    LevelTable,
    PerPieceVolume,
    Pool,
    ProductValue,
    TargetBonus,
    TieredRebate,
)
from tenants.program.document import Program
from tenants.program.findings import path_of


class Pay(NamedTuple):
    """The most that a component pays for a line: bps of the base, minor units a piece, a share of the sales."""

    number: int
    rate_bps: int = 0
    piece_minor: int = 0
    sales: Fraction = Fraction(0)


class Prices(NamedTuple):
    """The lowest and the highest price allowed for a piece, in minor units."""

    low: Fraction
    high: Fraction


class Range(NamedTuple):
    """A share of what is paid for the goods, between bounds that are equal when a price tells it."""

    least: Fraction
    most: Fraction


class Case(NamedTuple):
    """A product (``None``: any other) of a category (``None``: any other) and what can be paid for it together."""

    sku: str | None
    category: str | None
    pays: tuple[Pay, ...]

    @property
    def certain(self) -> bool:
        """Whether the case is there without a particular product being of a particular category."""
        return self.sku is None or self.category is None

    @property
    def rates_bps(self) -> int:
        """The sum of the highest rates."""
        return sum(pay.rate_bps for pay in self.pays)

    @property
    def pieces_minor(self) -> int:
        """The sum of the highest amounts a piece."""
        return sum(pay.piece_minor for pay in self.pays)

    @property
    def of_sales(self) -> Fraction:
        """What periods pay for it, as a share of the sales."""
        return sum((pay.sales for pay in self.pays), Fraction(0))

    def words(self) -> dict[str, str]:
        """The parameters ``what`` and ``what_zh`` that name the case in a message."""
        if self.sku is not None and self.category is not None:
            return {
                "what": f"{self.sku} in category {self.category}",
                "what_zh": f"类目 {self.category} 的 {self.sku} ",
            }
        if self.sku is not None:
            return {"what": self.sku, "what_zh": f" {self.sku} "}
        if self.category is not None:
            return {"what": f"category {self.category}", "what_zh": f"类目 {self.category} "}
        return {"what": "any product", "what_zh": "任意产品"}


class Payouts:
    """The cases of a program, made once, and what each can pay out of what was paid for the goods."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._pays: dict[tuple[int, str | None], Pay] = {}
        self._prices: dict[str, Prices | None] = {}

    @cached_property
    def payable(self) -> Fraction:
        """The most of the base that a line may pay out: the cap, or all of it (docs/rules.md §3.7)."""
        cap = self.program.commission.cap_bps
        return Fraction(BPS_WHOLE if cap is None else cap, BPS_WHOLE)

    @cached_property
    def _limits(self) -> list[tuple[frozenset[str], frozenset[str]]]:
        return [_limits(part) for part in self.program.commission.components]

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Every case of the document, once for each span of days in which its components stay the same."""
        return tuple(self._cases())

    def _cases(self) -> Iterator[Case]:
        parts = self.program.commission.components
        named = dict.fromkeys(sku for part in parts for sku in _named(part))
        named.update(dict.fromkeys(self._base_by_product))
        categories = dict.fromkeys(name for part in parts for name in _categories(part))
        cheapest = self._cheapest_of_the_others(named)
        days = {day for part in parts for day in (part.effective_from, part.effective_until) if day is not None}
        seen: dict[str | None, set[tuple[int, ...]]] = {}
        for day in (date.min, *sorted(days)):
            current = [(number, part) for number, part in enumerate(parts) if _in_effect(part, day)]
            for category in (None, *categories):
                for sku in (None, *cheapest, *named):
                    pays = self._together(current, sku, category)
                    # Pays are made once each: the same ones are the same case, if of another day or category.
                    same = tuple(map(id, pays))
                    if same not in (known := seen.setdefault(sku, set())):
                        known.add(same)
                        yield Case(sku, category, pays)

    def _cheapest_of_the_others(self, named: dict[str, None]) -> list[str]:
        if not any(isinstance(part, LevelTable | PerPieceVolume) for part in self.program.commission.components):
            return []
        prices = ((self.prices(sku), sku) for sku in self.program.price_policy.products if sku not in named)
        cheapest = min(((price.low, sku) for price, sku in prices if price is not None), default=None)
        return [cheapest[1]] if cheapest else []

    def _together(self, current: list[tuple[int, Component]], sku: str | None, category: str | None) -> tuple[Pay, ...]:
        """What pays for a line together: the first fixed amount replaces what else pays for lines (§3.5)."""
        fixed = next((n for n, part in current if isinstance(part, FixedPerProduct) and sku in part.products), None)
        pays = [
            self._pay(number, part, sku)
            for number, part in current
            if number == fixed
            or (
                not isinstance(part, FixedPerProduct)
                and (fixed is None or isinstance(part, TieredRebate | TargetBonus))
                and self._within(number, sku, category)
            )
        ]
        return tuple(pay for pay in pays if pay.rate_bps or pay.piece_minor or pay.sales)

    def _within(self, number: int, sku: str | None, category: str | None) -> bool:
        products, categories = self._limits[number]
        return (not products and not categories) or sku in products or category in categories

    def _pay(self, number: int, part: Component, sku: str | None) -> Pay:
        own = part.products if isinstance(part, FixedPerProduct) else getattr(part, "product_overrides", ())
        key = (number, sku if sku in own else None)
        if key not in self._pays:
            self._pays[key] = _most(self.program, number, part, sku)
        return self._pays[key]

    def prices(self, sku: str | None) -> Prices | None:
        """What a piece may cost: inside the band, or what a tier pays for itself; ``None`` without a guide price."""
        if sku is None:
            return None
        if sku not in self._prices:
            self._prices[sku] = _prices(self.program, sku)
        return self._prices[sku]

    @cached_property
    def _base_by_product(self) -> dict[str, int]:
        base = self.program.commission.base
        if isinstance(base, GrossMargin):
            return dict(base.costs_minor)
        return dict(base.values_minor) if isinstance(base, ProductValue) else {}

    def base_at(self, sku: str | None, price: Fraction) -> Fraction:
        """The base of a piece sold at ``price``, in minor units."""
        base = self.program.commission.base
        if isinstance(base, Pool):
            return price * base.share_bps / BPS_WHOLE
        if not isinstance(base, GrossMargin | ProductValue):
            return price
        own = self._base_by_product.get(sku or "")
        if own is None:
            return Fraction(0)
        return max(price - own, Fraction(0)) if isinstance(base, GrossMargin) else min(price, Fraction(own))

    def base_share(self, sku: str | None) -> Fraction:
        """The most that the base can be of what was paid."""
        base = self.program.commission.base
        if isinstance(base, GrossMargin | ProductValue) and sku not in self._base_by_product:
            return Fraction(0)
        prices = self.prices(sku)
        if prices is None:
            return Fraction(base.share_bps, BPS_WHOLE) if isinstance(base, Pool) else Fraction(1)
        return max(self.base_at(sku, price) / price for price in prices)

    def share(self, case: Case) -> Range:
        """The most of what was paid for the goods that a case pays out.

        Amounts a piece weigh most at the lowest price, a margin at the highest, and a cap of the margin between.
        """
        rates, pieces = Fraction(case.rates_bps, BPS_WHOLE), case.pieces_minor
        share = self.base_share(case.sku)
        bound = self.payable * share
        by_product = isinstance(self.program.commission.base, GrossMargin | ProductValue)
        if not pieces and not by_product:
            surely = min(rates * share, bound)
            return Range(surely + case.of_sales, surely + case.of_sales)
        prices = self.prices(case.sku)
        if prices is None:
            least = Fraction(0) if by_product else min(rates * share, bound)
            most = bound if pieces else min(rates * share, bound)
            return Range(least + case.of_sales, most + case.of_sales)
        worst = max(
            min(rates * self.base_at(case.sku, price) + pieces, self.payable * self.base_at(case.sku, price)) / price
            for price in (*prices, *self._where_the_cap_begins(case, prices))
        )
        return Range(worst + case.of_sales, worst + case.of_sales)

    def _where_the_cap_begins(self, case: Case, prices: Prices) -> Iterator[Fraction]:
        rates = Fraction(case.rates_bps, BPS_WHOLE)
        if self.payable > rates and isinstance(self.program.commission.base, GrossMargin):
            price = self._base_by_product.get(case.sku or "", 0) + case.pieces_minor / (self.payable - rates)
            if prices.low < price < prices.high:
                yield price

    def path(self, case: Case) -> str:
        """The place to mend when a case pays too much: the component's own, or the list when several add up."""
        if len(case.pays) != 1:
            return "commission.components"
        number = case.pays[0].number
        part = self.program.commission.components[number]
        return path_of(["commission", "components", number, *_place(part, case.sku)])


def generations_paid(program: Program, part: Component) -> int | None:
    """How many generations a sale is counted for: the seller's, or all above it too; ``None`` is without end."""
    return program.hierarchy.depth_limit if getattr(part, "measure", None) == "group_sales" else 1


def _in_effect(part: Component, day: date) -> bool:
    starts, ends = part.effective_from, part.effective_until
    return (starts is None or starts <= day) and (ends is None or day < ends)


def _named(part: Component) -> Iterator[str]:
    """The SKUs a component treats differently from others."""
    if isinstance(part, FixedPerProduct):
        yield from part.products
        return
    if isinstance(part, LevelTable):
        yield from part.product_overrides
    if part.only is not None:
        yield from part.only.products or ()


def _categories(part: Component) -> tuple[str, ...]:
    return () if isinstance(part, FixedPerProduct) or part.only is None else part.only.categories or ()


def _limits(part: Component) -> tuple[frozenset[str], frozenset[str]]:
    """Products and categories a component is limited to; none of both is without limit."""
    only = None if isinstance(part, FixedPerProduct) else part.only
    return (frozenset(only.products or ()), frozenset(only.categories or ())) if only else (frozenset(), frozenset())


def _place(part: Component, sku: str | None) -> tuple[str, ...]:
    match part:
        case FixedPerProduct():
            return ("products", sku or "")
        case LevelTable():
            return ("product_overrides", sku) if sku is not None and sku in part.product_overrides else ("levels",)
        case PerPieceVolume():
            return ("per_piece_minor",)
        case Differential():
            return ("rates_bps",)
        case TieredRebate():
            return ("bands",)
        case _:
            return ("targets",)


def _most(program: Program, number: int, part: Component, sku: str | None) -> Pay:
    match part:
        case LevelTable():
            return Pay(number, *_most_of_table(part, sku))
        case FixedPerProduct():
            return Pay(number, piece_minor=sum(part.products[sku or ""]))
        case PerPieceVolume():
            return Pay(number, piece_minor=part.per_piece_minor + max(band.extra_minor for band in part.bands))
        case Differential():
            levels = levels_paid(program, part)
            bonuses = min(sum(rate > 0 for rate in part.rates_bps.values()), levels // 2)
            return Pay(number, max(part.rates_bps.values()) + bonuses * part.same_tier_bonus_bps)
        case _:
            return Pay(number, sales=(generations_paid(program, part) or 1) * _share_of_sales(part))


def _share_of_sales(part: Component) -> Fraction:
    """What a rebate or a target in sales can be of them; other awards are no share of anything."""
    if isinstance(part, TieredRebate):
        return Fraction(max(band.rate_bps for band in part.bands), BPS_WHOLE)
    if isinstance(part, TargetBonus) and part.measure in ("own_sales", "group_sales"):
        return max(Fraction(target.bonus_minor, target.at_least) for target in part.targets)
    return Fraction(0)


def levels_paid(program: Program, part: Differential) -> int:
    """How many levels a differential covers, the seller's being the first."""
    return program.hierarchy.paid_levels if part.levels is None else part.levels


def _most_of_table(table: LevelTable, sku: str | None) -> tuple[int, int]:
    """The sum of the highest rates, and of the highest amounts a piece."""
    own = table.product_overrides.get(sku, ()) if sku is not None else ()
    most = {"rate_bps": 0, "per_piece_minor": 0}
    for number, level in enumerate(table.levels):
        override = own[number] if number < len(own) else None
        most[level.unit] += override if override is not None else max(level.value, *level.by_tier.values(), 0)
    return most["rate_bps"], most["per_piece_minor"]


def _prices(program: Program, sku: str) -> Prices | None:
    price = program.price_policy.products.get(sku)
    if price is None:
        return None
    band, guide = price.band or program.price_policy.default_band, price.guide_price_minor
    own = [*price.purchase_price_minor.values()]
    own += [value for prices in price.regional_purchase_price_minor.values() for value in prices.values()]
    floor = Fraction(guide * (BPS_WHOLE - band.below_bps), BPS_WHOLE)
    # Where nothing is paid, nothing is paid out; a piece costs one minor unit or more.
    low = min((value for value in (floor, *map(Fraction, own)) if value > 0), default=Fraction(1))
    return Prices(low, max(Fraction(guide * (BPS_WHOLE + band.above_bps), BPS_WHOLE), low))
