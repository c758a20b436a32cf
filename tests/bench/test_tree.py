"""The row of orders in a small and in a large network runs, and really has both."""

import pytest

from bench.databases import Databases
from bench.figures import TINY
from bench.tree import order_cost


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_orders_are_placed_in_both_networks(databases: Databases, kind: str) -> None:
    figure = await order_cost(databases, kind, TINY)
    assert figure.ours > 0
    assert figure.ceiling > 0
