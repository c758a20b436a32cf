"""Two brands whose distributors leave."""

from collections.abc import AsyncIterator

import pytest

from saas.base.db import Database
from saas.ledger.checks import run_checks
from saas.network.checks import standing_agrees
from tests.exits.world import Ids
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.orders.world import two_shops


@pytest.fixture
async def shops(db: Database) -> AsyncIterator[tuple[Ids, Ids]]:
    """Lotus and Cedar, A → B → C → D each; afterwards books and trees of both are sound."""
    yield await two_shops()
    for tenant_id in (LOTUS, CEDAR):
        with as_tenant(tenant_id):
            assert [*await run_checks(), *await standing_agrees()] == []
