"""Sixteen at once for the same money: one payout each time, under sixteen keys and under one."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError
from saas.base.ids import DistributorId
from saas.ledger.errors import InsufficientBalance
from saas.payouts.commands import RequestPayout, request_payout
from saas.payouts.errors import BelowMinimumPayout
from saas.payouts.queries import PayoutView
from saas.proof.checks import broken
from tests.factories import LOTUS, as_tenant, make_tenants
from tests.factories_money import SETTLED_AT, make_distributors, settle_for, use_program
from tests.payouts.people import MAKER, give_card, money_of
from tests.torture.sizes import SIZE, chance

AT_ONCE = 16


async def test_the_same_money_and_the_same_key_sixteen_at_once(db: Database) -> None:
    random = chance()
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program()
        owners = await make_distributors(*(f"D{number}" for number in range(min(SIZE.rounds, 50))))
        for turn in range(-(-SIZE.rounds // len(owners))):
            at = month_after(SETTLED_AT, turn)
            amounts = {owner: random.randrange(20_000, 200_000) for owner in owners}
            await settle_for(amounts, at=at)
            with clock.at(at):
                for owner in owners:
                    if turn == 0:
                        await give_card(owner)
                    await one_round(owner, amounts[owner], turn, random.random() < 0.5)
        assert await broken() == []


def month_after(moment: datetime, months: int) -> datetime:
    """The same moment so many months later, in the brand's time zone: each month is closed in its turn."""
    local = moment.astimezone(ZoneInfo("Asia/Shanghai"))
    years, month = divmod(local.month - 1 + months, 12)
    return local.replace(year=local.year + years, month=month + 1).astimezone(UTC)


async def one_round(owner: DistributorId, amount: int, turn: int, whole: bool) -> None:
    """Half the balance and a little under sixteen keys, then the rest sixteen times under one key."""
    asked = amount if whole else amount // 2 + 1

    def ask(key: str, wanted: int | None) -> Coroutine[Any, Any, PayoutView]:
        return request_payout(RequestPayout(distributor_id=owner, amount_minor=wanted, idempotency_key=key), MAKER)

    racing = [ask(f"{turn}:{owner}:{number}", asked) for number in range(AT_ONCE)]
    done = await asyncio.gather(*racing, return_exceptions=True)
    refused = [one for one in done if isinstance(one, BaseException)]
    assert all(isinstance(one, InsufficientBalance | BelowMinimumPayout) for one in refused), refused
    assert len(refused) == AT_ONCE - 1
    before = await money_of(owner)
    assert before[0] == amount - asked
    same = await asyncio.gather(*(ask(f"{turn}:{owner}:same", None) for _ in range(AT_ONCE)), return_exceptions=True)
    ids = {one.id for one in same if not isinstance(one, BaseException)}
    assert all(isinstance(one, DomainError) for one in same if isinstance(one, BaseException))
    if before[0] >= 10_000:
        assert len(ids) == 1
        assert await money_of(owner) == (0, before[1] + before[0])
    else:
        assert ids == set()
