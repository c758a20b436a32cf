"""Programs: documents, their versions, what is different between them, and findings."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from saas.base.errors import InvalidInput, NotFound, Said
from saas.base.paging import decode_cursor, encode_cursor, page_of
from schema.context import Info
from schema.enums import described
from schema.ids import maybe_global, to_global
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from tenants import registry
from tenants.actors import Role
from tenants.program import Finding, Severity, dump, overrides, versions
from tenants.program.comparison import Comparison
from tenants.program.compliance import notices
from tenants.program.diff import Change, ChangeKind
from tenants.program.presets import PRESETS, preset
from tenants.program.starting import DESCRIPTIONS
from tenants.program.versions import Override, Version, VersionFilter, VersionStatus

described(
    "Where a version of a program is in its life.",
    DRAFT="Being written; priced into nothing.",
    SCHEDULED="In force from a future moment on. Its content is fixed, unless it is unscheduled before.",
    ACTIVE="In force. Its content never changes.",
    RETIRED="Was in force; orders of its time keep it.",
)(VersionStatus)
described(
    "How grave a finding is.",
    name="FindingSeverity",
    ERROR="Keeps the program from being activated.",
    WARNING="Worth a look; does not keep it from being activated.",
)(Severity)
described(
    "Whether a setting came, went or has another value.",
    name="ProgramChangeKind",
    ADDED="It is new.",
    REMOVED="It is gone.",
    CHANGED="It has another value, or its entries another order.",
)(ChangeKind)


@described("How a program is written down.", YAML="YAML.", JSON="JSON.")
class DocumentFormat(StrEnum):
    """The formats of import and export."""

    YAML = "yaml"
    JSON = "json"


Form = Annotated[DocumentFormat, strawberry.argument(description="YAML or JSON.")]


@strawberry.type(description="That an operator of the platform let an objection pass.")
class FindingOverride:
    """Who, when and why."""

    operator: str = strawberry.field(description="Log-in of the operator.")
    reason: str = strawberry.field(description="Why.")
    at: datetime = strawberry.field(description="When.")


@strawberry.type(description="One remark on a program, with its place and remedy.")
class ProgramFinding:
    """A finding."""

    path: str = strawberry.field(description="The place, such as `commission.components[0].levels[2].rate_bps`.")
    severity: Severity = strawberry.field(description="How grave it is.")
    code: str = strawberry.field(description="Stable code.")
    message: str = strawberry.field(description="What is wrong and what to write instead, in the caller's language.")
    rule: str | None = strawberry.field(description="The rule of the compliance profile that objects, if one does.")
    overridable: bool = strawberry.field(description="Whether an operator of the platform may let it pass.")
    overridden: FindingOverride | None = strawberry.field(
        description="Set when an operator did, which made a warning of it."
    )


def findings_of(found: Iterable[Finding], locale: str) -> list[ProgramFinding]:
    """Findings for the API."""
    return [
        ProgramFinding(
            path=f.path,
            severity=f.severity,
            code=f.code,
            message=f.message(locale),
            rule=f.rule,
            overridable=f.overridable,
            overridden=_overridden(f),
        )
        for f in found
    ]


def _overridden(found: Finding) -> FindingOverride | None:
    if found.overridden is None:
        return None
    passed = found.overridden
    return FindingOverride(operator=passed.operator, reason=passed.reason, at=passed.at)


@strawberry.type(description="An objection of a compliance profile that an operator of the platform let pass.")
class ComplianceOverride:
    """For one rule at one place of one content."""

    program_number: int = strawberry.field(description="The version it was decided about.")
    content_hash: str = strawberry.field(description="The content it holds for, and for no other.")
    rule: str = strawberry.field(description="The rule.")
    path: str = strawberry.field(description="The place.")
    reason: str = strawberry.field(description="Why.")
    operator: str = strawberry.field(description="Log-in of the operator.")
    overridden_at: datetime = strawberry.field(description="When.")


def compliance_override(found: Override) -> ComplianceOverride:
    """An override for the API."""
    return ComplianceOverride(
        program_number=found.program_number,
        content_hash=found.content_hash,
        rule=found.rule,
        path=found.path,
        reason=found.reason,
        operator=found.operator,
        overridden_at=found.overridden_at,
    )


@strawberry.type(description="A version of the brand's program (分销政策).")
class ProgramVersion:
    """A version; its document and findings are read when they are asked for."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    number: int = strawberry.field(description="Its number; orders name it.")
    label: str = strawberry.field(description="What people call it.")
    status: VersionStatus = strawberry.field(description="Where it is in its life.")
    content_hash: str = strawberry.field(description="Tells two contents apart.")
    created_by: strawberry.ID | None = strawberry.field(description="The member who saved it first; none by a command.")
    created_at: datetime = strawberry.field(description="When it was first saved.")
    updated_at: datetime = strawberry.field(description="When its draft was last saved.")
    scheduled_at: datetime | None = strawberry.field(description="The future moment from which it will be in force.")
    activated_at: datetime | None = strawberry.field(description="Since when it was in force.")
    retired_at: datetime | None = strawberry.field(description="Until when it was in force.")
    based_on: int | None = strawberry.field(description="The version whose content was brought back by it.")

    @strawberry.field(description="The whole program as one document, which can be saved as a draft again.")
    async def document(self, format: Form = DocumentFormat.YAML) -> str:
        """Export."""
        return await versions.export(self.number, format.value)

    @strawberry.field(description="Everything there is to say about its content, as of today's checks.")
    async def findings(self, info: Info) -> list[ProgramFinding]:
        """All findings at once."""
        reviewed = await versions.validate_version(self.number)
        return findings_of(reviewed.findings, info.context.locale)

    @strawberry.field(description="What operators of the platform let pass of its content.")
    async def overrides(self) -> list[ComplianceOverride]:
        """The first one first."""
        return [compliance_override(found) for found in await versions.overrides_of(self.content_hash)]

    @strawberry.field(description="What its compliance profiles say about themselves, such as that they are no advice.")
    async def notices(self, info: Info) -> list[str]:
        """One for each profile."""
        content = await versions.content_of(self.number)
        return [notice.message(info.context.locale) for notice in notices(content)]


