"""Tiers at the close of a period: reviewed by what was sold, changed from then on, the pinned left alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.network.checks import standing_agrees
from saas.network.commands import reinstate, set_tier, suspend
from saas.network.tiers import Outcome
from saas.performance import queries
from saas.performance.queries import TierReviewFilter, TierReviewView, preview_period
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import plant, row, staff
from tests.performance.world import APRIL, MARCH, close_march, sold, two_brands

MAY = datetime(2026, 4, 30, 16, tzinfo=UTC)
TIERS: list[dict[str, Any]] = [
    {"code": "silver", "name": {"zh": "银牌", "en": "Silver"}},
    {
        "code": "gold",
        "name": {"zh": "金牌", "en": "Gold"},
        "promotion": {
            "kind": "any",
            "of": [
                {"kind": "own_sales", "at_least_minor": 300_000},
                {"kind": "active_downline_sales", "at_least_minor": 1_000_000},
            ],
        },
        "keep": {"kind": "orders", "at_least": 1},
    },
    {"code": "diamond", "name": {"zh": "钻石", "en": "Diamond"}},
]
RULES = {"period": "month", "revoke_after": 2, "revocation": "suspend"}


async def brands(**rules: Any) -> dict[str, DistributorId]:
    """Both brands, with tiers that are reviewed each month."""
    return await two_brands(tiers=TIERS, tier_rules={**RULES, **rules})


async def reviewed(**wanted: Any) -> dict[str, TierReviewView]:
    """Reviews by code."""
    found = (await queries.tier_reviews(TierReviewFilter(**wanted), PageRequest(100))).items
    codes = {(await row(code)).id: code for code in "ABCD"}
    return {codes[one.distributor_id]: one for one in found}


async def tiers() -> dict[str, str]:
    """Tiers by code."""
    return {code: (await row(code)).tier for code in "ABCD"}


async def test_tiers_follow_what_was_sold(db: Database) -> None:
    codes = await brands()
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000)
        await sold(codes["D"], 400_000)
        with clock.at(APRIL):
            planned = await preview_period("month", MARCH)
        closed = await close_march()
        assert closed.tier_changes == len(planned.changes) == 4
        assert await tiers() == {"A": "gold", "B": "gold", "C": "gold", "D": "gold"}
        found = await reviewed(outcomes=[Outcome.PROMOTED])
        assert {one.code: one.review.outcome for one in planned.reviews} == {c: r.outcome for c, r in found.items()}
        assert found["C"].said.en.startswith("Rises from Silver to Gold: own sales CN¥6,000.00 of CN¥3,000.00")
        assert found["B"].figures.active_downline_minor == 1_000_000
        assert await standing_agrees() == []
    with as_tenant(CEDAR):
        assert (await row("D")).tier == "silver"


async def test_misses_in_a_row_end_a_standing(db: Database) -> None:
    codes = await brands()
    with as_tenant(LOTUS):
        with clock.at(datetime(2026, 3, 2, tzinfo=UTC)):
            await set_tier(codes["C"], "gold", "agreed", staff())
        await sold(codes["D"], 1000)
        await close_march()
        assert (await reviewed())["C"].outcome == "demoted"
        assert ((await row("C")).tier, (await row("C")).status) == ("silver", "active")
        with clock.at(APRIL + timedelta(days=1)):
            await set_tier(codes["C"], "gold", "another chance", staff())
        await close_march(at=MAY, key="april", day=date(2026, 4, 1))
        last = (await reviewed(day=date(2026, 4, 7)))["C"]
        assert (last.outcome, last.misses, last.suspends) == ("revoked", 2, True)
        assert "Is suspended as Gold" in last.said.en and "连续未达标 2 次" in last.said.zh
        assert ((await row("C")).tier, (await row("C")).status) == ("gold", "suspended")
        assert await standing_agrees() == []


async def test_what_happened_after_the_period_is_not_undone_by_a_late_close(db: Database) -> None:
    codes = await brands()
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000)
        with clock.at(APRIL + timedelta(days=2)):
            await set_tier(codes["C"], "diamond", "agreed", staff())
            new = (await plant({"E": None}, at=APRIL + timedelta(days=2)))["E"]
        await close_march(at=APRIL + timedelta(days=3))
        found = await reviewed()
        assert (found["C"].outcome, found["C"].tier_after) == ("pinned", "silver")
        assert (await row("C")).tier == "diamond"
        views = (await queries.tier_reviews(TierReviewFilter(distributor_id=new), PageRequest())).items
        assert views == []


async def test_who_was_suspended_at_the_end_is_not_reviewed(db: Database) -> None:
    codes = await brands()
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000)
        with clock.at(APRIL - timedelta(days=1)):
            await suspend(codes["C"], "under review", staff())
            await suspend(codes["D"], "under review", staff())
        with clock.at(APRIL + timedelta(days=1)):
            await reinstate(codes["C"], "cleared", staff())
        await close_march(at=APRIL + timedelta(days=2))
        assert set(await reviewed()) == {"A", "B"}
        assert (await row("C")).tier == "silver"


async def test_the_pinned_are_left_alone(db: Database) -> None:
    codes = await brands()
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000)
        with clock.at(datetime(2026, 3, 20, tzinfo=UTC)):
            await set_tier(codes["C"], "silver", "for the summer", staff(), pin_until=date(2026, 9, 1))
        closed = await close_march()
        assert (closed.tier_changes, (await reviewed())["C"].outcome) == (0, "pinned")
        assert (await row("C")).tier == "silver"


async def test_an_earlier_period_closed_later_reviews_nobody(db: Database) -> None:
    codes = await brands()
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000)
        await close_march(at=MAY, key="april", day=date(2026, 4, 1))
        closed = await close_march(at=MAY)
        assert closed.tier_changes == 0
        assert (await row("C")).tier == "silver"
        assert {one.label for one in (await reviewed()).values()} == {"2026-04"}


@pytest.mark.parametrize(("grace", "outcome"), [(0, "demoted"), (1, "demoted"), (2, "grace")])
async def test_grace_counts_whole_periods_across_a_suspension(db: Database, grace: int, outcome: str) -> None:
    codes = await brands(grace_periods=grace)
    with as_tenant(LOTUS):
        with clock.at(datetime(2026, 3, 2, tzinfo=UTC)):
            await set_tier(codes["C"], "gold", "agreed", staff())
        with clock.at(datetime(2026, 4, 10, tzinfo=UTC)):
            await suspend(codes["C"], "looked into", staff())
        with clock.at(datetime(2026, 4, 12, tzinfo=UTC)):
            await reinstate(codes["C"], "cleared", staff())
        await sold(codes["D"], 1000)
        await close_march(at=MAY, key="april", day=date(2026, 4, 1))
        assert (await reviewed())["C"].outcome == outcome
