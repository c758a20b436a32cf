"""What a version of the program would find below its floors (docs/rules.md §2.3): open listings, unpaid orders.

A floor is the least the version allows: the lower bound of the band, or the purchase price for a self purchase that
has one. Orders that are paid keep the version they were paid under.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from saas.base.db import Row, Tx, reading
from saas.base.ids import DistributorId, ListingId, OrderId, OrderLineId
from saas.base.money import BPS_WHOLE
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.orders.rules import price_entry
from tenants.program.pricing import PricePolicy
from tenants.program.versions import content_of

# What a self purchase costs a piece: the version's price for the seller's tier, of the narrowest region with one.
_REGIONS = ("d.region", "substr(d.region, 1, 4) || '00'", "substr(d.region, 1, 2) || '0000'", "''")
_OWN = f"coalesce({', '.join(f'b{n}.piece' for n in range(len(_REGIONS)))})"
_PURCHASES = " ".join(
    f"LEFT JOIN purchase b{n} ON b{n}.whose = ol.sku || ' ' || d.tier || ' ' || {region} AND o.self_purchase"
    for n, region in enumerate(_REGIONS)
)
# A price is below the floor if it is below the exact bound, of which the floor is the next whole minor unit. Kept as
# tables of their own with a text to look up by, floors and purchase prices are not read again for each row.
_BELOW = (
    "WITH floor AS MATERIALIZED (SELECT CAST(sku AS text) AS sku, guide, kept FROM {floors} AS f), "
    "purchase AS MATERIALIZED (SELECT CAST(whose AS text) AS whose, piece FROM {purchases} AS p), below AS ("
    "SELECT 'listing' AS kind, l.id, l.distributor_id, NULL AS order_id, l.sku, l.channel, 1 AS quantity, "
    "l.price_minor AS amount_minor, f.guide, f.kept, NULL AS own FROM listing l JOIN floor f ON f.sku = l.sku "
    f"WHERE l.tenant_id = $1 AND l.status = 'open' AND l.price_minor * {BPS_WHOLE} < f.guide * f.kept "
    "UNION ALL SELECT 'order', c.* FROM (SELECT ol.id, o.seller_id, o.id AS order_id, ol.sku, o.channel, ol.quantity, "
    f"ol.amount_minor, f.guide, f.kept, {_OWN} AS own FROM sales_order o "
    "JOIN order_line ol ON ol.tenant_id = o.tenant_id AND ol.order_id = o.id JOIN floor f ON f.sku = ol.sku "
    f"JOIN distributor d ON d.tenant_id = o.tenant_id AND d.id = o.seller_id {_PURCHASES} "
    "WHERE o.tenant_id = $1 AND o.status = 'placed') AS c "
    "WHERE CASE WHEN c.own IS NULL "
    f"THEN c.amount_minor * {BPS_WHOLE} < c.guide * c.kept * CAST(c.quantity AS numeric) "
    "ELSE c.amount_minor < c.own * CAST(c.quantity AS numeric) END)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BelowFloor:
    """A listing's piece, or the line of an unpaid order, that costs less than a version's floor for its quantity.

    One of ``listing_id`` and ``order_id`` with ``line_id`` is there.
    """

    distributor_id: DistributorId
    listing_id: ListingId | None
    order_id: OrderId | None
    line_id: OrderLineId | None
    sku: str
    channel: str | None
    quantity: int
    amount_minor: int
    floor_minor: int

    @property
    def missing_minor(self) -> int:
        """How much less than the floor it costs."""
        return self.floor_minor - self.amount_minor


@dataclass(frozen=True, slots=True)
class FloorCounts:
    """How many open listings, and lines of unpaid orders, a version finds below its floors."""

    listings: int
    order_lines: int


async def count_below_floor(number: int) -> FloorCounts:
    """Count them for a version of any status. Raises ``NotFound``."""
    prices = (await content_of(number)).price_policy
    async with reading() as tx:
        rows = await tx.rows(
            f"{_below(tx)} SELECT kind, count(*) AS found FROM below GROUP BY kind", tx.tenant_id, *_given(prices)
        )
    counted = {row["kind"]: row["found"] for row in rows}
    return FloorCounts(counted.get("listing", 0), counted.get("order", 0))


async def below_floor(number: int, request: PageRequest) -> Page[BelowFloor]:
    """Those of a version of any status, listings first. Raises ``NotFound``."""
    prices = (await content_of(number)).price_policy
    async with reading() as tx:
        after: Sequence[object] = decode_cursor(request.after, str, UUID) if request.after is not None else ()
        rows = await tx.rows(
            f"{_below(tx)} SELECT * FROM below {'WHERE (kind, id) > ($4, $5) ' if after else ''}"
            f"ORDER BY kind, id LIMIT {request.first + 1}",
            tx.tenant_id,
            *_given(prices),
            *after,
        )
    return page_of([_read(row) for row in rows], request, [encode_cursor(row["kind"], row["id"]) for row in rows])


def _below(tx: Tx) -> str:
    return _BELOW.format(
        floors=tx.recordset(2, sku="text", guide="bigint", kept="bigint"),
        purchases=tx.recordset(3, whose="text", piece="bigint"),
    )


def _given(prices: PricePolicy) -> tuple[str, str]:
    """The version's floors and purchase prices, as the statements take them."""
    floors, purchases = [], []
    for sku, product in prices.products.items():
        entry = price_entry(prices, sku)
        if entry is not None:
            floors.append({"sku": sku, "guide": entry.guide_price_minor, "kept": BPS_WHOLE - entry.below_bps})
        for region, pieces in {**product.regional_purchase_price_minor, "": product.purchase_price_minor}.items():
            purchases += [{"whose": f"{sku} {tier} {region}", "piece": piece} for tier, piece in pieces.items()]
    return orjson.dumps(floors).decode(), orjson.dumps(purchases).decode()


def _read(row: Row) -> BelowFloor:
    listed = row["kind"] == "listing"
    if row["own"] is None:
        floor = -(-row["guide"] * row["kept"] * row["quantity"] // BPS_WHOLE)
    else:
        floor = row["own"] * row["quantity"]
    return BelowFloor(
        distributor_id=DistributorId(row["distributor_id"]),
        listing_id=ListingId(row["id"]) if listed else None,
        order_id=None if listed else OrderId(row["order_id"]),
        line_id=None if listed else OrderLineId(row["id"]),
        sku=row["sku"],
        channel=row["channel"],
        quantity=row["quantity"],
        amount_minor=row["amount_minor"],
        floor_minor=floor,
    )
