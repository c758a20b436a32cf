"""What the law or the platform forbids a program (docs/rules.md §2.8). The profile is data: see ``profiles/``.

Pay for recruiting heads and entry fees need no rule: a program document has no way to express them.
"""

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from saas.base.money import BPS_WHOLE
from tenants.program.document import Program
from tenants.program.findings import Finding, Severity, finding, path_of
from tenants.program.parts import Names
from tenants.program.payout import cases, path_of_case, payable_share, pool_share, promised_share
from tenants.program.text import read

_PROFILES = Path(__file__).with_name("profiles")


class Rule(BaseModel):
    """One limit of a profile: what is measured, the most allowed, the sentence with ``{value}`` and ``{maximum}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    rule: str
    measures: Literal["paid_upline_levels", "payout_bps"]
    maximum: Annotated[int, Field(strict=True, ge=0)]
    severity: Severity
    source: str
    en: str
    zh: str


class Profile(BaseModel):
    """A jurisdiction's or the platform's rules, with the notice that they are no legal advice."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str
    notice: Names
    rules: tuple[Rule, ...]


@lru_cache(maxsize=8)
def profile(code: str) -> Profile:
    """The profile called ``code``."""
    return Profile.model_validate(read((_PROFILES / f"{code}.yaml").read_bytes(), "yaml"))


def compliance_findings(program: Program) -> Iterator[Finding]:
    """What the program's profiles object to."""
    for code in program.compliance_profile:
        for rule in profile(code).rules:
            yield from _MEASURES[rule.measures](program, rule)


def _upline_levels(program: Program, rule: Rule) -> Iterator[Finding]:
    """The level number of the farthest upline that can be paid, by any component, tier or product."""
    farthest: dict[str, int] = {}
    for case in cases(program):
        for slot in case.plan.slots:
            if slot.most:
                farthest[slot.component] = max(slot.level, farthest.get(slot.component, 0))
    for number, part in enumerate(program.commission.components):
        level = farthest.get(part.key, 0)
        if level > rule.maximum:
            place = ("levels", level) if part.kind == "level_table" else ("products",)
            yield _objection(rule, path_of(["commission", "components", number, *place]), level)


def _payout(program: Program, rule: Rule) -> Iterator[Finding]:
    """The highest share of the price that can be paid out, after pool and cap; the worst case of each place."""
    maximum = Fraction(rule.maximum, BPS_WHOLE)
    limit = payable_share(program) * pool_share(program)
    worst: dict[tuple[str, bool], Fraction] = {}
    if limit <= maximum:
        return
    unknown = None
    for case in cases(program):
        promised = promised_share(program, case)
        if promised is None:
            unknown = unknown or case
        elif promised > maximum:
            key = (path_of_case(program, case), case.certain)
            worst[key] = max(min(promised, limit), worst.get(key, maximum))
    for (path, certain), value in worst.items():
        if certain or (path, True) not in worst:
            yield _objection(rule, path, -(-value * BPS_WHOLE // 1), certain=certain)
    if unknown is not None:
        yield finding(path_of_case(program, unknown), "PAYOUT_UNKNOWN", **unknown.words())


def _objection(rule: Rule, path: str, value: int, *, certain: bool = True) -> Finding:
    numbers = {"value": value, "maximum": rule.maximum}
    return Finding(
        path=path,
        severity=rule.severity if certain else Severity.WARNING,
        code="COMPLIANCE",
        en=rule.en.format(**numbers),
        zh=rule.zh.format(**numbers),
        rule=rule.rule,
    )


_MEASURES: Mapping[str, Callable[[Program, Rule], Iterator[Finding]]] = {
    "paid_upline_levels": _upline_levels,
    "payout_bps": _payout,
}
