"""Brands: made, found by host, suspended - and that one never turns up in place of another."""

import asyncio

import pytest

from saas.base.db import Database, reading
from saas.base.errors import InvalidInput, NotFound
from saas.base.ids import PLATFORM, TenantId
from saas.base.paging import PageRequest
from saas.base.scope import tenant_scope
from tenants import registry
from tenants.accounts import members
from tenants.actors import Role
from tenants.errors import Forbidden, HostTaken, PasswordRefused, SlugTaken
from tenants.registry import Brand, BrandStatus, CreateTenant
from tests.factories import CEDAR, LOTUS, make_tenants
from tests.tenants.people import OPERATOR, acting, audited, command, member


def new_brand(**changes: object) -> CreateTenant:
    values: dict[str, object] = {"slug": "maple", "name": "Maple", "owner": command("owner")} | changes
    return CreateTenant(**values)  # type: ignore[arg-type]  # a test may pass what no caller should


async def tenants() -> list[str]:
    page = await registry.brands(PageRequest(100))
    return [brand.slug for brand in page.items]


async def test_a_brand_is_made_with_its_owner_and_both_are_audited_in_its_own_log(db: Database) -> None:
    await make_tenants()
    brand = await registry.create_tenant(new_brand(), OPERATOR)
    assert (brand.id, brand.slug, brand.status) == (TenantId(3), "maple", BrandStatus.ACTIVE)
    with tenant_scope(brand.id):
        page = await members(PageRequest())
    assert [(found.login, found.role) for found in page.items] == [("owner", Role.OWNER)]
    assert await audited(brand.id) == [("operator", "tenant.create"), ("operator", "member.create")]
    assert await audited(LOTUS) == await audited(CEDAR) == await audited(PLATFORM) == []


async def test_brands_made_at_once_each_get_a_number_and_one_slug_goes_to_one(db: Database) -> None:
    wanted = [new_brand(slug=slug) for slug in ("maple", "birch", "alder", "maple", "maple")]
    results = await asyncio.gather(*(registry.create_tenant(one, OPERATOR) for one in wanted), return_exceptions=True)
    made = [result for result in results if isinstance(result, Brand)]
    assert sorted(brand.slug for brand in made) == ["alder", "birch", "maple"]
    assert sorted(brand.id for brand in made) == [1, 2, 3]
    assert sum(isinstance(result, SlugTaken) for result in results) == 2
    assert await tenants() == ["alder", "birch", "maple"]


NONSENSE: list[dict[str, object]] = [
    {"slug": "Maple"},
    {"slug": "m"},
    {"slug": "www"},
    {"slug": "platform"},
    {"slug": "a--b"},
    {"slug": "-ab"},
    {"slug": "a.b"},
    {"slug": "x" * 41},
    {"name": " "},
    {"currency": "XXZ"},
    {"time_zone": "Asia/Nowhere"},
    {"locale": "tlh"},
    {"owner": command("owner", Role.FINANCE)},
    {"owner": command("o!")},
    {"owner": command("owner", name="")},
]


async def test_nonsense_is_refused_and_makes_nothing(db: Database) -> None:
    for changes in NONSENSE:
        with pytest.raises(InvalidInput):
            await registry.create_tenant(new_brand(**changes), OPERATOR)
    assert await tenants() == []


async def test_a_weak_password_makes_no_brand(db: Database) -> None:
    with pytest.raises(PasswordRefused):
        await registry.create_tenant(new_brand(owner=command("owner", password="short")), OPERATOR)
    assert await tenants() == []


async def test_nobody_but_an_operator_makes_suspends_or_gives_domains(db: Database) -> None:
    await make_tenants()
    owner = acting(LOTUS, await member(LOTUS, "owner"))
    before = await audited(CEDAR)
    with pytest.raises(Forbidden):
        await registry.create_tenant(new_brand(), owner)
    for tenant_id in (LOTUS, CEDAR):
        with pytest.raises(Forbidden):
            await registry.suspend_tenant(tenant_id, "why", owner)
        with pytest.raises(Forbidden):
            await registry.reactivate_tenant(tenant_id, "why", owner)
        with pytest.raises(Forbidden):
            await registry.add_domain(tenant_id, "lotus.example", owner)
    assert await tenants() == ["cedar", "lotus"]
    assert await audited(CEDAR) == before


async def test_a_host_means_its_brand(db: Database) -> None:
    await make_tenants()
    await registry.add_domain(LOTUS, "Shop.Lotus.Example", OPERATOR)
    hosts = ["lotus.localhost", "LOTUS.localhost:8000", "lotus.localhost.", "shop.lotus.example"]
    for host in hosts * 2:  # the second time from memory
        brand = await registry.by_host(host)
        assert brand is not None
        assert brand.id == LOTUS
        other = await registry.by_host("cedar.localhost")
        assert other is not None
        assert other.id == CEDAR


