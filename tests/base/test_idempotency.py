"""Keys are claimed once, whoever comes at the same time, and never with other content."""

import asyncio
from uuid import UUID

import pytest

from saas.base.db import Database, transaction
from saas.base.errors import IdempotencyConflict, InvalidInput
from saas.base.idempotency import Claim, claim, claim_each, claim_many, fingerprint, look_up
from saas.base.ids import new_id
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants


async def test_the_second_claim_answers_the_first_result(db: Database) -> None:
    await make_tenants()
    first, second = new_id(), new_id()
    with as_tenant(LOTUS):
        async with transaction():
            assert await claim("pay", "k", {"a": 1}, first) is None
        async with transaction():
            assert await claim("pay", "k", {"a": 1}, second) == first
        with pytest.raises(IdempotencyConflict):
            async with transaction():
                await claim("pay", "k", {"a": 2}, second)
        async with transaction():
            assert await claim("refund", "k", {"a": 2}, second) is None
    with as_tenant(CEDAR):
        async with transaction():
            assert await claim("pay", "k", {"a": 2}, second) is None


async def test_sixteen_at_once_make_one(db: Database) -> None:
    await make_tenants()

    async def run() -> UUID:
        mine = new_id()
        async with transaction():
            return await claim("pay", "k", {"a": 1}, mine) or mine

    with as_tenant(LOTUS):
        results = await asyncio.gather(*(run() for _ in range(16)))
    assert len(set(results)) == 1


async def test_many_at_once_tell_new_from_old(db: Database) -> None:
    await make_tenants()
    claims = [Claim(str(n), fingerprint(n), new_id()) for n in range(50)]
    with as_tenant(LOTUS):
        async with transaction():
            assert await claim_many("pay", claims[:20]) == {}
        async with transaction():
            assert await claim_many("pay", claims) == {}, "the same claim with the same result is ours"
        again = [Claim(c.key, c.fingerprint, new_id()) for c in claims[:3]]
        async with transaction():
            assert await claim_many("pay", again) == {c.key: c.result for c in claims[:3]}
        with pytest.raises(IdempotencyConflict):
            async with transaction():
                await claim_many("pay", [Claim("new", "x", new_id()), Claim("new", "y", new_id())])


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b", "a\nb", "\ud800"])
async def test_a_key_nobody_could_read_back_is_refused_and_the_others_are_taken(db: Database, key: str) -> None:
    await make_tenants()
    claims = {name: Claim(name, fingerprint({}), new_id()) for name in (key, "x" * 200)}
    with as_tenant(LOTUS):
        async with transaction():
            with pytest.raises(InvalidInput) as refused:
                await claim("pay", key, {}, new_id())
            assert refused.value.field == "input.idempotencyKey"
            assert refused.value.message().isprintable()
            for answers in (await claim_each("pay", claims), await look_up("pay", {key: claims[key]})):
                assert [(name, type(answer)) for name, answer in answers.items()] == [(key, InvalidInput)]
            assert await claim("pay", "x" * 200, {}, new_id()) == claims["x" * 200].result


def test_a_fingerprint_ignores_the_order_of_keys_and_nothing_else() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
