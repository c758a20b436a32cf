"""The sandbox: made anew as often as wished, the same each time, and what was done in the one before stays there."""

from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.ids import PLATFORM
from saas.base.settings import get_settings
from saas.demo.errors import NotInProduction
from saas.demo.sandbox import SANDBOX, reset
from saas.jobs.worker import run_due
from schema.working import HANDLERS
from tenants import registry
from tenants.actors import system
from tests.api.client import Api, make_api
from tests.api.conftest import World
from tests.api.rows import changes, rows_of
from tests.tenants.people import command

COUNTED = "{ orders(first: 100) { nodes { id } } products { nodes { sku status } } }"


async def test_a_used_up_sandbox_is_made_anew(db: Database) -> None:
    registry.forget()
    first = await reset()
    login = first[0]
    visitor = make_api(f"{SANDBOX.slug}.localhost")
    owner = await visitor.log_in(login.login, login.password)
    fresh = await owner.ask(COUNTED)
    await owner.do("archiveProducts", "products { sku }", skus=list(SANDBOX.products))
    old = await registry.by_slug(SANDBOX.slug)
    before = await rows_of(old.id, without=["audit_log"])
    assert await reset() == first
    assert changes(before, await rows_of(old.id, without=["audit_log"])) == {}
    assert (await owner.send("{ me { login } }")).status_code == 401, "the log-in was of the brand that is put aside"
    again: Api = await visitor.log_in(login.login, login.password)
    renewed = await again.ask(COUNTED)
    assert renewed["products"] == fresh["products"]
    assert len(renewed["orders"]["nodes"]) == len(fresh["orders"]["nodes"])


async def test_its_owner_has_it_made_anew_by_a_worker(db: Database) -> None:
    registry.forget()
    login = (await reset())[0]
    old = await registry.by_slug(SANDBOX.slug)
    await registry.add_domain(old.id, "sandbox.lotus.example", system(PLATFORM, "test"))
    visitor = make_api("sandbox.lotus.example")
    owner = await visitor.log_in(login.login, login.password)
    dry = await owner.do("resetSandbox", "tenant { slug sandbox } orders distributors job { id }", dryRun=True)
    assert dry["tenant"] == {"slug": SANDBOX.slug, "sandbox": True}
    assert (dry["orders"], dry["distributors"], dry["job"]) == (100, len(SANDBOX.people), None)
    await run_due(HANDLERS)
    assert (await registry.by_slug(SANDBOX.slug)).id == old.id
    asked = [(await owner.do("resetSandbox", "job { id status }"))["job"] for _ in range(2)]
    assert [job["status"] for job in asked] == ["QUEUED"] * 2
    lines = await owner.ask('{ auditLog(action: "sandbox.reset") { nodes { actor } } }')
    assert [line["actor"] for line in lines["auditLog"]["nodes"]] == ["owner"] * 2
    left = registry.CreateTenant(slug=f"next-{asked[0]['id'][4:24]}", name="Left", owner=command("owner"))
    await registry.create_tenant(left, system(PLATFORM, "an attempt that died"))
    await run_due(HANDLERS)
    await run_due(HANDLERS)
    new = await registry.by_slug(SANDBOX.slug)
    assert new.sandbox
    assert new.id == old.id + 2, "made once, however often it was asked for"
    assert (await owner.send("{ me { login } }")).status_code == 401
    again = await visitor.log_in(login.login, login.password)
    assert len((await again.ask(COUNTED))["orders"]["nodes"]) == 100


async def test_nothing_but_a_sandbox_is_made_anew(world: World) -> None:
    owner, operator = world.lotus.owner, world.operator
    before = [await rows_of((await registry.by_slug(slug)).id) for slug in ("lotus", "cedar")]
    assert await owner.refused("resetSandbox") == ["NOT_A_SANDBOX"]
    assert await owner.refused("resetSandbox", slug="cedar") == await owner.refused("resetSandbox", slug="nowhere")
    assert await owner.refused("resetSandbox", slug="cedar") == ["NOT_FOUND"]
    assert await operator.refused("resetSandbox", slug="cedar") == ["NOT_A_SANDBOX"]
    assert await operator.refused("resetSandbox") == await operator.refused("resetSandbox", slug="x") == ["NOT_FOUND"]
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert await owner.refused("resetSandbox") == ["LOGIN_NOT_FRESH"]
    await run_due(HANDLERS)
    after = [await rows_of((await registry.by_slug(slug)).id) for slug in ("lotus", "cedar")]
    assert [changes(*both) for both in zip(before, after, strict=True)] == [{}, {}]


async def test_an_operator_has_a_sandbox_made_anew(world: World) -> None:
    made = registry.CreateTenant(slug="toy", name="Toy", owner=command("owner"), sandbox=True)
    toy = await registry.create_tenant(made, system(PLATFORM, "test"))
    asked = await world.operator.do("resetSandbox", "tenant { slug sandbox } orders", slug="toy")
    assert asked == {"tenant": {"slug": "toy", "sandbox": True}, "orders": 0, "userErrors": []}
    await run_due(HANDLERS)
    assert (await registry.by_slug("toy")).id != toy.id


async def test_there_is_no_sandbox_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    get_settings.cache_clear()
    try:
        with pytest.raises(NotInProduction):
            await reset()
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
