"""The access table's part about events and webhooks. Which events somebody gets is decided below, by their kinds."""

from typing import Final

from tenants.access import OWNER, STAFF, on, role
from tenants.access_groups import COMMISSIONS_READ, EXITS_READ, MONEY_READ, ORDERS_READ, page
from tenants.actors import Role

_READ: Final = ORDERS_READ | COMMISSIONS_READ | MONEY_READ
_LOOK: Final = OWNER | role(Role.AUDITOR)

EVENTS: Final = [
    on("Query", _READ.may("event events"), _LOOK.may("webhooks webhook webhookDeliveries")),
    on("Subscription", _READ.may("events")),
    on(
        "Event",
        _READ.may("id cursor kind at subjectId distributorId amount"),
        ORDERS_READ.may("order"),
        MONEY_READ.may("payout balance"),
        EXITS_READ.may("exit"),
        STAFF.may("job"),
    ),
    *page("Event", _READ),
    on(
        "Mutation",
        OWNER.may("createWebhook changeWebhook pauseWebhook resumeWebhook removeWebhook rotateWebhookSecret"),
        OWNER.may("testWebhook replayWebhookDeliveries"),
    ),
    on(
        "Webhook",
        _LOOK.may("id name url kinds payload role status failures pausedAt pauseReason createdAt oldSecretUntil"),
    ),
    on("WebhookPayload", OWNER.may("webhook secret userErrors")),
    on("WebhookDelivery", _LOOK.may("id webhookId event status attempts nextAt createdAt deliveredAt tries")),
    *page("WebhookDelivery", _LOOK),
    on("WebhookAttempt", _LOOK.may("no at statusCode error durationMs excerpt")),
    on("ReplayWebhookDeliveriesPayload", OWNER.may("count userErrors")),
]
"""The types, and the roots beside them."""
