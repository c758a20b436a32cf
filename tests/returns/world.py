"""A brand that sold and delivered, and goods that come back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from saas.base import clock
from saas.base.ids import DistributorId, OrderId, ReturnId, TenantId, new_id
from saas.orders import queries as orders
from saas.orders.commands import deliver, ship
from saas.returns.commands import (
    LineBack,
    ReceiveReturn,
    RequestReturn,
    approve_return,
    receive_return,
    request_return,
)
from saas.returns.queries import ReturnView
from saas.settlement.commands import CloseSettlement, close
from tenants.actors import Actor, Role
from tests.network.world import staff
from tests.orders.world import NOON, paid, step, table

DELIVERED = NOON + timedelta(days=2)
"""When the orders of these tests are delivered; the hold ends a week later."""
AFTER_HOLD = DELIVERED + timedelta(days=8)
APRIL = datetime.fromisoformat("2026-04-01T00:00:00+08:00")
"""When March can be closed."""
_keys = count()


def finance(tenant_id: TenantId) -> Actor:
    """Somebody who may move money."""
    return Actor(tenant_id=tenant_id, role=Role.FINANCE, id=new_id(), label="finance", signed_in_at=clock.now())


async def delivered(seller: DistributorId, amount_minor: int = 10_000, quantity: int = 3, **changes: Any) -> OrderId:
    """An order of three pieces for 100.00 that was delivered at ``DELIVERED``."""
    order_id = await paid(seller, amount_minor, quantity=quantity, **changes)
    with clock.at(DELIVERED):
        await ship(step(order_id), staff())
        await deliver(step(order_id), staff())
    return order_id


async def line_of(order_id: OrderId, number: int = 1) -> Any:
    """The line of an order with that number."""
    return (await orders.lines_of([order_id]))[order_id][number - 1].id


def asks(order_id: OrderId, lines: Mapping[Any, int] | None = None, **changes: Any) -> RequestReturn:
    """A request with nothing unusual about it: all that is left, unless lines are given."""
    values: dict[str, Any] = {
        "order_id": order_id,
        "lines": [LineBack(line_id=line_id, quantity=quantity) for line_id, quantity in (lines or {}).items()],
        "reason": "does not fit",
        "idempotency_key": f"return-{next(_keys)}",
        **changes,
    }
    return RequestReturn(**values)


async def approved(order_id: OrderId, quantity: int | None = None, *, at: datetime | None = None) -> ReturnId:
    """A return of so many pieces of the first line, or of all that is left, that waits for the goods."""
    moment = at or DELIVERED + timedelta(days=1)
    lines = None if quantity is None else {await line_of(order_id): quantity}
    with clock.at(moment):
        late = "agreed on the phone" if moment >= DELIVERED + timedelta(days=7) else None
        asked = await request_return(asks(order_id, lines, override_reason=late), staff())
        await approve_return(asked.id, staff())
    return asked.id


async def receive(return_id: ReturnId, *, at: datetime | None = None, **changes: Any) -> ReturnView:
    """The goods are there."""
    values: dict[str, Any] = {
        "return_id": return_id,
        "sellable": True,
        "idempotency_key": f"receive-{return_id}",
        **changes,
    }
    with clock.at(at or DELIVERED + timedelta(days=1)):
        return await receive_return(ReceiveReturn(**values), staff())


async def comes_back(order_id: OrderId, quantity: int | None = None, *, at: datetime | None = None) -> ReturnView:
    """So many pieces come back, in one go."""
    return await receive(await approved(order_id, quantity, at=at), at=at)


async def settle(tenant_id: TenantId, at: datetime = APRIL) -> None:
    """Close the next period."""
    with clock.at(at):
        await close(CloseSettlement(idempotency_key=f"close-{at.isoformat()}"), finance(tenant_id))


async def taken(return_id: ReturnId) -> dict[object, tuple[object, object]]:
    """What a return took back, by code: the account and the amount."""
    rows = await table(
        "SELECT d.code, v.account, v.amount_minor, v.return_id FROM commission_reversal v JOIN distributor d "
        "ON d.tenant_id = v.tenant_id AND d.id = v.beneficiary_id WHERE v.tenant_id = $1"
    )
    return {code: (account, amount) for code, account, amount, of in rows if of == return_id}
