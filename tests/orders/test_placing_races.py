"""Numbers and keys that several orders want, at once or from before (docs/rules.md §4)."""

import asyncio
from asyncio import create_task
from dataclasses import replace
from hashlib import sha256
from typing import cast

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.errors import IdempotencyConflict, Rejected
from saas.orders.commands import PlaceLine, PlaceOrder, place_order, place_orders
from tests.factories import LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.facts_world import (
    EAST,
)
from tests.orders.world import NOON, everything, order, paid, sold, table, two_shops
from tests.payouts.people import started


async def test_two_orders_at_once_with_one_number(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        keys = cast(int, (await everything())["idempotency"])
        asked = [order(lotus[code], number="N-1", paid_at=NOON) for code in "DCBA" * 2]
        ended = await asyncio.gather(*(create_task(place_order(one, staff())) for one in asked), return_exceptions=True)
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
        ended = await asyncio.gather(*(create_task(place_orders(bulk, staff())) for bulk in bulks))
        placed = [verdict.order_id for bulk in ended for verdict in bulk if verdict.order_id]
        codes = [error.code for bulk in ended for verdict in bulk for error in verdict.errors]
        assert (len(placed), codes) == (5, ["ORDER_NUMBER_TAKEN"] * 5)


async def test_who_pays_takes_balances_before_sums_of_sales_as_who_cancels_does(db: Database) -> None:
    lotus, _ = await two_shops()
    with as_tenant(LOTUS):
        await paid(lotus["D"])
        async with transaction() as tx:
            await tx.execute("UPDATE balance SET amount_minor = amount_minor WHERE tenant_id = $1", LOTUS)
            placing = await started(paid(lotus["D"]))
            await tx.execute("UPDATE sales_day SET orders = orders WHERE tenant_id = $1", LOTUS)
        await placing
        assert next(iter((await sold()).values()))[0] == 2


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
