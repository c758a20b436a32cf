"""What happened, kept for those who follow it, and webhooks that carry it to other systems."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import Index, TenantTable


class Migration(BaseMigration):
    """The log of events, and the tables of webhooks."""

    dependencies = [("banyan", "0011_http")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        # Written with the business it is about; numbered once it is committed, since ids do not follow each other in
        # the order in which transactions end.
        TenantTable(
            "event",
            """
            kind text NOT NULL,
            distributor_id uuid,
            subject_id uuid NOT NULL,
            amount_minor bigint,
            currency text,
            at timestamptz NOT NULL,
            seq bigint
            """,
        ),
        Index("event", "waiting", "(tenant_id, id)", where="seq IS NULL"),
        Index("event", "seq", "(tenant_id, seq)", unique=True, where="seq IS NOT NULL"),
        Index("event", "own", "(tenant_id, distributor_id, seq)", where="seq IS NOT NULL"),
        # The last number given, and the last one that was forgotten.
        TenantTable("event_head", "seq bigint NOT NULL, forgotten bigint NOT NULL", key=""),
        TenantTable(
            "webhook",
            """
            name text NOT NULL,
            url text NOT NULL,
            kinds jsonb NOT NULL,
            payload text NOT NULL,
            role text NOT NULL,
            status text NOT NULL CHECK (status IN ('active', 'paused', 'removed')),
            sealed text NOT NULL,
            old_sealed text,
            old_until timestamptz,
            failures integer NOT NULL,
            paused_at timestamptz,
            pause_reason text,
            created_by uuid,
            created_at timestamptz NOT NULL
            """,
        ),
        TenantTable(
            "webhook_delivery",
            """
            webhook_id uuid NOT NULL,
            event_id uuid NOT NULL,
            status text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
            attempts integer NOT NULL,
            tries_from integer NOT NULL,
            next_at timestamptz NOT NULL,
            created_at timestamptz NOT NULL,
            delivered_at timestamptz,
            UNIQUE (tenant_id, webhook_id, event_id),
            FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhook (tenant_id, id)
            """,
        ),
        Index("webhook_delivery", "due", "(tenant_id, webhook_id, next_at)", where="status = 'pending'"),
        Index("webhook_delivery", "created", "(tenant_id, created_at)"),
        TenantTable(
            "webhook_attempt",
            """
            delivery_id uuid NOT NULL,
            no integer NOT NULL,
            at timestamptz NOT NULL,
            status_code integer,
            error text,
            duration_ms integer NOT NULL,
            excerpt text,
            UNIQUE (tenant_id, delivery_id, no),
            FOREIGN KEY (tenant_id, delivery_id) REFERENCES webhook_delivery (tenant_id, id)
            """,
        ),
    ]
