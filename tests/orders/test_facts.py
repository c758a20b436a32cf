"""What orders bring to their commission (docs/rules.md §3.1, §3.2, §3.8): pieces, own sales, who serves the region."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import IdempotencyConflict, Rejected
from saas.base.ids import DistributorId, OrderId
from saas.base.scope import current_tenant
from saas.commissions.queries import of_orders
from saas.network.commands import enrol_many, suspend
from saas.orders.commands import PlaceLine, PlaceOrder, cancel, pay, place_order, place_orders, preview_orders
from saas.orders.queries import order as read
from tenants.actors import system
from tenants.program import as_data
from tenants.program.lifecycle import SaveDraft, activate, save_draft
from tenants.program.presets import preset
from tenants.program.versions import active_program
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import T0, distributor, request, staff
from tests.orders.world import NOON, balances, everything, explained, order, paid, sold, step, table, two_shops

LEVELS: Mapping[str, object] = {
    "key": "levels",
    "kind": "level_table",
    "levels": [{"rate_bps": rate} for rate in (1000, 1500, 2000)],
}
EAST, WEST, NORTH = "310000", "510000", "110000"


def pieces(**changes: object) -> dict[str, object]:
    """20.00 a piece, every piece above 30 in the month 2.00 more."""
    bands = [{"above_pieces": 30, "extra_minor": 200}]
    return {"key": "pieces", "kind": "per_piece_volume", "per_piece_minor": 2000, "bands": bands, **changes}


async def use(*components: Mapping[str, object], at: datetime = T0, **territory: object) -> None:
    """Activate a program with these components for the active brand."""
    base: Any = as_data(preset("lotus"))
    base["hierarchy"] |= {"applicant_review": "automatic", "depth_limit": None, "level_names": []}
    base["commission"] |= {"components": [dict(one) for one in components]}
    base["territory"] = {"regions": "shared", **territory}
    with clock.at(at):
        draft = await save_draft(SaveDraft(document=base), system(current_tenant(), "test"))
        await activate(draft.version.number, system(current_tenant(), "test"))


async def earned(id_: OrderId) -> list[int]:
    """What an order brings its beneficiaries, by line and level."""
    return [view.share.amount_minor for view in (await of_orders([id_]))[id_]]


async def sells(seller: DistributorId, quantity: int, **changes: Any) -> OrderId:
    """A paid order of so many pieces at 100.00."""
    return await paid(seller, 10_000 * quantity, quantity=quantity, **changes)


async def counted() -> dict[tuple[object, ...], object]:
    """The counters by code, component and first day of the period."""
    rows = await table(
        "SELECT d.code, v.component, v.period_from, v.pieces FROM period_volume v JOIN distributor d "
        "ON d.tenant_id = v.tenant_id AND d.id = v.distributor_id WHERE v.tenant_id = $1 AND v.component <> ''"
    )
    return {(code, component, str(first)): count for code, component, first, count in rows}


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
            tasks = [asyncio.create_task(pay(step(id_), staff())) for id_ in waiting]
            tasks += [asyncio.create_task(sells_now(lotus["D"], 7)) for _ in range(4)]
            await asyncio.gather(*tasks)
        total = 56 * 2_000 + (56 if applies == "WHOLE" else 26) * 200
        assert await balances() == {("D", "pending"): total}
        assert await counted() == {("D", "pieces", "2026-03-01"): 56}


async def sells_now(seller: DistributorId, quantity: int) -> None:
    """Place an order that is paid at once."""
    await place_order(order(seller, amount_minor=10_000 * quantity, quantity=quantity, paid_at=NOON), staff())


async def test_orders_and_cancellations_at_once_leave_the_true_count(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await use(pieces())
        gone = [await sells(lotus["D"], 5) for _ in range(4)]
        with clock.at(NOON + timedelta(hours=2)):
            tasks = [asyncio.create_task(cancel(step(id_), staff())) for id_ in gone]
            tasks += [asyncio.create_task(sells_now(lotus["D"], 3)) for _ in range(4)]
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


async def regions(**codes: str | None) -> dict[str, DistributorId]:
    """Distributors at the top, each with its region."""
    with clock.at(T0):
        asked = [request(code, region=region) for code, region in codes.items()]
        return dict(zip(codes, await enrol_many(asked, staff()), strict=True))


async def partners() -> Sequence[tuple[object, ...]]:
    """Order numbers with the code of whoever shares them."""
    return await table(
        "SELECT o.number, d.code FROM cross_region_lead l JOIN sales_order o ON o.tenant_id = l.tenant_id "
        "AND o.id = l.order_id JOIN distributor d ON d.tenant_id = l.tenant_id AND d.id = l.distributor_id "
        "WHERE l.tenant_id = $1 ORDER BY o.number"
    )


ONE_LEVEL: Mapping[str, object] = {"key": "levels", "kind": "level_table", "levels": [{"rate_bps": 1_000}]}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
async def test_case_3_8_a_lead_is_shared_with_the_customers_region(db: Database, named: bool, at_once: bool) -> None:
    """100.00 of commission → 30.00 / 70.00, and half of the amount is the region's performance."""
    await two_shops()
    with as_tenant(LOTUS):
        await use(ONE_LEVEL, cross_region_lead={})
        ids = await regions(EA=EAST, WE=WEST, NO=NORTH)
        asked = order(
            ids["EA"], amount_minor=100_011, quantity=3, region=WEST, served_by_id=ids["WE"] if named else None
        )
        if at_once:
            id_ = await paid(ids["EA"], 100_011, quantity=3, region=WEST, served_by_id=asked.served_by_id)
        else:
            with clock.at(NOON):
                id_ = await place_order(asked, staff())
                assert [code for _, code in await partners()] == (["WE"] if named else [])
                await pay(step(id_), staff())
        assert (await read(id_)).served_by_id == ids["WE"]
        assert await balances() == {("EA", "pending"): 3_000, ("WE", "pending"): 7_001}
        assert await table_of_sales() == {"EA": (1, 3, 50_005), "WE": (0, 0, 50_006)}
        again = [(one.share.beneficiary_id, one.share.component) for one in await explained(id_)]
        assert sorted(component for _, component in again) == ["levels", "levels/lead"]
        await cancel(step(id_), staff())
        assert await balances() == {}
        assert await table_of_sales() == {"EA": (0, 0, 0), "WE": (0, 0, 0)}


