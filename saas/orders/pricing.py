"""What a line costs when nobody says so: purchase price, guide price, the best promotion (docs/rules.md §2.3). Pure.

Promotions do not stack: a line is priced by one at most. First each line takes the promotion of its own that leaves it
cheapest. Then the amount-off that saves the order most takes its lines, at the guide price: those without a promotion
of their own, and of the others, when the threshold needs them, those that give up least for their price. It takes them
only if the order becomes cheaper, and so does the next, of the lines that are left. Of equals, the first of the
document wins. So an order never costs more than with any one of the promotions alone.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from saas.base.money import shrink_to
from saas.orders.errors import ChannelRefused
from saas.orders.rules import check_price, price_entry
from tenants.program.pricing import AmountOff, BuyGet, PricePolicy, Promotion, PromotionPrice


class PriceSource(StrEnum):
    """Where the price of a line comes from."""

    GIVEN = "given"
    PURCHASE = "purchase"
    GUIDE = "guide"
    PROMOTION = "promotion"


class Occasion(NamedTuple):
    """Who buys, where and when: all that prices depend on besides product and quantity.

    ``day`` is of the brand's calendar; ``tier`` and ``region`` are the seller's, for what it buys for itself.
    """

    day: date
    channel: str | None = None
    for_member: bool = False
    self_purchase: bool = False
    tier: str | None = None
    region: str | None = None


class Wanted(NamedTuple):
    """Pieces of a product without a price."""

    sku: str
    quantity: int


class LinePrice(NamedTuple):
    """What a line costs and why; ``free`` pieces cost nothing, ``promotion`` is the key of the one that priced it."""

    amount_minor: int
    source: PriceSource
    promotion: str | None = None
    free: int = 0


def regions_around(region: str | None) -> tuple[str, ...]:
    """A region of GB/T 2260 and those it lies in, the narrowest first: district, city, province."""
    if region is None:
        return ()
    return tuple(dict.fromkeys((region, f"{region[:4]}00", f"{region[:2]}0000")))


def purchase_price(policy: PricePolicy, sku: str, tier: str | None, region: str | None) -> int | None:
    """What a piece costs a distributor of this tier and region, in minor units; the narrowest region comes first."""
    product = policy.products.get(sku)
    if product is None or tier is None:
        return None
    for around in regions_around(region):
        price = product.regional_purchase_price_minor.get(around, {}).get(tier)
        if price is not None:
            return price
    return product.purchase_price_minor.get(tier)


def not_sold_in(policy: PricePolicy, sku: str, channel: str | None, field: str) -> ChannelRefused | None:
    """The refusal of a product in a channel, or in none, when the policy names the only channels it is sold in."""
    product = policy.products.get(sku)
    if product is None or product.channels is None or channel in product.channels:
        return None
    return ChannelRefused(field, sku=sku, channels=", ".join(product.channels))


def applies(promotion: Promotion, sku: str, on: Occasion) -> bool:
    """Whether a promotion holds for a priced product on this occasion."""
    return (
        promotion.effective_from <= on.day < promotion.effective_until
        and (promotion.products is None or sku in promotion.products)
        and (promotion.channels is None or on.channel in promotion.channels)
        and (on.for_member or not promotion.members_only)
        and (not isinstance(promotion, PromotionPrice) or sku in promotion.prices_minor)
    )


def promotions_of(policy: PricePolicy, sku: str, channel: str | None, day: date) -> tuple[Promotion, ...]:
    """The promotions that a product has on a day, for whomever; in one channel, or in all when none is named."""
    if sku not in policy.products:
        return ()
    return tuple(
        promotion
        for promotion in policy.promotions
        if applies(promotion, sku, Occasion(day, channel or next(iter(promotion.channels or ()), None), True))
    )


def price_lines(policy: PricePolicy, lines: Sequence[Wanted], on: Occasion) -> list[LinePrice | None]:
    """The price of each line of an order; ``None`` for a product that the policy does not price.

    An amount-off counts and lowers these lines alone, not those of the order that came with a price.
    """
    own = [_own_price(policy, line, on) for line in lines]
    open_to_offers = {
        number: _Offer(line.sku, _guide(policy, line), _room(policy, line), price)
        for number, (line, price) in enumerate(zip(lines, own, strict=True))
        if price is not None and price.source is not PriceSource.PURCHASE
    }
    priced = list(own)
    offs = [promotion for promotion in policy.promotions if isinstance(promotion, AmountOff)]
    while best := _best(offs, open_to_offers, on):
        offs.remove(best.promotion)
        taken = [open_to_offers[number] for number in best.numbers]
        shares = spread([one.guide_minor for one in taken], [one.room_minor for one in taken], best.off_minor)
        for number, one, share in zip(best.numbers, taken, shares, strict=True):
            priced[number] = LinePrice(one.guide_minor - share, PriceSource.PROMOTION, best.promotion.key)
            del open_to_offers[number]
    return priced


def spread(amounts: Sequence[int], rooms: Sequence[int], off_minor: int) -> list[int]:
    """Split ``off_minor`` by the amounts, the largest remainder first, so that nobody gets more than its room.

    Exact as long as all the room together is enough, which it must be. What one has no room for goes to the first
    that has.
    """
    wished = shrink_to(amounts, off_minor)
    shares = [min(share, room) for share, room in zip(wished, rooms, strict=True)]
    left = off_minor - sum(shares)
    for number, room in enumerate(rooms):
        more = min(left, room - shares[number])
        shares[number] += more
        left -= more
    return shares


class _Offer(NamedTuple):
    """A line that amount-offs may take: at the guide price, with room down to its floor, or as it is without them."""

    sku: str
    guide_minor: int
    room_minor: int
    own: LinePrice

    @property
    def given_up(self) -> int:
        """What the line saves by its own promotion."""
        return self.guide_minor - self.own.amount_minor


class _Taking(NamedTuple):
    """An amount-off with the lines it would take, and what the order would save by it."""

    promotion: AmountOff
    numbers: Sequence[int]
    off_minor: int
    saved_minor: int


def _guide(policy: PricePolicy, line: Wanted) -> int:
    return policy.products[line.sku].guide_price_minor * line.quantity


def _room(policy: PricePolicy, line: Wanted) -> int:
    """How far the line may fall below the guide price."""
    entry = price_entry(policy, line.sku)
    guide_minor = _guide(policy, line)
    return 0 if entry is None else guide_minor - check_price(entry, line.quantity, guide_minor).least_minor


def _own_price(policy: PricePolicy, line: Wanted, on: Occasion) -> LinePrice | None:
    if line.sku not in policy.products:
        return None
    if on.self_purchase:
        piece = purchase_price(policy, line.sku, on.tier, on.region)
        if piece is not None:
            return LinePrice(piece * line.quantity, PriceSource.PURCHASE)
    best = LinePrice(_guide(policy, line), PriceSource.GUIDE)
    for promotion in policy.promotions:
        if not isinstance(promotion, AmountOff) and applies(promotion, line.sku, on):
            price = _promoted(policy, promotion, line)
            best = price if price.amount_minor < best.amount_minor else best
    return best


def _promoted(policy: PricePolicy, promotion: PromotionPrice | BuyGet, line: Wanted) -> LinePrice:
    if isinstance(promotion, PromotionPrice):
        amount_minor = promotion.prices_minor[line.sku] * line.quantity
        return LinePrice(amount_minor, PriceSource.PROMOTION, promotion.key)
    free = free_pieces(promotion, line.quantity)
    amount_minor = policy.products[line.sku].guide_price_minor * (line.quantity - free)
    return LinePrice(amount_minor, PriceSource.PROMOTION, promotion.key, free)


def free_pieces(promotion: BuyGet, quantity: int) -> int:
    """How many pieces of a line cost nothing: ``get`` of every whole ``buy + get``."""
    return quantity // (promotion.buy + promotion.get) * promotion.get


def _best(offs: Sequence[AmountOff], offers: dict[int, _Offer], on: Occasion) -> _Taking | None:
    """The amount-off that saves most; none when none saves anything."""
    found: _Taking | None = None
    for taking in _takings(offs, offers, on):
        if taking.saved_minor > (found.saved_minor if found else 0):
            found = taking
    return found


def _takings(offs: Sequence[AmountOff], offers: dict[int, _Offer], on: Occasion) -> Iterator[_Taking]:
    for promotion in offs:
        numbers = _reach(promotion, {n: one for n, one in offers.items() if applies(promotion, one.sku, on)})
        taken = [offers[number] for number in numbers]
        off_minor = min(promotion.off_minor, sum(one.room_minor for one in taken))
        yield _Taking(promotion, numbers, off_minor, off_minor - sum(one.given_up for one in taken))


def _reach(promotion: AmountOff, covered: dict[int, _Offer]) -> list[int]:
    """The lines an amount-off would take to reach its threshold, in their order; none when it does not."""
    by_loss = sorted(covered, key=lambda n: (Fraction(covered[n].given_up, covered[n].guide_minor), n))
    numbers: list[int] = []
    goods_minor = 0
    for number in by_loss:
        if goods_minor >= promotion.threshold_minor and covered[number].given_up:
            break
        numbers.append(number)
        goods_minor += covered[number].guide_minor
    return sorted(numbers) if goods_minor >= promotion.threshold_minor else []
