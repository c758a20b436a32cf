"""What a brand says of its API: trusted documents, origins of its front-ends, how much callers may ask at once."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, TenantTable


class Migration(BaseMigration):
    """Columns of the policy, and the documents."""

    dependencies = [("banyan", "0010_accounts")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        AddColumn("tenant", "trusted_only", "boolean NOT NULL DEFAULT false"),
        # Origins with spaces between, and `caller=most` with spaces between.
        AddColumn("tenant", "origins", "text NOT NULL DEFAULT ''"),
        AddColumn("tenant", "cost_limits", "text NOT NULL DEFAULT ''"),
        TenantTable(
            "trusted_document",
            """
            hash text COLLATE "C" NOT NULL,
            app text NOT NULL,
            name text NOT NULL,
            body text NOT NULL,
            registered_by uuid,
            registered_at timestamptz NOT NULL,
            ended_at timestamptz
            """,
            key="hash",
        ),
    ]
