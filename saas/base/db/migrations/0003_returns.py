"""Goods that come back: cases, what they take back of each commission, and debts that are written off."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, AppendOnly, Index, Recheck, TenantTable

DISTRIBUTOR_FK = "FOREIGN KEY (tenant_id, distributor_id) REFERENCES distributor (tenant_id, id)"


class Migration(BaseMigration):
    """Tables and columns of returns."""

    dependencies = [("banyan", "0002_program_engine")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        # Claimed by returns that were not turned down; returned once the goods are there. Neither can exceed the sale.
        AddColumn("order_line", "claimed", "bigint NOT NULL DEFAULT 0 CHECK (claimed >= 0 AND claimed <= quantity)"),
        AddColumn("order_line", "returned", "bigint NOT NULL DEFAULT 0 CHECK (returned >= 0 AND returned <= claimed)"),
        AddColumn(
            "order_line",
            "refunded_minor",
            "bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0 AND refunded_minor <= amount_minor)",
        ),
        AddColumn(
            "sales_order",
            "refunded_freight_minor",
            "bigint NOT NULL DEFAULT 0 CHECK (refunded_freight_minor >= 0 AND refunded_freight_minor <= freight_minor)",
        ),
        # What was taken back in all; clawed is the part of it that was on a statement already.
        AddColumn(
            "commission",
            "reversed_minor",
            "bigint NOT NULL DEFAULT 0 CHECK (reversed_minor >= 0 AND reversed_minor <= amount_minor)",
        ),
        AddColumn(
            "commission",
            "clawed_minor",
            "bigint NOT NULL DEFAULT 0 CHECK (clawed_minor >= 0 AND clawed_minor <= reversed_minor)",
        ),
        TenantTable(
            "return_case",
            """
            order_id uuid NOT NULL,
            seller_id uuid NOT NULL,
            status text NOT NULL CHECK (status IN
                ('requested', 'approved', 'rejected', 'withdrawn', 'received', 'refunded')),
            reason text NOT NULL,
            override_reason text,
            requested_by uuid,
            requested_at timestamptz NOT NULL,
            decided_by uuid,
            decided_at timestamptz,
            decision text,
            sellable boolean,
            whole boolean NOT NULL DEFAULT false,
            goods_minor bigint CHECK (goods_minor >= 0),
            received_by uuid,
            received_at timestamptz,
            exchange_order_id uuid,
            freight_minor bigint CHECK (freight_minor >= 0),
            refunded_minor bigint CHECK (refunded_minor >= 0),
            refunded_by uuid,
            refunded_at timestamptz,
            UNIQUE (tenant_id, exchange_order_id),
            CHECK ((status IN ('received', 'refunded')) = (received_at IS NOT NULL)),
            CHECK ((received_at IS NULL) = (goods_minor IS NULL)),
            CHECK ((received_at IS NULL) = (sellable IS NULL)),
            CHECK ((status = 'refunded') = (refunded_at IS NOT NULL)),
            CHECK ((refunded_at IS NULL) = (refunded_minor IS NULL)),
            FOREIGN KEY (tenant_id, order_id) REFERENCES sales_order (tenant_id, id),
            FOREIGN KEY (tenant_id, seller_id) REFERENCES distributor (tenant_id, id),
            FOREIGN KEY (tenant_id, exchange_order_id) REFERENCES sales_order (tenant_id, id)
            """,
        ),
        Index("return_case", "order", "(tenant_id, order_id)"),
        Index("return_case", "seller", "(tenant_id, seller_id, requested_at, id)"),
        Index("return_case", "requested", "(tenant_id, requested_at, id)"),
        Index("return_case", "received", "(tenant_id, received_at)", where="received_at IS NOT NULL"),
        TenantTable(
            "return_line",
            """
            return_id uuid NOT NULL,
            line_id uuid NOT NULL,
            quantity bigint NOT NULL CHECK (quantity > 0),
            refund_minor bigint CHECK (refund_minor >= 0),
            FOREIGN KEY (tenant_id, return_id) REFERENCES return_case (tenant_id, id),
            FOREIGN KEY (tenant_id, line_id) REFERENCES order_line (tenant_id, id)
            """,
            key="return_id, line_id",
        ),
        Index("return_line", "line", "(tenant_id, line_id)"),
        TenantTable(
            "commission_reversal",
            """
            return_id uuid NOT NULL,
            commission_id uuid NOT NULL,
            beneficiary_id uuid NOT NULL,
            currency text NOT NULL,
            account text NOT NULL CHECK (account IN ('pending', 'available', 'settled')),
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            reversed_at timestamptz NOT NULL,
            FOREIGN KEY (tenant_id, return_id) REFERENCES return_case (tenant_id, id),
            FOREIGN KEY (tenant_id, commission_id) REFERENCES commission (tenant_id, id),
            FOREIGN KEY (tenant_id, beneficiary_id) REFERENCES distributor (tenant_id, id)
            """,
            key="return_id, commission_id",
        ),
        Index("commission_reversal", "commission", "(tenant_id, commission_id)"),
        AppendOnly("commission_reversal"),
        TenantTable(
            "write_off",
            f"""
            distributor_id uuid NOT NULL,
            currency text NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor > 0),
            reason text NOT NULL,
            status text NOT NULL CHECK (status IN ('requested', 'approved', 'rejected')),
            requested_by uuid NOT NULL,
            requested_at timestamptz NOT NULL,
            decided_by uuid,
            decided_at timestamptz,
            CHECK (decided_by <> requested_by),
            CHECK ((status = 'requested') = (decided_at IS NULL)),
            {DISTRIBUTOR_FK}
            """,
        ),
        Index("write_off", "requested", "(tenant_id, requested_at, id)"),
        Recheck(
            "ledger_transaction",
            "ledger_transaction_reference_kind_check",
            "reference_kind IN ('order', 'settlement', 'payout', 'exit', 'adjustment', 'award')",
            "reference_kind IN ('order', 'settlement', 'payout', 'exit', 'adjustment', 'award', 'return', 'write_off')",
        ),
    ]
