"""Posting on both databases: once, balanced, never below zero where that is forbidden, never changed."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from saas.base.db import ConstraintViolated, Database, reading, transaction
from saas.base.errors import IdempotencyConflict
from saas.base.ids import DistributorId, new_id
from saas.base.paging import PageRequest
from saas.ledger.commands import lock_balances, post
from saas.ledger.errors import InsufficientBalance
from saas.ledger.queries import EntryFilter, balance_as_of, balances_of, entries_of
from saas.ledger.rules import Account, Kind, Posting, transfer
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.factories_money import T0, accrual, make_distributors, make_order

pytestmark = pytest.mark.unsound


def moved(owner: DistributorId, source: Account, target: Account, amount: int, key: str, *, days: int = 1) -> Posting:
    return Posting(
        kind=Kind.RELEASE,
        reference_kind="adjustment",
        reference_id=new_id(),
        idempotency_key=key,
        effective_at=T0 + timedelta(days=days),
        entries=tuple(transfer(owner, source, target, amount, "CNY")),
    )


async def amount_of(owner: DistributorId, account: Account) -> int:
    return (await balances_of([owner]))[owner].of(account, "CNY")


@pytest.fixture
async def ann(db: Database) -> DistributorId:
    await make_tenants()
    with as_tenant(LOTUS):
        return (await make_distributors("A"))[0]


async def test_posting_moves_balances(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        await make_order({ann: 1000})
        await post([moved(ann, Account.PENDING, Account.AVAILABLE, 400, "r1")])
        assert await amount_of(ann, Account.PENDING) == 600
        assert await amount_of(ann, Account.AVAILABLE) == 400


async def test_the_same_key_and_content_has_no_effect(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        posting = accrual(new_id(), {ann: 500})
        await post([posting, posting])
        await post([posting, accrual(new_id(), {ann: 7})])
        assert await amount_of(ann, Account.PENDING) == 507


async def test_the_same_key_with_other_content_is_refused(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        first = accrual(new_id(), {ann: 500})
        other = replace(accrual(first.reference_id, {ann: 501}), idempotency_key=first.idempotency_key)
        await post([first])
        with pytest.raises(IdempotencyConflict):
            await post([accrual(new_id(), {ann: 9}), other])
        with pytest.raises(IdempotencyConflict):
            await post([first, other])
        assert await amount_of(ann, Account.PENDING) == 500


@pytest.mark.parametrize("account", [Account.PENDING, Account.PAYOUT])
async def test_some_accounts_never_fall_below_zero(ann: DistributorId, account: Account) -> None:
    with as_tenant(LOTUS):
        await post([accrual(new_id(), {ann: 100}), moved(ann, Account.PENDING, account, 100, "k0")])
        with pytest.raises(InsufficientBalance) as refused:
            await post([moved(ann, account, Account.SETTLED, 101, "k")])
        assert refused.value.params["balance"] == "1.00"
        assert refused.value.params["needed"] == "1.01"
        with pytest.raises(ConstraintViolated):
            async with transaction() as tx:
                await tx.execute(
                    "UPDATE balance SET amount_minor = -1 WHERE tenant_id = $1 AND account = $2", LOTUS, account
                )
        assert await amount_of(ann, account) == 100


async def test_available_and_settled_may_owe_unless_the_call_covers_them(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        await post([moved(ann, Account.AVAILABLE, Account.SETTLED, 30, "k1")])
        assert await amount_of(ann, Account.AVAILABLE) == -30
        request = moved(ann, Account.SETTLED, Account.PAYOUT, 31, "k2")
        with pytest.raises(InsufficientBalance):
            await post([request], covered=[Account.SETTLED])
        async with reading() as tx:
            assert await tx.value("SELECT count(*) FROM ledger_transaction WHERE tenant_id = $1", LOTUS) == 1
        await post(
            [replace(request, entries=moved(ann, Account.SETTLED, Account.PAYOUT, 30, "k2").entries)],
            covered=[Account.SETTLED],
        )
        assert await amount_of(ann, Account.SETTLED) == 0
        towards_zero = accrual(new_id(), {ann: 10})
        await post(
            [towards_zero, moved(ann, Account.PENDING, Account.AVAILABLE, 10, "k3")], covered=[Account.AVAILABLE]
        )
        assert await amount_of(ann, Account.AVAILABLE) == -20


async def test_parallel_debits_of_one_balance_overdraw_nothing(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        await post([moved(ann, Account.AVAILABLE, Account.SETTLED, 100, "start")])

        async def take(number: int) -> bool:
            try:
                await post([moved(ann, Account.SETTLED, Account.PAYOUT, 30, f"t{number}")], covered=[Account.SETTLED])
            except InsufficientBalance:
                return False
            return True

        assert sum(await asyncio.gather(*[take(number) for number in range(16)])) == 3
        assert await amount_of(ann, Account.SETTLED) == 10
        assert await amount_of(ann, Account.PAYOUT) == 90


async def test_parallel_postings_under_one_key_are_one(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        posting = accrual(new_id(), {ann: 250})
        await asyncio.gather(*[post([posting]) for _ in range(16)])
        assert await amount_of(ann, Account.PENDING) == 250


async def test_movements_of_many_owners_in_opposite_order_do_not_block_each_other(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        owners = [ann, *await make_distributors(*"BCDEFGH")]
        there = [moved(owner, Account.AVAILABLE, Account.SETTLED, 5, f"a{i}") for i, owner in enumerate(owners)]
        back = [
            moved(owner, Account.SETTLED, Account.AVAILABLE, 5, f"b{i}") for i, owner in enumerate(reversed(owners))
        ]
        await asyncio.gather(
            post(there), post(back), *[post([replace(p, idempotency_key=f"c{i}")]) for i, p in enumerate(back)]
        )
        assert {await amount_of(owner, Account.SETTLED) for owner in owners} == {-5}


async def test_balance_as_of_a_moment_comes_from_entries(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        await post([accrual(new_id(), {ann: 900}), moved(ann, Account.PENDING, Account.AVAILABLE, 400, "r", days=2)])
        before = await balance_as_of(ann, T0 + timedelta(days=2, microseconds=-1))
        after = await balance_as_of(ann, T0 + timedelta(days=2))
        assert (before.of(Account.PENDING, "CNY"), before.of(Account.AVAILABLE, "CNY")) == (900, 0)
        assert (after.of(Account.PENDING, "CNY"), after.of(Account.AVAILABLE, "CNY")) == (500, 400)
        assert await balance_as_of(ann, T0 + timedelta(days=9)) == (await balances_of([ann]))[ann]


async def test_entries_are_paged_latest_first_with_the_balance_each_left(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        await post([accrual(new_id(), {ann: 100}, at=T0 + timedelta(days=day)) for day in range(5)])
        await post([moved(ann, Account.PENDING, Account.AVAILABLE, 250, "r", days=10)])
        everything = EntryFilter()
        first = await entries_of(ann, everything, PageRequest(first=4))
        rest = await entries_of(ann, everything, PageRequest(first=4, after=first.cursors[-1]))
        lines = [*first.items, *rest.items]
        assert (first.has_next, rest.has_next, len(lines)) == (True, False, 7)
        pending = [(line.amount_minor, line.balance_minor) for line in lines if line.account is Account.PENDING]
        assert pending == [(-250, 250), (100, 500), (100, 400), (100, 300), (100, 200), (100, 100)]

        releases = await entries_of(ann, EntryFilter(account=Account.PENDING, kind=Kind.RELEASE), PageRequest())
        assert [(line.amount_minor, line.balance_minor) for line in releases.items] == [(-250, 250)]
        period = EntryFilter(since=T0 + timedelta(days=1), until=T0 + timedelta(days=3))
        assert [line.balance_minor for line in (await entries_of(ann, period, PageRequest())).items] == [300, 200]


async def test_another_brand_sees_no_balance_and_moves_none(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        await make_order({ann: 1000})
    with as_tenant(CEDAR):
        assert (await balances_of([ann]))[ann].amounts == {}
        assert (await balance_as_of(ann, T0 + timedelta(days=1))).amounts == {}
        assert (await entries_of(ann, EntryFilter(), PageRequest())).items == []
        with pytest.raises(ConstraintViolated):
            await post([accrual(new_id(), {ann: 1})])


async def test_locked_balances_hold_still_until_the_end(ann: DistributorId, db: Database) -> None:
    with as_tenant(LOTUS):
        await post([accrual(new_id(), {ann: 5})])
        async with transaction():
            held = await lock_balances([ann], [Account.PENDING, Account.SETTLED], "CNY")
            assert held[ann].amounts == {(Account.PENDING, "CNY"): 5, (Account.SETTLED, "CNY"): 0}
            other = asyncio.create_task(post([accrual(new_id(), {ann: 1})]))
            assert not (await asyncio.wait({other}, timeout=0.1))[0]
            assert await amount_of(ann, Account.PENDING) == 5
        await other
        assert await amount_of(ann, Account.PENDING) == 6


@pytest.mark.parametrize("table", ["ledger_transaction", "ledger_entry"])
@pytest.mark.parametrize("change", ["UPDATE {} SET effective_at = effective_at", "DELETE FROM {}"])
async def test_the_ledger_is_append_only(ann: DistributorId, table: str, change: str) -> None:
    with as_tenant(LOTUS):
        await make_order({ann: 1000})
        with pytest.raises((ConstraintViolated, asyncpg.InsufficientPrivilegeError)):
            async with transaction() as tx:
                await tx.execute(f"{change.format(table)} WHERE tenant_id = $1", LOTUS)


async def test_statements_do_not_grow_with_postings(ann: DistributorId, db: Database) -> None:
    with as_tenant(LOTUS):
        seen: list[str] = []
        db.observer = seen.append
        await post([accrual(new_id(), {ann: 100}) for _ in range(50)])
        assert len(seen) == (2 if db.kind == "postgresql" else 4)


async def test_a_cancelled_posting_leaves_nothing(ann: DistributorId) -> None:
    with as_tenant(LOTUS):
        for turns in range(1, 12):
            with suppress(TimeoutError):
                async with asyncio.timeout(turns * 0.0015):
                    await post([accrual(new_id(), {ann: 100}) for _ in range(20)])
        async with reading() as tx:
            entries = await tx.value("SELECT count(*) FROM ledger_entry WHERE tenant_id = $1", LOTUS)
            headers = await tx.value("SELECT count(*) FROM ledger_transaction WHERE tenant_id = $1", LOTUS)
        assert entries == 2 * headers
        assert await amount_of(ann, Account.PENDING) == 100 * headers
