"""The row of simulations runs, and comes to what its ceiling comes to by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.databases import Databases
from bench.figures import TINY
from bench.simulation import simulate_history


@pytest.fixture
async def databases(tmp_path: Path, postgres_server: str) -> AsyncIterator[Databases]:
    made = Databases(tmp_path, postgres_server)
    yield made
    await made.drop()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_simulation_comes_to_what_it_is_by_hand(databases: Databases, kind: str) -> None:
    figure = await simulate_history(databases, kind, TINY)
    assert figure.ours > 0
    assert figure.memory_mb is not None and figure.memory_mb > 0
