"""The steps after placing: their order, the hold from delivery, who may take them; and lists of orders."""

from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import NotFound, Rejected
from saas.base.ids import OrderId
from saas.base.paging import PageRequest
from saas.commissions.queries import of_orders
from saas.orders.commands import cancel, close, close_price_case, deliver, pay, place_order, ship
from saas.orders.errors import PriceCaseClosed
from saas.orders.queries import OrderFilter, OrderSort, orders, price_cases
from saas.orders.queries import order as read
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, plant, staff
from tests.orders.world import NOON, everything, order, paid, step, two_shops

STEPS = {"pay": pay, "ship": ship, "deliver": deliver, "close": close, "cancel": cancel}
ALLOWED = {
    (): {"pay", "cancel"},
    ("pay",): {"ship", "cancel"},
    ("pay", "ship"): {"deliver"},
    ("pay", "ship", "deliver"): {"close"},
    ("pay", "ship", "deliver", "close"): set(),
    ("cancel",): set(),
    ("pay", "cancel"): set(),
}


async def brought_to(path: tuple[str, ...], seller: object) -> OrderId:
    """An order after these steps."""
    id_ = await place_order(order(seller), staff())  # type: ignore[arg-type]  # whatever the world calls an id
    for name in path:
        await STEPS[name](step(id_), staff())
    return id_


