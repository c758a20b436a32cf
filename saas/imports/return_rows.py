"""Returns as they stand in a file: each goes as far as its state says, whole or not at all, in one transaction."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from saas.base.db import transaction
from saas.base.errors import DomainError, NotFound, Rejected, Said
from saas.base.idempotency import claim
from saas.base.ids import OrderId, OrderLineId, ReturnId, new_id
from saas.imports.columns import FORMS, Form, ImportKind
from saas.imports.errors import CellMissing, CellUnreadable, LineUnclear
from saas.imports.outcome import Fate, Outcome
from saas.imports.table import Finding, Read, Unit, read
from saas.orders.queries import LineView, lines_of, order_by_number
from saas.returns.commands import (
    LineBack,
    ReceiveReturn,
    RefundReturn,
    RequestReturn,
    approve_return,
    receive_return,
    refund_return,
    request_return,
)
from saas.returns.queries import ReturnView
from tenants.actors import Actor, Role
from tenants.errors import Forbidden
from tenants.registry import this_brand

_STATES: Mapping[str, int] = {
    "requested": 0,
    "申请": 0,
    "已申请": 0,
    "approved": 1,
    "同意": 1,
    "已同意": 1,
    "已批准": 1,
    "received": 2,
    "收货": 2,
    "已收货": 2,
    "refunded": 3,
    "退款": 3,
    "已退款": 3,
}
"""How many steps follow the request."""
_EXPECTED = Said("requested, approved, received or refunded", "申请、同意、收货或退款")
_REFUNDED = Said("refunded, or leave the freight out", "退款，或不填退运费")
_USUAL = "received"
_MAY_REFUND = frozenset({Role.OWNER, Role.FINANCE, Role.SYSTEM})
"""Who may refund by hand may have it done by a file."""
_COLUMN_OF: Mapping[str, str] = {
    "orderId": "order_number",
    "lines": "order_number",
    "lineId": "sku",
    "quantity": "quantity",
    "reason": "reason",
    "overrideReason": "override_reason",
    "freightMinor": "freight",
    "idempotencyKey": "return_number",
    "state": "state",
}


class _Rehearsed(Exception):
    """Ends a dry run, so that nothing of it stays."""


Record = Callable[[Outcome], Awaitable[None]]
"""Writes an outcome down, in the running transaction."""


async def bring_in(unit: Unit, actor: Actor, record: Record, *, dry_run: bool) -> None:
    """Write a return, or with ``dry_run`` all of it and then nothing, and ``record`` what became of it with it.

    Each has a transaction of its own, so that what is refused halfway takes nothing else with it; a dry run judges each
    as if it came alone. Must be called outside of a transaction.
    """
    brand = await this_brand()
    found = read(ImportKind.RETURNS, unit, currency=brand.currency, time_zone=brand.time_zone)
    outcome = Outcome(Fate.REFUSED, [*found.findings, *_unclear(unit, found)])
    if not outcome.findings:
        try:
            async with transaction():
                outcome = Outcome(Fate.REPLAYED if await _write(unit, found, actor) else Fate.WRITTEN, [])
                if dry_run:
                    raise _Rehearsed
                await record(outcome)
                return
        except Rejected as several:
            outcome = Outcome(Fate.REFUSED, [_finding(unit, error) for error in several.errors])
        except DomainError as refused:
            outcome = Outcome(Fate.REFUSED, [_finding(unit, refused)])
        except _Rehearsed:
            pass
    async with transaction():
        await record(outcome)


def _unclear(unit: Unit, found: Read) -> list[Finding]:
    """What is wrong with a return as a whole."""
    first, wrong = unit.rows[0].number, list[Finding]()
    steps = _STATES.get(str(found.head.get("state", _USUAL)).casefold())
    if steps is None:
        unread = CellUnreadable(value=str(found.head["state"])[:40], expected=_EXPECTED)
        wrong.append(Finding(first, "state", unread))
    elif found.head.get("freight") and steps < _STATES["refunded"]:
        # It would not be given back, and nobody would learn of it.
        early = CellUnreadable(value=str(found.head.get("state", _USUAL)), expected=_REFUNDED)
        wrong.append(Finding(first, "state", early))
    for row in unit.rows:
        if "sku" in row.cells and "quantity" not in row.cells:
            wrong.append(Finding(row.number, "quantity", CellMissing(expected=Said(*FORMS[Form.INTEGER]))))
        elif "sku" not in row.cells and (row.cells.keys() & {"line", "quantity"} or len(unit.rows) > 1):
            wrong.append(Finding(row.number, "sku", CellMissing(expected=Said(*FORMS[Form.TEXT]))))
    return wrong


async def _write(unit: Unit, found: Read, actor: Actor) -> bool:
    """Bring the return as far as its state says; answers whether it was there before."""
    head: Mapping[str, Any] = found.head
    if await claim("return.import", unit.key, [head, found.lines], new_id()) is not None:
        return True
    order_id, lines = await _order(str(head["order_number"]))
    asked = RequestReturn(
        order_id=order_id,
        lines=[_back(str(head["order_number"]), line, lines) for line in found.lines if line],
        reason=head["reason"],
        override_reason=head.get("override_reason"),
        idempotency_key=unit.key,
    )
    case = await request_return(asked, actor)
    await _follow(case, unit.key, head, actor)
    return False


async def _follow(case: ReturnView, key: str, head: Mapping[str, Any], actor: Actor) -> None:
    steps = _STATES[str(head.get("state", _USUAL)).casefold()]
    if steps >= 1:
        await approve_return(case.id, actor)
    if steps >= 2:
        sellable = head.get("sellable", True)
        received = ReceiveReturn(return_id=ReturnId(case.id), sellable=sellable, idempotency_key=key)
        await receive_return(received, actor)
    if steps >= 3:
        if actor.role not in _MAY_REFUND:
            raise Forbidden("input.state", role=actor.role, needed=Role.FINANCE)
        freight_minor = head.get("freight", 0)
        await refund_return(RefundReturn(return_id=case.id, freight_minor=freight_minor, idempotency_key=key), actor)


async def _order(number: str) -> tuple[OrderId, Sequence[LineView]]:
    order_id = await order_by_number(number)
    if order_id is None:
        raise NotFound("input.orderId", kind="order", value=number[:60])
    return order_id, (await lines_of([order_id]))[order_id]


def _back(number: str, wanted: Mapping[str, Any], lines: Sequence[LineView]) -> LineBack:
    """The line of the order that a row means. Raises ``LineUnclear``."""
    fits = [line for line in lines if line.sku == wanted["sku"] and wanted.get("line", line.line_no) == line.line_no]
    if len(fits) != 1:
        raise LineUnclear("input.lineId", number=number, sku=wanted["sku"], count=len(fits))
    return LineBack(line_id=OrderLineId(fits[0].id), quantity=wanted["quantity"])


def _finding(unit: Unit, error: DomainError) -> Finding:
    """A refusal at the row and column it is about."""
    field = error.field or ""
    _, mark, rest = field.partition(".lines[")
    at = int(rest.partition("]")[0]) if mark else 0
    return Finding(unit.rows[min(at, len(unit.rows) - 1)].number, _COLUMN_OF.get(field.rpartition(".")[2]), error)
