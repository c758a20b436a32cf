"""Second factors, links that set a password once, keys that take another's place."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, Index, TenantTable


class Migration(BaseMigration):
    """Tables and columns of accounts."""

    dependencies = [("banyan", "0009_money")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        # The roles, with spaces between, that do nothing before they have a second factor.
        AddColumn("tenant", "second_factor_roles", "text NOT NULL DEFAULT ''"),
        AddColumn("member", "second_factor_since", "timestamptz"),
        # One row a member, under the member's own id; it counts once the member's column says since when.
        TenantTable(
            "second_factor",
            """
            sealed text NOT NULL,
            last_step bigint NOT NULL,
            created_at timestamptz NOT NULL,
            FOREIGN KEY (tenant_id, id) REFERENCES member (tenant_id, id)
            """,
        ),
        TenantTable(
            "recovery_code",
            """
            member_id uuid NOT NULL,
            code_hash text NOT NULL,
            used_at timestamptz,
            UNIQUE (tenant_id, member_id, code_hash),
            FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id)
            """,
        ),
        TenantTable(
            "password_link",
            """
            member_id uuid NOT NULL,
            kind text NOT NULL CHECK (kind IN ('invitation', 'reset')),
            token_hash text NOT NULL,
            created_by uuid,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            ended_at timestamptz,
            UNIQUE (tenant_id, token_hash),
            FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id)
            """,
        ),
        Index("password_link", "open", "(tenant_id, member_id)", unique=True, where="ended_at IS NULL"),
        AddColumn("api_key", "replaces", "uuid"),
    ]
