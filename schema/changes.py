"""What changed in the schema since it was last released, and which of it breaks those who built on it.

``schema/released.graphql`` is the schema as last released. A breaking change stands in ``schema/breaks.txt``, with the
day and the reason, or the tests refuse it; nothing is removed before the day that its deprecation names.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLObjectType, GraphQLSchema, build_schema
from graphql.utilities import (
    BreakingChange,
    DangerousChange,
    SafeChange,
    SafeChangeType,
    find_schema_changes,
)

HERE = Path(__file__).parent
RELEASED = HERE / "released.graphql"
BREAKS = HERE / "breaks.txt"
UNTIL = re.compile(r"Until (\d{4}-\d{2}-\d{2})\.$")

Change = BreakingChange | DangerousChange | SafeChange
_HEADINGS: Mapping[type, str] = {
    BreakingChange: "Breaking",
    DangerousChange: "To be looked at",
    SafeChange: "Added",
}
_MEANING: Mapping[type, str] = {
    BreakingChange: "Operations that use it stop working.",
    DangerousChange: "Operations go on working; a client that lists every value, or every default, may be surprised.",
    SafeChange: "Nobody notices who does not ask for it.",
}


def changes(before: str, after: str) -> list[Change]:
    """What is different between two schemas; other words in a description are no change."""
    found = find_schema_changes(build_schema(before), build_schema(after))
    return [one for one in found if one.type is not SafeChangeType.DESCRIPTION_CHANGED]


def unmarked_breaks(found: Sequence[Change], marks: str) -> list[str]:
    """Breaking changes that nobody has marked, and marks of what is not one."""
    broken = {one.description for one in found if isinstance(one, BreakingChange)}
    marked = {line.split(" | ")[1].strip() for line in _lines(marks)}
    return sorted(broken ^ marked)


def _lines(marks: str) -> list[str]:
    """The marks: ``day | change | reason``."""
    return [line for line in marks.splitlines() if line.strip() and not line.startswith("#")]


def deprecations(schema: GraphQLSchema) -> dict[str, str]:
    """Everything deprecated, with what to use in its place and until when it stays."""
    found = {}
    for name, kind in schema.type_map.items():
        parts: Mapping[str, object] = {}
        if isinstance(kind, GraphQLEnumType):
            parts = kind.values
        elif isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            parts = kind.fields
        for part, one in parts.items():
            told = {"": one, **{f"({argument})": a for argument, a in getattr(one, "args", {}).items()}}
            for end, what in told.items():
                if reason := getattr(what, "deprecation_reason", None):
                    found[f"{name}.{part}{end}"] = reason
    return found


def last_day(reason: str) -> date | None:
    """Until when a deprecated thing stays; a reason ends with it."""
    found = UNTIL.search(reason)
    return date.fromisoformat(found[1]) if found else None


def page(before: str, after: str, marks: str) -> str:
    """The changelog of the schema, for people."""
    found = changes(before, after)
    lines = [
        "# Changes of the schema",
        "",
        "Written by `python main.py export-schema`, from the schema and the last released (`schema/released.graphql`).",
        "A breaking change has to stand in `schema/breaks.txt`, with the day and the reason.",
        "",
        "## Deprecated",
        "",
        "| what | instead, and until when |",
        "|---|---|",
        *(f"| `{what}` | {reason} |" for what, reason in deprecations(build_schema(after)).items()),
    ]
    for kind, heading in _HEADINGS.items():
        told = sorted(one.description for one in found if isinstance(one, kind))
        lines += ["", f"## {heading}", "", _MEANING[kind], "", *(f"- {one}" for one in told or ["Nothing."])]
    marked = [line.split(" | ") for line in _lines(marks)]
    if marked:
        lines += ["", "## Why it breaks", "", *(f"- {day}: {what} {why}" for day, what, why in marked)]
    return "\n".join(lines) + "\n"


def write_page(after: str, path: Path) -> None:
    """Write the changelog beside the documents."""
    marks = BREAKS.read_text(encoding="utf-8")
    path.write_text(page(RELEASED.read_text(encoding="utf-8"), after, marks), encoding="utf-8")


def release(text: str) -> None:
    """Take a schema for released: nothing has changed since then, and nothing is broken."""
    RELEASED.write_text(text, encoding="utf-8")
    kept = [line for line in BREAKS.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    BREAKS.write_text("\n".join(kept) + "\n", encoding="utf-8")
