"""Failed log-ins in the audit log of the brand they were meant for: by nobody known, masked, and few enough to be read.

Whoever fails is told the same whether the name is known or not, so the same statements are run for both. So many lines
an hour and no more, since anybody may knock: the first line of a later hour says how many were left out.
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from saas.base import clock
from saas.base.db import transaction
from saas.base.vault import keyed_hash
from tenants import audit
from tenants.actors import system
from tenants.throttle import Count, locked, store

ACTOR = "unknown"
LINES_MOST = 100
WINDOW = timedelta(hours=1)


async def tell(login: str, *, why: str, address: str | None, member_id: UUID | None) -> None:
    """Write a line, unless there are enough; its subject is the account, where the name is one.

    Must be called outside of the transaction that failed. ``login`` is the normal form of what was typed, which may be
    anything, a password too.
    """
    async with transaction() as tx:
        now, counted = clock.now(), keyed_hash("told", "failed log-ins")
        before = (await locked([counted], now))[counted]
        over = now >= before.window_from + WINDOW
        after = Count(failures=1, window_from=now) if over else replace(before, failures=before.failures + 1)
        await store(counted, after)
        if after.failures > LINES_MOST:
            return
        left_out = max(0, before.failures - LINES_MOST) if over else 0
        whence = {"from": keyed_hash("address", address)[:12]} if address else {}
        await audit.record(
            system(tx.tenant_id, ACTOR),
            "session.log_in_failed",
            None if member_id is None else str(member_id),
            login=masked(login),
            why=why,
            **whence,
            **({"left_out": left_out} if left_out else {}),
        )


def masked(login: str) -> str:
    """The first character, of names that are long enough to be hidden behind it."""
    return f"{login[:1]}***" if len(login) > 2 else "***"
