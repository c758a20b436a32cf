"""Sound books pass every check; each thing that can be wrong is found by the check that is about it."""

from collections.abc import AsyncIterator

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.ids import DistributorId, new_id
from saas.ledger.checks import CHECKS, run_checks
from saas.ledger.commands import post
from saas.ledger.rules import Account, Entry, Kind, Posting, transfer
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.factories_money import SETTLED_AT, T0, accrual, make_distributors, make_order, settle_for

pytestmark = pytest.mark.unsound


@pytest.fixture
async def ann(db: Database) -> AsyncIterator[DistributorId]:
    """A distributor with commission settled, available and pending, whose books are sound at first."""
    await make_tenants()
    with as_tenant(LOTUS):
        (made,) = await make_distributors("ANN")
        await settle_for({made: 1000})
        await make_order({made: 500}, hold_until=SETTLED_AT)
        await make_order({made: 300})
        assert await run_checks() == []
        yield made


async def found() -> set[str]:
    return {violation.check for violation in await run_checks()}


async def run(sql: str) -> None:
    async with transaction() as tx:
        await tx.execute(sql, LOTUS)


def move(kind: Kind, reference: str, entries: list[Entry]) -> Posting:
    key = new_id()
    return Posting(
        kind=kind,
        reference_kind="order" if reference == "order" else "payout",
        reference_id=key,
        idempotency_key=str(key),
        effective_at=T0,
        entries=tuple(entries),
    )


async def test_an_entry_without_its_other_side(ann: DistributorId) -> None:
    async with transaction() as tx:
        await tx.insert_many(
            "ledger_entry",
            ("transaction_id", "entry_no", "account", "owner_id", "currency", "amount_minor", "effective_at"),
            [
                (row["id"], 99, "cash", None, "CNY", 5, T0)
                for row in await tx.rows("SELECT id FROM ledger_transaction WHERE tenant_id = $1 LIMIT 1", LOTUS)
            ],
        )
    wrong = await run_checks()
    assert {(one.check, one.expected, one.actual) for one in wrong} == {("transactions_balance", 0, 5)}
    assert len(wrong) == 2


async def test_a_transaction_without_entries(ann: DistributorId) -> None:
    async with transaction() as tx:
        await tx.insert_many(
            "ledger_transaction",
            (
                "id", "kind", "reference_kind", "reference_id", "idempotency_key", "input_hash", "effective_at",
                "recorded_at",
            ),
            [(new_id(), "release", "order", new_id(), "k", "h", T0, clock.now())],
        )  # fmt: skip
    assert await found() == {"transactions_have_entries"}


async def test_a_balance_that_was_tampered_with(ann: DistributorId) -> None:
    await run("UPDATE balance SET amount_minor = amount_minor + 1 WHERE tenant_id = $1 AND account = 'settled'")
    wrong = await run_checks()
    assert [(one.check, one.expected, one.actual) for one in wrong] == [("balances_rederive", 1000, 1001)]
    assert str(ann) in wrong[0].subject


async def test_money_available_that_was_never_earned(ann: DistributorId) -> None:
    await post([move(Kind.RELEASE, "order", [Entry(Account.AVAILABLE, ann, 900, "CNY"), cash(-900)])])
    assert await found() == {"available_within_earned", "commission_agrees_available"}


async def test_paid_more_than_settled(ann: DistributorId) -> None:
    await post([move(Kind.RELEASE, "order", transfer(ann, Account.PENDING, Account.PAYOUT, 700, "CNY"))])
    await post([move(Kind.RELEASE, "order", transfer(ann, Account.SETTLED, Account.PAYOUT, 1000, "CNY"))])
    await post([move(Kind.PAYOUT_PAID, "payout", [Entry(Account.PAYOUT, ann, -1700, "CNY"), cash(1700)])])
    assert "paid_within_settled" in await found()


async def test_earnings_from_nowhere(ann: DistributorId) -> None:
    await post([accrual(new_id(), {ann: 10})])
    assert await found() == {"earnings_have_ground", "commission_agrees_pending"}


@pytest.mark.parametrize("status", ["pending", "settled"])
async def test_commission_that_says_other_than_the_ledger(ann: DistributorId, status: str) -> None:
    await run(f"UPDATE commission SET amount_minor = amount_minor + 1 WHERE tenant_id = $1 AND status = '{status}'")
    also = {"statements_add_up"} if status == "settled" else set()
    assert await found() == {f"commission_agrees_{status}", *also}


async def test_a_payout_that_left_no_balance(ann: DistributorId) -> None:
    await post([move(Kind.RELEASE, "payout", transfer(ann, Account.SETTLED, Account.PAYOUT, 1000, "CNY"))])
    assert await found() == {"payouts_agree_open"}


async def test_another_brands_trouble_is_not_ours(ann: DistributorId) -> None:
    await run("UPDATE balance SET amount_minor = amount_minor + 1 WHERE tenant_id = $1 AND account = 'settled'")
    with as_tenant(CEDAR):
        assert await run_checks() == []


def test_every_check_is_run() -> None:
    import saas.ledger.checks as module

    homes = {module.__name__, "saas.ledger.returned"}
    written = {name for name, thing in vars(module).items() if callable(thing) and thing.__module__ in homes}
    helpers = {"Violation", "run_checks"}
    assert {check.__name__ for check in CHECKS} == {n for n in written if not n.startswith("_")} - helpers


def cash(amount: int) -> Entry:
    return Entry(Account.CASH, None, amount, "CNY")
