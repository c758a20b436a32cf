"""The row of payouts runs, and pays everybody."""

import pytest

from bench.databases import Databases
from bench.figures import TINY
from bench.paying import pay_batch


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_everybody_is_paid_in_one_batch(databases: Databases, kind: str) -> None:
    figure = await pay_batch(databases, kind, TINY)
    assert figure.name.startswith("pay_20")
    assert figure.ours > 0
