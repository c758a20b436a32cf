"""The sense of the price policy (docs/rules.md §2.3): purchase prices, and promotions that stay inside the bands."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise

from saas.base.money import BPS_WHOLE
from tenants.program.checks.common import (
    Place,
    listed,
    never_in_effect,
    overlap,
    repeated,
    unknown_regions,
    unknown_tiers,
)
from tenants.program.document import Program
from tenants.program.findings import NO_HINT, Finding, finding, hint, path_of
from tenants.program.pricing import BUY_MAX, AmountOff, BuyGet, PricePolicy, ProductPrice, Promotion, PromotionPrice

PRODUCTS: Place = ("price_policy", "products")
PROMOTIONS: Place = ("price_policy", "promotions")


def _purchase_tables(program: Program) -> Iterator[tuple[Place, ProductPrice, Mapping[str, int]]]:
    for sku, price in program.price_policy.products.items():
        if price.purchase_price_minor:
            yield (*PRODUCTS, sku, "purchase_price_minor"), price, price.purchase_price_minor
        for region, prices in price.regional_purchase_price_minor.items():
            yield (*PRODUCTS, sku, "regional_purchase_price_minor", region), price, prices


def priced_tiers(program: Program) -> Iterator[Finding]:
    """Prices are set for tiers that exist."""
    for steps, _, prices in _purchase_tables(program):
        yield from unknown_tiers(program, [((*steps, tier), tier) for tier in prices])


def regions(program: Program) -> Iterator[Finding]:
    """Prices are set for regions that exist."""
    for sku, price in program.price_policy.products.items():
        place = (*PRODUCTS, sku, "regional_purchase_price_minor")
        yield from unknown_regions([((*place, region), region) for region in price.regional_purchase_price_minor])


def purchase_prices(program: Program) -> Iterator[Finding]:
    """No distributor pays more than a customer, nor a higher tier more than a lower."""
    order = [tier.code for tier in program.tiers]
    for steps, price, prices in _purchase_tables(program):
        for tier, value in prices.items():
            if value > price.guide_price_minor:
                closest = price.guide_price_minor
                yield finding(path_of([*steps, tier]), "PURCHASE_ABOVE_GUIDE", value=value, closest=closest)
        priced = [(tier, prices[tier]) for tier in order if tier in prices]
        for (lower, below), (tier, value) in pairwise(priced):
            if value > below:
                path, numbers = path_of([*steps, tier]), {"value": value, "below": below}
                yield finding(path, "PURCHASE_PRICE_RISES", tier=tier, lower=lower, **numbers)


def channels(program: Program) -> Iterator[Finding]:
    """No channel is listed twice."""
    for sku, price in program.price_policy.products.items():
        yield from repeated(listed((*PRODUCTS, sku, "channels"), price.channels))


def promotions(program: Program) -> Iterator[Finding]:
    """Promotions are told apart, last a day or more, and give a price to each of their products."""
    parts = program.price_policy.promotions
    yield from repeated([((*PROMOTIONS, i, "key"), one.key) for i, one in enumerate(parts)])
    for number, one in enumerate(parts):
        place = (*PROMOTIONS, number)
        yield from never_in_effect(place, one.effective_from, one.effective_until)
        yield from repeated(listed((*place, "products"), one.products))
        yield from repeated(listed((*place, "channels"), one.channels))
        if isinstance(one, PromotionPrice):
            yield from _prices_and_products(place, one)


def promoted_products(program: Program) -> Iterator[Finding]:
    """Promotions name products that are priced, and sold where the promotion holds."""
    policy = program.price_policy
    for number, one in enumerate(policy.promotions):
        place = (*PROMOTIONS, number)
        named = listed((*place, "products"), one.products)
        if isinstance(one, PromotionPrice):
            named += [((*place, "prices_minor", sku), sku) for sku in one.prices_minor]
        for steps, sku in named:
            if sku not in policy.products:
                words = hint(sku, list(policy.products)) if len(policy.products) <= HINTS_AMONG else NO_HINT
                yield finding(path_of(steps), "PROMOTION_UNPRICED", value=sku, **words)
            elif not _sold_in(policy.products[sku], one):
                yield finding(path_of(steps), "PROMOTION_NOWHERE", value=sku)


HINTS_AMONG = 1_000
"""Products among which a word close to a wrong one is looked for."""


def _prices_and_products(place: Place, one: PromotionPrice) -> Iterator[Finding]:
    if one.products is None:
        return
    for number, sku in enumerate(one.products):
        if sku not in one.prices_minor:
            yield finding(path_of([*place, "products", number]), "PROMOTION_WITHOUT_PRICE", value=sku)
    products = frozenset(one.products)
    for sku in one.prices_minor:
        if sku not in products:
            yield finding(path_of([*place, "prices_minor", sku]), "PROMOTION_PRICE_UNUSED", value=sku)


def _sold_in(price: ProductPrice, one: Promotion) -> bool:
    return price.channels is None or one.channels is None or not set(price.channels).isdisjoint(one.channels)


def promoted_prices(program: Program) -> Iterator[Finding]:
    """What a piece can cost in a promotion at worst stays inside its band."""
    policy = program.price_policy
    for number, one in enumerate(policy.promotions):
        place = (*PROMOTIONS, number)
        if isinstance(one, PromotionPrice):
            yield from _single_prices(policy, place, one)
        elif tightest := _tightest(policy, one):
            yield from _discount(policy, place, one, tightest)


def _single_prices(policy: PricePolicy, place: Place, one: PromotionPrice) -> Iterator[Finding]:
    for sku, value in one.prices_minor.items():
        product = policy.products.get(sku)
        if product is None or (one.products is not None and sku not in one.products):
            continue
        guide, floor = product.guide_price_minor, _floor(policy, sku)
        band = product.band or policy.default_band
        ceiling = guide * (BPS_WHOLE + band.above_bps) // BPS_WHOLE
        path = path_of([*place, "prices_minor", sku])
        if value < floor:
            numbers = {"value": value, "floor": _plain(floor), "closest": max(-(-floor // 1), 1)}
            yield finding(path, "PROMOTION_BELOW_FLOOR", sku=sku, **numbers)
        elif value > ceiling:
            yield finding(path, "PROMOTION_ABOVE_CEILING", sku=sku, value=value, closest=ceiling)
        elif value >= guide:
            yield finding(path, "PROMOTION_NO_GAIN", value=value, sku=sku, guide=guide)


def _discount(policy: PricePolicy, place: Place, one: AmountOff | BuyGet, sku: str) -> Iterator[Finding]:
    """The discount at its worst: at the threshold exactly, or on ``buy + get`` pieces."""
    product = policy.products[sku]
    below = (product.band or policy.default_band).below_bps
    if isinstance(one, AmountOff):
        share, setting = Fraction(one.off_minor, one.threshold_minor), "off_minor"
        closest = one.threshold_minor * below // BPS_WHOLE
    else:
        share, setting = Fraction(one.get, one.buy + one.get), "buy"
        closest = -(-one.get * (BPS_WHOLE - below) // below) if below else 0
    if share * BPS_WHOLE <= below:
        return
    price = max(product.guide_price_minor * (1 - share), Fraction(0))
    numbers = {"value": _plain(price), "floor": _plain(_floor(policy, sku)), "sku": sku}
    if closest and (isinstance(one, AmountOff) or closest <= BUY_MAX):
        yield finding(path_of([*place, setting]), "PROMOTION_BELOW_FLOOR", **numbers, closest=closest)
    else:
        yield finding(path_of([*place, setting]), "PROMOTION_NEVER_INSIDE", **numbers)


def _tightest(policy: PricePolicy, one: Promotion) -> str | None:
    """Of the products a promotion holds for, the one whose price may fall least; ``None`` when there is none."""
    held = ((sku, policy.products[sku]) for sku in one.products or policy.products if sku in policy.products)
    bands = (((price.band or policy.default_band).below_bps, sku) for sku, price in held if _sold_in(price, one))
    return min(bands, key=lambda pair: pair[0], default=(0, None))[1]


def _floor(policy: PricePolicy, sku: str) -> Fraction:
    product = policy.products[sku]
    band = product.band or policy.default_band
    return Fraction(product.guide_price_minor * (BPS_WHOLE - band.below_bps), BPS_WHOLE)


def _plain(amount: Fraction) -> str:
    """An amount in minor units, with what goes beyond the whole ones."""
    return str(amount) if amount.denominator == 1 else f"{amount.numerator / amount.denominator:.2f}"


def overlapping_promotions(program: Program) -> Iterator[Finding]:
    """Two promotions of the same product on the same days: one wins, which is worth knowing."""
    policy = program.price_policy
    held = [_products(policy, one) for one in policy.promotions]
    for number, one in enumerate(policy.promotions):
        for earlier, other in enumerate(policy.promotions[:number]):
            days = (other.effective_from, other.effective_until), (one.effective_from, one.effective_until)
            apart = one.channels is not None and other.channels is not None
            if not overlap(*days) or (apart and set(one.channels or ()).isdisjoint(other.channels or ())):
                continue
            both = held[number].keys() & held[earlier].keys()
            if both:
                sku = next(sku for sku in held[number] if sku in both)
                yield finding(path_of([*PROMOTIONS, number]), "PROMOTIONS_OVERLAP", other=other.key, sku=sku)


def _products(policy: PricePolicy, one: Promotion) -> dict[str, None]:
    named = policy.products if one.products is None else one.products
    if isinstance(one, PromotionPrice):
        return dict.fromkeys(sku for sku in named if sku in one.prices_minor)
    return dict.fromkeys(sku for sku in named if sku in policy.products)
