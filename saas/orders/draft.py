"""From what somebody asks to order to what will be written, or to everything that is wrong with it. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from saas.base.clock import local_day
from saas.base.errors import DomainError, NotFound
from saas.base.ids import DistributorId, OrderId, OrderLineId, ProductId, new_id
from saas.base.money import plain_amount
from saas.orders.errors import (
    AmountRefused,
    DatesRefused,
    NoLines,
    NumberTaken,
    PaidBeforeChange,
    PriceNotKnown,
    PriceOutsideBand,
    PriceUnclear,
    QuantityRefused,
    SellerNotActive,
    TextRefused,
    TraceCodeRefused,
    TraceCodesTooMany,
    TraceCodeTaken,
    UnknownProduct,
)
from saas.orders.pricing import LinePrice, Occasion, Wanted, not_sold_in, price_lines, purchase_price
from saas.orders.rules import OrderState, PriceCheck, PriceVerdict, check_price, price_entry
from tenants.program.parts import AMOUNT_MAX
from tenants.program.pricing import PricePolicy

LINES_MOST = 200
QUANTITY_MOST = 1_000_000_000
TEXT_LONGEST = 100
NUMBER_LONGEST = 64
CODE_LONGEST = 64
CODES_MOST = 1_000
"""Trace codes of one order."""
CODE = re.compile(rf"[!-+\--:<-~]{{1,{CODE_LONGEST}}}")
"""Visible ASCII without what parts codes in a cell: spaces, commas and semicolons."""
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceLine:
    """One product of an order, with the price of a piece or the amount of the line; with neither the program prices it.

    In minor units. ``trace_codes`` name its items or boxes.
    """

    sku: str
    quantity: int
    unit_price_minor: int | None = None
    amount_minor: int | None = None
    trace_codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """An order as it is asked for.

    ``number`` is made up when absent. ``placed_at`` is now when absent, or the payment's moment; the other moments say
    what has happened already: an order with ``paid_at`` is paid, and earns commission, as it is placed.

    ``for_member``: the customer is a member of the brand, for whom there may be promotions. ``served_by_id``: the
    distributor of the customer's region, when the seller brought a customer of another's region; found by the order's
    region when absent.
    """

    seller_id: DistributorId
    lines: Sequence[PlaceLine]
    idempotency_key: str
    customer: str | None = None
    self_purchase: bool = False
    channel: str | None = None
    region: str | None = None
    freight_minor: int = 0
    tax_minor: int = 0
    number: str | None = None
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    for_member: bool = False
    served_by_id: DistributorId | None = None


class LineDraft(NamedTuple):
    """A line to be written; ``case`` is the price case it opens."""

    id: OrderLineId
    line_no: int
    product_id: ProductId
    sku: str
    category: str | None
    quantity: int
    amount_minor: int
    case: PriceCheck | None
    trace_codes: Sequence[str]


class OrderDraft(NamedTuple):
    """An order to be written; ``prices`` has the lines the program priced, by their place from 0."""

    id: OrderId
    number: str
    asked: PlaceOrder
    status: OrderState
    placed_at: datetime
    goods_minor: int
    lines: Sequence[LineDraft]
    prices: Mapping[int, LinePrice]


class Product(Protocol):
    """What the draft needs to know of a product."""

    @property
    def id(self) -> ProductId: ...
    @property
    def category(self) -> str | None: ...
    @property
    def status(self) -> str: ...


class Seller(NamedTuple):
    """What the draft needs to know of a seller."""

    code: str
    status: str
    since: datetime | None = None
    """Since when all that decides its commission is as it is now; None when payments of before are taken too."""
    tier: str | None = None
    region: str | None = None
    """Both decide what it pays for what it buys for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All that decides whether an order is accepted. ``today`` is the brand's calendar day, in its time zone."""

    now: datetime
    today: date
    time_zone: str
    currency: str
    prices: PricePolicy
    products: Mapping[str, Product]
    sellers: Mapping[DistributorId, Seller]
    taken_numbers: Set[str]
    taken_codes: Set[str] = frozenset()


def draft(asked: PlaceOrder, ground: Ground, at: str = "input") -> OrderDraft | list[DomainError]:
    """Decide one order: what to write, or all its errors at once; ``at`` is the path of the order in the input."""
    wrong = [*_head_objections(asked, ground, at), *_code_objections(asked, ground, at)]
    lines: list[LineDraft] = []
    on = occasion(asked, ground)
    prices = _prices(asked.lines[:LINES_MOST], ground, on)
    for index, line in enumerate(asked.lines[:LINES_MOST]):
        made = _line(line, prices.get(index), _Place(index + 1, on, f"{at}.lines[{index}]"), ground)
        if isinstance(made, LineDraft):
            lines.append(made)
        else:
            wrong += made
    if wrong:
        return wrong
    goods_minor = sum(line.amount_minor for line in lines)
    if goods_minor > AMOUNT_MAX:
        return [_amount_refused(f"{at}.lines", goods_minor, ground)]
    id_ = OrderId(new_id())
    return OrderDraft(
        id_,
        asked.number or _number(id_, ground.today),
        asked,
        _status(asked),
        asked.placed_at or asked.paid_at or ground.now,
        goods_minor,
        lines,
        prices,
    )


