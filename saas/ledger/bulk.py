"""Money that moves between two accounts of very many distributors at once, posted by the database itself.

What ``post`` does for a handful of postings, for as many as a settlement has: no row passes through this process.
"""

from saas.base import clock
from saas.base.db import ConstraintViolated, Tx
from saas.events.commands import NO_AMOUNT, tell_selected
from saas.events.rules import EventKind
from saas.ledger.rules import Account, Kind, ReferenceKind

MOVE_COLUMNS = (
    "transaction_id uuid, reference_id uuid, key text, effective_at timestamptz, owner_id uuid, currency text, "
    "amount_minor bigint"
)
"""The columns of a scratch table of moves: each above zero, those of one transaction with one key and moment."""

ADDED = (
    "(tenant_id, owner_id, account, currency) DO UPDATE SET amount_minor = balance.amount_minor + excluded.amount_minor"
)
"""A balance that is there grows by the one proposed."""

HELD = "(tenant_id, owner_id, account, currency) DO UPDATE SET amount_minor = 0 WHERE false"
"""A balance that is there is locked as it is."""


async def hold_balances(tx: Tx, wanted: str, *args: object) -> None:
    """Hold the balances that the statement ``wanted`` selects: distinct (owner_id, currency, account).

    Its arguments begin at ``$2``.

    Once, before anything is posted, with every account that will be touched: everybody takes balances in this order.
    Where there is one writer it holds them all already, and nothing is written.
    """
    if not tx.for_update:
        return
    await tx.execute(
        f"INSERT INTO balance (tenant_id, owner_id, account, currency, amount_minor) "
        f"SELECT $1, owner_id, account, currency, 0 FROM ({wanted}) AS w "
        f"WHERE true ORDER BY owner_id, account, currency ON CONFLICT {HELD}",
        tx.tenant_id,
        *args,
    )


async def post_moves(tx: Tx, moves: str, kind: Kind, about: ReferenceKind, source: Account, target: Account) -> None:
    """Post every move of the scratch table ``moves`` from ``source`` to ``target``; their balances are held already.

    A key that was posted before is a mistake of the caller, and the database refuses it.
    """
    await tx.execute(
        f"INSERT INTO ledger_transaction (tenant_id, id, kind, reference_kind, reference_id, idempotency_key, "
        f"input_hash, effective_at, recorded_at) SELECT $1, transaction_id, '{kind}', '{about}', reference_id, key, "
        f"{tx.sha256(_content(kind, source, target))}, effective_at, $2 "
        f"FROM (SELECT transaction_id, reference_id, key, effective_at, count(*) AS moves, "
        f"CAST(sum(amount_minor) AS bigint) AS amount_minor FROM {moves} "
        f"GROUP BY transaction_id, reference_id, key, effective_at) AS m ORDER BY transaction_id",
        tx.tenant_id,
        clock.now(),
    )
    await tx.execute(
        f"INSERT INTO ledger_entry "
        f"(tenant_id, transaction_id, entry_no, account, owner_id, currency, amount_minor, effective_at) "
        f"SELECT $1, m.transaction_id, 2 * m.no - s.step, s.account, m.owner_id, m.currency, s.sign * m.amount_minor, "
        f"m.effective_at FROM (SELECT transaction_id, owner_id, currency, amount_minor, effective_at, "
        f"row_number() OVER (PARTITION BY transaction_id ORDER BY owner_id, currency) AS no FROM {moves}) AS m "
        f"CROSS JOIN (SELECT '{source}' AS account, -1 AS sign, 1 AS step "
        f"UNION ALL SELECT '{target}', 1, 0) AS s WHERE true",
        tx.tenant_id,
    )
    await _move_balances(tx, moves, source, target)


def _content(kind: Kind, source: Account, target: Account) -> str:
    """SQL of what a transaction says, so that another one under its key is told from it."""
    said = ("reference_id", "key", "effective_at", "moves", "amount_minor")
    return f"'{kind} {source} {target} ' || " + " || ' ' || ".join(f"CAST({part} AS text)" for part in said)


async def _move_balances(tx: Tx, moves: str, source: Account, target: Account) -> None:
    """Add what goes up, then take what goes down: a CHECK sees a proposed row before it sees the one that is there."""
    sums = (
        f"SELECT owner_id, currency, CAST(sum(amount_minor) AS bigint) AS amount_minor FROM {moves} "
        f"GROUP BY owner_id, currency"
    )
    raised = await tx.execute(
        f"INSERT INTO balance (tenant_id, owner_id, account, currency, amount_minor) "
        f"SELECT $1, owner_id, '{target}', currency, amount_minor FROM ({sums}) AS m "
        f"WHERE true ORDER BY owner_id ON CONFLICT {ADDED}",
        tx.tenant_id,
    )
    lowered = await tx.execute(
        f"UPDATE balance SET amount_minor = balance.amount_minor - m.amount_minor FROM ({sums}) AS m "
        f"WHERE balance.tenant_id = $1 AND balance.owner_id = m.owner_id AND balance.account = '{source}' "
        f"AND balance.currency = m.currency",
        tx.tenant_id,
    )
    if raised != lowered:
        raise ConstraintViolated(f"{raised} balances rose and {lowered} fell")
    owners = f"SELECT DISTINCT owner_id AS distributor_id, owner_id AS subject_id, {NO_AMOUNT} FROM {moves}"
    await tell_selected(tx, EventKind.BALANCE_CHANGED, owners)
