"""What is different between two programs, in words: one sentence for each change, naming it as people do. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from saas.base.errors import Said
from saas.base.money import formatted
from tenants.program.diff import Change, ChangeKind, Member, Named, Step, changes_between
from tenants.program.document import Program
from tenants.program.labels import CHOICES, CHOSEN, ENTRIES, LABELS
from tenants.program.parse import as_data

LONGEST: Final = 240
"""Letters of one value; the data of the change has all of it."""

KEYED: Final[Mapping[str, int]] = {
    "by_tier": 1,
    "costs_minor": 1,
    "prices_minor": 1,
    "product_overrides": 1,
    "products": 1,
    "purchase_price_minor": 1,
    "rates_bps": 1,
    "regional_purchase_price_minor": 2,
    "regions": 1,
    "values_minor": 1,
}
"""Settings whose parts have names that the brand chose, and how deep."""
_TIERS: Final = {"by_tier", "purchase_price_minor", "rates_bps", "tiers"}
"""Settings whose entries are tiers."""
_FROM_ZERO: Final = {"levels"}
"""Lists that people do not count from one: levels count from the seller, who is 0."""


class _Part(NamedTuple):
    """A setting on the way to a value, with the entries of it that the way goes through."""

    outer: str
    field: str
    entries: tuple[Step, ...]
    way: tuple[Step, ...]


class Wording:
    """The sentences about the changes from one program to another, in ``en`` or ``zh-CN``."""

    def __init__(self, before: Program, after: Program, language: str) -> None:
        self._before = as_data(before)
        self._after = as_data(after)
        self._zh = language.lower().startswith("zh")
        tiers = (*self._before["tiers"], *self._after["tiers"])
        self._tiers = {tier["code"]: tier["name"]["zh" if self._zh else "en"] for tier in tiers}

    def sentence(self, change: Change) -> str:
        """``Commission, component levels, level 1: rate 15 % → 12 %``."""
        *places, what = self._labels(change.steps)
        comma, colon = ("，", "：") if self._zh else (", ", ": ")
        place = f"{comma.join(places)}{colon}{what}" if places else what
        return f"{place[:1].upper()}{place[1:]} {self._told(change)}"

    def _told(self, change: Change) -> str:
        if change.kind is ChangeKind.CHANGED:
            old = self._value(self._before, change.steps, change.before)
            new = self._value(self._after, change.steps, change.after)
            if isinstance(change.before, list) and isinstance(change.after, list):
                return self._say(Said(f"now in the order {new}, before {old}", f"顺序由 {old} 改为 {new}"))
            return f"{old} → {new}"
        added = change.kind is ChangeKind.ADDED
        word = self._say(Said("added", "新增") if added else Said("removed", "删除"))
        if isinstance(change.steps[-1], Member):
            return word
        document, value = (self._after, change.after) if added else (self._before, change.before)
        return f"{word}{self._inside(self._value(document, change.steps, value))}"

    # -- places ----------------------------------------------------------------------------------------------

    def _labels(self, steps: Sequence[Step]) -> list[str]:
        """What each part of the way is called."""
        labels: list[str] = []
        for part in _parts(steps):
            if not part.entries:
                labels.append(self._say(_found(LABELS, part)))
                continue
            first, *inner = part.entries
            labels.append(self._say(_found(ENTRIES, part)).format(self._entry(part.field, first, part.way)))
            for step in inner:
                name = "levels" if isinstance(step, int) else "tiers"
                labels.append(self._say(ENTRIES[name]).format(self._entry(name, step, part.way)))
        return labels

    def _entry(self, field: str, step: Step, way: tuple[Step, ...]) -> str:
        """The name of an entry of the list that ``way`` leads to."""
        if isinstance(step, int):
            return str(step if field in _FROM_ZERO else step + 1)
        if isinstance(step, Named) and step.field == "kind":
            return self._say(CHOICES[str(step.value)])
        if isinstance(step, Named) and isinstance(step.value, int):
            document = next(one for one in (self._after, self._before) if _has(one, (*way, step)))
            return (
                f"{self._say(LABELS[step.field])} {self._number(_unit(document, (*way, step, step.field)), step.value)}"
            )
        name = str(step.text if isinstance(step, Member) else step.value if isinstance(step, Named) else step)
        return self._tiers.get(name, name) if field in _TIERS else name

    # -- values ----------------------------------------------------------------------------------------------

    def _value(self, document: Mapping[str, Any], steps: tuple[Step, ...], value: Any) -> str:
        said = self._any(document, steps, value)
        return said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"

    def _any(self, document: Mapping[str, Any], steps: tuple[Step, ...], value: Any) -> str:
        if value is None:
            return self._say(Said("not set", "未设置"))
        if isinstance(value, bool):
            return self._say(Said("yes", "是") if value else Said("no", "否"))
        if isinstance(value, int):
            return self._number(_unit(document, steps), value)
        if isinstance(value, str):
            return self._text(_parts(steps)[-1].field, value)
        if isinstance(value, Mapping) and value.keys() == {"zh", "en"}:
            return str(value["zh" if self._zh else "en"])
        said = self._several(document, steps, value)
        return ("；" if self._zh else "; ").join(said) or self._say(Said("none", "无"))

    def _several(self, document: Mapping[str, Any], steps: tuple[Step, ...], value: Any) -> Iterator[str]:
        """Settings or entries one by one; what is not set is not said."""
        length = 0
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            if length > LONGEST:
                return
            if inner in (None, [], {}) or key in {"key", "code"}:
                continue
            way = (*steps, key)
            said = self._any(document, way, inner)
            if isinstance(inner, list) or (isinstance(inner, Mapping) and inner.keys() != {"zh", "en"}):
                said = f"{self._labels(way)[-1]}{self._inside(said)}"
            elif key != "kind" and not (isinstance(key, int) and isinstance(inner, str)):
                said = f"{self._labels(way)[-1]} {said}"
            length += len(said)
            yield said

    def _inside(self, said: str) -> str:
        return f"（{said}）" if self._zh else f" ({said})"

    def _text(self, field: str, value: str) -> str:
        if field in CHOSEN:
            return self._say(CHOICES[value]) if value in CHOICES else value
        return self._tiers.get(value, value) if field in _TIERS else value

    def _number(self, unit: str, value: int) -> str:
        if unit.endswith("_bps"):
            return f"{value // 100}.{value % 100:02}".rstrip("0").rstrip(".") + " %"
        if unit.endswith("_minor"):
            return formatted(value, str(self._after["currency"]), "zh-CN" if self._zh else "en")
        return str(value)

    def _say(self, words: Said) -> str:
        return words.zh if self._zh else words.en


def in_words(before: Program, after: Program, language: str = "en") -> list[str]:
    """A sentence for every difference, in ``en`` or ``zh-CN``."""
    wording = Wording(before, after, language)
    return [wording.sentence(change) for change in changes_between(before, after)]


def _parts(steps: Sequence[Step]) -> list[_Part]:
    """The settings on a way, each with the entries that belong to it."""
    parts: list[_Part] = []
    at = 0
    while at < len(steps):
        field, first = str(steps[at]), at + 1
        names = KEYED.get(field, 0)
        at = first
        while at < len(steps) and (not isinstance(steps[at], str) or at - first < names):
            at += 1
        parts.append(_Part(parts[-1].field if parts else "", field, tuple(steps[first:at]), tuple(steps[:first])))
    return parts


def _found(words: Mapping[str, Said], part: _Part) -> Said:
    return words.get(f"{part.outer}.{part.field}") or words[part.field]


def _unit(document: Mapping[str, Any], steps: tuple[Step, ...]) -> str:
    """The setting whose name tells what a number is: an amount, a rate, or a plain number."""
    part = _parts(steps)[-1]
    above = steps[: len(steps) - len(part.entries) - 1]
    if part.field == "by_tier":
        return "rate_bps" if "rate_bps" in _at(document, above) else "per_piece_minor"
    if part.field == "product_overrides":
        level = _at(document, above)["levels"][part.entries[-1]]
        return "rate_bps" if "rate_bps" in level else "per_piece_minor"
    if part.field == "products":
        return "window_days" if steps[0] == "returns" else "per_piece_minor"
    if part.field == "at_least" and above and isinstance(above[-1], int | Named):
        owner = _at(document, above[:-2])
        return "" if owner.get("measure", "orders") in {"orders", "pieces"} else "sales_minor"
    return part.field


def _has(document: Any, steps: Sequence[Step]) -> bool:
    try:
        _at(document, steps)
    except (KeyError, IndexError, TypeError, StopIteration):
        return False
    return True


def _at(document: Any, steps: Sequence[Step]) -> Any:
    """The part of a document at these steps."""
    for step in steps:
        if isinstance(step, Named):
            document = next(entry for entry in document if entry.get(step.field) == step.value)
        else:
            document = document[step.text if isinstance(step, Member) else step]
    return document
