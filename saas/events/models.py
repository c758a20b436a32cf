"""The tables of events."""

from tortoise import fields

from saas.base.db import TenantModel


class EventRow(TenantModel):
    """Something that happened. It is written with its business and gets its ``seq`` once that is committed."""

    kind = fields.TextField()
    distributor_id = fields.UUIDField(null=True)
    subject_id = fields.UUIDField()
    amount_minor = fields.BigIntField(null=True)
    currency = fields.TextField(null=True)
    at = fields.DatetimeField()
    seq = fields.BigIntField(null=True)

    class Meta:
        table = "event"
