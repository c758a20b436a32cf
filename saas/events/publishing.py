"""Making events known: those that are committed get their numbers, in one order for everybody.

Ids follow time, but a transaction that began early may end late: whoever reads up to an id would miss it. So numbers
are given after the commit, by one at a time for each brand. What has to happen with every event exactly once (the
deliveries of webhooks) is written in the same transaction, and other processes are told with its commit.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from saas.base import clock
from saas.base.db import Tx, reading, transaction
from saas.events.queries import read_after
from saas.events.rules import KEPT, Numbered

CHANNEL = "banyan_events"
"""Where processes tell each other which brand has news, by its number."""
BATCH = 500
"""Events numbered in one transaction."""
FORGOTTEN_AT_ONCE = 5_000

Follower: TypeAlias = Callable[[Tx, Sequence[Numbered]], Awaitable[None]]
"""Given all events once, in the transaction that makes them known."""


async def publish(followers: Sequence[Follower] = ()) -> int:
    """Number the brand's committed events; answers how many there were. A chore of each brand, too."""
    published = 0
    while await _waits() and (batch := await _publish(followers)):
        published += batch
    return published


async def _waits() -> bool:
    async with reading() as tx:
        return bool(
            await tx.value("SELECT 1 FROM event WHERE tenant_id = $1 AND seq IS NULL LIMIT 1", tx.tenant_id),
        )


async def _publish(followers: Sequence[Follower]) -> int:
    async with transaction() as tx:
        last = await _held_head(tx)
        await tx.execute(
            f"UPDATE event SET seq = n.seq FROM (SELECT id, $2 + row_number() OVER (ORDER BY id) AS seq FROM event "
            f"WHERE tenant_id = $1 AND seq IS NULL ORDER BY id LIMIT {BATCH}) AS n "
            f"WHERE event.tenant_id = $1 AND event.id = n.id",
            *(tx.tenant_id, last),
        )
        found = await read_after(tx, last, BATCH)
        if not found:
            return 0
        await tx.execute("UPDATE event_head SET seq = $2 WHERE tenant_id = $1", tx.tenant_id, found[-1].seq)
        for follower in followers:
            await follower(tx, found)
        await tx.notify(CHANNEL, str(tx.tenant_id))
    return len(found)


async def _held_head(tx: Tx) -> int:
    """The last number given. Whoever numbers next waits here, in a statement of its own, and sees what came before."""
    await tx.insert_many(
        "event_head", ("seq", "forgotten"), [(0, 0)], or_update="(tenant_id) DO UPDATE SET seq = event_head.seq"
    )
    return int(await tx.value("SELECT seq FROM event_head WHERE tenant_id = $1", tx.tenant_id))


async def forget_old() -> int:
    """Drop events that are kept no longer; answers how many. A chore of each brand."""
    forgotten = 0
    while await _is_old() and (batch := await _forget()):
        forgotten += batch
    return forgotten


async def _is_old() -> bool:
    async with reading() as tx:
        row = await tx.row(
            "SELECT at FROM event WHERE tenant_id = $1 AND seq IS NOT NULL ORDER BY seq LIMIT 1", tx.tenant_id
        )
    return row is not None and bool(row["at"] < clock.now() - KEPT)


async def _forget() -> int:
    async with transaction() as tx:
        last = await tx.value(
            f"SELECT max(seq) FROM (SELECT seq, at FROM event WHERE tenant_id = $1 AND seq IS NOT NULL "
            f"ORDER BY seq LIMIT {FORGOTTEN_AT_ONCE}) AS e WHERE at < $2",
            *(tx.tenant_id, clock.now() - KEPT),
        )
        if last is None:
            return 0
        await tx.execute("UPDATE event_head SET forgotten = $2 WHERE tenant_id = $1", tx.tenant_id, last)
        return await tx.execute("DELETE FROM event WHERE tenant_id = $1 AND seq <= $2", tx.tenant_id, last)
