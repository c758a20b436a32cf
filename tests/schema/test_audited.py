"""Every mutation comes to a line of the audit log: the way there is in the code of each, or its name stands here.

That the line is written whenever something is changed is seen by every test that calls the API (``check_told``).
"""

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

from strawberry.types.base import get_object_definition

from schema.schema import Mutation
from tenants import audit
from tests.api.client import UNTOLD

OURS = ("schema", "saas", "tenants")


def resolvers() -> dict[str, Callable[..., Any]]:
    """The function behind each mutation."""
    fields = get_object_definition(Mutation, strict=True).fields
    found = {field.python_name: field.base_resolver for field in fields}
    return {_camel(name): cast(FunctionType, one.wrapped_func) for name, one in found.items() if one is not None}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def reaches(function: Callable[..., Any], goal: Callable[..., Any]) -> bool:
    """Whether anything that ``function`` names leads to ``goal``."""
    waiting, seen = [function], set[object]()
    while waiting:
        current = waiting.pop()
        current = getattr(current, "__wrapped__", current)
        if current is goal:
            return True
        if current not in seen:
            seen.add(current)
            waiting += [found for found in _named(current) if _is_ours(found)]
    return False


def _is_ours(found: object) -> bool:
    return callable(found) and str(getattr(found, "__module__", "")).partition(".")[0] in OURS


def _named(function: object) -> Iterator[Any]:
    if not isinstance(function, FunctionType):
        return
    names = set(_names(function.__code__))
    for name in names:
        found = function.__globals__.get(name)
        if isinstance(found, ModuleType):
            yield from (getattr(found, other) for other in names if hasattr(found, other))
        elif found is not None:
            yield found


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names(inner)


def test_each_mutation_leads_to_a_line() -> None:
    found = resolvers()
    assert len(found) > 80
    assert {name for name, resolver in found.items() if not reaches(resolver, audit.record_each)} == UNTOLD


def test_a_way_that_is_not_there_is_not_found() -> None:
    assert not reaches(test_each_mutation_leads_to_a_line, audit.lines)
