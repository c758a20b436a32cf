"""Who may ask for which field of the API: the notation of the one table (``tenants.access_table``).

Each type lists its fields beside the rule they share; ``|`` joins rules, and a field stands in one place only::

    on(
        "Query",
        ANYONE.may("me"),
        (STAFF | DISTRIBUTOR | key(Scope.NETWORK_READ)).may("downline upline"),
    )

A rule decides about the *kind* of asker. Which rows it gets is decided below: the tenant by the scope, a distributor's
own part of the tree by the queries. A test holds the table against the schema: no field without a rule, no rule without
a field.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tenants.actors import Actor, Role


class Scope(StrEnum):
    """What an API key can be limited to."""

    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    COMMISSIONS_READ = "commissions:read"
    DOCUMENTS_WRITE = "documents:write"
    NETWORK_READ = "network:read"
    NETWORK_WRITE = "network:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"


@dataclass(frozen=True, slots=True)
class Grant:
    """Fields of a type that share a rule."""

    rule: "Rule"
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """Members of these roles, API keys with at least one of these scopes, and perhaps those who are not logged in."""

    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()
    anonymous: bool = False

    def __or__(self, other: "Rule") -> "Rule":
        """Everybody whom either rule lets in."""
        return Rule(self.roles | other.roles, self.scopes | other.scopes, self.anonymous or other.anonymous)

    def may(self, fields: str) -> Grant:
        """Let them ask for these fields, given as names with spaces between."""
        return Grant(self, tuple(fields.split()))

    def admits(self, actor: Actor | None) -> bool:
        """Whether this asker, or one who is not logged in, is let in."""
        if actor is None:
            return self.anonymous
        if actor.role is Role.API_KEY:
            return Role.API_KEY in self.roles or not self.scopes.isdisjoint(actor.scopes)
        return actor.role in self.roles


def role(*roles: Role) -> Rule:
    """Members of these roles."""
    return Rule(roles=frozenset(roles))


def key(*scopes: Scope) -> Rule:
    """API keys that have one of these scopes."""
    return Rule(scopes=frozenset(scopes))


OPERATOR: Final = role(Role.OPERATOR)
OWNER: Final = role(Role.OWNER)
FINANCE: Final = role(Role.OWNER, Role.FINANCE)
OPERATIONS: Final = role(Role.OWNER, Role.OPERATIONS)
STAFF: Final = role(Role.OWNER, Role.FINANCE, Role.OPERATIONS, Role.AUDITOR)
DISTRIBUTOR: Final = role(Role.DISTRIBUTOR)
LOGGED_IN: Final = OPERATOR | STAFF | DISTRIBUTOR
ANYONE: Final = LOGGED_IN | role(Role.API_KEY) | Rule(anonymous=True)


def on(type_name: str, *grants: Grant) -> Mapping[str, Rule]:
    """The rules of one type's fields by coordinate (``Type.field``). Raises ``ValueError`` for a field named twice."""
    return joined({f"{type_name}.{field}": grant.rule} for grant in grants for field in grant.fields)


def joined(parts: Iterable[Mapping[str, Rule]]) -> Mapping[str, Rule]:
    """One table of many parts. Raises ``ValueError`` for a coordinate named twice."""
    rules: dict[str, Rule] = {}
    for part in parts:
        if twice := rules.keys() & part.keys():
            raise ValueError(f"the access table names {', '.join(sorted(twice))} twice")
        rules |= part
    return rules
