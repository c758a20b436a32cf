"""The sandbox: made anew as often as wished, the same each time, and what was done in the one before stays there."""

import pytest

from saas.base.db import Database
from saas.base.settings import get_settings
from saas.demo.errors import NotInProduction
from saas.demo.sandbox import SANDBOX, reset
from tenants import registry
from tests.api.client import Api, make_api
from tests.api.rows import changes, rows_of

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


async def test_there_is_no_sandbox_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    get_settings.cache_clear()
    try:
        with pytest.raises(NotInProduction):
            await reset()
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
