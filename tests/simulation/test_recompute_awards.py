"""Proof of awards: whatever happened since the close, they are what the rules give; what was tampered with is found."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.ids import DistributorId
from saas.network.commands import Move, move, suspend
from saas.orders.commands import cancel, deliver, place_order, ship
from saas.settlement.commands import CloseSettlement, close
from saas.simulation.awarded import AwardDifference
from saas.simulation.recompute import prove_brands, recompute
from tests.factories import LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import order, step
from tests.performance.world import APRIL, EVERY, MARCH, awards, close_march, finance, sold, two_brands, use
from tests.returns.world import comes_back

MAY = datetime(2026, 4, 30, 16, tzinfo=UTC)
SHOP = {"kind": "event_bonus", "key": "shop", "bonus_minor": 500, "channels": ["shop", "douyin"]}
Shop = Mapping[str, DistributorId]


@pytest.fixture
async def shop(db: Database) -> AsyncIterator[Shop]:
    """Lotus has closed March and April with every kind of award, then everything changed that can."""
    codes = await two_brands(*EVERY, SHOP)
    with as_tenant(LOTUS):
        gone = await sold(codes["C"], 600_000, channel="douyin", day=12)
        back = await sold(codes["D"], 500_000, channel="douyin", day=11, pieces=2)
        await sold(codes["B"], 10_000, channel="shop", day=13)
        with clock.at(APRIL):
            await ship(step(back), staff())
            await deliver(step(back), staff())
        await comes_back(back, 1, at=APRIL + timedelta(hours=1))
        await close_march(at=APRIL + timedelta(days=1))
        with clock.at(APRIL + timedelta(days=2)):
            await cancel(step(gone), staff())
            late = order(codes["D"], "TEA", 900_000, paid_at=APRIL - timedelta(days=9), channel="street")
            await place_order(late, staff())
            await place_order(order(codes["C"], "TEA", 800_000, paid_at=clock.now(), channel="shop"), staff())
            await move(Move(distributor=codes["D"], sponsor=None, reason="moves"), staff())
        await close_march(at=MAY, key="april", day=date(2026, 4, 1))
        with clock.at(MAY + timedelta(days=1)):
            await suspend(codes["B"], "a reason", staff())
        await comes_back(back, at=MAY + timedelta(days=1))
        await use(at=MAY + timedelta(days=2))
        yield codes


async def test_what_was_awarded_is_what_the_rules_give(shop: Shop) -> None:
    for period, number in (
        ("2026-03", len(await awards(day=MARCH))),
        ("2026-04", len(await awards(day=date(2026, 4, 1)))),
    ):
        proof = await recompute(period)
        assert (proof.settlements, proof.periods, proof.awards, proof.differences) == (0, 1, number, [])
        assert number >= 9
    assert (await recompute("2026-04-30")).periods == 1
    assert (await recompute("2026-05")).periods == 0


@pytest.mark.unsound
@pytest.mark.parametrize(
    "change",
    [
        "amount_minor = amount_minor + 1",
        "measured = measured - 1",
        "tier = 'gold'",
        "detail = replace(detail, 'parts', 'bits')",
    ],
)
async def test_an_award_that_was_tampered_with_is_found(shop: Shop, change: str) -> None:
    async with transaction() as tx:
        changed = await tx.execute(
            f"UPDATE award SET {change} WHERE tenant_id = $1 AND id = (SELECT a.id FROM award a JOIN distributor d "
            f"ON d.tenant_id = a.tenant_id AND d.id = a.distributor_id WHERE a.tenant_id = $1 AND d.code = 'A' "
            f"AND a.component = 'rebate' AND a.period_from = $2)",
            tx.tenant_id,
            date(2026, 3, 1),
        )
    assert changed == 1
    found = (await recompute("2026-03")).differences
    assert {one.component for one in found if isinstance(one, AwardDifference)} == {"rebate"}
    assert "period 2026-03, rebate of" in str(found[0])
    assert (await recompute("2026-04")).differences == []


@pytest.mark.unsound
async def test_the_awards_of_a_settlement_are_proved_with_it(shop: Shop) -> None:
    with clock.at(MAY + timedelta(days=3)):
        await close(CloseSettlement(idempotency_key="one"), finance())
        await close(CloseSettlement(idempotency_key="two"), finance())
    told: list[str] = []
    assert (await prove_brands("2026-04", "lotus", told.append))[1] == 0
    async with transaction() as tx:
        await tx.execute(
            "UPDATE award SET amount_minor = amount_minor + 1 WHERE tenant_id = $1 AND component = 'top' "
            "AND amount_minor > 0 AND period_from = $2",
            *(tx.tenant_id, date(2026, 3, 1)),
        )
    assert [one.component for one in (await recompute("2026-03")).differences] == ["top"] * 2
