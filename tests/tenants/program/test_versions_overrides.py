"""Overrides: an operator lets one objection to one content pass, with a reason; nobody else does, and nothing more."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from saas.base.db import Database, reading
from saas.base.errors import NotFound, ReasonRefused
from saas.base.ids import PLATFORM, TenantId
from saas.base.paging import PageRequest
from tenants.actors import Actor, Role, system
from tenants.errors import AlreadyOverridden, FindingNotThere, Forbidden, NotOverridable, ProgramHasErrors
from tenants.program import Severity, versions
from tenants.program.overrides import OverrideFinding, override_finding, overrides, overrides_in
from tenants.program.versions import Reviewed, SaveDraft, VersionStatus
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.tenants.people import OPERATOR, audited, table_of
from tests.tenants.program.documents import document, rates

OWNER = system(LOTUS, "owner")
RULE = "CN.upline_levels"
PLACE = "commission.components[0].levels[3]"
DEEP = document(rates(1000, 500, 500, 500))
"""Three upline levels: one more than the profile CN allows."""
WHY = OverrideFinding(tenant_id=LOTUS, number=1, rule=RULE, path=PLACE, reason=" licensed, ref. 2026/17 ")


@pytest.fixture(autouse=True)
async def brands(db: Database) -> Database:
    """Two brands, each with the same draft that cannot be activated."""
    await make_tenants()
    for tenant_id in (LOTUS, CEDAR):
        with as_tenant(tenant_id):
            await save(DEEP, system(tenant_id, "owner"))
    return db


async def save(content: Mapping[str, Any], actor: Actor = OWNER, number: int | None = None) -> Reviewed:
    return await versions.save_draft(SaveDraft(document=content, number=number), actor)


async def severity(number: int = 1) -> Severity:
    found = (await versions.validate_version(number)).findings
    return next(one.severity for one in found if (one.rule, one.path) == (RULE, PLACE))


async def test_what_is_overridden_is_a_warning_that_says_who_when_and_why() -> None:
    with as_tenant(LOTUS), pytest.raises(ProgramHasErrors):
        await versions.activate(1, OWNER)
    reviewed = await override_finding(WHY, OPERATOR)
    (found,) = [one for one in reviewed.findings if one.rule == RULE]
    assert found.severity is Severity.WARNING
    assert found.overridden is not None
    assert (found.overridden.operator, found.overridden.reason) == ("operator", "licensed, ref. 2026/17")
    with as_tenant(LOTUS):
        assert (await versions.activate(1, OWNER)).version.status is VersionStatus.ACTIVE
        (kept,) = (await overrides(PageRequest(10))).items
        assert (kept.rule, kept.path, kept.program_number, kept.overridden_by) == (RULE, PLACE, 1, OPERATOR.id)
        assert kept.overridden_at == found.overridden.at
    assert ("operator", "tenant.cross") in await audited(LOTUS)
    assert ("operator", "program.override") in await audited(LOTUS)
    with as_tenant(LOTUS):
        async with reading() as tx:
            detail = await tx.value(
                "SELECT detail FROM audit_log WHERE tenant_id = $1 AND action = 'program.override'", tx.tenant_id
            )
    assert all(word in detail for word in (RULE, PLACE, "licensed"))


async def test_the_neighbour_with_the_same_content_is_not_meant() -> None:
    before = (await table_of(CEDAR, "program_version"), await audited(CEDAR))
    await override_finding(WHY, OPERATOR)
    with as_tenant(CEDAR):
        assert await severity() is Severity.ERROR
        assert (await overrides(PageRequest(10))).items == []
        with pytest.raises(ProgramHasErrors):
            await versions.activate(1, system(CEDAR, "owner"))
    assert (await table_of(CEDAR, "program_version"), await audited(CEDAR)) == before
    assert await table_of(CEDAR, "compliance_override") == []


async def test_other_content_is_judged_anew_and_the_same_content_is_not() -> None:
    await override_finding(WHY, OPERATOR)
    with as_tenant(LOTUS):
        await save(document(rates(1000, 500, 500, 400)), number=1)
        assert await severity() is Severity.ERROR
        await save(DEEP, number=1)
        assert await severity() is Severity.WARNING
        await versions.activate(1, OWNER)
        await save(document(rates(500)))
        await versions.activate(2, OWNER)
        assert (await versions.roll_back(1, OWNER)).version.status is VersionStatus.ACTIVE


async def test_a_rule_that_nobody_may_override_any_more_is_an_error_again(monkeypatch: pytest.MonkeyPatch) -> None:
    await override_finding(WHY, OPERATOR)
    with as_tenant(LOTUS):
        found = (await versions.validate_version(1)).findings
        strict = [replace(one, severity=Severity.ERROR, overridable=False, overridden=None) for one in found]
        other = replace(strict[0], rule="CN.other", overridable=True)
        monkeypatch.setattr("tenants.program.review.validate", lambda content: [*strict, other])
        assert await severity() is Severity.ERROR


async def test_only_the_one_finding_is_meant() -> None:
    with as_tenant(LOTUS):
        await save(document(rates(1000, 500, 500, 500), rates(0, 0, 0, 100, key="more")), number=1)
    await override_finding(WHY, OPERATOR)
    with as_tenant(LOTUS), pytest.raises(ProgramHasErrors) as refused:
        await versions.activate(1, OWNER)
    assert refused.value.params["count"] == 1


@pytest.mark.parametrize("role", [Role.OWNER, Role.FINANCE, Role.OPERATIONS, Role.AUDITOR, Role.API_KEY, Role.SYSTEM])
async def test_nobody_but_an_operator_overrides_or_reads_another_brands(role: Role) -> None:
    actor = replace(OPERATOR, role=role, tenant_id=LOTUS)
    before = (await table_of(LOTUS, "compliance_override"), await audited(LOTUS))
    with pytest.raises(Forbidden):
        await override_finding(WHY, actor)
    if role is not Role.SYSTEM:
        with pytest.raises(Forbidden):
            await overrides_in(LOTUS, PageRequest(10), actor)
    assert (await table_of(LOTUS, "compliance_override"), await audited(LOTUS)) == before


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        ("CN.recruiting_pay", document(rates(500), recruiting_bonus_minor=100)),
        ("CN.entry_fee", {**document(rates(500)), "hierarchy": {**DEEP["hierarchy"], "entry_fee_minor": 9900}}),
    ],
)
async def test_what_the_law_forbids_outright_is_never_let_pass(rule: str, content: Mapping[str, Any]) -> None:
    with as_tenant(LOTUS):
        found = (await save(content, number=1)).findings
    (path,) = [one.path for one in found if one.rule == rule]
    with pytest.raises(NotOverridable):
        await override_finding(replace(WHY, rule=rule, path=path), OPERATOR)
    assert await table_of(LOTUS, "compliance_override") == []
    with as_tenant(LOTUS), pytest.raises(ProgramHasErrors):
        await versions.activate(1, OWNER)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("CN.total_payout", PLACE),
        (RULE, "commission.components[0].levels[2]"),
        ("", ""),
        (RULE, "commission.components"),
    ],
)
async def test_what_is_no_objection_cannot_be_overridden(rule: str, path: str) -> None:
    with pytest.raises(FindingNotThere):
        await override_finding(replace(WHY, rule=rule, path=path), OPERATOR)
    assert await table_of(LOTUS, "compliance_override") == []


@pytest.mark.parametrize("reason", ["", "  ", "\u202e\u200b\u200b", "a\x07b", "x" * 501])
async def test_a_reason_can_be_read_back(reason: str) -> None:
    with pytest.raises(ReasonRefused) as refused:
        await override_finding(replace(WHY, reason=reason), OPERATOR)
    assert refused.value.field == "input.reason"
    assert await audited(LOTUS) == [("owner", "program.save_draft")]
    await override_finding(replace(WHY, reason="yes"), OPERATOR)


async def test_a_version_or_brand_that_is_not_there_has_nothing_to_override() -> None:
    with pytest.raises(NotFound):
        await override_finding(replace(WHY, number=7), OPERATOR)
    for nobody in (TenantId(77), PLATFORM):
        with pytest.raises(LookupError):
            await override_finding(replace(WHY, tenant_id=nobody), OPERATOR)


async def test_once_is_enough_even_when_two_do_it_at_once() -> None:
    results = await asyncio.gather(*(override_finding(WHY, OPERATOR) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, Reviewed) for result in results) == 1
    assert sum(isinstance(result, AlreadyOverridden) for result in results) == 3
    assert len(await table_of(LOTUS, "compliance_override")) == 1


async def test_the_draft_is_not_replaced_between_its_review_and_the_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    review = versions.validate_version
    replacing: list[asyncio.Task[Reviewed]] = []

    async def interrupted(number: int) -> Reviewed:
        reviewed = await review(number)
        if not replacing:
            with as_tenant(LOTUS):
                replacing.append(asyncio.create_task(save(document(rates(500)), number=1)))
            await asyncio.wait(replacing, timeout=0.3)
        return reviewed

    monkeypatch.setattr("tenants.program.overrides.validate_version", interrupted)
    reviewed = await override_finding(WHY, OPERATOR)
    assert [one.severity for one in reviewed.findings if one.rule == RULE] == [Severity.WARNING]
    replaced = await replacing[0]
    (row,) = await table_of(LOTUS, "compliance_override")
    assert isinstance(row, dict)
    assert row["content_hash"] == reviewed.version.content_hash != replaced.version.content_hash


async def test_operators_list_them_by_brand_and_leave_a_line() -> None:
    await override_finding(WHY, OPERATOR)
    await override_finding(replace(WHY, tenant_id=CEDAR), OPERATOR)
    found = await overrides_in(LOTUS, PageRequest(1), OPERATOR)
    assert [one.reason for one in found.items] == ["licensed, ref. 2026/17"]
    assert (await overrides_in(LOTUS, PageRequest(1, found.cursors[0]), OPERATOR)).items == []
    assert [action for _, action in await audited(CEDAR)].count("tenant.cross") == 1
    assert [action for _, action in await audited(LOTUS)].count("tenant.cross") == 3
