"""A crash at each numbered point, just before a commit and just after: what is done again has happened once."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError
from saas.base.scope import tenant_scope
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.exits.commands import ExecuteExit, QuoteExit, approve_exit, execute_exit, quote_exit
from saas.exits.rules import ExitKind
from saas.network.commands import enrol
from saas.network.queries import by_code
from saas.orders.commands import OrderStep, PlaceLine, PlaceOrder, deliver, pay, place_order, ship
from saas.payouts import commands as payouts
from saas.payouts.rules import Outcome
from saas.proof.checks import broken, seal_chains, verify_chains
from saas.settlement.commands import CloseSettlement
from saas.settlement.commands import close as close_settlement
from tenants.actors import Actor
from tests.factories import new_brand
from tests.network.world import T0 as BEGIN
from tests.network.world import plant, request, staff, use_program
from tests.orders.world import balances
from tests.torture.crash import Crash, Points, dying

Does = Callable[[dict[str, Any], Actor], Awaitable[Any]]


def script() -> Sequence[tuple[str, timedelta, Does]]:
    """A month of a brand: (name, how long after the step before, what is done with what came before)."""

    def key(name: str) -> dict[str, Any]:
        return {"idempotency_key": name}

    def step(made: dict[str, Any], name: str) -> list[OrderStep]:
        return [OrderStep(order_id=made["order"], idempotency_key=name)]

    line = PlaceLine(sku="PLAIN", quantity=3, amount_minor=300_000)
    hour = timedelta(hours=1)
    return [
        ("enrol", hour, lambda m, who: enrol(request("E", m["D"]), who)),
        ("order", hour, lambda m, who: place_order(PlaceOrder(seller_id=m["D"], lines=[line], **key("o")), who)),
        ("pay", hour, lambda m, who: pay(step(m, "pay"), who)),
        ("ship", hour, lambda m, who: ship(step(m, "ship"), who)),
        ("deliver", hour, lambda m, who: deliver(step(m, "deliver"), who)),
        ("settle", timedelta(days=62), lambda m, who: close_settlement(CloseSettlement(**key("close")), who)),
        (
            "card",
            hour,
            lambda m, who: payouts.set_destination(
                payouts.SetDestination(
                    distributor_id=m["D"], holder="D", bank="B", account="62220000", has_invoice=True, **key("card")
                ),
                replace(who, signed_in_at=clock.now()),
            ),
        ),
        ("verify", hour, lambda m, _: payouts.verify_destination(m["card"].id, staff())),
        (
            "ask",
            hour,
            lambda m, who: payouts.request_payout(payouts.RequestPayout(distributor_id=m["D"], **key("ask")), who),
        ),
        ("batch", hour, lambda m, who: payouts.create_batch(payouts.CreateBatch(**key("batch")), who)),
        ("approve", hour, lambda m, _: payouts.approve_batch(m["batch"].id, staff())),
        ("submit", hour, lambda m, who: payouts.submit_batch(m["batch"].id, who)),
        (
            "paid",
            hour,
            lambda m, who: payouts.record_result(
                payouts.RecordResult(payout_id=m["ask"].id, outcome=Outcome.PAID, **key("paid")), who
            ),
        ),
        (
            "quote",
            hour,
            lambda m, who: quote_exit(
                QuoteExit(distributor_id=m["C"], kind=ExitKind.VOLUNTARY, reason="asked", **key("quote")), who
            ),
        ),
        ("agree", hour, lambda m, _: approve_exit(m["quote"].id, staff())),
        ("leave", hour, lambda m, who: execute_exit(ExecuteExit(exit_id=m["quote"].id, **key("leave")), who)),
    ]


UNKEYED = {"pay", "ship", "deliver", "verify", "approve", "submit", "agree"}
"""Steps that answer a second time with the state they have reached, or refuse because of it."""


async def live(db: Database, crash_at: int | None) -> tuple[dict[Any, Any], int]:
    """The script in a brand of its own; what is interrupted is done again, twice. Answers balances and points."""
    points = Points(crash_at)
    with tenant_scope(await new_brand()):
        await use_program("lotus", applicant_review="automatic", depth_limit=None, level_names=[])
        made: dict[str, Any] = dict(await plant({"A": None, "B": "A", "C": "B", "D": "C"}))
        await put_products([PutProduct(sku="PLAIN", name="PLAIN")], staff())
        who, now = staff(), BEGIN
        with dying(db, points):
            for name, after, does in script():
                now += after
                with clock.at(now):
                    try:
                        made[name] = await does(made, who)
                    except Crash:
                        for _ in range(2):
                            await again(made, name, does, who)
        assert await broken() == []
        await seal_chains(everything=True)
        assert [chain.violations for chain in await verify_chains()] == [[], []]
        return await balances(), points.passed


async def again(made: dict[str, Any], name: str, does: Does, who: Actor) -> None:
    try:
        made[name] = await does(made, who)
    except DomainError:
        if name not in UNKEYED:
            raise


async def test_a_crash_at_each_point_changes_nothing_in_the_end(db: Database) -> None:
    expected, points = await live(db, None)
    assert expected
    assert points >= 2 * len(script())
    for at in range(1, points + 1):
        found, _ = await live(db, at)
        assert found == expected, at


async def test_a_crash_before_the_commit_leaves_nothing_and_one_after_it_everything(db: Database) -> None:
    for at, there in ((1, False), (2, True)):
        with tenant_scope(await new_brand()):
            await use_program("lotus", applicant_review="automatic", depth_limit=None, level_names=[])
            with dying(db, Points(at)), pytest.raises(Crash):
                await enrol(request("A"), staff())
            assert (await by_code("A") is not None) == there
