"""Trace codes: each names an item or a box and is on one order at a time (docs/rules.md §4)."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import DomainError, IdempotencyConflict, Rejected
from saas.base.ids import DistributorId, OrderId
from saas.base.paging import PageRequest
from saas.orders.commands import PlaceLine, PlaceOrder, cancel, place_order, place_orders, preview_orders
from saas.orders.queries import OrderFilter, lines_of, orders
from saas.orders.trace_codes import trace_codes_of
from saas.proof.checks import broken
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.test_telling import check_told, placed
from tests.orders.world import NOON, everything, order, step, two_shops
from tests.returns.world import approved, comes_back, delivered, line_of, receive


def coded(seller: DistributorId, *codes: str, quantity: int = 3, **changes: Any) -> PlaceOrder:
    line = PlaceLine(sku="PLAIN", quantity=quantity, amount_minor=300, trace_codes=codes)
    return order(seller, lines=[line], **changes)


async def codes_of(order_id: OrderId) -> list[tuple[str, bool]]:
    """The codes of the first line, and whether each stands."""
    found = await trace_codes_of([await line_of(order_id)])
    return [(one.code, one.freed_at is None) for codes in found.values() for one in codes]


async def refusals(asked: PlaceOrder) -> list[tuple[str, str | None]]:
    with pytest.raises(Rejected) as refused:
        await place_order(asked, staff())
    return [(one.code, one.field) for one in refused.value.errors]


async def holders(code: str) -> Sequence[OrderId]:
    return [one.id for one in (await orders(PageRequest(), OrderFilter(trace_code=code))).items]


@pytest.fixture
async def lotus(db: Database) -> dict[str, DistributorId]:
    return (await two_shops())[0]


async def test_4_a_line_keeps_the_codes_it_was_sold_with(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        made = await placed(coded(lotus["D"], "T-2", "T-1", paid_at=NOON))
        await check_told(made)
        assert made.told is not None
        assert made.told.trace_codes == await trace_codes_of([line.id for line in made.told.lines])
        assert await codes_of(made.id) == [("T-1", True), ("T-2", True)]
        assert await holders("T-1") == [made.id]
        assert await holders("t-1") == await holders("T") == []
        again = await place_order(coded(lotus["D"], "T-3"), staff())
        assert again != made.id
        assert await broken() == []
    with as_tenant(CEDAR):
        assert await holders("T-1") == []
        assert list((await trace_codes_of([made.told.lines[0].id])).values()) == [[]]


async def test_4_a_code_is_on_one_line_at_a_time(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        await place_order(coded(lotus["D"], "T-1"), staff())
        before = await everything()
        assert await refusals(coded(lotus["C"], "T-0", "T-1")) == [("TRACE_CODE_TAKEN", "input.lines[0].traceCodes")]
        line = PlaceLine(sku="PLAIN", quantity=1, amount_minor=100, trace_codes=("T-5",))
        assert await refusals(order(lotus["C"], lines=[line, line])) == [
            ("TRACE_CODE_TAKEN", "input.lines[1].traceCodes")
        ]
        (twice,) = await preview_orders([coded(lotus["C"], "T-6", "T-6")], staff())
        assert [one.code for one in twice.errors] == ["TRACE_CODE_TAKEN"]
        assert await everything() == before
        bulk = [coded(lotus["C"], code) for code in ("T-1", "T-7", "T-7")]
        assert [[error.code for error in one.errors] for one in await preview_orders(bulk, staff())] == [
            ["TRACE_CODE_TAKEN"],
            [],
            ["TRACE_CODE_TAKEN"],
        ]
        verdicts = await place_orders(bulk, staff())
        assert [one.order_id is None for one in verdicts] == [True, False, True]


async def test_another_brand_may_use_the_same_code(db: Database) -> None:
    lotus, cedar = await two_shops()
    for tenant_id, seller in ((LOTUS, lotus["D"]), (CEDAR, cedar["D"])):
        with as_tenant(tenant_id):
            made = await place_order(coded(seller, "T-1"), staff())
            assert await holders("T-1") == [made]


@pytest.mark.parametrize(
    ("codes", "quantity", "refused"),
    [
        (("T 1",), 3, "TRACE_CODE_REFUSED"),
        (("T,1",), 3, "TRACE_CODE_REFUSED"),
        (("T;1",), 3, "TRACE_CODE_REFUSED"),
        (("",), 3, "TRACE_CODE_REFUSED"),
        (("码",), 3, "TRACE_CODE_REFUSED"),
        (("T" * 65,), 3, "TRACE_CODE_REFUSED"),
        (("T-1", "T-2", "T-3"), 2, "TRACE_CODES_TOO_MANY"),
        (tuple(f"T-{n}" for n in range(1_001)), 2_000, "TRACE_CODES_TOO_MANY"),
        (("https://t.example/?id=(1)~", "T" * 64, "01:02-03"), 3, None),
    ],
)
async def test_what_a_code_may_be(
    lotus: dict[str, DistributorId], codes: tuple[str, ...], quantity: int, refused: str | None
) -> None:
    with as_tenant(LOTUS):
        asked = coded(lotus["D"], *codes, quantity=quantity)
        if refused is None:
            assert await codes_of(await place_order(asked, staff())) == [(code, True) for code in sorted(codes)]
        else:
            assert await refusals(asked) == [(refused, "input.lines[0].traceCodes")]


async def test_codes_belong_to_what_a_key_stands_for(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        asked = coded(lotus["D"], "T-1")
        first = await place_order(asked, staff())
        assert await place_order(asked, staff()) == first
        with pytest.raises(IdempotencyConflict):
            await place_order(coded(lotus["D"], "T-2", idempotency_key=asked.idempotency_key), staff())
        assert await codes_of(first) == [("T-1", True)]


async def test_of_two_orders_at_once_one_has_the_code(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        asked = [coded(lotus[code], *codes) for code in "DCBA" for codes in (("T-1", "T-2"), ("T-2", "T-1"))]
        ended = await asyncio.gather(*(place_order(one, staff()) for one in asked), return_exceptions=True)
        refused = [end for end in ended if isinstance(end, Rejected)]
        assert len(refused) == len(asked) - 1
        assert {error.code for end in refused for error in end.errors} == {"TRACE_CODE_TAKEN"}
        assert len(await holders("T-1")) == 1
        assert (await everything())["sales_order"] == 1


@pytest.mark.parametrize("bulk", [False, True])
async def test_who_waited_for_a_code_is_refused_by_name(lotus: dict[str, DistributorId], bulk: bool) -> None:
    turn = asyncio.Event()

    async def late() -> Sequence[DomainError]:
        await turn.wait()
        asked = coded(lotus["C"], "T-0", "T-1", paid_at=NOON)
        if bulk:
            return (await place_orders([asked, order(lotus["C"])], staff()))[0].errors
        with pytest.raises(Rejected) as refused:
            await place_order(asked, staff())
        return refused.value.errors

    with as_tenant(LOTUS):
        waiting = asyncio.create_task(late())
        async with transaction():
            await place_order(coded(lotus["D"], "T-1"), staff())
            turn.set()
            assert not (await asyncio.wait({waiting}, timeout=0.2))[0]
        assert [(one.code, one.params["value"]) for one in await waiting] == [("TRACE_CODE_TAKEN", "T-1")]
        assert len(await holders("T-1")) == 1
        assert await holders("T-0") == []


async def test_4_a_cancelled_order_frees_its_codes(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        first = await place_order(coded(lotus["D"], "T-1"), staff())
        await cancel(step(first), staff())
        assert await codes_of(first) == [("T-1", False)]
        second = await place_order(coded(lotus["C"], "T-1"), staff())
        assert await holders("T-1") == [second, first]


async def test_4_goods_that_came_back_whole_free_their_codes(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        sold = await delivered(lotus["D"], lines=coded(lotus["D"], "T-1", "T-2").lines)
        await comes_back(sold, 2)
        assert await codes_of(sold) == [("T-1", True), ("T-2", True)]
        await comes_back(sold, 1)
        assert await codes_of(sold) == [("T-1", False), ("T-2", False)]


async def test_4_of_a_part_that_came_back_the_codes_named_are_free(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        sold = await delivered(lotus["D"], lines=coded(lotus["D"], "T-1", "T-2", "T-3").lines)
        await delivered(lotus["D"], lines=coded(lotus["D"], "T-9").lines)
        back = await approved(sold, 1)
        for wrong in (("T-9",), ("T-8",), ("T-1", "T-2"), ("T-1", "T-1")):
            with pytest.raises(Rejected) as refused:
                await receive(back, trace_codes=wrong, idempotency_key=f"{wrong}")
            number = len(wrong) - 1
            assert [(one.code, one.field) for one in refused.value.errors] == [
                ("TRACE_CODE_NOT_BACK", f"input.traceCodes[{number}]")
            ]
        await receive(back, trace_codes=("T-2",))
        assert await codes_of(sold) == [("T-1", True), ("T-2", False), ("T-3", True)]
        with pytest.raises(IdempotencyConflict):
            await receive(back, trace_codes=("T-1",))


async def test_4_what_is_not_fit_to_be_sold_keeps_its_code(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        sold = await delivered(lotus["D"], lines=coded(lotus["D"], "T-1", "T-2").lines)
        await receive(await approved(sold, 1), trace_codes=("T-1",), sellable=False)
        await comes_back(sold, 2)
        assert await codes_of(sold) == [("T-1", True), ("T-2", True)]
        assert (await lines_of([sold]))[sold][0].quantity == 3


async def test_an_order_without_codes_asks_and_writes_nothing_about_them(
    lotus: dict[str, DistributorId], db: Database
) -> None:
    with as_tenant(LOTUS):
        seen: list[str] = []
        db.observer = seen.append
        await place_order(order(lotus["D"], paid_at=NOON, placed_at=NOON), staff())
        await place_orders([order(lotus["D"])], staff())
        db.observer = None
    assert seen
    assert not [sql for sql in seen if "trace_code" in sql]


@pytest.mark.unsound
async def test_codes_that_cannot_be_are_found(lotus: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS), clock.at(NOON):
        first = await place_order(coded(lotus["D"], "T-1", "T-2"), staff())
        second = await place_order(coded(lotus["D"], "T-3"), staff())
        await cancel(step(second), staff())
        assert await broken() == []
        for wrong, right in (
            ("UPDATE order_line SET quantity = 1 WHERE tenant_id = $1 AND order_id = $2", "quantity = 3"),
            ("UPDATE trace_code SET freed_at = NULL WHERE tenant_id = $1 AND code = 'T-3' AND order_id <> $2", ""),
        ):
            async with transaction() as tx:
                assert await tx.execute(wrong, LOTUS, first) == 1
            assert [one.check for one in await broken()] == ["trace_codes_stand"]
            if right:
                async with transaction() as tx:
                    await tx.execute(
                        f"UPDATE order_line SET {right} WHERE tenant_id = $1 AND order_id = $2", LOTUS, first
                    )
