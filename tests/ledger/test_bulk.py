"""Moves that the database posts by itself leave the books that single postings leave."""

from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from uuid import UUID

import pytest

from saas.base.db import ConstraintViolated, Database, transaction
from saas.base.ids import DistributorId, new_id
from saas.ledger.bulk import MOVE_COLUMNS, hold_balances, post_moves
from saas.ledger.checks import balances_rederive, transactions_balance, transactions_have_entries
from saas.ledger.commands import post
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account, Kind
from tests.factories import LOTUS, as_tenant, make_tenants
from tests.factories_money import accrual, make_distributors

AT = datetime(2026, 3, 1, tzinfo=UTC)
MOVE = "INSERT INTO moves VALUES ($1, $2, $3, $4, $5, 'CNY', $6)"


async def _move(parts: list[tuple[UUID, str, DistributorId, int]]) -> None:
    """Make pending money available: (transaction, key, owner, amount) each."""
    async with transaction() as tx, tx.scratch("moves", MOVE_COLUMNS):
        for id_, key, owner, amount in parts:
            await tx.execute(MOVE, id_, id_, key, AT, owner, amount)
        await tx.weigh("moves")
        await hold_balances(tx, "SELECT DISTINCT owner_id, currency, 'available' AS account FROM moves")
        await post_moves(tx, "moves", Kind.RELEASE, "order", Account.PENDING, Account.AVAILABLE)


async def _amounts(owners: list[DistributorId]) -> list[tuple[int, int]]:
    found = await balances_of(owners)
    return [(found[id_].of(Account.PENDING, "CNY"), found[id_].of(Account.AVAILABLE, "CNY")) for id_ in owners]


@pytest.mark.unsound
async def test_moves_of_several_in_several_transactions(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        owners = await make_distributors("ANN", "BEN")
        ann, ben = owners
        await post([accrual(new_id(), {ann: 100, ben: 50})])
        first, second = new_id(), new_id()
        await _move([(first, "a", ann, 30), (first, "a", ben, 20), (second, "b", ann, 70)])
        assert await _amounts(owners) == [(0, 100), (30, 20)]
        for check in (transactions_balance, transactions_have_entries, balances_rederive):
            assert await check() == []
        with pytest.raises(ConstraintViolated):  # the key was posted before
            await _move([(new_id(), "a", ben, 1)])
        with pytest.raises(ConstraintViolated):  # pending money is never below zero
            await _move([(new_id(), "c", ben, 31)])
        assert await _amounts(owners) == [(0, 100), (30, 20)]


async def test_identifiers_and_hashes_are_those_of_the_house(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        made = []
        async with transaction() as tx:
            for _ in range(100):  # a millisecond rounded up instead of cut off shows in half of them
                made.append(new_id())
                made.append(UUID(str(await tx.value(f"SELECT {tx.new_id} AS id"))))
            digest = await tx.value(f"SELECT {tx.sha256('CAST($1 AS text)')} AS hash", "佣金")
        assert {id_.version for id_ in made} == {7}
        assert all(one.int >> 80 <= other.int >> 80 for one, other in pairwise([*made, new_id()]))
        assert digest == sha256("佣金".encode()).hexdigest()
