"""``reading_on()``: the readings of one request share a transaction, and nothing else is different."""

import asyncio

import pytest

from saas.base import clock
from saas.base.db import (
    ConstraintViolated,
    Database,
    Taken,
    Tx,
    current_tx,
    open_database,
    reading,
    reading_on,
    transaction,
)
from saas.base.ids import new_id
from tenants import passwords
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

COLUMNS = ("id", "sku", "name", "status", "created_at")
MORE = "SELECT count(*) AS n FROM product WHERE tenant_id = $1"


def rows(*skus: str) -> list[tuple[object, ...]]:
    return [(new_id(), sku, sku, "active", clock.now()) for sku in skus]


async def counted() -> tuple[Tx, int]:
    """The transaction a reading was given, and how many products it saw."""
    async with reading() as tx:
        return tx, await tx.value(MORE, tx.tenant_id)


async def test_readings_of_a_request_share_a_transaction(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with reading_on():
            (first, _), (second, _) = await counted(), await counted()
        alone, _ = await counted()
    assert first is second
    assert alone is not first


async def test_a_request_sees_what_it_wrote_and_what_it_failed_to_write_is_gone(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with reading_on():
            _, before = await counted()
            async with transaction() as tx:
                await tx.insert_many("product", COLUMNS, rows("a"))
            _, after = await counted()
            with pytest.raises(ZeroDivisionError):
                async with transaction() as tx:
                    await tx.insert_many("product", COLUMNS, rows("b"))
                    raise ZeroDivisionError
            _, still = await counted()
    assert (before, after, still) == (0, 1, 1)


async def test_another_tenant_gets_a_transaction_of_its_own(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction() as tx:
            await tx.insert_many("product", COLUMNS, rows("a"))
    async with reading_on():
        with as_tenant(LOTUS):
            lotus, seen = await counted()
        with as_tenant(CEDAR):
            cedar, others = await counted()
    assert (lotus.tenant_id, seen) == (LOTUS, 1)
    assert (cedar.tenant_id, others) == (CEDAR, 0)


async def test_a_task_begun_inside_a_reading_outlives_it_with_readings_of_its_own(db: Database) -> None:
    await make_tenants()
    left = asyncio.Event()

    async def late() -> tuple[Tx, int, Tx]:
        await left.wait()
        first, seen = await counted()
        async with transaction() as tx:
            await tx.insert_many("product", COLUMNS, rows("a"))
        second, after = await counted()
        assert (seen, after) == (0, 1)
        return first, seen, second

    with as_tenant(LOTUS):
        async with reading_on():
            async with reading():
                task = asyncio.create_task(late())
            left.set()
            first, _, second = await task
    assert first is not second


async def test_a_failed_reading_is_not_gone_on_with(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with reading_on():
            with pytest.raises(ZeroDivisionError):
                async with reading() as failed:
                    raise ZeroDivisionError
            after, seen = await counted()
    assert after is not failed
    assert seen == 0


async def test_one_connection_is_enough_for_tasks_that_read_at_the_same_time(database_url: str) -> None:
    """A transaction that stood open while others of the request wait would wait for itself."""
    async with open_database(database_url, pool_size=1):
        await make_tenants()

        async def request() -> None:
            with as_tenant(LOTUS):
                async with reading_on():
                    await counted()
                    await asyncio.gather(*(counted() for _ in range(5)))
                    await counted()

        async with asyncio.timeout(60):
            await asyncio.gather(*(request() for _ in range(4)))


async def test_a_password_is_hashed_without_holding_a_connection(database_url: str) -> None:
    """Many log-ins at once wait for a few threads; the rest of the house must not wait with them."""
    async with open_database(database_url, pool_size=1):
        await make_tenants()
        with as_tenant(LOTUS):
            async with reading_on():
                first, _ = await counted()
                await passwords.matches("a password", None)
                second, _ = await counted()
                await passwords.hashed("a password")
                third, _ = await counted()
    assert len({id(one) for one in (first, second, third)}) == 3


async def test_a_cancelled_request_gives_its_connection_back(database_url: str) -> None:
    async with open_database(database_url, pool_size=1):
        await make_tenants()
        reached = asyncio.Event()

        async def request() -> None:
            with as_tenant(LOTUS):
                async with reading_on():
                    await counted()
                    reached.set()
                    await asyncio.Event().wait()

        task = asyncio.create_task(request())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with as_tenant(LOTUS):
            async with asyncio.timeout(60):
                await counted()


async def test_rows_that_wait_are_there_when_anybody_looks_and_after_the_commit(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction() as tx:
            await tx.insert_later("product", COLUMNS, rows("a", "b"))
            assert await tx.value(MORE, tx.tenant_id) == 2
            await tx.insert_later("product", COLUMNS, rows("c"))
            await tx.insert_later("product", COLUMNS, rows("d"))
        assert (await counted())[1] == 4


async def test_rows_that_wait_are_rolled_back_with_the_rest(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        with pytest.raises(ZeroDivisionError):
            async with transaction() as tx:
                await tx.insert_later("product", COLUMNS, rows("a"))
                raise ZeroDivisionError
        assert (await counted())[1] == 0


async def test_a_refused_row_fails_the_transaction_wherever_it_went_along(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        with pytest.raises(ConstraintViolated):
            async with transaction() as tx:
                await tx.insert_later("product", COLUMNS, rows("a", "a"))
                await current_tx().insert_many("product", COLUMNS, rows("b"))
        assert (await counted())[1] == 0


async def test_a_row_that_waits_is_seen_by_the_next_insert_into_its_table(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction() as tx:
            await tx.insert_later("product", COLUMNS, rows("a"))
            made = await tx.insert_many("product", COLUMNS, rows("a", "b"), or_ignore=True)
        assert (made, (await counted())[1]) == (1, 2)


async def test_rows_that_wait_cost_no_statement_of_their_own_on_postgresql(db: Database) -> None:
    await make_tenants()
    seen: list[str] = []
    with as_tenant(LOTUS):
        async with transaction() as tx:
            db.observer = tx._observer = seen.append
            await tx.insert_later("product", COLUMNS, rows("a"))
            made = await tx.insert_many(
                "idempotency",
                ("operation", "key", "input_hash", "result", "created_at"),
                [("op", "key", "hash", new_id(), clock.now())],
                or_ignore=True,
            )
    assert made == 1
    assert len(seen) == (1 if db.kind == "postgresql" else 2)


CLAIM = ("operation", "key", "input_hash", "result", "created_at")
TREE = ("next_no", "moves", "changed_at")


def claim(key: str) -> list[tuple[object, ...]]:
    return [("op", key, "hash", new_id(), clock.now())]


async def there(*tables: str) -> list[int]:
    """How many rows the tables have."""
    async with reading() as tx:
        return [await tx.value(f"SELECT count(*) FROM {table} WHERE tenant_id = $1", tx.tenant_id) for table in tables]


async def test_rows_that_have_to_go_in_take_along_what_follows_them(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction() as tx:
            await tx.insert_later("idempotency", CLAIM, claim("k"), or_taken=True)
            await tx.insert_later("product", COLUMNS, rows("a", "b"))
        assert await there("idempotency", "product") == [1, 2]


async def test_nothing_follows_rows_whose_key_others_have_and_the_transaction_goes_on(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction() as tx:
            await tx.insert_many("idempotency", CLAIM, claim("k"))
        async with transaction() as tx:
            await tx.insert_later("network_tree", TREE, [(1, 0, clock.now())])
            with pytest.raises(Taken, match="idempotency"):  # on SQLite it is the insert that raises
                await tx.insert_later("idempotency", CLAIM, [*claim("new"), *claim("k")], or_taken=True)
                await tx.insert_later("product", COLUMNS, rows("a"))
                await tx.flush()
            await tx.insert_later("product", COLUMNS, rows("b"))
        assert await there("network_tree", "idempotency", "product") == [1, 2, 1]
        async with reading() as tx:
            assert await tx.value("SELECT sku FROM product WHERE tenant_id = $1", tx.tenant_id) == "b"


async def test_of_two_lots_that_have_to_go_in_the_first_that_cannot_is_named(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        async with transaction() as tx:
            await tx.insert_many("product", COLUMNS, rows("a"))
        with pytest.raises(Taken, match="product"):
            async with transaction() as tx:
                await tx.insert_later("product", COLUMNS, rows("a"), or_taken=True)
                await tx.insert_later("idempotency", CLAIM, claim("k"), or_taken=True)
        assert await there("product", "idempotency") == [1, 0]


async def test_rows_are_chosen_by_a_condition_when_they_go_in(db: Database) -> None:
    await make_tenants()
    known = "EXISTS (SELECT 1 FROM product p WHERE p.tenant_id = $1 AND p.sku = listed.key)"
    for tenant_id, sku in ((CEDAR, "b"), (LOTUS, "a")):
        with as_tenant(tenant_id):
            async with transaction() as tx:
                await tx.insert_many("product", COLUMNS, rows(sku))
                await tx.insert_later("idempotency", CLAIM, [*claim("a"), *claim("b")], where=known)
            async with reading() as tx:
                found = await tx.rows("SELECT key FROM idempotency WHERE tenant_id = $1", tx.tenant_id)
            assert [row["key"] for row in found] == [sku]
