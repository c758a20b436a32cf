"""What a payment does (docs/rules.md §3, §4, §5): the worked cases, once, with the tree and the rules of the moment."""

import asyncio

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import Rejected
from saas.base.ids import DistributorId, OrderId
from saas.base.paging import PageRequest
from saas.commissions.commands import Reversed, reverse_beneficiary
from saas.commissions.explain import explain
from saas.commissions.queries import (
    CommissionFilter,
    CommissionSort,
    LevelSum,
    of_beneficiary,
    of_orders,
    summary,
)
from saas.network.commands import Move, move, suspend
from saas.orders.commands import cancel, pay, place_order
from saas.orders.queries import lines_of
from saas.orders.queries import order as read
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff, use_program
from tests.orders.world import NOON, balances, everything, explained, order, paid, sold, step, table, two_shops


async def shares(order_id: OrderId) -> list[tuple[int, int, str, str]]:
    """Level, amount, reason and status of an order's commission."""
    views = (await of_orders([order_id]))[order_id]
    return [(view.share.level, view.share.amount_minor, view.share.reason.value, view.status) for view in views]


async def company(order_id: OrderId) -> int | None:
    """The company's share of an order of one line."""
    (line,) = (await lines_of([order_id]))[order_id]
    return line.company_minor


@pytest.mark.parametrize(
    ("amount_minor", "amounts", "left"), [(10_000, (1_000, 1_500, 2_000), 5_500), (3_333, (333, 500, 667), 1_833)]
)
async def test_3_1_three_levels_of_10_15_20_percent(
    db: Database, amount_minor: int, amounts: tuple[int, int, int], left: int
) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        id_ = await paid(lotus["D"], amount_minor, quantity=2)
        assert await shares(id_) == [(level, amount, "in_full", "pending") for level, amount in enumerate(amounts)]
        assert await company(id_) == left
        assert await balances() == {
            ("D", "pending"): amounts[0],
            ("C", "pending"): amounts[1],
            ("B", "pending"): amounts[2],
        }
        assert await sold() == {("D", "2026-03-10"): (1, 2, amount_minor)}
        made = await read(id_)
        assert (made.status, made.program_number, made.paid_at, made.hold_until) == ("paid", 1, NOON, None)
        entries = await table(
            "SELECT account, amount_minor FROM ledger_entry WHERE tenant_id = $1 AND owner_id IS NULL"
        )
        assert entries == [("commission_expense", -sum(amounts))]
    with as_tenant(CEDAR):
        assert await balances() == {}


