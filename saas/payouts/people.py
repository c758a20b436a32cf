"""Who may act: a distributor for itself only, and for steps that need two people, a person of the staff."""

from uuid import UUID

from saas.base.errors import NotFound
from saas.base.ids import DistributorId
from tenants.actors import Actor, Role
from tenants.errors import Forbidden

STAFF = frozenset({Role.OWNER, Role.FINANCE, Role.OPERATIONS})


def check_own(actor: Actor, distributor_id: DistributorId, field: str) -> None:
    """Refuse a distributor that acts for another one, as if that one did not exist. Raises ``NotFound``."""
    if actor.role is Role.DISTRIBUTOR and actor.distributor_id != distributor_id:
        raise NotFound(field, kind="distributor", value=distributor_id)


def staff_member(actor: Actor) -> UUID:
    """The person who acts for the brand; a key or the program itself is nobody's second pair of eyes.

    Raises ``Forbidden``.
    """
    if actor.role not in STAFF or actor.id is None:
        raise Forbidden("input", role=actor.role, needed=Role.FINANCE)
    return actor.id
