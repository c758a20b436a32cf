"""Commission whose hold is over becomes available, at the moment its hold ended (docs/rules.md §6)."""

from datetime import UTC, datetime

from saas.base import clock
from saas.base.db import Tx, transaction
from saas.commissions import maturity
from saas.events.commands import tell_selected
from saas.events.rules import EventKind
from saas.jobs.worker import Report
from saas.ledger.bulk import MOVE_COLUMNS, hold_balances, post_moves
from saas.ledger.rules import Account, Kind
from saas.notifications.commands import announce
from saas.notifications.rules import commission_available
from tenants import audit
from tenants.actors import Actor

RELEASE_BATCH = {"postgresql": 50_000, "sqlite": 200_000}
"""Commission rows released in one transaction: little to do again after a crash, and others wait for seconds.

On SQLite each batch writes most pages of the same indexes once more, so there are fewer of them.
"""

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)

HELD = (
    "SELECT DISTINCT d.beneficiary_id AS owner_id, d.currency, a.account FROM {due} d "
    "CROSS JOIN (SELECT 'available' AS account UNION ALL SELECT 'pending') AS a"
)
"""SQL of the balances that a release moves."""


async def release_due(actor: Actor, *, dry_run: bool = False, report: Report | None = None) -> int:
    """Make all commission available whose hold is over; answers how many rows were, or would be.

    Batch by batch, each in its own transaction, so it may be stopped anywhere and run again, or run twice at once;
    ``report`` is told between them how many there were, and of how many.
    """
    now, since = clock.now(), _EARLIEST
    if dry_run:
        return await maturity.count_due(now)
    total = 0 if report is None else await maturity.count_due(now)
    released = 0
    while True:
        if report is not None:
            await report(released, max(total, released))
        async with transaction() as tx, tx.scratch("due", maturity.DUE_COLUMNS):
            most = RELEASE_BATCH[tx.kind]
            taken = await maturity.take_due(tx, "due", now, since, most)
            if taken:
                await tx.weigh("due")
                await hold_balances(tx, HELD.format(due="due"))
                await release(tx, "due", taken)
                await _tell(tx, "due")
                await audit.record(actor, "commission.release", count=taken)
                # The next batch begins where this one ended: what it changed is not walked over again.
                last = await tx.row("SELECT hold_until FROM due ORDER BY hold_until DESC LIMIT 1")
                since = last["hold_until"] if last else since
        released += taken
        if taken < most:
            return released


async def _tell(tx: Tx, due: str) -> None:
    """Have those who can log in told what became available."""
    rows = await tx.rows(
        f"SELECT d.beneficiary_id, d.currency, CAST(sum(d.amount_minor) AS bigint) AS amount_minor FROM {due} d "
        f"JOIN member m ON m.tenant_id = $1 AND m.distributor_id = d.beneficiary_id AND m.status = 'active' "
        f"GROUP BY d.beneficiary_id, d.currency",
        tx.tenant_id,
    )
    await announce([commission_available(row["beneficiary_id"], row["amount_minor"], row["currency"]) for row in rows])


async def release(tx: Tx, due: str, count: int) -> None:
    """Release the ``count`` rows of a scratch table whose balances are held.

    One movement for each order and end of its hold, effective at that moment however late it is noticed.
    """
    await maturity.make_available(tx, due, count)
    owners = (
        f"SELECT beneficiary_id AS distributor_id, beneficiary_id AS subject_id, "
        f"CAST(sum(amount_minor) AS bigint) AS amount_minor, currency FROM {due} GROUP BY beneficiary_id, currency"
    )
    await tell_selected(tx, EventKind.COMMISSION_AVAILABLE, owners)
    groups = "order_id uuid, hold_until timestamptz, transaction_id uuid, key text, PRIMARY KEY (order_id, hold_until)"
    async with tx.scratch("release", groups), tx.scratch("released", MOVE_COLUMNS):
        # A row is released once, and the least of its movement names it.
        await tx.execute(
            f"INSERT INTO release (order_id, hold_until, transaction_id, key) SELECT order_id, hold_until, "
            f"{tx.new_id}, 'release:' || min(CAST(id AS text)) FROM {due} GROUP BY order_id, hold_until"
        )
        await tx.weigh("release")
        await tx.execute(
            f"INSERT INTO released "
            f"(transaction_id, reference_id, key, effective_at, owner_id, currency, amount_minor) "
            f"SELECT r.transaction_id, d.order_id, r.key, d.hold_until, d.beneficiary_id, d.currency, "
            f"sum(d.amount_minor) FROM {due} d JOIN release r ON r.order_id = d.order_id "
            f"AND r.hold_until = d.hold_until GROUP BY r.transaction_id, d.order_id, r.key, d.hold_until, "
            f"d.beneficiary_id, d.currency"
        )
        await tx.weigh("released")
        await post_moves(tx, "released", Kind.RELEASE, "order", Account.PENDING, Account.AVAILABLE)
