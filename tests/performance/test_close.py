"""Closing periods on both databases: who gets what, once, by what was sold in the period."""

from datetime import UTC, date, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import IdempotencyConflict
from saas.base.paging import PageRequest
from saas.ledger.checks import run_checks
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account
from saas.network.commands import Move, move, reinstate, suspend
from saas.orders.commands import cancel, place_order
from saas.performance import queries
from saas.performance.errors import NothingInPeriod, PeriodNotOver
from saas.performance.explain import explain
from saas.performance.queries import preview_period
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import order, step, table
from tests.performance.world import (
    APRIL,
    EVERY,
    FIRST,
    MARCH,
    REBATE,
    TARGET,
    awards,
    close_march,
    paid,
    sold,
    two_brands,
    use,
)

OWN = {**REBATE, "measure": "own_sales"}


async def test_every_kind_of_award_is_paid_and_explained(db: Database) -> None:
    codes = await two_brands(*EVERY)
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000, channel="douyin", day=12)
        await sold(codes["D"], 500_000, channel="douyin", day=11)
        closed = await close_march()
        assert (closed.label, closed.awards, closed.awards_minor) == ("2026-03", 9, 406_000)
        assert await paid(codes) == {
            ("rebate", "A"): 88_000,
            ("rebate", "B"): 88_000,
            ("rebate", "C"): 30_000,
            ("rebate", "D"): 25_000,
            ("target", "C"): 50_000,
            ("target", "D"): 50_000,
            ("first", "D"): 70_000,
            ("top", "C"): 3000,
            ("top", "D"): 2000,
        }
        (lost,) = await awards(statuses=["nothing"])
        said = explain(lost, "en", program_number=lost.program_number, currency="CNY", period=lost.label)
        assert "No event bonus for 2026-03: another distributor had the first order in channel douyin" in said
        assert (await balances_of([codes["D"]]))[codes["D"]].of(Account.AVAILABLE, "CNY") == 147_000
        kinds = await table(
            "SELECT kind, count(*) FROM ledger_transaction WHERE tenant_id = $1 AND reference_kind = 'award' "
            "GROUP BY kind ORDER BY kind"
        )
        assert kinds == [("bonus", 5), ("rebate", 4)]
        assert await run_checks() == []
    with as_tenant(CEDAR):
        assert await awards() == []
        assert (await queries.period_closes(PageRequest())).items == []


async def test_a_period_is_closed_once_and_when_it_is_over(db: Database) -> None:
    codes = await two_brands(OWN)
    with as_tenant(LOTUS):
        await sold(codes["D"], 100_000)
        with pytest.raises(PeriodNotOver):
            await close_march(at=APRIL - timedelta.resolution)
        with pytest.raises(NothingInPeriod):
            await close_march(length="quarter", at=APRIL + timedelta(days=200))
        first = await close_march()
        assert await close_march() == first
        assert await close_march(key="another", day=date(2026, 3, 31)) == first
        with pytest.raises(IdempotencyConflict):
            await close_march(day=date(2026, 2, 1))
        assert await paid(codes) == {("rebate", "D"): 5000}


async def test_periods_are_half_open_in_the_brands_time_zone(db: Database) -> None:
    codes = await two_brands(OWN)
    march = datetime(2026, 2, 28, 16, tzinfo=UTC)
    with as_tenant(LOTUS):
        async with transaction() as tx:  # nobody can pay before the program is in force
            for at, amount in (
                (march - timedelta.resolution, 1),
                (march, 20),
                (APRIL - timedelta.resolution, 400),
                (APRIL, 8000),
            ):
                id_ = await sold(codes["D"], amount * 100)
                await tx.execute(
                    "UPDATE sales_order SET paid_at = $3 WHERE tenant_id = $1 AND id = $2", tx.tenant_id, id_, at
                )
        await close_march()
        assert [one.measured for one in await awards()] == [42_000]


