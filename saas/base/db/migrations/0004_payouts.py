"""What payouts need to go out by themselves: further destinations, outcomes nobody knows yet, accounts at providers."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, Index, Recheck, TenantTable


class Migration(BaseMigration):
    """Tables and columns of payouts."""

    dependencies = [("banyan", "0003_returns")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        Recheck(
            "payout_destination",
            "payout_destination_kind_check",
            "kind IN ('bank_card')",
            "kind IN ('bank_card', 'wechat', 'alipay')",
        ),
        # When payouts to it may leave; NULL is at once.
        AddColumn("payout_destination", "usable_from", "timestamptz"),
        Recheck(
            "payout",
            "payout_status_check",
            "status IN ('requested', 'batched', 'sent', 'paid', 'failed', 'cancelled')",
            "status IN ('requested', 'batched', 'unknown', 'sent', 'paid', 'failed', 'cancelled')",
        ),
        # When it was given to its provider: written before it is sent, so that it is never sent twice.
        AddColumn("payout", "attempted_at", "timestamptz"),
        Index("payout", "under_way", "(tenant_id, batch_id, id)", where="status IN ('batched', 'unknown', 'sent')"),
        TenantTable(
            "provider_account",
            """
            provider text NOT NULL,
            sealed text NOT NULL,
            masked text NOT NULL,
            set_by uuid NOT NULL,
            set_at timestamptz NOT NULL,
            UNIQUE (tenant_id, provider)
            """,
        ),
    ]
