"""The tables of periods: each close, what it awarded and how it reviewed tiers. Closes and reviews are append-only."""

from tortoise import fields

from saas.base.db import TenantModel


class PeriodClose(TenantModel):
    """A closed calendar period ``[period_from, period_until)``; ``awards`` counts those that pay something."""

    length = fields.TextField()
    period_from = fields.DateField()
    period_until = fields.DateField()
    currency = fields.TextField()
    program_number = fields.IntField()
    awards = fields.IntField()
    awards_minor = fields.BigIntField()
    tier_changes = fields.IntField()
    closed_at = fields.DatetimeField()
    closed_by = fields.UUIDField(null=True)

    class Meta:
        table = "period_close"


class Award(TenantModel):
    """What a component gave a distributor for a period. Only ``status`` and ``statement_id`` ever change."""

    close_id = fields.UUIDField()
    distributor_id = fields.UUIDField()
    component = fields.TextField()
    kind = fields.TextField()
    scope = fields.TextField()
    once_key = fields.TextField(null=True)
    program_number = fields.IntField()
    currency = fields.TextField()
    tier = fields.TextField(null=True)
    measured = fields.BigIntField()
    amount_minor = fields.BigIntField()
    detail = fields.TextField(null=True)
    order_id = fields.UUIDField(null=True)
    status = fields.TextField()
    earned_at = fields.DatetimeField()
    period_from = fields.DateField()
    period_until = fields.DateField()
    statement_id = fields.UUIDField(null=True)

    class Meta:
        table = "award"


class TierReview(TenantModel):
    """How a close judged the holder of a tier, and by which figures."""

    close_id = fields.UUIDField()
    distributor_id = fields.UUIDField()
    period_from = fields.DateField()
    tier_before = fields.TextField()
    tier_after = fields.TextField()
    outcome = fields.TextField()
    misses = fields.IntField()
    own_minor = fields.BigIntField()
    group_minor = fields.BigIntField()
    active_downline_minor = fields.BigIntField()
    orders = fields.BigIntField()

    class Meta:
        table = "tier_review"
