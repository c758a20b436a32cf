"""Programs: documents, their versions and findings."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, cast

import strawberry

from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals, user_errors
from schema.ids import to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from tenants.errors import ProgramHasErrors, ProgramUnreadable
from tenants.program import Finding, Program, Severity, dump, parse, validate, versions
from tenants.program.presets import PRESETS, preset
from tenants.program.versions import SaveDraft, Version, VersionStatus

described(
    "Where a version of a program is in its life.",
    DRAFT="Being written; priced into nothing.",
    ACTIVE="In force. Its content never changes.",
    RETIRED="Was in force; orders of its time keep it.",
)(VersionStatus)
described(
    "How grave a finding is.",
    name="FindingSeverity",
    ERROR="Keeps the program from being activated.",
    WARNING="Worth a look; does not keep it from being activated.",
)(Severity)


@described("How a program is written down.", YAML="YAML.", JSON="JSON.")
class DocumentFormat(StrEnum):
    """The formats of import and export."""

    YAML = "yaml"
    JSON = "json"


@strawberry.type(description="One remark on a program, with its place and remedy.")
class ProgramFinding:
    """A finding."""

    path: str = strawberry.field(description="The place, such as `commission.components[0].levels[2].rate_bps`.")
    severity: Severity = strawberry.field(description="How grave it is.")
    code: str = strawberry.field(description="Stable code.")
    message: str = strawberry.field(description="What is wrong and what to write instead, in the caller's language.")
    rule: str | None = strawberry.field(description="The rule of the compliance profile that objects, if one does.")


def findings_of(found: list[Finding], locale: str) -> list[ProgramFinding]:
    """Findings for the API."""
    return [
        ProgramFinding(path=f.path, severity=f.severity, code=f.code, message=f.message(locale), rule=f.rule)
        for f in found
    ]


@strawberry.type(description="A version of the brand's program (分销政策).")
class ProgramVersion:
    """A version; its document and findings are read when they are asked for."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    number: int = strawberry.field(description="Its number; orders name it.")
    label: str = strawberry.field(description="What people call it.")
    status: VersionStatus = strawberry.field(description="Where it is in its life.")
    content_hash: str = strawberry.field(description="Tells two contents apart.")
    created_at: datetime = strawberry.field(description="When it was first saved.")
    updated_at: datetime = strawberry.field(description="When its draft was last saved.")
    activated_at: datetime | None = strawberry.field(description="Since when it was in force.")
    retired_at: datetime | None = strawberry.field(description="Until when it was in force.")

    @strawberry.field(description="The whole program as one document, which can be saved as a draft again.")
    async def document(
        self,
        format: Annotated[DocumentFormat, strawberry.argument(description="YAML or JSON.")] = DocumentFormat.YAML,
    ) -> str:
        """Export."""
        return await versions.export(self.number, format.value)

    @strawberry.field(description="Everything there is to say about its content, as of today's checks.")
    async def findings(self, info: Info) -> list[ProgramFinding]:
        """All findings at once."""
        reviewed = await versions.validate_version(self.number)
        return findings_of(list(reviewed.findings), info.context.locale)


def program_version(found: Version) -> ProgramVersion:
    """A version for the API."""
    return ProgramVersion(
        id=to_global("ProgramVersion", found.id),
        number=found.number,
        label=found.label,
        status=found.status,
        content_hash=found.content_hash,
        created_at=found.created_at,
        updated_at=found.updated_at,
        activated_at=found.activated_at,
        retired_at=found.retired_at,
    )


@strawberry.type(description="A program to start from.")
class ProgramPreset:
    """One of the presets that come with the product."""

    name: str = strawberry.field(description="Its name.")
    document: str = strawberry.field(description="The document, as YAML.")


@strawberry.input(description="A program document to save as a draft.")
class SaveProgramDraftInput:
    """A document."""

    document: str = strawberry.field(description="The whole program.")
    format: DocumentFormat = strawberry.field(default=DocumentFormat.YAML, description="How it is written.")
    label: str = strawberry.field(default="", description="What people shall call it; its own name by default.")
    number: int | None = strawberry.field(default=None, description="The draft to replace; none makes a new one.")


@strawberry.input(description="A draft to put in force.")
class ActivateProgramInput:
    """A draft."""

    number: int = strawberry.field(description="Its number.")


@strawberry.type(description="A version as it is now, and what there is to say about it.")
class ProgramPayload(Payload):
    """Answer of the mutations of programs."""

    program: ProgramVersion | None = strawberry.field(default=None, description="The version; none when refused.")
    findings: list[ProgramFinding] = strawberry.field(
        default_factory=list, description="All findings of the document, whether it was refused or not."
    )


@strawberry.type
class ProgramQuery:
    """Reads of programs."""

    @strawberry.field(description="The versions of the brand's program, the latest first.")
    async def program_versions(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[ProgramVersion]:
        """A page of versions."""
        return connection(await versions.versions(request(first, after)), program_version, after)

    @strawberry.field(description="One version; the one in force by default.")
    async def program(
        self,
        number: Annotated[int | None, strawberry.argument(description="Its number; the active one by default.")] = None,
    ) -> ProgramVersion:
        """A version."""
        wanted = number if number is not None else (await versions.active_program()).number
        return program_version(await versions.version_of(wanted))

    @strawberry.field(description="What there is to say about a document, without saving it.")
    async def check_program(
        self,
        info: Info,
        document: Annotated[str, strawberry.argument(description="The whole program.")],
        format: Annotated[DocumentFormat, strawberry.argument(description="YAML or JSON.")] = DocumentFormat.YAML,
    ) -> list[ProgramFinding]:
        """All findings at once."""
        parsed = parse(document, format.value)
        found = validate(parsed) if isinstance(parsed, Program) else parsed
        return findings_of(list(found), info.context.locale)

    @strawberry.field(description="The programs that come with the product, to start from.")
    async def program_presets(self) -> list[ProgramPreset]:
        """All presets."""
        return [ProgramPreset(name=name, document=dump(preset(name), "yaml")) for name in PRESETS]


@strawberry.type
class ProgramMutation:
    """Writes of programs."""

    @strawberry.mutation(description="Save a document as a draft. Answers all findings at once.")
    @refusals(ProgramPayload)
    async def save_program_draft(self, info: Info, input: In[SaveProgramDraftInput]) -> ProgramPayload:
        """Save it."""
        locale = info.context.locale
        command = SaveDraft(document=input.document, format=input.format.value, label=input.label, number=input.number)
        try:
            saved = await versions.save_draft(command, info.context.who)
        except ProgramUnreadable as refused:
            return _refused(refused, locale)
        return ProgramPayload(
            program=program_version(saved.version), findings=findings_of(list(saved.findings), locale)
        )

    @strawberry.mutation(description="Put a draft in force and retire the version before it, in one step.")
    @refusals(ProgramPayload)
    async def activate_program(self, info: Info, input: In[ActivateProgramInput]) -> ProgramPayload:
        """Activate it."""
        locale = info.context.locale
        try:
            active = await versions.activate(input.number, info.context.who)
        except ProgramHasErrors as refused:
            return _refused(refused, locale)
        return ProgramPayload(
            program=program_version(active.version), findings=findings_of(list(active.findings), locale)
        )


def _refused(refused: ProgramUnreadable | ProgramHasErrors, locale: str) -> ProgramPayload:
    return ProgramPayload(
        user_errors=user_errors([refused], locale),
        findings=findings_of(cast(list[Finding], refused.params["findings"]), locale),
    )
