"""The books, checked against everything they must agree with (docs/rules.md §5).

Each check is one statement that finds what is wrong and nothing else. They read the tables of other features on
purpose: what they compare is the ledger with the rest of the house, and they trust no code of it.
"""

from collections.abc import Awaitable, Callable, Sequence

from saas.base.checks import Violation, violations
from saas.base.db import reading
from saas.ledger.returned import returns_add_up
from saas.ledger.rules import AWARD_KINDS, DECIDED_KINDS, EARNING_KINDS, PAYOUT_KINDS, REVERSING_KINDS, Kind


def _listed(kinds: Sequence[Kind]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def _agreeing(*sides: tuple[str, str]) -> str:
    """SQL that sets two sets of sums by (owner, currency) side by side; each side is (column, statement)."""
    union = " UNION ALL ".join(
        f"SELECT owner_id, currency, {', '.join(f'{amount} AS {name}' for name, amount in _columns(column))} "
        f"FROM ({statement}) AS side_{column}"
        for column, statement in sides
    )
    return (
        f"SELECT CAST(owner_id AS text) || ' ' || currency AS subject, sum(expected) AS expected, "
        f"sum(actual) AS actual FROM ({union}) AS both_sides GROUP BY owner_id, currency"
    )


def _columns(column: str) -> list[tuple[str, str]]:
    return [(name, "amount_minor" if name == column else "0") for name in ("expected", "actual")]


def _entries(account: str, *kinds: Kind, sign: str = "") -> str:
    """Sums of a distributor account's entries, of some kinds when given, as (owner_id, currency, amount_minor)."""
    narrowed = f" AND t.kind IN ({_listed(kinds)})" if kinds else ""
    return (
        f"SELECT e.owner_id, e.currency, {sign}sum(e.amount_minor) AS amount_minor FROM ledger_entry e "
        f"JOIN ledger_transaction t ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id "
        f"WHERE e.tenant_id = $1 AND e.owner_id IS NOT NULL AND e.account {account}{narrowed} "
        f"GROUP BY e.owner_id, e.currency"
    )


def _earned(status: str) -> str:
    """Sums of what was earned by orders and by periods, as far as it stands there."""
    return (
        f"SELECT owner_id, currency, sum(amount_minor) AS amount_minor FROM ({_commission(status)} UNION ALL "
        f"SELECT distributor_id, currency, amount_minor FROM award WHERE tenant_id = $1 AND status = '{status}'"
        f") AS earned_{status} GROUP BY owner_id, currency"
    )


_STATED = "amount_minor - reversed_minor + clawed_minor"
"""What is left of a row of commission; of a settled one, what was left when it was put on its statement."""


def _commission(status: str) -> str:
    return (
        f"SELECT beneficiary_id AS owner_id, currency, sum({_STATED}) AS amount_minor FROM commission "
        f"WHERE tenant_id = $1 AND status = '{status}' GROUP BY beneficiary_id, currency"
    )


def _balances(account: str) -> str:
    return f"SELECT owner_id, currency, amount_minor FROM balance WHERE tenant_id = $1 AND account = '{account}'"


async def transactions_balance() -> list[Violation]:
    """The entries of each transaction add up to zero in each currency, and so do all entries together."""
    return await violations(
        "transactions_balance",
        "SELECT CAST(transaction_id AS text) || ' ' || currency AS subject, 0 AS expected, "
        "sum(amount_minor) AS actual FROM ledger_entry WHERE tenant_id = $1 GROUP BY transaction_id, currency "
        "UNION ALL SELECT 'all ' || currency, 0, sum(amount_minor) FROM ledger_entry "
        "WHERE tenant_id = $1 GROUP BY currency",
    )


async def transactions_have_entries() -> list[Violation]:
    """No transaction is empty."""
    return await violations(
        "transactions_have_entries",
        "SELECT t.id AS subject, 1 AS expected, 0 AS actual FROM ledger_transaction t WHERE t.tenant_id = $1 "
        "AND NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.tenant_id = t.tenant_id AND e.transaction_id = t.id)",
    )


async def balances_rederive() -> list[Violation]:
    """The table of balances is exactly what the entries add up to."""
    return await violations(
        "balances_rederive",
        "SELECT CAST(owner_id AS text) || ' ' || account || ' ' || currency AS subject, "
        "sum(expected) AS expected, sum(actual) AS actual FROM ("
        "SELECT owner_id, account, currency, amount_minor AS expected, 0 AS actual FROM ledger_entry "
        "WHERE tenant_id = $1 AND owner_id IS NOT NULL "
        "UNION ALL SELECT owner_id, account, currency, 0, amount_minor FROM balance WHERE tenant_id = $1"
        ") AS sides GROUP BY owner_id, account, currency",
    )


async def available_within_earned() -> list[Violation]:
    """What became available, wherever it went since, is at most what was accrued less what was reversed.

    A debt that was written off counts as given, and so does what somebody decided.
    """
    decided = (Kind.WRITE_OFF, *DECIDED_KINDS)
    earned = _entries("IS NOT NULL", *EARNING_KINDS, Kind.BUY_BACK, *REVERSING_KINDS, *decided)
    held = _entries("IN ('available', 'settled', 'payout', 'debt')")
    paid = _entries("= 'payout'", Kind.PAYOUT_PAID, sign="-")
    passed_on = (
        f"SELECT owner_id, currency, sum(amount_minor) AS amount_minor FROM ({held} UNION ALL {paid}) AS held_or_paid "
        f"GROUP BY owner_id, currency"
    )
    return await _at_most("available_within_earned", passed_on, earned)


async def paid_within_settled() -> list[Violation]:
    """What was paid is at most what was settled, with what adjustments and lifted penalties gave."""
    paid = _entries("= 'payout'", Kind.PAYOUT_PAID, sign="-")
    given = _entries("= 'settled' AND e.amount_minor > 0", *DECIDED_KINDS)
    settled = _entries("= 'settled'", Kind.BUY_BACK, Kind.SETTLEMENT)
    both = (
        f"SELECT owner_id, currency, sum(amount_minor) AS amount_minor FROM ({settled} UNION ALL {given}) AS given "
        f"GROUP BY owner_id, currency"
    )
    return await _at_most("paid_within_settled", paid, both)


async def _at_most(check: str, smaller: str, larger: str) -> list[Violation]:
    agreeing = _agreeing(("actual", smaller), ("expected", larger))
    return await violations(
        check, f"SELECT subject, expected, actual FROM ({agreeing}) AS sums WHERE actual > expected"
    )


async def earnings_have_ground() -> list[Violation]:
    """Nothing is earned without a paid order or an award, settled without a period, or paid without a payout."""
    behind = {
        (Kind.ACCRUAL,): "SELECT 1 FROM sales_order o WHERE o.tenant_id = t.tenant_id AND o.id = t.reference_id "
        "AND o.paid_at IS NOT NULL",
        AWARD_KINDS: "SELECT 1 FROM award a JOIN period_close p ON p.tenant_id = a.tenant_id AND p.id = a.close_id "
        "WHERE a.tenant_id = t.tenant_id AND a.id = t.reference_id AND a.amount_minor = (SELECT sum(e.amount_minor) "
        "FROM ledger_entry e WHERE e.tenant_id = t.tenant_id AND e.transaction_id = t.id "
        "AND e.owner_id = a.distributor_id)",
        (Kind.SETTLEMENT,): "SELECT 1 FROM settlement s WHERE s.tenant_id = t.tenant_id AND s.id = t.reference_id",
        (Kind.CLAWBACK,): "SELECT 1 FROM return_case r WHERE r.tenant_id = t.tenant_id AND r.id = t.reference_id "
        "AND r.received_at IS NOT NULL UNION ALL SELECT 1 FROM sales_order o WHERE o.tenant_id = t.tenant_id "
        "AND o.id = t.reference_id AND o.status = 'cancelled'",
        (Kind.WRITE_OFF,): "SELECT 1 FROM write_off w WHERE w.tenant_id = t.tenant_id AND w.id = t.reference_id "
        "AND w.status = 'approved' AND w.amount_minor = (SELECT sum(e.amount_minor) FROM ledger_entry e "
        "WHERE e.tenant_id = t.tenant_id AND e.transaction_id = t.id AND e.owner_id = w.distributor_id)",
        DECIDED_KINDS: "SELECT 1 FROM adjustment j WHERE j.tenant_id = t.tenant_id AND j.id = t.reference_id "
        "AND j.kind = t.kind AND j.status = 'settled' "
        "AND j.amount_minor = (SELECT sum(e.amount_minor) FROM ledger_entry e "
        "WHERE e.tenant_id = t.tenant_id AND e.transaction_id = t.id AND e.owner_id = j.distributor_id)",
        (Kind.BUY_BACK,): "SELECT 1 FROM exit_case x WHERE x.tenant_id = t.tenant_id AND x.id = t.reference_id "
        "AND x.executed_at IS NOT NULL",
        (*PAYOUT_KINDS, Kind.PAYOUT_PAID): "SELECT 1 FROM payout p WHERE p.tenant_id = t.tenant_id "
        "AND p.id = t.reference_id",
    }
    return await violations(
        "earnings_have_ground",
        " UNION ALL ".join(
            f"SELECT t.kind || ' ' || CAST(t.id AS text) AS subject, 1 AS expected, 0 AS actual "
            f"FROM ledger_transaction t WHERE t.tenant_id = $1 AND t.kind IN ({_listed(kinds)}) "
            f"AND NOT EXISTS ({ground})"
            for kinds, ground in behind.items()
        ),
    )


async def commission_agrees() -> list[Violation]:
    """The rows of commission and awards and the accounts say the same: pending, available, and settled so far."""
    found = []
    for status, account in (
        ("pending", _balances("pending")),
        ("available", _balances("available")),
        ("settled", _entries("= 'settled'", Kind.SETTLEMENT)),
    ):
        found += await violations(
            f"commission_agrees_{status}", _agreeing(("expected", _earned(status)), ("actual", account))
        )
    return found


async def statements_add_up() -> list[Violation]:
    """Each statement is the sum of its lines, and each settlement the sum of its statements."""
    return await violations(
        "statements_add_up",
        "SELECT s.number AS subject, s.commission_minor AS expected, coalesce((SELECT "
        "sum(c.amount_minor - c.reversed_minor + c.clawed_minor) FROM commission c WHERE c.tenant_id = s.tenant_id "
        "AND c.statement_id = s.id), 0) AS actual "
        "FROM statement s WHERE s.tenant_id = $1 "
        "UNION ALL SELECT s.number || ' awards', s.awards_minor, coalesce((SELECT sum(a.amount_minor) "
        "FROM award a WHERE a.tenant_id = s.tenant_id AND a.statement_id = s.id), 0) "
        "FROM statement s WHERE s.tenant_id = $1 "
        + "".join(
            f"UNION ALL SELECT s.number || ' {kind}', s.{column}, coalesce((SELECT sum(j.amount_minor) "
            f"FROM adjustment j WHERE j.tenant_id = s.tenant_id AND j.statement_id = s.id AND j.kind = '{kind}'), 0) "
            f"FROM statement s WHERE s.tenant_id = $1 "
            f"UNION ALL SELECT r.label || ' {kind}', r.{column}, coalesce((SELECT sum(s.{column}) "
            f"FROM statement s WHERE s.tenant_id = r.tenant_id AND s.settlement_id = r.id), 0) "
            f"FROM settlement r WHERE r.tenant_id = $1 "
            for kind, column in ((Kind.ADJUSTMENT, "adjusted_minor"), (Kind.PENALTY, "penalties_minor"))
        )
        + "UNION ALL SELECT r.label || ' awards', r.awards_minor, coalesce((SELECT sum(s.awards_minor) "
        "FROM statement s WHERE s.tenant_id = r.tenant_id AND s.settlement_id = r.id), 0) "
        "FROM settlement r WHERE r.tenant_id = $1 "
        "UNION ALL SELECT r.label, r.commission_minor, coalesce((SELECT sum(s.commission_minor) "
        "FROM statement s WHERE s.tenant_id = r.tenant_id AND s.settlement_id = r.id), 0) "
        "FROM settlement r WHERE r.tenant_id = $1",
    )


async def penalties_lifted_once() -> list[Violation]:
    """What is given back of a penalty is all of it, once, to who paid it, and never before it was agreed to."""
    return await violations(
        "penalties_lifted_once",
        "SELECT CAST(p.id AS text) AS subject, CASE WHEN p.kind = 'penalty' AND p.lifts_id IS NULL "
        "AND p.status IN ('approved', 'settled') THEN -p.amount_minor ELSE 0 END AS expected, (SELECT "
        "sum(CASE WHEN l.distributor_id = p.distributor_id AND l.currency = p.currency THEN l.amount_minor ELSE 0 END) "
        "FROM adjustment l WHERE l.tenant_id = p.tenant_id AND l.lifts_id = p.id AND l.status <> 'rejected') AS actual "
        "FROM adjustment p WHERE p.tenant_id = $1 AND p.id IN (SELECT l.lifts_id FROM adjustment l "
        "WHERE l.tenant_id = $1 AND l.lifts_id IS NOT NULL AND l.status <> 'rejected')",
    )


async def periods_add_up() -> list[Violation]:
    """Each closed period is the sum of its awards."""
    return await violations(
        "periods_add_up",
        "SELECT p.length || ' ' || CAST(p.period_from AS text) AS subject, p.awards_minor AS expected, "
        "coalesce((SELECT sum(a.amount_minor) FROM award a WHERE a.tenant_id = p.tenant_id AND a.close_id = p.id), 0) "
        "AS actual FROM period_close p WHERE p.tenant_id = $1",
    )


async def payouts_agree() -> list[Violation]:
    """Payouts under way are what stands on the payout accounts, and paid ones what the ledger paid."""
    found = []
    for check, states, account in (
        ("payouts_agree_open", "'requested', 'batched', 'unknown', 'sent'", _balances("payout")),
        ("payouts_agree_paid", "'paid'", _entries("= 'payout'", Kind.PAYOUT_PAID, sign="-")),
    ):
        rows = (
            f"SELECT distributor_id AS owner_id, currency, sum(requested_minor) AS amount_minor FROM payout "
            f"WHERE tenant_id = $1 AND status IN ({states}) GROUP BY distributor_id, currency"
        )
        found += await violations(check, _agreeing(("expected", rows), ("actual", account)))
    return found


async def payouts_claim_once() -> list[Violation]:
    """A payout claims exactly its amount, once; what ended is paid or given back once; no entry serves two payouts."""
    claims = (
        ("claimed", (Kind.PAYOUT_REQUEST,), "p.requested_minor"),
        (
            "ended",
            (Kind.PAYOUT_CANCEL, Kind.PAYOUT_PAID, Kind.PAYOUT_FAILED),
            "CASE WHEN p.status IN ('paid', 'failed', 'cancelled') THEN -p.requested_minor ELSE 0 END",
        ),
    )
    found = []
    for said, kinds, expected in claims:
        booked = (
            f"SELECT e.tenant_id, t.reference_id, e.owner_id, e.currency, sum(e.amount_minor) AS amount_minor, "
            f"count(*) AS entries FROM ledger_transaction t JOIN ledger_entry e ON e.tenant_id = t.tenant_id "
            f"AND e.transaction_id = t.id AND e.account = 'payout' WHERE t.tenant_id = $1 "
            f"AND t.kind IN ({_listed(kinds)}) GROUP BY e.tenant_id, t.reference_id, e.owner_id, e.currency"
        )
        found += await violations(
            f"payouts_{said}_once",
            f"SELECT CAST(p.id AS text) AS subject, {expected} AS expected, coalesce((SELECT CASE "
            f"WHEN b.entries = 1 AND b.owner_id = p.distributor_id AND b.currency = p.currency "
            f"THEN b.amount_minor END FROM ({booked}) AS b WHERE b.reference_id = p.id), 0) AS actual "
            f"FROM payout p WHERE p.tenant_id = $1",
        )
    return found


async def debts_are_owed() -> list[Violation]:
    """The account of debts holds nothing in anybody's favour, and changes by recovery and write-offs alone."""
    found = await violations(
        "debts_are_owed",
        "SELECT CAST(owner_id AS text) || ' ' || currency AS subject, 0 AS expected, "
        "CASE WHEN amount_minor > 0 THEN amount_minor ELSE 0 END AS actual "
        "FROM balance WHERE tenant_id = $1 AND account = 'debt'",
    )
    moved = _entries("= 'debt'", *(kind for kind in Kind if kind not in {Kind.RECOVERY, Kind.WRITE_OFF}))
    return found + await violations(
        "debts_are_owed_moved",
        f"SELECT CAST(owner_id AS text) || ' ' || currency AS subject, 0 AS expected, amount_minor AS actual "
        f"FROM ({moved}) AS m",
    )


async def exited_earn_nothing() -> list[Violation]:
    """No order decided after an exit pays the one who left."""
    return await violations(
        "exited_earn_nothing",
        "SELECT CAST(c.id AS text) AS subject, 0 AS expected, c.amount_minor AS actual FROM commission c "
        "JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = c.order_id "
        "JOIN standing s ON s.tenant_id = c.tenant_id AND s.distributor_id = c.beneficiary_id "
        "AND s.status = 'exited' AND s.valid_until IS NULL AND s.valid_from < o.decided_at "
        "WHERE c.tenant_id = $1 AND c.amount_minor <> 0",
    )


CHECKS: Sequence[Callable[[], Awaitable[list[Violation]]]] = (
    transactions_balance,
    transactions_have_entries,
    balances_rederive,
    available_within_earned,
    paid_within_settled,
    earnings_have_ground,
    commission_agrees,
    statements_add_up,
    penalties_lifted_once,
    periods_add_up,
    payouts_agree,
    returns_add_up,
    payouts_claim_once,
    debts_are_owed,
    exited_earn_nothing,
)
"""All checks, the cheap ones on the ledger itself first."""


async def run_checks() -> list[Violation]:
    """Everything that is wrong with the books of the active tenant, seen at one moment; empty when they are sound."""
    async with reading():
        return [violation for check in CHECKS for violation in await check()]
