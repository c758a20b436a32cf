"""The row of the guards runs, and what it switches off is on again afterwards."""

import pytest

from bench.databases import Databases
from bench.figures import TINY
from bench.guards import guarded, off
from schema.gate import Gate
from schema.rates import Rates


@pytest.mark.db
async def test_guards_are_on_but_for_the_time_they_are_switched_off(databases: Databases) -> None:
    figure = await guarded(databases, "sqlite", TINY)
    assert figure.ours > 0
    refused, count = Gate._refused, Rates.count
    with off():
        assert (Gate._refused, Rates.count) != (refused, count)
    assert (Gate._refused, Rates.count) == (refused, count)
