"""Whom an event concerns besides the distributor it is about."""

from collections.abc import Mapping

from saas.notifications.rules import EventKind
from tenants.actors import Role

OFFICE: Mapping[EventKind, frozenset[Role]] = {
    EventKind.PAYOUT_FAILED: frozenset({Role.OWNER, Role.FINANCE}),
    EventKind.EXIT_EXECUTED: frozenset({Role.OWNER, Role.OPERATIONS}),
}
"""Who of the brand's own people is told of what; of all else the distributor alone."""
