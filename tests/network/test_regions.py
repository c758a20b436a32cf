"""How many distributors a region may have (docs/rules.md §2.5)."""

import asyncio
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError, Rejected
from saas.network.commands import approve, enrol, enrol_many, leave, reject, suspend
from saas.network.errors import RegionFull
from saas.network.rules import Status, policy_of
from tenants.actors import system
from tenants.program import as_data
from tenants.program.document import Program
from tenants.program.presets import preset
from tenants.program.versions import SaveDraft, activate, save_draft
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.network.world import T0, request, row, staff, stored

SHANGHAI, SUZHOU, HANGZHOU = "310000", "320500", "330100"


def brand(**territory: Any) -> dict[str, Any]:
    """A program with this territory: two agents in Shanghai and Hangzhou, one in every other region, as brands have."""
    agents = {"default": 1, "regions": {SHANGHAI: 2, HANGZHOU: 2}}
    base = as_data(preset("lotus"))
    shape = {**base["hierarchy"], "depth_limit": None, "level_names": [], "applicant_review": "automatic"}
    return {**base, "hierarchy": shape, "territory": {"regions": "exclusive", "agents": agents, **territory}}


async def use(document: dict[str, Any]) -> None:
    for tenant_id in (LOTUS, CEDAR):
        with as_tenant(tenant_id), clock.at(T0):
            draft = await save_draft(SaveDraft(document=document), system(tenant_id, "test"))
            await activate(draft.version.number, system(tenant_id, "test"))


async def full(*requests: Any, dry_run: bool = False) -> list[tuple[str | None, str, object]]:
    with pytest.raises(Rejected) as caught:
        await enrol_many(list(requests), staff(), dry_run=dry_run)
    return [(error.field, error.code, error.params.get("limit")) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("territory", "region", "limit"),
    [
        ({}, SHANGHAI, 2),
        ({}, SUZHOU, 1),
        ({"agents": {"default": None, "regions": {SHANGHAI: 2}}}, SUZHOU, 1),
        ({"agents": {"default": 3}}, SUZHOU, 3),
        ({"regions": "shared", "agents": {"regions": {SHANGHAI: 2}}}, SUZHOU, None),
        ({"regions": "shared", "agents": {"regions": {SHANGHAI: 2}}}, SHANGHAI, 2),
        ({"regions": "shared", "agents": {}}, SHANGHAI, None),
        ({}, None, None),
    ],
)
def test_the_limit_of_a_region(territory: dict[str, Any], region: str | None, limit: int | None) -> None:
    assert policy_of(Program.model_validate(brand(**territory))).agents_in(region) == limit


async def test_provincial_capitals_have_two_agents_and_other_cities_one(db: Database) -> None:
    await make_tenants()
    await use(brand())
    with as_tenant(LOTUS):
        await enrol_many([request("A", region=SHANGHAI), request("B", region=SUZHOU), request("C")], staff())
        two = [request("D", region=SHANGHAI), request("E", region=SHANGHAI), request("F", region=SUZHOU)]
        for dry_run in (True, False):
            assert await full(*two, dry_run=dry_run) == [
                ("input.distributors[1].region", "REGION_FULL", 2),
                ("input.distributors[2].region", "REGION_FULL", 1),
            ]
        await enrol(request("D", region=SHANGHAI), staff())
        with pytest.raises(Rejected) as caught:
            await enrol(request("E", region=SHANGHAI), staff())
        (error,) = caught.value.errors
        assert error.message() == (
            "The region 310000 may have 2 distributors and has them. Choose another region, let one of them leave, "
            "or raise territory.agents in the program."
        )
        assert set(await stored()) == {"A", "B", "C", "D"}
    with as_tenant(CEDAR):
        await enrol(request("B", region=SUZHOU), staff())


async def test_the_suspended_keep_their_place_and_those_who_left_do_not(db: Database) -> None:
    await make_tenants()
    await use(brand())
    with as_tenant(LOTUS):
        id_ = await enrol(request("A", region=SUZHOU), staff())
        await suspend(id_, "price", staff())
        assert await full(request("B", region=SUZHOU)) == [("input.distributors[0].region", "REGION_FULL", 1)]
        await leave(id_, downline_to="brand", reason="test", actor=staff())
        await enrol(request("B", region=SUZHOU), staff())


async def test_an_applicant_holds_its_place_until_it_is_rejected(db: Database) -> None:
    await make_tenants()
    document = brand()
    document["hierarchy"]["applicant_review"] = "manual"
    await use(document)
    with as_tenant(LOTUS):
        id_ = await enrol(request("A", region=SUZHOU), staff())
        assert await full(request("B", region=SUZHOU)) == [("input.distributors[0].region", "REGION_FULL", 1)]
        await reject(id_, "no shop", staff())
        await approve(await enrol(request("B", region=SUZHOU), staff()), staff())
        assert (await row("B")).status is Status.ACTIVE


async def test_a_limit_lowered_meanwhile_holds_at_approval(db: Database) -> None:
    """The first to be approved takes the place; the other one stays an applicant."""
    await make_tenants()
    document = brand(regions="shared", agents={})
    document["hierarchy"]["applicant_review"] = "manual"
    await use(document)
    with as_tenant(LOTUS):
        first, second = await enrol_many([request("A", region=SUZHOU), request("B", region=SUZHOU)], staff())
    await use({**document, "territory": {"regions": "exclusive"}})
    with as_tenant(LOTUS):
        await approve(first, staff())
        with pytest.raises(RegionFull) as caught:
            await approve(second, staff())
        assert caught.value.field == "input.distributorId"
        assert ((await row("A")).status, (await row("B")).status) == (Status.ACTIVE, Status.APPLIED)


async def test_of_many_at_once_only_as_many_enter_as_there_are_places(db: Database) -> None:
    await make_tenants()
    await use(brand())

    async def one(code: str) -> bool:
        try:
            await enrol(request(code, region=SHANGHAI), staff())
        except (Rejected, DomainError):
            return False
        return True

    with as_tenant(LOTUS):
        assert sum(await asyncio.gather(*(one(f"D{i}") for i in range(12)))) == 2
        assert len(await stored()) == 2
