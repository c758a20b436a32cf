"""The sense of what is paid for order lines (docs/rules.md §3.1, 3.2, 3.4, 3.5, 3.7)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate, pairwise

from saas.base.money import BPS_WHOLE
from tenants.program.checks.common import Place, never_in_effect, not_rising, overlap, repeated, unknown_tiers
from tenants.program.components import (
    Differential,
    FixedPerProduct,
    GrossMargin,
    Level,
    LevelTable,
    PerPieceVolume,
    ProductValue,
)
from tenants.program.document import Program
from tenants.program.findings import Finding, finding, path_of
from tenants.program.payout import Payouts

COMPONENTS: Place = ("commission", "components")


def unique_keys(program: Program) -> Iterator[Finding]:
    """No two components of one key."""
    parts = program.commission.components
    yield from repeated([((*COMPONENTS, i, "key"), part.key) for i, part in enumerate(parts)])


def paid_tiers(program: Program) -> Iterator[Finding]:
    """Tables and differentials pay tiers that exist."""
    named: list[tuple[Place, str]] = [
        ((*steps, "by_tier", tier), tier) for steps, level in _levels(program) for tier in level.by_tier
    ]
    for number, part in enumerate(program.commission.components):
        if isinstance(part, Differential):
            named += [((*COMPONENTS, number, "rates_bps", tier), tier) for tier in part.rates_bps]
    yield from unknown_tiers(program, named)


def _levels(program: Program) -> Iterator[tuple[Place, Level]]:
    for number, part in enumerate(program.commission.components):
        if isinstance(part, LevelTable):
            for i, level in enumerate(part.levels):
                yield (*COMPONENTS, number, "levels", i), level


def units(program: Program) -> Iterator[Finding]:
    """One unit a level, and no rate above the whole where amounts would be allowed."""
    for steps, level in _levels(program):
        if (level.rate_bps is None) == (level.per_piece_minor is None):
            yield finding(path_of(steps), "LEVEL_UNIT")
        for tier, value in level.by_tier.items():
            if level.unit == "rate_bps" and value > BPS_WHOLE:
                yield finding(path_of([*steps, "by_tier", tier]), "RATE_ABOVE_WHOLE", value=value)
    for number, part in enumerate(program.commission.components):
        if not isinstance(part, LevelTable):
            continue
        for sku, values in part.product_overrides.items():
            place: Place = (*COMPONENTS, number, "product_overrides", sku)
            if len(values) > len(part.levels):
                numbers = {"count": len(values), "limit": len(part.levels)}
                yield finding(path_of(place), "OVERRIDE_BEYOND_TABLE", **numbers)
            for i, (override, level) in enumerate(zip(values, part.levels, strict=False)):
                if override is not None and level.unit == "rate_bps" and override > BPS_WHOLE:
                    yield finding(path_of([*place, i]), "RATE_ABOVE_WHOLE", value=override)


def paid_levels(program: Program) -> Iterator[Finding]:
    """No component lists more levels than are paid."""
    limit = program.hierarchy.paid_levels
    for number, part in enumerate(program.commission.components):
        for place, count in _lengths(part):
            if count > limit:
                path = path_of([*COMPONENTS, number, *place])
                yield finding(path, "LEVELS_BEYOND_PAID_LEVELS", count=count, limit=limit)


def _lengths(part: object) -> Iterator[tuple[Place, int]]:
    match part:
        case FixedPerProduct():
            yield from ((("products", sku), len(values)) for sku, values in part.products.items())
        case LevelTable():
            yield ("levels",), len(part.levels)
        case Differential() if part.levels is not None:
            yield ("levels",), part.levels


def qualification(program: Program) -> Iterator[Finding]:
    """A condition for uplines stands where uplines are paid."""
    for number, part in enumerate(program.commission.components):
        if isinstance(part, LevelTable) and part.qualify is not None and len(part.levels) == 1:
            yield finding(path_of([*COMPONENTS, number, "qualify"]), "QUALIFY_WITHOUT_UPLINES")


def piece_bands(program: Program) -> Iterator[Finding]:
    """Bounds rise, and an order never earns less than nothing because it passes one."""
    for number, part in enumerate(program.commission.components):
        if not isinstance(part, PerPieceVolume):
            continue
        place = (*COMPONENTS, number, "bands")
        yield from not_rising([((*place, i, "above_pieces"), band.above_pieces) for i, band in enumerate(part.bands)])
        if part.applies == "WHOLE":
            for i, (before, band) in enumerate(pairwise(part.bands), 1):
                if band.extra_minor < before.extra_minor:
                    least = before.extra_minor
                    path = path_of([*place, i, "extra_minor"])
                    numbers = {"value": band.extra_minor, "before": least, "closest": least}
                    yield finding(path, "PIECE_EXTRA_FALLS", **numbers)


def differential_rates(program: Program) -> Iterator[Finding]:
    """Rates rise with the tiers: where they do not, the higher tier earns nothing above the lower."""
    order = [tier.code for tier in program.tiers]
    for number, part in enumerate(program.commission.components):
        if not isinstance(part, Differential):
            continue
        for lower, tier in pairwise(order):
            value, below = part.rates_bps.get(tier, 0), part.rates_bps.get(lower, 0)
            if below and value <= below:
                path = path_of([*COMPONENTS, number, "rates_bps", *([tier] if tier in part.rates_bps else [])])
                yield finding(path, "DIFFERENTIAL_NOT_RISING", tier=tier, value=value, lower=lower, below=below)


def effect(program: Program) -> Iterator[Finding]:
    """Components are in effect some day."""
    for number, part in enumerate(program.commission.components):
        yield from never_in_effect((*COMPONENTS, number), part.effective_from, part.effective_until)


def fixed_twice(program: Program) -> Iterator[Finding]:
    """A product has one fixed amount a day."""
    seen: dict[str, list[FixedPerProduct]] = {}
    for number, part in enumerate(program.commission.components):
        if not isinstance(part, FixedPerProduct):
            continue
        for sku in part.products:
            others = seen.setdefault(sku, [])
            days = part.effective_from, part.effective_until
            first = next((one for one in others if overlap((one.effective_from, one.effective_until), days)), None)
            if first is not None:
                path = path_of([*COMPONENTS, number, "products", sku])
                yield finding(path, "FIXED_TWICE", value=sku, other=first.key)
            others.append(part)


def cap(program: Program) -> Iterator[Finding]:
    """A cap of nothing is rarely meant."""
    if program.commission.cap_bps == 0:
        yield finding("commission.cap_bps", "CAP_PAYS_NOTHING")


def rates(payouts: Payouts) -> Iterator[Finding]:
    """No case whose rates exceed the whole; the worst of each place is told."""
    worst: dict[tuple[str, bool], tuple[int, dict[str, str]]] = {}
    for case in payouts.cases:
        if case.rates_bps > BPS_WHOLE:
            key = (payouts.path(case), case.certain)
            if case.rates_bps > worst.get(key, (0,))[0]:
                worst[key] = (case.rates_bps, case.words())
    for (path, certain), (total, words) in worst.items():
        if certain or (path, True) not in worst:
            code = "RATES_EXCEED_WHOLE" if certain else "RATES_MAY_EXCEED_WHOLE"
            yield finding(path, code, sum=total, excess=total - BPS_WHOLE, **words)


def fixed_amounts(payouts: Payouts) -> Iterator[Finding]:
    """Amounts a piece that the lowest allowed price cannot bear: they would shrink to the base or the cap."""
    worst: dict[str, Finding] = {}
    for case in payouts.cases:
        prices = payouts.prices(case.sku) if case.pieces_minor else None
        if prices is None:
            continue
        base = payouts.base_at(case.sku, prices.low)
        promised, limit = Fraction(case.rates_bps, BPS_WHOLE) * base + case.pieces_minor, payouts.payable * base
        if promised > limit:
            path = payouts.path(case)
            worst.setdefault(path, finding(path, "FIXED_EXCEEDS_PRICE", sum=-(-promised // 1), limit=limit // 1))
    yield from worst.values()


def lifts(payouts: Payouts) -> Iterator[Finding]:
    """With ``WHOLE`` the piece that passes a bound brings the lift of all before it: more than it may bear."""
    parts = payouts.program.commission.components
    told: set[int] = set()
    for case in payouts.cases:
        prices = payouts.prices(case.sku)
        if prices is None:
            continue
        limit = payouts.payable * payouts.base_at(case.sku, prices.low)
        for number in {pay.number for pay in case.pays} - told:
            part = parts[number]
            if not isinstance(part, PerPieceVolume) or part.applies != "WHOLE":
                continue
            for i, (above, total) in enumerate(_jumps(part)):
                if total > limit:
                    told.add(number)
                    words = {"above": above, "sum": total, "sku": case.sku, "limit": limit // 1}
                    yield finding(path_of([*COMPONENTS, number, "bands", i]), "LIFT_EXCEEDS_PRICE", **words)
                    break


def _jumps(part: PerPieceVolume) -> Iterator[tuple[int, int]]:
    """Each bound with what the single piece beyond it brings."""
    extras = list(accumulate((band.extra_minor for band in part.bands), max))
    for band, before, extra in zip(part.bands, [0, *extras], extras, strict=False):
        yield band.above_pieces, part.per_piece_minor + extra + band.above_pieces * (extra - before)


def base(payouts: Payouts) -> Iterator[Finding]:
    """A base set by product knows the products, and lies below their prices."""
    chosen = payouts.program.commission.base
    if not isinstance(chosen, GrossMargin | ProductValue):
        return
    margin = isinstance(chosen, GrossMargin)
    name = "costs_minor" if margin else "values_minor"
    known = chosen.costs_minor if isinstance(chosen, GrossMargin) else chosen.values_minor
    missing = [sku for sku in payouts.program.price_policy.products if sku not in known]
    if missing:
        names = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        yield finding(path_of(["commission", "base", name]), "BASE_LACKS_PRODUCTS", count=len(missing), names=names)
    for sku, value in known.items():
        prices = payouts.prices(sku)
        if prices is not None and value > prices.low:
            path = path_of(["commission", "base", name, sku])
            code = "COST_ABOVE_PRICE" if margin else "VALUE_ABOVE_PRICE"
            yield finding(path, code, value=value, closest=prices.low // 1)
