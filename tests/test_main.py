"""The command line as an operator uses it: what works, and ordinary mistakes as one line and an exit code."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from pkgutil import iter_modules
from urllib.request import urlopen

import pytest
from pydantic import SecretStr

import main
from saas.base.db import migrations
from saas.base.settings import Environment, Settings, UnsafeSettings
from saas.demo import LOG
from tests.conftest import on_database

pytestmark = pytest.mark.db  # each starts the program, most with a database

ROOT = Path(__file__).parents[1]
ONE_SLOT = 18_471
"""A port nobody else's tests listen on."""


def command(url: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``python main.py …`` on a database."""
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONWARNINGS": "error::RuntimeWarning", **variables}
    return subprocess.run(  # noqa: S603  # our own program
        [sys.executable, "main.py", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def refused(told: subprocess.CompletedProcess[str], *words: str) -> None:
    """One line with the words, no traceback, exit code 1."""
    everything = told.stdout + told.stderr
    assert "Traceback" not in everything, everything
    assert "never awaited" not in everything
    lines = [line for line in everything.splitlines() if line.strip()]
    assert (told.returncode, len(lines)) == (1, 1), everything
    assert [word for word in words if word not in lines[0]] == [], lines[0]


@pytest.mark.parametrize("arguments", [["check"], ["demo"], ["token", "--tenant", "a", "--login", "b"], ["serve"]])
def test_before_migrate_every_command_says_so(tmp_path: Path, arguments: list[str]) -> None:
    refused(command(f"sqlite:///{tmp_path}/new.db", *arguments), "python main.py migrate")


def test_before_migrate_postgresql_says_so(postgres_server: str) -> None:
    refused(command(on_database(postgres_server, "template1"), "check"), "python main.py migrate")


@pytest.mark.parametrize(
    "url",
    ["mysql://localhost/x", "sqlite:///no/such/folder/x.db", "sqlite:///", "postgresql://a:b@127.0.0.1:1/x", ""],
)
@pytest.mark.parametrize("name", ["check", "migrate"])
def test_a_wrong_address_is_told(url: str, name: str) -> None:
    if name == "migrate" and "folder" in url:
        url = "sqlite:////dev/null/x.db"  # a missing folder is made
    refused(command(url, name), "DATABASE_URL")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 100)
    refused(command(f"sqlite:///{tmp_path}/text.db", "check"), "DATABASE_URL")


def test_a_database_or_role_that_is_not_there_is_told(postgres_server: str) -> None:
    refused(command(on_database(postgres_server, "nowhere"), "check"), "DATABASE_URL", "nowhere")
    stranger = postgres_server.replace("postgres:", "stranger:", 1) if "postgres:@" in postgres_server else ""
    assert stranger or "@" in postgres_server
    if stranger:
        refused(command(stranger, "check"), "DATABASE_URL", "stranger")


def test_wrong_settings_name_the_variable(sqlite_url: str) -> None:
    for name in ("check", "migrate", "serve", "demo"):
        refused(command(sqlite_url, name, PORT="abc"), "PORT", "integer")


def test_a_migration_that_is_not_there_is_told(sqlite_url: str) -> None:
    refused(command(sqlite_url, "migrate", "nope"), "nope", "0001_initial")


def test_the_demo_is_not_made_in_production(sqlite_url: str) -> None:
    refused(command(sqlite_url, "demo", ENVIRONMENT="production"), "NOT_IN_PRODUCTION")


def test_unsafe_settings_do_not_serve(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(command(sqlite_url, "serve", ENVIRONMENT="production"), "SECRET_KEY", "SECURE_COOKIES", "SQLite")
    unsafe = Settings(_env_file=None, environment=Environment.PRODUCTION, secret_key=SecretStr("k" * 40))
    monkeypatch.setattr(main, "get_settings", lambda: unsafe)
    with pytest.raises(UnsafeSettings, match="SECURE_COOKIES"):
        main.app()


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_nobody_serves_as_a_superuser(postgres_url: str, name: str) -> None:
    refused(command(postgres_url, name), "superuser", "banyan_server", "MIGRATION_DATABASE_URL")


def test_an_import_names_what_is_wrong(sqlite_url: str, tmp_path: Path) -> None:
    for path in (tmp_path / "missing.txt", tmp_path):
        told = command(sqlite_url, "import", "orders", path)
        assert told.returncode == 2
        assert "Traceback" not in told.stderr
        assert "exist" in told.stderr or "directory" in told.stderr
    told = command(sqlite_url, "import", "orders", LOG, "--dry-run", "--tenant", "Bad Slug")
    assert told.returncode == 1
    assert "INVALID_INPUT" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr


def test_from_nothing_to_a_checked_demo_that_serves(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/folder/new.db"
    migrated = command(url, "migrate")
    names = sorted(found.name for found in iter_modules(migrations.__path__))
    assert (migrated.returncode, migrated.stdout.split()) == (0, [word for name in names for word in ("applied", name)])
    made = command(url, "demo")
    assert made.returncode == 0, made
    assert "mei" in made.stdout
    token = command(url, "token", "--tenant", "lotus", "--login", "owner")
    assert token.returncode == 0, token
    assert token.stdout.startswith("byn_")
    refused(command(url, "token", "--tenant", "lotus", "--login", "nobody"), "NOT_FOUND")
    checked = command(url, "check")
    assert (checked.returncode, checked.stdout.count("holds")) == (0, 4), checked  # three brands and the platform
    again = command(url, "check").stdout
    assert again.count(" 0 not yet") >= 4, again  # sealed by the one before, but for the line that each of them writes
    serves(url)


def serves(url: str) -> None:
    """The server starts, is ready, and ends when it is told to."""
    environment = {**os.environ, "DATABASE_URL": url, "PORT": str(ONE_SLOT)}
    with subprocess.Popen(
        [sys.executable, "main.py", "serve"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    ) as server:
        try:
            until = time.monotonic() + 60
            while True:
                try:
                    with urlopen(f"http://127.0.0.1:{ONE_SLOT}/readyz") as answer:
                        assert answer.status == 200
                    break
                except OSError:
                    assert server.poll() is None
                    assert time.monotonic() < until
                    time.sleep(0.2)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
