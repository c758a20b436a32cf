"""The rows: what is measured, beside which ceiling."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench import operations
from bench.bare_import import copy_orders
from bench.client import load
from bench.databases import Databases
from bench.engine import explanation_bytes
from bench.figures import Figure, Load, Size, compared
from bench.log import write_log
from bench.processes import HANDWRITTEN, PRODUCT, Finished, Server, run, serving
from bench.world import World, make_world, sell_under_the_wide

BRAND = "cdnow"
_GRAPHQL = "/graphql"
_SUFFIX = {"postgresql": "", "sqlite": "_sqlite"}

Bodies = Callable[[World, int], Sequence[bytes]]
OPERATIONS: dict[str, Bodies] = {
    "place_order": operations.orders,
    "downline_100": operations.downlines,
    "downline_1000": operations.wide_downlines,
    "subtree_totals": operations.subtree_totals,
}


@dataclass(frozen=True, slots=True)
class Imported:
    """The same log in two databases: by the product's command in ``url``, by bare SQL in ``bare``."""

    url: str
    bare: str
    ours: Finished
    ceiling_seconds: float


async def imported(databases: Databases, kind: str, size: Size) -> Imported:
    """Import a log by the product's command, then the same rows by bare SQL; the brand stands already in both."""
    importing = partial(run, "main.py", "import", "orders", "--tenant", BRAND)
    nothing, log = databases.directory / "nothing.txt", databases.directory / "log.txt"
    write_log(nothing, 0)
    write_log(log, size.log_rows)
    url = await databases.fresh(kind)
    await importing(str(nothing), database_url=url)
    bare = await databases.copy(url)
    await databases.settle(url)
    ours = await importing(str(log), database_url=url)
    await databases.settle(bare)
    return Imported(url, bare, ours, await copy_orders(url, bare, BRAND))


async def import_orders(databases: Databases, kind: str, size: Size) -> list[Figure]:
    """The command that imports a log, from its start to its end, beside the same rows by bare SQL.

    On PostgreSQL also what the rows of commission weigh that it left behind.
    """
    done = await imported(databases, kind, size)
    figure = Figure(
        name=f"import_orders{_SUFFIX[kind]}",
        ours=size.log_rows / done.ours.seconds,
        ceiling=size.log_rows / done.ceiling_seconds,
        unit="orders/s",
        memory_mb=done.ours.peak_mb,
    )
    return [figure, await explanation_bytes(done.url)] if kind == "postgresql" else [figure]


async def api(databases: Databases, kind: str, size: Size) -> list[Figure]:
    """The rows of the API on one kind of database: starting, answering, and the memory held after."""
    world = await make_world(await databases.fresh(kind), size.tops, size.wide)
    await sell_under_the_wide(world)
    suffix = _SUFFIX[kind]
    async with AsyncExitStack() as stack:
        starts: list[tuple[float, float]] = []
        for _ in range(size.starts):
            await stack.aclose()
            ours = await stack.enter_async_context(_server(PRODUCT, world, _GRAPHQL))
            ceiling = await stack.enter_async_context(_server(HANDWRITTEN, world, "/downline_100"))
            starts.append((ours.first_answer_seconds, ceiling.first_answer_seconds))
        figures = [
            Figure(
                name=f"first_request{suffix}",
                ours=median(first for first, _ in starts),
                ceiling=median(first for _, first in starts),
                unit="s",
                less_is_better=True,
            )
        ]
        for name, bodies in OPERATIONS.items():
            await databases.settle(world.url)
            rounds = await _rounds(world, size, bodies, [(ours, _GRAPHQL), (ceiling, f"/{name}")])
            figures.append(compared(f"{name}{suffix}", *rounds))
        memory = Figure(
            name=f"memory_mb{suffix}", ours=ours.memory_mb, ceiling=ceiling.memory_mb, unit="MB", less_is_better=True
        )
        return [*figures, memory]


def _server(command: tuple[str, ...], world: World, path: str) -> AbstractAsyncContextManager[Server]:
    return serving(command, world.url, path, world.token, operations.downlines(world, 1)[0])


async def _rounds(world: World, size: Size, bodies: Bodies, sides: Sequence[tuple[Server, str]]) -> list[list[Load]]:
    """Let the sides take turns after a warm-up, so that both meet the same machine and the same growing tables."""
    for server, path in sides:
        await load(server.port, path, world.token, bodies(world, size.warm_up), size.concurrency)
    loads: list[list[Load]] = [[] for _ in sides]
    for _ in range(size.rounds):
        for (server, path), found in zip(sides, loads, strict=True):
            asked = bodies(world, size.requests)
            found.append(await load(server.port, path, world.token, asked, size.concurrency))
    return loads
