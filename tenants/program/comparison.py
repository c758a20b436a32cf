"""Versions of a brand's program beside each other, or beside a document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saas.base.db import reading
from tenants.errors import ProgramUnreadable
from tenants.program import Program, errors_in, parse
from tenants.program.diff import Change, changes_between
from tenants.program.stored import content_of
from tenants.program.text import Format
from tenants.program.wording import Wording


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two programs and every change from the first to the second."""

    before: Program
    after: Program
    changes: Sequence[Change]

    def sentences(self, language: str) -> list[str]:
        """All changes in words, in ``en`` or ``zh-CN``."""
        wording = self.wording(language)
        return [wording.sentence(change) for change in self.changes]

    def wording(self, language: str) -> Wording:
        """What makes sentences of the changes."""
        return Wording(self.before, self.after, language)


async def compare(number: int, other: int) -> Comparison:
    """What changes from one version to another. Raises ``NotFound``."""
    async with reading():
        return between(await content_of(number), await content_of(other))


async def compare_with(number: int, document: str | bytes | Mapping[str, Any], form: Format = "yaml") -> Comparison:
    """What would change from a version to a document. Raises ``NotFound`` or ``ProgramUnreadable``."""
    parsed = parse(document, form)
    if not isinstance(parsed, Program):
        raise ProgramUnreadable("document", count=len(errors_in(parsed)), findings=parsed)
    return between(await content_of(number), parsed)


def between(before: Program, after: Program) -> Comparison:
    """The comparison of two programs."""
    return Comparison(before, after, changes_between(before, after))
