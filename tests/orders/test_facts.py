"""What orders bring to their commission (docs/rules.md §3.1, §3.2): pieces sold before, own sales of uplines."""

import asyncio
from asyncio import create_task
from datetime import timedelta
from itertools import chain
from random import Random
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.orders.commands import PlaceOrder, cancel, pay, place_order, place_orders, preview_orders
from saas.orders.queries import order as read
from tenants.program.versions import active_program
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.facts_world import (
    EAST,
    LEVELS,
    WEST,
    counted,
    earned,
    pieces,
    regions,
    sells,
    sells_now,
    table_of_sales,
    use,
)
from tests.orders.world import NOON, balances, everything, explained, order, step, table, two_shops


async def test_case_3_2_the_order_that_crosses_the_line(db: Database) -> None:
    lotus, cedar = await two_shops()
    for tenant_id, ids in ((LOTUS, lotus), (CEDAR, cedar)):
        with as_tenant(tenant_id):
            await use(pieces())
            assert await earned(await sells(ids["D"], 28)) == [56_000]
            assert await earned(await sells(ids["D"], 5)) == [10_600]
            assert await earned(await sells(ids["C"], 5)) == [10_000], "each seller counts for itself"
            with clock.at(NOON + timedelta(days=31)):
                april = await place_order(order(ids["D"], amount_minor=50_000, quantity=5), staff())
                await pay(step(april), staff())
            assert await earned(april) == [10_000], "another month begins"
            assert await counted() == {
                ("D", "pieces", "2026-03-01"): 33,
                ("C", "pieces", "2026-03-01"): 5,
                ("D", "pieces", "2026-04-01"): 5,
            }


async def test_case_3_2_with_whole_the_35_are_all_lifted(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(applies="WHOLE"))
        for quantity in (28, 5, 2):
            await sells(lotus["D"], quantity)
        assert await balances() == {("D", "pending"): 77_000}


@pytest.mark.parametrize("applies", ["MARGINAL", "WHOLE"])
async def test_orders_paid_at_once_count_no_piece_twice_and_lose_none(db: Database, applies: str) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(applies=applies))
        with clock.at(NOON):
            asked = [order(lotus["D"], amount_minor=70_000, quantity=7) for _ in range(4)]
            waiting = [await place_order(one, staff()) for one in asked]
            tasks = [create_task(pay(step(id_), staff())) for id_ in waiting]
            tasks += [create_task(sells_now(lotus["D"], 7)) for _ in range(4)]
            await asyncio.gather(*tasks)
        total = 56 * 2_000 + (56 if applies == "WHOLE" else 26) * 200
        assert await balances() == {("D", "pending"): total}
        assert await counted() == {("D", "pieces", "2026-03-01"): 56}


async def test_orders_and_cancellations_at_once_leave_the_true_count(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces())
        gone = [await sells(lotus["D"], 5) for _ in range(4)]
        with clock.at(NOON + timedelta(hours=2)):
            tasks = [create_task(cancel(step(id_), staff())) for id_ in gone]
            tasks += [create_task(sells_now(lotus["D"], 3)) for _ in range(4)]
            await asyncio.gather(*tasks)
        assert await earned(await sells(lotus["D"], 20)) == [20 * 2_000 + 2 * 200], "12 pieces stand before these"


async def test_what_is_cancelled_counts_no_more(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces())
        gone = await sells(lotus["D"], 28)
        await sells(lotus["D"], 2)
        await cancel(step(gone), staff())
        assert await counted() == {}
        assert await earned(await sells(lotus["D"], 29)) == [58_000 + 200]
        assert await counted() == {("D", "pieces", "2026-03-01"): 31}


async def test_a_batch_counts_from_order_to_order_and_line_to_line(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(only={"products": ["PLAIN"]}))
        counts = []
        for sellers in (["D"], ["D", "D", "C", "B", "A"] * 4):
            asked = [order(lotus[code], amount_minor=100_000, quantity=10, paid_at=NOON) for code in sellers]
            asked.append(order(lotus["D"], sku="CEDAR-CAKE", amount_minor=100_000, quantity=50, paid_at=NOON))
            seen: list[str] = []
            db.observer = seen.append
            with clock.at(NOON):
                verdicts = await place_orders(asked, staff())
            db.observer = None
            counts.append(len(seen))
            assert all(verdict.order_id for verdict in verdicts)
        assert counts[0] >= counts[1], "the second time nothing needs to be counted again"
        assert await counted() == {
            (code, "pieces", "2026-03-01"): count for code, count in {"D": 90, "C": 40, "B": 40, "A": 40}.items()
        }
        assert (await balances())["D", "pending"] == 90 * 2_000 + 60 * 200
        assert await earned(verdicts[-1].order_id) == []  # type: ignore[arg-type]


