"""Files of returns: each goes as far as it says, once, whole or not at all."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.imports.columns import ImportKind
from saas.imports.files import HANDLERS, bring_in
from saas.imports.views import ImportView, import_file
from saas.jobs.worker import run_due
from saas.ledger.checks import run_checks
from saas.returns.queries import ReturnFilter, returns
from saas.returns.rules import ReturnState
from tenants.actors import Actor
from tests.factories import LOTUS, as_tenant
from tests.imports.world import NOW, OPERATIONS, OWNER, asked, brought_in, counted, everything, wrong
from tests.orders.world import two_shops


@pytest.fixture(autouse=True)
async def ids(db: Database) -> dict[str, DistributorId]:
    """Lotus' distributors by code; Cedar has the same codes and products."""
    return (await two_shops())[0]


BACK_HEAD = "return_number,order_number,sku,quantity,reason,state,freight,override_reason"


async def came_back(rows: Sequence[str], actor: Actor = OWNER, **changes: Any) -> ImportView:
    return await brought_in(rows, actor, kind=ImportKind.RETURNS, head=BACK_HEAD, **changes)


async def sold() -> None:
    """Three delivered orders of three pieces each."""
    rows = [f"N-{n},C,PLAIN,3,100.00,5.00,2026-03-10,2026-03-12" for n in (1, 2, 3)]
    assert counted(await brought_in(rows)) == (3, 0, 0)


async def states() -> list[ReturnState]:
    return sorted(one.status for one in (await returns(PageRequest(), ReturnFilter())).items)


async def test_returns_go_as_far_as_they_say_and_only_once(db: Database) -> None:
    rows = [
        "R-1,N-1,PLAIN,1,too small,received,,",
        "R-2,N-2,,,all wrong,refunded,5.00,",
        ",N-3,PLAIN,2,broken,requested,,",
        "R-4,N-1,PLAIN,1,too small,,,",
    ]
    with as_tenant(LOTUS):
        await sold()
        before = await everything()
        dry = await came_back(rows, dry_run=True)
        assert await everything() == before
        assert await states() == []
        first = await came_back(rows)
        assert counted(dry) == counted(first) == (4, 0, 0)
        expected = sorted([ReturnState.RECEIVED] * 2 + [ReturnState.REFUNDED, ReturnState.REQUESTED])
        assert await states() == expected
        after = await everything()
        assert counted(await came_back(rows[::-1])) == (0, 4, 0)
        assert (await everything(), await states()) == (after, expected)
        assert await run_checks() == []


async def test_a_return_that_is_refused_halfway_leaves_nothing(db: Database) -> None:
    """The refund of more freight than there was comes after the goods were booked in."""
    with as_tenant(LOTUS):
        await sold()
        before = await everything()
        rows = [
            "R-1,N-1,PLAIN,1,too small,refunded,99.00,",
            "R-2,N-2,PLAIN,4,too many,received,,",
            "R-3,NONE,PLAIN,1,no such order,received,,",
            "R-4,N-3,OTHER,1,no such line,received,,",
            "R-5,N-3,PLAIN,,no quantity,received,,",
            "R-6,N-3,PLAIN,1,when,sometime,,",
            "R-7,N-3,PLAIN,1,freight of what was not refunded,,5.00,",
            "R-8,N-3,PLAIN,one,no number,received,,",
            "R-9,N-3,,1,no product,received,0.00,",
        ]
        found = await came_back(rows)
        assert counted(found) == (0, 0, 9)
        assert (await everything(), await states()) == (before, [])
        assert await wrong(found.id) == [
            (2, "Freight refunded", "REFUND_FREIGHT_TOO_MUCH"),
            (3, "Quantity", "RETURN_TOO_MANY"),
            (4, "Order number", "NOT_FOUND"),
            (5, "SKU", "IMPORT_LINE_UNCLEAR"),
            (6, "Quantity", "IMPORT_CELL_MISSING"),
            (7, "State", "IMPORT_CELL_UNREADABLE"),
            (8, "State", "IMPORT_CELL_UNREADABLE"),
            (9, "Quantity", "IMPORT_CELL_UNREADABLE"),
            (10, "SKU", "IMPORT_CELL_MISSING"),
        ]


async def test_who_may_not_refund_by_hand_does_not_refund_by_file(db: Database) -> None:
    with as_tenant(LOTUS):
        await sold()
        rows = ["R-1,N-1,PLAIN,1,too small,refunded,,", "R-2,N-2,PLAIN,1,too small,received,,"]
        found = await came_back(rows, OPERATIONS)
        assert (counted(found), await wrong(found.id)) == ((1, 0, 1), [(2, "State", "FORBIDDEN")])
        assert await states() == [ReturnState.RECEIVED]


async def test_a_late_return_needs_the_reason_why_it_is_taken(db: Database) -> None:
    with as_tenant(LOTUS):
        await sold()
        late = NOW + timedelta(days=30)
        outcomes = []
        for row in ("R-1,N-1,PLAIN,1,too small,,,", "R-1,N-1,PLAIN,1,too small,,,agreed on the phone"):
            with clock.at(late):
                taken = await bring_in(asked([row], kind=ImportKind.RETURNS, head=BACK_HEAD), OWNER)
                await run_due(HANDLERS)
                outcomes.append((counted(await import_file(taken.id)), await wrong(taken.id)))
        assert outcomes == [
            ((0, 0, 1), [(2, "SKU", "RETURN_WINDOW_OVER")]),
            ((1, 0, 0), []),
        ]
