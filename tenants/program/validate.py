"""Whether a program makes sense as a whole (docs/rules.md §2): all findings at once, each with its place and remedy."""

from collections.abc import Callable, Iterable, Iterator, Set
from fractions import Fraction
from itertools import pairwise

from babel.numbers import list_currencies

from saas.base.money import BPS_WHOLE
from tenants.program.compliance import compliance_findings
from tenants.program.components import FixedPerProduct, Level, LevelTable
from tenants.program.document import Program, TiersRecruit
from tenants.program.findings import Finding, finding, path_of
from tenants.program.payout import cases, path_of_case, payable_share, pool_share, promised_share
from tenants.program.structure import hint

Step = str | int


def validate(program: Program) -> list[Finding]:
    """Every finding on the program; without an error among them (``errors_in``) it may be activated."""
    return findings_apart_from(program, frozenset())


def findings_apart_from(program: Program, broken: Set[str]) -> list[Finding]:
    """The findings of the checks that need none of the ``broken`` sections, which may then be absent."""
    return [found for needs, check in _CHECKS if broken.isdisjoint(needs) for found in check(program)]


def _currency(program: Program) -> Iterator[Finding]:
    if program.currency not in list_currencies():
        yield finding("currency", "CURRENCY_UNKNOWN", value=program.currency)


def _depth(program: Program) -> Iterator[Finding]:
    shape = program.hierarchy
    if shape.depth_limit is None:
        return
    if shape.paid_levels > shape.depth_limit:
        numbers = {"paid": shape.paid_levels, "depth": shape.depth_limit}
        yield finding("hierarchy.paid_levels", "PAID_LEVELS_BEYOND_DEPTH", **numbers)
    if len(shape.level_names) > shape.depth_limit:
        numbers = {"count": len(shape.level_names), "depth": shape.depth_limit}
        yield finding("hierarchy.level_names", "LEVEL_NAMES_BEYOND_DEPTH", **numbers)


def _unique_codes(program: Program) -> Iterator[Finding]:
    tiers = [(("tiers", i, "code"), tier.code) for i, tier in enumerate(program.tiers)]
    yield from _repeated(tiers)


def _unique_keys(program: Program) -> Iterator[Finding]:
    parts = program.commission.components
    yield from _repeated([(("commission", "components", i, "key"), part.key) for i, part in enumerate(parts)])


def _repeated(codes: Iterable[tuple[tuple[Step, ...], str]]) -> Iterator[Finding]:
    seen: set[str] = set()
    for steps, code in codes:
        if code in seen:
            yield finding(path_of(steps), "DUPLICATE_CODE", value=code)
        seen.add(code)


def _recruiting_tiers(program: Program) -> Iterator[Finding]:
    recruiters = program.hierarchy.recruiters
    if isinstance(recruiters, TiersRecruit):
        named = [(("hierarchy", "recruiters", "tiers", i), tier) for i, tier in enumerate(recruiters.tiers)]
        yield from _unknown_tiers(program, named)


def _paid_tiers(program: Program) -> Iterator[Finding]:
    named = [((*steps, "by_tier", tier), tier) for steps, level in _levels(program) for tier in level.by_tier]
    yield from _unknown_tiers(program, named)


def _priced_tiers(program: Program) -> Iterator[Finding]:
    for sku, price in program.price_policy.products.items():
        steps = ("price_policy", "products", sku, "purchase_price_minor")
        yield from _unknown_tiers(program, [((*steps, tier), tier) for tier in price.purchase_price_minor])


def _unknown_tiers(program: Program, named: Iterable[tuple[tuple[Step, ...], str]]) -> Iterator[Finding]:
    known = [tier.code for tier in program.tiers]
    for steps, tier in named:
        if tier not in known:
            yield finding(path_of(steps), "UNKNOWN_TIER", value=tier, **hint(tier, known))


def _levels(program: Program) -> Iterator[tuple[tuple[Step, ...], Level]]:
    for number, part in enumerate(program.commission.components):
        if isinstance(part, LevelTable):
            for i, level in enumerate(part.levels):
                yield ("commission", "components", number, "levels", i), level


def _units(program: Program) -> Iterator[Finding]:
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
            place: tuple[Step, ...] = ("commission", "components", number, "product_overrides", sku)
            if len(values) > len(part.levels):
                numbers = {"count": len(values), "limit": len(part.levels)}
                yield finding(path_of(place), "OVERRIDE_BEYOND_TABLE", **numbers)
            for i, (override, level) in enumerate(zip(values, part.levels, strict=False)):
                if override is not None and level.unit == "rate_bps" and override > BPS_WHOLE:
                    yield finding(path_of([*place, i]), "RATE_ABOVE_WHOLE", value=override)


def _paid_levels(program: Program) -> Iterator[Finding]:
    limit = program.hierarchy.paid_levels
    for number, part in enumerate(program.commission.components):
        steps: tuple[Step, ...] = ("commission", "components", number)
        if not isinstance(part, FixedPerProduct | LevelTable):
            continue
        lists: dict[tuple[Step, ...], int] = (
            {(*steps, "products", sku): len(values) for sku, values in part.products.items()}
            if isinstance(part, FixedPerProduct)
            else {(*steps, "levels"): len(part.levels)}
        )
        for place, count in lists.items():
            if count > limit:
                yield finding(path_of(place), "LEVELS_BEYOND_PAID_LEVELS", count=count, limit=limit)


