"""Whether a product may be offered in a channel at a price (docs/rules.md §2.3). Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from saas.base.errors import DomainError
from saas.base.ids import DistributorId
from saas.base.money import plain_amount
from saas.orders.errors import AmountRefused, PriceOutsideBand, TextRefused
from saas.orders.pricing import not_sold_in
from saas.orders.rules import PriceVerdict, check_price, price_entry
from tenants.program.parts import AMOUNT_MAX
from tenants.program.pricing import PricePolicy

CHANNEL_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenListing:
    """An offer of a distributor: a product, where, and the price of a piece in minor units."""

    distributor_id: DistributorId
    sku: str
    channel: str
    price_minor: int


def side_of(policy: PricePolicy, sku: str, price_minor: int) -> PriceVerdict:
    """On which side of the band the price of a piece lies; inside when the policy does not price the product."""
    entry = price_entry(policy, sku)
    return PriceVerdict.INSIDE if entry is None else check_price(entry, 1, price_minor).verdict


def channel_objections(policy: PricePolicy, sku: str, channel: str) -> Iterator[DomainError]:
    """What is wrong with offering a product in a channel."""
    if not (0 < len(channel) <= CHANNEL_LONGEST and channel.isprintable() and channel.strip() == channel):
        yield TextRefused("input.channel", what="channel", longest=CHANNEL_LONGEST)
    elif refused := not_sold_in(policy, sku, channel, "input.channel"):
        yield refused


def price_objections(policy: PricePolicy, sku: str, price_minor: int, currency: str) -> Iterator[DomainError]:
    """What is wrong with the price of a piece; one outside the band is taken when the policy opens cases instead."""
    amount = plain_amount(price_minor, currency)
    if not 0 < price_minor <= AMOUNT_MAX:
        least, most = plain_amount(1, currency), plain_amount(AMOUNT_MAX, currency)
        yield AmountRefused("input.priceMinor", amount=amount, least=least, most=most, currency=currency)
        return
    entry = price_entry(policy, sku)
    if entry is None or policy.outside_band != "reject":
        return
    check = check_price(entry, 1, price_minor)
    if check.verdict is not PriceVerdict.INSIDE:
        yield PriceOutsideBand(
            "input.priceMinor",
            sku=sku,
            quantity=1,
            currency=currency,
            verdict=check.verdict.value,
            amount=amount,
            least=plain_amount(check.least_minor, currency),
            most=plain_amount(check.most_minor, currency),
            least_minor=check.least_minor,
            most_minor=check.most_minor,
        )
