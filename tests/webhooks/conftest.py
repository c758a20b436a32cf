"""Two brands, and an installation whose webhooks may lead to this machine."""

from collections.abc import Iterator

import pytest

from saas.base.db import Database
from saas.base.settings import get_settings
from tests.factories import make_tenants


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Development, with receivers on this machine."""
    monkeypatch.setenv("WEBHOOK_LOOPBACK", "true")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
async def brands(db: Database, loopback: None) -> None:
    """Lotus and Cedar."""
    await make_tenants()
