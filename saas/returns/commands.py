"""Returns from the request to the refund (docs/rules.md §4).

Every step first locks the order, so that returns of one order follow one another. What a return sets off happens when
the goods are there: until then nothing was taken back that would have to be given again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from saas.base import clock
from saas.base.db import Row, Tx, transaction
from saas.base.errors import DomainError, NotFound, Rejected, WrongState
from saas.base.idempotency import claim, said_before
from saas.base.ids import OrderId, OrderLineId, ReturnId, new_id
from saas.base.money import plain_amount
from saas.base.text import reason_of
from saas.network.standstill import stand_still
from saas.orders.trace_codes import free_returned
from saas.returns.errors import (
    ExchangeGiven,
    ExchangeOfOther,
    FreightTooMuch,
    NothingToReturn,
    ReturnLineTwice,
    ReturnTooMany,
    ReturnWindowOver,
)
from saas.returns.queries import ReturnView, return_by_id
from saas.returns.receipt import book_receipt
from saas.returns.rules import ReturnState, ReturnStep, next_state, refund_due, window_end
from tenants import audit
from tenants.actors import Actor, Role
from tenants.errors import Forbidden
from tenants.program.document import Returns
from tenants.program.versions import program

_DELIVERED = ("delivered", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBack:
    """Pieces of one line of the order."""

    line_id: OrderLineId
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReturn:
    """Ask to send goods back: some lines, or without any all that is left of the order.

    ``override_reason`` lets the brand take goods back after the time for returns is over.
    """

    order_id: OrderId
    lines: Sequence[LineBack] = ()
    reason: str
    override_reason: str | None = None
    idempotency_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveReturn:
    """The goods of a return are there, fit to be sold again or not; ``trace_codes`` are those on them."""

    return_id: ReturnId
    sellable: bool
    idempotency_key: str
    trace_codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundReturn:
    """The customer has its money back: the goods, and of the freight as much as is said."""

    return_id: ReturnId
    freight_minor: int = 0
    idempotency_key: str


async def request_return(command: RequestReturn, actor: Actor) -> ReturnView:
    """Open a return of a delivered order; its pieces are in no other return then.

    A distributor asks for orders that it sold, within the time for returns. Raises ``Rejected``, ``NotFound``,
    ``WrongState``, ``NothingToReturn``, ``Forbidden``, ``ReasonRefused`` or ``IdempotencyConflict``.
    """
    reason = reason_of(command.reason)
    override = None if command.override_reason is None else reason_of(command.override_reason, "input.overrideReason")
    if override is not None and actor.role is Role.DISTRIBUTOR:
        raise Forbidden("input.overrideReason", role=actor.role, needed=Role.OPERATIONS)
    return_id = ReturnId(new_id())
    async with transaction() as tx:
        earlier = await claim(actor.operation("return.request"), command.idempotency_key, command, return_id)
        if earlier is not None:
            return await return_by_id(ReturnId(earlier))
        order = await _lock_order(tx, command.order_id)
        if order is None or (actor.role is Role.DISTRIBUTOR and order["seller_id"] != actor.distributor_id):
            raise NotFound("input.orderId", kind="order", value=command.order_id)
        if order["status"] not in _DELIVERED:
            raise WrongState("input.orderId", kind="order", state=order["status"], needed=" / ".join(_DELIVERED))
        terms = (await program(order["program_number"])).program.returns
        lines = _wanted(command, await _lines(tx, command.order_id))
        _check_window(lines, terms, order["delivered_at"], override)
        await tx.insert_many(
            "return_case",
            ("id", "order_id", "seller_id", "status", "reason", "override_reason", "requested_by", "requested_at"),
            [(return_id, order["id"], order["seller_id"], "requested", reason, override, actor.id, clock.now())],
        )
        rows = [(return_id, line["id"], quantity) for _, line, quantity in lines]
        await tx.insert_many("return_line", ("return_id", "line_id", "quantity"), rows)
        await _claim_pieces(tx, return_id, 1)
        await audit.record(actor, "return.request", str(return_id), order=order["id"], override=override is not None)
        return await return_by_id(return_id)


_Wanted = tuple[str, Row, int]
"""A line of the order with the place in the input that names it, and how many of its pieces come back."""


def _wanted(command: RequestReturn, lines: Mapping[OrderLineId, Row]) -> list[_Wanted]:
    """Which pieces, each line checked. Raises ``Rejected`` or ``NothingToReturn``."""
    if not command.lines:
        rest = [("input.orderId", line, line["quantity"] - line["claimed"]) for line in lines.values()]
        if found := [one for one in rest if one[2]]:
            return found
        raise NothingToReturn("input.lines")
    found, seen, wrong = list[_Wanted](), set[OrderLineId](), list[DomainError]()
    for i, asked in enumerate(command.lines):
        at, line = f"input.lines[{i}]", lines.get(asked.line_id)
        if line is None:
            wrong.append(NotFound(f"{at}.lineId", kind="order line", value=asked.line_id))
        elif asked.line_id in seen:
            wrong.append(ReturnLineTwice(f"{at}.lineId", line=line["line_no"]))
        elif not 0 < asked.quantity <= (left := line["quantity"] - line["claimed"]):
            wrong.append(ReturnTooMany(f"{at}.quantity", quantity=asked.quantity, sku=line["sku"], left=left))
        else:
            found.append((f"{at}.lineId", line, asked.quantity))
        seen.add(asked.line_id)
    if wrong:
        raise Rejected(wrong)
    return found


def _check_window(lines: Sequence[_Wanted], terms: Returns, delivered_at: datetime, override: str | None) -> None:
    """Refuse goods whose time for returns is over, unless the brand says why it takes them."""
    ends = [(at, line["sku"], window_end(terms, line["sku"], delivered_at)) for at, line, _ in lines]
    late = [ReturnWindowOver(at, sku=sku, until=end.isoformat()) for at, sku, end in ends if end <= clock.now()]
    if late and override is None:
        raise Rejected(late)


async def approve_return(return_id: ReturnId, actor: Actor) -> ReturnView:
    """Agree that the goods are sent back. Raises ``NotFound`` or ``WrongState``."""
    return await _decide(return_id, ReturnStep.APPROVE, None, actor)


async def reject_return(return_id: ReturnId, reason: str, actor: Actor) -> ReturnView:
    """Turn a return down, also when what arrived is not what was sold. Raises also ``ReasonRefused``."""
    return await _decide(return_id, ReturnStep.REJECT, reason_of(reason), actor)


async def withdraw_return(return_id: ReturnId, actor: Actor) -> ReturnView:
    """Take a return back before the goods are there; a distributor its own. Raises ``NotFound`` or ``WrongState``."""
    return await _decide(return_id, ReturnStep.WITHDRAW, None, actor)


async def _decide(return_id: ReturnId, step: ReturnStep, reason: str | None, actor: Actor) -> ReturnView:
    async with transaction() as tx:
        case = await _lock(tx, return_id, actor)
        now = clock.now()
        await _step(tx, case, step, ", decided_by = $5, decided_at = $6, decision = $7", actor.id, now, reason)
        if step is not ReturnStep.APPROVE:
            await _claim_pieces(tx, return_id, -1)
        await audit.record(actor, f"return.{step}", str(return_id), reason=reason)
        return await return_by_id(return_id)


async def receive_return(command: ReceiveReturn, actor: Actor) -> ReturnView:
    """Take the goods in: commission of everybody and the sales of the day are less by them from now on.

    Raises ``NotFound``, ``WrongState``, ``Rejected`` with ``TraceCodeNotBack``, or ``IdempotencyConflict``.
    """
    return_id, said = command.return_id, said_before(command, ("trace_codes",))
    async with transaction() as tx:
        if await claim(actor.operation("return.receive"), command.idempotency_key, said, new_id()) is not None:
            return await return_by_id(return_id)
        now = await stand_still()  # the close of a period waits for it
        case = await _lock(tx, return_id, actor)
        target = next_state(case.status, ReturnStep.RECEIVE)
        receipt = await book_receipt(tx, case, now)
        values = (command.sellable, receipt.whole, receipt.goods_minor, actor.id, now)
        changed = await tx.execute(
            "UPDATE return_case SET status = $3, sellable = $5, whole = $6, goods_minor = $7, received_by = $8, "
            "received_at = $9 WHERE tenant_id = $1 AND id = $2 AND status = $4",
            *(tx.tenant_id, return_id, target, case.status, *values),
        )
        _expect(changed)
        codes, field = command.trace_codes, "input.traceCodes"
        await free_returned(tx, return_id, codes, now, sellable=command.sellable, field=field)
        await receipt.record(tx)
        taken = {"goods_minor": receipt.goods_minor, "commission_minor": receipt.commission_minor}
        await audit.record(actor, "return.receive", str(return_id), sellable=command.sellable, **taken)
        return await return_by_id(return_id)


async def exchange_return(return_id: ReturnId, order_id: OrderId, actor: Actor) -> ReturnView:
    """Name the order that was placed in exchange; what it costs is set off against the refund.

    Raises ``NotFound``, ``WrongState``, ``ExchangeGiven`` or ``ExchangeOfOther``.
    """
    async with transaction() as tx:
        case = await _lock(tx, return_id, actor)
        if case.exchange_order_id == order_id:
            return case
        if case.status not in (ReturnState.APPROVED, ReturnState.RECEIVED):
            needed = f"{ReturnState.APPROVED} / {ReturnState.RECEIVED}"
            raise WrongState("input.id", kind="return", state=case.status, needed=needed)
        found = await tx.row(
            "SELECT o.seller_id, o.status, o.currency, (SELECT r.id FROM return_case r WHERE r.tenant_id = $1 "
            "AND r.exchange_order_id = o.id) AS taken FROM sales_order o WHERE o.tenant_id = $1 AND o.id = $2",
            *(tx.tenant_id, order_id),
        )
        if found is None or order_id == case.order_id:
            raise NotFound("input.orderId", kind="order", value=order_id)
        if (found["seller_id"], found["currency"]) != (case.seller_id, case.currency):
            raise ExchangeOfOther("input.orderId")
        if case.exchange_order_id is not None or found["taken"] is not None:
            raise ExchangeGiven("input.id")
        if found["status"] == "cancelled":
            raise WrongState("input.orderId", kind="order", state="cancelled", needed="placed")
        changed = await tx.execute(
            "UPDATE return_case SET exchange_order_id = $3 WHERE tenant_id = $1 AND id = $2 "
            "AND exchange_order_id IS NULL",
            *(tx.tenant_id, return_id, order_id),
        )
        _expect(changed)
        await audit.record(actor, "return.exchange", str(return_id), order=order_id)
        return await return_by_id(return_id)


async def refund_return(command: RefundReturn, actor: Actor) -> ReturnView:
    """Write down that the refund was paid. Raises ``NotFound``, ``WrongState``, ``FreightTooMuch``."""
    return_id = command.return_id
    async with transaction() as tx:
        if await claim(actor.operation("return.refund"), command.idempotency_key, command, new_id()) is not None:
            return await return_by_id(return_id)
        case = await _lock(tx, return_id, actor)
        target, freight_minor = next_state(case.status, ReturnStep.REFUND), command.freight_minor
        await _refund_freight(tx, case, freight_minor)
        exchange_minor: int = await tx.value(
            "SELECT coalesce(sum(goods_minor + freight_minor + tax_minor), 0) FROM sales_order "
            "WHERE tenant_id = $1 AND id = $2 AND status <> 'cancelled'",
            *(tx.tenant_id, case.exchange_order_id),
        )
        refunded = refund_due(case.goods_minor or 0, freight_minor, int(exchange_minor))
        changed = await tx.execute(
            "UPDATE return_case SET status = $3, freight_minor = $5, refunded_minor = $6, refunded_by = $7, "
            "refunded_at = $8 WHERE tenant_id = $1 AND id = $2 AND status = $4",
            *(tx.tenant_id, return_id, target, case.status, freight_minor, refunded, actor.id, clock.now()),
        )
        _expect(changed)
        await audit.record(actor, "return.refund", str(return_id), refunded_minor=refunded)
        return await return_by_id(return_id)


async def _refund_freight(tx: Tx, case: ReturnView, freight_minor: int) -> None:
    """Count what is refunded of the order's freight; it never exceeds what was paid."""
    left: int = await tx.value(
        "SELECT freight_minor - refunded_freight_minor FROM sales_order WHERE tenant_id = $1 AND id = $2",
        *(tx.tenant_id, case.order_id),
    )
    if not 0 <= freight_minor <= left:
        asked, rest = (plain_amount(amount, case.currency) for amount in (freight_minor, left))
        raise FreightTooMuch("input.freightMinor", asked=asked, left=rest)
    await tx.execute(
        "UPDATE sales_order SET refunded_freight_minor = refunded_freight_minor + $3 WHERE tenant_id = $1 AND id = $2",
        *(tx.tenant_id, case.order_id, freight_minor),
    )


