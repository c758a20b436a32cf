"""A Hypothesis state machine: anything in any order, the house in the database beside the house on paper.

A failure prints the shortest life found that fails, and a blob to replay it with.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from saas.base import clock
from saas.base.db import open_database
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope
from saas.proof.checks import broken
from tests.factories import new_brand
from tests.house import T0, House, found_house, programs
from tests.torture.sizes import SIZE

NUMBERS = st.integers(0, 10**6)
BACK = ["bring_back", "bring_back", "ask_back", "decide_back", "receive", "refund"]
STANDING = ["suspend", "reinstate", "ask_to_leave", "execute", "leave", "stay", "close_exits"]
BATCH = ["pay_out", "gather", "approve", "submit", "undo", "result", "carry"]
DECISIONS = ["ask_decision", "ask_decision", "answer", "answer", "answer", "ask_lift"]
CHECKED_EVERY = 10
"""After how many steps all checks are run; the paper is compared at the end of each life."""


class Life(RuleBasedStateMachine):
    """A brand's life, on the loop that has the database open."""

    runner: ClassVar[asyncio.Runner]
    brand: TenantId
    house: House

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0

    def run(self, work: Callable[[], Awaitable[Any]], moment: Any = T0) -> Any:
        async def scoped() -> Any:
            with tenant_scope(self.brand), clock.at(moment):
                return await work()

        return self.runner.run(scoped())

    @initialize(program=programs())
    def begin(self, program: dict[str, Any]) -> None:
        self.brand = self.runner.run(new_brand())
        self.house = self.run(lambda: found_house(program))

    def take(self, *kinds_and_numbers: Any) -> None:
        async def one() -> None:
            await self.house.take(kinds_and_numbers)
            self.taken += 1
            if self.taken % CHECKED_EVERY == 0:
                assert await broken() == []

        self.run(one)

    @rule(kind=st.sampled_from(["place", "sell", "sell"]), one=NUMBERS, two=NUMBERS, three=NUMBERS)
    def order(self, kind: str, one: int, two: int, three: int) -> None:
        self.take(kind, one, two, three)

    @rule(kind=st.sampled_from(["pay", "ship", "ship", "deliver", "deliver", "cancel", "close"]), one=NUMBERS)
    def carry_on(self, kind: str, one: int) -> None:
        self.take(kind, one, 0, 0)

    @rule(one=NUMBERS, two=NUMBERS, three=NUMBERS, days=st.integers(0, 40))
    def whole_sale(self, one: int, two: int, three: int, days: int) -> None:
        """Sold, shipped and delivered; then time goes by."""
        self.take("whole_sale", one, two, three)
        self.take("wait", 3 * days, 0, 0)

    @rule(kind=st.sampled_from(BACK), one=NUMBERS, two=NUMBERS, three=NUMBERS)
    def goods_back(self, kind: str, one: int, two: int, three: int) -> None:
        self.take(kind, one, two, three)

    @rule(kind=st.sampled_from(["enrol", "move", "tier"]), one=NUMBERS, two=NUMBERS, three=NUMBERS)
    def tree(self, kind: str, one: int, two: int, three: int) -> None:
        self.take(kind, one, two, three)

    @rule(kind=st.sampled_from(STANDING), one=NUMBERS, two=NUMBERS, three=NUMBERS)
    def standing(self, kind: str, one: int, two: int, three: int) -> None:
        self.take(kind, one, two, three)

    @rule(kind=st.sampled_from(["release", "settle", "settle", "close_month", "wait"]), one=NUMBERS)
    def period(self, kind: str, one: int) -> None:
        self.take(kind, one, one, 0)

    @rule(kind=st.sampled_from(["request", "request", "withdraw", "card", "verify"]), one=NUMBERS, two=NUMBERS)
    def payout(self, kind: str, one: int, two: int) -> None:
        self.take(kind, one, two, one)

    @rule(kind=st.sampled_from(BATCH), one=NUMBERS, two=NUMBERS)
    def batch(self, kind: str, one: int, two: int) -> None:
        self.take(kind, one, two, 0)

    @rule(kind=st.sampled_from(DECISIONS), one=NUMBERS, two=NUMBERS, three=NUMBERS)
    def decision(self, kind: str, one: int, two: int, three: int) -> None:
        self.take(kind, one, two, three)

    @rule(kind=st.sampled_from(["forgive", "decide_debt"]), one=NUMBERS, two=NUMBERS)
    def debt(self, kind: str, one: int, two: int) -> None:
        self.take(kind, one, two, 0)

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.run(self.house.agrees)


def test_any_life_agrees_with_paper(database_url: str) -> None:
    with asyncio.Runner() as runner:
        Life.runner = runner
        opening = open_database(database_url, pool_size=2)
        runner.run(opening.__aenter__())
        try:
            run_state_machine_as_test(
                Life,
                settings=settings(
                    max_examples=SIZE.lives,
                    stateful_step_count=SIZE.steps,
                    deadline=None,
                    print_blob=True,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))
