"""What people are told of: written with what happened, brought once, to whom it concerns and to nobody else."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import Database, transaction
from saas.base.ids import DistributorId, PayoutId, new_id
from saas.base.paging import PageRequest
from saas.jobs.worker import run_due
from saas.network.commands import TierWish, set_tiers
from saas.notifications.commands import announce, mark_read
from saas.notifications.delivering import HANDLERS, deliver, deliver_soon
from saas.notifications.queries import NotificationView, inbox, unread_count
from saas.notifications.rules import EventKind, payout_ended, tier_changed, told
from saas.orders.commands import deliver as deliver_order
from saas.orders.commands import place_orders, ship
from saas.settlement.commands import CloseSettlement, close, release_due
from tenants.accounts import create_member
from tenants.actors import Actor, Role, system
from tests.exits.world import approved, executed, use_exit
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import NOON, order, paid, step, table, two_shops
from tests.tenants.people import acting, command

APRIL = NOON + timedelta(days=22)
People = Mapping[str, Actor]


@pytest.fixture
async def ids(db: Database) -> dict[str, DistributorId]:
    """Lotus' distributors by code; Cedar has the same."""
    return (await two_shops())[0]


@pytest.fixture
async def people(ids: dict[str, DistributorId]) -> People:
    """Log-ins of C and D, and the office, of Lotus."""
    made = {}
    with as_tenant(LOTUS):
        for code in ("C", "D"):
            one = await create_member(command(f"log-in-{code}", Role.DISTRIBUTOR, distributor_id=ids[code]), staff())
            made[code] = acting(LOTUS, one)
        for role in (Role.OWNER, Role.FINANCE, Role.OPERATIONS, Role.AUDITOR):
            made[role.value] = acting(LOTUS, await create_member(command(role.value, role), system(LOTUS, "tests")))
    return made


async def told_to(who: Actor) -> Sequence[NotificationView]:
    """What somebody finds after a worker came by."""
    await deliver_soon()
    await run_due(HANDLERS)
    return (await inbox(who, PageRequest())).items


async def waiting() -> object:
    return (await table("SELECT count(*) FROM outbox_event WHERE tenant_id = $1"))[0][0]


async def test_a_seller_is_told_of_its_order_and_nobody_above_or_beside_it(
    people: People, ids: dict[str, DistributorId]
) -> None:
    with as_tenant(LOTUS):
        order_id = await paid(ids["D"], 12_345)
        (found,) = await told_to(people["D"])
        assert (found.kind, found.subject_id, found.read_at) == (EventKind.ORDER_PAID, order_id, None)
        assert "123.45" in found.message.en
        assert "123.45" in found.message.zh
        for code, one in people.items():
            if code != "D":
                assert await told_to(one) == [], code
        assert await waiting() == 0
    with as_tenant(CEDAR):
        assert (await inbox(people["D"], PageRequest())).items == []
        assert await waiting() == 0


