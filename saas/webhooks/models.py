"""The tables of webhooks."""

from tortoise import fields

from saas.base.db import TenantModel


class Webhook(TenantModel):
    """Where a brand wants events to be told; the secret is sealed, and for a while the one before it too."""

    name = fields.TextField()
    url = fields.TextField()
    kinds = fields.JSONField[list[str]]()
    payload = fields.TextField()
    role = fields.TextField()
    status = fields.TextField()
    sealed = fields.TextField()
    old_sealed = fields.TextField(null=True)
    old_until = fields.DatetimeField(null=True)
    failures = fields.IntField()
    paused_at = fields.DatetimeField(null=True)
    pause_reason = fields.TextField(null=True)
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "webhook"


class WebhookDelivery(TenantModel):
    """An event on its way to a webhook. ``tries_from``: the attempts there had been when it was last begun anew."""

    webhook_id = fields.UUIDField()
    event_id = fields.UUIDField()
    status = fields.TextField()
    attempts = fields.IntField()
    tries_from = fields.IntField()
    next_at = fields.DatetimeField()
    created_at = fields.DatetimeField()
    delivered_at = fields.DatetimeField(null=True)

    class Meta:
        table = "webhook_delivery"


class WebhookAttempt(TenantModel):
    """One attempt to deliver, and what came of it."""

    delivery_id = fields.UUIDField()
    no = fields.IntField()
    at = fields.DatetimeField()
    status_code = fields.IntField(null=True)
    error = fields.TextField(null=True)
    duration_ms = fields.IntField()
    excerpt = fields.TextField(null=True)

    class Meta:
        table = "webhook_attempt"