def occasion(asked: PlaceOrder, ground: Ground) -> Occasion:
    """Who buys, where, and on which day: that of the placing."""
    moment = asked.placed_at or asked.paid_at
    day = ground.today if moment is None else local_day(moment, ground.time_zone)
    seller = ground.sellers.get(asked.seller_id)
    tier, region = (seller.tier, seller.region) if seller else (None, None)
    return Occasion(day, asked.channel, asked.for_member, asked.self_purchase, tier, region)


def _prices(lines: Sequence[PlaceLine], ground: Ground, on: Occasion) -> Mapping[int, LinePrice]:
    """The program's price of each line that says none, by its place."""
    wanted = {
        index: Wanted(line.sku, line.quantity)
        for index, line in enumerate(lines)
        if line.unit_price_minor is None and line.amount_minor is None and 0 < line.quantity <= QUANTITY_MOST
    }
    if not wanted:
        return {}
    priced = price_lines(ground.prices, list(wanted.values()), on)
    return {index: price for index, price in zip(wanted, priced, strict=True) if price is not None}


def _number(id_: OrderId, today: date) -> str:
    """A number people can read out: the day, and fifty random bits in letters and digits that look like no other."""
    bits = id_.int
    tail = "".join(_DIGITS[bits >> shift & 31] for shift in range(45, -1, -5))
    return f"{today:%y%m%d}-{tail[:5]}-{tail[5:]}"


def _status(asked: PlaceOrder) -> OrderState:
    if asked.delivered_at is not None:
        return OrderState.DELIVERED
    if asked.shipped_at is not None:
        return OrderState.SHIPPED
    return OrderState.PLACED if asked.paid_at is None else OrderState.PAID


def _head_objections(asked: PlaceOrder, ground: Ground, at: str) -> Iterator[DomainError]:
    seller = ground.sellers.get(asked.seller_id)
    if seller is None:
        yield NotFound(f"{at}.sellerId", kind="distributor", value=asked.seller_id)
    elif seller.status != "active":
        yield SellerNotActive(f"{at}.sellerId", code=seller.code, state=seller.status)
    if not 0 < len(asked.lines) <= LINES_MOST:
        yield NoLines(f"{at}.lines", count=len(asked.lines), most=LINES_MOST)
    for name, amount_minor in (("freight", asked.freight_minor), ("tax", asked.tax_minor)):
        if not 0 <= amount_minor <= AMOUNT_MAX:
            yield _amount_refused(f"{at}.{name}Minor", amount_minor, ground)
    for name, text in (("customer", asked.customer), ("channel", asked.channel), ("region", asked.region)):
        if text is not None and not _readable(text, TEXT_LONGEST):
            yield TextRefused(f"{at}.{name}", what=name, longest=TEXT_LONGEST)
    if asked.number is not None:
        if not _readable(asked.number, NUMBER_LONGEST):
            yield TextRefused(f"{at}.number", what="number", longest=NUMBER_LONGEST)
        elif asked.number in ground.taken_numbers:
            yield NumberTaken(f"{at}.number", number=asked.number)
    dates = list(_date_objections(asked, ground.now, at))
    yield from dates
    if not dates and seller and seller.since and asked.paid_at and asked.paid_at < seller.since:
        yield paid_before_change(f"{at}.paidAt", asked.paid_at, seller.since)


def _date_objections(asked: PlaceOrder, now: datetime, at: str) -> Iterator[DomainError]:
    """Moments come in their order and lie in the past; nothing is shipped or delivered before it is paid."""
    latest = asked.placed_at
    paid = True
    for name, moment in (
        ("placedAt", asked.placed_at),
        ("paidAt", asked.paid_at),
        ("shippedAt", asked.shipped_at),
        ("deliveredAt", asked.delivered_at),
    ):
        if moment is None:
            paid = paid and name != "paidAt"
        elif moment.tzinfo is None or not paid or moment > now or (latest is not None and moment < latest):
            yield DatesRefused(f"{at}.{name}", what=name, moment=moment.isoformat())
            return
        else:
            latest = moment