def program_version(found: Version) -> ProgramVersion:
    """A version for the API."""
    waiting = found.status is VersionStatus.SCHEDULED
    return ProgramVersion(
        id=to_global("ProgramVersion", found.id),
        number=found.number,
        label=found.label,
        status=found.status,
        content_hash=found.content_hash,
        created_by=maybe_global("Member", found.created_by),
        created_at=found.created_at,
        updated_at=found.updated_at,
        scheduled_at=found.activated_at if waiting else None,
        activated_at=None if waiting else found.activated_at,
        retired_at=found.retired_at,
        based_on=found.based_on,
    )


@strawberry.type(description="A program to start from.")
class ProgramPreset:
    """One of the presets that come with the product."""

    name: str = strawberry.field(description="Its name, for `startFromPreset` and `createTenant`.")
    title: str = strawberry.field(description="What people call it, in the caller's language.")
    description: str = strawberry.field(description="How it pays, in the caller's language.")
    document: str = strawberry.field(description="The document, as YAML.")


def program_preset(name: str, locale: str) -> ProgramPreset:
    """A preset for the API."""
    program, told, chinese = preset(name), DESCRIPTIONS[name], locale.startswith("zh")
    return ProgramPreset(
        name=name,
        title=program.name.zh if chinese else program.name.en,
        description=told.zh if chinese else told.en,
        document=dump(program, "yaml"),
    )


@strawberry.type(description="What is different in one setting between two programs.")
class ProgramChange:
    """A change, as data and in words."""

    path: str = strawberry.field(
        description="The place; entries of lists by name: `commission.components[key=levels].levels[1].rate_bps`."
    )
    kind: ChangeKind = strawberry.field(description="Whether it came, went or changed.")
    before: str | None = strawberry.field(description="The value before, as JSON; none when it was added.")
    after: str | None = strawberry.field(description="The value after, as JSON; none when it was removed.")
    sentence: str = strawberry.field(description="The change in one sentence, in the caller's language.")


