"""Distributors that sold nothing for a while: listed, and quoted together (docs/rules.md §7)."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.errors import IdempotencyConflict, InvalidInput, NotFound, Rejected
from saas.base.ids import DistributorId
from saas.base.paging import PageRequest
from saas.exits.commands import Quoted, QuoteInactive, quote_inactive, reject_exit
from saas.exits.queries import inactive_distributors
from saas.exits.rules import ExitKind, ExitState
from saas.network.commands import suspend
from saas.network.errors import HeirNeeded
from tenants.actors import Actor
from tenants.errors import Forbidden
from tests.exits.world import Ids, approved, quoted, refused, use_exit
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import distributor, staff
from tests.orders.world import NOON, paid, table
from tests.tenants.people import table_of

LATER = NOON + timedelta(days=60)


async def listed(days: int) -> list[DistributorId]:
    """The whole list, page by page."""
    found: list[DistributorId] = []
    page = PageRequest(first=2)
    while True:
        part = await inactive_distributors(days, page)
        found += [one.distributor_id for one in part.items]
        if not part.has_next:
            return found
        page = PageRequest(first=2, after=part.cursors[-1])


async def asked(ids: Sequence[DistributorId], actor: Actor | None = None, **changes: Any) -> Sequence[Quoted]:
    values: dict[str, Any] = {
        "distributor_ids": ids,
        "days": 30,
        "reason": "no sales",
        "heir_id": None,
        "idempotency_key": "k",
        "dry_run": False,
        **changes,
    }
    return await quote_inactive(QuoteInactive(**values), actor or staff())


async def test_who_sold_nothing_is_listed(shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    with as_tenant(CEDAR):
        await paid(theirs["A"])
    with as_tenant(LOTUS):
        await paid(ids["B"])
        with clock.at(NOON):
            assert await listed(9) == [], "nobody is inactive for longer than it is here"
        with clock.at(LATER):
            assert await listed(60) == [ids[code] for code in "ACD"], "a sale on the first of the days counts"
            assert await listed(59) == [ids[code] for code in "ABCD"]
            rows = {one.distributor_id: one for one in (await inactive_distributors(59, PageRequest())).items}
            assert (str(rows[ids["B"]].last_sale_on), rows[ids["A"]].last_sale_on) == ("2026-03-10", None)
            await suspend(ids["C"], "for a while", staff())
            case = await quoted(ids["D"])
            assert await listed(59) == [ids["A"], ids["B"]]
            await reject_exit(case.id, "stays", staff())
            assert await listed(59) == [ids["A"], ids["B"], ids["D"]]
            for days in (0, 3_651):
                with pytest.raises(InvalidInput):
                    await listed(days)


async def test_many_are_quoted_together_or_only_looked_at(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    both = [ids["C"], ids["D"]]
    with as_tenant(LOTUS), clock.at(LATER):
        looked = await asked(both, dry_run=True)
        assert await table_of(LOTUS, "exit_case") == []
        person = staff()
        made = await asked(both, actor=person)
        assert [(one.distributor_id, one.quote) for one in made] == [(one.distributor_id, one.quote) for one in looked]
        exits = [one.exit for one in made]
        assert [(x.kind, x.status, x.requested_by) for x in exits if x] == [
            (ExitKind.INACTIVITY, ExitState.QUOTED, person.id)
        ] * 2
        assert await asked(both) == made, "the same key opens the same exits"
        with pytest.raises(IdempotencyConflict):
            await asked([ids["A"]])
        assert await refused(asked(both, idempotency_key="again")) == ["NOT_INACTIVE"] * 2


async def test_all_are_quoted_or_none(shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    with as_tenant(LOTUS):
        await paid(ids["B"])
        with clock.at(NOON + timedelta(days=20)):
            with pytest.raises(Rejected) as caught:
                await asked([ids["C"], ids["B"], theirs["C"]], days=20)
            assert [(type(one).__name__, one.field) for one in caught.value.errors] == [
                ("NotInactive", "input.distributorIds[1]"),
                ("NotFound", "input.distributorIds[2]"),
            ]
            for ids_ in ([], [ids["C"]] * 0):
                with pytest.raises(InvalidInput):
                    await asked(ids_)
            for nobody in (distributor(ids["A"]),):
                with pytest.raises(Forbidden):
                    await asked([ids["C"]], actor=nobody)
        assert await table_of(LOTUS, "exit_case") == []
        await use_exit(inactivity={"downline_to": "heir", "pending": "forfeit"})
        with clock.at(LATER):
            with pytest.raises(HeirNeeded):
                await asked([ids["C"]])
            assert (await asked([ids["C"]], heir_id=ids["D"]))[0].quote.heir_id == ids["D"]
    with as_tenant(CEDAR), clock.at(LATER), pytest.raises(Rejected):
        await asked([ids["A"]])


async def test_two_lists_at_once_open_one_exit_each(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS), clock.at(LATER):
        lists = [asked([ids["C"], ids["D"]], idempotency_key=f"k{i}") for i in range(3)]
        results = await asyncio.gather(*lists, approved(ids["C"]), return_exceptions=True)
        open_ = await table("SELECT distributor_id FROM exit_case WHERE tenant_id = $1")
        assert len(set(open_)) == len(open_)
        assert sum(not isinstance(one, BaseException) for one in results) in {1, 2}
        assert not any(isinstance(one, NotFound) for one in results)
