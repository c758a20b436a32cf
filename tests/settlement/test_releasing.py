"""Releases of more than one batch: what happens between two of them."""

from datetime import UTC, datetime

import pytest

from saas.base import clock
from saas.base.ids import DistributorId
from saas.settlement import releasing
from saas.settlement.commands import release_due
from tests.factories import LOTUS, as_tenant
from tests.factories_money import make_order
from tests.settlement.test_settlement import APRIL, actor, amounts, people

__all__ = ["people"]


async def test_a_release_is_done_batch_by_batch(
    people: list[DistributorId],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each in a transaction of its own: what was done before a failure stays, and the rest is done the next time."""
    monkeypatch.setattr(releasing, "RELEASE_BATCH", {"postgresql": 2, "sqlite": 2})
    told: list[tuple[int, int]] = []

    async def report(done: int, of: int) -> None:
        told.append((done, of))
        if len(told) == 3:
            raise InterruptedError

    with as_tenant(LOTUS):
        for hour in range(5):
            await make_order({people[0]: 10}, hold_until=datetime(2026, 3, 9, hour // 2, tzinfo=UTC))
        with clock.at(APRIL):
            with pytest.raises(InterruptedError):
                await release_due(actor(), report=report)
            assert await amounts(people[0]) == (10, 40, 0)
            assert await release_due(actor(), report=report) == 1
        assert told == [(0, 5), (2, 5), (4, 5), (0, 1), (1, 1)][: len(told)]
        assert await amounts(people[0]) == (0, 50, 0)
