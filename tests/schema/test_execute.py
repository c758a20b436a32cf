"""``Schema.execute`` beside Strawberry's own with the gate as an extension: the same answers, the same exceptions."""

from dataclasses import replace
from typing import Any

import pytest
import strawberry
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from saas.base.db import Database
from schema.context import Context
from schema.observing import Told
from schema.rendering import context_of
from schema.schema import schema
from tenants.actors import Role
from tests.factories import LOTUS, as_tenant
from tests.network.world import staff
from tests.orders.world import two_shops

TWO = "query A { me { login } } query B { products(first: 1) { nodes { sku } } }"
OPERATIONS: dict[str, tuple[str | None, dict[str, Any] | None, str | None]] = {
    "a page": ("{ downline(first: 3) { nodes { code joinedAt } pageInfo { hasNextPage } } }", None, None),
    "with variables": ("query Q($n: Int!) { products(first: $n) { nodes { sku } } }", {"n": 2}, None),
    "one of two": (TWO, None, "B"),
    "none of two": (TWO, None, "C"),
    "the first of two": (TWO, None, None),
    "a refusal": ('{ distributor(code: "NOBODY") { code } }', None, None),
    "a wrong variable": ("query Q($n: Int!) { products(first: $n) { nodes { sku } } }", {"n": "two"}, None),
    "a page too large": ("{ products(first: 100000) { nodes { sku } } }", None, None),
    "not valid": ("{ nothing }", None, None),
    "not a document": ("{ me { ", None, None),
    "forbidden": ('mutation { rotateApiKey(input: {id: "key_1"}) { userErrors { code } } }', None, None),
    "only fragments": ("fragment F on Member { login }", None, None),
    "empty": ("", None, None),
    "nothing": (None, None, None),
    "a mutation": ("mutation { logOut { userErrors { code } } }", None, None),
}
QUERIES = {OperationType.QUERY}


async def outcome(execute: Any, context: Context, name: str, allowed: set[OperationType] | None) -> object:
    """All that an execution tells."""
    query, variables, operation = OPERATIONS[name]
    own = replace(context, loaders={}, told=Told())
    try:
        result = await execute(
            query,
            variable_values=variables,
            context_value=own,
            operation_name=operation,
            allowed_operation_types=allowed,
        )
    except (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError) as told:
        return type(told), vars(told)
    errors = [(one.message, one.path, one.locations, one.extensions) for one in result.errors or ()]
    return str(result.data), errors, result.extensions, own.told.cost, own.told.operation


@pytest.mark.parametrize("allowed", [None, QUERIES], ids=["all", "queries"])
@pytest.mark.parametrize("name", OPERATIONS)
async def test_it_answers_what_strawberry_does(db: Database, name: str, allowed: set[OperationType] | None) -> None:
    await two_shops()
    with as_tenant(LOTUS):
        context = context_of(replace(staff(), role=Role.AUDITOR))
        ours = await outcome(schema.execute, context, name, allowed)
        again = await outcome(schema.execute, context, name, allowed)
        theirs = await outcome(strawberry.Schema.execute.__get__(schema), context, name, allowed)
    assert ours == again == theirs
