"""What can be said about the sense of a document whose structure is broken: all findings at once, not one by one.

Sections that are whole are checked as ever. Of the commission and the price policy what is broken is left out, and the
components, products and promotions that are sound are checked.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tenants.program.document import Program
from tenants.program.findings import Finding
from tenants.program.structure import steps_of
from tenants.program.validate import findings_apart_from

_PARTS = {"commission": ("components",), "price_policy": ("products", "promotions")}
"""The sections that are checked in part, with the lists and sets of parts that do not need one another."""


def sense_of_the_rest(exc: ValidationError, data: Mapping[str, Any]) -> Iterator[Finding]:
    """The findings on the sense of what is not broken in ``data``, which ``exc`` was raised for."""
    errors = [list(steps_of(error["loc"], data)) for error in exc.errors(include_url=False)]
    if not all(errors):
        return  # the document as a whole cannot be read
    broken = {str(steps[0]) for steps in errors}
    sections = _sections()
    sound = {
        name: sections[name].validate_python(data[name]) for name in sections if name in data and name not in broken
    }
    moved: dict[str, list[int]] = {}
    for name in broken & _PARTS.keys():
        rest = _without(data.get(name), [steps[1:] for steps in errors if steps[0] == name], _PARTS[name])
        try:
            sound[name] = sections[name].validate_python(rest[0])
        except ValidationError:
            continue
        moved |= {f"{name}.{part}": numbers for part, numbers in rest[1].items()}
    partial = broken & sound.keys()
    for found in findings_apart_from(Program.model_construct(**sound), broken - partial, partial):
        yield replace(found, path=_as_it_was(found.path, moved))


def _without(
    section: object, broken: list[list[str | int]], parts: tuple[str, ...]
) -> tuple[object, dict[str, list[int]]]:
    """A section without what is broken in it; of lists also the places that the parts left had before."""
    if not isinstance(section, Mapping):
        return section, {}
    settings = {steps[0] for steps in broken if steps and not (steps[0] in parts and len(steps) > 1)}
    rest = {key: value for key, value in section.items() if key not in settings}
    places: dict[str, list[int]] = {}
    for part in parts:
        left_out = {steps[1] for steps in broken if steps[:1] == [part] and len(steps) > 1}
        content = rest.get(part)
        if isinstance(content, Mapping):
            rest[part] = {key: value for key, value in content.items() if key not in left_out}
        elif isinstance(content, list | tuple):
            places[part] = [number for number in range(len(content)) if number not in left_out]
            rest[part] = [content[number] for number in places[part]]
    return rest, places


def _as_it_was(path: str, moved: Mapping[str, list[int]]) -> str:
    """A path in the document as it was given, from one in what was left of it."""
    found = re.match(r"([a-z_.]+)\[(\d+)\]", path)
    if found is None or found[1] not in moved:
        return path
    return f"{found[1]}[{moved[found[1]][int(found[2])]}]{path[found.end() :]}"


@lru_cache(maxsize=1)
def _sections() -> dict[str, TypeAdapter[Any]]:
    return {name: TypeAdapter(field.rebuild_annotation()) for name, field in Program.model_fields.items()}
