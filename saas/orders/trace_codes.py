"""Trace codes: each names an item or a box, and is on one order at a time (docs/rules.md §4).

A code is free again when its order is cancelled, or when the goods came back and may be sold again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from saas.base.db import Tx, reading
from saas.base.errors import DomainError, Rejected
from saas.base.ids import OrderId, OrderLineId, ReturnId
from saas.orders.draft import OrderDraft, PlaceOrder
from saas.orders.errors import TraceCodeNotBack, TraceCodeTaken

_COLUMNS = ("line_id", "code", "order_id")


@dataclass(frozen=True, slots=True)
class TraceCode:
    """A code that a line was sold with; after ``freed_at`` it may be on another."""

    code: str
    freed_at: datetime | None


async def taken_codes(tx: Tx, asked: Sequence[PlaceOrder]) -> Collection[str]:
    """Which of the codes of some orders are on others; one taken meanwhile meets the table's unique key."""
    codes = [code for order in asked for line in order.lines for code in line.trace_codes]
    return await _live(tx, codes) if codes else ()


async def write_codes(tx: Tx, drafts: Sequence[tuple[str, OrderDraft]], *, hopefully: bool) -> list[DomainError]:
    """Write the codes of orders, each with the path of its order; answers who lost one to another order meanwhile.

    ``hopefully``: together with what is written next, which raises ``Taken`` when another has one.
    """
    rows = [(line.id, code, made.id) for _, made in drafts for line in made.lines for code in line.trace_codes]
    rows.sort(key=lambda row: row[1])  # two batches with the same codes take them in the same order
    if not rows:
        return []
    if hopefully:
        await tx.insert_later("trace_code", _COLUMNS, rows, or_taken=True)
        return []
    if await tx.insert_many("trace_code", _COLUMNS, rows, or_ignore=True) == len(rows):
        return []
    written = await trace_codes_of([line.id for _, made in drafts for line in made.lines])
    return [
        TraceCodeTaken(f"{at}.lines[{line.line_no - 1}].traceCodes", value=code)
        for at, made in drafts
        for line in made.lines
        for code in line.trace_codes
        if code not in {one.code for one in written[line.id]}
    ]


async def trace_codes_of(line_ids: Collection[OrderLineId]) -> Mapping[OrderLineId, Sequence[TraceCode]]:
    """The codes that each line was sold with, in one statement."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT line_id, code, freed_at FROM trace_code "
            f"WHERE tenant_id = $1 AND line_id {tx.within(2, 'uuid')} ORDER BY line_id, code",
            tx.tenant_id,
            list(line_ids),
        )
    found: dict[OrderLineId, list[TraceCode]] = {line_id: [] for line_id in line_ids}
    for row in rows:
        found[row["line_id"]].append(TraceCode(row["code"], row["freed_at"]))
    return found


async def free_of_orders(tx: Tx, order_ids: Sequence[OrderId], at: datetime) -> None:
    """Free the codes of orders that were cancelled."""
    await tx.execute(
        f"UPDATE trace_code SET freed_at = $3 WHERE tenant_id = $1 AND order_id {tx.within(2, 'uuid')} "
        f"AND freed_at IS NULL",
        tx.tenant_id,
        order_ids,
        at,
    )


async def free_returned(
    tx: Tx, return_id: ReturnId, named: Sequence[str], at: datetime, *, sellable: bool, field: str
) -> None:
    """Free the codes of goods that came back to be sold again; what is not fit to be sold keeps its code.

    ``named`` are those of the pieces that came back, and of a line that is back whole, fit to be sold, all are. The
    return is written and its order locked. Raises ``Rejected`` with ``TraceCodeNotBack``.
    """
    if named:
        await _check_named(tx, return_id, named, field)
    if not sellable:
        return
    await tx.execute(
        f"UPDATE trace_code SET freed_at = $3 WHERE tenant_id = $1 AND freed_at IS NULL AND line_id IN ("
        f"SELECT r.line_id FROM return_line r WHERE r.tenant_id = $1 AND r.return_id = $2) "
        f"AND (code {tx.within(4, 'text')} OR line_id IN (SELECT l.id FROM return_line r JOIN order_line l "
        f"ON l.tenant_id = r.tenant_id AND l.id = r.line_id WHERE r.tenant_id = $1 AND r.return_id = $2 "
        f"AND l.returned = l.quantity AND NOT EXISTS (SELECT 1 FROM return_line o JOIN return_case c "
        f"ON c.tenant_id = o.tenant_id AND c.id = o.return_id WHERE o.tenant_id = $1 AND o.line_id = l.id "
        f"AND c.received_at IS NOT NULL AND NOT c.sellable)))",
        tx.tenant_id,
        return_id,
        at,
        list(named),
    )


async def _check_named(tx: Tx, return_id: ReturnId, named: Sequence[str], field: str) -> None:
    """Each is on a line of the return and not free yet, and no line has more of them than pieces come back."""
    rows = await tx.rows(
        f"SELECT t.code, t.line_id, r.quantity FROM trace_code t JOIN return_line r ON r.tenant_id = t.tenant_id "
        f"AND r.line_id = t.line_id WHERE t.tenant_id = $1 AND r.return_id = $2 AND t.freed_at IS NULL "
        f"AND t.code {tx.within(3, 'text')}",
        tx.tenant_id,
        return_id,
        list(named),
    )
    left = {row["line_id"]: row["quantity"] for row in rows}
    lines = {row["code"]: row["line_id"] for row in rows}
    wrong: list[DomainError] = []
    for number, code in enumerate(named):
        line_id = lines.pop(code, None)
        if line_id is None or not left[line_id]:
            wrong.append(TraceCodeNotBack(f"{field}[{number}]", value=code[:40]))
        else:
            left[line_id] -= 1
    if wrong:
        raise Rejected(wrong)


async def _live(tx: Tx, codes: Sequence[str]) -> Collection[str]:
    rows = await tx.rows(
        f"SELECT code FROM trace_code WHERE tenant_id = $1 AND code {tx.within(2, 'text')} AND freed_at IS NULL",
        tx.tenant_id,
        codes,
    )
    return {row["code"] for row in rows}
