"""What is remembered, for how long, and that a rollback leaves nothing."""

import pytest

from saas.base.db import Database, open_database, reading, transaction
from saas.base.db.memory import Remembered
from saas.base.ids import PLATFORM
from saas.base.scope import tenant_scope


async def put(memory: Remembered[str, int], key: str, value: int) -> None:
    with tenant_scope(PLATFORM):
        async with reading():
            memory.put(key, value)


async def test_a_value_is_there_after_its_transaction(db: Database) -> None:
    memory: Remembered[str, int] = Remembered(most=2)
    with tenant_scope(PLATFORM):
        async with transaction():
            memory.put("a", 1)
            assert memory.get("a") is None
    assert memory.get("a") == 1
    memory.forget()
    assert memory.get("a") is None


async def test_what_is_rolled_back_is_not_remembered(db: Database) -> None:
    memory: Remembered[str, int] = Remembered(most=2)
    with tenant_scope(PLATFORM), pytest.raises(ZeroDivisionError):
        async with transaction():
            memory.put("a", 1)
            raise ZeroDivisionError
    assert memory.get("a") is None


async def test_the_oldest_leaves_first(db: Database) -> None:
    memory: Remembered[str, int] = Remembered(most=2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        await put(memory, key, value)
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (3, None, 4)


async def test_a_value_ends_with_its_time(db: Database) -> None:
    memory: Remembered[str, int] = Remembered(most=2, seconds=-1)
    await put(memory, "a", 1)
    assert memory.get("a") is None


async def test_another_database_remembers_nothing_of_it(database_url: str) -> None:
    memory: Remembered[str, int] = Remembered(most=2)
    async with open_database(database_url):
        await put(memory, "a", 1)
        assert memory.get("a") == 1
    async with open_database(database_url):
        assert memory.get("a") is None
