"""Every setting is documented, and production refuses to start unsafe."""

import re
from pathlib import Path

import pytest

from saas.base.settings import DEVELOPMENT_KEY, Settings

ROOT = Path(__file__).parents[2]
DOCUMENTED = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)
SAFE = {
    "environment": "production",
    "database_url": "postgresql://banyan_server@db/banyan",
    "secret_key": "k" * 40,
    "secure_cookies": True,
    "base_domain": "banyan.example",
}


def test_every_setting_is_in_the_operations_guide_and_nothing_else() -> None:
    documented = DOCUMENTED.findall((ROOT / "docs" / "operations.md").read_text(encoding="utf-8"))
    assert sorted(documented) == sorted(name.upper() for name in Settings.model_fields)


def test_every_setting_describes_itself() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_example_names_only_settings() -> None:
    names = re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert names
    assert set(names) <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("unsafe", "named"),
    [
        ({"secret_key": DEVELOPMENT_KEY}, "SECRET_KEY"),
        ({"secure_cookies": False}, "SECURE_COOKIES"),
        ({"database_url": "sqlite:///x.db"}, "DATABASE_URL"),
        ({"base_domain": "localhost"}, "BASE_DOMAIN"),
        ({"wechat_pay_url": "http://api.mch.weixin.qq.com"}, "WECHAT_PAY_URL"),
        ({"metrics_port": 9000, "metrics_host": "0.0.0.0"}, "METRICS_TOKEN"),  # noqa: S104  # to be refused
    ],
)
def test_production_refuses_what_is_unsafe(unsafe: dict[str, object], named: str) -> None:
    assert Settings(_env_file=None, **SAFE).unsafe() == []  # type: ignore[arg-type]
    found = Settings(_env_file=None, **{**SAFE, **unsafe}).unsafe()  # type: ignore[arg-type]
    assert [line for line in found if named in line] == found != []


def test_what_is_unsafe_by_default_can_be_meant() -> None:
    meant: list[dict[str, object]] = [
        {"database_url": "sqlite:///x.db", "sqlite_in_production": True},
        {"metrics_port": 9000},
        {"metrics_port": 9000, "metrics_host": "10.0.0.1", "metrics_token": "t" * 20},
    ]
    for said in meant:
        assert Settings(_env_file=None, **{**SAFE, **said}).unsafe() == []  # type: ignore[arg-type]


def test_production_is_not_debugged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")
    (found,) = Settings(_env_file=None, **SAFE).unsafe()  # type: ignore[arg-type]
    assert "debug" in found


def test_development_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    assert Settings(_env_file=None).unsafe() == []
