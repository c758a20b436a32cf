"""Orders at the bound of two program versions: the moment of the payment decides, to the microsecond."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.orders.commands import pay, place_order
from saas.orders.queries import order as read
from tenants.actors import system
from tenants.program import versions
from tenants.program.versions import SaveDraft
from tests.factories import LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import NOON, order, step, two_shops

INSTANT = timedelta(microseconds=1)
ALIGNMENTS = 12
"""More than a payment looks at the clock."""


def ticking(start: datetime) -> Callable[[], datetime]:
    """A clock that goes on by a microsecond whenever somebody looks at it."""
    ticks = count()
    return lambda: start + next(ticks) * INSTANT


async def test_however_the_moment_falls_into_a_payment_the_order_has_the_version_of_its_own_moment(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lotus, _ = await two_shops()
    owner = system(LOTUS, "owner")
    crossed = set()
    with as_tenant(LOTUS):
        document = await versions.export(1)
        for early in range(ALIGNMENTS):
            with clock.at(NOON + timedelta(hours=early)):
                draft = (await versions.save_draft(SaveDraft(document=document), owner)).version.number
                before = await versions.number_in_force()
                moment = clock.now() + timedelta(minutes=30)
                await versions.schedule(draft, moment, owner)
                placed = await place_order(order(lotus["D"]), staff())
            with monkeypatch.context() as patched:
                patched.setattr(clock, "now", ticking(moment - early * INSTANT))
                await pay(step(placed), staff())
            found = await read(placed)
            assert found.paid_at is not None
            assert found.program_number == (draft if found.paid_at >= moment else before), early
            crossed.add(found.paid_at >= moment)
    assert crossed == {True, False}