async def test_what_was_cancelled_or_is_not_paid_does_not_count(db: Database) -> None:
    codes = await two_brands(OWN)
    with as_tenant(LOTUS):
        gone = await sold(codes["D"], 500_000)
        await sold(codes["D"], 100_000)
        await sold(codes["D"], 700_000, paid_at=None)
        with clock.at(APRIL - timedelta(days=1)):
            await cancel(step(gone), staff())
        await close_march()
        assert await paid(codes) == {("rebate", "D"): 5000}


async def test_group_sales_follow_the_tree_of_each_sale(db: Database) -> None:
    codes = await two_brands(REBATE)
    with as_tenant(LOTUS):
        await sold(codes["C"], 200_000, day=5)
        with clock.at(datetime(2026, 3, 8, tzinfo=UTC)):
            await move(Move(distributor=codes["C"], sponsor=codes["A"], reason="nearer"), staff())
        await sold(codes["C"], 100_000, day=12)
        await close_march()
        assert {code: amount for (_, code), amount in (await paid(codes)).items()} == {
            "A": 15_000,
            "B": 10_000,
            "C": 15_000,
        }


async def test_standing_and_program_are_those_of_the_periods_end(db: Database) -> None:
    codes = await two_brands(REBATE, FIRST)
    with as_tenant(LOTUS):
        await sold(codes["C"], 200_000, day=5, channel="shop")
        with clock.at(APRIL - timedelta(days=1)):
            await suspend(codes["B"], "under review", staff())
        with clock.at(APRIL):
            await reinstate(codes["B"], "cleared", staff())
            await suspend(codes["A"], "under review", staff())
        first = await use(REBATE)
        await use({**OWN, "key": "later"}, at=APRIL)
        closed = await close_march(at=APRIL + timedelta(days=5))
        assert closed.program_number == first
        found = {one.distributor_id: one for one in await awards()}
        assert {code: found[codes[code]].amount_minor for code in "ABC"} == {"A": 10_000, "B": 0, "C": 10_000}
        assert (found[codes["B"]].reason, found[codes["B"]].detail["kept"]) == ("suspended", 10_000)


async def test_a_period_of_before_all_programs_is_ruled_by_the_first(db: Database) -> None:
    codes = await two_brands(OWN)
    with as_tenant(LOTUS):
        id_ = await sold(codes["D"], 100_000)
        async with transaction() as tx:
            await tx.execute(
                "UPDATE sales_order SET paid_at = $3 WHERE tenant_id = $1 AND id = $2",
                tx.tenant_id, id_, datetime(1997, 3, 5, tzinfo=UTC),
            )  # fmt: skip
        await close_march(day=date(1997, 3, 1))
        assert await paid(codes) == {("rebate", "D"): 5000}


async def test_the_preview_shows_what_the_close_writes(db: Database) -> None:
    codes = await two_brands(*EVERY)
    with as_tenant(LOTUS):
        await sold(codes["C"], 600_000, channel="douyin", day=12)
        with clock.at(APRIL - timedelta(days=3)):
            running = await preview_period("month", MARCH)
        with clock.at(APRIL):
            before = await preview_period("month", MARCH)
            due = [(one.length, one.label) for one in await queries.periods_due()]
        assert due == [("month", "2026-03")]
        assert running.awards == before.awards
        assert not await awards()
        closed = await close_march()
        written = [
            (one.component, one.distributor_id, one.scope, one.measured, one.amount_minor, one.reason, one.detail)
            for one in await awards()
        ]
        planned = [
            (one.component, one.holder.id, one.scope, one.measured, one.amount_minor, one.reason, one.detail)
            for one in before.awards
        ]
        assert sorted(map(str, written)) == sorted(map(str, planned)) and planned
        assert (closed.awards, closed.awards_minor) == (len(before.paid), before.awards_minor)
        with clock.at(APRIL):
            assert await queries.periods_due() == []


