"""What happens to an order after it was placed: paid, shipped, delivered, closed, or cancelled before shipping.

Each step locks its orders, checks their state, and changes it by a conditional update; a key used again does nothing.
A batch is taken whole or refused with everything that is wrong.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.clock import local_day
from saas.base.db import Row, Tx, transaction
from saas.base.errors import DomainError, NotFound, Rejected
from saas.base.idempotency import Claim, claim_many, fingerprint
from saas.base.ids import DistributorId, OrderId, new_id
from saas.commissions.commands import PaidLine, reverse_orders, start_hold
from saas.commissions.reversing import Cause, hold, take_back
from saas.ledger.commands import post
from saas.ledger.rules import Posting
from saas.network.queries import chains
from saas.network.standstill import stand_still
from saas.orders.draft import paid_before_change
from saas.orders.errors import DatesRefused, OrderStepRefused, ReservedForBrand
from saas.orders.evening import EvenedLifts, uncount
from saas.orders.facts import LeadAsked, Payable, as_member, find_servers, gather, partner_of
from saas.orders.payment import (
    DaySale,
    Sold,
    add_sales,
    book,
    clawback_posting,
    day_sales,
    decide,
    members_of,
    reversal_postings,
    tell_paid,
    tell_step,
    unchanged_since,
)
from saas.orders.rules import OrderEvent, OrderState, hold_until, next_state
from saas.orders.trace_codes import free_of_orders
from tenants import audit, registry
from tenants.actors import Actor, Role
from tenants.program.versions import StoredProgram, active_program, program


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStep:
    """One step of one order; ``at`` is when it happened, now when absent."""

    order_id: OrderId
    idempotency_key: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Due:
    """A locked order with the moment of its step; ``field`` is where a moment was given."""

    order: Row
    at: datetime
    field: str | None


_Apply: TypeAlias = Callable[[Tx, Sequence[_Due], datetime], Awaitable[None]]
"""Takes the step, of orders that are locked. The moment is of the command: a payment holds the tree as it was then."""

_HELD = frozenset({OrderEvent.PAY, OrderEvent.CANCEL})
"""Steps that change a period's sales: its close waits for them, so the moment of each tells on which side it is."""

_LOCK = """
SELECT id, number, seller_id, status, self_purchase, currency, region, goods_minor, program_number, placed_at, paid_at,
    shipped_at, delivered_at, (SELECT l.distributor_id FROM cross_region_lead l
        WHERE l.tenant_id = sales_order.tenant_id AND l.order_id = sales_order.id) AS served_by_id
FROM sales_order WHERE tenant_id = $1 AND id {ids} ORDER BY id{for_update}
"""


async def pay(steps: Sequence[OrderStep], actor: Actor) -> None:
    """Take orders as paid: commission is computed by the active program and the tree of this moment, and is pending.

    A payment of the past is refused when program or upline changed since (``PaidBeforeChange``).

    Raises ``Rejected``, ``IdempotencyConflict`` or ``NoActiveProgram``; a second payment under another key is refused.
    """
    await _step(OrderEvent.PAY, steps, actor, _pay)


async def ship(steps: Sequence[OrderStep], actor: Actor) -> None:
    """Take paid orders as shipped. Raises as ``pay``."""
    await _step(OrderEvent.SHIP, steps, actor, _ship)


async def deliver(steps: Sequence[OrderStep], actor: Actor) -> None:
    """Take shipped orders as delivered: the hold of their commission begins, as long as their program says."""
    await _step(OrderEvent.DELIVER, steps, actor, _deliver)


async def close(steps: Sequence[OrderStep], actor: Actor) -> None:
    """Close delivered orders: nothing more is expected of them. Raises as ``pay``."""
    await _step(OrderEvent.CLOSE, steps, actor, _close)


async def cancel(steps: Sequence[OrderStep], actor: Actor) -> None:
    """Cancel orders that were not shipped; of paid ones everything the payment did is taken back.

    A distributor cancels its own unpaid orders only; a paid one the brand cancels. Raises as ``pay``.
    """
    await _step(OrderEvent.CANCEL, steps, actor, _cancel)


