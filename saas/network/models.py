"""The tables of the tree: distributors, who sponsored whom and when, and who may not come back."""

from tortoise import fields

from saas.base.db import TenantModel


class Distributor(TenantModel):
    """A person or firm in one brand's network; ``path`` is its place in the tree (``rules.segment``)."""

    no = fields.BigIntField()
    code = fields.TextField()
    name = fields.TextField()
    kind = fields.TextField()
    status = fields.TextField()
    tier = fields.TextField()
    region = fields.TextField(null=True)
    sponsor_id = fields.UUIDField(null=True)
    path = fields.TextField()
    depth = fields.IntField()
    phone_sealed = fields.TextField(null=True)
    phone_masked = fields.TextField(null=True)
    phone_hash = fields.TextField(null=True)
    id_number_masked = fields.TextField(null=True)
    id_number_hash = fields.TextField(null=True)
    applied_at = fields.DatetimeField()
    joined_at = fields.DatetimeField(null=True)
    changed_at = fields.DatetimeField()
    exited_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "distributor"


class Sponsorship(TenantModel):
    """Who was whose sponsor during ``[valid_from, valid_until)``; without a sponsor it is the brand."""

    distributor_id = fields.UUIDField()
    sponsor_id = fields.UUIDField(null=True)
    valid_from = fields.DatetimeField()
    valid_until = fields.DatetimeField(null=True)
    reason = fields.TextField()
    actor_id = fields.UUIDField(null=True)

    class Meta:
        table = "sponsorship"


class OrangeListing(TenantModel):
    """The keyed hash of a phone or ID number whose owner may not enrol again."""

    kind = fields.TextField()
    value_hash = fields.TextField()
    reason = fields.TextField()
    exit_case_id = fields.UUIDField(null=True)
    added_by = fields.UUIDField(null=True)
    added_at = fields.DatetimeField()

    class Meta:
        table = "orange_list"