async def test_counts_are_made_again_for_another_version(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(LEVELS)
        await sells(lotus["D"], 25)
        assert await table("SELECT * FROM period_volume WHERE tenant_id = $1") == []
        await use(pieces(effective_from="2026-03-09"), pieces(key="later", effective_from="2026-03-11"))
        assert await earned(await sells(lotus["D"], 6)) == [12_000 + 200]
        await use(pieces(period="quarter"), pieces(key="yearly", period="year", per_piece_minor=100))
        assert await earned(await sells(lotus["D"], 1)) == [2_200, 300]
        assert (await counted())["D", "yearly", "2026-01-01"] == 32


async def test_right_after_a_version_began_nothing_is_taken_from_the_cache(db: Database) -> None:
    """A payment under the version before may still be on its way, without a lock on the count."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces(), at=NOON)
        with clock.at(NOON + timedelta(seconds=30)):
            await sells_now(lotus["D"], 20)
        rows = await table("SELECT pieces, program_number FROM period_volume WHERE tenant_id = $1 AND component <> ''")
        assert rows == [(20, 0)]
        with clock.at(NOON + timedelta(seconds=90)):
            more = order(lotus["D"], amount_minor=150_000, quantity=15, paid_at=NOON)
            assert await earned(await place_order(more, staff())) == [31_000]
        number = (await active_program()).number
        rows = await table("SELECT pieces, program_number FROM period_volume WHERE tenant_id = $1 AND component <> ''")
        assert rows == [(35, number)]


async def test_a_preview_tells_what_would_be_earned_and_writes_nothing(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces())
        await sells(lotus["D"], 28)
        before = (await everything(), await counted())
        with clock.at(NOON):
            asked = [order(lotus["D"], amount_minor=50_000, quantity=5, paid_at=NOON) for _ in range(2)]
            found = await preview_orders(asked, staff())
        assert [verdict.accrual and sum(verdict.accrual.earned.values()) for verdict in found] == [10_600, 11_000]
        assert (await everything(), await counted()) == before


async def test_case_3_1_an_upline_qualifies_by_its_own_sales(db: Database) -> None:
    lotus, cedar = await two_shops()
    with as_tenant(LOTUS):
        await use({**LEVELS, "qualify": {"own_sales_minor": 50_000}})
        assert await earned(await sells(lotus["D"], 1)) == [1_000, 0, 0]
        await sells(lotus["C"], 4)
        assert await earned(await sells(lotus["D"], 1)) == [1_000, 0, 0], "40.000 is not enough"
        gone = await sells(lotus["C"], 1)
        assert await earned(await sells(lotus["D"], 1)) == [1_000, 1_500, 0]
        await cancel(step(gone), staff())
        assert await earned(await sells(lotus["D"], 1)) == [1_000, 0, 0], "what is cancelled was not sold"
        with clock.at(NOON + timedelta(days=31)):
            moment = NOON + timedelta(days=30)
            asked = [order(lotus[code], quantity=5, amount_minor=50_000, paid_at=moment) for code in "DCD"]
            verdicts = await place_orders(asked, staff())
        amounts = [await earned(verdict.order_id) for verdict in verdicts if verdict.order_id]
        assert amounts == [[5_000, 0, 0], [5_000, 0, 0], [5_000, 7_500, 0]], "the order before counts in a batch"
        reasons = [one.share.reason.value for one in await explained(verdicts[2].order_id)]  # type: ignore[arg-type]
        assert reasons[:3] == ["in_full", "in_full", "not_qualified"]
    with as_tenant(CEDAR):
        await use({**LEVELS, "qualify": {"own_sales_minor": 50_000}})
        assert await earned(await sells(cedar["D"], 1)) == [1_000, 0, 0], "another brand's sales are none of ours"


async def test_sales_after_the_day_of_a_payment_do_not_qualify(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use({**LEVELS, "qualify": {"own_sales_minor": 10_000, "period": "year"}})
        with clock.at(NOON + timedelta(days=5)):
            await place_order(order(lotus["C"], paid_at=NOON + timedelta(days=2)), staff())
            late = [order(lotus["D"], paid_at=NOON + timedelta(days=days)) for days in (1, 2)]
            first, second = [await place_order(one, staff()) for one in late]
        assert await earned(first) == [1_000, 0, 0]
        assert await earned(second) == [1_000, 1_500, 0]


EVERYTHING = (
    pieces(),
    pieces(key="whole", applies="WHOLE", period="year"),
    {**LEVELS, "qualify": {"own_sales_minor": 1}},
)


async def test_facts_take_as_many_statements_for_many_orders_as_for_one(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(*EVERYTHING, cross_region_lead={})
        await regions(WE=WEST)
        counts = []
        for codes in ("D", "ABCD" * 5):
            with clock.at(NOON):
                waiting = [await place_order(order(lotus[code], region=WEST), staff()) for code in codes]
                seen: list[str] = []
                db.observer = seen.append
                await pay([one for id_ in waiting for one in step(id_)], staff())
                db.observer = None
            counts.append(len(seen))
        assert counts[0] == counts[1]


async def test_payments_and_cancellations_at_once_never_wait_for_one_another_in_a_circle(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(*EVERYTHING, cross_region_lead={})
        sellers = [*lotus.values(), *(await regions(EA=EAST, WE=WEST)).values()]
        chance = Random(5)

        def some(**changes: Any) -> PlaceOrder:
            region = chance.choice([None, EAST, WEST])
            return order(chance.choice(sellers), amount_minor=90_000, quantity=3, region=region, **changes)

        with clock.at(NOON):
            waiting = [await place_order(some(), staff()) for _ in range(24)]
            batches = [waiting[at : at + 4] for at in range(0, 24, 4)]
            await asyncio.gather(*(create_task(pay([*chain(*map(step, batch))], staff())) for batch in batches))
            chance.shuffle(waiting)
            gone = [waiting[at : at + 3] for at in range(0, 12, 3)]
            tasks = [create_task(cancel([*chain(*map(step, batch))], staff())) for batch in gone]
            more = [[some(paid_at=NOON) for _ in range(4)] for _ in range(4)]
            await asyncio.gather(*tasks, *(create_task(place_orders(bulk, staff())) for bulk in more))
        paid_goods = await table("SELECT goods_minor FROM sales_order WHERE tenant_id = $1 AND status = 'paid'")
        assert len(paid_goods) == 24 - 12 + 16
        assert sum(amount for *_, amount in (await table_of_sales()).values()) == 28 * 90_000  # type: ignore[misc]
        of_sellers = await table(
            "SELECT d.code, CAST(3 * count(*) AS bigint) FROM sales_order o JOIN distributor d "
            "ON d.tenant_id = o.tenant_id AND d.id = o.seller_id WHERE o.tenant_id = $1 AND o.status = 'paid' "
            "GROUP BY d.code"
        )
        truth = {row[0]: row[1] for row in of_sellers}
        found = await counted()
        assert found
        assert {key: truth[key[0]] for key in found} == found


async def test_an_order_remembers_the_moment_that_decided_it(db: Database) -> None:
    lotus, _ = await two_shops()
    later = NOON + timedelta(hours=1)
    with as_tenant(LOTUS):
        with clock.at(later):
            waiting = await place_order(order(lotus["D"], for_member=True), staff())
            backdated = await place_order(order(lotus["D"], paid_at=NOON), staff())
        assert ((await read(waiting)).decided_at, (await read(waiting)).for_member) == (None, True)
        assert ((await read(backdated)).decided_at, (await read(backdated)).for_member) == (later, False)
        with clock.at(later + timedelta(hours=1)):
            await pay(step(waiting, at=later + timedelta(minutes=1)), staff())
        made = await read(waiting)
        assert (made.paid_at, made.decided_at) == (later + timedelta(minutes=1), later + timedelta(hours=1))
