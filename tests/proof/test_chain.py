"""Hash chains: any change of what was sealed is found, at any place, on both databases."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from saas.base import clock
from saas.base.chain import Log, seal, verify
from saas.base.db import Database, reading, transaction
from saas.base.db.sqlite import sqlite_path
from saas.base.ids import new_id
from saas.ledger.chain import LEDGER
from saas.proof.checks import CHAINS, seal_chains, verify_chains
from tenants import audit
from tenants.actors import system
from tenants.audit import AUDIT
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.factories_money import make_distributors, make_order, settle_for

pytestmark = pytest.mark.unsound

LAST = "(SELECT row_id FROM chain_link WHERE tenant_id = 1 AND log = '{log}' AND seq = 2)"
"""The second sealed row of a log of Lotus."""


@pytest.fixture
async def sealed(db: Database) -> AsyncIterator[Database]:
    """Two brands with sealed chains of several rows, of which Lotus is the active one."""
    await make_tenants()
    for brand in (CEDAR, LOTUS):
        with as_tenant(brand):
            (ann,) = await make_distributors("ANN")
            await settle_for({ann: 1000})
            await make_order({ann: 500})
            assert await seal_chains() > 4
    with as_tenant(LOTUS):
        assert await found() == set()
        yield db


async def found() -> set[str]:
    return {violation.check for chain in await verify_chains() for violation in chain.violations}


async def tamper(db: Database, sql: str) -> None:
    """Change what nobody may change, as the owner of the tables."""
    if db.kind == "sqlite":
        with sqlite3.connect(sqlite_path(db.url)) as file:
            triggers = file.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                file.execute(f"DROP TRIGGER {name}")
            assert file.execute(sql).rowcount > 0
            for _, made in triggers:
                file.execute(made)
        return
    connection = await asyncpg.connect(db.url)
    try:
        await connection.execute("SET session_replication_role = replica; SET app.tenant = '1'")
        assert not (await connection.execute(sql)).endswith(" 0")
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("log", "sql"),
    [
        ("audit", "UPDATE audit_log SET actor_label = actor_label || '.' WHERE tenant_id = 1 AND id = {last}"),
        ("audit", "UPDATE audit_log SET action = 'x' WHERE tenant_id = 1 AND id = {last}"),
        ("audit", "DELETE FROM audit_log WHERE tenant_id = 1 AND id = {last}"),
        ("ledger", "UPDATE ledger_transaction SET kind = 'bonus' WHERE tenant_id = 1 AND id = {last}"),
        ("ledger", "UPDATE ledger_transaction SET input_hash = 'x' WHERE tenant_id = 1 AND id = {last}"),
        (
            "ledger",
            "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE tenant_id = 1 AND transaction_id = {last} "
            "AND entry_no = 1",
        ),
        ("ledger", "DELETE FROM ledger_entry WHERE tenant_id = 1 AND transaction_id = {last} AND entry_no = 2"),
        ("ledger", "DELETE FROM ledger_transaction WHERE tenant_id = 1 AND id = {last}"),
        (
            "ledger",
            "INSERT INTO ledger_entry SELECT tenant_id, transaction_id, 99, account, owner_id, currency, amount_minor, "
            "effective_at FROM ledger_entry WHERE tenant_id = 1 AND transaction_id = {last} AND entry_no = 1",
        ),
    ],
)
async def test_a_changed_removed_or_added_row_is_found(sealed: Database, log: str, sql: str) -> None:
    await tamper(sealed, sql.format(last=LAST.format(log=log)))
    assert await found() == {f"chain_{log}"}
    assert len([v for chain in await verify_chains() for v in chain.violations]) == 1
    with as_tenant(CEDAR):
        assert await found() == set()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE chain_link SET hash = 'x' WHERE tenant_id = 1 AND log = 'ledger' AND seq = 2",
        "DELETE FROM chain_link WHERE tenant_id = 1 AND log = 'ledger' AND seq = 2",
        "DELETE FROM chain_link WHERE tenant_id = 1 AND log = 'ledger' AND seq = "
        "(SELECT max(seq) FROM chain_link WHERE tenant_id = 1 AND log = 'ledger')",
        "DELETE FROM chain_head WHERE tenant_id = 1 AND log = 'ledger'",
        "UPDATE chain_head SET seq = seq - 1 WHERE tenant_id = 1 AND log = 'ledger'",
    ],
)
async def test_a_changed_chain_is_found(sealed: Database, sql: str) -> None:
    await tamper(sealed, sql)
    assert await found() == {"chain_ledger"}


@pytest.mark.parametrize("number", range(3))
async def test_every_byte_of_an_audit_line_counts(sealed: Database, number: int) -> None:
    """Also what a database would read back as the same, and what it could not read back at all."""
    row = LAST.format(log="audit")
    edits = {
        "sqlite": ("at = at || ' '", "at = replace(at, '+00:00', '+00:01')", "detail = detail || ' '"),
        "postgresql": ("at = at + interval '1 microsecond'", "subject = subject || ' '", "detail = '{}'"),
    }
    await tamper(sealed, f"UPDATE audit_log SET {edits[sealed.kind][number]} WHERE tenant_id = 1 AND id = {row}")
    assert await found() == {"chain_audit"}


async def test_the_tail_is_counted_and_sealed_in_order(sealed: Database) -> None:
    before = await verify(AUDIT)
    assert before.unsealed == 0
    async with transaction():
        for number in range(3):
            await audit.record(system(LOTUS, "test"), f"test.{number}")
    assert (await verify(AUDIT)).unsealed == 3
    assert await seal(AUDIT) == 3
    after = await verify(AUDIT)
    assert (after.sealed, after.unsealed, after.violations) == (before.sealed + 3, 0, [])
    assert after.head != before.head
    assert await seal(AUDIT) == 0


async def test_a_row_committed_late_is_sealed_later(sealed: Database) -> None:
    """A long transaction's rows have early identifiers; older ones than the window wait for a whole look."""
    async with transaction() as tx:
        for id_ in (UUID(int=new_id().int - (60_000 << 80)), UUID(int=new_id().int - (7_200_000 << 80))):
            await tx.insert_many(
                "audit_log",
                ("id", "at", "actor_kind", "actor_id", "actor_label", "action", "subject", "detail"),
                [(id_, clock.now(), "system", None, "test", "late", None, "{}")],
            )
    assert await seal(AUDIT) == 1
    assert (await verify(AUDIT)).unsealed == 1
    assert await seal(AUDIT, everything=True) == 1
    assert (await verify(AUDIT)).violations == []


@pytest.mark.parametrize("log", CHAINS, ids=lambda log: log.name)
async def test_many_who_seal_make_one_chain(sealed: Database, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saas.base.chain.BATCH", 3)
    (bob,) = await make_distributors("BOB")
    for number in range(1, 12):
        await make_order({bob: number})
    sealed_by_each = await asyncio.gather(*(seal(log) for _ in range(4)))
    chain = await verify(log)
    assert (chain.unsealed, chain.violations) == (0, [])
    async with reading() as tx:
        rows = await tx.value(f"SELECT count(*) FROM {log.table} r WHERE r.tenant_id = $1", LOTUS)
    assert chain.sealed == rows
    assert log is not LEDGER or sum(sealed_by_each) == 11
