"""Adjustments of statements, debts that are recovered in parts, and what both do to a statement."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, Index, Recheck, TenantTable

DISTRIBUTOR_FK = "FOREIGN KEY (tenant_id, distributor_id) REFERENCES distributor (tenant_id, id)"


class Migration(BaseMigration):
    """Tables and columns of adjustments and recovery."""

    dependencies = [("banyan", "0008_jobs")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        TenantTable(
            "adjustment",
            f"""
            request_id uuid NOT NULL,
            distributor_id uuid NOT NULL,
            currency text NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
            reason text NOT NULL,
            reference text,
            status text NOT NULL CHECK (status IN ('requested', 'approved', 'rejected', 'settled')),
            requested_by uuid NOT NULL,
            requested_at timestamptz NOT NULL,
            decided_by uuid,
            decided_at timestamptz,
            statement_id uuid,
            CHECK (decided_by <> requested_by),
            CHECK ((status = 'requested') = (decided_at IS NULL)),
            CHECK ((status = 'settled') = (statement_id IS NOT NULL)),
            {DISTRIBUTOR_FK}
            """,
        ),
        Index("adjustment", "request", "(tenant_id, request_id)"),
        Index("adjustment", "requested", "(tenant_id, requested_at, id)"),
        Index("adjustment", "distributor", "(tenant_id, distributor_id, requested_at, id)"),
        Index("adjustment", "approved", "(tenant_id, currency, distributor_id)", where="status = 'approved'"),
        Index("adjustment", "statement", "(tenant_id, statement_id)", where="statement_id IS NOT NULL"),
        # What is owed and not taken at once stands on an account of its own, so that the rest can be paid out.
        Recheck(
            "balance",
            "balance_check",
            "account IN ('available', 'settled') OR amount_minor >= 0",
            "account IN ('available', 'settled', 'debt') OR amount_minor >= 0",
        ),
        AddColumn("statement", "adjusted_minor", "bigint NOT NULL DEFAULT 0"),
        AddColumn("statement", "set_aside_minor", "bigint NOT NULL DEFAULT 0"),
        AddColumn("statement", "debt_minor", "bigint NOT NULL DEFAULT 0 CHECK (debt_minor >= 0)"),
        AddColumn(
            "statement",
            "recovered_minor",
            "bigint NOT NULL DEFAULT 0 CHECK (recovered_minor >= 0 AND recovered_minor <= debt_minor)",
        ),
        # The part of what was earned that could be taken, in basis points; NULL: everything.
        AddColumn("statement", "recovery_bps", "integer CHECK (recovery_bps >= 0 AND recovery_bps <= 10000)"),
        Recheck(
            "statement",
            "statement_check",
            "closing_minor = opening_minor + commission_minor + awards_minor + adjustment_minor + payout_minor",
            "closing_minor = opening_minor + commission_minor + awards_minor + adjusted_minor + adjustment_minor "
            "+ payout_minor + set_aside_minor",
        ),
        AddColumn("settlement", "adjusted_minor", "bigint NOT NULL DEFAULT 0"),
    ]
