"""Commission taken back because goods came back: of every beneficiary, at the shares of the sale (docs/rules.md §4).

A row keeps its amount for ever; what was taken back of it is counted beside it, and of that what was on a statement
already. The money itself moves in the ledger; whoever calls this posts what it answers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from saas.base.db import ConstraintViolated, Row, current_tx
from saas.base.ids import CommissionId, DistributorId, OrderLineId
from saas.base.money import part_back


class PiecesBack(NamedTuple):
    """How many of a line's pieces are back now, of how many sold."""

    returned: int
    pieces: int


class TakenBack(NamedTuple):
    """What one row of commission lost, and on which account of its beneficiary the money was."""

    commission_id: CommissionId
    beneficiary_id: DistributorId
    currency: str
    account: str
    amount_minor: int


async def take_back(return_id: UUID, lines: Mapping[OrderLineId, PiecesBack], at: datetime) -> Sequence[TakenBack]:
    """Take back of each share of these lines what belongs to all pieces returned so far and was not taken back yet.

    Pending and available commission gets less, settled commission is owed. What was given up at an exit is gone
    already. Rows are locked in the order in which a release locks them.
    """
    tx = current_tx()
    rows = await tx.rows(
        f"SELECT id, line_id, beneficiary_id, currency, amount_minor, reversed_minor, status FROM commission "
        f"WHERE tenant_id = $1 AND line_id {tx.within(2, 'uuid')} AND status NOT IN ('nothing', 'reversed') "
        f"ORDER BY hold_until, order_id, id{tx.for_update}",
        tx.tenant_id,
        list(lines),
    )
    taken = [one for row in rows if (one := _taken(row, lines[row["line_id"]])).amount_minor]
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
    await tx.insert_many(
        "commission_reversal",
        ("return_id", "commission_id", "beneficiary_id", "currency", "account", "amount_minor", "reversed_at"),
        [(return_id, *one, at) for one in taken],
    )
    return taken


def _taken(row: Row, back: PiecesBack) -> TakenBack:
    amount = part_back(row["amount_minor"], back.returned, back.pieces) - row["reversed_minor"]
    return TakenBack(row["id"], row["beneficiary_id"], row["currency"], row["status"], amount)
