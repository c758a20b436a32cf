"""No setting of a program and no choice is without a name that people know."""

from collections.abc import Mapping
from typing import Any

from tenants.program import Program
from tenants.program.labels import CHOICES, CHOSEN, ENTRIES, LABELS


def schemas(part: Any) -> list[Mapping[str, Any]]:
    """Every object of the document's JSON schema."""
    if isinstance(part, list):
        return [found for one in part for found in schemas(one)]
    if not isinstance(part, dict):
        return []
    here = [part["properties"]] if isinstance(part.get("properties"), dict) else []
    return here + [found for one in part.values() for found in schemas(one)]


def choices(part: Any) -> set[str]:
    if isinstance(part, list):
        return {found for one in part for found in choices(one)}
    if not isinstance(part, dict):
        return set()
    own = [part["const"]] if "const" in part else part.get("enum", [])
    return {str(one) for one in own} | {found for one in part.values() for found in choices(one)}


def test_every_setting_and_every_choice_has_a_name_in_both_languages() -> None:
    found = schemas(Program.model_json_schema())
    names = {name for one in found for name in one}
    assert names - {label.rpartition(".")[2] for label in LABELS} == set()
    assert choices(Program.model_json_schema()) - set(CHOICES) == set()
    for words in (*LABELS.values(), *CHOICES.values(), *ENTRIES.values()):
        assert words.en
        assert any("一" <= letter <= "鿿" for letter in words.zh)


def test_every_text_that_is_chosen_is_known_to_be() -> None:
    found = schemas(Program.model_json_schema())
    chosen = {name for one in found for name, setting in one.items() if choices({"at": setting, "$defs": None})}
    assert chosen - CHOSEN == set()
