"""What the law or the platform forbids a program (docs/rules.md §2.8). The profiles are data: see ``profiles/``."""

from collections.abc import Callable, Iterator, Mapping, Set
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from saas.base.money import BPS_WHOLE
from tenants.program.components import Component, Differential, FixedPerProduct, LevelTable, PerPieceVolume
from tenants.program.document import Program
from tenants.program.findings import Finding, Severity, finding, hint, path_of
from tenants.program.parts import Names
from tenants.program.payout import Payouts, generations_paid, levels_paid
from tenants.program.text import read

_FOLDER = Path(__file__).with_name("profiles")
PROFILES = tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))
"""The codes of all profiles."""

Measured = Literal["paid_upline_levels", "payout_bps", "recruiting_pay_minor", "entry_fee_minor"]
_NEVER: tuple[Measured, ...] = ("recruiting_pay_minor", "entry_fee_minor")


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(_Data):
    """A sentence in both languages."""

    zh: str
    en: str


class Rule(_Data):
    """One limit of a profile: what is measured, the most allowed, what is said and what to do about it.

    The sentences may name ``{value}``, ``{maximum}`` and ``{closest}``, the closest allowed value. ``overridable``:
    whether an operator of the platform may let one objection pass with a recorded reason.
    """

    rule: str
    measures: Measured
    maximum: Annotated[int, Field(strict=True, ge=0)]
    severity: Severity
    overridable: bool
    source: Said
    says: Said
    remedy: Said


class Profile(_Data):
    """A jurisdiction's or the platform's rules, with the notice that they are no legal advice.

    ``required_for``: programs in these currencies cannot do without the profile.
    """

    code: str
    name: Names
    notice: Said
    required_for: tuple[str, ...] = ()
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        """No profile leaves a measure out, and none lets pay for recruiting or entry fees pass."""
        rules = {rule.measures: rule for rule in self.rules}
        if set(rules) != set(_MEASURES):
            raise ValueError(f"a profile limits each of {', '.join(_MEASURES)}")
        for rule in (rules[measure] for measure in _NEVER):
            if rule.maximum or rule.overridable or rule.severity is not Severity.ERROR:
                raise ValueError(f"{rule.rule} must be refused, and no operator may let it pass")
        return self


class Notice(NamedTuple):
    """What a profile says of itself to whoever reads its findings."""

    profile: str
    en: str
    zh: str

    def message(self, language: str = "en") -> str:
        """The sentence in ``en`` or ``zh-CN``."""
        return self.zh if language.lower().startswith("zh") else self.en


@lru_cache(maxsize=8)
def profile(code: str) -> Profile:
    """The profile called ``code``, one of ``PROFILES``. Raises ``LookupError`` for another."""
    if code not in PROFILES:
        raise LookupError(f"no compliance profile {code}; there are {', '.join(PROFILES)}")
    return Profile.model_validate(read((_FOLDER / f"{code}.yaml").read_bytes(), "yaml"))


def notices(program: Program) -> tuple[Notice, ...]:
    """What goes with the findings of the program's profiles: that they are no legal advice."""
    said = ((code, profile(code).notice) for code in program.compliance_profile if code in PROFILES)
    return tuple(Notice(code, notice.en, notice.zh) for code, notice in said)


def unknown_profiles(program: Program) -> Iterator[Finding]:
    """Profiles that do not exist or are named twice."""
    codes = program.compliance_profile
    for number, code in enumerate(codes):
        path = path_of(["compliance_profile", *([number] if len(codes) > 1 else [])])
        if code not in PROFILES:
            yield finding(path, "UNKNOWN_PROFILE", value=code, choices=", ".join(PROFILES), **hint(code, PROFILES))
        if code in codes[:number]:
            yield finding(path, "DUPLICATE_CODE", value=code)


def required_profiles(program: Program) -> Iterator[Finding]:
    """The profiles that the program's currency asks for and it does not name."""
    for code in PROFILES:
        if program.currency in profile(code).required_for and code not in program.compliance_profile:
            yield Finding(
                path="compliance_profile",
                severity=Severity.ERROR,
                code="COMPLIANCE",
                rule=f"{code}.required",
                overridable=True,
                en=f"A program in {program.currency} is judged by the profile {code}; add it.",
                zh=f"以 {program.currency} 结算的政策须适用合规档案 {code}；请加上。",
            )


def compliance_findings(payouts: Payouts, broken: Set[str], not_whole: Set[str]) -> Iterator[Finding]:
    """What the program's profiles object to, as far as no ``broken`` section is needed to tell.

    What is paid out at most is told by sections as a whole, and not when one of those is ``not_whole``.
    """
    for code in dict.fromkeys(payouts.program.compliance_profile):
        for rule in profile(code).rules if code in PROFILES else ():
            sections, measure = _MEASURES[rule.measures]
            if (not_whole if measure is _payout else broken).isdisjoint(sections):
                yield from measure(payouts, rule)


