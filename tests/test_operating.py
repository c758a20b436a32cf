"""Commands of those who run an installation."""

import json
from pathlib import Path

import pytest

from tests.test_main import command, refused

pytestmark = pytest.mark.db


def test_the_log_is_exported_and_says_so_and_the_database_is_copied(sqlite_url: str, tmp_path: Path) -> None:
    refused(command(sqlite_url, "audit", "export", "--tenant", "nobody"), "NOT_FOUND")
    first = command(sqlite_url, "audit", "export", "--tenant", "platform")
    assert first.returncode == 0, first
    told = [json.loads(line) for line in first.stdout.splitlines()]
    assert [(line["actor"], line["action"]) for line in told] == [("main.py audit export", "audit.export")]
    narrowed = ("--form", "csv", "--action", "tenant.", "--until", "2199-01-01T00:00:00+0800")
    again = command(sqlite_url, "audit", "export", "--tenant", "platform", *narrowed)
    assert again.stdout.split() == ["id,at,actor_kind,actor_id,actor,action,subject,detail,seq,hash"]
    copy = tmp_path / "copy.db"
    assert str(copy.name) in command(sqlite_url, "backup", copy).stdout.replace("\n", "")
    refused(command(sqlite_url, "backup", copy), "already")
    assert command(f"sqlite:///{copy}", "check").returncode == 0
