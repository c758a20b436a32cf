"""The table of commission: one row for each level of each component on an order line, earned or not."""

from tortoise import fields

from saas.base.db import TenantModel


class Commission(TenantModel):
    """A share with all that explains it. Its amount is that of the sale for ever.

    Only ``status``, ``hold_until``, ``statement_id`` and what was taken back change: ``reversed_minor`` in all, and of
    that ``clawed_minor`` after the share was on a statement. ``evened_minor``: of the lift of the line's pieces with
    volume what was evened when other orders were undone, before any limit and before a lead was shared.
    """

    order_id = fields.UUIDField()
    line_id = fields.UUIDField()
    component = fields.TextField()
    level = fields.SmallIntField()
    beneficiary_id = fields.UUIDField(null=True)
    tier = fields.TextField(null=True)
    rate_bps = fields.IntField(null=True)
    per_piece_minor = fields.BigIntField(null=True)
    base_minor = fields.BigIntField()
    quantity = fields.BigIntField()
    amount_minor = fields.BigIntField()
    reason = fields.TextField()
    program_number = fields.IntField()
    currency = fields.TextField()
    status = fields.TextField()
    earned_at = fields.DatetimeField()
    hold_until = fields.DatetimeField(null=True)
    statement_id = fields.UUIDField(null=True)
    detail = fields.TextField(null=True)
    reversed_minor = fields.BigIntField(default=0)
    clawed_minor = fields.BigIntField(default=0)
    evened_minor = fields.BigIntField(null=True)

    class Meta:
        table = "commission"
