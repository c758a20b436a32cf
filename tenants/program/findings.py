"""Findings: what is wrong or doubtful in a program document, where, and what to write instead, in both languages."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum

from tenants.program.catalogue import ERRORS, WARNINGS


class Severity(StrEnum):
    """An error keeps a program from being activated; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overridden:
    """That an operator of the platform let an objection pass, with the reason that stands in the brand's audit log."""

    operator: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark on a document.

    ``path`` names the place (``commission.components[0].levels[2].rate_bps``; empty is the whole document), ``code`` is
    stable. ``rule`` is set when a compliance profile objects, and names the profile's rule; ``overridable`` tells
    whether an operator may let that pass, ``overridden`` that one did, which made a warning of an error.
    """

    path: str
    severity: Severity
    code: str
    en: str
    zh: str
    rule: str | None = None
    overridable: bool = False
    overridden: Overridden | None = None

    def message(self, language: str = "en") -> str:
        """The sentence in ``en`` or ``zh-CN``."""
        return self.zh if language.lower().startswith("zh") else self.en


CATALOGUE: dict[str, tuple[Severity, str, str]] = {
    **{code: (Severity.ERROR, *words) for code, words in ERRORS.items()},
    **{code: (Severity.WARNING, *words) for code, words in WARNINGS.items()},
}
"""Every code with its severity and its sentences; a parameter ending in ``_zh`` replaces its namesake in Chinese."""


def finding(path: str, code: str, **params: object) -> Finding:
    """Make a finding of the catalogue; ``what`` and ``what_zh`` give a parameter its own Chinese text."""
    severity, en, zh = CATALOGUE[code]
    chinese = params | {key.removesuffix("_zh"): value for key, value in params.items() if key.endswith("_zh")}
    return Finding(path=path, severity=severity, code=code, en=en.format(**params), zh=zh.format(**chinese))


NO_HINT = {"hint": "", "hint_zh": ""}
"""The parameters of a sentence without a hint."""


def hint(value: str, known: Sequence[str]) -> dict[str, str]:
    """The parameters ``hint`` and ``hint_zh`` with the known word closest to ``value``, empty when none is close."""
    close = get_close_matches(value, [word for word in known if word != value], n=1)
    return {"hint": f"; {close[0]} is close" if close else "", "hint_zh": f"，相近的有 {close[0]}" if close else ""}


def path_of(steps: Iterable[str | int]) -> str:
    """Write a place in the document as a path: ``price_policy.products["SKU-1"].guide_price_minor``."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_]\w*", step, re.ASCII):
            path += f".{step}" if path else step
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            path += f'["{quoted}"]'
    return path


def errors_in(findings: Sequence[Finding]) -> list[Finding]:
    """Those that keep a program from being activated."""
    return [item for item in findings if item.severity is Severity.ERROR]
