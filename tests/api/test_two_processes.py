"""Two servers on one database, as operators run them: what one does holds at once in the other."""

import asyncio
from typing import Any

import orjson
import pytest

from bench.client import HOST, Client
from bench.databases import Databases
from bench.processes import PRODUCT, serving
from bench.world import World, make_world
from tests.api.streams import following

GRAPHQL = "/graphql"
SIMULATE = (
    'mutation { simulateProgram(input: { number: 1, since: "2026-01-01", until: "2026-02-01" }) '
    "{ simulation { job { id } } userErrors { message } } }"
)
PUT = 'mutation { putProducts(input: { products: [{ sku: "NEW", name: "New" }] }) { userErrors { message } } }'


async def ask(port: int, world: World, query: str) -> Any:
    """An operation's data. Raises ``RuntimeError`` for anything but a success."""
    client = await Client.connect(port, GRAPHQL, world.token)
    try:
        return orjson.loads(await client.ask(orjson.dumps({"query": query})))["data"]
    finally:
        await client.close()


async def status(port: int, world: World, job: str) -> Any:
    """Where a job is, as this server knows it."""
    return (await ask(port, world, f'{{ job(id: "{job}") {{ status }} }}'))["job"]["status"]


@pytest.mark.db
async def test_servers_share_sessions_data_and_jobs(tmp_path: Any, postgres_server: str) -> None:
    databases = Databases(tmp_path, postgres_server)
    world = await make_world(await databases.fresh("postgresql"), 1)
    first_body = orjson.dumps({"query": "{ me { login } }"})
    async with (
        serving(PRODUCT, world.url, GRAPHQL, world.token, first_body, jobs=True) as one,
        serving(PRODUCT, world.url, GRAPHQL, world.token, first_body, jobs=True) as other,
    ):
        await ask(one.port, world, PUT)
        skus = await ask(other.port, world, '{ products(search: "NEW") { nodes { sku } } }')
        assert [node["sku"] for node in skus["products"]["nodes"]] == ["NEW"]
        async with asyncio.timeout(120), following(other.port, HOST, world.token) as follower:
            await follower.subscribe("kind subjectId", kinds=["JOB_QUEUED", "JOB_DONE"])
            job = (await ask(one.port, world, SIMULATE))["simulateProgram"]["simulation"]["job"]["id"]
            heard = [await follower.event() for _ in range(2)]  # whichever of the two does it
            assert heard == [{"kind": kind, "subjectId": job} for kind in ("JOB_QUEUED", "JOB_DONE")]
            assert await status(other.port, world, job) == "DONE"
        await ask(one.port, world, "mutation { logOut(input: {}) { done } }")
        with pytest.raises(RuntimeError, match="401"):
            await ask(other.port, world, "{ me { login } }")
    await databases.drop()
