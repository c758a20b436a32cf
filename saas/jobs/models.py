"""The tables of work that takes its time."""

from tortoise import fields

from saas.base.db import GlobalModel, TenantModel


class TenantWork(GlobalModel):
    """When a brand's jobs are to be looked at next: the one table that tells a worker which brands have work."""

    tenant_id = fields.IntField(primary_key=True, generated=False)
    due_at = fields.DatetimeField()

    class Meta:
        table = "tenant_work"


class Job(TenantModel):
    """A piece of work. While it runs it is leased to a worker; ``attempts`` tells one worker's turn from another's.

    ``tries_from`` is how many attempts there had been when a person last had it tried again. ``schedule`` and
    ``due_at`` say what set it off when no person did.
    """

    kind = fields.TextField()
    input = fields.JSONField[dict[str, object]]()
    status = fields.TextField()
    run_at = fields.DatetimeField()
    done = fields.BigIntField()
    total = fields.BigIntField(null=True)
    step = fields.TextField(null=True)
    attempts = fields.IntField()
    lease_until = fields.DatetimeField(null=True)
    cancel_requested = fields.BooleanField()
    error = fields.TextField(null=True)
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)
    schedule = fields.TextField(null=True)
    due_at = fields.DatetimeField(null=True)
    tries_from = fields.IntField()
    dismissed_at = fields.DatetimeField(null=True)
    dismissed_by = fields.UUIDField(null=True)
    dismissal = fields.TextField(null=True)

    class Meta:
        table = "job"
