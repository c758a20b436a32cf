"""Random programs, trees, orders and payouts, beside the same brand on paper: the books hold whatever happens.

docs/rules.md §5: entries add up to zero, available within what was accrued less what was reversed, paid within
settled, nothing earned without ground. Also: commission is what the naive rules say, the company keeps the rest, and
daily sums are those of the orders. Lives of other shapes are in tests/torture/test_stateful.py.
"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.base import clock
from saas.base.db import Database
from saas.base.scope import tenant_scope
from tests.factories import new_brand
from tests.house import T0, found_house, programs, steps


@settings(max_examples=10, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(program=programs(), seed=st.integers(0, 2**32), length=st.integers(30, 150))
async def test_whatever_happens_the_books_hold_and_agree_with_paper(
    db: Database, program: dict[str, Any], seed: int, length: int
) -> None:
    with tenant_scope(await new_brand()), clock.at(T0):
        house = await found_house(program)
        for step in steps(seed, length):
            await house.take(step)
        await house.agrees()
