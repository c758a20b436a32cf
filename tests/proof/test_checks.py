"""The checks that look beyond the ledger's own tables each find what they are about; the job tells when they do."""

import logging
from collections.abc import AsyncIterator

import pytest

from saas.base.db import Database, transaction
from saas.base.errors import DomainError
from saas.jobs.commands import enqueue
from saas.jobs.queries import job
from saas.jobs.rules import JobStatus
from saas.jobs.worker import run_due
from saas.proof.checks import broken, verify_chains
from saas.proof.commands import KIND, check_books
from tenants.actors import system
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.world import populate

pytestmark = pytest.mark.unsound


@pytest.fixture
async def lotus(db: Database) -> AsyncIterator[None]:
    """A brand that has lived a while, whose checks all hold."""
    await populate()
    with as_tenant(LOTUS):
        assert await broken() == []
        yield


async def found() -> set[str]:
    return {violation.check for violation in await broken()}


async def run(sql: str) -> None:
    async with transaction() as tx:
        assert await tx.execute(sql, LOTUS)


async def test_a_payout_of_more_than_it_claimed(lotus: None) -> None:
    await run("UPDATE payout SET requested_minor = requested_minor + 1, net_minor = net_minor + 1 WHERE tenant_id = $1")
    assert await found() == {"payouts_claimed_once", "payouts_agree_open"}


async def test_a_payout_that_ended_without_an_entry(lotus: None) -> None:
    await run("UPDATE payout SET status = 'paid' WHERE tenant_id = $1")
    assert await found() == {"payouts_ended_once", "payouts_agree_open", "payouts_agree_paid"}


async def test_an_entry_that_serves_another_payout(lotus: None) -> None:
    """Two payouts of one claim: the second finds nothing booked for it."""
    columns = "destination_id, currency, requested_minor, fee_minor, withheld_minor, net_minor, status, requested_at"
    await run(
        f"INSERT INTO payout (tenant_id, id, distributor_id, {columns}) SELECT tenant_id, destination_id, "
        f"distributor_id, {columns} FROM payout WHERE tenant_id = $1"
    )
    assert await found() == {"payouts_claimed_once", "payouts_agree_open"}


async def test_someone_under_a_sponsor_who_left(lotus: None) -> None:
    left = "WHERE tenant_id = $1 AND code = 'B'"
    await run(f"UPDATE distributor SET status = 'exited' {left}")
    assert await found() == {"standing_agrees", "sponsors_stand"}


async def test_commission_for_someone_who_had_left(lotus: None) -> None:
    await run(
        "UPDATE standing SET status = 'exited' WHERE tenant_id = $1 AND distributor_id = "
        "(SELECT id FROM distributor WHERE tenant_id = $1 AND code = 'C')"
    )
    assert await found() == {"standing_agrees", "exited_earn_nothing"}


async def test_the_job_seals_what_holds(lotus: None) -> None:
    async with transaction():
        job_id = await enqueue(KIND, {}, actor=system(LOTUS, "test"))
    assert await run_due({KIND: check_books}) == 1
    assert (await job(job_id)).status is JobStatus.DONE
    assert [chain.unsealed for chain in await verify_chains()] == [0, 0]


async def test_the_job_raises_an_alert(lotus: None, caplog: pytest.LogCaptureFixture) -> None:
    await run("UPDATE balance SET amount_minor = amount_minor + 1 WHERE tenant_id = $1 AND account = 'settled'")
    async with transaction():
        job_id = await enqueue(KIND, {}, actor=system(LOTUS, "test"))
    with caplog.at_level(logging.CRITICAL, "banyan.alert"):
        await run_due({KIND: check_books})
    assert "balances_rederive" in caplog.text
    assert (await job(job_id)).status is JobStatus.FAILED
    assert [chain.sealed for chain in await verify_chains()] == [0, 0]
    with as_tenant(CEDAR):
        assert await found() == set()


def test_the_refusal_says_what_to_do() -> None:
    from saas.proof.errors import BooksBroken

    refusal: DomainError = BooksBroken(checks="balances_rederive", count=2)
    assert "main.py check" in refusal.message("en")
    assert "main.py check" in refusal.message("zh-CN")
