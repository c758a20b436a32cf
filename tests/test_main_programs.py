"""Programs by file: what a brand's owner does without the API, and what it is told."""

from pathlib import Path

import pytest

from saas.base.db import open_database
from saas.base.ids import TenantId
from saas.base.scope import tenant_scope
from tenants.accounts import create_member
from tenants.actors import Role, system
from tenants.program import dump
from tenants.program.presets import preset
from tenants.program.starting import create_brand
from tenants.registry import CreateTenant
from tests.tenants.people import OPERATOR, audited
from tests.tenants.people import command as account
from tests.test_main import command, refused

OWNER = ("--tenant", "maple", "--login", "owner")


@pytest.fixture
async def url(sqlite_url: str) -> str:
    """A database with a brand that has a program in force, an owner and somebody of finance."""
    async with open_database(sqlite_url):
        made = CreateTenant(slug="maple", name="Maple", owner=account("owner"))
        brand = (await create_brand(made, OPERATOR, preset_name="three_level_percent")).brand
        with tenant_scope(brand.id):
            await create_member(account("finance", Role.FINANCE), system(brand.id, "test"))
    return sqlite_url


def lines(url: str, *arguments: object) -> list[str]:
    told = command(url, "program", *arguments)
    assert told.returncode == 0, told
    return told.stdout.splitlines()


async def test_a_program_goes_out_to_a_file_and_comes_back_changed(url: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("\n".join(lines(url, "export", "--tenant", "maple")), encoding="utf-8")
    lines(url, "check", path)
    assert lines(url, "diff", 1, path, "--tenant", "maple") == []
    path.write_text(path.read_text(encoding="utf-8").replace("rate_bps: 1500", "rate_bps: 1200"), encoding="utf-8")
    said = "Commission, component levels, level 1: rate 15 % → 12 %"
    assert lines(url, "diff", 1, path, "--tenant", "maple") == [said]
    assert lines(url, "save", path, *OWNER, "--label", "spring")[0] == "draft 2 saved: spring"
    assert lines(url, "diff", 1, 2, "--tenant", "maple", "--language", "zh-CN") == [
        "佣金，组件 levels，第 1 层：比例 15 % → 12 %"
    ]
    would, *changes = lines(url, "activate", 2, *OWNER, "--dry-run")
    assert would.startswith("would be in force from ")
    assert changes == [said]
    assert lines(url, "export", "--tenant", "maple", "--format", "json")[0] == "{"
    moment = "2099-01-01T00:00:00+0800"
    assert lines(url, "activate", 2, *OWNER, "--at", moment)[0] == "in force from 2099-01-01T00:00:00+08:00: version 2"
    lines(url, "save", path, *OWNER)
    assert lines(url, "activate", 3, *OWNER)[1:] == [said]
    async with open_database(url):
        done = [action for label, action in await audited(TenantId(1)) if label == "owner (main.py)"]
    assert done == ["program.save_draft", "program.schedule", "program.save_draft", "program.activate"]


def test_findings_are_told_line_by_line_and_fail_the_command(url: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text('{"commission": 5}', encoding="utf-8")
    told = command(url, "program", "check", path)
    assert told.returncode == 1
    assert "error: commission: 5 is not a set of settings. [WRONG_TYPE]" in told.stdout
    told = command(url, "program", "save", path, *OWNER)
    assert told.returncode == 1
    assert "[WRONG_TYPE]" in told.stdout
    assert "PROGRAM_UNREADABLE" in told.stdout
    path.write_text(
        dump(preset("three_level_percent"), "json").replace('"rate_bps": 1500', '"rate_bps": 9500'), "utf-8"
    )
    assert command(url, "program", "save", path, *OWNER).returncode == 0
    told = command(url, "program", "activate", 2, *OWNER)
    assert (told.returncode, "PROGRAM_HAS_ERRORS" in told.stdout) == (1, True)
    assert "Traceback" not in told.stdout + told.stderr


def test_what_is_not_allowed_or_not_there_is_one_line(url: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(dump(preset("lotus"), "yaml"), encoding="utf-8")
    refused(command(url, "program", "save", path, "--tenant", "maple", "--login", "finance"), "FORBIDDEN", "owner")
    refused(command(url, "program", "save", path, "--tenant", "maple", "--login", "nobody"), "NOT_FOUND")
    refused(command(url, "program", "activate", 7, *OWNER), "NOT_FOUND")
    refused(command(url, "program", "export", "--tenant", "birch"), "NOT_FOUND")
    refused(command(url, "program", "diff", 1, "no-file.yaml", "--tenant", "maple"), "neither a number nor a file")
    refused(command(url, "program", "activate", 1, *OWNER, "--at", "2000-01-01T00:00:00+0800"), "WRONG_STATE")


def test_numbers_no_version_can_have_are_refused_in_words(url: str) -> None:
    beyond = 10**20
    for told in (
        command(url, "program", "export", "--tenant", "maple", "--number", 0),
        command(url, "program", "export", "--tenant", "maple", "--number", beyond),
        command(url, "program", "activate", beyond, *OWNER),
        command(url, "program", "diff", 1, beyond, "--tenant", "maple"),
    ):
        assert told.returncode
        assert "Traceback" not in told.stdout + told.stderr
        assert "version:" not in told.stdout
