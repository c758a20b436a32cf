"""The first shape of every table.

Types are written once: PostgreSQL takes them as they are, SQLite takes any name and the engine converts
(``saas/base/db/sqlite.py``). Amounts are ``bigint`` minor units, moments ``timestamptz`` in UTC.
"""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AppendOnly, GlobalTable, Index, Sql, TenantTable

DISTRIBUTOR_FK = "FOREIGN KEY (tenant_id, distributor_id) REFERENCES distributor (tenant_id, id)"


class Migration(BaseMigration):
    """Tenants and people, programs, network, catalogue, orders, commission, ledger, settlement, payouts, exits."""

    initial = True
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        # -- tenants -----------------------------------------------------------------------------------------
        GlobalTable(
            "tenant",
            """
            id integer NOT NULL PRIMARY KEY,
            slug text NOT NULL UNIQUE,
            name text NOT NULL,
            status text NOT NULL CHECK (status IN ('active', 'suspended')),
            currency text NOT NULL,
            time_zone text NOT NULL,
            locale text NOT NULL,
            created_at timestamptz NOT NULL
            """,
        ),
        Sql(
            "INSERT INTO tenant VALUES "
            "(0, 'platform', 'Banyan', 'active', 'CNY', 'UTC', 'en', '2026-01-01 00:00:00+00:00')",
            "DELETE FROM tenant WHERE id = 0",
        ),
        GlobalTable(
            "tenant_domain",
            """
            host text NOT NULL PRIMARY KEY,
            tenant_id integer NOT NULL REFERENCES tenant (id),
            created_at timestamptz NOT NULL
            """,
        ),
        TenantTable(
            "login_throttle",
            """
            subject_hash text NOT NULL,
            failures integer NOT NULL,
            window_from timestamptz NOT NULL,
            blocked_until timestamptz,
            UNIQUE (tenant_id, subject_hash)
            """,
        ),
        TenantTable(
            "audit_log",
            """
            at timestamptz NOT NULL,
            actor_kind text NOT NULL CHECK (actor_kind IN ('member', 'operator', 'api_key', 'system')),
            actor_id uuid,
            actor_label text NOT NULL,
            action text NOT NULL,
            subject text,
            detail jsonb NOT NULL
            """,
        ),
        Index("audit_log", "at", "(tenant_id, at, id)"),
        AppendOnly("audit_log"),
        TenantTable(
            "idempotency",
            """
            operation text NOT NULL,
            key text NOT NULL,
            input_hash text NOT NULL,
            result uuid NOT NULL,
            created_at timestamptz NOT NULL
            """,
            key="operation, key",
        ),
        AppendOnly("idempotency"),
        TenantTable(
            "program_version",
            """
            number integer NOT NULL,
            label text NOT NULL,
            status text NOT NULL CHECK (status IN ('draft', 'active', 'retired')),
            content jsonb NOT NULL,
            content_hash text NOT NULL,
            created_by uuid,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            activated_by uuid,
            activated_at timestamptz,
            retired_at timestamptz,
            UNIQUE (tenant_id, number),
            CHECK ((status = 'draft') = (activated_at IS NULL))
            """,
        ),
        Index("program_version", "active", "(tenant_id)", unique=True, where="status = 'active'"),
        # -- network -----------------------------------------------------------------------------------------
        TenantTable(
            "network_tree", "next_no bigint NOT NULL, moves bigint NOT NULL, changed_at timestamptz NOT NULL", key=""
        ),
        TenantTable(
            "distributor",
            """
            no bigint NOT NULL,
            code text COLLATE "C" NOT NULL,
            name text COLLATE "C" NOT NULL,
            kind text NOT NULL CHECK (kind IN ('person', 'firm')),
            status text NOT NULL CHECK (status IN ('applied', 'active', 'suspended', 'exited', 'rejected')),
            tier text NOT NULL,
            region text,
            sponsor_id uuid,
            path text COLLATE "C" NOT NULL,
            depth integer NOT NULL CHECK (depth >= 0),
            phone_sealed text,
            phone_masked text,
            phone_hash text,
            id_number_masked text,
            id_number_hash text,
            applied_at timestamptz NOT NULL,
            joined_at timestamptz,
            changed_at timestamptz NOT NULL,
            exited_at timestamptz,
            UNIQUE (tenant_id, code),
            UNIQUE (tenant_id, no),
            UNIQUE (tenant_id, path),
            CHECK ((sponsor_id IS NULL) = (depth = 0)),
            CHECK (sponsor_id <> id),
            FOREIGN KEY (tenant_id, sponsor_id) REFERENCES distributor (tenant_id, id)
            """,
        ),
        Index("distributor", "sponsor", "(tenant_id, sponsor_id, id)"),
        Index("distributor", "joined", "(tenant_id, joined_at, id)"),
        Index("distributor", "phone", "(tenant_id, phone_hash)"),
        Index("distributor", "id_number", "(tenant_id, id_number_hash)"),
        TenantTable(
            "sponsorship",
            f"""
            distributor_id uuid NOT NULL,
            sponsor_id uuid,
            valid_from timestamptz NOT NULL,
            valid_until timestamptz,
            reason text NOT NULL,
            actor_id uuid,
            {DISTRIBUTOR_FK},
            FOREIGN KEY (tenant_id, sponsor_id) REFERENCES distributor (tenant_id, id),
            CHECK (valid_until IS NULL OR valid_until >= valid_from)
            """,
        ),
        Index("sponsorship", "current", "(tenant_id, distributor_id)", unique=True, where="valid_until IS NULL"),
        Index("sponsorship", "distributor", "(tenant_id, distributor_id, valid_from)"),
        Index("sponsorship", "sponsor", "(tenant_id, sponsor_id, valid_from)"),
        # -- people ------------------------------------------------------------------------------------------
        TenantTable(
            "member",
            """
            login text NOT NULL,
            password_hash text NOT NULL,
            name text NOT NULL,
            role text NOT NULL CHECK (role IN
                ('operator', 'owner', 'finance', 'operations', 'auditor', 'distributor')),
            distributor_id uuid,
            status text NOT NULL CHECK (status IN ('active', 'disabled')),
            locale text NOT NULL,
            created_at timestamptz NOT NULL,
            password_changed_at timestamptz NOT NULL,
            UNIQUE (tenant_id, login),
            UNIQUE (tenant_id, distributor_id),
            CHECK ((role = 'distributor') = (distributor_id IS NOT NULL)),
            CHECK ((role = 'operator') = (tenant_id = 0)),
            FOREIGN KEY (tenant_id, distributor_id) REFERENCES distributor (tenant_id, id)
            """,
        ),
        TenantTable(
            "session",
            """
            token_hash text NOT NULL,
            member_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('cookie', 'bearer')),
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            last_seen_at timestamptz NOT NULL,
            revoked_at timestamptz,
            UNIQUE (tenant_id, token_hash),
            FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id)
            """,
        ),
        Index("session", "member", "(tenant_id, member_id)"),
        TenantTable(
            "api_key",
            """
            name text NOT NULL,
            prefix text NOT NULL,
            key_hash text NOT NULL,
            scopes jsonb NOT NULL,
            created_by uuid NOT NULL,
            created_at timestamptz NOT NULL,
            expires_at timestamptz,
            last_used_at timestamptz,
            revoked_at timestamptz,
            UNIQUE (tenant_id, key_hash),
            FOREIGN KEY (tenant_id, created_by) REFERENCES member (tenant_id, id)
            """,
        ),
        # -- catalogue and orders ----------------------------------------------------------------------------
        TenantTable(
            "product",
            """
            sku text NOT NULL,
            name text NOT NULL,
            category text,
            status text NOT NULL CHECK (status IN ('active', 'archived')),
            created_at timestamptz NOT NULL,
            UNIQUE (tenant_id, sku)
            """,
        ),
        TenantTable(
            "sales_order",
            """
            number text NOT NULL,
            seller_id uuid NOT NULL,
            customer text,
            self_purchase boolean NOT NULL,
            channel text,
            region text,
            source text NOT NULL CHECK (source IN ('distributor', 'brand', 'api', 'import')),
            status text NOT NULL CHECK (status IN
                ('placed', 'paid', 'shipped', 'delivered', 'closed', 'cancelled')),
            currency text NOT NULL,
            goods_minor bigint NOT NULL CHECK (goods_minor >= 0),
            freight_minor bigint NOT NULL CHECK (freight_minor >= 0),
            tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
            program_number integer,
            path text COLLATE "C",
            placed_at timestamptz NOT NULL,
            paid_at timestamptz,
            shipped_at timestamptz,
            delivered_at timestamptz,
            closed_at timestamptz,
            cancelled_at timestamptz,
            hold_until timestamptz,
            UNIQUE (tenant_id, number),
            CHECK (paid_at IS NULL OR (program_number IS NOT NULL AND path IS NOT NULL)),
            CHECK ((delivered_at IS NULL) = (hold_until IS NULL)),
            FOREIGN KEY (tenant_id, seller_id) REFERENCES distributor (tenant_id, id),
            FOREIGN KEY (tenant_id, program_number) REFERENCES program_version (tenant_id, number)
            """,
        ),
        Index("sales_order", "placed", "(tenant_id, placed_at, id)"),
        Index("sales_order", "seller", "(tenant_id, seller_id, placed_at, id)"),
        TenantTable(
            "order_line",
            """
            order_id uuid NOT NULL,
            line_no smallint NOT NULL,
            product_id uuid NOT NULL,
            sku text NOT NULL,
            quantity bigint NOT NULL CHECK (quantity > 0),
            amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
            company_minor bigint,
            UNIQUE (tenant_id, order_id, line_no),
            FOREIGN KEY (tenant_id, order_id) REFERENCES sales_order (tenant_id, id),
            FOREIGN KEY (tenant_id, product_id) REFERENCES product (tenant_id, id)
            """,
        ),
        TenantTable(
            "price_case",
            """
            order_id uuid NOT NULL,
            line_id uuid NOT NULL,
            seller_id uuid NOT NULL,
            sku text NOT NULL,
            verdict text NOT NULL CHECK (verdict IN ('below', 'above')),
            quantity bigint NOT NULL,
            amount_minor bigint NOT NULL,
            lowest_minor bigint NOT NULL,
            highest_minor bigint NOT NULL,
            status text NOT NULL CHECK (status IN ('open', 'closed')),
            opened_at timestamptz NOT NULL,
            closed_at timestamptz,
            resolution text,
            UNIQUE (tenant_id, line_id),
            FOREIGN KEY (tenant_id, order_id) REFERENCES sales_order (tenant_id, id),
            FOREIGN KEY (tenant_id, line_id) REFERENCES order_line (tenant_id, id),
            FOREIGN KEY (tenant_id, seller_id) REFERENCES distributor (tenant_id, id)
            """,
        ),
        Index("price_case", "opened", "(tenant_id, opened_at, id)"),
        TenantTable(
            "sales_day",
            f"""
            distributor_id uuid NOT NULL,
            day date NOT NULL,
            currency text NOT NULL,
            orders integer NOT NULL,
            pieces bigint NOT NULL,
            amount_minor bigint NOT NULL,
            {DISTRIBUTOR_FK}
            """,
            key="distributor_id, day, currency",
        ),
        # -- commission and ledger ---------------------------------------------------------------------------
        TenantTable(
            "commission",
            """
            order_id uuid NOT NULL,
            line_id uuid NOT NULL,
            component text NOT NULL,
            level smallint NOT NULL CHECK (level >= 0),
            beneficiary_id uuid,
            tier text,
            rate_bps integer,
            per_piece_minor bigint,
            base_minor bigint NOT NULL,
            quantity bigint NOT NULL,
            amount_minor bigint NOT NULL,
            reason text NOT NULL,
            program_number integer NOT NULL,
            currency text NOT NULL,
            status text NOT NULL CHECK (status IN ('nothing', 'pending', 'available', 'settled', 'reversed')),
            earned_at timestamptz NOT NULL,
            hold_until timestamptz,
            statement_id uuid,
            UNIQUE (tenant_id, line_id, component, level),
            CHECK ((status = 'nothing') = (amount_minor = 0)),
            CHECK (status = 'nothing' OR beneficiary_id IS NOT NULL),
            CHECK ((status = 'settled') = (statement_id IS NOT NULL)),
            FOREIGN KEY (tenant_id, order_id) REFERENCES sales_order (tenant_id, id),
            FOREIGN KEY (tenant_id, line_id) REFERENCES order_line (tenant_id, id),
            FOREIGN KEY (tenant_id, beneficiary_id) REFERENCES distributor (tenant_id, id)
            """,
        ),
        Index("commission", "order", "(tenant_id, order_id)"),
        Index("commission", "beneficiary", "(tenant_id, beneficiary_id, earned_at, id)"),
        Index("commission", "due", "(tenant_id, hold_until)", where="status = 'pending'"),
        Index("commission", "available", "(tenant_id, beneficiary_id, hold_until)", where="status = 'available'"),
        Index("commission", "statement", "(tenant_id, statement_id)", where="statement_id IS NOT NULL"),
        TenantTable(
            "ledger_transaction",
            """
            kind text NOT NULL,
            reference_kind text NOT NULL CHECK (reference_kind IN
                ('order', 'settlement', 'payout', 'exit', 'adjustment')),
            reference_id uuid NOT NULL,
            idempotency_key text NOT NULL,
            input_hash text NOT NULL,
            effective_at timestamptz NOT NULL,
            recorded_at timestamptz NOT NULL,
            UNIQUE (tenant_id, idempotency_key)
            """,
        ),
        Index("ledger_transaction", "reference", "(tenant_id, reference_id)"),
        AppendOnly("ledger_transaction"),
        TenantTable(
            "ledger_entry",
            """
            transaction_id uuid NOT NULL,
            entry_no integer NOT NULL,
            account text NOT NULL,
            owner_id uuid,
            currency text NOT NULL,
            amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
            effective_at timestamptz NOT NULL,
            FOREIGN KEY (tenant_id, transaction_id) REFERENCES ledger_transaction (tenant_id, id),
            FOREIGN KEY (tenant_id, owner_id) REFERENCES distributor (tenant_id, id)
            """,
            key="transaction_id, entry_no",
        ),
        Index("ledger_entry", "account", "(tenant_id, owner_id, account, currency, effective_at)"),
        AppendOnly("ledger_entry"),
        TenantTable(
            "balance",
            """
            owner_id uuid NOT NULL,
            account text NOT NULL,
            currency text NOT NULL,
            amount_minor bigint NOT NULL,
            CHECK (account IN ('available', 'settled') OR amount_minor >= 0),
            FOREIGN KEY (tenant_id, owner_id) REFERENCES distributor (tenant_id, id)
            """,
            key="owner_id, account, currency",
        ),
        # -- settlement and payouts --------------------------------------------------------------------------
        TenantTable(
            "settlement",
            """
            period_from timestamptz NOT NULL,
            period_until timestamptz NOT NULL,
            currency text NOT NULL,
            label text NOT NULL,
            statements integer NOT NULL,
            commission_minor bigint NOT NULL,
            closed_at timestamptz NOT NULL,
            closed_by uuid,
            UNIQUE (tenant_id, currency, period_from),
            CHECK (period_until > period_from)
            """,
        ),
        AppendOnly("settlement"),
        TenantTable("settlement_run", "currency text NOT NULL, runs bigint NOT NULL", key="currency"),
        TenantTable(
            "statement",
            f"""
            settlement_id uuid NOT NULL,
            distributor_id uuid NOT NULL,
            number text NOT NULL,
            currency text NOT NULL,
            lines integer NOT NULL,
            opening_minor bigint NOT NULL,
            commission_minor bigint NOT NULL,
            adjustment_minor bigint NOT NULL,
            payout_minor bigint NOT NULL,
            closing_minor bigint NOT NULL,
            payable_on date NOT NULL,
            created_at timestamptz NOT NULL,
            UNIQUE (tenant_id, settlement_id, distributor_id),
            UNIQUE (tenant_id, number),
            CHECK (closing_minor = opening_minor + commission_minor + adjustment_minor + payout_minor),
            FOREIGN KEY (tenant_id, settlement_id) REFERENCES settlement (tenant_id, id),
            {DISTRIBUTOR_FK}
            """,
        ),
        Index("statement", "distributor", "(tenant_id, distributor_id, id)"),
        AppendOnly("statement"),
        TenantTable(
            "payout_destination",
            f"""
            distributor_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('bank_card')),
            sealed text NOT NULL,
            masked text NOT NULL,
            has_invoice boolean NOT NULL,
            status text NOT NULL CHECK (status IN ('unverified', 'verified', 'retired')),
            created_by uuid NOT NULL,
            created_at timestamptz NOT NULL,
            verified_at timestamptz,
            verified_by uuid,
            CHECK (verified_by <> created_by),
            {DISTRIBUTOR_FK}
            """,
        ),
        Index("payout_destination", "live", "(tenant_id, distributor_id)", unique=True, where="status <> 'retired'"),
        TenantTable(
            "payout_batch",
            """
            number text NOT NULL,
            provider text NOT NULL,
            currency text NOT NULL,
            status text NOT NULL CHECK (status IN ('open', 'approved', 'submitted', 'completed', 'cancelled')),
            created_by uuid NOT NULL,
            created_at timestamptz NOT NULL,
            approved_by uuid,
            approved_at timestamptz,
            submitted_at timestamptz,
            completed_at timestamptz,
            UNIQUE (tenant_id, number),
            CHECK (approved_by <> created_by),
            CHECK (status IN ('open', 'cancelled') OR approved_by IS NOT NULL)
            """,
        ),
        TenantTable(
            "payout",
            f"""
            distributor_id uuid NOT NULL,
            destination_id uuid NOT NULL,
            batch_id uuid,
            sweep_id uuid,
            currency text NOT NULL,
            requested_minor bigint NOT NULL CHECK (requested_minor > 0),
            fee_minor bigint NOT NULL CHECK (fee_minor >= 0),
            withheld_minor bigint NOT NULL CHECK (withheld_minor >= 0),
            net_minor bigint NOT NULL CHECK (net_minor > 0),
            status text NOT NULL CHECK (status IN ('requested', 'batched', 'sent', 'paid', 'failed', 'cancelled')),
            requested_by uuid,
            requested_at timestamptz NOT NULL,
            finished_at timestamptz,
            failure text,
            provider_reference text,
            CHECK (requested_minor = fee_minor + withheld_minor + net_minor),
            {DISTRIBUTOR_FK},
            FOREIGN KEY (tenant_id, destination_id) REFERENCES payout_destination (tenant_id, id),
            FOREIGN KEY (tenant_id, batch_id) REFERENCES payout_batch (tenant_id, id)
            """,
        ),
        Index("payout", "distributor", "(tenant_id, distributor_id, id)"),
        Index("payout", "batch", "(tenant_id, batch_id)"),
        Index("payout", "sweep", "(tenant_id, sweep_id)", where="sweep_id IS NOT NULL"),
        Index("payout", "requested", "(tenant_id, requested_at, id)"),
        # -- exits -------------------------------------------------------------------------------------------
        TenantTable(
            "exit_case",
            f"""
            distributor_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('voluntary', 'breach')),
            status text NOT NULL CHECK (status IN
                ('quoted', 'approved', 'executed', 'closed', 'withdrawn', 'rejected')),
            downline_to text NOT NULL CHECK (downline_to IN ('sponsor', 'brand')),
            pending text NOT NULL CHECK (pending IN ('keep', 'forfeit')),
            reason text NOT NULL,
            quote jsonb NOT NULL,
            requested_by uuid NOT NULL,
            requested_at timestamptz NOT NULL,
            approved_by uuid,
            approved_at timestamptz,
            executed_at timestamptz,
            closed_at timestamptz,
            CHECK (approved_by <> requested_by),
            {DISTRIBUTOR_FK}
            """,
        ),
        Index(
            "exit_case",
            "live",
            "(tenant_id, distributor_id)",
            unique=True,
            where="status IN ('quoted', 'approved', 'executed', 'closed')",
        ),
        TenantTable(
            "orange_list",
            """
            kind text NOT NULL CHECK (kind IN ('phone', 'id_number')),
            value_hash text NOT NULL,
            reason text NOT NULL,
            exit_case_id uuid,
            added_by uuid,
            added_at timestamptz NOT NULL,
            UNIQUE (tenant_id, kind, value_hash),
            FOREIGN KEY (tenant_id, exit_case_id) REFERENCES exit_case (tenant_id, id)
            """,
        ),
    ]
