"""Who waits for somebody decides by what that one has left: each lock whose absence would go unnoticed for long."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database, reading, transaction
from saas.base.errors import Rejected, WrongState
from saas.base.ids import DistributorId, ExitId
from saas.base.reseal import reseal
from saas.base.scope import tenant_scope
from saas.base.settings import get_settings
from saas.base.vault import seal, unseal
from saas.exits.commands import (
    ExecuteExit,
    QuoteExit,
    approve_exit,
    close_exit,
    close_finished,
    execute_exit,
    quote_exit,
)
from saas.exits.errors import ExitAwaits
from saas.exits.rules import ExitKind
from saas.orders.commands import cancel, place_order, ship
from saas.payouts.commands import RequestPayout, request_payout
from saas.proof.checks import broken
from saas.returns.write_offs import RequestWriteOff, approve_write_off, request_write_off
from saas.settlement.adjusted import AdjustmentKind
from saas.settlement.adjustments import NewAdjustment, RequestAdjustments, request_adjustments
from saas.settlement.commands import release_due
from tenants.actors import Role
from tenants.program import as_data
from tenants.program.versions import SaveDraft, activate, active_program, save_draft
from tests.factories import new_brand
from tests.house.ground import finance
from tests.network.world import staff
from tests.orders.world import balances, order, step
from tests.payouts.people import started
from tests.torture.test_clocks import brand
from tests.torture.test_races import APRIL, JUNE, SHARES, coming_back, delivered, give_card, key, received, settled

OLD_KEY, NEW_KEY = "k2:" + "o" * 40, "k3:" + "n" * 40


async def after(first: Awaitable[Any], second: Awaitable[Any]) -> Any:
    """What becomes of ``second``, begun when ``first`` has done its work but is not committed."""

    async def wait() -> Any:
        return await second

    async with transaction():
        await first
        task = await started(wait())
    return (await asyncio.gather(task, return_exceptions=True))[0]


@pytest.fixture
async def ids(db: Database) -> Any:
    """A brand whose D sold two orders, one of which is on its way back."""
    with tenant_scope(await new_brand()):
        found: dict[str, Any] = dict(await brand("A", "B", "C", "D", "E"))
        with clock.at(APRIL):
            sold = await delivered(found["D"])
            await delivered(found["D"])
        with clock.at(JUNE):
            found["back"] = await coming_back(sold)
            yield found
            assert await broken() == []


@pytest.fixture
async def left(ids: dict[str, Any]) -> ExitId:
    """The exit of one who has nothing to come, executed and not closed."""
    wish = QuoteExit(distributor_id=ids["E"], kind=ExitKind.VOLUNTARY, reason="test", idempotency_key=key())
    case = await quote_exit(wish, staff())
    await approve_exit(case.id, staff())
    return (await execute_exit(ExecuteExit(exit_id=case.id, idempotency_key=key()), staff())).id


def decided(owner: DistributorId) -> RequestAdjustments:
    one = NewAdjustment(distributor_id=owner, amount_minor=5, reason="late", kind=AdjustmentKind.PENALTY)
    return RequestAdjustments(adjustments=[one], idempotency_key=key())


async def test_nothing_is_decided_while_an_exit_is_closed(ids: dict[str, Any], left: ExitId) -> None:
    outcome = await after(close_exit(left, staff()), request_adjustments(decided(ids["E"]), finance()))
    assert isinstance(outcome, Rejected)
    assert [one.code for one in outcome.errors] == ["ACCOUNT_CLOSED"]


@pytest.mark.parametrize("by_hand", [True, False])
async def test_an_exit_waits_for_what_is_decided_meanwhile(ids: dict[str, Any], left: ExitId, by_hand: bool) -> None:
    closing: Awaitable[Any] = close_exit(left, staff()) if by_hand else close_finished(staff())
    outcome = await after(request_adjustments(decided(ids["E"]), finance()), closing)
    assert isinstance(outcome, ExitAwaits) if by_hand else outcome == 0


@pytest.mark.parametrize("released", [False, True])
async def test_a_settlement_waits_for_goods_that_come_back(ids: dict[str, Any], released: bool) -> None:
    if released:
        await release_due(staff())
    assert await after(received(ids["back"]), settled()) is None
    assert await balances() == {(code, "settled"): minor for code, minor in SHARES.items()}


@pytest.mark.parametrize("released", [False, True])
async def test_goods_that_come_back_wait_for_a_settlement(ids: dict[str, Any], released: bool) -> None:
    if released:
        await release_due(staff())
    await after(settled(), received(ids["back"]))
    assert await balances() == {(code, "settled"): minor for code, minor in SHARES.items()}


async def test_goods_come_back_once(ids: dict[str, Any]) -> None:
    assert isinstance(await after(received(ids["back"]), received(ids["back"])), WrongState)


async def test_an_order_is_shipped_or_cancelled(ids: dict[str, Any]) -> None:
    id_ = await place_order(order(ids["D"], paid_at=clock.now()), staff())
    assert isinstance(await after(ship(step(id_), staff()), cancel(step(id_), staff())), Rejected)


async def test_of_two_programs_the_second_is_in_force(ids: dict[str, Any]) -> None:
    document = as_data((await active_program()).program)
    owner = replace(staff(), role=Role.OWNER)
    drafts = [(await save_draft(SaveDraft(document=document), owner)).version.number for _ in range(2)]
    outcome = await after(*(activate(number, owner) for number in drafts))
    assert not isinstance(outcome, BaseException), outcome
    assert (await active_program()).number == drafts[1]


async def test_an_exit_happens_once(ids: dict[str, Any]) -> None:
    wish = QuoteExit(distributor_id=ids["C"], kind=ExitKind.BREACH, reason="test", idempotency_key=key())
    case = await quote_exit(wish, staff())
    await approve_exit(case.id, staff())
    leave = [execute_exit(ExecuteExit(exit_id=case.id, idempotency_key=key()), staff()) for _ in range(2)]
    assert isinstance(await after(*leave), WrongState)


async def test_a_debt_is_given_up_once(ids: dict[str, Any]) -> None:
    owner = ids["D"]
    await give_card(owner)
    large = await delivered(owner, amount_minor=200_000)
    with clock.at(JUNE + timedelta(days=62)):
        for _month in ("April", "May", "June"):
            await settled()
        await request_payout(RequestPayout(distributor_id=owner, idempotency_key=key()), staff())
        await received(await coming_back(large))
        ask = RequestWriteOff(distributor_id=owner, amount_minor=20_000, reason="test", idempotency_key=key())
        debt = await request_write_off(ask, finance())
        approvals = [approve_write_off(debt.id, finance()) for _ in range(2)]
        assert isinstance(await after(*approvals), WrongState)


async def test_what_is_written_while_all_is_sealed_anew_stays(
    ids: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody gives another phone number, under the old key, while the first is sealed under the new one."""
    owner = ids["D"]

    def use(keys: str) -> None:
        monkeypatch.setenv("SEALING_KEYS", keys)
        get_settings.cache_clear()

    async def write(sealed: str) -> None:
        async with transaction() as tx:
            statement = "UPDATE distributor SET phone_sealed = $3 WHERE tenant_id = $1 AND id = $2"
            await tx.execute(statement, tx.tenant_id, owner, sealed)

    use(OLD_KEY)
    first, second = seal("13800138000", owner), seal("13900139000", owner)
    await write(first)
    use(f"{NEW_KEY},{OLD_KEY}")
    try:
        await after(write(second), reseal())
        await reseal()
        use(NEW_KEY)
        async with reading() as tx:
            query = "SELECT phone_sealed FROM distributor WHERE tenant_id = $1 AND id = $2"
            assert unseal(await tx.value(query, tx.tenant_id, owner), owner) == "13900139000"
    finally:
        monkeypatch.delenv("SEALING_KEYS")
        get_settings.cache_clear()
