"""The audit log is asked for what was done to one thing, and by one actor."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import Index


class Migration(BaseMigration):
    """Indexes of the audit log."""

    dependencies = [("banyan", "0012_events")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        Index("audit_log", "subject", "(tenant_id, subject, at, id)", where="subject IS NOT NULL"),
        Index("audit_log", "actor", "(tenant_id, actor_label, at, id)"),
    ]
