"""Placing orders (docs/rules.md §2.3, §4): what is accepted, what is refused, and each key once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import IdempotencyConflict, Rejected
from saas.base.ids import DistributorId, new_id
from saas.base.paging import PageRequest
from saas.catalog.commands import archive_products
from saas.network.commands import Move, move, reinstate, set_tier, suspend
from saas.orders.commands import PlaceLine, PlaceOrder, Verdict, pay, place_order, place_orders, preview_orders
from saas.orders.queries import lines_of, price_cases
from saas.orders.queries import order as read
from tenants.actors import Actor
from tenants.program import as_data
from tenants.program.presets import preset
from tenants.program.versions import SaveDraft, activate, save_draft
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, staff
from tests.orders.world import NOON, everything, order, step, table, two_shops


async def refusals(asked: PlaceOrder, actor: Actor | None = None) -> list[tuple[str, str | None]]:
    """Codes and fields of everything that is wrong; the order must be refused and leave nothing."""
    before = await everything()
    with pytest.raises(Rejected) as refused:
        await place_order(asked, actor or staff())
    assert await everything() == before
    for error in refused.value.errors:
        assert error.message("en")
        assert error.message("zh-CN")
    return [(error.code, error.field) for error in refused.value.errors]


async def test_an_order_is_priced_by_line_and_keeps_what_it_was_told(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        lines = [
            PlaceLine(sku="PLAIN", quantity=3, unit_price_minor=1_250),
            PlaceLine(sku="LOTUS-CREAM", quantity=2, amount_minor=39_600),
        ]
        asked = order(lotus["D"], lines=lines, customer="王芳", channel="shop", freight_minor=800, tax_minor=50)
        with clock.at(NOON):
            made = await read(await place_order(asked, staff()))
        assert (made.status, made.goods_minor, made.freight_minor, made.tax_minor) == ("placed", 43_350, 800, 50)
        assert (made.customer, made.channel, made.source, made.placed_at) == ("王芳", "shop", "brand", NOON)
        assert (made.program_number, made.path, made.paid_at) == (None, None, None)
        assert made.number.startswith("260310-")
        stored = (await lines_of([made.id]))[made.id]
        assert [(line.line_no, line.sku, line.quantity, line.amount_minor) for line in stored] == [
            (1, "PLAIN", 3, 3_750),
            (2, "LOTUS-CREAM", 2, 39_600),
        ]
        assert await table("SELECT * FROM commission WHERE tenant_id = $1") == []


@pytest.mark.parametrize(
    ("amount_minor", "accepted"), [(18_809, False), (18_810, True), (20_790, True), (20_791, False)]
)
async def test_2_3_the_band_of_5_percent_is_inclusive_and_refuses(
    db: Database, amount_minor: int, accepted: bool
) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        asked = order(lotus["D"], "LOTUS-CREAM", amount_minor)
        if accepted:
            await place_order(asked, staff())
            return
        with pytest.raises(Rejected) as refused:
            await place_order(asked, staff())
        (error,) = refused.value.errors
        assert (error.code, error.field) == ("PRICE_OUTSIDE_BAND", "input.lines[0].amountMinor")
        assert (error.params["least_minor"], error.params["most_minor"]) == (18_810, 20_790)
        assert "188.10 to 207.90 CNY" in error.message("en")


async def test_2_3_outside_the_band_cedar_accepts_and_opens_a_case(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(CEDAR):
        with clock.at(NOON):
            id_ = await place_order(order(cedar["D"], "CEDAR-GREEN", 2 * 12_800 - 2_561, quantity=2), staff())
            await place_order(order(cedar["D"], "CEDAR-GREEN", 2 * 12_800 - 2_560, quantity=2), staff())
        (case,) = (await price_cases(PageRequest())).items
        assert (case.order_id, case.seller_id, case.verdict, case.status) == (id_, cedar["D"], "below", "open")
        assert (case.quantity, case.amount_minor, case.lowest_minor, case.highest_minor) == (2, 23_039, 23_040, 28_160)
        assert case.opened_at == NOON
    with as_tenant(LOTUS):
        assert (await price_cases(PageRequest())).items == []


async def test_everything_that_is_wrong_is_told_at_once(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await archive_products(["LOTUS-GIFT"], staff())
        await suspend(lotus["D"], "test", staff())
        lines = [
            PlaceLine(sku="NOPE", quantity=0, amount_minor=1),
            PlaceLine(sku="LOTUS-GIFT", quantity=1, amount_minor=59_800),
            PlaceLine(sku="PLAIN", quantity=1),
            PlaceLine(sku="PLAIN", quantity=1, amount_minor=1, unit_price_minor=1),
            PlaceLine(sku="PLAIN", quantity=1, amount_minor=-1),
            PlaceLine(sku="LOTUS-CREAM", quantity=1, unit_price_minor=1),
            PlaceLine(sku="PLAIN", quantity=10**9, unit_price_minor=10**13),
        ]
        asked = order(lotus["D"], lines=lines, freight_minor=-1, customer=" ", number="a\nb", paid_at=NOON)
        with clock.at(NOON - timedelta(seconds=1)):
            found = await refusals(asked)
        assert found == [
            ("SELLER_NOT_ACTIVE", "input.sellerId"),
            ("AMOUNT_REFUSED", "input.freightMinor"),
            ("TEXT_REFUSED", "input.customer"),
            ("TEXT_REFUSED", "input.number"),
            ("ORDER_DATES_REFUSED", "input.paidAt"),
            ("UNKNOWN_PRODUCT", "input.lines[0].sku"),
            ("QUANTITY_REFUSED", "input.lines[0].quantity"),
            ("UNKNOWN_PRODUCT", "input.lines[1].sku"),
            ("PRICE_NOT_KNOWN", "input.lines[2]"),
            ("PRICE_UNCLEAR", "input.lines[3]"),
            ("AMOUNT_REFUSED", "input.lines[4].amountMinor"),
            ("PRICE_OUTSIDE_BAND", "input.lines[5].unitPriceMinor"),
            ("AMOUNT_REFUSED", "input.lines[6].unitPriceMinor"),
        ]
        assert await refusals(order(lotus["C"], lines=[])) == [("ORDER_WITHOUT_LINES", "input.lines")]


async def test_a_seller_of_another_brand_does_not_exist(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(CEDAR):
        before = await everything()
    with as_tenant(LOTUS):
        nobody = DistributorId(new_id())
        assert await refusals(order(cedar["D"])) == await refusals(order(nobody)) == [("NOT_FOUND", "input.sellerId")]
    with as_tenant(CEDAR):
        assert await everything() == before


@pytest.mark.parametrize(
    "moments",
    [
        {"paid_at": timedelta(0), "placed_at": timedelta(seconds=1)},
        {"paid_at": timedelta(hours=2)},
        {"delivered_at": timedelta(0)},
        {"shipped_at": timedelta(0)},
        {"paid_at": timedelta(0), "shipped_at": timedelta(minutes=2), "delivered_at": timedelta(minutes=1)},
    ],
)
async def test_moments_come_in_their_order_and_have_been(db: Database, moments: dict[str, timedelta]) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS), clock.at(NOON + timedelta(hours=1)):
        dated: dict[str, Any] = {name: NOON + shift for name, shift in moments.items()}
        asked = order(lotus["D"], **dated)
        assert [code for code, _ in await refusals(asked)] == ["ORDER_DATES_REFUSED"]


async def test_4_same_key_and_content_is_the_same_order_other_content_an_error(db: Database) -> None:
    lotus, cedar = await two_shops()
    with as_tenant(LOTUS):
        asked = order(lotus["D"], idempotency_key="K")
        first = await place_order(asked, staff())
        await suspend(lotus["D"], "a replay is answered whatever has become of the seller", staff())
        before = await everything()
        assert await place_order(asked, staff()) == first
        with pytest.raises(IdempotencyConflict):
            await place_order(order(lotus["D"], idempotency_key="K", amount_minor=10_001), staff())
        assert await everything() == before
    with as_tenant(CEDAR):
        assert await place_order(order(cedar["D"], idempotency_key="K"), staff()) != first


async def test_sixteen_at_once_with_one_key_make_one_order(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        asked = order(lotus["D"], paid_at=NOON)
        made = await asyncio.gather(*(asyncio.create_task(place_order(asked, staff())) for _ in range(16)))
        assert len(set(made)) == 1
        after = await everything()
        assert (after["sales_order"], after["commission"], after["ledger_entry"]) == (1, 3, 4)


async def test_a_distributor_sells_for_itself_and_decides_nothing_else(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        me = distributor(lotus["C"])
        assert await refusals(order(lotus["D"]), me) == [("NOT_FOUND", "input.sellerId")]
        mine = order(lotus["C"], number="X", placed_at=NOON, paid_at=NOON)
        assert [field for _, field in await refusals(mine, me)] == ["input.number", "input.placedAt", "input.paidAt"]
        made = await read(await place_order(order(lotus["C"], self_purchase=True), me))
        assert (made.source, made.seller_id, made.self_purchase) == ("distributor", lotus["C"], True)


@pytest.mark.parametrize("what", ["tier", "standing", "place", "program"])
async def test_a_payment_of_before_the_last_change_is_refused(db: Database, what: str) -> None:
    lotus, cedar = await two_shops()
    changed = NOON + timedelta(hours=1)
    with as_tenant(CEDAR), clock.at(changed):
        await set_tier(cedar["A"], "partner", "elsewhere", staff())
    with as_tenant(LOTUS):
        with clock.at(NOON):
            waiting = await place_order(order(lotus["D"]), staff())
        with clock.at(changed):
            match what:
                case "tier":
                    await set_tier(lotus["A"], "diamond", "promoted", staff())
                case "standing":
                    await suspend(lotus["B"], "a complaint", staff())
                    await reinstate(lotus["B"], "settled", staff())
                case "place":
                    await move(Move(distributor=lotus["C"], sponsor=lotus["A"], reason="region"), staff())
                case _:
                    draft = await save_draft(SaveDraft(document=as_data(preset("lotus"))), staff())
                    await activate(draft.version.number, staff())
        with clock.at(changed + timedelta(hours=1)):
            early = changed - timedelta.resolution
            assert await refusals(order(lotus["D"], paid_at=early)) == [("PAID_BEFORE_CHANGE", "input.paidAt")]
            with pytest.raises(Rejected) as refused:
                await pay(step(waiting, at=early), staff())
            (error,) = refused.value.errors
            assert (error.code, error.field) == ("PAID_BEFORE_CHANGE", "input.at")
            assert error.params["earliest"] == changed.isoformat()
            (verdict,) = await preview_orders([order(lotus["D"], paid_at=early)], staff())
            assert [error.code for error in verdict.errors] == ["PAID_BEFORE_CHANGE"]
            (verdict,) = await place_orders([order(lotus["D"], paid_at=early)], staff(), imported=True)
            assert verdict.accrual is not None
            await place_order(order(lotus["D"], paid_at=changed), staff())
            await pay(step(waiting, at=changed), staff())


async def test_a_distributors_keys_are_its_own(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        made = {
            await place_order(order(lotus[code], idempotency_key="same", customer=who), actor)
            for code, who, actor in (
                ("C", "1", distributor(lotus["C"])),
                ("D", "2", distributor(lotus["D"])),
                ("C", "3", staff()),
            )
        }
        assert len(made) == 3
        again = order(lotus["C"], idempotency_key="same", customer="1")
        assert await place_order(again, distributor(lotus["C"])) in made
        with pytest.raises(IdempotencyConflict):
            await place_order(again, staff())


async def test_a_key_of_a_bulk_that_is_none_refuses_its_order_only(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        asked = [order(lotus["D"], idempotency_key=key) for key in ("", "good", "a\x00")]
        asked.append(order(lotus["D"], "NOPE", idempotency_key="\n"))
        verdicts = await place_orders(asked, staff())
        assert [[error.code for error in verdict.errors] for verdict in verdicts] == [
            ["INVALID_INPUT"],
            [],
            ["INVALID_INPUT"],
            ["INVALID_INPUT"],
        ]


async def test_of_a_bulk_each_order_has_its_verdict_and_good_ones_are_kept(db: Database) -> None:
    lotus, _ = await two_shops()

    def shown(verdicts: list[Verdict]) -> list[tuple[bool, bool, list[str]]]:
        return [(v.order_id is not None, v.replayed, [error.code for error in v.errors]) for v in verdicts]

    with as_tenant(LOTUS), clock.at(NOON):
        good = order(lotus["D"], number="N1", paid_at=NOON)
        asked = [
            good,
            order(lotus["D"], "NOPE"),
            good,
            order(lotus["D"], idempotency_key=good.idempotency_key),
            order(lotus["C"], number="N1"),
            order(lotus["B"], number="N2"),
        ]
        expected = [
            (True, False, []),
            (False, False, ["UNKNOWN_PRODUCT"]),
            (True, True, []),
            (False, False, ["IDEMPOTENCY_CONFLICT"]),
            (False, False, ["ORDER_NUMBER_TAKEN"]),
            (True, False, []),
        ]
        before = await everything()
        assert shown(await preview_orders(asked, staff())) == expected
        assert await everything() == before
        verdicts = await place_orders(asked, staff(), imported=True)
        assert shown(verdicts) == expected
        assert verdicts[0].order_id == verdicts[2].order_id
        assert await table("SELECT DISTINCT source FROM sales_order WHERE tenant_id = $1") == [("import",)]
        after = await everything()
        assert shown(await place_orders(asked, staff(), imported=True))[:3] == [
            (True, True, []),
            (False, False, ["UNKNOWN_PRODUCT"]),
            (True, True, []),
        ]
        assert await everything() == after


async def test_a_refused_order_may_be_mended_and_sent_under_its_key(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await refusals(order(lotus["D"], "NOPE", idempotency_key="K"))
        (verdict,) = await place_orders([order(lotus["D"], "NOPE", idempotency_key="K")], staff())
        assert verdict.order_id is None
        mended = await place_order(order(lotus["D"], idempotency_key="K"), staff())
        assert (await read(mended)).status == "placed"


async def test_a_bulk_takes_as_many_statements_as_one_order(db: Database) -> None:
    lotus, _ = await two_shops()
    counts = []
    with as_tenant(LOTUS):
        await place_orders([order(lotus["D"], paid_at=NOON)], staff())
        for size in (1, 100):
            seen: list[str] = []
            db.observer = seen.append
            await place_orders([order(lotus["ABCD"[i % 4]], paid_at=NOON) for i in range(size)], staff())
            db.observer = None
            counts.append(len(seen))
    assert counts[0] == counts[1] <= 15


async def test_nothing_is_left_when_the_caller_rolls_back(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        before = await everything()
        with pytest.raises(ZeroDivisionError):
            async with transaction():
                await place_order(order(lotus["D"], paid_at=NOON), staff())
                raise ZeroDivisionError
        assert await everything() == before
