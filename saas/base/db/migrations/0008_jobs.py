"""Work that runs by itself: schedules, dead letters, imports, notifications."""

from tortoise.migrations.migration import Migration as BaseMigration

from saas.base.db.ddl import AddColumn, Index, TenantTable


class Migration(BaseMigration):
    """Tables and columns of schedules, imports and notifications."""

    dependencies = [("banyan", "0007_volume")]
    atomic = False  # the caller holds one transaction around the whole run
    operations = [
        # -- jobs: who set one off, and what a person said of one that failed ----------------------------------
        AddColumn("job", "schedule", "text"),
        AddColumn("job", "due_at", "timestamptz"),
        AddColumn("job", "tries_from", "integer NOT NULL DEFAULT 0"),
        AddColumn("job", "dismissed_at", "timestamptz"),
        AddColumn("job", "dismissed_by", "uuid"),
        AddColumn("job", "dismissal", "text"),
        # One moment of a schedule sets off one job, however many workers see that it has come.
        Index("job", "occurrence", "(tenant_id, schedule, due_at)", unique=True, where="schedule IS NOT NULL"),
        Index("job", "dead", "(tenant_id, finished_at)", where="status = 'failed' AND dismissed_at IS NULL"),
        TenantTable(
            "schedule",
            """
            task text NOT NULL,
            every text NOT NULL CHECK (every IN ('day', 'week', 'month')),
            at_minute integer NOT NULL CHECK (at_minute BETWEEN 0 AND 1439),
            weekday integer CHECK (weekday BETWEEN 1 AND 7),
            month_day integer CHECK (month_day BETWEEN 1 AND 31),
            paused boolean NOT NULL,
            next_at timestamptz NOT NULL,
            changed_by uuid,
            changed_at timestamptz NOT NULL,
            CHECK ((every = 'week') = (weekday IS NOT NULL)),
            CHECK ((every = 'month') = (month_day IS NOT NULL))
            """,
            key="task",
        ),
        # -- imports -----------------------------------------------------------------------------------------
        TenantTable(
            "import_file",
            """
            kind text NOT NULL CHECK (kind IN ('orders', 'returns')),
            name text NOT NULL,
            digest text NOT NULL,
            dry_run boolean NOT NULL,
            historical boolean NOT NULL,
            content jsonb,
            row_count integer NOT NULL CHECK (row_count >= 0),
            units integer NOT NULL CHECK (units >= 0),
            units_done integer NOT NULL DEFAULT 0,
            written integer NOT NULL DEFAULT 0,
            replayed integer NOT NULL DEFAULT 0,
            refused integer NOT NULL DEFAULT 0,
            job_id uuid,
            created_by uuid,
            created_at timestamptz NOT NULL,
            finished_at timestamptz,
            CHECK (units_done = written + replayed + refused),
            CHECK (units_done <= units),
            FOREIGN KEY (tenant_id, job_id) REFERENCES job (tenant_id, id)
            """,
        ),
        Index("import_file", "created", "(tenant_id, created_at, id)"),
        TenantTable(
            "import_finding",
            """
            file_id uuid NOT NULL,
            seq integer NOT NULL CHECK (seq > 0),
            row_no integer NOT NULL,
            field text,
            code text NOT NULL,
            en text NOT NULL,
            zh text NOT NULL,
            FOREIGN KEY (tenant_id, file_id) REFERENCES import_file (tenant_id, id)
            """,
            key="file_id, seq",
        ),
        # -- notifications -----------------------------------------------------------------------------------
        TenantTable(
            "outbox_event",
            """
            kind text NOT NULL,
            distributor_id uuid NOT NULL,
            subject_id uuid NOT NULL,
            data jsonb NOT NULL,
            at timestamptz NOT NULL,
            FOREIGN KEY (tenant_id, distributor_id) REFERENCES distributor (tenant_id, id)
            """,
        ),
        TenantTable(
            "notification",
            """
            member_id uuid NOT NULL,
            kind text NOT NULL,
            subject_id uuid NOT NULL,
            data jsonb NOT NULL,
            at timestamptz NOT NULL,
            read_at timestamptz,
            FOREIGN KEY (tenant_id, member_id) REFERENCES member (tenant_id, id)
            """,
        ),
        Index("notification", "inbox", "(tenant_id, member_id, at, id)"),
        Index("notification", "unread", "(tenant_id, member_id)", where="read_at IS NULL"),
    ]