async def test_4_every_step_from_every_state(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        for path, allowed in ALLOWED.items():
            for name, act in STEPS.items():
                id_ = await brought_to(path, lotus["D"])
                if name in allowed:
                    await act(step(id_), staff())
                    continue
                before = await everything()
                with pytest.raises(Rejected) as refused:
                    await act(step(id_), staff())
                assert [error.code for error in refused.value.errors] == ["ORDER_STEP_REFUSED"]
                assert await everything() == before


async def test_the_hold_of_seven_days_starts_at_delivery_on_order_and_commission(db: Database) -> None:
    lotus, _ = await two_shops()
    delivered = NOON + timedelta(days=3, hours=1)
    with as_tenant(LOTUS), clock.at(NOON + timedelta(days=10)):
        id_ = await paid(lotus["D"], 0, quantity=1)
        full = await paid(lotus["D"])
        await ship([*step(id_, at=NOON), *step(full, at=NOON)], staff())
        await deliver([*step(id_, at=delivered), *step(full, at=delivered)], staff())
        made = await read(full)
        assert (made.status, made.delivered_at) == ("delivered", delivered)
        assert made.hold_until == delivered + timedelta(days=7)
        views = await of_orders([id_, full])
        assert [view.hold_until for view in views[full]] == [delivered + timedelta(days=7)] * 3
        assert [(view.status, view.hold_until) for view in views[id_]] == [("nothing", None)] * 3
        await close(step(full), staff())


async def test_a_step_under_the_same_key_is_taken_once(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        id_ = await place_order(order(lotus["D"]), staff())
        await pay(step(id_, idempotency_key="K"), staff())
        await ship(step(id_), staff())
        before = await everything()
        await pay(step(id_, idempotency_key="K"), staff())
        assert await everything() == before


async def test_a_batch_is_taken_whole_or_refused_with_all_that_is_wrong(db: Database) -> None:
    lotus, cedar = await two_shops()
    with as_tenant(CEDAR):
        foreign = await place_order(order(cedar["D"]), staff())
    with as_tenant(LOTUS):
        good, done = await place_order(order(lotus["D"]), staff()), await paid(lotus["D"])
        before = await everything()
        late = step(good, at=clock.now() + timedelta(hours=1))
        batch = [*step(good), *step(done), *step(foreign), *step(good), *late]
        with pytest.raises(Rejected) as refused:
            await pay(batch, staff())
        assert [(error.code, error.field) for error in refused.value.errors] == [
            ("ORDER_STEP_REFUSED", "input.orders[1].orderId"),
            ("NOT_FOUND", "input.orders[2].orderId"),
            ("ORDER_STEP_REFUSED", "input.orders[3].orderId"),
            ("ORDER_STEP_REFUSED", "input.orders[4].orderId"),
        ]
        assert await everything() == before


async def test_a_moment_before_the_last_step_or_to_come_is_refused(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        with clock.at(NOON):
            id_ = await place_order(order(lotus["D"]), staff())
        for moment in (NOON - timedelta(seconds=1), clock.now() + timedelta(hours=1)):
            with pytest.raises(Rejected) as refused:
                await pay(step(id_, at=moment), staff())
            assert [(error.code, error.field) for error in refused.value.errors] == [
                ("ORDER_DATES_REFUSED", "input.at")
            ]


async def test_a_distributor_reaches_its_own_orders_only(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        id_ = await place_order(order(lotus["D"]), staff())
        before = await everything()
        with pytest.raises(Rejected) as refused:
            await cancel(step(id_), distributor(lotus["C"]))
        assert [error.code for error in refused.value.errors] == ["NOT_FOUND"]
        with pytest.raises(Rejected) as refused:
            await cancel(step(id_, at=clock.now()), distributor(lotus["D"]))
        assert [error.code for error in refused.value.errors] == ["RESERVED_FOR_BRAND"]
        assert await everything() == before
        await cancel(step(id_), distributor(lotus["D"]))
        assert (await read(id_)).status == "cancelled"
        bought = await paid(lotus["D"])
        with pytest.raises(Rejected) as refused:
            await cancel(step(bought), distributor(lotus["D"]))
        assert [error.code for error in refused.value.errors] == ["ORDER_STEP_REFUSED"]
        await cancel(step(bought), staff())
        assert (await read(bought)).status == "cancelled"


async def test_a_price_case_is_closed_once_by_the_brand_or_by_cancelling(db: Database) -> None:
    _, cedar = await two_shops()
    with as_tenant(CEDAR):
        low = [await place_order(order(cedar["D"], "CEDAR-GREEN", 1), staff()) for _ in range(2)]
        cases = {case.order_id: case for case in (await price_cases(PageRequest(), "open")).items}
        assert set(cases) == set(low)
    with as_tenant(LOTUS), pytest.raises(NotFound):
        await close_price_case(cases[low[0]].id, "not ours", staff())
    with as_tenant(CEDAR):
        await close_price_case(cases[low[0]].id, "warned", staff())
        with pytest.raises(PriceCaseClosed):
            await close_price_case(cases[low[0]].id, "again", staff())
        await cancel(step(low[1]), staff())
        closed = {case.order_id: case.resolution for case in (await price_cases(PageRequest(1), "closed")).items}
        assert closed == {low[1]: "order_cancelled"}
        page = await price_cases(PageRequest(1))
        rest = await price_cases(PageRequest(5, page.cursors[-1]))
        assert [case.resolution for case in rest.items] == ["warned"]


async def test_lists_filter_sort_and_page(db: Database) -> None:
    lotus, cedar = await two_shops()
    with as_tenant(LOTUS):
        made = {}
        for i, (seller, amount, channel) in enumerate(
            [("A", 500, "shop"), ("B", 300, "web"), ("C", 400, "web"), ("D", 200, "shop"), ("D", 300, "web")]
        ):
            with clock.at(NOON + timedelta(hours=i)):
                asked = order(
                    lotus[seller], amount_minor=amount, channel=channel, customer=f"Zoë_{i}%", region="310100"
                )
                made[await place_order(asked, staff())] = i
        await cancel(step(next(iter(made))), staff())
        stranger = await plant({"Z": None})
        with clock.at(NOON + timedelta(hours=5)):
            made[await place_order(order(stranger["Z"], amount_minor=100, channel="stall"), staff())] = 5

        async def listed(sort: OrderSort = OrderSort.OLDEST, first: int = 2, **wanted: object) -> list[int]:
            found: list[int] = []
            after = None
            while True:
                page = await orders(PageRequest(first, after), OrderFilter(**wanted), sort)  # type: ignore[arg-type]
                found += [made[view.id] for view in page.items]
                if not page.has_next:
                    return found
                after = page.cursors[-1]

        assert await listed() == [0, 1, 2, 3, 4, 5]
        assert await listed(OrderSort.NEWEST) == [5, 4, 3, 2, 1, 0]
        assert await listed(OrderSort.LARGEST) == [0, 2, 4, 1, 3, 5]
        assert await listed(OrderSort.SMALLEST, first=1) == [5, 3, 1, 4, 2, 0]
        assert await listed(statuses=["placed"]) == [1, 2, 3, 4, 5]
        assert await listed(seller_id=lotus["D"]) == [3, 4]
        assert await listed(channel="web") == [1, 2, 4]
        assert await listed(region="110000") == []
        assert await listed(since=NOON + timedelta(hours=1), until=NOON + timedelta(hours=3)) == [1, 2]
        assert await listed(search="_3%") == [3]
        assert await listed(team_of=lotus["B"]) == [1, 2, 3, 4]
        assert await listed(team_of=lotus["D"], channel="web") == [4]
        assert await listed(team_of=cedar["B"]) == []
        first = next(iter(made))
        assert (await read(first, lotus["A"])).id == first
        with pytest.raises(NotFound):
            await read(first, lotus["B"])
    with as_tenant(CEDAR):
        assert (await orders(PageRequest(), OrderFilter(seller_id=lotus["D"]))).items == []
        with pytest.raises(NotFound):
            await read(first)
