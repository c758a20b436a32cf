"""What the tests with npm share: the programs themselves, and a real server."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.processes import PRODUCT, serving
from bench.world import SLUG, make_world

ROOT = Path(__file__).parents[2]
ASK = b'{"query": "{ me { login } }"}'


def node(folder: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of Node in a folder of ``web``, where its packages must be."""
    directory = ROOT / "web" / folder
    assert (directory / "node_modules").is_dir(), "run `make web` once"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    program = shutil.which(command[0], path=path)
    assert program, command[0]
    return subprocess.run(  # noqa: S603  # our own program
        [program, *command[1:]],
        cwd=directory,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
async def endpoint(sqlite_url: str) -> AsyncIterator[str]:
    """The address of a server in a process of its own, as whoever has no log-in meets it in development."""
    world = await make_world(sqlite_url, 1)
    host = f"{SLUG}.localhost"
    async with serving(PRODUCT, world.url, "/graphql", world.token, ASK, host, settings={}) as server:
        yield f"http://127.0.0.1:{server.port}/graphql"
