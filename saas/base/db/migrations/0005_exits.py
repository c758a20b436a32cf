"""Exits of every kind: heirs, certificates, final statements, and the erasure of personal data."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, Backfill, Index, Recheck


class Migration(BaseMigration):
    """Columns of exits."""

    dependencies = [("banyan", "0004_payouts")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        Recheck(
            "exit_case",
            "exit_case_kind_check",
            "kind IN ('voluntary', 'breach')",
            "kind IN ('voluntary', 'breach', 'inactivity', 'brand_decision')",
        ),
        Recheck(
            "exit_case",
            "exit_case_downline_to_check",
            "downline_to IN ('sponsor', 'brand')",
            "downline_to IN ('sponsor', 'brand', 'heir')",
        ),
        AddColumn("exit_case", "batch_id", "uuid"),
        Index("exit_case", "batch", "(tenant_id, batch_id)", where="batch_id IS NOT NULL"),
        # Certificates count from one in each brand, in the order of the exits.
        AddColumn("exit_case", "certificate_no", "bigint"),
        Backfill(
            "UPDATE exit_case SET certificate_no = (SELECT count(*) FROM exit_case o "
            "WHERE o.tenant_id = exit_case.tenant_id AND (o.executed_at, o.id) <= (exit_case.executed_at, "
            "exit_case.id)) WHERE tenant_id >= 0 AND executed_at IS NOT NULL",
            "exit_case",
        ),
        Index("exit_case", "certificate", "(tenant_id, certificate_no)", unique=True),
        AddColumn("exit_case", "final_statement", "jsonb"),
        AddColumn("exit_case", "erased_at", "timestamptz"),
        Index("exit_case", "erasable", "(tenant_id, closed_at)", where="status = 'closed' AND erased_at IS NULL"),
    ]