async def table_of_sales() -> dict[object, tuple[object, ...]]:
    """Orders, pieces and amount of each distributor's days."""
    rows = await table(
        "SELECT d.code, s.orders, s.pieces, s.amount_minor FROM sales_day s JOIN distributor d "
        "ON d.tenant_id = s.tenant_id AND d.id = s.distributor_id WHERE s.tenant_id = $1"
    )
    return {code: tuple(rest) for code, *rest in rows}


async def test_case_3_8_who_serves_a_region_is_found_where_it_is_clear(db: Database) -> None:
    await two_shops()
    with as_tenant(CEDAR):
        await use(ONE_LEVEL, cross_region_lead={})
        await regions(EA=EAST, XX=NORTH)
    with as_tenant(LOTUS):
        await use(ONE_LEVEL, cross_region_lead={})
        ids = await regions(EA=EAST, EB=EAST, WE=WEST, N1=NORTH, N2=NORTH, NN=None)
        asked: dict[str, dict[str, Any]] = {
            "own": {"region": EAST},
            "west": {"region": WEST},
            "two": {"region": NORTH},
            "none": {"region": "440000"},
            "unsaid": {},
            "self": {"region": WEST, "self_purchase": True},
            "named": {"served_by_id": ids["N2"]},
        }
        with clock.at(NOON):
            many = [order(ids["EA"], number=name, paid_at=NOON, **changes) for name, changes in asked.items()]
            many += [order(ids["NN"], number="rover", region=WEST, paid_at=NOON)]
            many += [order(ids["WE"], number="home", region=WEST, paid_at=NOON)]
            assert all(verdict.order_id for verdict in await place_orders(many, staff()))
        assert await partners() == [("named", "N2"), ("rover", "WE"), ("west", "WE")]
        await suspend(ids["N1"], "test", staff())
        waiting = await place_order(order(ids["EA"], number="two-later", region=NORTH), staff())
        await pay(step(waiting), staff())
        assert ("two-later", "N2") in await partners()
        assert "XX" not in {code for _, code in await partners()}


async def test_a_partner_who_left_off_earns_nothing_and_a_program_without_leads_shares_none(db: Database) -> None:
    await two_shops()
    with as_tenant(LOTUS):
        await use(ONE_LEVEL, cross_region_lead={})
        ids = await regions(EA=EAST, WE=WEST)
        first, second = [await place_order(order(ids["EA"], served_by_id=ids["WE"]), staff()) for _ in range(2)]
        await suspend(ids["WE"], "test", staff())
        await pay(step(first), staff())
        assert await balances() == {("EA", "pending"): 300}
        await use(ONE_LEVEL)
        await pay(step(second), staff())
        assert await balances() == {("EA", "pending"): 1_300}
        assert [(await read(id_)).served_by_id for id_ in (first, second)] == [ids["WE"], None]
        await cancel([*step(first), *step(second)], staff())
        assert await table_of_sales() == {"EA": (0, 0, 0), "WE": (0, 0, 0)}


