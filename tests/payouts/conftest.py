"""A brand whose people have money."""

from collections.abc import AsyncIterator

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.ids import DistributorId
from saas.ledger.checks import run_checks
from tests.factories import LOTUS, as_tenant, make_tenants
from tests.factories_money import SETTLED_AT, make_distributors, settle_for, use_program
from tests.payouts.people import (
    give_card,
)


@pytest.fixture
async def people(db: Database) -> AsyncIterator[list[DistributorId]]:
    """Ann has 1,000.00 settled and a verified card, Ben 500.00 and a card with invoices, Cleo 99.99 and a card."""
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program()
        made = await make_distributors("ANN", "BEN", "CLEO")
        await settle_for(dict(zip(made, (100_000, 50_000, 9_999), strict=True)))
        for owner in made:
            await give_card(owner, has_invoice=owner == made[1])
        with clock.at(SETTLED_AT):
            yield made
        assert await run_checks() == []
