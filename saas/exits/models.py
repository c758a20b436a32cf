"""The table of exits."""

from tortoise import fields

from saas.base.db import TenantModel


class ExitCase(TenantModel):
    """One distributor's exit with the quote it was decided on; the terms are those of the program at the quote."""

    distributor_id = fields.UUIDField()
    kind = fields.TextField()
    status = fields.TextField()
    downline_to = fields.TextField()
    pending = fields.TextField()
    reason = fields.TextField()
    quote: fields.Field[dict[str, object]] = fields.JSONField()
    requested_by = fields.UUIDField()
    requested_at = fields.DatetimeField()
    approved_by = fields.UUIDField(null=True)
    approved_at = fields.DatetimeField(null=True)
    executed_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    batch_id = fields.UUIDField(null=True)
    certificate_no = fields.BigIntField(null=True)
    final_statement: fields.Field[dict[str, object] | None] = fields.JSONField(null=True)
    erased_at = fields.DatetimeField(null=True)

    class Meta:
        table = "exit_case"
