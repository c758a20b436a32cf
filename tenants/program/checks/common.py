"""What the checks of all sections share."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from tenants.program.document import Program
from tenants.program.findings import Finding, finding, hint, path_of

Step = str | int
Place = tuple[Step, ...]

_PROVINCES = frozenset(
    number
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82))
    for number in range(first, last + 1)
)
"""The first two digits of the codes of GB/T 2260."""


def repeated(codes: Iterable[tuple[Place, str]]) -> Iterator[Finding]:
    """Each code that was there before."""
    seen: set[str] = set()
    for steps, code in codes:
        if code in seen:
            yield finding(path_of(steps), "DUPLICATE_CODE", value=code)
        seen.add(code)


def listed(place: Place, codes: Sequence[str] | None) -> list[tuple[Place, str]]:
    """The entries of a list with their places; none of an absent one."""
    return [((*place, number), code) for number, code in enumerate(codes or ())]


def unknown_tiers(program: Program, named: Iterable[tuple[Place, str]]) -> Iterator[Finding]:
    """Each tier named that is not among the program's."""
    known = [tier.code for tier in program.tiers]
    for steps, tier in named:
        if tier not in known:
            yield finding(path_of(steps), "UNKNOWN_TIER", value=tier, **hint(tier, known))


def unknown_regions(named: Iterable[tuple[Place, str]]) -> Iterator[Finding]:
    """Each region that lies in no province."""
    for steps, region in named:
        if int(region[:2]) not in _PROVINCES:
            yield finding(path_of(steps), "REGION_UNKNOWN", value=region)


def not_rising(places: Sequence[tuple[Place, int]]) -> Iterator[Finding]:
    """Each bound that is not above the one before."""
    for (_, before), (steps, value) in pairwise(places):
        if value <= before:
            yield finding(path_of(steps), "BANDS_NOT_RISING", value=value, before=before, closest=before + 1)


def never_in_effect(place: Place, start: date | None, until: date | None) -> Iterator[Finding]:
    """Days that end before they begin."""
    if start is not None and until is not None and until <= start:
        yield finding(path_of([*place, "effective_until"]), "NEVER_IN_EFFECT", until=until, start=start)


def overlap(one: tuple[date | None, date | None], other: tuple[date | None, date | None]) -> bool:
    """Whether two spans of days ``[from, until)`` share a day; ``None`` is open."""

    def before(end: date | None, start: date | None) -> bool:
        return end is not None and start is not None and end <= start

    return not before(one[1], other[0]) and not before(other[1], one[0])
