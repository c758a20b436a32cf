"""What a closing would write, as SQL of sets and a rule for each statement: shared by closing and by looking ahead."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from saas.base.db import Tx
from saas.commissions import maturity
from saas.ledger.rules import PAYOUT_KINDS
from saas.performance import settling
from saas.settlement import adjusted
from saas.settlement.rules import Carried, Draft, Period, SettlementPolicy, draft

EARNED_COLUMNS = (
    "owner_id uuid PRIMARY KEY, lines bigint, commission_minor bigint, awards_minor bigint, adjusted_minor bigint, "
    "penalties_minor bigint"
)
"""The columns of a scratch table of what a closing brings each distributor."""

DRAFTED_COLUMNS = (
    f"{EARNED_COLUMNS}, balance_minor bigint, debt_minor bigint, closing_minor bigint, stated_minor bigint, "
    f"payouts_minor bigint, status text"
)
"""The same beside what its statement also depends on."""

PAGE = 5_000
"""Statements made at a time: enough to be fast, few enough to be carried."""

_PAYOUTS = ", ".join(f"'{kind}'" for kind in PAYOUT_KINDS)


def earned(commission: str, awards: str, adjustments: str) -> str:
    """SQL of what comes from three statements, each of (owner_id, amount_minor).

    The first has ``lines`` too, the last ``penalties_minor`` apart from what adjustments come to.
    """
    return (
        f"SELECT owner_id, CAST(sum(lines) AS bigint) AS lines, CAST(sum(commission_minor) AS bigint) "
        f"AS commission_minor, CAST(sum(awards_minor) AS bigint) AS awards_minor, "
        f"CAST(sum(adjusted_minor) AS bigint) AS adjusted_minor, CAST(sum(penalties_minor) AS bigint) "
        f"AS penalties_minor FROM ("
        f"SELECT owner_id, lines, amount_minor AS commission_minor, 0 AS awards_minor, 0 AS adjusted_minor, "
        f"0 AS penalties_minor FROM ({commission}) AS c "
        f"UNION ALL SELECT owner_id, 0, 0, amount_minor, 0, 0 FROM ({awards}) AS a "
        f"UNION ALL SELECT owner_id, 0, 0, 0, amount_minor, penalties_minor FROM ({adjustments}) AS j) AS parts "
        f"GROUP BY owner_id"
    )


DUE = earned(maturity.DUE, settling.DUE, adjusted.DUE)
"""SQL of what closing a period would bring each distributor as things are: currency ``$2``, end ``$3``."""


def drafted(brought: str) -> str:
    """SQL of everything a statement depends on, for each row of ``brought`` in the currency ``$2``.

    Each statement opens where the one before closed, so all of their movements add up to the last closing.
    """
    balance = "LEFT JOIN balance {0} ON {0}.tenant_id = $1 AND {0}.owner_id = o.owner_id AND {0}.currency = $2"
    return (
        f"SELECT o.owner_id, o.lines, o.commission_minor, o.awards_minor, o.adjusted_minor, o.penalties_minor, "
        f"coalesce(b.amount_minor, 0) AS balance_minor, -coalesce(d.amount_minor, 0) AS debt_minor, "
        f"coalesce(s.closing_minor, 0) AS closing_minor, coalesce(s.payout_minor, 0) AS stated_minor, "
        f"coalesce(p.amount_minor, 0) AS payouts_minor, w.status FROM {brought} AS o "
        f"JOIN distributor w ON w.tenant_id = $1 AND w.id = o.owner_id "
        f"{balance.format('b')} AND b.account = 'settled' {balance.format('d')} AND d.account = 'debt' "
        f"LEFT JOIN (SELECT distributor_id, CAST(sum(closing_minor - opening_minor) AS bigint) AS closing_minor, "
        f"CAST(sum(payout_minor) AS bigint) AS payout_minor FROM statement WHERE tenant_id = $1 AND currency = $2 "
        f"GROUP BY distributor_id) AS s ON s.distributor_id = o.owner_id "
        f"LEFT JOIN (SELECT e.owner_id, CAST(sum(e.amount_minor) AS bigint) AS amount_minor FROM ledger_transaction t "
        f"JOIN ledger_entry e ON e.tenant_id = t.tenant_id AND e.transaction_id = t.id AND e.account = 'settled' "
        f"AND e.currency = $2 WHERE t.tenant_id = $1 AND t.kind IN ({_PAYOUTS}) GROUP BY e.owner_id) AS p "
        f"ON p.owner_id = o.owner_id"
    )


async def drafts_due(tx: Tx, policy: SettlementPolicy, period: Period) -> AsyncGenerator[Sequence[Draft], None]:
    """The statements that closing a period would write as things are, a part at a time."""
    sql = f"{drafted(f'({DUE})')} ORDER BY o.owner_id"
    async with aclosing(tx.batches(sql, tx.tenant_id, policy.currency, period.until, size=PAGE)) as parts:
        async for part in parts:
            yield [drawn(policy, *row) for row in part]


def drawn(
    policy: SettlementPolicy,
    owner_id: Any,
    lines: int,
    commission_minor: int,
    awards_minor: int,
    adjusted_minor: int,
    penalties_minor: int,
    balance_minor: int,
    debt_minor: int,
    closing_minor: int,
    stated_minor: int,
    payouts_minor: int,
    status: str,
) -> Draft:
    """A statement from a row of ``drafted``."""
    return draft(
        owner_id,
        lines=lines,
        commission_minor=commission_minor,
        awards_minor=awards_minor,
        adjusted_minor=adjusted_minor,
        penalties_minor=penalties_minor,
        carried=Carried(closing_minor, stated_minor),
        balance_minor=balance_minor,
        payouts_minor=payouts_minor,
        debt_minor=debt_minor,
        recovery_bps=policy.recovery_bps,
        leaves=status == "exited",
    )
