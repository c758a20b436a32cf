"""The table of price cases. Orders and lines are hot: they are read and written as plain rows."""

from tortoise import fields

from saas.base.db import TenantModel


class PriceCase(TenantModel):
    """A line sold outside the allowed band, accepted and to be looked into."""

    order_id = fields.UUIDField()
    line_id = fields.UUIDField()
    seller_id = fields.UUIDField()
    sku = fields.TextField()
    verdict = fields.TextField()
    quantity = fields.BigIntField()
    amount_minor = fields.BigIntField()
    lowest_minor = fields.BigIntField()
    highest_minor = fields.BigIntField()
    status = fields.TextField()
    opened_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    resolution = fields.TextField(null=True)

    class Meta:
        table = "price_case"
