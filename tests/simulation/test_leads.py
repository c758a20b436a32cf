"""Replays beside what was really paid: leads of drafts, over orders that were never asked for one; cancellations."""

from datetime import timedelta
from typing import Any

from saas.base import clock
from saas.base.db import Database
from saas.network.commands import suspend
from saas.orders.commands import cancel, place_order
from saas.simulation.queries import simulated_order
from tenants.program.versions import activate, active_program
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.facts_world import EAST, NORTH, WEST, regions
from tests.orders.world import NOON, order, paid, step, two_shops
from tests.simulation.world import changed, draft, levels, pieces, simulated

LEAD: dict[str, Any] = {"territory": {"regions": "shared", "cross_region_lead": {}}}


async def test_a_draft_that_adds_leads_shows_them_although_the_program_in_force_had_none(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(CEDAR):
        await regions(XX=WEST)
        await paid(cedar["D"], region=WEST)
    with as_tenant(LOTUS):
        found = await regions(EA=EAST, WE=WEST, N1=NORTH, N2=NORTH)
        shared = await paid(found["EA"], 10_000, region=WEST)
        for asked in ({"region": EAST}, {"region": NORTH}, {"region": WEST, "self_purchase": True}, {}):
            await paid(found["EA"], 10_000, **asked)
        gone = await paid(found["EA"], 10_000, region=WEST)
        await cancel(step(gone), staff())
        view, summary = await simulated(await draft(levels(1_000), **LEAD))
        assert await changed(view) == {"EA": (5_000, 5_000 - 700), "WE": (0, 700)}, "100.00 is shared 30 : 70"
        assert summary.draft.commission_minor == 5_000
        one = await simulated_order(view.id, shared)
        assert [share.amount_minor for share in one.lines[0].draft] == [300, 700]
        view, _ = await simulated(await draft(levels(1_000)))
        assert (await changed(view))["EA"] == (5_000, 5_000)


async def test_what_was_asked_under_a_program_with_leads_keeps_its_answer(db: Database) -> None:
    """With its partner suspended since, an order keeps it; an order that had none gets none."""
    await two_shops()
    with as_tenant(LOTUS):
        found = await regions(EA=EAST)
        with clock.at(NOON - timedelta(days=1)):
            await activate(await draft(levels(1_000), **LEAD), staff())
        await paid(found["EA"], 10_000, region=WEST)
        with clock.at(NOON + timedelta(hours=1)):
            found |= await regions(WE=WEST)
            later = order(found["EA"], region=WEST, paid_at=clock.now())
            await place_order(later, staff())
        with clock.at(NOON + timedelta(hours=2)):
            await suspend(found["WE"], "a reason", staff())
        view, summary = await simulated(await draft(levels(1_000), **LEAD))
        assert await changed(view) == {"EA": (1_300, 1_300), "WE": (700, 700)}
        assert summary.draft == summary.real


async def test_what_was_evened_because_an_order_was_cancelled_is_not_among_what_was_really_paid(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        with clock.at(NOON - timedelta(days=1)):
            await activate(await draft(pieces(2_000, 30, 200), levels(0, 100), cap_bps=None), staff())
        gone = await paid(lotus["D"], 10**7, quantity=30)
        await paid(lotus["D"], 10**7, quantity=5)
        last = await paid(lotus["D"], 10**7, quantity=3)
        with clock.at(NOON + timedelta(hours=2)):
            await cancel(step(gone), staff())
            await cancel(step(last), staff())
        view, summary = await simulated((await active_program()).number)
        assert (await changed(view))["D"] == (10_000, 10_000)
        assert summary.draft == summary.real
