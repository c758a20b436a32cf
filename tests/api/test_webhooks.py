"""Webhooks as owners keep them and receivers get them: over the API, to a server that listens."""

from collections.abc import Iterator

import pytest
from standardwebhooks.webhooks import Webhook

from saas.base.db import Database
from saas.base.scope import tenant_scope
from saas.base.settings import get_settings
from saas.duties import FOLLOWERS
from saas.events.publishing import publish
from saas.jobs.worker import run_due
from schema.working import HANDLERS
from tenants import registry
from tests.api.conftest import Brand, World
from tests.webhooks.receivers import Receiver, listening

PAYLOAD = "{ id kind subjectId order { number status seller { code } goods { amountMinor currency } } payout { id } }"


@pytest.fixture(autouse=True)
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Receivers on this machine."""
    monkeypatch.setenv("WEBHOOK_LOOPBACK", "true")
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


async def order(brand: Brand, seller: str, key: str = "1") -> str:
    lines = [{"sku": "TEA", "quantity": 1, "amountMinor": 123_400}]
    placed = await brand.operations.do("placeOrder", "order { id }", sellerId=seller, lines=lines, idempotencyKey=key)
    return str(placed["order"]["id"])


async def delivered(slug: str) -> None:
    with tenant_scope((await registry.by_slug(slug)).id):
        await publish(FOLLOWERS)
    await run_due(HANDLERS)


async def test_a_receiver_gets_what_was_selected_and_the_owner_reads_what_came_of_it(world: World) -> None:
    for brand in (world.lotus, world.cedar):
        await brand.put_products("TEA")
    seller, theirs = await world.lotus.enrol("A"), await world.cedar.enrol("A")
    owner = world.lotus.owner
    async with listening(Receiver(status="202 Accepted", body=b"taken")) as receiver:
        given = {"name": "shop", "url": receiver.url, "kinds": ["ORDER_PLACED"], "payload": PAYLOAD}
        made = await owner.do("createWebhook", "webhook { id status role } secret", **given)
        placed = await order(world.lotus, seller)
        await order(world.cedar, theirs)
        for slug in ("lotus", "cedar"):
            await delivered(slug)
        (got,) = receiver.got
    message = Webhook(made["secret"]).verify(got.body, dict(got.headers))
    assert message["type"] == "order.placed"
    told = message["data"]
    assert (told["kind"], told["subjectId"], told["payout"]) == ("ORDER_PLACED", placed, None)
    assert told["order"]["seller"] == {"code": "A"}
    assert told["order"]["goods"] == {"amountMinor": 123_400, "currency": "CNY"}
    assert got.headers["webhook-id"] == told["id"]
    text = (
        "query($id: ID!) { webhookDeliveries(webhookId: $id) { nodes { status attempts event { id kind } "
        "tries { no statusCode error excerpt } } } }"
    )
    log = await owner.ask(text, id=made["webhook"]["id"])
    assert log["webhookDeliveries"]["nodes"] == [
        {
            "status": "DELIVERED",
            "attempts": 1,
            "event": {"id": told["id"], "kind": "ORDER_PLACED"},
            "tries": [{"no": 1, "statusCode": 202, "error": None, "excerpt": "taken"}],
        }
    ]
    assert await world.cedar.owner.errors(text, id=made["webhook"]["id"]) == ["NOT_FOUND"]
    shown = await owner.send("{ webhooks { name url payload } }")
    assert made["secret"] not in shown.text


UNREADABLE = [
    ("{ nothing }", "AUDITOR"),
    ("{ order }", "AUDITOR"),
    ("{ id } me { id }", "AUDITOR"),
    ("{ id } } query Other { me { id }", "AUDITOR"),
    ("{ ...F } } fragment F on Event { id", "AUDITOR"),
    ("{ id(", "AUDITOR"),
    ("", "AUDITOR"),
    ("{ job { id } }", "DISTRIBUTOR"),
    (f"{{ order {{ seller {'{ sponsor ' * 12}{{ id }}{' }' * 12} }} }}", "AUDITOR"),
    ("{ a" * 1_300, "AUDITOR"),
]


async def test_a_payload_that_cannot_be_read_is_refused_when_it_is_said(world: World) -> None:
    for payload, role in UNREADABLE:
        given = {"name": "shop", "url": "https://hooks.example.com/", "payload": payload, "role": role}
        assert await world.lotus.owner.refused("createWebhook", **given) == ["WEBHOOK_PAYLOAD_REFUSED"], payload


async def test_a_webhook_is_for_the_office_and_leads_to_public_servers(world: World) -> None:
    owner = world.lotus.owner
    given = {"name": "shop", "url": "https://hooks.example.com/"}
    for role, code in (("DISTRIBUTOR", "INVALID_INPUT"), ("OPERATOR", "WEBHOOK_PAYLOAD_REFUSED")):
        assert await owner.refused("createWebhook", **given, role=role, payload="{ id }") == [code]
    inside = {**given, "url": "https://169.254.169.254/latest/meta-data"}
    assert await owner.refused("createWebhook", **inside) == ["WEBHOOK_URL_REFUSED"]
    assert await owner.refused("createWebhook", **{**given, "name": " "}) == ["INVALID_INPUT"]


async def test_a_page_of_events_costs_as_much_as_one_event(world: World, db: Database) -> None:
    await world.lotus.put_products("TEA")
    seller = await world.lotus.enrol("A")
    for n in range(4):
        await order(world.lotus, seller, str(n))
    await delivered("lotus")
    text = (
        "query($n: Int!) { events(kinds: [ORDER_PLACED], first: $n) "
        "{ nodes { order { number } balance { debt { formatted } } } } }"
    )
    counts = []
    for first in (1, 4):
        said: list[str] = []
        db.observer = said.append
        found = await world.lotus.owner.ask(text, n=first)
        assert len(found["events"]["nodes"]) == first
        counts.append(len(said))
    assert counts[0] == counts[1]
