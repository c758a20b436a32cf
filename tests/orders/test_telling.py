"""An order that was just placed is told as reading it would tell it, whatever the program pays."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.network.commands import suspend
from saas.network.queries import find
from saas.orders.commands import Placed, PlaceLine, PlaceOrder, place_and_tell, place_order
from saas.orders.queries import explained, lines_of
from saas.orders.queries import order as read
from tests.factories import LOTUS, as_tenant
from tests.network.world import plant, staff
from tests.orders.facts_world import EAST, LEVELS, WEST, pieces, regions, use
from tests.orders.world import NOON, order, two_shops

PROGRAMS: Mapping[str, Sequence[Mapping[str, object]]] = {
    "levels": [LEVELS],
    "pieces": [LEVELS, pieces()],
    "two": [LEVELS, {**LEVELS, "key": "a_second", "levels": [{"rate_bps": 0}, {"rate_bps": 100}]}],
    "nothing": [{**LEVELS, "levels": [{"rate_bps": 1}], "only": {"products": ["LOTUS-GIFT"]}}],
}


async def placed(asked: PlaceOrder) -> Placed:
    with clock.at(NOON + timedelta(hours=1)):
        return await place_and_tell(asked, staff())


async def check_told(made: Placed) -> None:
    """What was told is what the tables say."""
    told = made.told
    assert told is not None
    view = await read(made.id)
    lines = await lines_of([made.id])
    assert told.order == view
    assert told.lines == lines[made.id]
    assert list(told.shares) == list((await explained([view], lines)).get(made.id, ()))
    assert told.people == await find(list(told.people))
    assert made.id == view.id


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("moments", [{}, {"paid_at": NOON}, {"paid_at": NOON, "delivered_at": NOON}])
async def test_what_is_told_is_what_is_read(db: Database, program: str, moments: dict[str, Any]) -> None:
    await two_shops()
    with as_tenant(LOTUS):
        await use(*PROGRAMS[program])
        deep = await plant({f"T{n}": f"T{n - 1}" if n else None for n in range(6)})
        with clock.at(NOON - timedelta(days=1)):
            await suspend(deep["T4"], "test", staff())
        if "delivered_at" in moments:
            moments["shipped_at"] = NOON
        lines = [
            PlaceLine(sku="PLAIN", quantity=40, unit_price_minor=1_250),
            PlaceLine(sku="LOTUS-CREAM", quantity=2, amount_minor=39_600),
        ]
        said: dict[str, Any] = {"customer": "王芳", "channel": "shop", "freight_minor": 8, "tax_minor": 5, **moments}
        made = await placed(order(deep["T5"], lines=lines, **said))
        await check_told(made)
        assert made.told is not None
        assert set(made.told.people) == set(deep.values())


async def test_a_shared_lead_is_told_too(db: Database) -> None:
    await two_shops()
    with as_tenant(LOTUS):
        await use(LEVELS, cross_region_lead={})
        ids = await regions(EA=EAST, WE=WEST)
        made = await placed(order(ids["EA"], region=WEST, paid_at=NOON))
        await check_told(made)
        assert made.told is not None
        assert made.told.order.served_by_id == ids["WE"]


async def test_what_a_key_made_before_is_not_told_again(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        asked = order(lotus["D"], paid_at=NOON)
        first, again = await placed(asked), await placed(asked)
        assert first.told is not None
        assert (again.id, again.told) == (first.id, None)


async def test_within_the_callers_transaction_it_is_told_and_kept_or_not_with_it(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        async with transaction():
            made = await placed(order(lotus["D"], paid_at=NOON))
            await check_told(made)
        await check_told(made)


async def test_an_order_that_goes_well_writes_in_one_statement_on_postgresql(db: Database) -> None:
    """Besides what it reads: the moment and place of its seller, the version in force and the products."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await place_order(order(lotus["D"]), staff())
        seen: list[str] = []
        db.observer = seen.append
        await placed(order(lotus["D"], paid_at=NOON))
        db.observer = None
    written = [sql for sql in seen if "INSERT" in sql]
    assert len(written) == (1 if db.kind == "postgresql" else 11)
    assert len(seen) == len(written) + 4
