"""Exits of everybody who sold nothing, as a job: each once, and what cannot be opened keeps no other from it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.errors import IdempotencyConflict, InvalidInput, ReasonRefused
from saas.base.ids import new_id
from saas.base.paging import PageRequest
from saas.exits.bulk import HANDLERS, QuoteAllInactive, quote_all_inactive, start_inactive
from saas.exits.queries import ExitFilter, exits
from saas.jobs.commands import said_by
from saas.jobs.queries import job
from saas.jobs.rules import JobStatus
from saas.jobs.worker import Cancelled, Progress, run_due
from tenants.actors import system
from tenants.errors import Forbidden
from tests.exits.world import Ids, quoted, use_exit
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import NOON, paid

LATER = NOON + timedelta(days=20)
"""D sold within the 25 days before, and everybody had joined by then."""


def wish(key: str = "k", **changes: Any) -> QuoteAllInactive:
    return QuoteAllInactive(**{"days": 25, "reason": "nothing sold", "idempotency_key": key, **changes})


async def leaving() -> set[object]:
    return {one.distributor_id for one in (await exits(ExitFilter(), PageRequest(100))).items}


async def test_everybody_who_sold_nothing_is_quoted_once(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await use_exit()
        await paid(ids["D"])
        with clock.at(LATER):
            before = await quoted(ids["A"])
            asked = await start_inactive(wish(), staff())
            assert await run_due(HANDLERS) == 1
            assert (await job(asked.id)).status is JobStatus.DONE
            assert await leaving() == {ids["A"], ids["B"], ids["C"]}
            assert before.id in {one.id for one in (await exits(ExitFilter(), PageRequest(100))).items}
            await start_inactive(wish("again"), staff())
            await run_due(HANDLERS)
            assert len((await exits(ExitFilter(), PageRequest(100))).items) == 3
    with as_tenant(CEDAR):
        assert await leaving() == set()


class GivenUp(Progress):
    """A job that somebody gives up after so many steps."""

    def __init__(self, after: int) -> None:
        self._left, self._id = after, new_id()

    @property
    def job_id(self) -> Any:
        return self._id

    async def report(self, done: int, total: int | None = None, step: str | None = None) -> None:
        if self._left == 0:
            raise Cancelled
        self._left -= 1


async def test_given_up_it_leaves_what_is_open_and_opens_nothing_more(shops: tuple[Ids, Ids]) -> None:
    with as_tenant(LOTUS), clock.at(LATER):
        given: Mapping[str, Any] = {
            "days": 25,
            "reason": "nothing sold",
            "actor": {**said_by(staff()), "id": str(staff().id)},
        }
        await use_exit()
        with pytest.raises(Cancelled):
            await quote_all_inactive(given, GivenUp(2))
        assert len(await leaving()) == 2


async def test_what_is_asked_for_is_checked_at_once(shops: tuple[Ids, Ids]) -> None:
    with as_tenant(LOTUS), clock.at(LATER):
        for changes, error in (({"days": 0}, InvalidInput), ({"reason": " "}, ReasonRefused)):
            with pytest.raises(error):
                await start_inactive(wish(**changes), staff())
        with pytest.raises(Forbidden):
            await start_inactive(wish(), system(LOTUS, "schedule"))
        first = await start_inactive(wish(), staff())
        with pytest.raises(IdempotencyConflict):
            await start_inactive(wish(days=26), staff())
        assert (await job(first.id)).status is JobStatus.QUEUED
