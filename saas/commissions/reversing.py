"""Commission taken back because orders were undone: of every beneficiary, at the shares of the sale (docs/rules.md §4).

A row keeps its amount for ever; what was taken back of it is counted beside it, and of that what was on a statement
already. Of pieces with volume it is also what was evened (``lifts``). The money itself moves in the ledger; whoever
calls this posts what it answers.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from saas.base.db import ConstraintViolated, Row, current_tx
from saas.base.ids import CommissionId, DistributorId, OrderId, OrderLineId, ReturnId
from saas.base.money import part_back
from saas.commissions.lifts import Lifted, Paid, taken_minor
from saas.commissions.shares import LEAD
from saas.events.commands import tell
from saas.events.rules import Event, EventKind


class PiecesBack(NamedTuple):
    """How many of a line's pieces are back now, of how many sold."""

    returned: int
    pieces: int


class LiftBack(NamedTuple):
    """The lift of a component on a line, as it stands now, and what was paid with it."""

    paid: Paid
    line: Lifted


Lifts = Mapping[tuple[OrderLineId, str], LiftBack]
"""Lifts by line and component."""


class TakenBack(NamedTuple):
    """What one row of commission lost, and on which account of its beneficiary the money was."""

    commission_id: CommissionId
    beneficiary_id: DistributorId
    currency: str
    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What takes commission back: goods of a return, or the lifts that a cancelled order had brought others to."""

    return_id: ReturnId | None = None
    order_id: OrderId | None = None
    at: datetime


async def hold(line_ids: Collection[OrderLineId]) -> Sequence[Row]:
    """Lock what can still be taken of these lines' shares: first what is pending, then available, then settled.

    A row only ever moves on in this order, and a settlement locks in it too: so no row is missed, and nobody waits in
    a circle. Within a status, rows are locked in the order in which a release locks them.
    """
    tx = current_tx()
    found: list[Row] = []
    for status in ("pending", "available", "settled"):
        found += await tx.rows(
            f"SELECT id, order_id, line_id, component, level, beneficiary_id, currency, amount_minor, reversed_minor, "
            f"status FROM commission WHERE tenant_id = $1 AND line_id {tx.within(2, 'uuid')} AND status = $3 "
            f"ORDER BY hold_until, order_id, id{tx.for_update}",
            tx.tenant_id,
            list(line_ids),
            status,
        )
    return found


async def take_back(cause: Cause, lines: Mapping[OrderLineId, PiecesBack], lifts: Lifts) -> Sequence[TakenBack]:
    """Take back of each share of these lines what belongs to all pieces returned so far and was not taken back yet.

    ``lifts``: of pieces with volume, also what is evened, on these lines and on others. Pending and available
    commission gets less, settled commission is owed. What was given up at an exit is gone already.
    """
    tx = current_tx()
    rows = await hold({*lines, *(line_id for line_id, _ in lifts)})
    taken = [one for row in rows if (one := _taken(row, lines, lifts)).amount_minor]
    if lifts:
        await _write_evened(lifts)
    if not taken:
        return ()
    listed = [{"id": str(one.commission_id), "minor": one.amount_minor} for one in taken]
    changed = await tx.execute(
        f"UPDATE commission SET reversed_minor = reversed_minor + v.minor, "
        f"clawed_minor = clawed_minor + CASE status WHEN 'settled' THEN v.minor ELSE 0 END, "
        f"status = CASE WHEN status <> 'settled' AND reversed_minor + v.minor = amount_minor "
        f"THEN 'reversed' ELSE status END "
        f"FROM {tx.recordset(2, id='uuid', minor='bigint')} AS v "
        f"WHERE commission.tenant_id = $1 AND commission.id = v.id AND status IN ('pending', 'available', 'settled')",
        tx.tenant_id,
        orjson.dumps(listed).decode(),
    )
    if changed != len(taken):
        raise ConstraintViolated(f"{changed} of {len(taken)} locked commission rows changed")
    await _write_down(cause, taken)
    orders = {row["id"]: row["order_id"] for row in rows}
    sums: Counter[tuple[OrderId, DistributorId, str]] = Counter()
    for one in taken:
        sums[orders[one.commission_id], one.beneficiary_id, one.currency] += one.amount_minor
    tell(
        Event(EventKind.COMMISSION_REVERSED, order_id, owner, minor, currency)
        for (order_id, owner, currency), minor in sums.items()
    )
    return taken


def _taken(row: Row, lines: Mapping[OrderLineId, PiecesBack], lifts: Lifts) -> TakenBack:
    amount, total = row["amount_minor"], row["reversed_minor"]
    lift = None if row["level"] else lifts.get((row["line_id"], row["component"].removesuffix(LEAD)))
    if lift is not None:
        total = taken_minor(amount, lift.paid, lift.line)
    elif (back := lines.get(row["line_id"])) is not None:
        total = part_back(amount, back.returned, back.pieces)
    return TakenBack(row["id"], row["beneficiary_id"], row["currency"], row["status"], total - row["reversed_minor"])


async def _write_evened(lifts: Lifts) -> None:
    """What was evened is kept with every share of the lift, also with those that were never paid."""
    tx = current_tx()
    listed = [
        {"line_id": str(line_id), "component": component, "minor": lift.line.evened_minor}
        for (line_id, component), lift in lifts.items()
    ]
    await tx.execute(
        f"UPDATE commission SET evened_minor = nullif(v.minor, 0) "
        f"FROM {tx.recordset(2, line_id='uuid', component='text', minor='bigint')} AS v "
        f"WHERE commission.tenant_id = $1 AND commission.line_id = v.line_id AND commission.level = 0 "
        f"AND commission.component IN (v.component, v.component || '{LEAD}') AND coalesce(evened_minor, 0) <> v.minor",
        tx.tenant_id,
        orjson.dumps(listed).decode(),
    )


async def _write_down(cause: Cause, taken: Sequence[TakenBack]) -> None:
    reference: UUID | None
    table, reference_column, moment_column = "commission_reversal", "return_id", "reversed_at"
    reference = cause.return_id
    if reference is None:
        table, reference_column, moment_column = "commission_evening", "order_id", "evened_at"
        reference = cause.order_id
    columns = ("commission_id", "beneficiary_id", "currency", "account", "amount_minor", moment_column)
    await current_tx().insert_many(table, (reference_column, *columns), [(reference, *one, cause.at) for one in taken])
