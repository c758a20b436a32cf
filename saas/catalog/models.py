"""The table of products."""

from tortoise import fields

from saas.base.db import TenantModel


class Product(TenantModel):
    """Something a brand sells; its SKU is unique within the brand."""

    sku = fields.TextField()
    name = fields.TextField()
    category = fields.TextField(null=True)
    status = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "product"
