"""Penalties beside adjustments, accounts of those who left that are closed, trace codes of order lines."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, Backfill, Index, Recheck, TenantTable

STATEMENT_SUM = (
    "closing_minor = opening_minor + commission_minor + awards_minor + adjusted_minor + {}adjustment_minor "
    "+ payout_minor + set_aside_minor"
)


class Migration(BaseMigration):
    """Columns of penalties and closed accounts, and the table of trace codes."""

    dependencies = [("banyan", "0013_audit")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        AddColumn("adjustment", "kind", "text NOT NULL DEFAULT 'adjustment' CHECK (kind IN ('adjustment', 'penalty'))"),
        # A penalty takes; what gives is the lifting of one.
        AddColumn(
            "adjustment",
            "lifts_id",
            "uuid CHECK (CASE kind WHEN 'penalty' THEN (lifts_id IS NULL) = (amount_minor < 0) "
            "ELSE lifts_id IS NULL END)",
        ),
        Index(
            "adjustment",
            "lifts",
            "(tenant_id, lifts_id)",
            unique=True,
            where="lifts_id IS NOT NULL AND status <> 'rejected'",
        ),
        AddColumn("statement", "penalties_minor", "bigint NOT NULL DEFAULT 0"),
        Recheck("statement", "statement_check", STATEMENT_SUM.format(""), STATEMENT_SUM.format("penalties_minor + ")),
        AddColumn("settlement", "penalties_minor", "bigint NOT NULL DEFAULT 0"),
        # Set when the exit is closed: from then on nothing reaches the accounts that nobody would settle.
        AddColumn("distributor", "closed_at", "timestamptz"),
        Backfill(
            "UPDATE distributor SET closed_at = (SELECT max(x.closed_at) FROM exit_case x "
            "WHERE x.tenant_id = distributor.tenant_id AND x.distributor_id = distributor.id "
            "AND x.status = 'closed') WHERE tenant_id >= 0 AND status = 'exited'",
            "distributor",
            "exit_case",
        ),
        TenantTable(
            "trace_code",
            """
            line_id uuid NOT NULL,
            code text COLLATE "C" NOT NULL,
            order_id uuid NOT NULL,
            freed_at timestamptz,
            FOREIGN KEY (tenant_id, order_id) REFERENCES sales_order (tenant_id, id),
            FOREIGN KEY (tenant_id, line_id) REFERENCES order_line (tenant_id, id)
            """,
            key="line_id, code",
        ),
        # One item or box is on one order at a time; what came back or was never shipped may be sold again.
        Index("trace_code", "live", "(tenant_id, code)", unique=True, where="freed_at IS NULL"),
        Index("trace_code", "code", "(tenant_id, code)"),
        Index("trace_code", "order", "(tenant_id, order_id)"),
    ]
