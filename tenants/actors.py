"""Who is acting: a member, an operator, an API key or the system itself."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from saas.base import clock
from saas.base.ids import DistributorId, TenantId
from tenants.errors import Forbidden, LoginNotFresh

FRESH_FOR = timedelta(minutes=15)
"""How old a log-in may be for steps that a session left open must not allow."""


class Role(StrEnum):
    """What a person or a key may do; ``tenants.access`` says what that is."""

    OPERATOR = "operator"
    OWNER = "owner"
    FINANCE = "finance"
    OPERATIONS = "operations"
    AUDITOR = "auditor"
    DISTRIBUTOR = "distributor"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The one an act is done by and written down for."""

    tenant_id: TenantId
    role: Role
    id: UUID | None
    label: str
    locale: str = "en"
    distributor_id: DistributorId | None = None
    scopes: frozenset[str] = frozenset()
    signed_in_at: datetime | None = field(default=None, compare=False)
    """When the session began; None for whoever has none."""
    must_enrol: bool = field(default=False, compare=False)
    """The brand asks this role for a second factor, and there is none yet: until then nothing else may be done."""

    @property
    def kind(self) -> str:
        """How the audit log names the actor's kind."""
        return self.role.value if self.role in {Role.OPERATOR, Role.API_KEY, Role.SYSTEM} else "member"

    def operation(self, name: str) -> str:
        """The operation an idempotency key is claimed for: a distributor's keys are its own, the brand's are shared."""
        return f"{name}:{self.distributor_id}" if self.role is Role.DISTRIBUTOR else name


def system(tenant_id: TenantId, label: str) -> Actor:
    """The program itself, acting from the command line or by schedule."""
    return Actor(tenant_id=tenant_id, role=Role.SYSTEM, id=None, label=label)


def check_fresh(actor: Actor) -> None:
    """Refuse whoever did not log in a short while ago. Raises ``LoginNotFresh``."""
    if actor.signed_in_at is None or clock.now() - actor.signed_in_at > FRESH_FOR:
        raise LoginNotFresh("input", minutes=FRESH_FOR // timedelta(minutes=1))


def check_platform(actor: Actor) -> None:
    """Refuse everybody but an operator and the program itself."""
    if actor.role not in {Role.OPERATOR, Role.SYSTEM}:
        raise Forbidden("input", role=actor.role, needed=Role.OPERATOR)