async def _step(event: OrderEvent, steps: Sequence[OrderStep], actor: Actor, apply: _Apply) -> None:
    async with transaction() as tx:
        operation = f"order.{event}"
        claims = [Claim(step.idempotency_key, fingerprint(step), new_id()) for step in steps]
        earlier = await claim_many(actor.operation(operation), claims)
        fresh = [i for i, step in enumerate(steps) if step.idempotency_key not in earlier]
        if not fresh:
            return
        now = await stand_still() if event in _HELD else clock.now()
        ids = sorted({steps[i].order_id for i in fresh})
        rows = await tx.rows(_LOCK.format(ids=tx.within(2, "uuid"), for_update=tx.for_update), tx.tenant_id, ids)
        due = _due(event, steps, fresh, {row["id"]: row for row in rows}, actor)
        await apply(tx, due, now)
        tell_step(event, [item.order for item in due])
        shown = [str(item.order["id"]) for item in due]
        await audit.record(actor, operation, shown[0] if len(shown) == 1 else None, orders=shown[:100], count=len(due))


def _due(
    event: OrderEvent, steps: Sequence[OrderStep], fresh: Sequence[int], found: Mapping[OrderId, Row], actor: Actor
) -> list[_Due]:
    """The orders that may take the step. Raises ``Rejected`` when one of them may not."""
    now = clock.now()
    due: dict[OrderId, _Due] = {}
    wrong: list[DomainError] = []
    for i in fresh:
        step = steps[i]
        at = "input" if len(steps) == 1 else f"input.orders[{i}]"
        row = found.get(step.order_id)
        if row is None or (actor.role is Role.DISTRIBUTOR and row["seller_id"] != actor.distributor_id):
            wrong.append(NotFound(f"{at}.orderId", kind="order", value=step.order_id))
            continue
        moment = step.at or now
        try:
            target = next_state(OrderState(row["status"]), event)
            if step.order_id in due:
                raise OrderStepRefused(event=event.value, state=target.value, needed=row["status"])
        except OrderStepRefused as refusal:
            wrong.append(OrderStepRefused(f"{at}.orderId", **refusal.params))
            continue
        if event is OrderEvent.CANCEL and actor.role is Role.DISTRIBUTOR and row["status"] != OrderState.PLACED:
            placed = OrderState.PLACED.value
            wrong.append(OrderStepRefused(f"{at}.orderId", event=event.value, state=row["status"], needed=placed))
        elif step.at is not None and actor.role is Role.DISTRIBUTOR:
            wrong.append(ReservedForBrand(f"{at}.at", what="at"))
        elif moment.tzinfo is None or moment > now or moment < _latest(row):
            wrong.append(DatesRefused(f"{at}.at", what="at", moment=moment.isoformat()))
        due[step.order_id] = _Due(row, moment, None if step.at is None else f"{at}.at")
    if wrong:
        raise Rejected(wrong)
    return list(due.values())


def _latest(row: Row) -> datetime:
    moments: list[datetime | None] = [row["placed_at"], row["paid_at"], row["shipped_at"], row["delivered_at"]]
    return max(moment for moment in moments if moment is not None)


async def _pay(tx: Tx, due: Sequence[_Due], now: datetime) -> None:
    present = next((item.at for item in due if item.field is None), None)
    stored = await active_program(present)
    found = await chains({item.order["seller_id"] for item in due})
    earliest = {seller: unchanged_since(stored, chain) for seller, chain in found.items()}
    limits = [(item.field, item.at, earliest[item.order["seller_id"]]) for item in due]
    if wrong := [paid_before_change(field, at, limit) for field, at, limit in limits if field and at < limit]:
        raise Rejected(wrong)
    brand, members = await registry.this_brand(), members_of(found)
    payables = await _payables(tx, due, stored, brand.time_zone)
    evidence = await gather(payables, members, stored, brand.time_zone, counting=True)
    accruals = decide(payables, stored, members, evidence)
    paths = {item.order["id"]: found[item.order["seller_id"]].path for item in due}
    for at, items in _by_moment(due).items():
        ids = [item.order["id"] for item in items]
        changed = await tx.execute(
            f"UPDATE sales_order SET status = 'paid', paid_at = $2, program_number = $3, decided_at = $5, "
            f"path = v.path FROM {tx.recordset(4, id='uuid', path='text')} AS v "
            f"WHERE sales_order.tenant_id = $1 AND sales_order.id = v.id AND status = 'placed'",
            tx.tenant_id,
            at,
            stored.number,
            _json([{"id": id_, "path": paths[id_]} for id_ in ids]),
            now,
        )
        _expect(changed, len(ids))
    company = [{"id": id_, "minor": minor} for accrual in accruals for id_, minor in accrual.company.items()]
    await tx.execute(
        f"UPDATE order_line SET company_minor = v.minor FROM {tx.recordset(2, id='uuid', minor='bigint')} AS v "
        f"WHERE order_line.tenant_id = $1 AND order_line.id = v.id",
        tx.tenant_id,
        _json(company),
    )
    await _share_leads(tx, due, payables)
    await book(accruals, evidence)
    await tell_paid(accruals)


