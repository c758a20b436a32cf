"""Orders as they stand in a file: each is placed whole or left out, with every reason at its row and column."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from saas.base.errors import DomainError, IdempotencyConflict, NotFound
from saas.base.ids import DistributorId
from saas.imports.columns import ImportKind
from saas.imports.outcome import Fate, Outcome
from saas.imports.table import Finding, Read, Unit, read
from saas.network.queries import ids_by_code
from saas.orders.commands import PlaceLine, PlaceOrder, Verdict, place_orders, preview_orders
from tenants.actors import Actor
from tenants.registry import this_brand

BATCH = 200
"""Orders placed in one transaction."""

_PARTED = re.compile(r"[\s,;，；、]+")
_LINE = re.compile(r"\.lines\[([0-9]+)\]")
_COLUMN_OF: Mapping[str, str] = {
    "sellerId": "seller",
    "number": "order_number",
    "idempotencyKey": "order_number",
    "sku": "sku",
    "quantity": "quantity",
    "unitPriceMinor": "unit_price",
    "amountMinor": "amount",
    "traceCodes": "trace_codes",
    "customer": "customer",
    "channel": "channel",
    "region": "region",
    "freightMinor": "freight",
    "taxMinor": "tax",
    "servedById": "served_by",
    "placedAt": "placed_at",
    "paidAt": "paid_at",
    "shippedAt": "shipped_at",
    "deliveredAt": "delivered_at",
}
"""The column that a refusal's field is about."""


async def bring_in(units: Sequence[Unit], actor: Actor, *, dry_run: bool, historical: bool) -> list[Outcome]:
    """Place the orders that can be placed, in one transaction, or tell what would become of them.

    ``historical`` orders may have been paid before the last change of program or tree: they follow both as they stand.
    """
    brand = await this_brand()
    reads = [read(ImportKind.ORDERS, unit, currency=brand.currency, time_zone=brand.time_zone) for unit in units]
    people = await ids_by_code({code for one in reads for code in _codes(one)})
    asked, outcomes = list[PlaceOrder](), dict[int, Outcome]()
    places = list[int]()
    for at, (unit, found) in enumerate(zip(units, reads, strict=True)):
        findings = [*found.findings, *_strangers(unit, found, people)]
        if findings:
            outcomes[at] = Outcome(Fate.REFUSED, findings)
        else:
            places.append(at)
            asked.append(_order(unit, found, people))
    place = preview_orders if dry_run else place_orders
    verdicts = await place(asked, actor, imported=historical) if asked else []
    for at, verdict in zip(places, verdicts, strict=True):
        outcomes[at] = _outcome(units[at], verdict)
    return [outcomes[at] for at in range(len(units))]


def _codes(found: Read) -> list[str]:
    return [str(found.head[key]) for key in ("seller", "served_by") if key in found.head]


def _strangers(unit: Unit, found: Read, people: Mapping[str, DistributorId]) -> list[Finding]:
    return [
        Finding(unit.rows[0].number, key, NotFound(kind="distributor", value=found.head[key]))
        for key in ("seller", "served_by")
        if key in found.head and found.head[key] not in people
    ]


def _order(unit: Unit, found: Read, people: Mapping[str, DistributorId]) -> PlaceOrder:
    head: Mapping[str, Any] = found.head
    served_by = head.get("served_by")
    lines = [_line(line) for line in found.lines]
    return PlaceOrder(
        seller_id=people[head["seller"]],
        lines=lines,
        idempotency_key=unit.key,
        customer=head.get("customer"),
        self_purchase=head.get("self_purchase", False),
        channel=head.get("channel"),
        region=head.get("region"),
        freight_minor=head.get("freight", 0),
        tax_minor=head.get("tax", 0),
        number=head.get("order_number"),
        placed_at=head.get("placed_at"),
        paid_at=head.get("paid_at"),
        shipped_at=head.get("shipped_at"),
        delivered_at=head.get("delivered_at"),
        for_member=head.get("for_member", False),
        served_by_id=None if served_by is None else people[served_by],
    )


def _line(line: Mapping[str, Any]) -> PlaceLine:
    return PlaceLine(
        sku=line["sku"],
        quantity=line["quantity"],
        unit_price_minor=line.get("unit_price"),
        amount_minor=line.get("amount"),
        trace_codes=tuple(code for code in _PARTED.split(line.get("trace_codes", "")) if code),
    )


def _outcome(unit: Unit, verdict: Verdict) -> Outcome:
    if verdict.errors:
        return Outcome(Fate.REFUSED, [_finding(unit, error) for error in verdict.errors])
    return Outcome(Fate.REPLAYED if verdict.replayed else Fate.WRITTEN, [])


def _finding(unit: Unit, error: DomainError) -> Finding:
    """A refusal at the row and column it is about."""
    field = error.field or ""
    line = _LINE.search(field)
    row = unit.rows[int(line[1])] if line and int(line[1]) < len(unit.rows) else unit.rows[0]
    column = _COLUMN_OF.get(field.rpartition(".")[2])
    if isinstance(error, IdempotencyConflict) and "order_number" not in row.cells:
        column = None
    return Finding(row.number, column, error)