async def test_what_is_rolled_back_is_told_to_nobody(people: People, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        with pytest.raises(RuntimeError):
            async with transaction():
                await paid(ids["D"])
                assert await waiting() == 1
                raise RuntimeError
        assert await told_to(people["D"]) == []


async def test_nobody_is_told_of_the_past_that_is_brought_in(people: People, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS), clock.at(NOON + timedelta(days=1)):
        (verdict,) = await place_orders([order(ids["D"], paid_at=NOON)], staff(), imported=True)
        assert verdict.order_id
        assert await told_to(people["D"]) == []


async def test_who_cannot_log_in_costs_no_event(people: People, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        await paid(ids["B"])
        assert await waiting() == 0


async def test_many_deliver_each_event_once(people: People, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        async with transaction():
            await announce([tier_changed(ids["D"], "silver", f"tier {n}") for n in range(1_100)])
        assert sum(await asyncio.gather(*[deliver() for _ in range(6)])) >= 500
        while await deliver():
            pass
        counts = "SELECT count(*), count(DISTINCT data) FROM notification WHERE tenant_id = $1"
        assert await table(counts.replace("DISTINCT data", "DISTINCT CAST(data AS text)")) == [(1_100, 1_100)]


async def test_a_delivery_that_fails_leaves_its_events_for_the_next(
    people: People, ids: dict[str, DistributorId], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        async def deliver(self, tx: object, letters: object) -> None:
            raise ConnectionError

    with as_tenant(LOTUS):
        await paid(ids["D"])
        with monkeypatch.context() as patched:
            from saas.notifications import delivering

            patched.setattr(delivering, "DELIVERIES", (*delivering.DELIVERIES, Broken()))
            with pytest.raises(ConnectionError):
                await deliver()
        assert await waiting() == 1
        assert await unread_count(people["D"]) == 0
        assert len(await told_to(people["D"])) == 1


async def test_one_reads_ones_own(people: People, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        for code in ("C", "D", "D"):
            await paid(ids[code])
        mine, theirs = await told_to(people["D"]), await told_to(people["C"])
        assert (await unread_count(people["D"]), await unread_count(people["C"])) == (2, 1)
        assert await mark_read([theirs[0].id], people["D"]) == 0
        assert await mark_read([mine[0].id, theirs[0].id], people["D"]) == 1
        assert await mark_read([mine[0].id], people["D"]) == 0
        unread = (await inbox(people["D"], PageRequest(), unread=True)).items
        assert [one.id for one in unread] == [mine[1].id]
        assert await mark_read(None, people["D"]) == 1
        assert (await unread_count(people["D"]), await unread_count(people["C"])) == (0, 1)
    with as_tenant(CEDAR):
        assert await mark_read(None, people["C"]) == 0
        assert await mark_read([theirs[0].id], people["C"]) == 0


async def test_money_on_its_way_is_told_step_by_step(people: People, ids: dict[str, DistributorId]) -> None:
    with as_tenant(LOTUS):
        order_id = await paid(ids["D"], 100_000)
        with clock.at(NOON + timedelta(days=1)):
            await ship(step(order_id), staff())
            await deliver_order(step(order_id), staff())
        with clock.at(APRIL):
            await release_due(system(LOTUS, "tests"))
            await close(CloseSettlement(idempotency_key="march"), people["finance"])
            kinds = [one.kind for one in await told_to(people["D"])]
            assert sorted(kinds) == ["commission_available", "order_paid", "statement_ready"]
            assert EventKind.ORDER_PAID not in [one.kind for one in await told_to(people["C"])]
            async with transaction():
                payout = PayoutId(new_id())
                await announce([payout_ended(ids["D"], payout, 9_900, "CNY", paid=False)])
            assert (await told_to(people["D"]))[0].kind is EventKind.PAYOUT_FAILED
            for role, count in (("owner", 1), ("finance", 1), ("operations", 0), ("auditor", 0), ("C", 2)):
                assert len(await told_to(people[role])) == count, role


async def test_the_office_is_told_of_an_exit_and_a_distributor_of_its_tier(
    people: People, ids: dict[str, DistributorId]
) -> None:
    with as_tenant(LOTUS):
        await use_exit()
        with clock.at(NOON):
            await set_tiers([TierWish(ids["C"], "gold"), TierWish(ids["D"], "silver")], "a good year", staff())
            (changed,) = await told_to(people["C"])
            assert (changed.kind, changed.message.en) == (
                EventKind.TIER_CHANGED,
                "The tier is gold now; it was silver.",
            )
            assert await told_to(people["D"]) == [], "its tier stayed"
            case = await approved(ids["D"])
            await executed(case.id)
        for role in ("owner", "operations"):
            (left,) = await told_to(people[role])
            assert (left.kind, left.subject_id) == (EventKind.EXIT_EXECUTED, case.id)
            assert "Name" not in left.message.en, "codes, not names"
        for role in ("finance", "auditor", "C"):
            assert EventKind.EXIT_EXECUTED not in [one.kind for one in await told_to(people[role])]


@pytest.mark.parametrize("kind", EventKind)
def test_every_event_has_its_sentence_in_both_languages(kind: EventKind) -> None:
    data = {
        "amount_minor": 12_345,
        "currency": "CNY",
        "number": "S1",
        "label": "2026-03",
        "code": "D",
        "tier": "gold",
        "before": "silver",
    }
    said = told(kind, data)
    assert said.en
    assert said.zh
    assert said.en != said.zh
    assert "{" not in said.en + said.zh
