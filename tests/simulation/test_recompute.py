"""Proof of settled commission: whatever moved since, it is what the rules give; what was tampered with is found."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.ids import DistributorId, OrderId
from saas.base.scope import tenant_scope
from saas.network.commands import Move, move, suspend
from saas.orders.commands import PlaceLine, place_order
from saas.settlement.commands import CloseSettlement, close
from saas.simulation.recompute import Difference, Proof, prove_brands, recompute
from tenants.program.versions import activate
from tests.factories import CEDAR, LOTUS
from tests.network.world import staff
from tests.orders.world import NOON, order, table, two_shops
from tests.returns.world import comes_back
from tests.simulation.world import draft, levels, pieces

APRIL = datetime(2026, 4, 2, tzinfo=UTC)
RULES = (
    levels(1_000, 1_500, 2_000, qualify={"own_sales_minor": 20_000, "period": "month"}, only={"categories": ["tea"]}),
    pieces(700, 3, 50, applies="WHOLE"),
    {"kind": "differential", "key": "steps", "rates_bps": {"silver": 300, "gold": 900}, "same_tier_bonus_bps": 100},
)

Shop = Mapping[str, DistributorId]


@pytest.fixture
async def shop(db: Database) -> AsyncIterator[Shop]:
    """Lotus with its chain under a program of every kind of component, which has sold and settled March."""
    people, _ = await two_shops()
    with tenant_scope(LOTUS):
        with clock.at(NOON - timedelta(days=5)):
            await activate(await draft(*RULES, cap_bps=3_000), staff())
        for number, seller in enumerate("DCDBDACD"):
            moment = NOON + timedelta(hours=number)
            lines = [PlaceLine(sku=sku, quantity=number + 1, amount_minor=9_999) for sku in ("PLAIN", "CEDAR-CAKE")]
            asked = order(people[seller], lines=lines, paid_at=moment, shipped_at=moment, delivered_at=moment)
            with clock.at(moment):
                await place_order(asked, staff())
        with clock.at(APRIL):
            await close(CloseSettlement(idempotency_key="march"), staff())
        yield people


async def proof(period: str = "2026-03") -> Proof:
    return await recompute(period)


async def test_what_was_settled_is_what_the_rules_give(shop: Shop) -> None:
    found = await proof()
    assert found.differences == []
    assert (found.settlements, found.orders) == (1, 8)
    assert found.shares > 40
    assert await proof("2026-03-31") == found
    assert (await proof("2026-04-01")).settlements == 0
    assert (await proof("next year")).settlements == 0


async def test_it_still_is_after_moves_tiers_states_and_versions(shop: Shop) -> None:
    with clock.at(APRIL + timedelta(days=1)):
        await move(Move(distributor=shop["D"], sponsor=None, reason="moves"), staff())
        await suspend(shop["B"], "a reason", staff())
        async with transaction() as tx:
            await tx.execute("UPDATE product SET category = 'tea' WHERE tenant_id = $1", tx.tenant_id)
        await activate(await draft(levels(100)), staff())
    assert (await proof()).differences == []


@pytest.mark.parametrize(
    "change",
    [
        "amount_minor = amount_minor + 1",
        "tier = 'diamond'",
        "rate_bps = rate_bps + 1",
        "detail = '[1,0]'",
        "program_number = program_number - 1",
        "beneficiary_id = (SELECT id FROM distributor WHERE tenant_id = $1 AND code = 'B')",
    ],
)
@pytest.mark.unsound  # which is what is found
async def test_a_row_that_was_tampered_with_is_found(shop: Shop, change: str) -> None:
    async with transaction() as tx:
        changed = await tx.execute(
            f"UPDATE commission SET {change} WHERE tenant_id = $1 AND id = (SELECT id FROM commission "
            f"WHERE tenant_id = $1 AND component = 'steps' AND level = 0 AND status = 'settled' ORDER BY id LIMIT 1)",
            tx.tenant_id,
        )
    assert changed == 1
    found = await proof()
    assert [(one.component, one.level) for one in found.differences if isinstance(one, Difference)] == [("steps", 0)]
    assert "computed" in str(found.differences[0])


async def test_the_companys_part_is_proved_too(shop: Shop) -> None:
    async with transaction() as tx:
        await tx.execute(
            "UPDATE order_line SET company_minor = company_minor + 1 WHERE tenant_id = $1 AND line_no = 2", tx.tenant_id
        )
    assert {one.component for one in (await proof()).differences} == {""}


async def test_all_brands_or_one(shop: Shop) -> None:
    told: list[str] = []
    assert await prove_brands("2026-03", None, told.append) == (1, 0)
    assert told[1] == "cedar: nothing was settled in 2026-03"
    assert await prove_brands("2026-03", "cedar", told.append) == (0, 0)
    with tenant_scope(CEDAR):
        assert (await proof()).settlements == 0


async def test_a_count_that_cannot_be_is_found_even_where_its_amount_follows_from_it(shop: Shop) -> None:
    """With one piece before it or none, a piece brings the same; the order says that there was none."""
    async with transaction() as tx:
        changed = await tx.execute(
            "UPDATE commission SET detail = '[1]' WHERE tenant_id = $1 AND id = (SELECT c.id FROM commission c "
            "JOIN distributor d ON d.tenant_id = c.tenant_id AND d.id = c.beneficiary_id WHERE c.tenant_id = $1 "
            "AND d.code = 'D' AND c.component = 'pieces' AND c.detail = '[0]')",
            tx.tenant_id,
        )
    assert changed == 1
    (found,) = (await proof()).differences
    assert str(found).endswith("line 1, pieces level 0: stored 1 pieces before, computed 0 pieces before")


async def test_where_orders_were_undone_a_count_beyond_all_that_was_sold_is_found(shop: Shop) -> None:
    with clock.at(APRIL):
        (gone,) = await table("SELECT id FROM sales_order WHERE tenant_id = $1 ORDER BY paid_at LIMIT 1")
        await comes_back(OrderId(gone[0]), 1, at=APRIL)  # type: ignore[arg-type]
    assert (await proof()).differences == []
    async with transaction() as tx:
        await tx.execute("UPDATE commission SET detail = '[99]' WHERE tenant_id = $1 AND detail = '[0]'", tx.tenant_id)
    assert any(
        str(one).endswith("stored 99 pieces before, computed 33 pieces before") for one in (await proof()).differences
    )
