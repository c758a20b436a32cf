"""The tables of settlement; settlements and statements are append-only."""

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
    adjusted_minor = fields.BigIntField(default=0)
    penalties_minor = fields.BigIntField(default=0)
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
    adjusted_minor = fields.BigIntField(default=0)
    penalties_minor = fields.BigIntField(default=0)
    adjustment_minor = fields.BigIntField()
    payout_minor = fields.BigIntField()
    set_aside_minor = fields.BigIntField(default=0)
    debt_minor = fields.BigIntField(default=0)
    recovered_minor = fields.BigIntField(default=0)
    recovery_bps = fields.IntField(null=True)
    closing_minor = fields.BigIntField()
    payable_on = fields.DateField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "statement"


class Adjustment(TenantModel):
    """An amount that somebody decided; on a statement it never changes. ``request_id``: asked for together.

    ``lifts_id`` is the penalty that it gives back.
    """

    request_id = fields.UUIDField()
    kind = fields.TextField(default="adjustment")
    lifts_id = fields.UUIDField(null=True)
    distributor_id = fields.UUIDField()
    currency = fields.TextField()
    amount_minor = fields.BigIntField()
    reason = fields.TextField()
    reference = fields.TextField(null=True)
    status = fields.TextField()
    requested_by = fields.UUIDField()
    requested_at = fields.DatetimeField()
    decided_by = fields.UUIDField(null=True)
    decided_at = fields.DatetimeField(null=True)
    statement_id = fields.UUIDField(null=True)

    class Meta:
        table = "adjustment"
