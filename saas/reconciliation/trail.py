"""Where a cent is: from an order to the bank, and from a payout back to what it paid.

Money on a balance has no name, so which share a payout paid is a convention, and a stated one: the oldest first. Shares
come in the order in which statements settled them, and payouts, goods that came back, penalties and adjustments
against the distributor take from them in the order in which they happened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from saas.base.db import Tx, as_time, reading
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, OrderId, PayoutBatchId, StatementId
from saas.reconciliation.rules import first_in_first_out
from tenants.registry import this_brand


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What took a part of a share: a payout with what became of it, a return, a cancelled order, a decision."""

    kind: str
    id: UUID
    amount_minor: int
    at: datetime
    transaction_id: UUID | None
    status: str | None = None
    batch_id: PayoutBatchId | None = None
    batch_number: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Something that was given to a distributor: its origin, its movements, and what was taken from it.

    ``left_minor`` stands on the distributor's accounts. What is not on a statement yet has no uses. ``clawed_minor`` of
    it was taken back after it was settled: from the oldest shares, like everything, or from what is earned next.
    """

    kind: str
    id: UUID
    distributor_id: DistributorId
    currency: str
    amount_minor: int
    status: str
    order_id: OrderId | None
    order_number: str | None
    line_id: UUID | None
    sku: str | None
    component: str | None
    release_id: UUID | None
    statement_id: StatementId | None
    statement_number: str | None
    settlement_id: UUID | None
    transaction_id: UUID | None
    clawed_minor: int
    uses: Sequence[Use]

    @property
    def left_minor(self) -> int:
        """What nothing has taken."""
        return self.amount_minor - sum(use.amount_minor for use in self.uses)


async def trail(kind: str, id_: UUID) -> list[Share]:
    """The shares that a thing is about, each with everything that became of it.

    ``kind`` is one of ``_OWNERS``, or LedgerTransaction. Of shares from which the thing took, only the parts that it
    took; of goods that came back also the shares that they took back, whatever those parts came from. Raises
    ``NotFound``.
    """
    async with reading() as tx:
        if kind == "LedgerTransaction":
            kind, id_ = await _behind(tx, id_)
        owners = await _owners(tx, kind, id_)
        back = await _taken_back(tx, id_) if kind == "ReturnCase" else frozenset()
        found: list[Share] = []
        for owner in owners:
            found += _wanted(await _shares_of(tx, owner), kind, id_, back)
    if not owners:
        raise NotFound("of", kind=_THINGS[kind], value=id_)
    return found


_THINGS = {
    "Order": "order",
    "OrderLine": "order line",
    "Commission": "commission",
    "Award": "award",
    "Adjustment": "adjustment",
    "Payout": "payout",
    "ReturnCase": "return",
    "WriteOff": "write-off",
    "ExitCase": "exit",
    "Statement": "statement",
}
_REFERENCES = {
    "order": "Order",
    "award": "Award",
    "adjustment": "Adjustment",
    "payout": "Payout",
    "return": "ReturnCase",
    "write_off": "WriteOff",
    "exit": "ExitCase",
    "settlement": "Statement",
}
_OWNERS = {
    "Order": "SELECT beneficiary_id AS owner_id FROM commission WHERE tenant_id = $1 AND order_id = $2 "
    "AND amount_minor > 0",
    "OrderLine": "SELECT beneficiary_id AS owner_id FROM commission WHERE tenant_id = $1 AND line_id = $2 "
    "AND amount_minor > 0",
    "Commission": "SELECT beneficiary_id AS owner_id FROM commission WHERE tenant_id = $1 AND id = $2 "
    "AND amount_minor > 0",
    "Award": "SELECT distributor_id AS owner_id FROM award WHERE tenant_id = $1 AND id = $2",
    "Adjustment": "SELECT distributor_id AS owner_id FROM adjustment WHERE tenant_id = $1 AND id = $2",
    "Payout": "SELECT distributor_id AS owner_id FROM payout WHERE tenant_id = $1 AND id = $2",
    "ReturnCase": "SELECT beneficiary_id AS owner_id FROM commission_reversal WHERE tenant_id = $1 AND return_id = $2",
    "WriteOff": "SELECT distributor_id AS owner_id FROM write_off WHERE tenant_id = $1 AND id = $2",
    "ExitCase": "SELECT distributor_id AS owner_id FROM exit_case WHERE tenant_id = $1 AND id = $2",
    "Statement": "SELECT distributor_id AS owner_id FROM statement WHERE tenant_id = $1 AND id = $2",
}


async def _behind(tx: Tx, transaction_id: UUID) -> tuple[str, UUID]:
    """What a movement in the ledger is about; the settlement of one distributor is its statement."""
    row = await tx.row(
        "SELECT t.reference_kind, t.reference_id, (SELECT s.id FROM statement s JOIN ledger_entry e "
        "ON e.tenant_id = s.tenant_id AND e.transaction_id = t.id AND e.owner_id = s.distributor_id "
        "WHERE s.tenant_id = $1 AND s.settlement_id = t.reference_id LIMIT 1) AS statement_id "
        "FROM ledger_transaction t WHERE t.tenant_id = $1 AND t.id = $2",
        tx.tenant_id,
        transaction_id,
    )
    if row is None or row["reference_kind"] not in _REFERENCES:
        raise NotFound("of", kind="ledger transaction", value=transaction_id)
    return _REFERENCES[row["reference_kind"]], row["statement_id"] or row["reference_id"]


async def _owners(tx: Tx, kind: str, id_: UUID) -> list[DistributorId]:
    if kind not in _OWNERS:
        raise NotFound("of", kind="commission", value=id_)
    rows = await tx.rows(_OWNERS[kind], tx.tenant_id, id_)
    return sorted({row["owner_id"] for row in rows})  # sorted here: SQLite would go through the brand in their order


async def _taken_back(tx: Tx, return_id: UUID) -> frozenset[UUID]:
    """The shares that a return took back after they were settled."""
    rows = await tx.rows(
        "SELECT commission_id FROM commission_reversal WHERE tenant_id = $1 AND return_id = $2 AND account = 'settled'",
        tx.tenant_id,
        return_id,
    )
    return frozenset(row["commission_id"] for row in rows)


def _wanted(shares: Iterable[Share], kind: str, id_: UUID, back: frozenset[UUID]) -> list[Share]:
    own = {"Order": "order_id", "OrderLine": "line_id", "Statement": "statement_id"}.get(kind, "id")
    return [
        share if getattr(share, own) == id_ else _narrowed(share, id_)
        for share in shares
        if getattr(share, own) == id_ or share.id in back or any(use.id == id_ for use in share.uses)
    ]


def _narrowed(share: Share, user: UUID) -> Share:
    return replace(share, uses=[use for use in share.uses if use.id == user])


_SETTLED = "LEFT JOIN statement s ON s.tenant_id = $1 AND s.id = {}.statement_id"
_CREDITS = (
    "SELECT 'COMMISSION' AS kind, c.id, c.amount_minor - c.reversed_minor + c.clawed_minor AS amount_minor, c.status, "
    "c.order_id, o.number AS order_number, c.line_id, l.sku, c.component, s.id AS statement_id, "
    "s.number AS statement_number, s.settlement_id, c.clawed_minor, s.created_at AS at, c.earned_at AS then_at "
    "FROM commission c "
    "JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = c.order_id "
    "JOIN order_line l ON l.tenant_id = c.tenant_id AND l.id = c.line_id "
    f"{_SETTLED.format('c')} WHERE c.tenant_id = $1 AND c.beneficiary_id = $2 AND c.currency = $3 "
    "AND c.amount_minor > 0",
    "SELECT 'AWARD', a.id, a.amount_minor, a.status, a.order_id, NULL, NULL, NULL, a.component, s.id, s.number, "
    f"s.settlement_id, 0, s.created_at, a.earned_at FROM award a {_SETTLED.format('a')} "
    "WHERE a.tenant_id = $1 AND a.distributor_id = $2 AND a.currency = $3 AND a.amount_minor > 0",
    "SELECT upper(j.kind), j.id, j.amount_minor, j.status, NULL, NULL, NULL, NULL, NULL, s.id, s.number, "
    f"s.settlement_id, 0, s.created_at, j.requested_at FROM adjustment j {_SETTLED.format('j')} "
    "WHERE j.tenant_id = $1 AND j.distributor_id = $2 AND j.currency = $3 AND j.amount_minor > 0",
    "SELECT 'WRITE_OFF', w.id, w.amount_minor, w.status, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, "
    "w.decided_at, w.decided_at FROM write_off w WHERE w.tenant_id = $1 AND w.distributor_id = $2 AND w.currency = $3 "
    "AND w.status = 'approved'",
    "SELECT 'BUY_BACK', x.id, CAST(coalesce(x.quote ->> 'buy_back_minor', '0') AS bigint), x.status, NULL, NULL, NULL, "
    "NULL, NULL, NULL, NULL, NULL, 0, x.executed_at, x.executed_at FROM exit_case x WHERE x.tenant_id = $1 "
    "AND x.distributor_id = $2 AND x.quote ->> 'currency' = $3 AND x.executed_at IS NOT NULL",
)
_DEBITS = (
    "SELECT 'PAYOUT' AS kind, p.id, p.requested_minor AS amount_minor, p.requested_at AS at, p.status, p.batch_id, "
    "b.number AS batch_number, b.provider, p.provider_reference, p.finished_at FROM payout p "
    "LEFT JOIN payout_batch b ON b.tenant_id = p.tenant_id AND b.id = p.batch_id WHERE p.tenant_id = $1 "
    "AND p.distributor_id = $2 AND p.currency = $3 AND p.status NOT IN ('failed', 'cancelled')",
    "SELECT 'RETURN', v.return_id, v.amount_minor, v.reversed_at, NULL, NULL, NULL, NULL, NULL, NULL "
    "FROM commission_reversal v WHERE v.tenant_id = $1 AND v.beneficiary_id = $2 AND v.currency = $3 "
    "AND v.account = 'settled'",
    "SELECT 'CANCELLATION', v.order_id, v.amount_minor, v.evened_at, NULL, NULL, NULL, NULL, NULL, NULL "
    "FROM commission_evening v WHERE v.tenant_id = $1 AND v.beneficiary_id = $2 AND v.currency = $3 "
    "AND v.account = 'settled'",
    "SELECT upper(j.kind), j.id, -j.amount_minor, s.created_at, j.status, NULL, NULL, NULL, NULL, NULL "
    f"FROM adjustment j {_SETTLED.format('j')} WHERE j.tenant_id = $1 AND j.distributor_id = $2 AND j.currency = $3 "
    "AND j.amount_minor < 0 AND j.status = 'settled'",
)


async def _shares_of(tx: Tx, owner: DistributorId) -> list[Share]:
    """Everything that one distributor was ever given, in the order of its statements, with what was taken of it."""
    currency = (await this_brand()).currency
    args = (tx.tenant_id, owner, currency)
    given = await _read(tx, f"SELECT * FROM ({' UNION ALL '.join(_CREDITS)}) AS c ORDER BY at, then_at, id", *args)
    taken = await _read(tx, f"SELECT * FROM ({' UNION ALL '.join(_DEBITS)}) AS d ORDER BY at, id", *args)
    given.sort(key=lambda row: row["at"] is None)  # what is on no statement yet comes last, and nothing takes of it
    moved = await _movements(tx, owner)
    settled = [row["amount_minor"] for row in given if row["at"] is not None]
    uses: dict[int, list[Use]] = {}
    for part in first_in_first_out(settled, [row["amount_minor"] for row in taken]):
        uses.setdefault(part.credit, []).append(_use(taken[part.debit], part.amount_minor, moved))
    return [_share(row, owner, currency, uses.get(at, []), moved) for at, row in enumerate(given)]


_MOMENTS = {"at", "then_at", "finished_at"}


async def _read(tx: Tx, sql: str, *args: object) -> list[dict[str, Any]]:
    """Rows with identifiers and moments as what they are: SQLite answers text where statements are put together."""

    def read(name: str, value: Any) -> Any:
        if name in _MOMENTS:
            return as_time(value)
        return UUID(str(value)) if value is not None and (name == "id" or name.endswith("_id")) else value

    return [{name: read(name, value) for name, value in row.items()} for row in await tx.rows(sql, *args)]


_Moved = dict[tuple[str, UUID], UUID]


async def _movements(tx: Tx, owner: DistributorId) -> _Moved:
    """The movements in the ledger that name this owner, by what they are about."""
    rows = await tx.rows(
        "SELECT DISTINCT t.id, t.kind, t.reference_id FROM ledger_entry e JOIN ledger_transaction t "
        "ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id WHERE e.tenant_id = $1 AND e.owner_id = $2",
        tx.tenant_id,
        owner,
    )
    return {(row["kind"], row["reference_id"]): row["id"] for row in rows}


def _use(row: dict[str, Any], amount_minor: int, moved: _Moved) -> Use:
    kinds = {
        "PAYOUT": "payout_request",
        "RETURN": "clawback",
        "CANCELLATION": "clawback",
        "ADJUSTMENT": "adjustment",
        "PENALTY": "penalty",
    }
    kind = "payout_paid" if row["status"] == "paid" else kinds[row["kind"]]
    return Use(**{**row, "amount_minor": amount_minor}, transaction_id=moved.get((kind, row["id"])))


def _share(row: dict[str, Any], owner: DistributorId, currency: str, uses: Sequence[Use], moved: _Moved) -> Share:
    own = row["kind"].lower() if row["kind"] not in {"COMMISSION", "AWARD"} else None
    about = row["id"] if own else row["settlement_id"]
    values = {name: value for name, value in row.items() if name not in {"at", "then_at"}}
    return Share(
        **values,
        distributor_id=owner,
        currency=currency,
        release_id=moved.get(("release", row["order_id"])) if row["kind"] == "COMMISSION" else None,
        transaction_id=moved.get((own or "settlement", about)) if about else None,
        uses=uses,
    )
