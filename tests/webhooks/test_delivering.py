"""Deliveries over jobs: each event to each webhook that wants it, until it was taken; what people can do about it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import orjson
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from saas.base import clock
from saas.base.db import Database, reading, transaction
from saas.base.errors import InvalidInput, NotFound, WrongState
from saas.base.ids import TenantId, new_id
from saas.base.paging import PageRequest
from saas.events.commands import tell
from saas.events.publishing import publish
from saas.events.rules import KEPT, Event, EventKind
from saas.jobs.queries import jobs
from saas.jobs.worker import run_due
from saas.webhooks import commands, queries
from saas.webhooks.commands import NewSecret, WebhookContent
from saas.webhooks.delivering import handlers, run_deliver
from saas.webhooks.errors import WebhooksFull, WebhookUrlRefused
from saas.webhooks.queries import DeliveryView
from saas.webhooks.rules import PAUSE_AFTER, TRIES_MOST, WEBHOOKS_MOST, DeliveryStatus, WebhookStatus
from saas.webhooks.sending import Sender
from tenants.actors import Actor, Role, system
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.payouts.people import started
from tests.webhooks.receivers import Receiver, listening

pytestmark = pytest.mark.usefixtures("brands")
LATER = timedelta(hours=10)
"""Longer than any wait."""


async def render(payload: str, role: Role, event_id: UUID) -> bytes:
    return orjson.dumps({"payload": payload, "role": role, "event": str(event_id)})


HERE = Sender(loopback=True, time_most=timedelta(seconds=5))
HANDLERS = handlers(render, HERE)


def who(tenant: TenantId = LOTUS) -> Actor:
    return system(tenant, "tests")


async def hook(receiver: Receiver, *kinds: EventKind, tenant: TenantId = LOTUS) -> NewSecret:
    content = WebhookContent(name="shop", url=receiver.url, kinds=kinds, payload="{ id }", role=Role.AUDITOR)
    with as_tenant(tenant):
        return await commands.create(content, who(tenant))


async def happen(*kinds: EventKind, tenant: TenantId = LOTUS) -> None:
    with as_tenant(tenant):
        async with transaction():
            tell(Event(kind, new_id()) for kind in kinds)
        await publish([commands.fan_out])


async def log(webhook_id: UUID, tenant: TenantId = LOTUS) -> list[DeliveryView]:
    """The deliveries, the first one first."""
    with as_tenant(tenant):
        return list(reversed((await queries.deliveries(webhook_id, PageRequest(100))).items))


async def test_each_brand_is_told_its_own_and_each_webhook_what_it_wants() -> None:
    async with listening(Receiver()) as everything, listening(Receiver()) as some, listening(Receiver()) as cedars:
        await hook(everything)
        await hook(some, EventKind.PAYOUT_PAID)
        await hook(cedars, tenant=CEDAR)
        await happen(EventKind.ORDER_PAID, EventKind.PAYOUT_PAID)
        await happen(EventKind.EXIT_QUOTED, tenant=CEDAR)
        await run_due(HANDLERS)
        assert [len(one.got) for one in (everything, some, cedars)] == [2, 1, 1]
        ids = [one.headers["webhook-id"] for one in everything.got]
        assert len(set(ids)) == 2
        await run_due(HANDLERS)
        assert len(everything.got) == 2


async def test_a_receiver_can_verify_each_message_and_during_a_rotation_with_either_secret() -> None:
    async with listening(Receiver()) as receiver:
        made = await hook(receiver)
        await happen(EventKind.ORDER_PAID)
        await run_due(HANDLERS)
        with as_tenant(LOTUS):
            rotated = await commands.rotate_secret(made.webhook.id, timedelta(hours=1), who())
        await happen(EventKind.ORDER_PAID)
        await run_due(HANDLERS)
        with as_tenant(LOTUS):
            await commands.rotate_secret(made.webhook.id, timedelta(), who())
        await happen(EventKind.ORDER_PAID)
        await run_due(HANDLERS)
        before, during, after = receiver.got
        Webhook(made.secret).verify(before.body, dict(before.headers))
        for secret in (made.secret, rotated.secret):
            Webhook(secret).verify(during.body, dict(during.headers))
            with pytest.raises(WebhookVerificationError):
                Webhook(secret).verify(after.body, dict(after.headers))
        assert rotated.webhook.old_until is not None
        with as_tenant(LOTUS):
            assert (await queries.webhook(made.webhook.id)).old_until is None


async def test_a_failure_is_tried_again_under_the_same_id_and_everything_is_in_the_log() -> None:
    async with listening(Receiver(status="503 Busy", body=b"come later")) as receiver:
        made = await hook(receiver)
        await happen(EventKind.ORDER_PAID, EventKind.ORDER_CLOSED)
        await run_due(HANDLERS)
        first, second = await log(made.webhook.id)
        assert (first.status, first.attempts, second.attempts) == (DeliveryStatus.PENDING, 1, 0)
        assert second.next_at > clock.now()  # one that fails is left alone, whatever waits
        assert len(receiver.got) == 1
        receiver.status = "204 No Content"
        with clock.at(clock.now() + LATER):
            await run_due(HANDLERS)
        found = await log(made.webhook.id)
        assert {one.status for one in found} == {DeliveryStatus.DELIVERED}
        assert [one.attempts for one in found] == [2, 1]
        assert receiver.got[0].headers["webhook-id"] in {one.headers["webhook-id"] for one in receiver.got[1:]}
        with as_tenant(LOTUS):
            tries = (await queries.attempts_of([first.id]))[first.id]
            assert [(one.no, one.status_code) for one in tries] == [(1, 503), (2, 204)]
            assert tries[0].excerpt == "come later"
            assert (await queries.webhook(made.webhook.id)).failures == 0


async def test_a_delivery_is_given_up_and_replayed() -> None:
    async with listening(Receiver(status="500 No")) as receiver:
        made = await hook(receiver)
        await happen(EventKind.ORDER_PAID)
        now = clock.now()
        for _ in range(TRIES_MOST):
            with clock.at(now):
                await run_due(HANDLERS)
            now += LATER
        (given_up,) = await log(made.webhook.id)
        assert (given_up.status, given_up.attempts) == (DeliveryStatus.FAILED, TRIES_MOST)
        receiver.status = "200 OK"
        with as_tenant(CEDAR), pytest.raises(NotFound):
            await commands.replay(made.webhook.id, who(CEDAR), ids=[given_up.id])
        with as_tenant(LOTUS):
            with pytest.raises(InvalidInput):
                await commands.replay(made.webhook.id, who())
            assert await commands.replay(made.webhook.id, who(), ids=[new_id()]) == 0
            assert await commands.replay(made.webhook.id, who(), since=clock.now()) == 0
            assert await commands.replay(made.webhook.id, who(), since=given_up.created_at) == 1
            assert await commands.replay(made.webhook.id, who(), ids=[given_up.id]) == 0  # it waits already
        await run_due(HANDLERS)
        (found,) = await log(made.webhook.id)
        assert (found.status, found.attempts) == (DeliveryStatus.DELIVERED, TRIES_MOST + 1)
        assert len({one.headers["webhook-id"] for one in receiver.got}) == 1


async def test_who_fails_again_and_again_is_paused_and_misses_nothing() -> None:
    async with listening(Receiver(status="500 No")) as receiver:
        made = await hook(receiver)
        await happen(*[EventKind.ORDER_PAID] * 3)
        now = clock.now()
        for _ in range(PAUSE_AFTER):
            with clock.at(now):
                await run_due(HANDLERS)
            now += LATER
        with as_tenant(LOTUS):
            found = await queries.webhook(made.webhook.id)
            assert (found.status, found.failures) == (WebhookStatus.PAUSED, PAUSE_AFTER)
            assert found.pause_reason == f"{PAUSE_AFTER} failures in a row, the last one: status 500"
        receiver.status, sent = "200 OK", len(receiver.got)
        await happen(EventKind.ORDER_CLOSED)
        await run_due(HANDLERS)
        assert len(receiver.got) == sent
        with as_tenant(LOTUS):
            with pytest.raises(WrongState):
                await commands.test(made.webhook.id, who())
            assert (await commands.resume(made.webhook.id, who())).status is WebhookStatus.ACTIVE
        await run_due(HANDLERS)
        assert {one.status for one in await log(made.webhook.id)} == {DeliveryStatus.DELIVERED}
        assert len(receiver.got) == sent + 4


async def test_a_receiver_that_is_gone_is_paused_at_once() -> None:
    async with listening(Receiver(status="410 Gone")) as receiver:
        made = await hook(receiver)
        await happen(EventKind.ORDER_PAID)
        await run_due(HANDLERS)
        with as_tenant(LOTUS):
            assert (await queries.webhook(made.webhook.id)).status is WebhookStatus.PAUSED


async def test_a_test_reaches_its_webhook_alone() -> None:
    async with listening(Receiver()) as tested, listening(Receiver()) as other:
        made = await hook(tested, EventKind.PAYOUT_PAID)
        await hook(other)
        with as_tenant(LOTUS):
            await commands.test(made.webhook.id, who())
            await publish([commands.fan_out])
        await run_due(HANDLERS)
        assert (len(tested.got), len(other.got)) == (1, 0)


async def test_one_that_was_removed_is_told_nothing_and_its_secret_is_forgotten() -> None:
    async with listening(Receiver()) as receiver:
        made = await hook(receiver)
        await happen(EventKind.ORDER_PAID)
        with as_tenant(LOTUS):
            await commands.remove(made.webhook.id, who())
            with pytest.raises(NotFound):
                await queries.webhook(made.webhook.id)
            async with reading() as tx:
                rows = await tx.rows("SELECT sealed, old_sealed FROM webhook WHERE tenant_id = $1", LOTUS)
        await happen(EventKind.ORDER_PAID)
        await run_due(HANDLERS)
        assert receiver.got == []
        assert [dict(row) for row in rows] == [{"sealed": "", "old_sealed": None}]


async def test_workers_at_once_send_each_message_once_and_jobs_are_few() -> None:
    async with listening(Receiver(wait=timedelta(milliseconds=20))) as receiver:
        await hook(receiver)
        for _ in range(3):
            await happen(*[EventKind.ORDER_PAID] * 3)
        with as_tenant(LOTUS):
            assert len((await jobs(PageRequest(50))).items) == 1
        await asyncio.gather(*(run_due(HANDLERS) for _ in range(3)))
        ids = [one.headers["webhook-id"] for one in receiver.got]
        assert len(ids) == len(set(ids)) == 9


async def test_a_worker_that_died_while_it_sent_sends_again_under_the_same_id() -> None:
    async with listening(Receiver(wait=timedelta(seconds=30))) as receiver:
        made = await hook(receiver)
        await happen(EventKind.ORDER_PAID)
        with as_tenant(LOTUS):
            dying = asyncio.create_task(run_deliver(render, HERE, {}))
            await receiver.arrived.wait()
            dying.cancel()
            await asyncio.gather(dying, return_exceptions=True)
        receiver.wait = timedelta()
        await run_due(HANDLERS)
        assert len(receiver.got) == 1  # not before the message could have been answered
        with clock.at(clock.now() + timedelta(minutes=2)):
            await run_due(HANDLERS)
        (found,) = await log(made.webhook.id)
        assert (found.status, found.attempts, len(receiver.got)) == (DeliveryStatus.DELIVERED, 2, 2)
        assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]


async def test_a_brand_has_as_many_webhooks_as_it_may_and_none_that_leads_inside() -> None:
    receiver = Receiver(port=9)
    for _ in range(WEBHOOKS_MOST - 1):
        await hook(receiver)
    with as_tenant(LOTUS):
        async with transaction():
            await hook(receiver)
            one_too_many = await started(hook(receiver))
    with pytest.raises(WebhooksFull):
        await one_too_many
    made = await hook(receiver, tenant=CEDAR)
    inside = WebhookContent(name="x", url="https://10.0.0.1/", kinds=(), payload="{ id }", role=Role.AUDITOR)
    with as_tenant(CEDAR), pytest.raises(WebhookUrlRefused):
        await commands.change(made.webhook.id, inside, who(CEDAR))
    with as_tenant(LOTUS), pytest.raises(NotFound):
        await commands.remove(made.webhook.id, who())


async def test_one_is_removed_once() -> None:
    made = await hook(Receiver(port=9))
    with as_tenant(LOTUS):
        async with transaction():
            await commands.remove(made.webhook.id, who())
            again = await started(commands.remove(made.webhook.id, who()))
        with pytest.raises(NotFound):
            await again


async def test_the_log_is_kept_as_long_as_events() -> None:
    async with listening(Receiver()) as receiver:
        made = await hook(receiver)
        with clock.at(clock.now() - KEPT - timedelta(hours=1)):
            await happen(EventKind.ORDER_PAID)
            await run_due(HANDLERS)
        await happen(EventKind.ORDER_CLOSED)
        await run_due(HANDLERS)
        with as_tenant(CEDAR):
            assert await commands.forget_deliveries() == 0
        with as_tenant(LOTUS):
            assert await commands.forget_deliveries() == 1
        assert len(await log(made.webhook.id)) == 1


async def test_what_came_of_a_message_waits_for_whoever_has_the_webhook_and_neither_blocks_the_other(
    db: Database,
) -> None:
    """SQLite has one writer anyway."""
    async with listening(Receiver(status="500 No")) as receiver:
        made = await hook(receiver)
        await happen(EventKind.ORDER_PAID)
        if db.kind == "sqlite":
            await run_due(HANDLERS)
        else:
            with as_tenant(LOTUS):
                async with transaction() as tx:
                    own = (tx.tenant_id, made.webhook.id)
                    await tx.execute("UPDATE webhook SET failures = 0 WHERE tenant_id = $1 AND id = $2", *own)
                    delivering = asyncio.create_task(run_due(HANDLERS))
                    await receiver.arrived.wait()
                    await asyncio.sleep(0.5)  # until its answer waits to be written
                    await tx.execute(
                        "UPDATE webhook_delivery SET next_at = next_at WHERE tenant_id = $1 AND webhook_id = $2", *own
                    )
                await delivering
        assert [(one.status, one.attempts) for one in await log(made.webhook.id)] == [(DeliveryStatus.PENDING, 1)]
        with as_tenant(LOTUS):
            assert (await queries.webhook(made.webhook.id)).failures == 1, (
                "written the first time, not undone by a deadlock"
            )
