"""Commands of those who run an installation."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from main import cli
from saas.base.settings import get_settings

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
