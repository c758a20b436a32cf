"""The tables of payouts."""

from tortoise import fields

from saas.base.db import TenantModel


class PayoutDestination(TenantModel):
    """Where a distributor is paid; ``sealed`` opens for this row only."""

    distributor_id = fields.UUIDField()
    kind = fields.TextField()
    sealed = fields.TextField()
    masked = fields.TextField()
    has_invoice = fields.BooleanField()
    status = fields.TextField()
    created_by = fields.UUIDField()
    created_at = fields.DatetimeField()
    verified_at = fields.DatetimeField(null=True)
    verified_by = fields.UUIDField(null=True)
    usable_from = fields.DatetimeField(null=True)

    class Meta:
        table = "payout_destination"


class PayoutBatch(TenantModel):
    """Payouts that are approved and sent together."""

    number = fields.TextField()
    provider = fields.TextField()
    currency = fields.TextField()
    status = fields.TextField()
    created_by = fields.UUIDField()
    created_at = fields.DatetimeField()
    approved_by = fields.UUIDField(null=True)
    approved_at = fields.DatetimeField(null=True)
    submitted_at = fields.DatetimeField(null=True)
    completed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "payout_batch"


class Payout(TenantModel):
    """Money on its way to one distributor."""

    distributor_id = fields.UUIDField()
    destination_id = fields.UUIDField()
    batch_id = fields.UUIDField(null=True)
    sweep_id = fields.UUIDField(null=True)
    currency = fields.TextField()
    requested_minor = fields.BigIntField()
    fee_minor = fields.BigIntField()
    withheld_minor = fields.BigIntField()
    net_minor = fields.BigIntField()
    status = fields.TextField()
    requested_by = fields.UUIDField(null=True)
    requested_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    failure = fields.TextField(null=True)
    provider_reference = fields.TextField(null=True)
    attempted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "payout"


class ProviderAccount(TenantModel):
    """A brand's account at a provider; ``sealed`` opens for this row only."""

    provider = fields.TextField()
    sealed = fields.TextField()
    masked = fields.TextField()
    set_by = fields.UUIDField()
    set_at = fields.DatetimeField()

    class Meta:
        table = "provider_account"
