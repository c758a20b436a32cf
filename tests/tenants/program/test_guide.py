"""The guide to programs: its example is a program, and no setting is left out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tenants.program import Program, errors_in, parse, validate

GUIDE = (Path(__file__).parents[3] / "docs" / "programs.md").read_text(encoding="utf-8")


def settings(schema: dict[str, Any]) -> Iterator[str]:
    """Every key of every part of a document."""
    for part in (schema, *schema["$defs"].values()):
        yield from part.get("properties", {})


def test_the_example_is_a_program_without_errors() -> None:
    example = re.search(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert example
    program = parse(example[1], "yaml")
    assert isinstance(program, Program), program
    assert not errors_in(validate(program))


def test_every_setting_is_in_the_guide() -> None:
    names = set(settings(Program.model_json_schema())) - {"zh", "en", "code", "kind"}
    assert sorted(name for name in names if name not in GUIDE) == []
