"""Tables of tenants and people. Foreign keys, checks and uniques are in the migrations."""

from tortoise import fields

from saas.base.db import GlobalModel, TenantModel


class Tenant(GlobalModel):
    """A brand; number 0 is the platform itself."""

    id = fields.IntField(primary_key=True, generated=False)
    slug = fields.TextField()
    name = fields.TextField()
    status = fields.TextField()
    currency = fields.TextField()
    time_zone = fields.TextField()
    locale = fields.TextField()
    created_at = fields.DatetimeField()
    second_factor_roles = fields.TextField()
    trusted_only = fields.BooleanField()
    origins = fields.TextField()
    cost_limits = fields.TextField()
    sandbox = fields.BooleanField()

    class Meta:
        table = "tenant"


class TenantDomain(GlobalModel):
    """A brand's own domain."""

    host = fields.CharField(max_length=255, primary_key=True)
    tenant_id = fields.IntField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "tenant_domain"


class Member(TenantModel):
    """A person who can log in: staff of the brand, a distributor, or an operator of the platform."""

    login = fields.TextField()
    password_hash = fields.TextField()
    name = fields.TextField()
    role = fields.TextField()
    distributor_id = fields.UUIDField(null=True)
    status = fields.TextField()
    locale = fields.TextField()
    created_at = fields.DatetimeField()
    password_changed_at = fields.DatetimeField()
    second_factor_since = fields.DatetimeField(null=True)

    class Meta:
        table = "member"


class SecondFactor(TenantModel):
    """What makes a member's one-time codes, under the member's own id; ``last_step`` is the last one taken."""

    sealed = fields.TextField()
    last_step = fields.BigIntField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "second_factor"


class RecoveryCode(TenantModel):
    """A code that stands for a lost second factor, once."""

    member_id = fields.UUIDField()
    code_hash = fields.TextField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "recovery_code"


class PasswordLink(TenantModel):
    """A link with which somebody sets its own password, once; a newer one ends it."""

    member_id = fields.UUIDField()
    kind = fields.TextField()
    token_hash = fields.TextField()
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "password_link"


class Session(TenantModel):
    """A log-in; the token itself is with its holder only."""

    token_hash = fields.TextField()
    member_id = fields.UUIDField()
    kind = fields.TextField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    last_seen_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "session"


class ApiKey(TenantModel):
    """A shop system's key; ``prefix`` is what people recognise it by."""

    name = fields.TextField()
    prefix = fields.TextField()
    key_hash = fields.TextField()
    scopes = fields.JSONField[list[str]]()
    created_by = fields.UUIDField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    last_used_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    replaces = fields.UUIDField(null=True)

    class Meta:
        table = "api_key"


class LoginThrottle(TenantModel):
    """Failed log-ins of one name or one address, which the table knows by keyed hashes only."""

    subject_hash = fields.TextField()
    failures = fields.IntField()
    window_from = fields.DatetimeField()
    blocked_until = fields.DatetimeField(null=True)

    class Meta:
        table = "login_throttle"


class AuditLine(TenantModel):
    """Who did what, when."""

    at = fields.DatetimeField()
    actor_kind = fields.TextField()
    actor_id = fields.UUIDField(null=True)
    actor_label = fields.TextField()
    action = fields.TextField()
    subject = fields.TextField(null=True)
    detail = fields.JSONField[dict[str, object]]()

    class Meta:
        table = "audit_log"


class ProgramVersion(TenantModel):
    """A version of the brand's program; the content of one that was ever active never changes."""

    number = fields.IntField()
    label = fields.TextField()
    status = fields.TextField()
    content = fields.JSONField[dict[str, object]]()
    content_hash = fields.TextField()
    created_by = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    activated_by = fields.UUIDField(null=True)
    activated_at = fields.DatetimeField(null=True)
    retired_at = fields.DatetimeField(null=True)
    based_on = fields.IntField(null=True)

    class Meta:
        table = "program_version"
