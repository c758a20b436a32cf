"""The rows: what is measured, beside which ceiling."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench import operations, peer
from bench.bare_import import copy_orders
from bench.client import load
from bench.databases import Databases
from bench.engine import explanation_bytes
from bench.figures import Figure, Load, Size, compared
from bench.log import write_log
from bench.processes import HANDWRITTEN, PRODUCT, Finished, Server, run, serving
from bench.seed import fill
from bench.world import World, make_world, sell_under_the_wide

BRAND = "cdnow"
_GRAPHQL = "/graphql"
_SUFFIX = {"postgresql": "", "sqlite": "_sqlite"}

Bodies = Callable[[World, int], Sequence[bytes]]
Side = tuple[Server, str, Callable[[int], Sequence[bytes]]]
Say = Callable[[str], object]
OPERATIONS: dict[str, Bodies] = {
    "place_order": operations.orders,
    "downline_100": operations.downlines,
    "downline_1000": operations.wide_downlines,
    "subtree_totals": operations.subtree_totals,
}


def _quietly(_: str) -> None:
    """Say nothing."""


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


async def api(databases: Databases, kind: str, size: Size, say: Say = _quietly) -> list[Figure]:
    """The rows of the API on one kind of database: starting, answering, and the memory held after.

    On PostgreSQL the brand has the distributors, orders and books of a busy one, and PostGraphile stands beside.
    """
    world = await make_world(await databases.fresh(kind), size.tops, size.wide)
    await sell_under_the_wide(world)
    if kind == "postgresql":
        seconds = await fill(world, size.seeded_members, size.seeded_orders)
        say(f"seeded {size.seeded_members:,} distributors and {size.seeded_orders:,} orders in {seconds:.0f} s")
        await databases.settle(world.url)
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
            asked = partial(bodies, world)
            rounds = await _rounds(world, size, [(ours, _GRAPHQL, asked), (ceiling, f"/{name}", asked)])
            figures.append(compared(f"{name}{suffix}", *rounds))
        if kind == "postgresql":
            figures += await _beside_postgraphile(world, size, ours, say)
        return [*figures, *await _memory(world, size, ours, ceiling, suffix)]


async def _beside_postgraphile(world: World, size: Size, ours: Server, say: Say) -> list[Figure]:
    """The pages of the downline beside PostGraphile; no rows where it cannot run."""
    async with peer.postgraphile(world, say) as other:
        if other is None:
            return []
        figures = []
        for name, our_bodies, their_bodies in (
            ("downline_100", operations.downlines, peer.downlines),
            ("downline_1000", operations.wide_downlines, peer.wide_downlines),
        ):
            sides = [(ours, _GRAPHQL, partial(our_bodies, world)), (other, peer.PATH, partial(their_bodies, world))]
            figures.append(compared(f"{name}_postgraphile", *await _rounds(world, size, sides)))
        return figures


async def _memory(world: World, size: Size, ours: Server, ceiling: Server, suffix: str) -> list[Figure]:
    """What both hold after their load; on PostgreSQL after many more requests, and how that grew since the first."""
    if suffix:
        return [_held(f"memory_mb{suffix}", ours.memory_mb, ceiling.memory_mb)]
    tenth = max(1, size.memory_requests // 10)
    early = 0.0
    for turn in range(10):
        for server, path in ((ours, _GRAPHQL), (ceiling, "/downline_100")):
            await load(server.port, path, world.token, operations.downlines(world, tenth), size.concurrency)
        early = early if turn else ours.memory_mb
    return [_held("memory_mb", ours.memory_mb, ceiling.memory_mb), _held("memory_growth", ours.memory_mb, early)]


def _held(name: str, ours: float, ceiling: float) -> Figure:
    return Figure(name=name, ours=ours, ceiling=ceiling, unit="MB", less_is_better=True)


def _server(command: tuple[str, ...], world: World, path: str) -> AbstractAsyncContextManager[Server]:
    return serving(command, world.url, path, world.token, operations.downlines(world, 1)[0])


async def _rounds(world: World, size: Size, sides: Sequence[Side]) -> list[list[Load]]:
    """Let the sides take turns after a warm-up, so that both meet the same machine and the same growing tables."""
    for server, path, bodies in sides:
        await load(server.port, path, world.token, bodies(size.warm_up), size.concurrency)
    loads: list[list[Load]] = [[] for _ in sides]
    for _ in range(size.rounds):
        for (server, path, bodies), found in zip(sides, loads, strict=True):
            found.append(await load(server.port, path, world.token, bodies(size.requests), size.concurrency))
    return loads
