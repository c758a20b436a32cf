"""How operations are measured, and that measuring them is no work."""

import pytest
from graphql import OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from schema.limits import ALIASES_MAX, COST_MAX, DEPTH_MAX, Size, objections, size_of, unusable_text


def size(text: str, **variables: object) -> Size:
    document = parse(text)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    return size_of(operation, document, variables)


@pytest.mark.parametrize(
    ("text", "cost", "depth", "aliases"),
    [
        ("{ a }", 1, 1, 0),
        ("{ a { b c } }", 3, 2, 0),
        ("{ x: a y: b }", 2, 1, 2),
        ("{ a(first: 10) { nodes { b } } }", 1 + 10 * 2, 3, 0),
        ("{ a { nodes { b } } }", 1 + 20 * 2, 3, 0),
        ("{ a(first: 5000) { b } }", 1 + 100, 2, 0),
        ("query($n: Int!) { a(first: $n) { b } }", 1 + 7, 2, 0),
        ("query($m: Int = 90) { a(first: $m) { b } }", 1 + 90, 2, 0),
        ("query($n: Int = 90) { a(first: $n) { b } }", 1 + 7, 2, 0),
        ("query($m: Int) { a(first: $m) { b } }", 1 + 20, 2, 0),
        ("{ a { ...F ...F } } fragment F on A { b x: c }", 1 + 4, 2, 2),
        ("{ a { ... on A { b } } }", 2, 2, 0),
        ("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }", 0, 0, 0),
    ],
)
def test_sizes(text: str, cost: int, depth: int, aliases: int) -> None:
    assert size(text, n=7) == Size(cost, depth, aliases)


def test_fragments_that_spread_each_other_twice_are_measured_once() -> None:
    """Counted one by one these would be 2^60 fields."""
    fragments = "".join(f"fragment F{n} on A {{ ...F{n + 1} ...F{n + 1} }} " for n in range(60))
    assert size(f"{{ ...F0 }} {fragments} fragment F60 on A {{ a }}").cost == 2**60


def test_what_is_too_much_says_so_by_name() -> None:
    assert objections(Size(COST_MAX, DEPTH_MAX, ALIASES_MAX)) == []
    codes = [(e.extensions or {})["code"] for e in objections(Size(COST_MAX + 1, DEPTH_MAX + 1, ALIASES_MAX + 1))]
    assert codes == ["COST_EXCEEDED", "OPERATION_TOO_DEEP", "TOO_MANY_ALIASES"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_text_of_any_language_is_welcome(text: str) -> None:
    assert not unusable_text([text, {"deep": [{"deeper": text}]}, 1, None, True])


@pytest.mark.parametrize("bad", ["\x00", "a\x00b", "\ud800", "x\udfff"])
def test_text_no_database_stores_is_found_wherever_it_is(bad: str) -> None:
    assert unusable_text([bad])
    assert unusable_text([{"a": [1, {"b": bad}]}])
    assert unusable_text([{bad: 1}])
