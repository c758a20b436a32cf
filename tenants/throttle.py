"""Slowing down those who guess: failed log-ins are counted by login and by address.

An attempt is counted as failed before the password is looked at, in a transaction of its own, and forgiven when it
turns out right. So twenty guesses at once count twenty, and a request that is cancelled or rolled back counts too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from saas.base import clock
from saas.base.db import transaction
from saas.base.db.tx import current_tx, open_tx
from saas.base.ids import new_id
from saas.base.settings import get_settings
from saas.base.vault import keyed_hash
from tenants.errors import LoginThrottled

WINDOW = timedelta(days=1)
WAIT_MAX_SECONDS = 3600
ADDRESS_FACTOR = 10
"""An address may stand for a whole office, so it is allowed that many times the failures of a login."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The failures of a login or an address since ``window_from``, and until when it has to wait."""

    failures: int
    window_from: datetime
    blocked_until: datetime | None = None

    def wait_seconds(self, now: datetime) -> int:
        """Whole seconds left to wait, rounded up; 0 when an attempt is allowed."""
        if self.blocked_until is None or self.blocked_until <= now:
            return 0
        return -(-(self.blocked_until - now) // timedelta(seconds=1))

    def one_more(self, now: datetime, *, allowed: int, first_wait_seconds: int) -> "Count":
        """The count after another failure. From the ``allowed``-th on each one doubles the wait, up to an hour.

        Failures older than a day are forgotten with their window.
        """
        expired = now >= self.window_from + WINDOW
        failures = 1 if expired else self.failures + 1
        blocked_until = None
        if failures >= allowed:
            doubled = first_wait_seconds << min(failures - allowed, 12)
            blocked_until = now + timedelta(seconds=min(doubled, WAIT_MAX_SECONDS))
        return Count(failures=failures, window_from=now if expired else self.window_from, blocked_until=blocked_until)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt; ``forgive`` it when it succeeds."""

    login: str
    address: str | None

    async def forgive(self) -> None:
        """Forget the failures of the login, and this attempt's of the address; joins the running transaction.

        An address keeps its other failures: a guesser with an account of his own could wipe them otherwise.
        """
        tx = current_tx()
        remaining = {self.login: "0"} | ({self.address: "failures - 1"} if self.address else {})
        for subject in sorted(remaining):
            await tx.execute(
                f"UPDATE login_throttle SET failures = {remaining[subject]}, blocked_until = NULL "
                f"WHERE tenant_id = $1 AND subject_hash = $2 AND failures > 0",
                tx.tenant_id,
                subject,
            )


async def attempt(login: str, address: str | None) -> Attempt:
    """Count an attempt for the active tenant. Raises ``LoginThrottled`` when login or address has to wait.

    Must be called outside of a transaction, because what it counts has to stay.
    """
    if (outer := open_tx()) is not None and outer.owned_by_caller():
        raise RuntimeError("log-ins are counted in a transaction of their own; call this outside of one")
    settings = get_settings()
    subject = keyed_hash("login", login)
    allowed = {subject: settings.login_attempts}
    counted = Attempt(subject, keyed_hash("address", address) if address else None)
    if counted.address:
        allowed[counted.address] = settings.login_attempts * ADDRESS_FACTOR
    async with transaction():
        now = clock.now()
        before = await locked(sorted(allowed), now)
        wait_seconds = max(count.wait_seconds(now) for count in before.values())
        if wait_seconds:
            raise LoginThrottled(seconds=wait_seconds)
        for hash_, count in before.items():
            wait = settings.login_wait_seconds
            await store(hash_, count.one_more(now, allowed=allowed[hash_], first_wait_seconds=wait))
    return counted


async def locked(subjects: Sequence[str], now: datetime) -> dict[str, Count]:
    """The counts of these subjects, made when missing, locked in the order everybody takes; joins the transaction."""
    tx = current_tx()
    fresh = [(new_id(), subject, 0, now) for subject in subjects]
    columns = ("id", "subject_hash", "failures", "window_from")
    await tx.insert_many("login_throttle", columns, fresh, or_ignore=True)
    rows = await tx.rows(
        f"SELECT subject_hash, failures, window_from, blocked_until FROM login_throttle "
        f"WHERE tenant_id = $1 AND subject_hash {tx.within(2, 'text')} ORDER BY subject_hash{tx.for_update}",
        tx.tenant_id,
        subjects,
    )
    return {
        row["subject_hash"]: Count(
            failures=row["failures"], window_from=row["window_from"], blocked_until=row["blocked_until"]
        )
        for row in rows
    }


async def store(subject: str, count: Count) -> None:
    """Write a count that was ``locked``; joins the running transaction."""
    tx = current_tx()
    await tx.execute(
        "UPDATE login_throttle SET failures = $3, window_from = $4, blocked_until = $5 "
        "WHERE tenant_id = $1 AND subject_hash = $2",
        tx.tenant_id,
        subject,
        count.failures,
        count.window_from,
        count.blocked_until,
    )
