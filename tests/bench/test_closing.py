"""The rows of closing a month run, and come to the money that the bare SQL comes to."""

import pytest

from bench.closing import close_month
from bench.databases import Databases
from bench.figures import TINY


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_both_come_to_the_same_money(databases: Databases, kind: str) -> None:
    release, settle = await close_month(databases, kind, TINY)
    assert release.name.startswith("release_0k_lines")
    assert min(release.ours, settle.ours) > 0
    assert settle.memory_mb is not None and settle.memory_mb > 0
