"""No field of the schema without a rule, and no rule without a field."""

from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema

from schema.schema import sdl
from tenants import access_table as access
from tenants.actors import Role


def coordinates() -> set[str]:
    """Every ``Type.field`` a caller can name."""
    return {
        f"{name}.{field}"
        for name, kind in build_schema(sdl()).type_map.items()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not name.startswith("__")
        for field in kind.fields
    }


def test_every_field_has_a_rule() -> None:
    assert sorted(coordinates() - set(access.RULES)) == []


def test_every_rule_has_a_field() -> None:
    assert sorted(set(access.RULES) - coordinates()) == []


def test_the_auditor_changes_nothing_but_itself() -> None:
    own = {"logIn", "followLink", "logOut", "changePassword", "revokeSession", "revokeSessions", "beginSecondFactor"}
    own |= {"confirmSecondFactor", "renewRecoveryCodes", "removeSecondFactor", "markNotificationsRead"}
    allowed = {
        c.partition(".")[2]
        for c, rule in access.RULES.items()
        if c.startswith("Mutation.") and Role.AUDITOR in rule.roles
    }
    assert allowed <= own


def test_operators_do_not_read_a_brand() -> None:
    """They make brands; a brand's people and money are none of their business (docs/rules.md §9)."""
    allowed = {c for c, rule in access.RULES.items() if c.startswith("Query.") and Role.OPERATOR in rule.roles}
    assert allowed <= {
        "Query.me",
        "Query.mySessions",
        "Query.tenant",
        "Query.tenants",
        "Query.members",
        "Query.auditLog",
        "Query.auditDocument",
        "Query.programPresets",
        "Query.complianceOverrides",
        "Query.securityPolicy",
    }


def test_nobody_unknown_gets_further_than_the_door() -> None:
    allowed = {c for c, rule in access.RULES.items() if rule.anonymous and c.split(".")[0] in {"Query", "Mutation"}}
    assert allowed == {"Query.me", "Query.tenant", "Mutation.logIn", "Mutation.followLink"}


def test_at_the_door_nobody_unknown_is_answered_more_than_it_takes_to_come_in() -> None:
    """A member is answered to whoever has just logged in; whoever sets a password by a link is told whether it is."""
    below: dict[str, set[str]] = {}
    for coordinate, rule in access.RULES.items():
        type_, _, field = coordinate.partition(".")
        if rule.anonymous and type_ not in {"Query", "Mutation"}:
            below.setdefault(type_, set()).add(field)
    assert below.pop("Member") >= {"id", "login", "role"}
    assert below == {
        "Tenant": {"slug", "name", "locale", "currency", "timeZone"},
        "UserError": {"code", "field", "message"},
        "LogInPayload": {"member", "token", "expiresAt", "userErrors"},
        "FollowLinkPayload": {"done", "userErrors"},
    }
