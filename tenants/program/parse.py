"""Program documents in and out: YAML, JSON or plain data to a ``Program``, or to all findings at once; and back."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tenants.program.document import Program
from tenants.program.findings import NO_HINT, Finding, finding
from tenants.program.salvage import sense_of_the_rest
from tenants.program.structure import structural
from tenants.program.text import Format, Unreadable, check_depth, read, write

Findings = tuple[Finding, ...]


def parse(document: str | bytes | Mapping[str, Any], form: Format = "yaml") -> Program | Findings:
    """Read a program document; ``form`` tells how a text is written and means nothing for plain data.

    Answers the program when its structure is right (``validate`` then tells whether it makes sense), or else every
    finding that can be made: those on the structure, and those on the sense of the sections that are not broken.
    Never raises, whatever text or plain data it is given.
    """
    try:
        data = read(document, form) if isinstance(document, str | bytes) else check_depth(document)
    except Unreadable as exc:
        return (exc.found,)
    if not isinstance(data, Mapping):
        return (finding("", "WRONG_TYPE", value="The document", value_zh="文档", **_SETTINGS, **NO_HINT),)
    try:
        return Program.model_validate(data)
    except ValidationError as exc:
        return (*structural(exc, data), *sense_of_the_rest(exc, data))


def as_data(program: Program) -> dict[str, Any]:
    """The program as plain data, every setting spelled out, so that a later default changes nothing."""
    return program.model_dump(mode="json")


def dump(program: Program, form: Format = "yaml") -> str:
    """Write the program as one document; ``parse`` gives back an equal program, and its dump the same text."""
    return write(as_data(program), form)


_SETTINGS = {"expected": "a set of settings", "expected_zh": "一组设置"}
