"""Commands of those who run an installation."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from main import cli
from saas.base.db import open_database
from saas.base.settings import get_settings
from saas.running import T
from tests.api.client import PASSWORD, Api, make_api
from tests.api.test_accounts import enrolled

Command = Callable[..., Result]


@pytest.fixture
def command(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """``python main.py …`` on a database, within this process."""
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    get_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(cli, [str(argument) for argument in arguments])
    get_settings.cache_clear()


def test_the_log_is_exported_and_says_so(command: Command) -> None:
    nobody = command("audit", "export", "--tenant", "nobody")
    assert (nobody.exit_code, "NOT_FOUND" in nobody.output) == (1, True)
    first = command("audit", "export", "--tenant", "platform")
    assert first.exit_code == 0, first.output
    told = [json.loads(line) for line in first.output.splitlines()]
    assert [(line["actor"], line["action"]) for line in told] == [("main.py audit export", "audit.export")]
    narrowed = ("--form", "csv", "--action", "tenant.", "--until", "2199-01-01T00:00:00+0800")
    again = command("audit", "export", "--tenant", "platform", *narrowed)
    assert again.output.split() == ["id,at,actor_kind,actor_id,actor,action,subject,detail,seq,hash"]


def test_the_database_is_copied(command: Command, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert "bytes" in command("backup", copy).output
    assert copy.stat().st_size > 100_000
    refused = command("backup", copy)
    assert (refused.exit_code, "already" in refused.output) == (1, True)


@pytest.mark.db
def test_an_empty_installation_gets_its_first_operator_and_brand(command: Command, sqlite_url: str) -> None:
    refused = command("operator", "a", "--name", "Ann")
    assert (refused.exit_code, "INVALID_INPUT" in refused.output) == (1, True)
    made = command("operator", "ann", "--name", "Ann")
    assert made.exit_code == 0, made.output
    taken = command("operator", "ann", "--name", "Ann")
    assert (taken.exit_code, "LOGIN_TAKEN" in taken.output) == (1, True)

    async def begin() -> None:
        nobody = make_api()
        await nobody.do("followLink", "done", token=made.stdout.strip(), password=PASSWORD)
        ann = await nobody.log_in("ann")
        owner = {"ownerLogin": "owner", "ownerName": "Owner", "ownerPassword": PASSWORD}
        await ann.do("createTenant", "tenant { slug }", slug="lotus", name="Lotus", **owner)
        await nobody.at("lotus.localhost").log_in("owner")

    _on(sqlite_url, begin)


@pytest.mark.db
def test_who_can_be_helped_by_nobody_else_gets_a_link(command: Command, sqlite_url: str) -> None:
    invited = command("operator", "ann", "--name", "Ann").stdout.strip()
    chosen = f"{PASSWORD} again"

    async def begin() -> Api:
        nobody = make_api()
        await nobody.do("followLink", "done", token=invited, password=PASSWORD)
        ann = await nobody.log_in("ann")
        await enrolled(ann)
        return ann

    ann = _on(sqlite_url, begin)
    nobody = command("link", "--tenant", "platform", "--login", "ben")
    assert (nobody.exit_code, "NOT_FOUND" in nobody.output) == (1, True)
    link = command("link", "--tenant", "platform", "--login", "ann", "--without-second-factor")
    assert link.exit_code == 0, link.output
    none = command("link", "--tenant", "platform", "--login", "ann", "--without-second-factor")
    assert (none.exit_code, "NO_SECOND_FACTOR" in none.output) == (1, True)

    async def follow() -> None:
        assert (await ann.ask("{ me { login } }"))["me"]["login"] == "ann"  # until then, as it was
        await make_api().do("followLink", "done", token=link.stdout.strip(), password=chosen)
        assert await ann.errors("{ me { login } }") == ["UNAUTHENTICATED"]
        again = await make_api().log_in("ann", chosen)
        lines = (await again.ask("{ auditLog(first: 20) { edges { node { action actor } } } }"))["auditLog"]["edges"]
        told = {(edge["node"]["action"], edge["node"]["actor"]) for edge in lines}
        assert {(act, "main.py link") for act in ("member.remove_second_factor", "member.reset_link")} <= told
        assert ("member.create", "main.py operator") in told

    _on(sqlite_url, follow)


def _on(url: str, work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_database(url):
            return await work()

    return asyncio.run(run())
