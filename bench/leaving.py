"""The row of exits: somebody leaves, and a hundred thousand people come to hang elsewhere, in one transaction.

The ceiling is the bare SQL of it: paths and depths of the whole team in one statement, the history of those directly
below in two.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from time import perf_counter

from bench.databases import Databases
from bench.figures import FULL, Figure, Size
from saas.base import clock
from saas.base.db import Tx, open_database, transaction
from saas.base.ids import PLATFORM, DistributorId, TenantId, new_id
from saas.base.scope import tenant_scope
from saas.network.commands import leave
from saas.network.rules import ceiling, depth_of, segment
from tenants.actors import system

BRAND = TenantId(1)
JOINED = datetime(2026, 3, 1, tzinfo=UTC)
HEADS, BELOW = 1_000, 99
"""Directly below the one who leaves, and below each of those."""
_COLUMNS = ("id", "no", "code", "name", "kind", "status", "tier", "sponsor_id", "path", "depth")
_SUFFIX = {"postgresql": "", "sqlite": "_sqlite"}

TOP, LEAVER = DistributorId(new_id()), DistributorId(new_id())
TOP_PATH = segment(1)
LEAVER_PATH = TOP_PATH + segment(2)


async def leave_team(databases: Databases, kind: str, size: Size) -> Figure:
    """One exit beside the bare SQL, on two copies of a brand. Raises ``RuntimeError`` where they differ."""
    heads = HEADS if size == FULL else 10
    url = await databases.fresh(kind)
    async with open_database(url):
        await _make_team(heads)
    bare = await databases.copy(url)
    await databases.settle(url)
    ours = await _timed(url, _leave)
    await databases.settle(bare)
    ceiling_seconds = await _timed(bare, _bare)
    if await _tree(url) != await _tree(bare):
        raise RuntimeError("the two trees are not the same")
    return Figure(
        name=f"leave_{heads * (BELOW + 1)}{_SUFFIX[kind]}",
        ours=ours,
        ceiling=ceiling_seconds,
        unit="s",
        less_is_better=True,
    )


async def _make_team(heads: int) -> None:
    with tenant_scope(PLATFORM):
        async with transaction() as tx:
            await tx.execute(
                "INSERT INTO tenant (id, slug, name, status, currency, time_zone, locale, created_at) "
                "VALUES ($1, 'team', 'Team', 'active', 'CNY', 'Asia/Shanghai', 'en', $2)",
                BRAND,
                JOINED,
            )
    rows = [(TOP, None, TOP_PATH), (LEAVER, TOP, LEAVER_PATH)]
    no = 2
    for _ in range(heads):
        no += 1
        head, path = DistributorId(new_id()), LEAVER_PATH + segment(no)
        rows.append((head, LEAVER, path))
        rows += [(DistributorId(new_id()), head, path + segment(no + i)) for i in range(1, BELOW + 1)]
        no += BELOW
    with tenant_scope(BRAND):
        async with transaction() as tx:
            await tx.insert_many(
                "distributor",
                (*_COLUMNS, "applied_at", "joined_at", "changed_at"),
                [
                    (id_, i, f"D{i}", f"D{i}", "person", "active", "silver", above, path, depth_of(path), *[JOINED] * 3)
                    for i, (id_, above, path) in enumerate(rows, start=1)
                ],
            )
            await tx.insert_many(
                "sponsorship",
                ("id", "distributor_id", "sponsor_id", "valid_from", "reason"),
                [(new_id(), id_, above, JOINED, "enrolment") for id_, above, _ in rows],
            )
            await tx.insert_many(
                "standing",
                ("distributor_id", "valid_from", "tier", "status", "kind"),
                [(id_, JOINED, "silver", "active", "enrolment") for id_, _, _ in rows],
            )


async def _timed(url: str, act: Callable[[Tx], Awaitable[None]]) -> float:
    async with open_database(url):
        with tenant_scope(BRAND):
            async with transaction() as tx:
                await tx.value("SELECT count(*) FROM sponsorship WHERE tenant_id = $1", BRAND)
            began = perf_counter()
            async with transaction() as tx:
                await act(tx)
            return perf_counter() - began


async def _leave(_: Tx) -> None:
    await leave(LEAVER, downline_to="sponsor", reason="bench", actor=system(BRAND, "bench"))


async def _bare(tx: Tx) -> None:
    now = clock.now()
    heads = await tx.rows("SELECT id FROM distributor WHERE tenant_id = $1 AND sponsor_id = $2", BRAND, LEAVER)
    await tx.execute(
        "UPDATE distributor SET path = CAST($2 AS text) || substr(path, $3), depth = depth - 1, "
        "sponsor_id = CASE WHEN sponsor_id = $4 THEN $5 ELSE sponsor_id END "
        "WHERE tenant_id = $1 AND path > $6 AND path < $7",
        BRAND,
        TOP_PATH,
        len(LEAVER_PATH) + 1,
        LEAVER,
        TOP,
        LEAVER_PATH,
        ceiling(LEAVER_PATH),
    )
    await tx.execute(
        "UPDATE sponsorship SET valid_until = $3 WHERE tenant_id = $1 AND sponsor_id = $2 AND valid_until IS NULL",
        BRAND,
        LEAVER,
        now,
    )
    await tx.insert_many(
        "sponsorship",
        ("id", "distributor_id", "sponsor_id", "valid_from", "reason"),
        [(new_id(), row["id"], TOP, now, "bench") for row in heads],
    )


async def _tree(url: str) -> list[tuple[object, ...]]:
    async with open_database(url):
        with tenant_scope(BRAND):
            async with transaction() as tx:
                rows = await tx.rows(
                    "SELECT d.path, d.depth, d.sponsor_id, s.sponsor_id AS since FROM distributor d "
                    "JOIN sponsorship s ON s.tenant_id = d.tenant_id AND s.distributor_id = d.id "
                    "AND s.valid_until IS NULL WHERE d.tenant_id = $1 ORDER BY d.path",
                    BRAND,
                )
    return [tuple(row.values()) for row in rows]
