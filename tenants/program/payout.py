"""What a program can pay out at most: for each product, category and day the document tells apart.

Which category a product has is the catalogue's business, so a product and a category named apart are also looked at
together, as a case that may exist.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from saas.base.money import BPS_WHOLE
from tenants.program.compile import Plan, compile_program
from tenants.program.components import FixedPerProduct, Pool
from tenants.program.document import Program
from tenants.program.findings import path_of


class Case(NamedTuple):
    """A product (``None``: any other) of a category (``None``: any other) and a plan that applies to it."""

    sku: str | None
    category: str | None
    plan: Plan

    @property
    def certain(self) -> bool:
        """Whether the case is there without a particular product being of a particular category."""
        return self.sku is None or self.category is None

    @property
    def rates_bps(self) -> int:
        """The sum of the highest rates."""
        return sum(slot.most for slot in self.plan.slots if not slot.per_piece)

    @property
    def pieces_minor(self) -> int:
        """The sum of the highest amounts a piece."""
        return sum(slot.most for slot in self.plan.slots if slot.per_piece)

    @property
    def components(self) -> tuple[str, ...]:
        """The keys of the components that pay."""
        return tuple(dict.fromkeys(slot.component for slot in self.plan.slots))

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


def cases(program: Program) -> Iterator[Case]:
    """Every case of the document, once for each span of days in which its components stay the same."""
    compiled = compile_program(program)
    for sku in (None, *dict.fromkeys([*compiled.products, *program.price_policy.products])):
        for category in (None, *compiled.categories):
            for day in (date.min, *compiled.days):
                # No document names the empty SKU: it stands for any other.
                yield Case(sku, category, compiled.plan_for(sku or "", category, day))


def path_of_case(program: Program, case: Case) -> str:
    """The place to mend when a case pays too much: the component's own, or the list when several add up."""
    if len(case.components) != 1:
        return "commission.components"
    parts = program.commission.components
    number = next(i for i, part in enumerate(parts) if part.key == case.components[0])
    part, steps = parts[number], ("commission", "components", number)
    if isinstance(part, FixedPerProduct):
        return path_of([*steps, "products", case.sku or ""])
    if case.sku in part.product_overrides:
        return path_of([*steps, "product_overrides", case.sku or ""])
    return path_of([*steps, "levels"])


def lowest_price(program: Program, sku: str | None) -> Fraction | None:
    """The lowest price the band allows for a piece, in minor units; ``None`` without a guide price."""
    price = program.price_policy.products.get(sku) if sku is not None else None
    if price is None:
        return None
    band = price.band or program.price_policy.default_band
    return Fraction(price.guide_price_minor * (BPS_WHOLE - band.below_bps), BPS_WHOLE)


def pool_share(program: Program) -> Fraction:
    """The base as a share of what was paid for the goods."""
    base = program.commission.base
    return Fraction(base.share_bps, BPS_WHOLE) if isinstance(base, Pool) else Fraction(1)


def payable_share(program: Program) -> Fraction:
    """The most of the base that may be paid out: the cap, or all of it (docs/rules.md §3.7)."""
    cap = program.commission.cap_bps
    return Fraction(1) if cap is None else Fraction(cap, BPS_WHOLE)


def promised_share(program: Program, case: Case) -> Fraction | None:
    """What a case promises before any limit, as a share of what was paid; ``None`` when no price tells."""
    rates = Fraction(case.rates_bps, BPS_WHOLE) * pool_share(program)
    if not case.pieces_minor:
        return rates
    price = lowest_price(program, case.sku)
    return rates + case.pieces_minor / price if price else None
