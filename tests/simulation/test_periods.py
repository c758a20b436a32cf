"""What periods bring and what leads share, replayed: the program in force awards what was really awarded."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.ids import DistributorId
from saas.base.scope import tenant_scope
from saas.network.commands import Move, move
from saas.orders.commands import PlaceLine, place_order
from saas.performance.commands import ClosePeriod, close_period
from tenants.program.versions import activate, active_program
from tests.factories import LOTUS
from tests.network.world import staff
from tests.orders.world import NOON, order, two_shops
from tests.simulation.world import changed, draft, levels, places, simulated

Shop = Mapping[str, DistributorId]
SPRING = (date(2026, 3, 1), date(2026, 5, 1))
EVENT = {"kind": "event_bonus", "key": "first", "minimum_minor": 10_000, "bonus_minor": 5_000}
RULES = (
    levels(1_000, 500),
    EVENT,
    {**EVENT, "key": "once", "once": "brand", "bonus_minor": 300},
    {"kind": "tiered_rebate", "key": "rebate", "bands": [{"from_minor": 0, "rate_bps": 100}]},
    {"kind": "ranking_award", "key": "rank", "awards_minor": [900, 500]},
)
LEAD = {"territory": {"regions": "shared", "cross_region_lead": {}}}


@pytest.fixture
async def shop(db: Database) -> AsyncIterator[Shop]:
    """Lotus under a program of leads and every kind of award, with sales in March and April, both closed."""
    people, _ = await two_shops()
    with tenant_scope(LOTUS):
        with clock.at(NOON - timedelta(days=5)):
            await activate(await draft(*RULES, **LEAD), staff())
        for number, (seller, partner) in enumerate((("D", None), ("C", "B"), ("D", "A"), ("B", None), ("D", None))):
            moment = NOON + timedelta(days=8 * number)
            line = PlaceLine(sku="PLAIN", quantity=1, amount_minor=10_000 + 777 * number)
            served = people[partner] if partner else None
            asked = order(people[seller], lines=[line], paid_at=moment, channel="shop", served_by_id=served)
            with clock.at(moment):
                await place_order(asked, staff())
        for day in (date(2026, 3, 1), date(2026, 4, 1)):
            with clock.at(datetime(2026, 5, 2, tzinfo=UTC)):
                await close_period(ClosePeriod(length="month", day=day, idempotency_key=str(day)), staff())
        with clock.at(datetime(2026, 5, 3, tzinfo=UTC)):
            await move(Move(distributor=people["B"], sponsor=None, reason="moves later"), staff())
        yield people


async def test_the_program_in_force_awards_what_was_awarded(shop: Shop) -> None:
    number = (await active_program()).number
    for days in (SPRING, (date(2026, 4, 1), date(2026, 5, 1)), (date(2026, 3, 1), date(2026, 4, 1))):
        view, summary = await simulated(number, days)
        assert summary.draft == summary.real, days
        assert all(real == ours for real, ours in (await changed(view)).values())
    assert summary.draft.awards_minor > 10_000
    assert {"first", "once", "rebate", "rank", "levels/lead"} <= {
        component for component, _ in places(summary.draft.places)
    }


async def test_a_lead_is_shared_as_the_draft_says(shop: Shop) -> None:
    """C sold 107.77 to a customer of B's region: of its 10 % the draft leaves it all, or nothing."""
    march = (date(2026, 3, 12), date(2026, 3, 20))
    for bps, seller, partner in ((10_000, 1_078, 0), (0, 0, 1_078)):
        lead = {"regions": "shared", "cross_region_lead": {"commission_to_seller_bps": bps}}
        view, _ = await simulated(await draft(levels(1_000), territory=lead), march)
        found = await changed(view)
        assert (found["C"][1], found["B"][1]) == (seller, partner)