@strawberry.type(description="What is different between two programs, setting by setting.")
class ProgramDiff:
    """All changes from the first to the second; none when they are equal."""

    total: int = strawberry.field(description="How many changes there are.")
    compared: strawberry.Private[Comparison]

    @strawberry.field(description="The changes, in the order of the document.")
    async def changes(self, info: Info, first: First = PAGE_DEFAULT, after: After = None) -> Connection[ProgramChange]:
        """A page of changes."""
        page = request(first, after)
        start = int(str(decode_cursor(after, int)[0])) + 1 if after else 0
        rows = self.compared.changes[max(start, 0) :][: page.first + 1]
        cursors = [encode_cursor(max(start, 0) + index) for index in range(len(rows))]
        wording = self.compared.wording(info.context.locale)

        def made(change: Change) -> ProgramChange:
            return ProgramChange(
                path=change.path,
                kind=change.kind,
                before=change.before_json,
                after=change.after_json,
                sentence=wording.sentence(change),
            )

        return connection(page_of(rows, page, cursors), made, after)


def program_diff(compared: Comparison) -> ProgramDiff:
    """A comparison for the API."""
    return ProgramDiff(total=len(compared.changes), compared=compared)


@strawberry.type
class ProgramQuery:
    """Reads of programs."""

    @strawberry.field(description="The versions of the brand's program, the latest first.")
    async def program_versions(
        self,
        first: First = PAGE_DEFAULT,
        after: After = None,
        status: Annotated[VersionStatus | None, strawberry.argument(description="Only those of a status.")] = None,
        search: Annotated[str | None, strawberry.argument(description="A part of the label.")] = None,
    ) -> Connection[ProgramVersion]:
        """A page of versions."""
        found = await versions.versions(request(first, after), VersionFilter(status=status, search=search))
        return connection(found, program_version, after)

    @strawberry.field(description="One version; the one in force by default.")
    async def program(
        self,
        number: Annotated[int | None, strawberry.argument(description="Its number; the active one by default.")] = None,
    ) -> ProgramVersion:
        """A version."""
        wanted = number if number is not None else (await versions.active_program()).number
        return program_version(await versions.version_of(wanted))

    @strawberry.field(description="What is different between two versions, or between a version and a document.")
    async def program_diff(
        self,
        from_: Annotated[int, strawberry.argument(name="from", description="Number of the version before.")],
        to: Annotated[int | None, strawberry.argument(description="Number of the version after.")] = None,
        document: Annotated[str | None, strawberry.argument(description="Or a whole program as a document.")] = None,
        format: Form = DocumentFormat.YAML,
    ) -> ProgramDiff:
        """All changes."""
        if to is not None and document is None:
            return program_diff(await versions.compare(from_, to))
        if document is not None and to is None:
            return program_diff(await versions.compare_with(from_, document, format.value))
        remedy = Said("give either `to` or `document`", "请在 to 与 document 中恰好填写一个")
        raise InvalidInput("to", value=to, remedy=remedy)

    @strawberry.field(description="What there is to say about a document, without saving it.")
    async def check_program(
        self,
        info: Info,
        document: Annotated[str, strawberry.argument(description="The whole program.")],
        format: Form = DocumentFormat.YAML,
    ) -> list[ProgramFinding]:
        """All findings at once."""
        return findings_of(await versions.check_document(document, format.value), info.context.locale)

    @strawberry.field(description="The programs that come with the product, to start from.")
    async def program_presets(self, info: Info) -> list[ProgramPreset]:
        """All presets."""
        return [program_preset(name, info.context.locale) for name in PRESETS]

    @strawberry.field(description="What operators of the platform let pass of a brand's programs, the latest first.")
    async def compliance_overrides(
        self,
        info: Info,
        tenant_slug: Annotated[
            str | None, strawberry.argument(description="The brand, for operators; everybody else sees its own.")
        ] = None,
        first: First = PAGE_DEFAULT,
        after: After = None,
    ) -> Connection[ComplianceOverride]:
        """A page of overrides."""
        who, page = info.context.who, request(first, after)
        if who.role is Role.OPERATOR:
            brand = await registry.any_by_slug(tenant_slug or "", who)
            return connection(await overrides.overrides_in(brand.id, page, who), compliance_override, after)
        if tenant_slug not in {None, (await registry.this_brand()).slug}:
            raise NotFound("tenantSlug", kind="brand", value=tenant_slug)
        return connection(await overrides.overrides(page), compliance_override, after)