def _effect(program: Program) -> Iterator[Finding]:
    for number, part in enumerate(program.commission.components):
        start, until = part.effective_from, part.effective_until
        if start is not None and until is not None and until <= start:
            path = path_of(["commission", "components", number, "effective_until"])
            yield finding(path, "NEVER_IN_EFFECT", until=until, start=start)


def _fixed_twice(program: Program) -> Iterator[Finding]:
    seen: dict[str, FixedPerProduct] = {}
    for number, part in enumerate(program.commission.components):
        if not isinstance(part, FixedPerProduct):
            continue
        for sku in part.products:
            first = seen.setdefault(sku, part)
            if first is not part and _overlap(first, part):
                path = path_of(["commission", "components", number, "products", sku])
                yield finding(path, "FIXED_TWICE", value=sku, other=first.key)


def _overlap(one: FixedPerProduct, other: FixedPerProduct) -> bool:
    def before(end: FixedPerProduct, start: FixedPerProduct) -> bool:
        until, begin = end.effective_until, start.effective_from
        return until is not None and begin is not None and until <= begin

    return not before(one, other) and not before(other, one)


def _rates(program: Program) -> Iterator[Finding]:
    """No case whose rates exceed the whole; the worst of each place is told."""
    worst: dict[tuple[str, bool], tuple[int, dict[str, str]]] = {}
    pays = False
    for case in cases(program):
        pays = pays or any(slot.most for slot in case.plan.slots)
        key = (path_of_case(program, case), case.certain)
        if case.rates_bps > max(BPS_WHOLE, worst.get(key, (0,))[0]):
            worst[key] = (case.rates_bps, case.words())
    for (path, certain), (total, words) in worst.items():
        if certain or (path, True) not in worst:
            code = "RATES_EXCEED_WHOLE" if certain else "RATES_MAY_EXCEED_WHOLE"
            yield finding(path, code, sum=total, excess=total - BPS_WHOLE, **words)
    if not pays:
        yield finding("commission.components", "NOBODY_EARNS")


def _fixed_amounts(program: Program) -> Iterator[Finding]:
    """Amounts a piece that the lowest allowed price cannot bear: they would shrink to the base or the cap."""
    limit = payable_share(program) * pool_share(program)
    worst: dict[str, Finding] = {}
    for case in cases(program):
        promised = promised_share(program, case) if case.pieces_minor else None
        if promised is not None and promised > limit:
            price = case.pieces_minor / (promised - Fraction(case.rates_bps, BPS_WHOLE) * pool_share(program))
            path = path_of_case(program, case)
            numbers = {"sum": -(-promised * price // 1), "limit": limit * price // 1}
            worst.setdefault(path, finding(path, "FIXED_EXCEEDS_PRICE", **numbers))
    yield from worst.values()


def _purchase_prices(program: Program) -> Iterator[Finding]:
    order = [tier.code for tier in program.tiers]
    for sku, price in program.price_policy.products.items():
        steps = ("price_policy", "products", sku, "purchase_price_minor")
        for tier, value in price.purchase_price_minor.items():
            if value > price.guide_price_minor:
                closest = price.guide_price_minor
                yield finding(path_of([*steps, tier]), "PURCHASE_ABOVE_GUIDE", value=value, closest=closest)
        priced = [(tier, price.purchase_price_minor[tier]) for tier in order if tier in price.purchase_price_minor]
        for (lower, below), (tier, value) in pairwise(priced):
            if value > below:
                path, numbers = path_of([*steps, tier]), {"value": value, "below": below}
                yield finding(path, "PURCHASE_PRICE_RISES", tier=tier, lower=lower, **numbers)


def _deductions(program: Program) -> Iterator[Finding]:
    total = program.settlement.fee_bps + program.settlement.withholding_without_invoice_bps
    if total > BPS_WHOLE:
        path = "settlement.withholding_without_invoice_bps"
        yield finding(path, "NOTHING_LEFT_TO_PAY", sum=total, excess=total - BPS_WHOLE)


_CHECKS: tuple[tuple[tuple[str, ...], Callable[[Program], Iterable[Finding]]], ...] = (
    (("currency",), _currency),
    (("hierarchy",), _depth),
    (("tiers",), _unique_codes),
    (("commission",), _unique_keys),
    (("hierarchy", "tiers"), _recruiting_tiers),
    (("commission", "tiers"), _paid_tiers),
    (("price_policy", "tiers"), _priced_tiers),
    (("commission",), _units),
    (("commission", "hierarchy"), _paid_levels),
    (("commission",), _effect),
    (("commission",), _fixed_twice),
    (("commission", "price_policy"), _rates),
    (("commission", "price_policy"), _fixed_amounts),
    (("price_policy", "tiers"), _purchase_prices),
    (("settlement",), _deductions),
    (("commission", "price_policy", "compliance_profile"), compliance_findings),
)
"""Each check with the sections it reads."""
