"""The row of exits runs, and leaves the tree that the bare SQL leaves."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.databases import Databases
from bench.figures import TINY
from bench.leaving import leave_team


@pytest.fixture
async def databases(tmp_path: Path, postgres_server: str) -> AsyncIterator[Databases]:
    made = Databases(tmp_path, postgres_server)
    yield made
    await made.drop()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_both_leave_the_same_tree(databases: Databases, kind: str) -> None:
    figure = await leave_team(databases, kind, TINY)
    assert figure.ours > 0
    assert figure.name.startswith("leave_1000")
