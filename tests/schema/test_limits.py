"""How operations are measured, and that measuring them is no work."""

import pytest
from graphql import OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from schema.limits import (
    ALIASES_MAX,
    DEPTH_MAX,
    DIRECTIVES_MAX,
    REPEATS_MAX,
    Size,
    objections,
    size_of,
    too_repetitive,
    unusable_text,
)


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


def test_directives_are_counted_wherever_they_stand_and_as_often_as_they_are_spread() -> None:
    text = (
        "query @a { x @skip(if: false) ... @include(if: true) { y } ...F @skip(if: false) ...F } "
        "fragment F on A { z @skip(if: false) @include(if: true) }"
    )
    assert size(text).directives == 1 + 1 + 1 + 1 + 2 * 2


def test_what_is_too_much_says_so_by_name() -> None:
    assert objections(Size(70, DEPTH_MAX, ALIASES_MAX, DIRECTIVES_MAX), 70) == []
    told = objections(Size(71, DEPTH_MAX + 1, ALIASES_MAX + 1, DIRECTIVES_MAX + 1), 70)
    codes = [(e.extensions or {})["code"] for e in told]
    assert codes == ["COST_EXCEEDED", "OPERATION_TOO_DEEP", "TOO_MANY_ALIASES", "TOO_MANY_DIRECTIVES"]


REPETITIVE = [
    f"{{ {'a ' * 300} }}",
    f"{{ {'... { a } ' * 300} }}",
    f"{{ {'a { b b b b b } ' * 60} }}",
    f"{{ {' '.join(f'...F{n}' for n in range(220))} }} {' '.join(f'fragment F{n} on A {{ a }}' for n in range(220))}",
    f"{{ x }} fragment Unused on A {{ {'a ' * 300} }}",
    "{ a { ...F } } fragment F on A { a { ...F } }",
    "{ ...F0 } "
    + " ".join(f"fragment F{n} on A {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }}" for n in range(60))
    + " fragment F60 on A { a }",
]


@pytest.mark.parametrize("text", REPETITIVE, ids=lambda text: str(text[:30]))
def test_what_repeats_itself_is_not_even_validated(text: str) -> None:
    """Each would have the validation compare fields by the ten thousand, or more."""
    (told,) = too_repetitive(parse(text))
    assert told.extensions == {"code": "TOO_REPETITIVE", "most": REPEATS_MAX}


@pytest.mark.parametrize(
    "text",
    [
        f"{{ {' '.join(f'a{n}' for n in range(900))} }}",
        f"{{ {' '.join(f'a{n} {{ id name }}' for n in range(400))} }}",
        f"{{ {' '.join(f'a{n} {{ ...F }}' for n in range(300))} }} fragment F on A {{ id name code {{ id }} }}",
        f"{{ {'a ' * 100} }}",
    ],
    ids=lambda text: str(text[:30]),
)
def test_long_operations_are_fine(text: str) -> None:
    assert too_repetitive(parse(text)) == []


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_text_of_any_language_is_welcome(text: str) -> None:
    assert not unusable_text([text, {"deep": [{"deeper": text}]}, 1, None, True])


@pytest.mark.parametrize("bad", ["\x00", "a\x00b", "\ud800", "x\udfff"])
def test_text_no_database_stores_is_found_wherever_it_is(bad: str) -> None:
    assert unusable_text([bad])
    assert unusable_text([{"a": [1, {"b": bad}]}])
    assert unusable_text([{bad: 1}])
