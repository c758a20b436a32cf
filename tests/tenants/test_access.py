"""The access table's mechanism: denied by default, one place per field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.base.ids import PLATFORM, TenantId, new_id
from tenants import access
from tenants.access import (
    ANYONE,
    DISTRIBUTOR,
    LOGGED_IN,
    OPERATOR,
    OWNER,
    STAFF,
    Rule,
    Scope,
    key,
    on,
)
from tenants.access_table import RULES, allowed
from tenants.actors import Actor, Role


def actor(role: Role, *scopes: Scope) -> Actor:
    tenant_id = PLATFORM if role is Role.OPERATOR else TenantId(1)
    return Actor(tenant_id=tenant_id, role=role, id=new_id(), label="somebody", scopes=frozenset(scopes))


EVERYBODY = [None, *(actor(role) for role in Role), actor(Role.API_KEY, *Scope)]


@given(st.text())
def test_what_is_not_in_the_table_is_denied_to_everybody(coordinate: str) -> None:
    if coordinate not in RULES:
        assert not any(allowed(somebody, coordinate) for somebody in EVERYBODY)


def test_the_first_entries() -> None:
    assert allowed(None, "Mutation.logIn")
    assert allowed(None, "Query.me")
    assert not allowed(None, "Mutation.logOut")
    assert allowed(actor(Role.DISTRIBUTOR), "Mutation.logOut")
    assert not allowed(actor(Role.API_KEY, *Scope), "Mutation.logOut")


@pytest.mark.parametrize(
    ("rule", "roles"),
    [
        (OPERATOR, {Role.OPERATOR}),
        (OWNER, {Role.OWNER}),
        (access.FINANCE, {Role.OWNER, Role.FINANCE}),
        (access.OPERATIONS, {Role.OWNER, Role.OPERATIONS}),
        (STAFF, {Role.OWNER, Role.FINANCE, Role.OPERATIONS, Role.AUDITOR}),
        (DISTRIBUTOR, {Role.DISTRIBUTOR}),
        (LOGGED_IN, set(Role) - {Role.API_KEY, Role.SYSTEM}),
        (ANYONE, set(Role) - {Role.SYSTEM}),
        (Rule(), set()),
    ],
)
def test_a_rule_admits_its_roles_and_no_other(rule: Rule, roles: set[Role]) -> None:
    assert {role for role in Role if rule.admits(actor(role))} == roles
    assert rule.admits(None) is (rule is ANYONE)


def test_a_key_needs_one_of_the_scopes() -> None:
    rule = STAFF | key(Scope.ORDERS_READ, Scope.ORDERS_WRITE)
    assert rule.admits(actor(Role.API_KEY, Scope.ORDERS_WRITE))
    assert not rule.admits(actor(Role.API_KEY, Scope.NETWORK_READ))
    assert not rule.admits(actor(Role.API_KEY))
    assert not STAFF.admits(actor(Role.API_KEY, *Scope))


def test_scopes_help_nobody_but_keys() -> None:
    assert not key(Scope.ORDERS_READ).admits(actor(Role.DISTRIBUTOR, Scope.ORDERS_READ))


def test_a_type_lists_its_fields_beside_their_rule() -> None:
    rules = on("Distributor", (STAFF | DISTRIBUTOR).may("id code\n name"), STAFF.may("phone"))
    assert rules == {
        "Distributor.id": STAFF | DISTRIBUTOR,
        "Distributor.code": STAFF | DISTRIBUTOR,
        "Distributor.name": STAFF | DISTRIBUTOR,
        "Distributor.phone": STAFF,
    }


def test_a_field_stands_in_one_place() -> None:
    with pytest.raises(ValueError, match=r"Query\.me twice"):
        on("Query", ANYONE.may("me"), OWNER.may("me"))