def _recruiting(payouts: Payouts, rule: Rule) -> Iterator[Finding]:
    value = payouts.program.commission.recruiting_bonus_minor
    if value > rule.maximum:
        yield _objection(rule, "commission.recruiting_bonus_minor", value)


def _entry_fee(payouts: Payouts, rule: Rule) -> Iterator[Finding]:
    value = payouts.program.hierarchy.entry_fee_minor
    if value > rule.maximum:
        yield _objection(rule, "hierarchy.entry_fee_minor", value)


def _upline_levels(payouts: Payouts, rule: Rule) -> Iterator[Finding]:
    """The farthest upline each component can pay, by any tier or product."""
    program = payouts.program
    for number, part in enumerate(program.commission.components):
        steps: list[str | int] = ["commission", "components", number]
        if getattr(part, "measure", None) == "group_sales":
            generations = generations_paid(program, part)
            if generations is None or generations - 1 > rule.maximum:
                yield _objection(rule, path_of([*steps, "measure"]), "∞" if generations is None else generations - 1)
            continue
        level, place = _farthest(program, part)
        if level > rule.maximum:
            yield _objection(rule, "hierarchy.paid_levels" if place is None else path_of([*steps, *place]), level)


def _farthest(program: Program, part: Component) -> tuple[int, tuple[str | int, ...] | None]:
    """The highest level a line component pays, and where that is set; ``None`` is ``hierarchy.paid_levels``."""
    match part:
        case LevelTable():
            own = list(part.product_overrides.values())
            paid = (
                number
                for number, level in enumerate(part.levels)
                if level.value or any(level.by_tier.values()) or any(number < len(o) and o[number] for o in own)
            )
            level = max(paid, default=0)
            return level, ("levels", level)
        case FixedPerProduct():
            paid = (number for amounts in part.products.values() for number, each in enumerate(amounts) if each)
            return max(paid, default=0), ("products",)
        case Differential() if any(part.rates_bps.values()):
            return levels_paid(program, part) - 1, None if part.levels is None else ("levels",)
        case PerPieceVolume() | _:
            return 0, ()


def _payout(payouts: Payouts, rule: Rule) -> Iterator[Finding]:
    """The highest share of the price that can be paid out, by lines and periods; the worst case of each place."""
    maximum = Fraction(rule.maximum, BPS_WHOLE)
    worst: dict[tuple[str, bool], tuple[Fraction, int]] = {}
    unknown = None
    for case in payouts.cases:
        least, most = payouts.share(case)
        if least > maximum:
            key = (payouts.path(case), case.certain)
            if key not in worst or least > worst[key][0]:
                worst[key] = (least, _closest_cap(payouts, case.sku, maximum - case.of_sales))
        elif most > maximum:
            unknown = unknown or case
    for (path, certain), (value, closest) in worst.items():
        if certain or (path, True) not in worst:
            yield _objection(rule, path, -(-value * BPS_WHOLE // 1), certain=certain, closest=closest)
    if unknown is not None:
        yield finding(payouts.path(unknown), "PAYOUT_UNKNOWN", **unknown.words())


def _closest_cap(payouts: Payouts, sku: str | None, left: Fraction) -> int:
    """The highest cap of the base that leaves a line within ``left`` of what was paid for it."""
    share = payouts.base_share(sku)
    return max(0, min(int(left / share * BPS_WHOLE), BPS_WHOLE)) if share else 0


def _objection(rule: Rule, path: str, value: object, *, certain: bool = True, closest: int | None = None) -> Finding:
    words = {"value": value, "maximum": rule.maximum, "closest": rule.maximum if closest is None else closest}
    return Finding(
        path=path,
        severity=rule.severity if certain else Severity.WARNING,
        code="COMPLIANCE",
        en=f"{rule.says.en} {rule.remedy.en}".format(**words),
        zh=f"{rule.says.zh}{rule.remedy.zh}".format(**words),
        rule=rule.rule,
        overridable=rule.overridable,
    )


_MEASURES: Mapping[str, tuple[tuple[str, ...], Callable[[Payouts, Rule], Iterator[Finding]]]] = {
    "paid_upline_levels": (("commission", "hierarchy"), _upline_levels),
    "payout_bps": (("commission", "hierarchy", "price_policy"), _payout),
    "recruiting_pay_minor": (("commission",), _recruiting),
    "entry_fee_minor": (("hierarchy",), _entry_fee),
}
"""What is measured, with the sections it reads."""
