"""Failed log-ins in the audit log: masked, told for known and unknown names alike, and never without end."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from saas.base import clock
from saas.base.db import Database, reading
from saas.base.ids import PLATFORM, TenantId
from tenants import failed_logins, sessions
from tenants.actors import Role
from tenants.errors import LoginFailed
from tenants.sessions import LogIn, SessionKind
from tests.conftest import HEARD
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.tenants.people import PASSWORD, member

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
WRONG = "not the password"


def typed(login: str, password: str = WRONG, address: str | None = "203.0.113.7") -> LogIn:
    return LogIn(login=login, password=password, kind=SessionKind.BEARER, address=address)


async def fail(tenant_id: TenantId, login: str, **more: Any) -> None:
    with pytest.raises(LoginFailed):
        await sessions.log_in(tenant_id, typed(login, **more))


async def told(tenant_id: TenantId) -> Sequence[Any]:
    """The lines of failures: who, whose account, and what of it."""
    with as_tenant(tenant_id):
        async with reading() as tx:
            rows = await tx.rows(
                "SELECT actor_kind, actor_label, actor_id, subject, detail FROM audit_log "
                "WHERE tenant_id = $1 AND action = 'session.log_in_failed' ORDER BY at, id",
                tx.tenant_id,
            )
    return [{**row, "detail": orjson.loads(row["detail"])} for row in rows]


@pytest.fixture
async def brands(db: Database) -> Database:
    """Two brands; Lotus has ``anna``."""
    await make_tenants()
    await member(LOTUS, "anna", Role.OWNER)
    return db


async def test_a_failure_is_told_to_its_brand_without_the_name_or_the_address(brands: Database) -> None:
    anna = await member(LOTUS, "anna-of-lotus")
    await fail(LOTUS, "anna-of-lotus")
    await fail(LOTUS, "my secret password")
    known, unknown = await told(LOTUS)
    assert (known["actor_kind"], known["actor_label"], known["actor_id"]) == ("system", "unknown", None)
    assert known["subject"] == str(anna.id)
    assert unknown["subject"] is None
    assert (known["detail"]["login"], known["detail"]["why"]) == ("a***", "LOGIN_FAILED")
    assert known["detail"]["from"] == unknown["detail"]["from"]
    for secret in ("anna-of", "secret", "203.0.113"):
        assert secret not in str([known["detail"], unknown["detail"]])
    assert await told(CEDAR) == await told(PLATFORM) == []


async def test_the_same_is_done_for_names_and_brands_that_are_not_there(brands: Database) -> None:
    ran = []
    for slug, login in (("lotus", "anna"), ("lotus", "nobody"), ("nowhere", "anna")):
        heard: list[str] = []
        token = HEARD.set(heard)
        with pytest.raises(LoginFailed):
            await sessions.log_in_at(slug, typed(login, address=None))
        HEARD.reset(token)
        ran.append(heard)
    assert ran[0] == ran[1] == ran[2]
    assert [len(await told(where)) for where in (LOTUS, CEDAR, PLATFORM)] == [2, 0, 1]


async def test_a_log_in_that_succeeds_is_no_failure(brands: Database) -> None:
    await sessions.log_in(LOTUS, typed("anna", PASSWORD))
    assert await told(LOTUS) == []


async def test_whoever_knocks_without_end_fills_no_log(brands: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_logins, "LINES_MOST", 2)
    with clock.at(NOON):
        for number in range(5):
            await fail(LOTUS, f"name {number}", address=f"203.0.113.{number}")
        await fail(CEDAR, "name")
    assert [len(await told(where)) for where in (LOTUS, CEDAR)] == [2, 1], "each brand has lines of its own"
    with clock.at(NOON + timedelta(hours=1)):
        await fail(LOTUS, "name 6", address="203.0.113.6")
        await fail(LOTUS, "name 7", address="203.0.113.7")
    assert [line["detail"].get("left_out") for line in await told(LOTUS)] == [None, None, 3, None]


def test_short_names_are_not_told_by_their_first_letter() -> None:
    assert [failed_logins.masked(name) for name in ("", "a", "ab", "abc")] == ["***", "***", "***", "a***"]