def _code_objections(asked: PlaceOrder, ground: Ground, at: str) -> Iterator[DomainError]:
    """A code names one item or box: it is on one line, and a line has no more of them than pieces."""
    seen: set[str] = set()
    for index, line in enumerate(asked.lines[:LINES_MOST]):
        if not line.trace_codes:
            continue
        field = f"{at}.lines[{index}].traceCodes"
        most = min(line.quantity, CODES_MOST - len(seen))
        if len(line.trace_codes) > most:
            yield TraceCodesTooMany(field, count=len(line.trace_codes), most=max(most, 0))
            return
        for code in line.trace_codes:
            if not CODE.fullmatch(code):
                yield TraceCodeRefused(field, value=ascii(code[:CODE_LONGEST]), longest=CODE_LONGEST)
            elif code in seen or code in ground.taken_codes:
                yield TraceCodeTaken(field, value=code)
            seen.add(code)


def paid_before_change(field: str, moment: datetime, earliest: datetime) -> PaidBeforeChange:
    """The refusal of a payment whose commission nobody could compute any more."""
    return PaidBeforeChange(field, moment=moment.isoformat(), earliest=earliest.isoformat())


def _readable(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable() and text.strip() == text


class _Place(NamedTuple):
    """Where a line stands, and on what occasion it is bought."""

    number: int
    on: Occasion
    path: str


def _line(line: PlaceLine, price: LinePrice | None, place: _Place, ground: Ground) -> LineDraft | list[DomainError]:
    path = place.path
    wrong: list[DomainError] = []
    product = ground.products.get(line.sku)
    if product is None or product.status != "active":
        wrong.append(UnknownProduct(f"{path}.sku", sku=line.sku[:NUMBER_LONGEST]))
    if refused := not_sold_in(ground.prices, line.sku, place.on.channel, f"{path}.sku"):
        wrong.append(refused)
    if not 0 < line.quantity <= QUANTITY_MOST:
        wrong.append(QuantityRefused(f"{path}.quantity", quantity=line.quantity, most=QUANTITY_MOST))
    amount = _amount(line, price, path, ground)
    if isinstance(amount, DomainError):
        unpriced = isinstance(amount, PriceNotKnown)
        return wrong if wrong and unpriced else [*wrong, amount]
    if wrong or product is None:
        return wrong
    case = _outside_band(line, amount.minor, place.on, ground.prices)
    if case is not None and ground.prices.outside_band == "reject":
        return [_band_refusal(amount.field, line, amount.minor, case, ground.currency)]
    return LineDraft(
        OrderLineId(new_id()),
        place.number,
        product.id,
        line.sku,
        product.category,
        line.quantity,
        amount.minor,
        case,
        line.trace_codes,
    )


class _Amount(NamedTuple):
    """What a line costs in all, and the field that says so."""

    minor: int
    field: str


def _amount(line: PlaceLine, price: LinePrice | None, path: str, ground: Ground) -> _Amount | DomainError:
    if line.unit_price_minor is not None and line.amount_minor is not None:
        return PriceUnclear(path)
    if line.unit_price_minor is not None:
        given, amount = line.unit_price_minor, _Amount(line.unit_price_minor * line.quantity, f"{path}.unitPriceMinor")
    elif line.amount_minor is not None:
        given, amount = line.amount_minor, _Amount(line.amount_minor, f"{path}.amountMinor")
    elif price is not None:
        given, amount = price.amount_minor, _Amount(price.amount_minor, f"{path}.quantity")
    else:
        return PriceNotKnown(path, sku=line.sku[:NUMBER_LONGEST])
    fits = 0 <= given <= AMOUNT_MAX and amount.minor <= AMOUNT_MAX
    return amount if fits else _amount_refused(amount.field, amount.minor, ground)


def _outside_band(line: PlaceLine, amount_minor: int, on: Occasion, prices: PricePolicy) -> PriceCheck | None:
    entry = price_entry(prices, line.sku)
    if entry is None:
        return None
    own = purchase_price(prices, line.sku, on.tier, on.region) if on.self_purchase else None
    check = check_price(entry, line.quantity, amount_minor, own)
    return None if check.verdict is PriceVerdict.INSIDE else check


def _band_refusal(path: str, line: PlaceLine, amount_minor: int, check: PriceCheck, currency: str) -> DomainError:
    return PriceOutsideBand(
        path,
        sku=line.sku,
        quantity=line.quantity,
        currency=currency,
        verdict=check.verdict.value,
        amount=plain_amount(amount_minor, currency),
        least=plain_amount(check.least_minor, currency),
        most=plain_amount(check.most_minor, currency),
        least_minor=check.least_minor,
        most_minor=check.most_minor,
    )


def _amount_refused(path: str, amount_minor: int, ground: Ground) -> DomainError:
    currency = ground.currency
    return AmountRefused(
        path,
        amount=plain_amount(amount_minor, currency),
        least=plain_amount(0, currency),
        most=plain_amount(AMOUNT_MAX, currency),
        currency=currency,
    )
