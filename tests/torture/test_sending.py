"""A process dies at each commit and at each point around what it sends: nobody is paid twice, nobody is forgotten."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, Point
from saas.base.errors import WrongState
from saas.base.ids import DistributorId, PayoutBatchId, new_id
from saas.base.scope import tenant_scope
from saas.jobs.worker import run_due
from saas.ledger.queries import balances_of
from saas.ledger.rules import Account
from saas.payouts import commands as payouts
from saas.payouts import sending
from saas.payouts.providers import GATEWAYS, Submission
from saas.payouts.queries import PayoutView, batch_by_id, payout_by_id
from saas.payouts.rules import BatchState, DestinationKind, Outcome, PayoutState
from saas.payouts.sending import HANDLERS, ask_again
from saas.proof.checks import broken
from tenants.actors import Role
from tests.factories import new_brand
from tests.factories_money import SETTLED_AT, make_distributors, settle_for, use_program
from tests.network.world import staff
from tests.payouts.wechat import settings
from tests.torture.bank import MANNERS, Bank
from tests.torture.crash import Crash, Points, dying
from tests.torture.sizes import SIZE, chance

AMOUNT_MINOR = 20_000
RICH_MINOR = 100_000_000
MINUTES = (0, 2, 40, 42)
"""When a worker looks; from the second time on the bank knows what became of what it has."""


async def people(kind: DestinationKind) -> Sequence[DistributorId]:
    """As many as there are manners, rich, each with a verified destination."""
    await use_program(fee_bps=0, withholding_without_invoice_bps=0)
    owners = await make_distributors(*MANNERS)
    await settle_for(dict.fromkeys(owners, RICH_MINOR))
    card = kind is DestinationKind.BANK_CARD
    for owner in owners:
        wish = payouts.SetDestination(
            distributor_id=owner,
            kind=kind,
            holder="Ann",
            bank="Bank" if card else None,
            account="62220000" if card else "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
            has_invoice=False,
            idempotency_key=f"to {owner}",
        )
        await payouts.verify_destination((await payouts.set_destination(wish, staff())).id, staff())
    return owners


async def approved(provider: str, owners: Sequence[DistributorId]) -> tuple[PayoutBatchId, list[PayoutView]]:
    """Everybody asks for something; gathered and approved."""
    asked = []
    for owner in owners:
        wish = payouts.RequestPayout(distributor_id=owner, amount_minor=AMOUNT_MINOR, idempotency_key=str(new_id()))
        asked.append(await payouts.request_payout(wish, staff()))
    batch = await payouts.create_batch(payouts.CreateBatch(provider=provider, idempotency_key=str(new_id())), staff())
    await payouts.approve_batch(batch.id, staff())
    return batch.id, asked


async def survived(work: Callable[[], Awaitable[object]]) -> bool:
    """Whether the process lived through it."""
    alive = True
    try:
        await work()
    except* Crash:
        alive = False
    return alive


async def live(db: Database, bank: Bank, points: Points, owners: Sequence[DistributorId], begin: datetime) -> None:
    """From the submission to the last result with a process that dies at a point; then what became of everybody."""
    before = await balances_of(owners)
    with clock.at(begin):
        batch_id, asked = await approved("wechat_pay", owners)
        bank.manners = dict(zip((view.id for view in asked), MANNERS, strict=True))
        with dying(db, points):
            if not await survived(lambda: payouts.submit_batch(batch_id, staff())):
                await payouts.submit_batch(batch_id, staff())
            for turn, minutes in enumerate(MINUTES):
                bank.done = turn >= 1
                with clock.at(begin + timedelta(minutes=minutes)):
                    await one_turn(bank, asked)
    assert set(bank.sent.values()) <= {1}
    assert (await batch_by_id(batch_id)).status is BatchState.COMPLETED
    after = await balances_of(owners)
    for owner, view in zip(owners, asked, strict=True):
        paid = bank.paid(view.id)
        assert (await payout_by_id(view.id)).status is (PayoutState.PAID if paid else PayoutState.FAILED)
        spent = before[owner].of(Account.SETTLED, "CNY") - after[owner].of(Account.SETTLED, "CNY")
        assert spent == (view.amounts.requested_minor if paid else 0)
        assert after[owner].of(Account.PAYOUT, "CNY") == 0


async def one_turn(bank: Bank, asked: Sequence[PayoutView]) -> None:
    """A worker comes by, and the bank tells what it tells until it is heard."""
    await survived(ask_again)
    await survived(lambda: run_due(HANDLERS))
    told = [view.id.bytes for view in asked if bank.done and bank.bills.get(view.id) == "told"]
    for body in told:
        if not await survived(lambda body=body: payouts.receive_notice("wechat_pay", {}, body)):  # type: ignore[misc]
            await payouts.receive_notice("wechat_pay", {}, body)


async def test_a_crash_around_each_payout_sent_pays_nobody_twice_and_forgets_nobody(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    nth = chance().randrange(SIZE.every_nth)
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    with tenant_scope(await new_brand()), clock.at(SETTLED_AT):
        owners = await people(DestinationKind.WECHAT)
        account = payouts.SetAccount(provider="wechat_pay", settings=settings())
        await payouts.set_account(account, replace(staff(), role=Role.OWNER))

        async def one_life(points: Points) -> Bank:
            bank = Bank()
            monkeypatch.setitem(GATEWAYS, "wechat_pay", bank)
            await live(db, bank, points, owners, SETTLED_AT + timedelta(hours=points.at or 0))
            return bank

        whole = Points()
        bank = await one_life(whole)
        assert sorted(bank.sent.values()) == [1] * len(MANNERS)
        assert whole.seen[Point.BEFORE_SEND] == whole.seen[Point.UNHEARD] == len(MANNERS)
        assert sum(bank.paid(id_) for id_ in bank.sent) == 3
        chosen = [at for at in range(1, whole.passed + 1) if at in whole.sends or at % SIZE.every_nth == nth]
        for at in chosen:
            await one_life(Points(at))
        assert await broken() == []
        print(f"points={whole.passed} tried={len(chosen)}")  # the figures


async def test_a_crash_around_a_file_gives_the_same_file_again(db: Database) -> None:
    files: set[str] = set()
    for at in (None, 1, 2, 3, 4):
        with tenant_scope(await new_brand()), clock.at(SETTLED_AT):
            batch_id, asked = await approved("manual", await people(DestinationKind.BANK_CARD))

            async def submit(batch_id: PayoutBatchId = batch_id) -> Submission:
                file = await payouts.submit_batch(batch_id, staff())
                assert file is not None
                return file

            with dying(db, Points(at)) as points:
                assert await survived(submit) == (at is None)
            assert points.passed in {at, 4}
            file = (await submit()).content
            assert [await submit() for _ in range(2)] == [await submit()] * 2
            for view in asked:
                file = file.replace(view.id.hex, "")
            files.add(file)
            paid = payouts.RecordResult(payout_id=asked[0].id, outcome=Outcome.PAID, idempotency_key="paid")
            await payouts.record_result(paid, staff())
            with pytest.raises(WrongState):
                await submit()
            assert await broken() == []
    assert len(files) == 1