async def test_the_base_domain_and_a_bare_address_are_the_platforms(db: Database) -> None:
    for host in ("localhost", "localhost:8000", "LocalHost.", "127.0.0.1:8000", "[::1]:8000", "[::1]"):
        assert await registry.by_host(host) is None


async def test_any_other_host_is_nobodys(db: Database) -> None:
    await make_tenants()
    for host in ("", "platform.localhost", "maple.localhost", "a.lotus.localhost", "lotus", "lotus.localhost.example"):
        with pytest.raises(NotFound):
            await registry.by_host(host)


async def test_of_what_is_no_host_no_database_is_asked(db: Database) -> None:
    statements: list[str] = []
    db.observer = statements.append
    for host in ("a\0b.localhost", "lötus.localhost", "lotus .localhost", "_.localhost", "%00", "x" * 70):
        with pytest.raises(NotFound) as refused:
            await registry.by_host(host)
        assert refused.value.message("en").isascii()
    assert statements == []


async def test_a_host_seen_often_costs_no_statement(db: Database) -> None:
    await make_tenants()
    statements: list[str] = []
    db.observer = statements.append
    for _ in range(5):
        await registry.by_host("lotus.localhost")
    assert len(statements) == 1


async def test_a_suspended_brand_is_like_none_and_its_neighbour_does_not_notice(db: Database) -> None:
    await make_tenants()
    await registry.by_host("lotus.localhost")
    await registry.suspend_tenant(LOTUS, "unpaid", OPERATOR)
    for ask in (
        registry.by_host("lotus.localhost"),
        registry.by_slug("lotus"),
        registry.by_id(LOTUS),
    ):
        with pytest.raises(NotFound):
            await ask
    assert (await registry.by_slug("cedar")).id == CEDAR
    await registry.reactivate_tenant(LOTUS, "paid", OPERATOR)
    assert (await registry.by_slug("lotus")).id == LOTUS
    assert await audited(LOTUS) == [("operator", "tenant.suspended"), ("operator", "tenant.active")]
    assert await audited(CEDAR) == []


async def test_operators_find_a_suspended_brand_and_nobody_else_does(db: Database) -> None:
    await make_tenants()
    owner = acting(LOTUS, await member(LOTUS, "owner"))
    await registry.suspend_tenant(LOTUS, "unpaid", OPERATOR)
    found = await registry.any_by_slug("lotus", OPERATOR)
    assert (found.id, found.status) == (LOTUS, BrandStatus.SUSPENDED)
    for slug in ("lotus", "cedar"):
        with pytest.raises(Forbidden):
            await registry.any_by_slug(slug, owner)
    for slug in ("platform", "maple"):
        with pytest.raises(NotFound):
            await registry.any_by_slug(slug, OPERATOR)


async def test_the_platform_itself_can_be_neither_suspended_nor_given_a_domain(db: Database) -> None:
    for tenant_id in (PLATFORM, TenantId(99)):
        with pytest.raises(NotFound):
            await registry.suspend_tenant(tenant_id, "why", OPERATOR)
        with pytest.raises(NotFound):
            await registry.add_domain(tenant_id, "lotus.example", OPERATOR)
    assert (await registry.by_slug("platform")).id == PLATFORM


async def test_a_domain_belongs_to_one_brand(db: Database) -> None:
    await make_tenants()
    assert await registry.add_domain(LOTUS, "shop.example:443", OPERATOR) == "shop.example"
    with pytest.raises(HostTaken):
        await registry.add_domain(CEDAR, "shop.example", OPERATOR)
    brand = await registry.by_host("shop.example")
    assert brand is not None
    assert brand.id == LOTUS


async def test_a_domain_must_be_one_and_not_the_platforms(db: Database) -> None:
    await make_tenants()
    for host in ("cedar.localhost", "localhost", "lotus", "10.0.0.1", "a b.example", "-a.example", ""):
        with pytest.raises(InvalidInput):
            await registry.add_domain(LOTUS, host, OPERATOR)


async def test_this_brand_is_the_one_of_the_scope_inside_a_transaction_too(db: Database) -> None:
    await make_tenants()
    for tenant_id, slug in ((LOTUS, "lotus"), (CEDAR, "cedar"), (LOTUS, "lotus")):
        with tenant_scope(tenant_id):
            assert (await registry.this_brand()).slug == slug
            async with reading():
                assert (await registry.this_brand()).slug == slug
                assert (await registry.by_id(CEDAR)).slug == "cedar"


async def test_brands_are_listed_by_page(db: Database) -> None:
    await make_tenants()
    await registry.suspend_tenant(CEDAR, "unpaid", OPERATOR)
    first = await registry.brands(PageRequest(1))
    assert [(brand.slug, brand.status) for brand in first.items] == [("cedar", BrandStatus.SUSPENDED)]
    second = await registry.brands(PageRequest(1, first.cursors[0]))
    assert [brand.slug for brand in second.items] == ["lotus"]
    assert (first.has_next, second.has_next) == (True, False)
