"""The guide to programs: its example is a program, and no setting is left out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tenants.program import Program, parse, validate
from tenants.program.presets import PRESETS

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
    assert validate(program) == []


def test_the_example_shows_every_kind_of_part() -> None:
    schema = Program.model_json_schema()
    example = GUIDE[GUIDE.index("```yaml") : GUIDE.rindex("```")]
    components = schema["$defs"]["Commission"]["properties"]["components"]["items"]["discriminator"]["mapping"]
    promotions = schema["$defs"]["PricePolicy"]["properties"]["promotions"]["items"]["discriminator"]["mapping"]
    assert [kind for kind in (*components, *promotions) if f"kind: {kind}" not in example] == []


def test_every_preset_is_in_the_guide() -> None:
    assert [code for code in PRESETS if f"`{code}`" not in GUIDE] == []


def test_every_setting_is_in_the_guide() -> None:
    names = set(settings(Program.model_json_schema())) - {"zh", "en", "code", "kind"}
    assert sorted(name for name in names if name not in GUIDE) == []
