"""What is done to programs: saved, scheduled, put in force, rolled back; and objections that operators let pass."""

from datetime import datetime
from typing import cast

import strawberry

from schema.context import Info
from schema.errors import In, Payload, refusals, user_errors
from schema.programs import (
    DocumentFormat,
    ProgramDiff,
    ProgramFinding,
    ProgramVersion,
    findings_of,
    program_diff,
    program_version,
)
from tenants import registry
from tenants.errors import ProgramHasErrors, ProgramUnreadable
from tenants.program import Finding, overrides, starting, versions
from tenants.program.overrides import OverrideFinding
from tenants.program.versions import Activated, Effect, Reviewed, SaveDraft


@strawberry.input(description="A program document to save as a draft.")
class SaveProgramDraftInput:
    """A document."""

    document: str = strawberry.field(description="The whole program.")
    format: DocumentFormat = strawberry.field(default=DocumentFormat.YAML, description="How it is written.")
    label: str = strawberry.field(default="", description="What people shall call it; its own name by default.")
    number: int | None = strawberry.field(default=None, description="The draft to replace; none makes a new one.")


@strawberry.input(description="A preset to save as a draft, in the brand's currency and under its name.")
class StartFromPresetInput:
    """A preset."""

    name: str = strawberry.field(description="Its name, from `programPresets`.")
    label: str = strawberry.field(default="", description="What people shall call the draft; the preset by default.")


@strawberry.input(description="A draft to put in force.")
class ActivateProgramInput:
    """A draft."""

    number: int = strawberry.field(description="Its number.")
    dry_run: bool = strawberry.field(default=False, description="Only tell what would happen; nothing is written.")


@strawberry.input(description="A draft to put in force at a future moment.")
class ScheduleProgramInput:
    """A draft and a moment."""

    number: int = strawberry.field(description="Its number.")
    at: datetime = strawberry.field(description="Since when; an order at the very moment belongs to it.")
    dry_run: bool = strawberry.field(default=False, description="Only tell what would happen; nothing is written.")


@strawberry.input(description="A scheduled version that shall be a draft again.")
class UnscheduleProgramInput:
    """A version."""

    number: int = strawberry.field(description="Its number.")


@strawberry.input(description="A version whose content shall be in force again, as a new version.")
class RollBackProgramInput:
    """A retired version."""

    number: int = strawberry.field(description="Its number.")
    label: str = strawberry.field(
        default="", description="What people shall call the new one; its old label by default."
    )


@strawberry.input(description="An objection to a brand's program that shall pass.")
class OverrideFindingInput:
    """One rule at one place of one version's content."""

    tenant_slug: str = strawberry.field(description="The brand.")
    number: int = strawberry.field(description="Number of the version.")
    rule: str = strawberry.field(description="The rule, as the finding names it.")
    path: str = strawberry.field(description="The place, as the finding names it.")
    reason: str = strawberry.field(
        description="Why, in 1 to 500 visible characters; it stands in the brand's audit log."
    )


@strawberry.type(description="What putting a version in force does, or would do.")
class ProgramEffect:
    """Since when, instead of what, and what follows."""

    at: datetime = strawberry.field(description="The moment.")
    number: strawberry.Private[int]
    replaced: strawberry.Private[int | None]
    following: strawberry.Private[int | None]

    @strawberry.field(description="The version in force until then; none when there is none.")
    async def replaces(self) -> ProgramVersion | None:
        """The version before."""
        return None if self.replaced is None else program_version(await versions.version_of(self.replaced))

    @strawberry.field(description="The version scheduled to follow it; none when there is none.")
    async def followed_by(self) -> ProgramVersion | None:
        """The version after."""
        return None if self.following is None else program_version(await versions.version_of(self.following))

    @strawberry.field(description="What is different from the version in force until then.")
    async def diff(self) -> ProgramDiff | None:
        """All changes; none without a version before."""
        return None if self.replaced is None else program_diff(await versions.compare(self.replaced, self.number))


@strawberry.type(description="A version as it is now, and what there is to say about it.")
class ProgramPayload(Payload):
    """Answer of the mutations of programs."""

    program: ProgramVersion | None = strawberry.field(default=None, description="The version; none when refused.")
    findings: list[ProgramFinding] = strawberry.field(
        default_factory=list, description="All findings of the document, whether it was refused or not."
    )
    effect: ProgramEffect | None = strawberry.field(
        default=None, description="What putting it in force does; of a dry run, what it would do."
    )


