"""Scheduled versions: in force by the clock, to the microsecond, whether or not anybody brings the table up to date."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import NotFound, WrongState
from saas.base.paging import PageRequest
from tenants.actors import system
from tenants.errors import MomentNotAhead, MomentTaken, NoActiveProgram, ProgramAboutToStart, ProgramHasErrors
from tenants.program import parse, versions
from tenants.program.lifecycle import NOTICE
from tenants.program.versions import Activated, SaveDraft, VersionFilter, VersionStatus
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.tenants.people import audited, table_of
from tests.tenants.program.documents import document, rates

ACTOR = system(LOTUS, "owner")
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SPRING = datetime(2026, 4, 1, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
async def brands(db: Database) -> Database:
    """Two brands; Lotus has an active version 1 and two drafts, and it is NOW."""
    await make_tenants()
    with as_tenant(LOTUS), clock.at(NOW - timedelta(days=1)):
        for bps in (1000, 500, 700):
            await draft(bps)
        await versions.activate(1, ACTOR)
    return db


async def draft(bps: int, number: int | None = None) -> int:
    saved = await versions.save_draft(SaveDraft(document=content(bps), number=number, label=f"at {bps}"), ACTOR)
    return saved.version.number


def content(*bps: int) -> Mapping[str, Any]:
    return document(rates(*bps))


async def in_force(at: datetime) -> int:
    with clock.at(at):
        return (await versions.active_program()).number


async def statuses(at: datetime) -> list[str]:
    with clock.at(at):
        page = await versions.versions(PageRequest(100))
    return [version.status.value for version in reversed(page.items)]


async def test_it_is_in_force_from_its_very_moment_and_not_a_microsecond_before() -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            made = await versions.schedule(2, SPRING, ACTOR)
            assert (made.version.status, made.version.activated_at) == (VersionStatus.SCHEDULED, SPRING)
            assert (made.effect.replaces, made.effect.followed_by) == (1, None)
            assert (await versions.active_program()).number == 1
            with pytest.raises(NotFound):
                await versions.program(2)
            assert (await versions.active_program(SPRING)).number == 2
        assert await in_force(SPRING - INSTANT) == 1
        assert await in_force(SPRING) == 2
        with clock.at(SPRING):
            stored = await versions.active_program()
        assert (stored.activated_at, stored.program) == (SPRING, parse(content(500)))
        assert await statuses(SPRING - INSTANT) == ["active", "scheduled", "draft"]
        assert await statuses(SPRING) == ["retired", "active", "draft"]
        with clock.at(SPRING):
            assert (await versions.version_of(1)).retired_at == SPRING
            assert (await versions.version_of(2)).retired_at is None


async def test_the_table_is_brought_up_to_date_once_and_says_what_reads_said() -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            await versions.schedule(2, SPRING, ACTOR)
            await versions.schedule(3, SUMMER, ACTOR)
            assert await versions.bring_up_to_date() == []
        later = SUMMER + timedelta(days=1)
        with clock.at(later):
            before = (await versions.versions(PageRequest(100))).items
            results = await asyncio.gather(*(versions.bring_up_to_date() for _ in range(4)))
            assert sorted(map(list, results)) == [[], [], [], [2, 3]]
            assert (await versions.versions(PageRequest(100))).items == before
            assert [version.status.value for version in before] == ["active", "retired", "retired"]
            assert [version.retired_at for version in before] == [None, SUMMER, SPRING]
            assert await versions.bring_up_to_date() == []
        rows = await table_of(LOTUS, "program_version")
        assert [row["status"] for row in rows if isinstance(row, dict)] == ["retired", "retired", "active"]
    assert [line for line in await audited(LOTUS) if line[1] == "program.in_force"] == [
        ("schedule", "program.in_force")
    ] * 2


async def test_two_scheduled_versions_follow_each_other_and_say_so() -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            await versions.schedule(3, SUMMER, ACTOR)
            made = await versions.schedule(2, SPRING, ACTOR)
            assert (made.effect.replaces, made.effect.followed_by) == (1, 3)
            with pytest.raises(MomentTaken) as refused:
                await versions.schedule(await draft(900), SUMMER, ACTOR)
            assert refused.value.params["number"] == 3
        assert [await in_force(at) for at in (SPRING, SUMMER - INSTANT, SUMMER)] == [2, 2, 3]


async def test_one_activated_by_hand_meanwhile_gives_way_to_the_scheduled_one() -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            await versions.schedule(2, SPRING, ACTOR)
        with clock.at(NOW + timedelta(days=3)):
            made = await versions.activate(3, ACTOR)
            assert (made.effect.replaces, made.effect.followed_by) == (1, 2)
        assert await statuses(NOW + timedelta(days=3)) == ["retired", "scheduled", "active"]
        assert await in_force(SPRING - INSTANT) == 3
        assert await in_force(SPRING) == 2


async def test_one_activated_by_hand_after_the_moment_replaces_the_scheduled_one() -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            await versions.schedule(2, SPRING, ACTOR)
        with clock.at(SPRING + timedelta(days=1)):
            assert (await versions.activate(3, ACTOR)).effect.replaces == 2
        assert await statuses(SUMMER) == ["retired", "retired", "active"]
        assert (await versions.version_of(1)).retired_at == SPRING
        assert (await versions.version_of(2)).retired_at == SPRING + timedelta(days=1)
        assert await in_force(SUMMER) == 3


async def test_what_is_scheduled_is_frozen_until_it_is_unscheduled() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        await versions.schedule(2, SPRING, ACTOR)
        for refused in (
            draft(600, 2),
            versions.activate(2, ACTOR),
            versions.schedule(2, SUMMER, ACTOR),
            versions.roll_back(2, ACTOR),
        ):
            with pytest.raises(WrongState) as error:
                await refused
            assert "已排期" in error.value.message("zh-CN")
        assert (await versions.unschedule(2, ACTOR)).status is VersionStatus.DRAFT
        await draft(600, 2)
        assert await in_force(SUMMER) == 1
        for number in (1, 2):
            with pytest.raises(WrongState):
                await versions.unschedule(number, ACTOR)
        await versions.schedule(2, SUMMER, ACTOR)
        with clock.at(SUMMER):
            assert (await versions.active_program()).program == parse(content(600))
    done = [action for _, action in await audited(LOTUS)]
    assert [action for action in done if "schedule" in action] == [
        "program.schedule",
        "program.unschedule",
        "program.schedule",
    ]


@pytest.mark.parametrize("ahead", [-timedelta(days=1), timedelta(0), NOTICE - INSTANT])
async def test_a_moment_that_is_not_ahead_is_refused_with_the_remedy(ahead: timedelta) -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        before = await table_of(LOTUS, "program_version")
        with pytest.raises(MomentNotAhead) as refused:
            await versions.schedule(2, NOW + ahead, ACTOR)
        assert "activate the program at once" in refused.value.message()
        assert refused.value.field == "input.at"
        assert await table_of(LOTUS, "program_version") == before


async def test_in_the_last_seconds_a_schedule_stays() -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            await versions.schedule(2, SPRING, ACTOR)
        with clock.at(SPRING - NOTICE + INSTANT), pytest.raises(ProgramAboutToStart):
            await versions.unschedule(2, ACTOR)
        with clock.at(SPRING - NOTICE):
            await versions.unschedule(2, ACTOR)
        assert await in_force(SPRING) == 1


async def test_after_its_moment_it_cannot_be_unscheduled() -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            await versions.schedule(2, SPRING, ACTOR)
        with clock.at(SPRING), pytest.raises(WrongState) as refused:
            await versions.unschedule(2, ACTOR)
        assert refused.value.params["state"] == "active"


async def test_a_program_with_errors_is_not_scheduled() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        number = (await versions.save_draft(SaveDraft(document=content(9000, 2000)), ACTOR)).version.number
        with pytest.raises(ProgramHasErrors):
            await versions.schedule(number, SPRING, ACTOR)
        assert (await versions.version_of(number)).status is VersionStatus.DRAFT


async def test_the_first_version_of_a_brand_may_be_scheduled() -> None:
    with as_tenant(CEDAR):
        actor = system(CEDAR, "owner")
        with clock.at(NOW):
            await versions.save_draft(SaveDraft(document=content(500)), actor)
            made = await versions.schedule(1, SPRING, actor)
            assert made.effect.replaces is None
            with pytest.raises(NoActiveProgram):
                await versions.active_program()
        assert await in_force(SPRING) == 1


async def test_another_brands_schedule_does_not_exist() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        await versions.schedule(2, SPRING, ACTOR)
        before = await table_of(LOTUS, "program_version")
    with as_tenant(CEDAR), clock.at(NOW):
        actor = system(CEDAR, "owner")
        for refused in (versions.unschedule(2, actor), versions.schedule(3, SUMMER, actor)):
            with pytest.raises(NotFound):
                await refused
        with clock.at(SUMMER):
            assert await versions.bring_up_to_date() == []
            with pytest.raises(NoActiveProgram):
                await versions.active_program()
    with as_tenant(LOTUS):
        assert await table_of(LOTUS, "program_version") == before


async def test_the_version_in_force_is_still_found_by_one_statement(brands: Database) -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            await versions.schedule(2, SPRING, ACTOR)
            await versions.active_program()
        await in_force(SPRING)
        statements: list[str] = []
        brands.observer = statements.append
        assert await in_force(NOW) == 1
        assert await in_force(SPRING) == 2
        assert len(statements) == 2


async def test_two_who_schedule_at_once_get_one_moment_each() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        wanted = [(2, SPRING), (3, SPRING), (4, SUMMER), (4, SUMMER + INSTANT), (4, SUMMER + 2 * INSTANT)]
        await draft(800)
        results = await asyncio.gather(
            *(versions.schedule(number, at, ACTOR) for number, at in wanted), return_exceptions=True
        )
        kinds = [type(result) for result in results]
        assert sorted(map(str, kinds[:2])) == sorted(map(str, [Activated, MomentTaken]))
        assert sorted(map(str, kinds[2:])) == sorted(map(str, [Activated, WrongState, WrongState]))
        assert sorted(await statuses(NOW)) == ["active", "draft", "scheduled", "scheduled"]


async def test_scheduling_and_activating_one_draft_at_once_does_one_of_the_two() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        for number in (2, 3):
            results = await asyncio.gather(
                versions.schedule(number, SPRING + timedelta(days=number), ACTOR),
                versions.activate(number, ACTOR),
                return_exceptions=True,
            )
            assert sum(isinstance(result, Activated) for result in results) == 1
            assert sum(isinstance(result, WrongState) for result in results) == 1


async def test_activating_and_bringing_up_to_date_at_once_leave_one_active() -> None:
    with as_tenant(LOTUS):
        with clock.at(NOW):
            await versions.schedule(2, SPRING, ACTOR)
        with clock.at(SPRING + INSTANT):
            await asyncio.gather(versions.activate(3, ACTOR), *(versions.bring_up_to_date() for _ in range(4)))
            assert await statuses(SPRING + INSTANT) == ["retired", "retired", "active"]
            assert (await versions.active_program()).number == 3


async def test_a_dry_run_says_what_would_happen_and_writes_nothing() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        await versions.schedule(2, SPRING, ACTOR)
        before = (await table_of(LOTUS, "program_version"), await audited(LOTUS))
        would = await versions.activate(3, ACTOR, dry_run=True)
        assert (would.version.status, would.effect.at) == (VersionStatus.DRAFT, NOW)
        assert (would.effect.replaces, would.effect.followed_by) == (1, 2)
        later = await versions.schedule(3, SUMMER, ACTOR, dry_run=True)
        assert (later.version.status, later.effect.replaces, later.effect.at) == (VersionStatus.DRAFT, 2, SUMMER)
        for at, refusal in ((SPRING, MomentTaken), (NOW, MomentNotAhead)):
            with pytest.raises(refusal):
                await versions.schedule(3, at, ACTOR, dry_run=True)
        with pytest.raises(WrongState):
            await versions.activate(1, ACTOR, dry_run=True)
        assert (await table_of(LOTUS, "program_version"), await audited(LOTUS)) == before
        broken = (await versions.save_draft(SaveDraft(document=content(9000, 2000)), ACTOR)).version.number
        with pytest.raises(ProgramHasErrors):
            await versions.activate(broken, ACTOR, dry_run=True)


async def test_rolling_back_puts_an_older_content_in_force_as_a_new_version() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        await versions.activate(2, ACTOR)
        made = await versions.roll_back(1, ACTOR)
        assert (made.version.number, made.version.based_on, made.version.label) == (4, 1, "at 1000")
        assert made.effect.replaces == 2
        assert made.version.content_hash == (await versions.version_of(1)).content_hash
        assert await statuses(NOW) == ["retired", "retired", "draft", "active"]
        assert (await versions.active_program()).program == parse(content(1000))
        again = await versions.roll_back(2, ACTOR, "as in spring")
        assert (again.version.number, again.version.label) == (5, "as in spring")
        for number in (3, 5):
            with pytest.raises(WrongState) as refused:
                await versions.roll_back(number, ACTOR)
            assert refused.value.params["needed"] == "retired"
    assert [action for _, action in await audited(LOTUS)][-2:] == ["program.roll_back"] * 2
    with as_tenant(CEDAR), pytest.raises(NotFound):
        await versions.roll_back(1, system(CEDAR, "owner"))


async def test_rolling_back_is_checked_like_any_activation(monkeypatch: pytest.MonkeyPatch) -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        await versions.activate(2, ACTOR)
        broken = parse(content(9000, 2000))

        async def other(number: int) -> object:
            return broken

        before = await table_of(LOTUS, "program_version")
        monkeypatch.setattr("tenants.program.lifecycle.content_of", other)
        with pytest.raises(ProgramHasErrors):
            await versions.roll_back(1, ACTOR)
        assert await table_of(LOTUS, "program_version") == before


async def test_rolled_back_by_two_at_once_both_happen_one_after_the_other() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        await versions.activate(2, ACTOR)
        made = await asyncio.gather(*(versions.roll_back(1, ACTOR) for _ in range(3)))
        assert sorted(one.version.number for one in made) == [4, 5, 6]
        assert sorted(await statuses(NOW)) == ["active", "draft", "retired", "retired", "retired", "retired"]


async def test_versions_are_found_by_status_and_by_a_part_of_their_label() -> None:
    with as_tenant(LOTUS), clock.at(NOW):
        await versions.schedule(2, SPRING, ACTOR)
        await versions.save_draft(SaveDraft(document=content(100), label="100%_Größe 春季"), ACTOR)

        async def found(**wanted: Any) -> list[int]:
            page = await versions.versions(PageRequest(100), VersionFilter(**wanted))
            return [version.number for version in page.items]

        assert await found(status=VersionStatus.SCHEDULED) == [2]
        assert await found(status=VersionStatus.DRAFT) == [4, 3]
        assert await found(status=VersionStatus.DRAFT, search="AT ") == [3]
        assert await found(search="%_g") == await found(search="春") == [4]
        assert await found(search="_t") == []
        with clock.at(SPRING):
            assert await found(status=VersionStatus.ACTIVE) == [2]
            assert await found(status=VersionStatus.RETIRED) == [1]
            assert await found(status=VersionStatus.SCHEDULED) == []