async def _payables(tx: Tx, due: Sequence[_Due], stored: StoredProgram, time_zone: str) -> list[Payable]:
    lines = await _lines(tx, due)
    asked = [
        LeadAsked(order["seller_id"], order["region"], order["self_purchase"], _id(order["served_by_id"]))
        for order in (item.order for item in due)
    ]
    found = await find_servers(asked, stored)
    partners = [partner_of(one, found) if stored.compiled.lead else None for one in asked]
    return [
        Payable(
            id=item.order["id"],
            seller_id=item.order["seller_id"],
            self_purchase=item.order["self_purchase"],
            currency=item.order["currency"],
            paid_at=item.at,
            day=local_day(item.at, time_zone),
            hold_until=None,
            lines=lines[item.order["id"]],
            partner=as_member(partner),
        )
        for item, partner in zip(due, partners, strict=True)
    ]


async def _share_leads(tx: Tx, due: Sequence[_Due], payables: Sequence[Payable]) -> None:
    """Write down whom the payment shares with; whom somebody named is there, and goes when nobody shares any more."""
    pairs = [
        (item.order["id"], item.order["served_by_id"], one.partner) for item, one in zip(due, payables, strict=True)
    ]
    if found := [(id_, partner.id) for id_, named, partner in pairs if partner and named is None]:
        await tx.insert_many("cross_region_lead", ("order_id", "distributor_id"), found)
    if void := [id_ for id_, named, partner in pairs if partner is None and named is not None]:
        await tx.execute(
            f"DELETE FROM cross_region_lead WHERE tenant_id = $1 AND order_id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            void,
        )


async def _lines(tx: Tx, due: Sequence[_Due]) -> Mapping[OrderId, list[PaidLine]]:
    rows = await tx.rows(
        f"SELECT order_id, id, sku, category, quantity, amount_minor FROM order_line "
        f"WHERE tenant_id = $1 AND order_id {tx.within(2, 'uuid')} ORDER BY order_id, line_no",
        tx.tenant_id,
        [item.order["id"] for item in due],
    )
    lines: defaultdict[OrderId, list[PaidLine]] = defaultdict(list)
    for row in rows:
        line = PaidLine(row["id"], row["sku"], row["category"], row["quantity"], row["amount_minor"])
        lines[row["order_id"]].append(line)
    return lines


async def _ship(tx: Tx, due: Sequence[_Due], now: datetime) -> None:
    for at, items in _by_moment(due).items():
        await _move(tx, items, at, OrderState.SHIPPED, "shipped_at", ("paid",))


async def _close(tx: Tx, due: Sequence[_Due], now: datetime) -> None:
    for at, items in _by_moment(due).items():
        await _move(tx, items, at, OrderState.CLOSED, "closed_at", ("delivered",))


async def _deliver(tx: Tx, due: Sequence[_Due], now: datetime) -> None:
    groups: defaultdict[tuple[datetime, int], list[_Due]] = defaultdict(list)
    for item in due:
        groups[item.at, item.order["program_number"]].append(item)
    for (at, number), items in groups.items():
        hold = hold_until(at, (await program(number)).program.settlement.hold_days)
        ids = [item.order["id"] for item in items]
        changed = await tx.execute(
            f"UPDATE sales_order SET status = 'delivered', delivered_at = $3, hold_until = $4 "
            f"WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} AND status = 'shipped'",
            tx.tenant_id,
            ids,
            at,
            hold,
        )
        _expect(changed, len(ids))
        await start_hold(ids, hold)


