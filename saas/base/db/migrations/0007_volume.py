"""Orders that are undone: lifts of pieces with volume that are evened, and the period an order is taken off."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, AppendOnly, Backfill, Index, TenantTable


class Migration(BaseMigration):
    """Columns of evening, what a cancelled order evened, and when a paid order was undone."""

    dependencies = [("banyan", "0006_chain")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        # NULL where nothing was evened, which is nearly everywhere, takes no bytes.
        AddColumn("commission", "evened_minor", "bigint CHECK (evened_minor > 0)"),
        AddColumn("period_volume", "open_minor", "bigint NOT NULL DEFAULT 0"),
        # Every counter is made again from the orders, with what stands of their lifts.
        Backfill("UPDATE period_volume SET program_number = 0 WHERE tenant_id >= 0", "period_volume"),
        TenantTable(
            "commission_evening",
            """
            order_id uuid NOT NULL,
            commission_id uuid NOT NULL,
            beneficiary_id uuid NOT NULL,
            currency text NOT NULL,
            account text NOT NULL CHECK (account IN ('pending', 'available', 'settled')),
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            evened_at timestamptz NOT NULL,
            FOREIGN KEY (tenant_id, order_id) REFERENCES sales_order (tenant_id, id),
            FOREIGN KEY (tenant_id, commission_id) REFERENCES commission (tenant_id, id),
            FOREIGN KEY (tenant_id, beneficiary_id) REFERENCES distributor (tenant_id, id)
            """,
            key="order_id, commission_id",
        ),
        Index("commission_evening", "commission", "(tenant_id, commission_id)"),
        AppendOnly("commission_evening"),
        # When the cancellation of a paid order was booked, which is never in a closed period; cancelled_at may be.
        AddColumn("sales_order", "undone_at", "timestamptz"),
        Backfill(
            "UPDATE sales_order SET undone_at = cancelled_at WHERE tenant_id >= 0 AND status = 'cancelled' "
            "AND paid_at IS NOT NULL",
            "sales_order",
        ),
        Index("sales_order", "undone", "(tenant_id, undone_at)", where="undone_at IS NOT NULL"),
    ]
