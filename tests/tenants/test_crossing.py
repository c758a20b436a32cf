"""Crossing from brand to brand: by whom, with what trace, and that no scope stays behind."""

import asyncio

import pytest

from saas.base.db import Database, current_tx, reading
from saas.base.ids import PLATFORM, TenantId
from saas.base.scope import ScopeMissing, current_tenant
from tenants import crossing
from tenants.actors import Role, system
from tenants.crossing import across_tenants, in_each_tenant
from tenants.errors import Forbidden, ReasonRequired
from tests.factories import CEDAR, LOTUS, make_tenants
from tests.tenants.people import OPERATOR, acting, audited, member


async def nothing() -> None:
    """Work that must not be begun."""
    raise AssertionError("a brand was entered")


async def test_each_brand_is_entered_in_turn_and_its_own_log_says_why(db: Database) -> None:
    await make_tenants()
    seen: list[TenantId] = []
    db.observer = lambda sql: None  # one statement names no brand on purpose, to meet row-level security
    async with across_tenants(OPERATOR, reason="  invariants ") as brands:
        async for tenant_id in brands:
            assert current_tenant() == tenant_id
            async with reading() as tx:
                line = await tx.row("SELECT tenant_id, action, detail FROM audit_log WHERE tenant_id = $1", tenant_id)
                everything = await tx.value("SELECT count(*) FROM audit_log WHERE tenant_id <> $1", PLATFORM)
            assert line is not None
            assert (line["action"], line["detail"].replace(" ", "")) == ("tenant.cross", '{"reason":"invariants"}')
            if db.kind == "postgresql":
                assert everything == 1
            seen.append(tenant_id)
    assert seen == [LOTUS, CEDAR]
    with pytest.raises(ScopeMissing):
        current_tenant()


async def test_only_the_brands_asked_for_are_entered(db: Database) -> None:
    await make_tenants()
    async with across_tenants(system(PLATFORM, "check"), reason="one", only={CEDAR}) as brands:
        assert [tenant_id async for tenant_id in brands] == [CEDAR]
    assert await audited(LOTUS) == []
    assert await audited(CEDAR) == [("check", "tenant.cross")]


async def test_no_scope_stays_behind_when_the_loop_is_left_early(db: Database) -> None:
    await make_tenants()
    async with across_tenants(OPERATOR, reason="first") as brands:
        async for _ in brands:
            break
    with pytest.raises(ScopeMissing):
        current_tenant()
    with pytest.raises(ZeroDivisionError):
        async with across_tenants(OPERATOR, reason="failing") as brands:
            async for _ in brands:
                raise ZeroDivisionError
    with pytest.raises(ScopeMissing):
        current_tenant()
    assert await audited(CEDAR) == []


async def test_a_few_brands_are_worked_on_at_a_time_and_each_log_says_why(db: Database) -> None:
    await make_tenants()
    together = asyncio.Barrier(2 if db.kind == "postgresql" else 1)  # on SQLite there is one writer at a time

    async def work() -> TenantId:
        async with asyncio.timeout(60):  # only to end what hangs
            await together.wait()
        return current_tx().tenant_id

    assert list(await in_each_tenant(OPERATOR, work, reason=" one person ")) == [LOTUS, CEDAR]
    for brand in (LOTUS, CEDAR):
        assert await audited(brand) == [("operator", "tenant.cross")]
    with pytest.raises(ScopeMissing):
        current_tenant()


async def test_never_more_than_a_few_at_a_time(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_tenants()
    monkeypatch.setattr(crossing, "AT_ONCE", 1)
    inside = 0

    async def work() -> int:
        nonlocal inside
        inside += 1
        most = inside
        await asyncio.sleep(0.01)
        inside -= 1
        return most

    assert list(await in_each_tenant(OPERATOR, work, reason="alone")) == [1, 1]


async def test_a_failure_in_one_brand_is_told_and_leaves_no_line_there(db: Database) -> None:
    await make_tenants()

    async def work() -> None:
        if current_tenant() == CEDAR:
            raise Forbidden("input", role=Role.OPERATOR, needed=Role.OPERATOR)

    with pytest.raises(Forbidden):
        await in_each_tenant(OPERATOR, work, reason="failing")
    assert await audited(CEDAR) == []


@pytest.mark.parametrize("reason", ["", "  \n"])
async def test_without_a_reason_nothing_is_entered(db: Database, reason: str) -> None:
    await make_tenants()
    with pytest.raises(ReasonRequired):
        async with across_tenants(OPERATOR, reason=reason):
            pass
    with pytest.raises(ReasonRequired):
        await in_each_tenant(OPERATOR, nothing, reason=reason)
    assert await audited(LOTUS) == []


@pytest.mark.parametrize("role", [Role.OWNER, Role.FINANCE, Role.OPERATIONS, Role.AUDITOR, Role.DISTRIBUTOR])
async def test_nobody_of_a_brand_crosses(db: Database, role: Role) -> None:
    await make_tenants()
    actor = acting(LOTUS, await member(LOTUS, "somebody", role))
    with pytest.raises(Forbidden):
        async with across_tenants(actor, reason="curious"):
            pass
    with pytest.raises(Forbidden):
        await in_each_tenant(actor, nothing, reason="curious")
    assert await audited(CEDAR) == []