async def _lock_order(tx: Tx, order_id: OrderId) -> Row | None:
    return await tx.row(
        f"SELECT id, seller_id, status, program_number, delivered_at FROM sales_order "
        f"WHERE tenant_id = $1 AND id = $2{tx.for_update}",
        *(tx.tenant_id, order_id),
    )


async def _lock(tx: Tx, return_id: ReturnId, actor: Actor) -> ReturnView:
    """Hold the return's order still, then read the return. Raises ``NotFound``, also for one of another seller."""
    case = await return_by_id(return_id, actor.distributor_id)
    await _lock_order(tx, case.order_id)
    return await return_by_id(return_id)


async def _lines(tx: Tx, order_id: OrderId) -> Mapping[OrderLineId, Row]:
    rows = await tx.rows(
        "SELECT id, line_no, sku, quantity, claimed FROM order_line WHERE tenant_id = $1 AND order_id = $2 "
        "ORDER BY line_no",
        *(tx.tenant_id, order_id),
    )
    return {row["id"]: row for row in rows}


async def _claim_pieces(tx: Tx, return_id: ReturnId, sign: int) -> None:
    """Count a return's pieces as spoken for, or, with -1, as free again."""
    await tx.execute(
        "UPDATE order_line SET claimed = claimed + $3 * r.quantity FROM return_line r WHERE r.tenant_id = $1 "
        "AND r.return_id = $2 AND order_line.tenant_id = $1 AND order_line.id = r.line_id",
        *(tx.tenant_id, return_id, sign),
    )


async def _step(tx: Tx, case: ReturnView, step: ReturnStep, sets: str, *values: object) -> None:
    changed = await tx.execute(
        f"UPDATE return_case SET status = $3{sets} WHERE tenant_id = $1 AND id = $2 AND status = $4",
        *(tx.tenant_id, case.id, next_state(case.status, step), case.status, *values),
    )
    _expect(changed)


def _expect(changed: int) -> None:
    if changed != 1:
        raise RuntimeError("a return changed its state while its order was locked")