@strawberry.type(description="What was let pass, and what remains.")
class OverrideFindingPayload(Payload):
    """Answer of ``overrideFinding``."""

    findings: list[ProgramFinding] = strawberry.field(
        default_factory=list, description="All findings of the version, as they are now."
    )


@strawberry.type
class ProgramMutation:
    """Writes of programs."""

    @strawberry.mutation(description="Save a document as a draft. Answers all findings at once.")
    @refusals(ProgramPayload)
    async def save_program_draft(self, info: Info, input: In[SaveProgramDraftInput]) -> ProgramPayload:
        """Save it."""
        command = SaveDraft(document=input.document, format=input.format.value, label=input.label, number=input.number)
        try:
            return _reviewed(await versions.save_draft(command, info.context.who), info)
        except ProgramUnreadable as refused:
            return _refused(refused, info)

    @strawberry.mutation(description="Save a program that comes with the product as a draft of the brand's own.")
    @refusals(ProgramPayload)
    async def start_from_preset(self, info: Info, input: In[StartFromPresetInput]) -> ProgramPayload:
        """Save it."""
        return _reviewed(await starting.start_from_preset(input.name, input.label, info.context.who), info)

    @strawberry.mutation(description="Put a draft in force and retire the version before it, in one step.")
    @refusals(ProgramPayload)
    async def activate_program(self, info: Info, input: In[ActivateProgramInput]) -> ProgramPayload:
        """Activate it."""
        try:
            return _activated(await versions.activate(input.number, info.context.who, dry_run=input.dry_run), info)
        except ProgramHasErrors as refused:
            return _refused(refused, info)

    @strawberry.mutation(description="Put a draft in force at a future moment. Its content is fixed from now on.")
    @refusals(ProgramPayload)
    async def schedule_program(self, info: Info, input: In[ScheduleProgramInput]) -> ProgramPayload:
        """Schedule it."""
        try:
            done = await versions.schedule(input.number, input.at, info.context.who, dry_run=input.dry_run)
            return _activated(done, info)
        except ProgramHasErrors as refused:
            return _refused(refused, info)

    @strawberry.mutation(description="Make a scheduled version a draft again, before its moment.")
    @refusals(ProgramPayload)
    async def unschedule_program(self, info: Info, input: In[UnscheduleProgramInput]) -> ProgramPayload:
        """Unschedule it."""
        return ProgramPayload(program=program_version(await versions.unschedule(input.number, info.context.who)))

    @strawberry.mutation(description="Put the content of a retired version in force again, as a new version.")
    @refusals(ProgramPayload)
    async def roll_back_program(self, info: Info, input: In[RollBackProgramInput]) -> ProgramPayload:
        """Roll back."""
        try:
            return _activated(await versions.roll_back(input.number, info.context.who, input.label), info)
        except ProgramHasErrors as refused:
            return _refused(refused, info)

    @strawberry.mutation(
        description="Let one objection of a compliance profile to a brand's program pass. Other content is judged anew."
    )
    @refusals(OverrideFindingPayload)
    async def override_finding(self, info: Info, input: In[OverrideFindingInput]) -> OverrideFindingPayload:
        """Override it."""
        brand = await registry.any_by_slug(input.tenant_slug, info.context.who)
        command = OverrideFinding(
            tenant_id=brand.id, number=input.number, rule=input.rule, path=input.path, reason=input.reason
        )
        reviewed = await overrides.override_finding(command, info.context.who)
        return OverrideFindingPayload(findings=findings_of(reviewed.findings, info.context.locale))


def _reviewed(found: Reviewed, info: Info) -> ProgramPayload:
    findings = findings_of(found.findings, info.context.locale)
    return ProgramPayload(program=program_version(found.version), findings=findings)


def _activated(found: Activated, info: Info) -> ProgramPayload:
    payload = _reviewed(found, info)
    payload.effect = _effect(found.version.number, found.effect)
    return payload


def _effect(number: int, effect: Effect) -> ProgramEffect:
    return ProgramEffect(at=effect.at, number=number, replaced=effect.replaces, following=effect.followed_by)


def _refused(refused: ProgramUnreadable | ProgramHasErrors, info: Info) -> ProgramPayload:
    locale = info.context.locale
    found = cast(list[Finding], refused.params["findings"])
    return ProgramPayload(user_errors=user_errors([refused], locale), findings=findings_of(found, locale))
