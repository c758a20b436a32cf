"""The requests of the API rows. The hand-written handlers get the same bytes and answer the same data."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from uuid import uuid4

import orjson

from bench.world import CHILDREN, GRANDCHILDREN, SKUS, World

PAID_AT = "2026-03-02T04:05:06+00:00"

DOWNLINE = """
query Downline($of: ID!, $first: Int!) {
  downline(of: $of, first: $first) {
    nodes { id code name status tier region level joinedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SUBTREE_TOTALS = """
query Team($of: ID!, $period: SalesPeriodInput!) {
  distributor(id: $of) {
    children(first: 50) {
      nodes { code totals(period: $period) { ownSales { amountMinor } groupSales { amountMinor } headCount } }
    }
  }
}
"""

PLACE_ORDER = """
mutation Place($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    order {
      id number status placedAt paidAt
      goods { amountMinor currency }
      lines { sku quantity amount { amountMinor } }
      commissions { level outcome reason amount { amountMinor formatted } explanation beneficiary { code } }
    }
    userErrors { code field message }
  }
}
"""


def downlines(world: World, count: int) -> Sequence[bytes]:
    """Requests for a page of a hundred, of one top after the other."""
    return [_body(DOWNLINE, {"of": top, "first": 100}) for top in islice(cycle(world.tops), count)]


def wide_downlines(world: World, count: int) -> Sequence[bytes]:
    """Requests for a page of a thousand."""
    return [_body(DOWNLINE, {"of": world.wide, "first": 1_000})] * count


def subtree_totals(world: World, count: int) -> Sequence[bytes]:
    """Requests for what each of fifty children and its team sold in a month."""
    return [_body(SUBTREE_TOTALS, {"of": world.wide, "period": {"first": "2026-03-01", "until": "2026-04-01"}})] * count


def orders(world: World, count: int) -> Sequence[bytes]:
    """Requests for orders of two lines that are paid at once, each under a key of its own."""
    return list(_orders(world, count))


def _orders(world: World, count: int) -> Iterator[bytes]:
    run = uuid4().hex
    # Neighbours in time sell under different tops, as in life: they would otherwise wait for each other's balances.
    under_each = CHILDREN * GRANDCHILDREN
    sellers = [seller for start in range(under_each) for seller in world.sellers[start::under_each]]
    cream, serum = SKUS
    for number, seller in enumerate(islice(cycle(sellers), count)):
        asked = {
            "idempotencyKey": f"{run}-{number}",
            "sellerId": seller,
            "lines": [
                {"sku": cream, "quantity": 2, "amountMinor": 39_600},
                {"sku": serum, "quantity": 1, "amountMinor": 29_800},
            ],
            "paidAt": PAID_AT,
        }
        yield _body(PLACE_ORDER, {"input": asked})


def _body(query: str, variables: dict[str, object]) -> bytes:
    return orjson.dumps({"query": query, "variables": variables})
