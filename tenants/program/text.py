"""YAML and JSON texts to plain data and back, strictly: no duplicate key, no alias, no guessing.

Only the plain core of YAML is read: ``null``, ``true``, ``false``, decimal numbers and text. A SKU like ``0123`` stays
text, a day stays text, and no document can grow in memory beyond its length.
"""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, NoReturn

import yaml

from tenants.program.findings import Finding, finding, path_of

Format = Literal["yaml", "json"]
SIZE_MAX = 1_000_000
"""Characters read at most: a program of some ten thousand products."""
DEPTH_MAX = 30

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,30})")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}


class Unreadable(Exception):
    """The text is no document; carries the finding that says why."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.en)
        self.found = found


def read(text: str | bytes, form: Format) -> object:
    """The plain data of a text. Raises ``Unreadable`` and nothing else."""
    if len(text) > SIZE_MAX:
        _refuse("", "TOO_LARGE", size=len(text), limit=SIZE_MAX)
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
        return _Composer(decoded).document() if form == "yaml" else _once(check_depth(_read_json(decoded)))
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        why = str(getattr(exc, "problem", None) or exc).splitlines()[0]
        _not_readable(f"{why} (line {mark.line + 1})" if mark is not None else why)
    except (ValueError, ArithmeticError, RecursionError) as exc:
        _not_readable("a number is too long" if isinstance(exc, ArithmeticError) else str(exc))


def check_depth(data: object) -> object:
    """``data`` itself, when it is nested no deeper than a document may be; else raises ``Unreadable``."""
    inner, depth = [data], 0
    while inner:
        if depth > DEPTH_MAX:
            _not_readable(f"more than {DEPTH_MAX} levels of nesting")
        inner = [item for part in inner for item in _items(part)]
        depth += 1
    return data


def _items(part: object) -> Iterable[object]:
    if isinstance(part, Mapping):
        return part.values()
    return part if isinstance(part, list | tuple) else ()


def write(data: dict[str, Any], form: Format) -> str:
    """Write plain data so that ``read`` gives it back, keys in their order."""
    if form == "json":
        return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)


def _refuse(path: str, code: str, **params: object) -> NoReturn:
    raise Unreadable(finding(path, code, **params))


def _not_readable(why: str) -> NoReturn:
    _refuse("", "NOT_READABLE", why=why[:200])


class _Repeating(dict[str, object]):
    """The content of a JSON object in which ``key`` is there twice."""

    key: str


def _once(data: object, steps: tuple[str | int, ...] = ()) -> object:
    """``data`` itself, when no object in it has a key twice; else raises ``Unreadable``."""
    if isinstance(data, _Repeating):
        _refuse(path_of([*steps, data.key]), "DUPLICATE_KEY", key=data.key)
    for step, part in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        _once(part, (*steps, step))
    return data


def _read_json(text: str) -> object:
    def keyed(pairs: list[tuple[str, object]]) -> dict[str, object]:
        content = dict(pairs)
        "".join(content).encode()  # half a character is a ValueError: no answer could hold it
        if len(content) == len(pairs):
            return content
        repeating = _Repeating(content)
        keys = [key for key, _ in pairs]
        repeating.key = next(key for key in keys if keys.count(key) > 1)
        return repeating

    def no_constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is no number")

    return json.loads(text, object_pairs_hook=keyed, parse_constant=no_constant, parse_float=Decimal)


class _Composer:
    """Builds plain data from the parser's events, one look ahead."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=_LOADER)
        self._steps: list[str | int] = []

    def document(self) -> object:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        content = self._node(next(self._events))
        next(self._events)
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            self._not_plain()
        return content

    def _node(self, event: yaml.Event) -> object:
        if getattr(event, "anchor", None) is not None or getattr(event, "tag", None) not in (None, "!"):
            self._not_plain()
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if len(self._steps) >= DEPTH_MAX:
            _not_readable(f"more than {DEPTH_MAX} levels of nesting")
        return self._sequence() if isinstance(event, yaml.SequenceStartEvent) else self._mapping()

    def _sequence(self) -> list[object]:
        content: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self._steps.append(len(content))
            content.append(self._node(event))
            self._steps.pop()
        return content

    def _mapping(self) -> dict[object, object]:
        content: dict[object, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                _not_readable("a key is no plain text")
            key = self._node(event)
            self._steps.append(str(event.value))
            if key in content:
                _refuse(path_of(self._steps), "DUPLICATE_KEY", key=event.value)
            content[key] = self._node(next(self._events))
            self._steps.pop()
        return content

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        text = str(event.value)
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text)
        return Decimal(text) if _FLOAT.fullmatch(text) else text

    def _not_plain(self) -> NoReturn:
        _refuse(path_of(self._steps), "NOT_PLAIN_DATA")
