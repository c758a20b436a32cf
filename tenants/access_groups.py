"""Who may do what in general: the rules that the access table is made of."""

from typing import Final

from tenants.access import DISTRIBUTOR, LOGGED_IN, OPERATIONS, STAFF, Rule, Scope, key, on, role
from tenants.actors import Role

ANY_KEY: Final = role(Role.API_KEY)
KNOWN: Final = LOGGED_IN | ANY_KEY
"""Everybody with a session or a key."""

NETWORK_READ: Final = STAFF | DISTRIBUTOR | key(Scope.NETWORK_READ, Scope.NETWORK_WRITE)
ORDERS_READ: Final = STAFF | DISTRIBUTOR | key(Scope.ORDERS_READ, Scope.ORDERS_WRITE)
COMMISSIONS_READ: Final = STAFF | DISTRIBUTOR | key(Scope.COMMISSIONS_READ)
CATALOG_READ: Final = STAFF | DISTRIBUTOR | key(Scope.CATALOG_READ, Scope.CATALOG_WRITE)
CATALOG_WRITE: Final = OPERATIONS | key(Scope.CATALOG_WRITE)
ORDERS_PLACE: Final = OPERATIONS | DISTRIBUTOR | key(Scope.ORDERS_WRITE)
ORDERS_MOVE: Final = OPERATIONS | key(Scope.ORDERS_WRITE)
ENROL: Final = OPERATIONS | DISTRIBUTOR | key(Scope.NETWORK_WRITE)
MONEY_READ: Final = STAFF | DISTRIBUTOR
EXITS_READ: Final = STAFF | DISTRIBUTOR


def page(name: str, rule: Rule) -> list[dict[str, Rule]]:
    """The rules of a connection and its edges."""
    return [
        dict(on(f"{name}Connection", rule.may("edges nodes pageInfo"))),
        dict(on(f"{name}Edge", rule.may("cursor node"))),
    ]
