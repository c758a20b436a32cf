"""Plans are made, used, and few enough to keep; documents too."""

from collections.abc import Sequence
from typing import Any

import pytest
from graphql import GraphQLError, GraphQLObjectType, parse

from schema.documents import Store
from schema.execution import CompilingExecutor, plans
from schema.schema import schema as real
from tests.schema.execution.faked import FakedContext, asynchronous_fields
from tests.schema.execution.test_same_answers import answer, faked

PAGE = "{ downline(first: 3) { nodes { id code status joinedAt } edges { cursor } pageInfo { endCursor } } }"
RIGHT = FakedContext("right", wrongs=0.0)
resolved: list[str] = []


class Counting(CompilingExecutor):
    """Notes the fields that the ordinary executor resolves."""

    def execute_field(self, parent_type: Any, source: Any, details: Any, *rest: Any) -> Any:
        """As ever."""
        resolved.append(details[0].node.name.value)
        return super().execute_field(parent_type, source, details, *rest)


async def fields_resolved(text: str, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    schema = faked("real", monkeypatch)
    resolved.clear()
    data, errors = await answer(schema, parse(text), {}, RIGHT, Counting)
    assert not errors, errors
    assert data != "None"
    return list(resolved)


async def test_a_page_is_read_without_resolving_any_of_its_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await fields_resolved(PAGE, monkeypatch) == ["downline"]


async def test_only_what_asks_somebody_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{ order(id: 1) { id number goods { amountMinor formatted } lines { sku amount { formatted } } } }"
    assert await fields_resolved(text, monkeypatch) in (["order", "lines"], ["order"])


async def test_what_is_asked_of_everybody_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{ downline(first: 3) { nodes { code sponsor { code } totals { headCount } } } }"
    assert await fields_resolved(text, monkeypatch) == ["downline", "nodes"]


async def test_beyond_so_many_fields_an_operation_is_answered_the_ordinary_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "FIELDS_MOST", 0)
    monkeypatch.setattr(plans, "_known", type(plans._known)())
    assert "endCursor" in await fields_resolved(PAGE.replace("3", "4"), monkeypatch)


def test_no_more_plans_are_kept_than_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "KEPT_MOST", 3)
    monkeypatch.setattr(plans, "_known", type(plans._known)())
    for number in range(9):
        assert CompilingExecutor.build(real._schema, parse(f"{{ a{number}: me {{ login }} }}"))
    assert len(plans._known) == 3


def test_plans_do_not_keep_long_documents_that_nobody_sends_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "TEXT_MOST", 120)
    monkeypatch.setattr(plans, "_known", type(plans._known)())
    for number in range(9):
        assert CompilingExecutor.build(real._schema, parse(f"{{ a{number}: me {{ login }} {' ' * 30} }}"))
    assert len(plans._known) == 2


def test_plans_of_one_operation_are_not_used_with_other_fragments() -> None:
    one, other = (parse(f"{{ me {{ ...F }} }} fragment F on Member {{ {name} }}") for name in ("login", "name"))
    built = [CompilingExecutor.build(real._schema, document) for document in (one, other)]
    first, second = (plans.plans_of(executor) for executor in built if isinstance(executor, CompilingExecutor))
    assert first is not second
    mixed = CompilingExecutor.build(real._schema, type(one)(definitions=(one.definitions[0], other.definitions[1])))
    assert isinstance(mixed, CompilingExecutor)
    assert plans.plans_of(mixed) is not first


def test_whatever_is_done_at_the_root_is_asynchronous() -> None:
    """Plans may call a synchronous resolver twice, so none of those may do anything."""
    doing = {id(field) for field in asynchronous_fields(real._schema)}
    for root in (real._schema.query_type, real._schema.mutation_type):
        assert isinstance(root, GraphQLObjectType)
        assert all(id(field) in doing for field in root.fields.values())


def test_documents_are_kept_by_number_and_by_length() -> None:
    store = Store(most=2, text_most=40)
    texts = ["{ me { login } }", "{ me { name } }", "{ me { role } }"]
    first, second, third = (store.document(real._schema, text, {}) for text in texts)
    assert store.document(real._schema, texts[2], {}) is third
    assert store.document(real._schema, texts[1], {}) is second
    assert store.document(real._schema, texts[0], {}) is not first
    store.document(real._schema, "{ me { login name role id createdAt } }", {})
    assert len(store._kept) == 1


def test_what_cannot_be_read_is_not_kept() -> None:
    store = Store()
    for _ in range(2):
        with pytest.raises(GraphQLError):
            store.document(real._schema, "{", {})
    assert not store._kept
