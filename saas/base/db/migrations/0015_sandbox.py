"""Which brands are sandboxes: only those are ever put aside for a new one."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn


class Migration(BaseMigration):
    """A column of brands."""

    dependencies = [("banyan", "0014_penalties")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [AddColumn("tenant", "sandbox", "boolean NOT NULL DEFAULT false")]
