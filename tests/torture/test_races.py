"""What does not go together, at one moment and many times over: everybody's money is as if one had come first."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError, Rejected
from saas.base.ids import DistributorId, OrderId, new_id
from saas.base.scope import tenant_scope
from saas.exits.commands import ExecuteExit, QuoteExit, approve_exit, execute_exit, quote_exit
from saas.exits.rules import ExitKind
from saas.jobs.commands import enqueue
from saas.jobs.worker import run_due
from saas.orders.commands import cancel, deliver, pay, place_order, ship
from saas.payouts import commands as payouts
from saas.payouts.providers import GATEWAYS
from saas.payouts.rules import DestinationKind, Outcome
from saas.payouts.sending import HANDLERS, JOB
from saas.proof.checks import broken
from saas.returns.commands import ReceiveReturn, RequestReturn, approve_return, receive_return, request_return
from saas.settlement.commands import CloseSettlement
from saas.settlement.commands import close as close_settlement
from tenants.actors import Role
from tenants.program import as_data
from tenants.program.versions import SaveDraft, activate, active_program, save_draft
from tests.factories import new_brand
from tests.network.world import staff
from tests.orders.world import balances, order, step, table
from tests.payouts.wechat import settings
from tests.torture.bank import Bank
from tests.torture.sizes import SIZE, chance
from tests.torture.test_clocks import brand
from tests.torture.test_sending import approved, people

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 2, tzinfo=UTC)
REFUSALS = (DomainError, Rejected)
SHARES = {"D": 1_000, "C": 1_500, "B": 2_000}
"""What an order of 100.00 by D pays under the preset."""


async def race(random: Random, *contenders: Awaitable[Any]) -> list[bool]:
    """Let them go a few milliseconds apart, in any order; answers which were not refused."""

    async def go(contender: Awaitable[Any]) -> bool:
        await asyncio.sleep(random.random() * 0.01)
        try:
            await contender
        except REFUSALS:
            return False
        return True

    return list(await asyncio.gather(*(go(one) for one in contenders)))


def key() -> str:
    return str(new_id())


async def delivered(seller: DistributorId, **changes: Any) -> OrderId:
    """An order of 100.00 in three pieces, at the customer's."""
    id_ = await place_order(order(seller, quantity=3, **changes), staff())
    for does in (pay, ship, deliver):
        await does(step(id_), staff())
    return id_


async def settled() -> None:
    await close_settlement(CloseSettlement(idempotency_key=key()), staff())


async def coming_back(order_id: OrderId) -> Any:
    """All of an order is on its way back."""
    wish = RequestReturn(order_id=order_id, reason="broken", override_reason="agreed", idempotency_key=key())
    asked = await request_return(wish, staff())
    return (await approve_return(asked.id, staff())).id


def received(return_id: Any) -> Awaitable[object]:
    return receive_return(ReceiveReturn(return_id=return_id, sellable=True, idempotency_key=key()), staff())


async def give_card(owner: DistributorId) -> None:
    card = payouts.SetDestination(
        distributor_id=owner, holder="D", bank="Bank", account="62220000", has_invoice=True, idempotency_key=key()
    )
    await payouts.verify_destination((await payouts.set_destination(card, staff())).id, staff())


