"""Figures for Prometheus: at a port of their own, to whoever shows the token."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pydantic import SecretStr

from saas.base.metrics import OPERATIONS, PortUnusable, served
from saas.base.settings import Settings


def figures(port: int, token: str = "", path: str = "/metrics") -> str:
    """What a visitor reads. Raises ``HTTPError``."""
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", headers={"authorization": f"Bearer {token}"})) as answer:
        return str(answer.read().decode())


def test_without_a_port_nothing_is_served() -> None:
    with served(Settings(_env_file=None)) as port:
        assert port is None


def test_with_a_token_only_who_shows_it_is_answered() -> None:
    OPERATIONS.labels("query tests", "ok").inc()
    with served(Settings(_env_file=None, metrics_port=0, metrics_token=SecretStr("t0ken"))) as port:
        assert port
        for token in ("", "t0kem", "t0kens"):
            with pytest.raises(HTTPError, match="401"):
                figures(port, token)
        with pytest.raises(HTTPError, match="404"):
            figures(port, "t0ken", "/")
        text = figures(port, "t0ken")
    assert 'banyan_operations_total{operation="query tests",outcome="ok"} 1.0' in text


def test_a_port_that_is_taken_is_told() -> None:
    with served(Settings(_env_file=None, metrics_port=0)) as port:
        assert "banyan_database_connections" in figures(port or 0)
        with pytest.raises(PortUnusable, match="METRICS_PORT"), served(Settings(_env_file=None, metrics_port=port)):
            pass
