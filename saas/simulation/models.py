"""The tables of simulations: what was asked with the program it was asked of, and what came out."""

from tortoise import fields

from saas.base.db import TenantModel


class Simulation(TenantModel):
    """A replay of the orders paid in ``[paid_from, paid_until)``; ``program_number`` 0 is a document never saved."""

    job_id = fields.UUIDField()
    label = fields.TextField()
    program_number = fields.IntField()
    content = fields.JSONField[dict[str, object]]()
    content_hash = fields.TextField()
    currency = fields.TextField()
    paid_from = fields.DatetimeField()
    paid_until = fields.DatetimeField()
    summary = fields.JSONField[dict[str, object]](null=True)
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "simulation"
