"""The schema and those who built on it: what breaks is marked, what goes says when, what changed can be read."""

from datetime import date
from pathlib import Path

import pytest
from graphql import build_schema

from schema import changes
from schema.catalogue import OUTSIDE, catalogue
from schema.schema import sdl

ROOT = Path(__file__).parents[2]
CURRENT = "run `python main.py export-schema`"
BEFORE = "type Query { kept: Int old: Int with(argument: Int): Int }"


def test_nothing_breaks_that_is_not_marked() -> None:
    released, marks = changes.RELEASED.read_text(encoding="utf-8"), changes.BREAKS.read_text(encoding="utf-8")
    assert changes.unmarked_breaks(changes.changes(released, sdl()), marks) == [], "mark it in schema/breaks.txt"


@pytest.mark.parametrize(
    "after",
    [
        "type Query { kept: Int with(argument: Int): Int }",
        "type Query { kept: String old: Int with(argument: Int): Int }",
        "type Query { kept: Int old: Int with(argument: Int!): Int }",
        "type Query { kept: Int old: Int with: Int }",
        "type Query { kept: Int old: Int with(argument: Int, more: Int!): Int }",
    ],
)
def test_what_breaks_is_found_and_a_mark_lets_it_pass(after: str) -> None:
    found = changes.changes(BEFORE, after)
    (broken,) = changes.unmarked_breaks(found, "# nothing\n")
    assert changes.unmarked_breaks(found, f"2026-11-28 | {broken} | nobody used it\n") == []


def test_a_mark_of_what_breaks_nothing_is_not_left_behind() -> None:
    marks = "2026-11-28 | Query.old was removed. | nobody used it\n"
    assert changes.unmarked_breaks(changes.changes(BEFORE, BEFORE), marks) == ["Query.old was removed."]


def test_whatever_is_deprecated_says_what_to_use_and_until_when() -> None:
    found = changes.deprecations(build_schema(sdl()))
    assert found
    assert [what for what, reason in found.items() if changes.last_day(reason) is None] == []
    text = (
        'type Query { a: Int @deprecated(reason: "x") b(c: Int @deprecated(reason: "Use d. Until 2027-01-31.")): Int } '
        'enum E { F @deprecated(reason: "y") G } input I { h: Int @deprecated(reason: "z") }'
    )
    assert set(changes.deprecations(build_schema(text))) == {"Query.a", "Query.b(c)", "E.F", "I.h"}
    assert changes.last_day("Use d. Until 2027-01-31.") == date(2027, 1, 31)


def test_nothing_deprecated_was_removed_before_its_day() -> None:
    """A mark may take back much, but not a promised day."""
    released = build_schema(changes.RELEASED.read_text(encoding="utf-8"))
    left = changes.deprecations(build_schema(sdl()))
    early = {
        what: reason
        for what, reason in changes.deprecations(released).items()
        if what not in left and (day := changes.last_day(reason)) and day > date.today()  # noqa: DTZ011
    }
    assert early == {}


def test_the_changelog_of_the_schema_is_current() -> None:
    released, marks = changes.RELEASED.read_text(encoding="utf-8"), changes.BREAKS.read_text(encoding="utf-8")
    page = (ROOT / "docs" / "schema-changes.md").read_text(encoding="utf-8")
    assert page == changes.page(released, sdl(), marks), CURRENT


def test_the_changelog_tells_what_came_what_breaks_and_why() -> None:
    after = "type Query { kept: Int with(argument: Int): Int new: Int }"
    page = changes.page(BEFORE, after, "2026-11-28 | Query.old was removed. | nobody used it\n")
    assert "Query.new" in page
    assert "- 2026-11-28: Query.old was removed. nobody used it" in page


def test_the_catalogue_of_errors_is_current() -> None:
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == catalogue(), CURRENT


def test_every_code_that_the_api_writes_is_in_the_catalogue() -> None:
    import re

    written = re.compile(r"""(?:code"?[=:] ?|\d, |\(\s*)"([A-Z]+(?:_[A-Z]+)+|INTERNAL|FORBIDDEN|UNAUTHENTICATED)\"""")
    rooms = ("failures", "gate", "limits", "texts", "answers", "http", "cross_origin")
    found = {
        code for room in rooms for code in written.findall((ROOT / "schema" / f"{room}.py").read_text(encoding="utf-8"))
    }
    assert len(found) > 8
    assert found <= OUTSIDE.keys()
