"""Hash chains over what is written once: the audit log and the ledger."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AppendOnly, TenantTable


class Migration(BaseMigration):
    """A link for each sealed row, and where each chain ends."""

    dependencies = [("banyan", "0005_exits")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        TenantTable(
            "chain_link",
            """
            log text NOT NULL CHECK (log IN ('audit', 'ledger')),
            seq bigint NOT NULL CHECK (seq > 0),
            row_id uuid NOT NULL,
            hash text NOT NULL,
            UNIQUE (tenant_id, log, row_id)
            """,
            key="log, seq",
        ),
        AppendOnly("chain_link"),
        TenantTable(
            "chain_head",
            """
            log text NOT NULL CHECK (log IN ('audit', 'ledger')),
            seq bigint NOT NULL CHECK (seq >= 0),
            hash text NOT NULL,
            through uuid NOT NULL,
            sealed_at timestamptz NOT NULL
            """,
            key="log",
        ),
    ]
