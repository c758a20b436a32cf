"""What is different between two programs, as data. Pure.

Entries of a list that have a name (``key``, ``code``), a bound or a kind are matched by it, texts by themselves, all
else by its place. So a component that moved or a tier put in between does not make everything behind it look changed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from tenants.program.document import Program
from tenants.program.findings import path_of
from tenants.program.parse import as_data

NAMES: Final = ("key", "code", "above_pieces", "from_minor", "at_least", "kind")
"""What entries of lists are told apart by, the first that all of them have and none shares."""


class ChangeKind(StrEnum):
    """Whether a setting came, went or has another value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Named(NamedTuple):
    """A step to the entry of a list that has this name."""

    field: str
    value: object


class Member(NamedTuple):
    """A step to a text in a list of texts."""

    text: str


Step: TypeAlias = str | int | Named | Member


@dataclass(frozen=True, slots=True)
class Change:
    """One setting's change. ``before`` is None when it was added, ``after`` when it was removed.

    Of a list whose entries only moved, both are the names in their order.
    """

    steps: tuple[Step, ...]
    kind: ChangeKind
    before: Any
    after: Any

    @property
    def path(self) -> str:
        """The place, by names where there are some: ``commission.components[key=levels].levels[1].rate_bps``."""
        return path_written(self.steps)

    @property
    def before_json(self) -> str | None:
        """The value before, as JSON text."""
        return None if self.kind is ChangeKind.ADDED else orjson.dumps(self.before).decode()

    @property
    def after_json(self) -> str | None:
        """The value after, as JSON text."""
        return None if self.kind is ChangeKind.REMOVED else orjson.dumps(self.after).decode()


def path_written(steps: Sequence[Step]) -> str:
    """Write a place as text."""
    path = ""
    for step in steps:
        if isinstance(step, Named):
            path += f"[{step.field}={step.value}]"
        elif isinstance(step, Member):
            path += f"[{orjson.dumps(step.text).decode()}]"
        else:
            written = path_of([step])
            path += written if not path or written.startswith("[") else f".{written}"
    return path


def changes_between(before: Program, after: Program) -> list[Change]:
    """Every difference, in the order of the document; none when the two are equal."""
    return list(_compared((), as_data(before), as_data(after)))


def _compared(steps: tuple[Step, ...], before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping) and before.get("kind") == after.get("kind"):
        yield from _mappings(steps, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(steps, before, after)
    else:
        yield Change(steps, ChangeKind.CHANGED, before, after)


def _mappings(steps: tuple[Step, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for key in (*before, *(key for key in after if key not in before)):
        if key not in after:
            yield Change((*steps, key), ChangeKind.REMOVED, before[key], None)
        elif key not in before:
            yield Change((*steps, key), ChangeKind.ADDED, None, after[key])
        else:
            yield from _compared((*steps, key), before[key], after[key])


def _lists(steps: tuple[Step, ...], before: list[Any], after: list[Any]) -> Iterator[Change]:
    old, new = _by_name(before, after)
    for step, entry in old.items():
        if step in new:
            yield from _compared((*steps, step), entry, new[step])
        else:
            yield Change((*steps, step), ChangeKind.REMOVED, entry, None)
    for step, entry in new.items():
        if step not in old:
            yield Change((*steps, step), ChangeKind.ADDED, None, entry)
    stayed = [step for step in old if step in new]
    if stayed != [step for step in new if step in old]:
        yield Change(steps, ChangeKind.CHANGED, [_name(step) for step in old], [_name(step) for step in new])


def _by_name(before: list[Any], after: list[Any]) -> tuple[Mapping[Step, Any], Mapping[Step, Any]]:
    """The entries of both lists by the same kind of step."""
    for steps_of in _WAYS:
        old, new = steps_of(before), steps_of(after)
        if old is not None and new is not None:
            return old, new
    return dict(enumerate(before)), dict(enumerate(after))


def _texts(entries: list[Any]) -> Mapping[Step, Any] | None:
    """Texts by themselves, unless one is there twice."""
    if not all(isinstance(entry, str) for entry in entries):
        return None
    found: dict[Step, Any] = {Member(entry): entry for entry in entries}
    return found if len(found) == len(entries) else None


def _named(field: str, entries: list[Any]) -> Mapping[Step, Any] | None:
    """Entries by one of their settings, unless two have it in common."""
    if not all(isinstance(entry, Mapping) and field in entry for entry in entries):
        return None
    found: dict[Step, Any] = {Named(field, entry[field]): entry for entry in entries}
    return found if len(found) == len(entries) else None


_WAYS: Final[Sequence[Callable[[list[Any]], Mapping[Step, Any] | None]]] = (
    _texts,
    *(partial(_named, field) for field in NAMES),
)


def _name(step: Step) -> object:
    return step.value if isinstance(step, Named) else step.text if isinstance(step, Member) else step
