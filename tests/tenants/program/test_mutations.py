"""Mutated programs: validation never fails on one, and none with an error finding can be put in force."""

from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.base.db import Database, open_database, reading
from tenants.actors import system
from tenants.errors import ProgramHasErrors, ProgramUnreadable
from tenants.program import Finding, Program, Severity, as_data, errors_in, parse, validate, versions
from tenants.program.findings import CATALOGUE
from tenants.program.presets import PRESETS, preset
from tenants.program.versions import SaveDraft
from tests.factories import LOTUS, as_tenant, make_tenants
from tests.tenants.program.documents import at, documents, everything, junk

Steps = tuple[str | int, ...]
HUGE = (10**19, -1, 0, 10**13 + 1, 10_001, 2**63)


@cache
def originals() -> tuple[dict[str, Any], ...]:
    """Every preset, spelled out, and a program that uses everything."""
    return (*(as_data(preset(code)) for code in PRESETS), everything())


def places(part: Any, steps: Steps = ()) -> list[Steps]:
    """Every place in a document."""
    keys = part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    return [inner for key in keys for inner in ((*steps, key), *places(part[key], (*steps, key)))]


Change = Callable[[dict[str, Any], list[Steps], Steps, Random], None]


def delete(data: dict[str, Any], found: list[Steps], place: Steps, chance: Random) -> None:
    del at(data, *place[:-1])[place[-1]]


def rename(data: dict[str, Any], found: list[Steps], place: Steps, chance: Random) -> None:
    part, key = at(data, *place[:-1]), place[-1]
    if isinstance(part, dict):
        part[chance.choice([f"{key}s", str(key)[:-1], "kind", "key", str(key).upper(), "cap_bp", ""])] = part.pop(key)


def duplicate(data: dict[str, Any], found: list[Steps], place: Steps, chance: Random) -> None:
    part, key = at(data, *place[:-1]), place[-1]
    if isinstance(part, list):
        part.append(deepcopy(at(part, key)))
    else:
        part[f"{key}_2"] = deepcopy(part[key])


def retype(data: dict[str, Any], found: list[Steps], place: Steps, chance: Random) -> None:
    at(data, *place[:-1])[place[-1]] = retyped(at(data, *place))


def overflow(data: dict[str, Any], found: list[Steps], place: Steps, chance: Random) -> None:
    at(data, *place[:-1])[place[-1]] = chance.choice(HUGE)


def scale(data: dict[str, Any], found: list[Steps], place: Steps, chance: Random) -> None:
    place = chance.choice([one for one in found if type(at(data, *one)) is int] or [place])
    value = at(data, *place)
    if type(value) is int:
        at(data, *place[:-1])[place[-1]] = chance.choice([value * 3, value * 20, value // 3, value + 1, 0])


def nest(data: dict[str, Any], found: list[Steps], place: Steps, chance: Random) -> None:
    value = at(data, *place)
    nested = [[value], {place[-1]: value}, {"kind": "all", "of": [value] * 2}, {"kind": "any", "of": [value]}]
    at(data, *place[:-1])[place[-1]] = chance.choice(nested)


def swap(data: dict[str, Any], found: list[Steps], place: Steps, chance: Random) -> None:
    other = chance.choice(found)
    here, there = deepcopy(at(data, *place)), deepcopy(at(data, *other))
    at(data, *other[:-1])[other[-1]] = here
    if other[: len(place)] != place and place[: len(other)] != other:
        at(data, *place[:-1])[place[-1]] = there


CHANGES: tuple[Change, ...] = (delete, rename, duplicate, retype, overflow, scale, scale, scale, nest, swap)


def mutate(data: dict[str, Any], chance: Random, value: Any = None) -> None:
    """Change one place of a document, in one of many ways, or put ``value`` there."""
    found = places(data)
    if found and value is None:
        chance.choice(CHANGES)(data, found, chance.choice(found), chance)
    elif found:
        *way, key = chance.choice(found)
        at(data, *way)[key] = value


def retyped(value: Any) -> Any:
    """The same in another type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return int(value) if value.isdecimal() else [value]
    if isinstance(value, dict):
        return list(value.items())
    return dict(enumerate(value)) if isinstance(value, list) else 0


def judged(data: Any) -> tuple[Program | None, list[Finding]]:
    outcome = parse(data)
    findings = validate(outcome) if isinstance(outcome, Program) else list(outcome)
    assert isinstance(outcome, Program) or errors_in(findings)
    for found in findings:
        assert found.code in CATALOGUE
        assert found.severity in Severity
        assert found.en.strip()
        assert any("一" <= sign <= "鿿" for sign in found.zh)
    return (outcome, findings) if isinstance(outcome, Program) else (None, findings)


@pytest.mark.long
@given(
    st.integers(0, len(PRESETS)),
    st.integers(1, 3),
    st.integers(0, 2**32).map(Random),
    st.lists(junk, min_size=3, max_size=3),
)
@settings(deadline=None, max_examples=1500)
def test_a_mutated_program_is_judged_and_never_an_exception(
    original: int, count: int, chance: Random, values: list[Any]
) -> None:
    data = deepcopy(originals()[original])
    for value in values[:count]:
        mutate(data, chance, value)
    judged(data)


@pytest.mark.long
@given(documents(), st.integers(0, 2**32).map(Random), junk)
@settings(deadline=None, max_examples=300)
def test_so_is_any_other_program_mutated(data: dict[str, Any], chance: Random, value: Any) -> None:
    mutate(data, chance, value)
    judged(data)


def test_the_originals_are_sound_and_mutations_of_them_are_not_all_refused() -> None:
    counts = {"sound": 0, "refused": 0, "structure": 0}
    for data in originals():
        assert judged(data) == (parse(data), [])
    for seed in range(1000):
        program, findings = judged(mutated(seed))
        counts["structure" if program is None else "refused" if errors_in(findings) else "sound"] += 1
    assert min(counts.values()) > 25, counts


def mutated(seed: int) -> dict[str, Any]:
    chance = Random(seed)
    data = deepcopy(chance.choice(originals()))
    mutate(data, chance)
    return data


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[Database]:
    """One database is enough: what is asked of it here is no matter of SQL."""
    async with open_database(sqlite_url, pool_size=2) as database:
        await make_tenants()
        yield database


async def test_no_mutated_program_with_an_error_is_put_in_force(sqlite: Database) -> None:
    del sqlite
    actor = system(LOTUS, "owner")
    outcomes = {"unreadable": 0, "refused": 0, "active": 0}
    with as_tenant(LOTUS):
        for seed in range(1000):
            data = mutated(seed)
            program, findings = judged(data)
            before = await statuses()
            if program is None:
                with pytest.raises(ProgramUnreadable) as unreadable:
                    await versions.save_draft(SaveDraft(document=data), actor)
                assert unreadable.value.params["findings"] == tuple(findings)
                assert await statuses() == before
                outcomes["unreadable"] += 1
                continue
            number = (await versions.save_draft(SaveDraft(document=data), actor)).version.number
            if errors_in(findings) or program.currency != "CNY":
                with pytest.raises(ProgramHasErrors):
                    await versions.activate(number, actor)
                assert await statuses() == {**before, number: "draft"}
                outcomes["refused"] += 1
            else:
                await versions.activate(number, actor)
                assert (await versions.active_program()).program == program
                outcomes["active"] += 1
    assert min(outcomes.values()) > 25, outcomes


async def statuses() -> dict[int, str]:
    async with reading() as tx:
        rows = await tx.rows("SELECT number, status FROM program_version WHERE tenant_id = $1", tx.tenant_id)
    return {row["number"]: row["status"] for row in rows}
