"""``transaction()`` and ``reading()``: all or nothing, whoever interrupts, on both databases."""

import asyncio
import random

import asyncpg
import pytest

from saas.base import clock
from saas.base.db import ConstraintViolated, Database, current_tx, open_database, reading, transaction
from saas.base.db.tx import ForeignTask, ScopeMismatch
from saas.base.ids import new_id
from saas.base.scope import ScopeMissing
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

COLUMNS = ("id", "sku", "name", "status", "created_at")


async def put(*skus: str) -> None:
    await current_tx().insert_many("product", COLUMNS, [(new_id(), sku, sku, "active", clock.now()) for sku in skus])


async def skus() -> list[str]:
    async with reading() as tx:
        rows = await tx.rows("SELECT sku FROM product WHERE tenant_id = $1 ORDER BY sku", tx.tenant_id)
    return [row["sku"] for row in rows]


async def test_a_failing_block_leaves_nothing(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        with pytest.raises(ZeroDivisionError):
            async with transaction():
                await put("a")
                raise ZeroDivisionError
        assert await skus() == []


async def test_an_inner_transaction_joins_the_outer_one(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        with pytest.raises(ZeroDivisionError):
            async with transaction() as outer:
                async with transaction() as inner:
                    assert inner is outer
                    await put("a")
                raise ZeroDivisionError
        assert await skus() == []


async def test_without_a_tenant_nothing_opens(db: Database) -> None:
    with pytest.raises(ScopeMissing):
        async with transaction():
            pass
    with pytest.raises(ScopeMissing):
        current_tx()


async def test_the_tenant_cannot_change_inside(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with reading():
            with pytest.raises(ScopeMismatch):
                async with transaction():
                    pass
            with as_tenant(CEDAR), pytest.raises(ScopeMismatch):
                async with reading():
                    pass


async def test_a_reading_block_cannot_write(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        with pytest.raises(Exception, match=r"read-?only"):
            async with reading():
                await put("a")
        assert await skus() == []


async def test_another_task_may_not_use_the_transaction(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction():
            with pytest.raises(ForeignTask):
                await asyncio.create_task(put("a"))
            async with asyncio.timeout(10):
                assert await asyncio.create_task(skus()) == []  # a block of its own is fine


async def test_a_unique_key_refuses_by_name(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        with pytest.raises(ConstraintViolated, match="sku"):
            async with transaction():
                await put("a", "a")
        with as_tenant(CEDAR):
            async with transaction():
                await put("a")
        assert await skus() == []


async def test_readers_do_not_wait_for_a_writer(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction():
            await put("a")
            async with asyncio.timeout(10):
                assert await asyncio.create_task(skus()) == []


async def test_cancelled_anywhere_it_is_whole_or_absent_and_nothing_hangs(db: Database) -> None:
    """300 writers cancelled at random moments: each left both its rows or none, and the database still works."""
    await make_tenants()
    dice = random.Random(20_261_121)

    async def write(number: int) -> None:
        async with transaction():
            await put(f"{number:03}-first")
            await put(f"{number:03}-second")

    with as_tenant(LOTUS):
        tasks = [asyncio.create_task(write(number)) for number in range(300)]
        while pending := [task for task in tasks if not task.done()]:
            await asyncio.sleep(dice.random() / 500)
            dice.choice(pending).cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        async with asyncio.timeout(20):
            found = await skus()
            async with transaction():
                await put("afterwards")
    kept = {sku[:3] for sku in found}
    assert sorted(found) == sorted(f"{number}-{part}" for number in kept for part in ("first", "second"))
    finished = {f"{number:03}" for number, result in enumerate(results) if result is None}
    assert finished <= kept, "a transaction that reported success is there"
    assert {type(result) for result in results} <= {type(None), asyncio.CancelledError}


async def test_what_went_wrong_is_told_though_the_connection_is_gone(postgres_url: str) -> None:
    async with open_database(postgres_url, pool_size=1):
        await make_tenants()
        with as_tenant(LOTUS):
            with pytest.raises(ZeroDivisionError):
                async with transaction() as tx:
                    await put("a")
                    await end_connection(postgres_url, await tx.value("SELECT pg_backend_pid()"))
                    raise ZeroDivisionError
            async with transaction():
                await put("b")
            assert await skus() == ["b"]


async def end_connection(url: str, pid: object) -> None:
    """Let the server end a connection, and the event loop hear of it."""
    other = await asyncpg.connect(url)
    await other.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await other.close()
    await asyncio.sleep(0.05)


async def test_what_waits_for_the_commit_hears_of_commits_only(db: Database) -> None:
    await make_tenants()
    heard: list[str] = []
    with as_tenant(LOTUS):
        async with transaction() as tx:
            tx.after_commit(lambda: heard.append("kept"))
            assert heard == []
        with pytest.raises(ZeroDivisionError):
            async with transaction() as tx:
                tx.after_commit(lambda: heard.append("lost"))
                raise ZeroDivisionError
    assert heard == ["kept"]
