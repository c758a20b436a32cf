"""Program versions: drafts, activation as one step, and content that never changes once it was active."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from saas.base.db import Database, transaction
from saas.base.errors import InvalidInput, NotFound, WrongState
from saas.base.paging import PageRequest
from tenants.actors import Actor, system
from tenants.errors import NoActiveProgram, ProgramHasErrors, ProgramUnreadable
from tenants.program import Finding, Program, Severity, parse, review, versions
from tenants.program.presets import preset
from tenants.program.text import Format
from tenants.program.versions import Reviewed, SaveDraft, VersionStatus
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.tenants.people import audited, table_of
from tests.tenants.program.documents import document, rates

ACTOR = system(LOTUS, "owner")
GOOD = document(rates(1000, 1500, 2000))
OTHER = document(rates(500))
BROKEN_SENSE = document(rates(9000, 2000))


@pytest.fixture(autouse=True)
async def brands(db: Database) -> Database:
    """Two brands, neither with a program."""
    await make_tenants()
    return db


async def draft(content: Mapping[str, Any] = GOOD, number: int | None = None, actor: Actor = ACTOR) -> Reviewed:
    return await versions.save_draft(SaveDraft(document=content, number=number), actor)


async def statuses() -> list[tuple[int, str]]:
    page = await versions.versions(PageRequest(100))
    return [(version.number, version.status.value) for version in reversed(page.items)]


async def test_a_draft_is_saved_validated_activated_and_then_in_force() -> None:
    with as_tenant(LOTUS):
        with pytest.raises(NoActiveProgram):
            await versions.active_program()
        saved = await draft()
        assert (saved.version.number, saved.version.status, saved.version.label) == (1, VersionStatus.DRAFT, "Program")
        assert (await versions.validate_version(1)).findings == saved.findings
        with pytest.raises(NotFound):
            await versions.program(1)
        with pytest.raises(NoActiveProgram):
            await versions.active_program()
        activated = await versions.activate(1, ACTOR)
        assert activated.version.status is VersionStatus.ACTIVE
        assert activated.version.activated_at is not None
        stored = await versions.active_program()
        assert (stored.number, stored.program) == (1, parse(GOOD))
        assert stored.compiled.components == stored.program.commission.components
    assert await audited(LOTUS) == [("owner", "program.save_draft"), ("owner", "program.activate")]


async def test_the_next_version_retires_the_one_before_which_stays_readable() -> None:
    with as_tenant(LOTUS):
        await draft()
        await versions.activate(1, ACTOR)
        await draft(OTHER)
        await versions.activate(2, ACTOR)
        assert await statuses() == [(1, "retired"), (2, "active")]
        assert (await versions.active_program()).number == 2
        assert (await versions.program(1)).program == parse(GOOD)
        assert (await versions.version_of(1)).retired_at == (await versions.version_of(2)).activated_at


async def test_what_was_ever_active_can_be_neither_replaced_nor_activated_again() -> None:
    with as_tenant(LOTUS):
        for _ in range(2):
            await draft()
        await versions.activate(1, ACTOR)
        await versions.activate(2, ACTOR)
        before = await table_of(LOTUS, "program_version")
        for number in (1, 2):
            with pytest.raises(WrongState):
                await draft(OTHER, number)
            with pytest.raises(WrongState):
                await versions.activate(number, ACTOR)
        assert await table_of(LOTUS, "program_version") == before


async def test_a_draft_may_be_replaced() -> None:
    with as_tenant(LOTUS):
        first = await draft()
        second = await draft(OTHER, 1)
        assert await statuses() == [(1, "draft")]
        assert second.version.content_hash != first.version.content_hash
        assert await versions.content_of(1) == parse(OTHER)
        with pytest.raises(NotFound):
            await draft(OTHER, 7)


async def test_a_draft_with_errors_is_kept_with_its_findings_and_cannot_be_activated() -> None:
    with as_tenant(LOTUS):
        await draft()
        await versions.activate(1, ACTOR)
        saved = await draft(BROKEN_SENSE)
        assert any(found.severity is Severity.ERROR for found in saved.findings)
        before = await table_of(LOTUS, "program_version")
        with pytest.raises(ProgramHasErrors) as refused:
            await versions.activate(2, ACTOR)
        assert refused.value.params["findings"] == saved.findings
        assert await table_of(LOTUS, "program_version") == before
        assert (await versions.active_program()).number == 1


async def test_a_document_that_is_no_program_is_refused_with_all_its_findings() -> None:
    with as_tenant(LOTUS):
        for content in ("[not: a program", {**GOOD, "currency": 5, "unknown": 1}):
            with pytest.raises(ProgramUnreadable) as refused:
                await versions.save_draft(SaveDraft(document=content), ACTOR)
            assert refused.value.params["findings"]
            assert str(refused.value.params["count"]) in refused.value.message("zh-CN")
        for label in ("x" * 101, "a\x07b", "\u202eevil"):
            with pytest.raises(InvalidInput):
                await versions.save_draft(SaveDraft(document=GOOD, label=label), ACTOR)
        assert await statuses() == []


async def test_a_program_in_another_currency_than_the_brands_cannot_be_activated() -> None:
    with as_tenant(LOTUS):
        saved = await draft({**GOOD, "currency": "USD"})
        assert [found.code for found in saved.findings if found.path == "currency"] == ["CURRENCY_NOT_THE_BRANDS"]
        with pytest.raises(ProgramHasErrors):
            await versions.activate(1, ACTOR)


@pytest.mark.parametrize("form", ["yaml", "json"])
async def test_an_export_saved_again_is_the_same_content(form: Format) -> None:
    with as_tenant(LOTUS):
        first = await versions.save_draft(SaveDraft(document=await exported("lotus", form), format=form), ACTOR)
        again = await versions.save_draft(SaveDraft(document=await versions.export(1, form), format=form), ACTOR)
        assert again.version.content_hash == first.version.content_hash
        assert await versions.content_of(2) == preset("lotus")
        assert await versions.export(2, form) == await versions.export(1, form)


async def exported(code: str, form: Format) -> str:
    number = (await draft(preset(code).model_dump(mode="json"))).version.number
    return await versions.export(number, form)


async def test_another_brands_versions_do_not_exist() -> None:
    with as_tenant(LOTUS):
        await draft()
        await versions.activate(1, ACTOR)
        await draft(OTHER)
        before = await table_of(LOTUS, "program_version")
        await versions.program(1)
    with as_tenant(CEDAR):
        actor = system(CEDAR, "owner")
        assert await statuses() == []
        with pytest.raises(NoActiveProgram):
            await versions.active_program()
        for refused in (
            versions.program(1),
            versions.version_of(1),
            versions.content_of(1),
            versions.export(1),
            versions.validate_version(1),
            versions.activate(2, actor),
            draft(GOOD, 2, actor),
        ):
            with pytest.raises(NotFound):
                await refused
        assert (await draft(OTHER, actor=actor)).version.number == 1
        await versions.activate(1, actor)
        assert (await versions.active_program()).program == parse(OTHER)
    with as_tenant(LOTUS):
        assert (await versions.active_program()).program == parse(GOOD)
        assert await table_of(LOTUS, "program_version") == before


async def test_a_program_asked_for_before_costs_one_statement_or_none(brands: Database) -> None:
    with as_tenant(LOTUS):
        await draft()
        await versions.activate(1, ACTOR)
        await versions.active_program()
        statements: list[str] = []
        brands.observer = statements.append
        assert await versions.active_program() is await versions.program(1)
        assert len(statements) == 1


async def test_an_activation_that_is_rolled_back_leaves_nothing_in_memory() -> None:
    with as_tenant(LOTUS):
        await draft()
        with pytest.raises(ZeroDivisionError):
            async with transaction():
                await versions.activate(1, ACTOR)
                assert (await versions.active_program()).program == parse(GOOD)
                raise ZeroDivisionError
        await draft(OTHER, 1)
        await versions.activate(1, ACTOR)
        assert (await versions.active_program()).program == parse(OTHER)


async def test_drafts_saved_at_once_each_get_a_number() -> None:
    with as_tenant(LOTUS):
        saved = await asyncio.gather(*(draft() for _ in range(8)))
        assert sorted(one.version.number for one in saved) == list(range(1, 9))


async def test_one_draft_activated_by_many_at_once_is_activated_once() -> None:
    with as_tenant(LOTUS):
        await draft()
        results = await asyncio.gather(*(versions.activate(1, ACTOR) for _ in range(6)), return_exceptions=True)
        assert sum(isinstance(result, Reviewed) for result in results) == 1
        assert sum(isinstance(result, WrongState) for result in results) == 5
        assert [action for _, action in await audited(LOTUS)].count("program.activate") == 1


@pytest.mark.parametrize("already", [False, True], ids=["the first", "after another"])
async def test_two_drafts_activated_at_once_leave_one_active(already: bool) -> None:
    with as_tenant(LOTUS):
        for _ in range(7):
            await draft()
        if already:
            await versions.activate(1, ACTOR)
        await asyncio.gather(*(versions.activate(number, ACTOR) for number in range(2, 8)))
        found = dict(await statuses())
        assert sorted(found.values()).count("active") == 1
        assert [found[number] for number in range(2, 8)].count("retired") == 5
        assert (await versions.active_program()).number in range(2, 8)


async def test_a_draft_cannot_be_replaced_between_its_validation_and_its_activation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replacing: list[asyncio.Task[Reviewed]] = []
    findings = review.findings_on

    async def interrupted(content: Program, content_hash: str) -> Sequence[Finding]:
        found = await findings(content, content_hash)
        if not replacing:
            replacing.append(asyncio.create_task(draft(BROKEN_SENSE, 2)))
            await asyncio.wait(replacing, timeout=0.3)
        return found

    with as_tenant(LOTUS):
        for _ in range(2):
            await draft()
        monkeypatch.setattr("tenants.program.lifecycle.findings_on", interrupted)
        await versions.activate(2, ACTOR)
        with pytest.raises(WrongState):
            await replacing[0]
        assert (await versions.active_program()).program == parse(GOOD)


async def test_versions_are_listed_the_latest_first() -> None:
    with as_tenant(LOTUS):
        for _ in range(3):
            await draft()
        first = await versions.versions(PageRequest(2))
        assert [version.number for version in first.items] == [3, 2]
        assert first.has_next
        second = await versions.versions(PageRequest(2, first.cursors[-1]))
        assert [version.number for version in second.items] == [1]
        assert not second.has_next
