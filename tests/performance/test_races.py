"""Closes that meet: with one another, with payments, with a crash; and what a close costs."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta

from saas.base import clock
from saas.base.db import Database
from saas.base.paging import PageRequest
from saas.ledger.checks import run_checks
from saas.network.commands import enrol_many
from saas.network.rules import Enrol
from saas.orders.commands import PlaceLine, PlaceOrder, place_orders
from saas.performance import queries
from tests.conftest import names_its_tenant
from tests.factories import LOTUS, as_tenant
from tests.network.world import T0, staff
from tests.orders.world import table
from tests.performance.test_reviews import TIERS
from tests.performance.world import APRIL, EVERY, REBATE, awards, close_march, sold, two_brands


async def test_of_two_closes_at_once_one_writes(db: Database) -> None:
    codes = await two_brands(*EVERY)
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000, channel="shop")
        both = await asyncio.gather(*(close_march(key=key) for key in ("one", "two")))
        assert both[0] == both[1]
        assert Counter(one.component for one in await awards()) == {"rebate": 3, "target": 1, "first": 1, "top": 1}
        assert await run_checks() == []


async def test_what_is_paid_while_a_period_is_closed_is_in_it_or_not_at_all(db: Database) -> None:
    codes = await two_brands({**REBATE, "measure": "own_sales"})
    with as_tenant(LOTUS):
        await sold(codes["C"], 100_000)
        sales = [sold(codes["D"], 100_000) for _ in range(6)]
        await asyncio.gather(*sales[:3], close_march(), *sales[3:])
        counted = {one.distributor_id: one.measured for one in await awards()}
        assert counted[codes["C"]] == 100_000
        assert counted.get(codes["D"], 0) % 100_000 == 0
        assert len(await table("SELECT id FROM sales_order WHERE tenant_id = $1")) == 7
        assert await run_checks() == []


async def test_a_close_that_is_cut_short_leaves_nothing(db: Database) -> None:
    codes = await two_brands(*EVERY, tiers=TIERS, tier_rules={"period": "month"})
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000, channel="shop")
        statements = 0

        def cut(sql: str) -> None:
            nonlocal statements
            names_its_tenant(sql)
            statements += 1
            if statements == after and task is not None:
                task.cancel()

        after, task = 0, None
        for after in range(1, 60, 3):
            statements, task = 0, None
            db.observer = cut
            task = asyncio.create_task(close_march())
            with suppress(asyncio.CancelledError):
                await task
                break
            db.observer = names_its_tenant
            left = [
                await table(f"SELECT 1 FROM {name} WHERE tenant_id = $1")
                for name in ("period_close", "award", "tier_review")
            ]
            left.append(await table("SELECT 1 FROM ledger_transaction WHERE tenant_id = $1 AND kind <> 'accrual'"))
            assert left == [[], [], [], []], after
        db.observer = names_its_tenant
        assert after > 20
        assert (await close_march()).awards == 6
        assert len((await queries.period_closes(PageRequest())).items) == 1
        assert await run_checks() == []


async def test_a_close_takes_as_many_statements_for_many_as_for_few(db: Database) -> None:
    await two_brands(*EVERY, tiers=TIERS, tier_rules={"period": "month"})
    counts, months = [], (T0 + timedelta(days=10), T0 + timedelta(days=41))
    with as_tenant(LOTUS):
        for paid_at, people in zip(months, (3, 60), strict=True):
            with clock.at(T0):
                wanted = [
                    Enrol(code=f"{paid_at:%m}-{no}", name="Seller", idempotency_key=f"{paid_at:%m}-{no}", reviewed=True)
                    for no in range(people)
                ]
                ids = await enrol_many(wanted, staff())
            orders = [
                PlaceOrder(
                    seller_id=id_,
                    lines=[PlaceLine(sku="TEA", quantity=1, amount_minor=600_000)],
                    idempotency_key=f"{id_}",
                    placed_at=paid_at,
                    paid_at=paid_at,
                    channel=f"channel {paid_at:%m}",
                )
                for id_ in ids
            ]
            with clock.at(paid_at):
                assert all(verdict.order_id for verdict in await place_orders(orders, staff()))
        for paid_at in months:
            seen: list[str] = []
            db.observer = seen.append
            closed = await close_march(at=APRIL + timedelta(days=60), key=f"{paid_at}", day=paid_at.date())
            db.observer = names_its_tenant
            counts.append(len(seen))
            assert closed.tier_changes >= 3
    assert counts[0] == counts[1] <= 45


async def test_what_is_due_takes_as_many_statements_for_years_as_for_a_month(db: Database) -> None:
    codes = await two_brands(REBATE)
    counts = []
    with as_tenant(LOTUS):
        await sold(codes["C"], 10_000)
        for years in (0, 8):
            seen: list[str] = []
            db.observer = seen.append
            with clock.at(APRIL + timedelta(days=366 * years)):
                due = await queries.periods_due()
            db.observer = names_its_tenant
            counts.append(len(seen))
            assert len(due) == 1 + 12 * years
    assert counts[0] == counts[1]
