"""Presets: a brand begins with one in force, in its own currency, or an owner begins a draft with one."""

from dataclasses import replace

import pytest

from saas.base.db import Database
from saas.base.errors import InvalidInput
from saas.base.ids import TenantId
from saas.base.paging import PageRequest
from tenants import registry
from tenants.actors import system
from tenants.errors import Forbidden, ProgramHasErrors, SlugTaken
from tenants.program import Program, as_data, parse, versions
from tenants.program.presets import PRESETS, preset
from tenants.program.starting import DESCRIPTIONS, adapted, create_brand, start_from_preset
from tenants.program.versions import VersionStatus
from tenants.registry import CreateTenant
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.tenants.people import OPERATOR, acting, audited, command, member, table_of
from tests.tenants.program.documents import document, rates


def maple(**changes: object) -> CreateTenant:
    values: dict[str, object] = {"slug": "maple", "name": "枫叶 Maple", "owner": command("owner"), "currency": "CNY"}
    return CreateTenant(**(values | changes))  # type: ignore[arg-type]  # a test may pass what no caller should


def test_every_preset_is_described_and_no_other() -> None:
    assert set(DESCRIPTIONS) == set(PRESETS)
    assert set(PRESETS) >= {"two_level_referral", "three_level_percent", "per_piece_volume", "dealer_rebate"}
    assert set(PRESETS) >= {"tier_differential", "agent_by_region"}
    for told in DESCRIPTIONS.values():
        assert len(told.en) > 20
        assert any("一" <= letter <= "鿿" for letter in told.zh)


@pytest.mark.parametrize("name", PRESETS)
async def test_a_brand_begins_with_a_preset_in_force(db: Database, name: str) -> None:
    await make_tenants()
    brand = (await create_brand(maple(), OPERATOR, preset_name=name)).brand
    with as_tenant(brand.id):
        stored = await versions.active_program()
        version = await versions.version_of(1)
    assert (version.status, version.label, version.created_by) == (VersionStatus.ACTIVE, name, OPERATOR.id)
    expected = preset(name)
    assert stored.program.name.zh == f"枫叶 Maple · {expected.name.zh}"
    assert stored.program.model_copy(update={"name": expected.name}) == expected
    assert [action for _, action in await audited(brand.id)] == [
        "tenant.create",
        "member.create",
        "program.save_draft",
        "program.activate",
    ]
    for other in (LOTUS, CEDAR):
        assert await audited(other) == await table_of(other, "program_version") == []


async def test_the_presets_currency_becomes_the_brands(db: Database) -> None:
    brand = (await create_brand(maple(currency="EUR"), OPERATOR, preset_name="two_level_referral")).brand
    with as_tenant(brand.id):
        assert (await versions.active_program()).program.currency == "EUR"


async def test_without_a_preset_a_brand_begins_without_a_program(db: Database) -> None:
    brand = (await create_brand(maple(), OPERATOR, preset_name=None)).brand
    assert await table_of(brand.id, "program_version") == []


async def test_a_preset_that_is_none_makes_no_brand(db: Database) -> None:
    for name in ("nothing", "", "../lotus", "LOTUS"):
        with pytest.raises(InvalidInput) as refused:
            await create_brand(maple(), OPERATOR, preset_name=name)
        assert refused.value.field == "input.preset"
        assert "two_level_referral" in refused.value.message("zh-CN")
    assert (await registry.brands(PageRequest(10))).items == []


async def test_a_preset_that_cannot_be_activated_makes_no_brand(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = parse(document(rates(9000, 9000)))
    monkeypatch.setattr("tenants.program.starting.preset", lambda name: broken)
    with pytest.raises(ProgramHasErrors) as refused:
        await create_brand(maple(), OPERATOR, preset_name="lotus")
    assert refused.value.field == "input.preset"
    assert (await registry.brands(PageRequest(10))).items == []
    assert await table_of(TenantId(1), "member") == []


async def test_only_operators_make_brands_and_a_taken_slug_makes_none(db: Database) -> None:
    await make_tenants()
    with pytest.raises(Forbidden):
        await create_brand(maple(), acting(LOTUS, await member(LOTUS, "owner")), preset_name="lotus")
    with pytest.raises(SlugTaken):
        await create_brand(maple(slug="cedar"), OPERATOR, preset_name="lotus")
    assert len((await registry.brands(PageRequest(10))).items) == 2
    assert await table_of(CEDAR, "program_version") == []


async def test_an_owner_begins_a_draft_with_a_preset(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        saved = await start_from_preset("dealer_rebate", "our rebate", system(LOTUS, "owner"))
        assert (saved.version.status, saved.version.label) == (VersionStatus.DRAFT, "our rebate")
        assert (await start_from_preset("dealer_rebate", "", system(LOTUS, "owner"))).version.label == "dealer_rebate"
        assert (await versions.content_of(1)).name.en == f"Lotus · {preset('dealer_rebate').name.en}"
        with pytest.raises(InvalidInput):
            await start_from_preset("nothing", "", system(LOTUS, "owner"))
        await versions.activate(1, system(LOTUS, "owner"))
    assert await table_of(CEDAR, "program_version") == []


@pytest.mark.parametrize("name", ["x" * 100, "A\tB\nC", "\u2028", "a\u0000b", " 茶 "])
async def test_a_program_can_be_named_after_any_brand(db: Database, name: str) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        brand = replace(await registry.this_brand(), name=name)
    assert isinstance(parse(as_data(adapted(preset("lotus"), brand))), Program)
