"""The tables of settlement; both are append-only."""

from tortoise import fields

from saas.base.db import TenantModel


class Settlement(TenantModel):
    """A closed period ``[period_from, period_until)`` with its totals."""

    period_from = fields.DatetimeField()
    period_until = fields.DatetimeField()
    currency = fields.TextField()
    label = fields.TextField()
    statements = fields.IntField()
    commission_minor = fields.BigIntField()
    awards_minor = fields.BigIntField(default=0)
    closed_at = fields.DatetimeField()
    closed_by = fields.UUIDField(null=True)

    class Meta:
        table = "settlement"


class Statement(TenantModel):
    """What a closed period means for one distributor; its lines are the commission rows that carry its id."""

    settlement_id = fields.UUIDField()
    distributor_id = fields.UUIDField()
    number = fields.TextField()
    currency = fields.TextField()
    lines = fields.IntField()
    opening_minor = fields.BigIntField()
    commission_minor = fields.BigIntField()
    awards_minor = fields.BigIntField(default=0)
    adjustment_minor = fields.BigIntField()
    payout_minor = fields.BigIntField()
    closing_minor = fields.BigIntField()
    payable_on = fields.DateField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "statement"