async def test_a_refund_while_its_payout_runs(db: Database) -> None:
    """The goods of an order come back at the moment its commission is asked for, sent, paid or fails."""
    random = chance()
    for _ in range(SIZE.races):
        with tenant_scope(await new_brand()):
            ids = await brand("A", "B", "C", "D")
            with clock.at(APRIL):
                sold = await delivered(ids["D"], amount_minor=200_000)
                await give_card(ids["D"])
            with clock.at(JUNE):
                await settled()
                back = await coming_back(sold)
                stage, outcome = random.randrange(3), random.choice(list(Outcome))
                wish = payouts.RequestPayout(distributor_id=ids["D"], idempotency_key=key())
                if stage == 0:
                    asked, received_ = await race(random, payouts.request_payout(wish, staff()), received(back))
                    view = await payouts.request_payout(wish, staff()) if asked else None
                else:
                    view = await payouts.request_payout(wish, staff())
                if view is not None:
                    batch = await payouts.create_batch(payouts.CreateBatch(idempotency_key=key()), staff())
                    await payouts.approve_batch(batch.id, staff())
                    if stage == 1:
                        _, received_ = await race(random, payouts.submit_batch(batch.id, staff()), received(back))
                    else:
                        await payouts.submit_batch(batch.id, staff())
                    said = payouts.RecordResult(payout_id=view.id, outcome=outcome, idempotency_key=key())
                    if stage == 2:
                        _, received_ = await race(random, payouts.record_result(said, staff()), received(back))
                    else:
                        await payouts.record_result(said, staff())
                assert received_
                paid = view is not None and outcome is Outcome.PAID
                assert await balances() == ({("D", "settled"): -20_000} if paid else {})
                assert await broken() == []


async def test_a_refund_while_its_commission_is_settled(db: Database) -> None:
    random = chance()
    for _ in range(SIZE.races):
        with tenant_scope(await new_brand()):
            ids = await brand("A", "B", "C", "D")
            with clock.at(APRIL):
                sold = await delivered(ids["D"])
                await delivered(ids["D"])
            with clock.at(JUNE):
                back = await coming_back(sold)
                done = await race(random, settled(), received(back), received(back), settled())
                assert sum(done[1:3]) == 1
                if not (done[0] or done[3]):
                    await settled()
                assert await balances() == {(code, "settled"): minor for code, minor in SHARES.items()}
                assert await broken() == []


async def test_an_exit_against_orders(db: Database) -> None:
    """Who leaves sells nothing more, and earns of others' orders what was decided before it had left."""
    random = chance()
    for _ in range(SIZE.races):
        with tenant_scope(await new_brand()):
            ids = await brand("A", "B", "C", "D")
            kind = random.choice([ExitKind.VOLUNTARY, ExitKind.BREACH])
            with clock.at(APRIL):
                waiting = await place_order(order(ids["D"]), staff())
                wish = QuoteExit(distributor_id=ids["C"], kind=kind, reason="race", idempotency_key=key())
                case = await quote_exit(wish, staff())
                await approve_exit(case.id, staff())
            with clock.at(APRIL + timedelta(hours=1)):
                leave = execute_exit(ExecuteExit(exit_id=case.id, idempotency_key=key()), staff())
                _, own, left, paid = await race(
                    random,
                    place_order(order(ids["D"], paid_at=clock.now()), staff()),
                    place_order(order(ids["C"], paid_at=clock.now()), staff()),
                    leave,
                    pay(step(waiting), staff()),
                )
                assert (left, paid) == (True, True)
                rows = await table(
                    "SELECT count(*), coalesce(sum(c.amount_minor - c.reversed_minor), 0) FROM commission c "
                    "WHERE c.tenant_id = $1 AND c.status = 'pending' AND c.beneficiary_id IN "
                    "(SELECT d.id FROM distributor d WHERE d.tenant_id = $1 AND d.code = 'C')"
                )
                pending = int(str((await balances()).get(("C", "pending"), 0)))
                assert pending == rows[0][1]
                of_others = pending - 1_000 * (own and kind is ExitKind.VOLUNTARY)
                assert of_others in ({0} if kind is ExitKind.BREACH else {0, 1_500, 3_000})
                sold = await table("SELECT count(*) FROM sales_order WHERE tenant_id = $1")
                assert sold == [(2 + own,)]
                with pytest.raises(Rejected):
                    await place_order(order(ids["C"]), staff())
                assert await broken() == []


async def halved() -> None:
    """Another version of the program comes into force: the seller earns half, nothing is held."""
    stored = await active_program()
    data = as_data(stored.program)
    levels = data["commission"]["components"][0]
    levels["levels"][0]["rate_bps"] = 500
    data["settlement"]["hold_days"] = 0
    draft = await save_draft(SaveDraft(document=data), staff())
    await activate(draft.version.number, replace(staff(), role=Role.OWNER))


