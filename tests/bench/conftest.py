"""What the tests of benchmarks share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.databases import Databases


@pytest.fixture
async def databases(tmp_path: Path, postgres_server: str) -> AsyncIterator[Databases]:
    """Databases that are gone after the test."""
    made = Databases(tmp_path, postgres_server)
    yield made
    await made.drop()
