"""The row of simulations runs, and comes to what its ceiling comes to by hand."""

import pytest

from bench.databases import Databases
from bench.figures import TINY
from bench.simulation import simulate_history


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_simulation_comes_to_what_it_is_by_hand(databases: Databases, kind: str) -> None:
    figure = await simulate_history(databases, kind, TINY)
    assert figure.ours > 0
    assert figure.memory_mb is not None and figure.memory_mb > 0
