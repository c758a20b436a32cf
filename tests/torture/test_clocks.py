"""Machines whose clocks are a day apart, ends of months, leap days, and what meets at one moment: no cent is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError, Rejected
from saas.base.ids import DistributorId, OrderId
from saas.base.scope import tenant_scope
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.exits.commands import ExecuteExit, QuoteExit, approve_exit, execute_exit, quote_exit
from saas.exits.rules import ExitKind
from saas.orders.commands import OrderStep, cancel, deliver, pay, place_order, ship
from saas.payouts.commands import RequestPayout, request_payout
from saas.proof.checks import broken
from saas.settlement.commands import CloseSettlement
from saas.settlement.commands import close as close_settlement
from tenants.actors import Actor
from tests.factories import new_brand
from tests.network.world import plant, staff, use_program
from tests.orders.world import balances, order, step
from tests.torture.sizes import SIZE, chance

MOMENTS = (
    datetime(2026, 4, 30, 15, 59, 59, tzinfo=UTC),  # the last second of April in Shanghai
    datetime(2026, 12, 31, 16, 0, tzinfo=UTC),  # the first of a year
    datetime(2028, 2, 28, 16, 0, tzinfo=UTC),  # the first of a leap day
    datetime(2028, 2, 29, 15, 59, 59, tzinfo=UTC),  # its last
)
Step = Callable[[list[OrderStep], Actor], Awaitable[object]]
REFUSALS = (DomainError, Rejected)
SKEWS = (timedelta(days=-1), timedelta(0), timedelta(days=1))


async def brand(*codes: str) -> dict[str, DistributorId]:
    """A chain of people under the preset Lotus, from the one at the top down."""
    await use_program("lotus", applicant_review="automatic", depth_limit=None, level_names=[])
    await put_products([PutProduct(sku="PLAIN", name="PLAIN")], staff())
    return await plant(dict(zip(codes, (None, *codes[:-1]), strict=True)))


async def somewhere(does: Step, order_id: OrderId, now: datetime, skew: timedelta) -> None:
    """Take a step on a machine whose clock is off; where that is before what happened already, on one that is right."""
    try:
        with clock.at(now + skew):
            await does(step(order_id), staff())
    except Rejected:
        with clock.at(now + timedelta(days=1)):
            await does(step(order_id), staff())


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
async def test_clocks_a_day_apart_at_the_end_of_a_month(db: Database, moment: datetime) -> None:
    random = chance()
    with tenant_scope(await new_brand()):
        people = await brand("A", "B", "C", "D")
        earned = 0
        for number in range(6):
            now = moment + timedelta(hours=number)
            with clock.at(now):
                id_ = await place_order(order(people["D"], amount_minor=10_000), staff())
            for does in (pay, ship, deliver):
                now += timedelta(minutes=1)
                await somewhere(does, id_, now, random.choice(SKEWS))
            earned += 4_500
        settled = 0
        for months in range(1, 5):
            later = moment + timedelta(days=31 * months)
            for skew in random.sample(SKEWS, 3):
                with clock.at(later + skew):
                    try:
                        closed = await close_settlement(CloseSettlement(idempotency_key=f"{months}{skew}"), staff())
                    except DomainError:
                        continue
                    settled += closed.commission_minor
                    assert closed.period.until <= later + skew
        assert settled == earned
        assert await balances() == {("B", "settled"): 12_000, ("C", "settled"): 9_000, ("D", "settled"): 6_000}
        assert await broken() == []


async def test_what_meets_at_one_moment(db: Database) -> None:
    """Cancelling, paying, leaving, settling and asking for money at once: whoever comes first, the books hold."""
    random = chance()
    for _ in range(SIZE.races):
        with tenant_scope(await new_brand()):
            people = await brand("A", "B", "C", "D")
            seller = people["D"]
            now = datetime(2026, 4, 1, tzinfo=UTC)
            with clock.at(now):
                old = await place_order(order(seller), staff())
                for does in (pay, ship, deliver):
                    await does(step(old), staff())
                case = await quote_exit(
                    QuoteExit(
                        distributor_id=people["C"],
                        kind=random.choice(list(ExitKind)),
                        reason="race",
                        idempotency_key="quote",
                    ),
                    staff(),
                )
                await approve_exit(case.id, staff())
            with clock.at(now + timedelta(days=65)):
                open_order = await place_order(order(seller), staff())
                racing = [
                    pay(step(open_order), staff()),
                    cancel(step(open_order), staff()),
                    place_order(order(people["C"], paid_at=clock.now()), staff()),
                    execute_exit(ExecuteExit(exit_id=case.id, idempotency_key="leave"), staff()),
                    close_settlement(CloseSettlement(idempotency_key="close"), staff()),
                    request_payout(RequestPayout(distributor_id=seller, idempotency_key="ask"), staff()),
                    use_program("cedar", applicant_review="automatic", depth_limit=None, level_names=[]),
                ]
                random.shuffle(racing)
                done = await asyncio.gather(*racing, return_exceptions=True)
            wrong = [one for one in done if isinstance(one, BaseException) and not isinstance(one, REFUSALS)]
            assert wrong == []
            assert await broken() == []
