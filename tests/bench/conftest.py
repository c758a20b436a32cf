"""What the tests of benchmarks share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bench.databases import Databases
from saas.base.settings import get_settings


@pytest.fixture(autouse=True)
def large_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages of a thousand rows, as the servers of the benchmarks allow them."""
    monkeypatch.setenv("PAGE_MAX", "1000")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
async def databases(tmp_path: Path, postgres_server: str) -> AsyncIterator[Databases]:
    """Databases that are gone after the test."""
    made = Databases(tmp_path, postgres_server)
    yield made
    await made.drop()
