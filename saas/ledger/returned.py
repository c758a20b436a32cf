"""Returns, checked: pieces, refunds and commission taken back are parts that add up (docs/rules.md §4)."""

from saas.base.checks import Violation, violations


def _back(amount: str) -> str:
    """SQL of what the returned pieces of the line ``l`` stand for of an amount, half up."""
    return f"(2 * {amount} * l.returned + l.quantity) / (2 * l.quantity)"


_LINES = (
    "SELECT CAST(l.id AS text) AS line, l.quantity, l.amount_minor, l.claimed, l.returned, l.refunded_minor, "
    "coalesce(sum(r.quantity) FILTER (WHERE c.status NOT IN ('rejected', 'withdrawn')), 0) AS asked, "
    "coalesce(sum(r.quantity) FILTER (WHERE c.received_at IS NOT NULL), 0) AS back, "
    "coalesce(sum(r.refund_minor), 0) AS refunds FROM return_line r "
    "JOIN return_case c ON c.tenant_id = r.tenant_id AND c.id = r.return_id "
    "JOIN order_line l ON l.tenant_id = r.tenant_id AND l.id = r.line_id WHERE r.tenant_id = $1 "
    "GROUP BY l.id, l.quantity, l.amount_minor, l.claimed, l.returned, l.refunded_minor"
)
_PIECES = (
    f"SELECT line || ' claimed' AS subject, asked AS expected, claimed AS actual FROM ({_LINES}) AS l "
    f"UNION ALL SELECT line || ' returned', back, returned FROM ({_LINES}) AS l "
    f"UNION ALL SELECT line || ' refunded', refunds, refunded_minor FROM ({_LINES}) AS l "
    f"UNION ALL SELECT line || ' refund', {_back('l.amount_minor')}, refunded_minor FROM ({_LINES}) AS l"
)
_SHARES = (
    f"SELECT c.id AS subject, {_back('c.amount_minor')} AS expected, c.reversed_minor AS actual "
    f"FROM order_line l JOIN commission c ON c.tenant_id = l.tenant_id AND c.line_id = l.id "
    f"WHERE l.tenant_id = $1 AND l.returned > 0 AND c.evened_minor IS NULL "
    f"AND (c.status <> 'reversed' OR l.returned = l.quantity AND c.reversed_minor = c.amount_minor)"
)
_TAKEN = (
    "FROM (SELECT commission_id, account, amount_minor FROM commission_reversal WHERE tenant_id = $1 UNION ALL "
    "SELECT commission_id, account, amount_minor FROM commission_evening WHERE tenant_id = $1) AS taken"
)
_ROWS = (
    "SELECT CAST(c.id AS text) || ' ' || v.side AS subject, CASE v.side WHEN 'all' THEN c.reversed_minor "
    "ELSE c.clawed_minor END AS expected, v.amount_minor AS actual FROM ("
    "SELECT commission_id, 'all' AS side, sum(amount_minor) AS amount_minor "
    f"{_TAKEN} GROUP BY commission_id UNION ALL "
    "SELECT commission_id, 'settled', sum(CASE account WHEN 'settled' THEN amount_minor ELSE 0 END) "
    f"{_TAKEN} GROUP BY commission_id) AS v "
    "JOIN commission c ON c.tenant_id = $1 AND c.id = v.commission_id"
)
_BOOKED = (
    "SELECT v.cause_id AS subject, sum(v.amount_minor) AS expected, coalesce((SELECT "
    "sum(e.amount_minor) FROM ledger_transaction t JOIN ledger_entry e ON e.tenant_id = t.tenant_id "
    "AND e.transaction_id = t.id AND e.owner_id IS NULL WHERE t.tenant_id = $1 AND t.kind = 'clawback' "
    "AND t.reference_id = v.cause_id), 0) AS actual FROM ("
    "SELECT return_id AS cause_id, amount_minor FROM commission_reversal WHERE tenant_id = $1 UNION ALL "
    "SELECT order_id, amount_minor FROM commission_evening WHERE tenant_id = $1) AS v GROUP BY v.cause_id"
)


async def returns_add_up() -> list[Violation]:
    """Whatever the order of returns: pieces, refunds and commission taken back add up to what the pieces stand for.

    Every share of a line lost as much as belongs to the pieces that are back, unless an exit took the rest of it, and
    the ledger took back the same.
    """
    found = []
    for said, sql in (("pieces", _PIECES), ("shares", _SHARES), ("rows", _ROWS), ("ledger", _BOOKED)):
        found += await violations(f"returns_add_up_{said}", sql)
    return found