async def test_3_1_two_level_referral_pays_the_referrers_and_stops(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(CEDAR):
        id_ = await paid(cedar["D"], 20_000)
        assert await balances() == {("C", "pending"): 2_000, ("B", "pending"): 1_000}
        told = await explained(id_)
        assert [(one.share.level, one.share.beneficiary_id, one.share.reason.value) for one in told] == [
            (0, cedar["D"], "rate_zero"),
            (1, cedar["C"], "in_full"),
            (2, cedar["B"], "in_full"),
            (3, cedar["A"], "beyond_paid_levels"),
        ]
        assert [one.commission is not None for one in told] == [True, True, True, False]
        sentences = [
            explain(one.share, language, program_number=one.program_number, currency=one.currency)
            for one in told
            for language in ("en", "zh-CN")
        ]
        assert "does not reach this level" in sentences[-2]
        assert all(sentences)


async def test_3_5_a_fixed_amount_counts_every_piece(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(CEDAR):
        await paid(cedar["D"], 3 * 35_700, sku="CEDAR-CAKE", quantity=3)
        assert await balances() == {("C", "pending"): 2_400, ("B", "pending"): 1_200}


async def test_a_gift_of_nothing_is_paid_and_earns_nothing(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        id_ = await paid(lotus["D"], 0)
        assert await shares(id_) == [(level, 0, "no_base", "nothing") for level in range(3)]
        assert await balances() == {}
        assert await table("SELECT id FROM ledger_transaction WHERE tenant_id = $1") == []
        assert await sold() == {("D", "2026-03-10"): (1, 1, 0)}


async def test_placed_then_paid_is_the_same_as_paid_at_once(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        with clock.at(NOON):
            id_ = await place_order(order(lotus["D"], amount_minor=3_333), staff())
            assert (await balances(), await sold(), await company(id_)) == ({}, {}, None)
            await pay(step(id_), staff())
        expected = [(0, 333), (1, 500), (2, 667)]
        assert await shares(id_) == [(level, amount, "in_full", "pending") for level, amount in expected]
        assert await company(id_) == 1_833
        assert await sold() == {("D", "2026-03-10"): (1, 1, 3_333)}
        assert (await read(id_)).path == (await read(await paid(lotus["D"]))).path


async def test_a_batch_is_paid_in_as_many_statements_as_one_order(db: Database) -> None:
    lotus, _ = await two_shops()
    counts = []
    with as_tenant(LOTUS):
        for size in (1, 30):
            ids = [await place_order(order(lotus["ABCD"[i % 4]]), staff()) for i in range(size)]
            seen: list[str] = []
            db.observer = seen.append
            await pay([one for id_ in ids for one in step(id_)], staff())
            db.observer = None
            counts.append(len(seen))
    assert counts[0] == counts[1] <= 16


@pytest.mark.parametrize("same_key", [True, False])
async def test_paid_eight_times_at_once_it_is_paid_once(db: Database, same_key: bool) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        id_ = await place_order(order(lotus["D"]), staff())
        keys = ["K"] * 8 if same_key else [f"K{i}" for i in range(8)]
        tasks = [asyncio.create_task(pay(step(id_, idempotency_key=key), staff())) for key in keys]
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        refused = [end for end in ended if isinstance(end, Rejected)]
        assert ended.count(None) == (8 if same_key else 1)
        assert {end.errors[0].code for end in refused} == (set() if same_key else {"ORDER_STEP_REFUSED"})
        assert await balances() == {("D", "pending"): 1_000, ("C", "pending"): 1_500, ("B", "pending"): 2_000}
        assert list((await sold()).values()) == [(1, 1, 10_000)]


async def test_parallel_orders_of_one_team_add_up(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        sellers = [lotus[code] for code in "DCBA" * 6]
        tasks = [asyncio.create_task(paid(seller, 10_000)) for seller in sellers]
        await asyncio.gather(*tasks)
        assert await balances() == {
            ("D", "pending"): 6 * 1_000,
            ("C", "pending"): 6 * (1_000 + 1_500),
            ("B", "pending"): 6 * (1_000 + 1_500 + 2_000),
            ("A", "pending"): 6 * (1_000 + 1_500 + 2_000),
        }
        assert {key: value[0] for key, value in (await sold()).items()} == {(c, "2026-03-10"): 6 for c in "ABCD"}


async def test_the_tree_and_the_rules_are_those_of_the_payment(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        first = await paid(lotus["D"])
        waiting = await place_order(order(lotus["D"]), staff())
        before = [(one.share, one.program_number) for one in await explained(first)]
        await move(Move(distributor=lotus["D"], sponsor=lotus["A"], reason="test"), staff())
        await suspend(lotus["A"], "test", staff())
        await use_program("three_level_percent", applicant_review="automatic", depth_limit=None, level_names=[])
        assert [(one.share, one.program_number) for one in await explained(first)] == before
        assert [one.share.beneficiary_id for one in await explained(first)] == [lotus[c] for c in "DCBA"]
        await pay(step(waiting), staff())
        assert (await read(waiting)).program_number == 2
        assert await shares(waiting) == [
            (0, 1_000, "in_full", "pending"),
            (1, 0, "suspended", "nothing"),
            (2, 0, "no_upline", "nothing"),
        ]
        assert [one.share.beneficiary_id for one in await explained(waiting)] == [
            lotus["D"],
            lotus["A"],
            None,
        ]


async def test_a_paid_order_that_is_cancelled_leaves_no_trace_in_the_sums(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        kept = await paid(lotus["D"], 3_333)
        world = (await balances(), await sold(), await summary(CommissionFilter()))
        gone = await paid(lotus["D"], 7_777, quantity=3)
        await cancel(step(gone), staff())
        made = await read(gone)
        assert (made.status, made.cancelled_at is not None) == ("cancelled", True)
        assert (await balances(), await sold()) == world[:2]
        assert {status for *_, status in await shares(gone)} == {"reversed"}
        assert {status for *_, status in await shares(kept)} == {"pending"}
        assert await table("SELECT kind FROM ledger_transaction WHERE tenant_id = $1 ORDER BY kind") == [
            ("accrual",),
            ("accrual",),
            ("reversal",),
        ]
        total = await table("SELECT CAST(sum(amount_minor) AS bigint) FROM ledger_entry WHERE tenant_id = $1")
        assert total == [(0,)]
        assert [(s.level, s.earned_minor) for s in await summary(CommissionFilter())] == [
            (s.level, s.earned_minor) for s in world[2]
        ]
        assert [(line.amount_minor, line.company_minor) for line in (await lines_of([kept]))[kept]] == [(3_333, 1_833)]


async def test_a_gift_of_nothing_is_cancelled_like_any_other(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        id_ = await paid(lotus["D"], 0)
        await cancel(step(id_), staff())
        assert {status for *_, status in await shares(id_)} == {"nothing"}
        assert await sold() == {}


@pytest.mark.unsound
async def test_pending_commission_of_one_person_is_taken_back_once_and_alone(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        first, second = [await paid(lotus["D"], amount) for amount in (10_000, 20_000)]
        before = await balances()
        taken = [Reversed(first, lotus["C"], "CNY", 1_500), Reversed(second, lotus["C"], "CNY", 3_000)]
        assert await reverse_beneficiary(lotus["C"]) == sorted(taken)
        assert await reverse_beneficiary(lotus["C"]) == []
        assert await balances() == before
        await cancel(step(first), staff())
        assert await balances() == {
            ("D", "pending"): 2_000,
            ("C", "pending"): 4_500,  # the ledger is for whoever took the commission back to settle
            ("B", "pending"): 4_000,
        }


async def test_commission_is_listed_and_summed(db: Database) -> None:
    lotus, cedar = await two_shops()
    with as_tenant(LOTUS):
        for amount in (10_000, 30_000, 20_000):
            await paid(lotus["D"], amount)
        gone = await paid(lotus["D"], 40_000)
        await cancel(step(gone), staff())

        async def amounts(who: DistributorId, sort: CommissionSort, **wanted: object) -> list[int]:
            found: list[int] = []
            after = None
            while True:
                page = await of_beneficiary(who, PageRequest(2, after), CommissionFilter(**wanted), sort)  # type: ignore[arg-type]
                found += [view.share.amount_minor for view in page.items]
                if not page.has_next:
                    return found
                after = page.cursors[-1]

        assert await amounts(lotus["C"], CommissionSort.LARGEST) == [6_000, 4_500, 3_000, 1_500]
        assert await amounts(lotus["C"], CommissionSort.OLDEST) == [1_500, 4_500, 3_000, 6_000]
        assert await amounts(lotus["C"], CommissionSort.SMALLEST, statuses=["pending"]) == [1_500, 3_000, 4_500]
        assert await amounts(lotus["C"], CommissionSort.NEWEST, components=["other"]) == []
        assert await amounts(lotus["C"], CommissionSort.NEWEST, since=NOON) == [6_000, 3_000, 4_500, 1_500]
        assert await amounts(lotus["C"], CommissionSort.NEWEST, until=NOON) == []
        assert await amounts(cedar["C"], CommissionSort.NEWEST) == []
        assert await summary(CommissionFilter(), lotus["B"]) == [
            LevelSum(component="levels", level=2, currency="CNY", shares=3, earned_minor=12_000, reversed_minor=8_000)
        ]
        assert [(one.level, one.earned_minor) for one in await summary(CommissionFilter())] == [
            (0, 6_000),
            (1, 9_000),
            (2, 12_000),
        ]


async def test_another_brands_order_cannot_be_paid_and_nothing_changes(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        id_ = await place_order(order(lotus["D"]), staff())
        before = await everything()
    with as_tenant(CEDAR):
        untouched = await everything()
        with pytest.raises(Rejected) as refused:
            await pay(step(id_), staff())
        assert [(error.code, error.field) for error in refused.value.errors] == [("NOT_FOUND", "input.orderId")]
        assert (await everything(), await explained(id_)) == (untouched, ())
    with as_tenant(LOTUS):
        assert await everything() == before