async def _cancel(tx: Tx, due: Sequence[_Due], now: datetime) -> None:
    paid = [item for item in due if item.order["status"] == OrderState.PAID]
    uncounted = await uncount([(item.order["seller_id"], item.order["paid_at"]) for item in paid])
    for at, items in _by_moment(due).items():
        await _move(tx, items, at, OrderState.CANCELLED, "cancelled_at", ("placed", "paid"))
        ids = [item.order["id"] for item in items]
        await tx.execute(
            f"UPDATE price_case SET status = 'closed', closed_at = $3, resolution = 'order_cancelled' "
            f"WHERE tenant_id = $1 AND order_id {tx.within(2, 'uuid')} AND status = 'open'",
            *(tx.tenant_id, ids, at),
        )
        await free_of_orders(tx, ids, at)
    if paid:
        await tx.execute(
            f"UPDATE sales_order SET undone_at = $3 WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')}",
            tx.tenant_id,
            [item.order["id"] for item in paid],
            now,
        )
        lines = await _lines(tx, paid)
        await post(await _take_back(paid, await uncounted.lifts(), lines))
        await _unsell(tx, paid, lines)


async def _take_back(
    paid: Sequence[_Due], lifts: EvenedLifts, lines: Mapping[OrderId, Sequence[PaidLine]]
) -> list[Posting]:
    """Take back what cancelled orders accrued, and even what others had because of them; answers what to post."""
    if lifts:
        ours = {line.id for found in lines.values() for line in found}
        await hold({*ours, *(line_id for found in lifts.values() for line_id, _ in found)})
    postings: list[Posting] = []
    for at, items in _by_moment(paid).items():
        postings += reversal_postings(await reverse_orders([item.order["id"] for item in items]), at)
    for seller_id, found in sorted(lifts.items()):
        last = max((item for item in paid if item.order["seller_id"] == seller_id), key=lambda item: item.order["id"])
        order_id: OrderId = last.order["id"]
        if taken := await take_back(Cause(order_id=order_id, at=last.at), {}, found):
            postings.append(clawback_posting(taken, "order", order_id, last.at))
    return postings


async def _unsell(tx: Tx, paid: Sequence[_Due], lines: Mapping[OrderId, Sequence[PaidLine]]) -> None:
    """Take cancelled orders out of the sums of the day they were paid, of everybody who shared them."""
    time_zone = (await registry.this_brand()).time_zone
    partners = await _partners(tx, paid)
    sales: list[DaySale] = []
    for order in (item.order for item in paid):
        sold = Sold(
            order["seller_id"],
            partners.get(order["id"]),
            local_day(order["paid_at"], time_zone),
            order["currency"],
            sum(line.quantity for line in lines[order["id"]]),
            order["goods_minor"],
        )
        sales += day_sales(sold, (await program(order["program_number"])).compiled.lead, -1)
    await add_sales(sales)


async def _partners(tx: Tx, paid: Sequence[_Due]) -> Mapping[OrderId, DistributorId]:
    """Who shares these orders, read after they were locked: a payment that was waited for may have found somebody."""
    rows = await tx.rows(
        f"SELECT order_id, distributor_id FROM cross_region_lead "
        f"WHERE tenant_id = $1 AND order_id {tx.within(2, 'uuid')}",
        tx.tenant_id,
        [item.order["id"] for item in paid],
    )
    return {row["order_id"]: row["distributor_id"] for row in rows}


def _by_moment(due: Sequence[_Due]) -> Mapping[datetime, list[_Due]]:
    groups: defaultdict[datetime, list[_Due]] = defaultdict(list)
    for item in due:
        groups[item.at].append(item)
    return groups


async def _move(
    tx: Tx, items: Sequence[_Due], at: datetime, state: OrderState, column: str, expected: Sequence[str]
) -> None:
    changed = await tx.execute(
        f"UPDATE sales_order SET status = $3, {column} = $4 "
        f"WHERE tenant_id = $1 AND id {tx.within(2, 'uuid')} AND status {tx.within(5, 'text')}",
        tx.tenant_id,
        [item.order["id"] for item in items],
        state.value,
        at,
        list(expected),
    )
    _expect(changed, len(items))


def _id(value: object) -> DistributorId | None:
    """An id that a subquery answered: SQLite answers text for it."""
    return None if value is None else DistributorId(UUID(str(value)))


def _json(rows: Sequence[Mapping[str, object]]) -> str:
    return orjson.dumps(rows, default=str).decode()  # what PostgreSQL answers as a UUID is a subclass orjson refuses


def _expect(changed: int, wanted: int) -> None:
    if changed != wanted:
        raise RuntimeError("an order changed its state while it was locked")