async def test_an_event_is_paid_once_whatever_is_closed_first(db: Database) -> None:
    event = {**FIRST, "once": "distributor", "minimum_minor": 100_000}
    codes = await two_brands(event)
    with as_tenant(LOTUS):
        await sold(codes["C"], 99_900, day=5, channel="shop")
        await sold(codes["C"], 100_000, day=6, channel="shop")
        april = APRIL + timedelta(days=3)
        with clock.at(april):
            for seller in "CD":
                await place_order(order(codes[seller], "TEA", 200_000, channel="shop", paid_at=april), staff())
        may = APRIL + timedelta(days=30)
        await close_march(at=may, key="april", day=date(2026, 4, 1))
        assert await paid(codes) == {("first", "D"): 70_000}
        assert [one.reason for one in await awards(distributor_id=codes["C"])] == ["taken"]
        await close_march(at=may)
        assert await paid(codes) == {("first", "C"): 70_000, ("first", "D"): 70_000}


async def test_an_event_that_was_paid_for_is_not_paid_again_when_its_order_is_undone(db: Database) -> None:
    codes = await two_brands(FIRST)
    with as_tenant(LOTUS):
        first = await sold(codes["C"], 100_000, channel="shop")
        await close_march()
        april = APRIL + timedelta(days=3)
        with clock.at(april):
            await cancel(step(first), staff())
            await place_order(order(codes["D"], "TEA", 200_000, channel="shop", paid_at=april), staff())
        await close_march(at=APRIL + timedelta(days=30), key="april", day=date(2026, 4, 1))
        assert await paid(codes) == {("first", "C"): 70_000}
        assert [one.reason for one in await awards(distributor_id=codes["D"])] == ["taken"]


async def test_components_count_what_they_are_limited_to(db: Database) -> None:
    tea = {**OWN, "key": "tea", "only": {"categories": ["tea"]}}
    both = {**OWN, "key": "both", "only": {"categories": ["tea"], "products": ["CAKE"]}, "effective_from": "0001-01-01"}
    cake = {**OWN, "key": "cake", "only": {"products": ["CAKE"]}, "effective_from": "2026-03-10"}
    channels = {**FIRST, "only": {"products": ["CAKE"]}, "channels": ["shop"], "effective_until": "2026-03-12"}
    channels["effective_from"] = "0001-01-01"
    pieces = {**TARGET, "key": "pieces", "measure": "pieces", "targets": [{"at_least": 7, "bonus_minor": 1}]}
    codes = await two_brands(tea, both, cake, channels, pieces)
    with as_tenant(LOTUS):
        await sold(codes["C"], 10_000, sku="TEA", day=9, pieces=3, channel="shop")
        await sold(codes["C"], 20_000, sku="CAKE", day=9, pieces=3, channel="street")
        await sold(codes["C"], 40_000, sku="CAKE", day=11, channel="shop")
        await sold(codes["D"], 40_000, sku="CAKE", day=12, channel="shop")
        await close_march()
        assert await paid(codes) == {
            ("tea", "C"): 500,
            ("both", "C"): 3500,
            ("both", "D"): 2000,
            ("cake", "C"): 2000,
            ("cake", "D"): 2000,
            ("first", "C"): 70_000,
            ("pieces", "C"): 1,
        }


async def test_a_lead_counts_for_both_distributors(db: Database) -> None:
    territory = {"cross_region_lead": {"performance_to_region_bps": 4000}}
    codes = await two_brands({**REBATE, "measure": "group_sales"}, territory=territory)
    with as_tenant(LOTUS):
        await sold(codes["C"], 100_000, served_by_id=codes["A"])
        await sold(codes["D"], 100_000)
        await close_march()
        measured = {one.distributor_id: one.measured for one in await awards()}
        assert {code: measured[codes[code]] for code in "ABCD"} == {
            "A": 200_000,
            "B": 160_000,
            "C": 60_000,
            "D": 100_000,
        }