async def test_a_wrong_partner_is_refused(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(LOTUS):
        ids = await regions(EA=EAST, WE=WEST, GONE=WEST)

        async def refused(partner: DistributorId, own: bool = False, **changes: Any) -> list[tuple[str, str | None]]:
            before = await everything()
            with pytest.raises(Rejected) as why:
                asked = order(ids["EA"], served_by_id=partner, **changes)
                await place_order(asked, distributor(ids["EA"]) if own else staff())
            assert await everything() == before
            assert all(error.message(language) for error in why.value.errors for language in ("en", "zh-CN"))
            return [(error.code, error.field) for error in why.value.errors]

        field = "input.servedById"
        assert await refused(ids["WE"]) == [("LEADS_NOT_SHARED", field)]
        await use(ONE_LEVEL, cross_region_lead={})
        await suspend(ids["GONE"], "test", staff())
        for own in (False, True):
            assert await refused(cedar["A"], own) == [("NOT_FOUND", field)]
            assert await refused(ids["EA"], own) == [("PARTNER_REFUSED", field)]
            assert await refused(ids["WE"], own, self_purchase=True) == [("PARTNER_REFUSED", field)]
        assert await refused(ids["GONE"]) == [("PARTNER_REFUSED", field)]
        assert await refused(ids["GONE"], own=True) == [("NOT_FOUND", field)], "a distributor learns of nobody's state"
        named = await place_order(order(ids["EA"], served_by_id=ids["WE"]), distributor(ids["EA"]))
        assert (await read(named)).served_by_id == ids["WE"]


async def test_performance_of_a_region_qualifies_an_upline(db: Database) -> None:
    await two_shops()
    with as_tenant(LOTUS):
        await use({**LEVELS, "qualify": {"own_sales_minor": 5_000}}, cross_region_lead={})
        ids = await regions(EA=EAST, WE=WEST)
        with clock.at(T0):
            (below,) = await enrol_many([request("WW", "WE", region=NORTH)], staff())
        with clock.at(NOON):
            many = [
                order(seller, region=region, paid_at=NOON) for seller, region in ((ids["EA"], WEST), (below, NORTH))
            ]
            verdicts = await place_orders(many, staff())
        assert await earned(verdicts[1].order_id) == [1_000, 1_500, 0]  # type: ignore[arg-type]


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


async def test_two_orders_at_once_with_one_number(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        keys = cast(int, (await everything())["idempotency"])
        asked = [order(lotus[code], number="N-1", paid_at=NOON) for code in "DCBA" * 2]
        ended = await asyncio.gather(
            *(asyncio.create_task(place_order(one, staff())) for one in asked), return_exceptions=True
        )
        refused = [end for end in ended if isinstance(end, Rejected)]
        assert len(refused) == len(asked) - 1
        assert {(error.code, error.field) for end in refused for error in end.errors} == {
            ("ORDER_NUMBER_TAKEN", "input.number")
        }
        after = await everything()
        assert [after[name] for name in ("sales_order", "order_line", "idempotency")] == [1, 1, keys + 1]
        assert len(await sold()) == 1


async def test_two_bulks_at_once_with_the_same_numbers(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        numbers = [f"N-{n}" for n in range(5)]
        bulks = [[order(lotus["D"], number=number) for number in part] for part in (numbers, numbers[::-1])]
        ended = await asyncio.gather(*(asyncio.create_task(place_orders(bulk, staff())) for bulk in bulks))
        placed = [verdict.order_id for bulk in ended for verdict in bulk if verdict.order_id]
        codes = [error.code for bulk in ended for verdict in bulk for error in verdict.errors]
        assert (len(placed), codes) == (5, ["ORDER_NUMBER_TAKEN"] * 5)


async def test_a_key_of_before_stands_for_the_same_order(db: Database) -> None:
    """What orders learned to say later leaves the keys of all others as they were."""
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        asked = PlaceOrder(
            seller_id=lotus["D"],
            lines=(PlaceLine(sku="PLAIN", quantity=2, amount_minor=5),),
            idempotency_key="k",
            region=EAST,
            placed_at=NOON,
        )
        with clock.at(NOON):
            await place_order(asked, staff())
        rows = await table("SELECT input_hash FROM idempotency WHERE tenant_id = $1 AND key = 'k'")
        before = (
            f'{{"seller_id":"{lotus["D"]}","lines":[{{"sku":"PLAIN","quantity":2,"unit_price_minor":null,'
            '"amount_minor":5}],"idempotency_key":"k","customer":null,"self_purchase":false,"channel":null,'
            f'"region":"{EAST}","freight_minor":0,"tax_minor":0,"number":null,'
            '"placed_at":"2026-03-10T04:00:00+00:00","paid_at":null,"shipped_at":null,"delivered_at":null}'
        )
        assert rows == [(sha256(before.encode()).hexdigest(),)]
        for changes in ({"for_member": True}, {"served_by_id": lotus["A"]}):
            with pytest.raises(IdempotencyConflict):
                await place_order(replace(asked, **changes), staff())
