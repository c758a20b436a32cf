"""What the whole program engine needs: history of standing, periods and their awards, prices, jobs, simulations."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, AppendOnly, Backfill, GlobalTable, Index, Recheck, TenantTable

DISTRIBUTOR_FK = "FOREIGN KEY (tenant_id, distributor_id) REFERENCES distributor (tenant_id, id)"
ORDER_FK = "FOREIGN KEY (tenant_id, order_id) REFERENCES sales_order (tenant_id, id)"
PROGRAM_FK = "FOREIGN KEY (tenant_id, program_number) REFERENCES program_version (tenant_id, number)"


class Migration(BaseMigration):
    """Tables and columns of the program engine."""

    dependencies = [("banyan", "0001_initial")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        # -- program -----------------------------------------------------------------------------------------
        # A scheduled version has its moment in activated_at already, and is in force from then on.
        Recheck(
            "program_version",
            "program_version_status_check",
            "status IN ('draft', 'active', 'retired')",
            "status IN ('draft', 'scheduled', 'active', 'retired')",
        ),
        AddColumn("program_version", "based_on", "integer"),
        Index(
            "program_version",
            "in_force",
            "(tenant_id, activated_at DESC, number DESC)",
            where="status IN ('active', 'scheduled')",
        ),
        TenantTable(
            "compliance_override",
            f"""
            program_number integer NOT NULL,
            content_hash text NOT NULL,
            rule text NOT NULL,
            path text NOT NULL,
            reason text NOT NULL,
            overridden_by uuid NOT NULL,
            operator text NOT NULL,
            overridden_at timestamptz NOT NULL,
            UNIQUE (tenant_id, program_number, content_hash, rule, path),
            {PROGRAM_FK}
            """,
        ),
        AppendOnly("compliance_override"),
        # -- network -----------------------------------------------------------------------------------------
        TenantTable(
            "standing",
            f"""
            distributor_id uuid NOT NULL,
            valid_from timestamptz NOT NULL,
            valid_until timestamptz,
            tier text NOT NULL,
            status text NOT NULL,
            kind text NOT NULL CHECK (kind IN
                ('enrolment', 'review', 'manual', 'promotion', 'demotion', 'revocation', 'status')),
            reason text,
            actor_id uuid,
            CHECK (valid_until IS NULL OR valid_until >= valid_from),
            {DISTRIBUTOR_FK}
            """,
            key="distributor_id, valid_from",
        ),
        Index("standing", "current", "(tenant_id, distributor_id)", unique=True, where="valid_until IS NULL"),
        Backfill(
            "INSERT INTO standing (tenant_id, distributor_id, valid_from, tier, status, kind) "
            "SELECT tenant_id, id, applied_at, tier, status, 'enrolment' FROM distributor",
            "distributor",
            "standing",
        ),
        TenantTable(
            "tier_pin",
            f"""
            distributor_id uuid NOT NULL,
            until date NOT NULL,
            reason text NOT NULL,
            actor_id uuid,
            pinned_at timestamptz NOT NULL,
            {DISTRIBUTOR_FK}
            """,
            key="distributor_id",
        ),
        Index("distributor", "region", "(tenant_id, region, id)", where="region IS NOT NULL"),
        # -- orders ------------------------------------------------------------------------------------------
        AddColumn("sales_order", "decided_at", "timestamptz"),
        AddColumn("sales_order", "for_member", "boolean NOT NULL DEFAULT false"),
        # What a line was sold as; the catalogue may sort the product differently later.
        AddColumn("order_line", "category", "text"),
        Backfill(
            "UPDATE order_line SET category = (SELECT p.category FROM product p WHERE p.id = order_line.product_id "
            "AND p.tenant_id = order_line.tenant_id) WHERE tenant_id >= 0",
            "order_line",
            "product",
        ),
        Backfill("UPDATE sales_order SET decided_at = paid_at WHERE tenant_id >= 0", "sales_order"),
        TenantTable(
            "cross_region_lead",
            f"""
            order_id uuid NOT NULL,
            distributor_id uuid NOT NULL,
            {ORDER_FK},
            {DISTRIBUTOR_FK}
            """,
            key="order_id",
        ),
        Index("cross_region_lead", "distributor", "(tenant_id, distributor_id)"),
        Index("sales_order", "paid", "(tenant_id, paid_at, id)"),
        Index("sales_order", "unpaid", "(tenant_id, id)", where="status = 'placed'"),
        TenantTable(
            "listing",
            f"""
            distributor_id uuid NOT NULL,
            product_id uuid NOT NULL,
            sku text NOT NULL,
            channel text NOT NULL,
            price_minor bigint NOT NULL CHECK (price_minor > 0),
            currency text NOT NULL,
            status text NOT NULL CHECK (status IN ('open', 'closed')),
            opened_at timestamptz NOT NULL,
            changed_at timestamptz NOT NULL,
            closed_at timestamptz,
            CHECK ((status = 'closed') = (closed_at IS NOT NULL)),
            {DISTRIBUTOR_FK},
            FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id)
            """,
        ),
        Index(
            "listing", "open", "(tenant_id, distributor_id, product_id, channel)", unique=True, where="status = 'open'"
        ),
        Index("listing", "product", "(tenant_id, product_id, id)"),
        # -- commission --------------------------------------------------------------------------------------
        AddColumn("commission", "detail", "text"),
        TenantTable(
            "period_volume",
            f"""
            distributor_id uuid NOT NULL,
            component text NOT NULL,
            period_from date NOT NULL,
            program_number integer NOT NULL,
            pieces bigint NOT NULL,
            {DISTRIBUTOR_FK}
            """,
            key="distributor_id, component, period_from",
        ),
        # -- periods -----------------------------------------------------------------------------------------
        TenantTable(
            "period_close",
            f"""
            length text NOT NULL CHECK (length IN ('month', 'quarter', 'year')),
            period_from date NOT NULL,
            period_until date NOT NULL,
            currency text NOT NULL,
            program_number integer NOT NULL,
            awards integer NOT NULL,
            awards_minor bigint NOT NULL,
            tier_changes integer NOT NULL,
            closed_at timestamptz NOT NULL,
            closed_by uuid,
            UNIQUE (tenant_id, length, period_from),
            CHECK (period_until > period_from),
            {PROGRAM_FK}
            """,
        ),
        AppendOnly("period_close"),
        TenantTable(
            "award",
            f"""
            close_id uuid NOT NULL,
            distributor_id uuid NOT NULL,
            component text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('tiered_rebate', 'target_bonus', 'event_bonus', 'ranking_award')),
            scope text NOT NULL,
            once_key text,
            program_number integer NOT NULL,
            currency text NOT NULL,
            tier text,
            measured bigint NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
            detail text,
            order_id uuid,
            status text NOT NULL CHECK (status IN ('nothing', 'available', 'settled', 'reversed')),
            earned_at timestamptz NOT NULL,
            period_from date NOT NULL,
            period_until date NOT NULL,
            statement_id uuid,
            UNIQUE (tenant_id, close_id, component, distributor_id, scope),
            CHECK ((status = 'nothing') = (amount_minor = 0)),
            CHECK ((status = 'settled') = (statement_id IS NOT NULL)),
            FOREIGN KEY (tenant_id, close_id) REFERENCES period_close (tenant_id, id),
            {PROGRAM_FK},
            {ORDER_FK},
            {DISTRIBUTOR_FK}
            """,
        ),
        Index("award", "once", "(tenant_id, component, once_key)", unique=True, where="once_key IS NOT NULL"),
        Index("award", "distributor", "(tenant_id, distributor_id, earned_at, id)"),
        Index("award", "available", "(tenant_id, earned_at)", where="status = 'available'"),
        Index("award", "statement", "(tenant_id, statement_id)", where="statement_id IS NOT NULL"),
        TenantTable(
            "tier_review",
            f"""
            close_id uuid NOT NULL,
            distributor_id uuid NOT NULL,
            period_from date NOT NULL,
            tier_before text NOT NULL,
            tier_after text NOT NULL,
            outcome text NOT NULL CHECK (outcome IN
                ('promoted', 'kept', 'grace', 'missed', 'demoted', 'revoked', 'pinned')),
            misses integer NOT NULL CHECK (misses >= 0),
            own_minor bigint NOT NULL,
            group_minor bigint NOT NULL,
            active_downline_minor bigint NOT NULL,
            orders bigint NOT NULL,
            UNIQUE (tenant_id, close_id, distributor_id),
            FOREIGN KEY (tenant_id, close_id) REFERENCES period_close (tenant_id, id),
            {DISTRIBUTOR_FK}
            """,
        ),
        Index("tier_review", "distributor", "(tenant_id, distributor_id, period_from)"),
        AppendOnly("tier_review"),
        Recheck(
            "ledger_transaction",
            "ledger_transaction_reference_kind_check",
            "reference_kind IN ('order', 'settlement', 'payout', 'exit', 'adjustment')",
            "reference_kind IN ('order', 'settlement', 'payout', 'exit', 'adjustment', 'award')",
        ),
        AddColumn("statement", "awards_minor", "bigint NOT NULL DEFAULT 0"),
        Recheck(
            "statement",
            "statement_check",
            "closing_minor = opening_minor + commission_minor + adjustment_minor + payout_minor",
            "closing_minor = opening_minor + commission_minor + awards_minor + adjustment_minor + payout_minor",
        ),
        AddColumn("settlement", "awards_minor", "bigint NOT NULL DEFAULT 0"),
        # -- jobs and simulations ----------------------------------------------------------------------------
        GlobalTable(
            "tenant_work",
            """
            tenant_id integer NOT NULL PRIMARY KEY REFERENCES tenant (id),
            due_at timestamptz NOT NULL
            """,
        ),
        TenantTable(
            "job",
            """
            kind text NOT NULL,
            input jsonb NOT NULL,
            status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
            run_at timestamptz NOT NULL,
            done bigint NOT NULL DEFAULT 0,
            total bigint,
            step text,
            attempts integer NOT NULL DEFAULT 0,
            lease_until timestamptz,
            cancel_requested boolean NOT NULL DEFAULT false,
            error text,
            created_by uuid,
            created_at timestamptz NOT NULL,
            started_at timestamptz,
            finished_at timestamptz,
            CHECK ((status IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
            """,
        ),
        Index("job", "waiting", "(tenant_id, run_at)", where="status IN ('queued', 'running')"),
        Index("job", "created", "(tenant_id, created_at, id)"),
        TenantTable(
            "simulation",
            """
            job_id uuid NOT NULL,
            label text NOT NULL,
            program_number integer NOT NULL,
            content jsonb NOT NULL,
            content_hash text NOT NULL,
            currency text NOT NULL,
            paid_from timestamptz NOT NULL,
            paid_until timestamptz NOT NULL,
            summary jsonb,
            created_by uuid,
            created_at timestamptz NOT NULL,
            finished_at timestamptz,
            CHECK (paid_until > paid_from),
            CHECK ((summary IS NULL) = (finished_at IS NULL)),
            FOREIGN KEY (tenant_id, job_id) REFERENCES job (tenant_id, id)
            """,
        ),
        Index("simulation", "created", "(tenant_id, created_at, id)"),
        TenantTable(
            "simulation_result",
            f"""
            simulation_id uuid NOT NULL,
            distributor_id uuid NOT NULL,
            real_minor bigint NOT NULL,
            draft_minor bigint NOT NULL,
            change_minor bigint NOT NULL,
            CHECK (change_minor = draft_minor - real_minor),
            FOREIGN KEY (tenant_id, simulation_id) REFERENCES simulation (tenant_id, id),
            {DISTRIBUTOR_FK}
            """,
            key="simulation_id, distributor_id",
        ),
        Index("simulation_result", "change", "(tenant_id, simulation_id, change_minor, distributor_id)"),
    ]
