"""What must not matter: how many distributors a brand has, how many brands there are; and what a second process brings.

The product against itself, on PostgreSQL: ``ours`` is the larger case, ``ceiling`` the smaller one.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from statistics import median

import asyncpg

from bench import operations
from bench.client import DOMAIN, load
from bench.databases import Databases
from bench.figures import Figure, Load, Size, compared
from bench.history import make_brand
from bench.planting import TREE, plant, planted
from bench.processes import PRODUCT, Server, serving
from bench.world import World
from saas.base.db import open_database
from schema.ids import to_global
from tenants import sessions

_GRAPHQL = "/graphql"
_MORE_TENANTS = """
INSERT INTO tenant (id, slug, name, status, currency, time_zone, locale, created_at)
SELECT n, 'more-' || n, 'More ' || n, 'active', 'CNY', 'Asia/Shanghai', 'en', now()
FROM generate_series($1::int, $2::int) AS n
"""


async def scale(databases: Databases, size: Size) -> list[Figure]:
    """Three sizes of brands in one database, then many brands, then two processes."""
    url = await databases.fresh("postgresql")
    worlds = [await _brand(url, f"size{number}", members) for number, members in enumerate(size.brands)]
    await databases.settle(url)
    async with _server(worlds[0]) as one:
        small, *larger = await _rounds([(one, world) for world in worlds], size)
        slowest = min(larger, key=lambda loads: median(load.rate for load in loads))
        figures = [compared("page_size_invariance", slowest, small)]
        few = await _rounds([(one, worlds[0])], size)
        await _more_tenants(url, size)
        await databases.settle(url)
        many = await _rounds([(one, worlds[0])], size)
        figures.append(compared("tenant_count_invariance", many[0], few[0]))
        figures.append(await _two_processes(one, worlds[0], size))
    return figures


async def _two_processes(one: Server, world: World, size: Size) -> Figure:
    """Two processes under twice the load, beside one under its own."""
    alone = await _rounds([(one, world)], size)
    async with _server(world) as other:
        await _rounds([(other, world)], replace(size, rounds=1))
        both: list[Load] = []
        for _ in range(size.rounds):
            loads = await asyncio.gather(*(_load(server, world, size) for server in (one, other)))
            latencies = [seconds for one_load in loads for seconds in one_load.latencies]
            both.append(Load(max(one_load.seconds for one_load in loads), latencies))
    return compared("two_processes", both, alone[0])


async def _rounds(sides: Sequence[tuple[Server, World]], size: Size) -> list[list[Load]]:
    loads: list[list[Load]] = [[] for _ in sides]
    for turn in range(size.rounds + 1):
        for (server, world), found in zip(sides, loads, strict=True):
            done = await _load(server, world, size)
            if turn:  # the first round warms up
                found.append(done)
    return loads


async def _load(server: Server, world: World, size: Size) -> Load:
    bodies = operations.downlines(world, size.requests)
    return await load(server.port, _GRAPHQL, world.token, bodies, size.concurrency, world.host)


def _server(world: World) -> AbstractAsyncContextManager[Server]:
    return serving(PRODUCT, world.url, _GRAPHQL, world.token, operations.downlines(world, 1)[0], world.host)


async def _brand(url: str, slug: str, members: int) -> World:
    async with open_database(url):
        tenant_id = await make_brand(slug)
        issued = await sessions.issue_token(slug, "owner", "bench")
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica")  # no foreign key of a million rows
    await plant(connection, tenant_id, 0, members)
    await connection.close()
    tops = [to_global("Distributor", planted(n)) for n in range(0, members - TREE + 1, max(1, members // 2020) * TREE)]
    return World(url, issued.token, tops=tops[:20], sellers=[], wide=tops[0], host=f"{slug}.{DOMAIN}")


async def _more_tenants(url: str, size: Size) -> None:
    connection = await asyncpg.connect(url)
    highest = await connection.fetchval("SELECT max(id) FROM tenant")
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(_MORE_TENANTS, highest + 1, highest + size.tenants)
    for tenant_id in range(highest + 1, highest + size.tenants + 1):
        await plant(connection, tenant_id, 0, TREE)
    await connection.close()
