"""PostGraphile beside the product: the same database, row-level security on both, the same page of a downline.

Needs Node of version 22 or later and what ``bench/postgraphile`` names, which npm installs there. Where either is
missing the rows are left out, and the benchmark says so.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from subprocess import PIPE
from uuid import UUID

import asyncpg
import orjson

from bench.processes import Server, serving
from bench.world import World
from schema.ids import split_global

HERE = Path(__file__).parent / "postgraphile"
PATH = "/graphql"
NODE_LEAST = 22
_API = (
    "CREATE SCHEMA bench_api",
    "CREATE TYPE bench_api.member AS (key uuid, code text, name text, status text, tier text, region text, "
    "level integer, joined_at timestamptz)",
    # As the product reads it, in the tenant that row-level security knows.
    """
    CREATE FUNCTION bench_api.downline("of" uuid) RETURNS SETOF bench_api.member LANGUAGE sql STABLE AS $$
    WITH o AS MATERIALIZED (SELECT path, depth, path || '~' AS beyond FROM public.distributor
        WHERE tenant_id = current_setting('app.tenant')::integer AND id = "of")
    SELECT d.id, d.code, d.name, d.status, d.tier, d.region, d.depth - o.depth, d.joined_at
    FROM o CROSS JOIN LATERAL (SELECT * FROM public.distributor d
        WHERE d.tenant_id = current_setting('app.tenant')::integer AND d.path > o.path AND d.path < o.beyond
        ORDER BY d.path OFFSET 0) d ORDER BY d.path $$
    """,
    "GRANT USAGE ON SCHEMA bench_api TO banyan_app",
)
_DOWNLINE = """
query Downline($of: UUID!, $first: Int!) {
  downline(of: $of, first: $first) {
    nodes { key code name status tier region level joinedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""


async def node() -> str | None:
    """A Node that is new enough, if there is one."""
    beside = Path(sys.executable).parent / "node"
    for found in (str(beside) if beside.exists() else None, shutil.which("node")):
        if found is not None:
            version = await _output(found, "--version")
            if int(version.removeprefix("v").partition(".")[0] or 0) >= NODE_LEAST:
                return found
    return None


async def installed(program: str, say: Callable[[str], object]) -> bool:
    """Whether PostGraphile is there, or could be installed."""
    if (HERE / "node_modules" / "postgraphile").is_dir():
        return True
    npm = Path(program).parent / "npm"
    process = await asyncio.create_subprocess_exec(
        str(npm) if npm.exists() else "npm", "ci", "--prefix", str(HERE), stdout=PIPE, stderr=PIPE
    )
    _, errors = await process.communicate()
    if process.returncode:
        say(f"no rows beside PostGraphile: npm could not install it ({errors.decode()[-200:].strip()})")
    return not process.returncode


@asynccontextmanager
async def postgraphile(world: World, say: Callable[[str], object]) -> AsyncIterator[Server | None]:
    """A server of PostGraphile on the same database; none where there is no Node for it."""
    program = await node()
    if program is None:
        say(f"no rows beside PostGraphile: they need Node {NODE_LEAST} or later")
        yield None
    elif not await installed(program, say):
        yield None
    else:
        connection = await asyncpg.connect(world.url)
        for statement in _API:
            await connection.execute(statement)
        await connection.close()
        command = (str(HERE / "server.mjs"),)
        async with serving(command, world.url, PATH, world.token, downlines(world, 1)[0], program=program) as server:
            yield server


def downlines(world: World, count: int) -> Sequence[bytes]:
    """Requests for a page of a hundred, of one top after the other: what ``operations.downlines`` asks the product."""
    asked = [{"of": str(_plain(top)), "first": 100} for top in islice(cycle(world.tops), count)]
    return [orjson.dumps({"query": _DOWNLINE, "variables": variables}) for variables in asked]


def wide_downlines(world: World, count: int) -> Sequence[bytes]:
    """Requests for a page of a thousand."""
    variables = {"of": str(_plain(world.wide)), "first": 1_000}
    return [orjson.dumps({"query": _DOWNLINE, "variables": variables})] * count


def _plain(global_id: str) -> UUID:
    found = split_global(global_id)
    if found is None:
        raise ValueError(f"{global_id} is no id")
    return found[1]


async def _output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    output, _ = await process.communicate()
    return output.decode().strip()