async def test_a_new_program_against_settlement_and_payment(db: Database) -> None:
    """Each order pays what the version says that it names; what was earned is settled as it was earned."""
    random = chance()
    for _ in range(SIZE.races):
        with tenant_scope(await new_brand()):
            ids = await brand("A", "B", "C", "D")
            with clock.at(APRIL):
                await delivered(ids["D"])
            with clock.at(JUNE):
                open_order = await place_order(order(ids["D"]), staff())
                done = await race(
                    random,
                    settled(),
                    halved(),
                    pay(step(open_order), staff()),
                    place_order(order(ids["D"], paid_at=clock.now()), staff()),
                    settled(),
                )
                assert all(done[1:4])
                assert done[0] or done[4]
                rows = await table(
                    "SELECT o.program_number AS named, c.program_number AS counted, c.amount_minor FROM commission c "
                    "JOIN sales_order o ON o.tenant_id = c.tenant_id AND o.id = c.order_id "
                    "WHERE c.tenant_id = $1 AND c.level = 0 AND c.component = 'levels'"
                )
                assert len(rows) == 3
                assert {(number, paid) for number, _, paid in rows} <= {(1, 1_000), (2, 500)}
                assert all(ordered == counted for ordered, counted, _ in rows)
                found = await balances()
                assert {code: found[code, "settled"] for code in SHARES} == SHARES
                assert found["D", "pending"] == sum(int(str(paid)) for _, _, paid in rows) - 1_000
                assert await broken() == []


async def test_cancelling_against_shipping(db: Database) -> None:
    """One of them happens, and with it goes or stays everybody's commission."""
    random = chance()
    for _ in range(SIZE.races):
        with tenant_scope(await new_brand()):
            ids = await brand("A", "B", "C", "D")
            with clock.at(APRIL):
                id_ = await place_order(order(ids["D"], paid_at=APRIL), staff())
                done = await race(
                    random, cancel(step(id_), staff()), ship(step(id_), staff()), cancel(step(id_), staff())
                )
                assert sum(done) == 1
                assert await balances() == ({(c, "pending"): m for c, m in SHARES.items()} if done[1] else {})
                sold = await table("SELECT coalesce(sum(amount_minor), 0) FROM sales_day WHERE tenant_id = $1")
                assert sold == [(10_000 if done[1] else 0,)]
                assert await broken() == []


async def test_two_workers_and_one_job(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of workers, and of jobs for one batch: each payout is sent once, each result is one."""
    with tenant_scope(await new_brand()), clock.at(APRIL):
        owners = await people(DestinationKind.WECHAT)
        await payouts.set_account(
            payouts.SetAccount(provider="wechat_pay", settings=settings()), replace(staff(), role=Role.OWNER)
        )
        for _ in range(SIZE.races):
            bank = Bank()
            monkeypatch.setitem(GATEWAYS, "wechat_pay", bank)
            batch_id, asked = await approved("wechat_pay", owners)
            bank.manners = {view.id: ("paid", "failed", "unheard")[n % 3] for n, view in enumerate(asked)}
            await payouts.submit_batch(batch_id, staff())
            for bank.done in (False, True):
                await enqueue(JOB, {"batch": batch_id}, actor=staff())
                await asyncio.gather(*(run_due(HANDLERS) for _ in range(3)))
            assert sorted(bank.sent.values()) == [1] * len(owners)
            assert await broken() == []
        ended = await table(
            "SELECT t.kind, count(*) FROM ledger_transaction t WHERE t.tenant_id = $1 "
            "AND t.kind IN ('payout_paid', 'payout_failed') GROUP BY t.kind"
        )
        assert dict(ended) == {"payout_paid": 4 * SIZE.races, "payout_failed": 2 * SIZE.races}  # type: ignore[arg-type]  # pairs
