"""The versions of a brand's program: draft → active → retired (docs/rules.md §1, §2).

One version is active at a time. A draft may be replaced; the content of a version that was ever active never changes,
so it is remembered without end once it was read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Row, Tx, reading, transaction
from saas.base.db.memory import Remembered
from saas.base.errors import InvalidInput, NotFound, Said, WrongState
from saas.base.idempotency import fingerprint
from saas.base.ids import ProgramId, TenantId, new_id
from saas.base.paging import Int32, Page, PageRequest, decode_cursor, encode_cursor, page_of
from tenants import audit, registry
from tenants.actors import Actor
from tenants.errors import NoActiveProgram, ProgramHasErrors, ProgramUnreadable
from tenants.program import (
    CompiledProgram,
    Finding,
    Program,
    Severity,
    as_data,
    compile_program,
    dump,
    errors_in,
    parse,
    validate,
)
from tenants.program.text import Format


class VersionStatus(StrEnum):
    """Where a version is in its life."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version without its content. ``content_hash`` tells two contents apart."""

    id: ProgramId
    number: int
    label: str
    status: VersionStatus
    content_hash: str
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    activated_by: UUID | None
    activated_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredProgram:
    """A program that is or was active, with its version number, also compiled for computing commission."""

    number: int
    program: Program
    compiled: CompiledProgram
    activated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft:
    """A program document, as text of a format or as plain data. ``number`` replaces that draft, none makes a new."""

    document: str | bytes | Mapping[str, Any]
    format: Format = "yaml"
    label: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A version with everything there is to say about its content."""

    version: Version
    findings: Sequence[Finding]


TRIES = 20
"""How many numbers are tried because others took the ones before at the same moment."""

_COLUMNS = (
    "id, number, label, status, content_hash, created_by, created_at, updated_at, "
    "activated_by, activated_at, retired_at"
)
_programs: Remembered[tuple[TenantId, int], StoredProgram] = Remembered(most=1_000)


async def save_draft(command: SaveDraft, actor: Actor) -> Reviewed:
    """Save a document as a draft, with its findings; errors among them keep it from being activated.

    Raises ``ProgramUnreadable`` with the findings when the document has not the structure of a program.
    """
    parsed = parse(command.document, command.format)
    if not isinstance(parsed, Program):
        raise ProgramUnreadable("input.document", count=len(errors_in(parsed)), findings=parsed)
    label = command.label.strip() or parsed.name.en
    if len(label) > 100:
        raise InvalidInput(
            "input.label",
            value=label[:100],
            remedy=Said("give a label of at most 100 characters", "请填写不超过 100 个字符的标签"),
        )
    async with transaction() as tx:
        if command.number is None:
            number = await _insert(tx, parsed, label, actor)
        else:
            number = command.number
            await _replace(tx, number, parsed, label)
        version = await _version(tx, number)
        findings = await _findings(parsed)
        await audit.record(actor, "program.save_draft", str(version.id), number=number, hash=version.content_hash)
    return Reviewed(version, findings)


async def validate_version(number: int) -> Reviewed:
    """A version with its findings as of today's checks."""
    async with reading() as tx:
        version = await _version(tx, number)
        return Reviewed(version, await _findings(await _content(tx, number)))


async def activate(number: int, actor: Actor) -> Reviewed:
    """Make a draft the active version and retire the one before, in one step; warnings do not keep it from that.

    Raises ``WrongState`` unless it is a draft, ``ProgramHasErrors`` with all findings when an error is among them.
    """
    async with transaction() as tx:
        await _lock(tx, number)
        version = await _version(tx, number)
        if version.status is not VersionStatus.DRAFT:
            raise WrongState("input.number", kind="program version", state=version.status, needed="draft")
        findings = await _findings(await _content(tx, number))
        if errors := errors_in(findings):
            raise ProgramHasErrors("input.number", count=len(errors), findings=findings)
        now = clock.now()
        await tx.execute(
            "UPDATE program_version SET status = 'retired', retired_at = $2 WHERE tenant_id = $1 AND status = 'active'",
            tx.tenant_id,
            now,
        )
        await tx.execute(
            "UPDATE program_version SET status = 'active', activated_at = $3, activated_by = $4 "
            "WHERE tenant_id = $1 AND number = $2 AND status = 'draft'",
            tx.tenant_id,
            number,
            now,
            actor.id,
        )
        await audit.record(actor, "program.activate", str(version.id), number=number, hash=version.content_hash)
        return Reviewed(await _version(tx, number), findings)


async def versions(page: PageRequest) -> Page[Version]:
    """The brand's versions, the latest first."""
    before = decode_cursor(page.after, Int32)[0] if page.after else None
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {_COLUMNS} FROM program_version WHERE tenant_id = $1 AND number < $2 "
            f"ORDER BY number DESC LIMIT $3",
            tx.tenant_id,
            before if before is not None else 2**31 - 1,
            page.first + 1,
        )
    found = [_read(row) for row in rows]
    return page_of(found, page, [encode_cursor(version.number) for version in found])


async def version_of(number: int) -> Version:
    """One version. Raises ``NotFound``."""
    async with reading() as tx:
        return await _version(tx, number)


async def content_of(number: int) -> Program:
    """The content of a version of any status. Raises ``NotFound``."""
    async with reading() as tx:
        return await _content(tx, number)


async def export(number: int, form: Format = "yaml") -> str:
    """The content of a version as one document that can be saved as a draft again."""
    return dump(await content_of(number), form)


async def active_program() -> StoredProgram:
    """The program in force, one statement when it was asked for before. Raises ``NoActiveProgram``."""
    async with reading() as tx:
        number = await tx.value(
            "SELECT number FROM program_version WHERE tenant_id = $1 AND status = 'active'", tx.tenant_id
        )
        if number is None:
            raise NoActiveProgram
        return await program(number)


async def program(number: int) -> StoredProgram:
    """A program that is or was active, without a statement when it was asked for before. Raises ``NotFound``."""
    async with reading() as tx:
        key = (tx.tenant_id, number)
        if (known := _programs.get(key)) is not None:
            return known
        content = await _content(tx, number, "AND status <> 'draft'")
        since = await tx.value(
            "SELECT activated_at FROM program_version WHERE tenant_id = $1 AND number = $2", tx.tenant_id, number
        )
        stored = StoredProgram(number, content, compile_program(content), since)
        _programs.put(key, stored)
    return stored


async def _insert(tx: Tx, content: Program, label: str, actor: Actor) -> int:
    """Write a new draft under the next number; of two who take the same number the second takes the one after."""
    data, now = as_data(content), clock.now()
    columns = ("id", "number", "label", "status", "content", "content_hash", "created_by", "created_at", "updated_at")
    text, digest = orjson.dumps(data).decode(), fingerprint(data)
    for _ in range(TRIES):
        number = await tx.value(
            "SELECT coalesce(max(number), 0) + 1 FROM program_version WHERE tenant_id = $1", tx.tenant_id
        )
        values = (new_id(), number, label, VersionStatus.DRAFT, text, digest, actor.id, now, now)
        if await tx.insert_many("program_version", columns, [values], or_ignore=True):
            return int(number)
    raise RuntimeError(f"{TRIES} numbers of program versions were taken by others")


async def _replace(tx: Tx, number: int, content: Program, label: str) -> None:
    data = as_data(content)
    replaced = await tx.execute(
        "UPDATE program_version SET content = $3, content_hash = $4, label = $5, updated_at = $6 "
        "WHERE tenant_id = $1 AND number = $2 AND status = 'draft'",
        tx.tenant_id,
        number,
        orjson.dumps(data).decode(),
        fingerprint(data),
        label,
        clock.now(),
    )
    if not replaced:
        version = await _version(tx, number)
        raise WrongState("input.number", kind="program version", state=version.status, needed="draft")


async def _lock(tx: Tx, number: int) -> None:
    """Let one activation of the brand happen at a time: all of them take the first version's row, which never goes."""
    await tx.rows(
        f"SELECT id FROM program_version WHERE tenant_id = $1 AND number IN (1, $2) ORDER BY number{tx.for_update}",
        tx.tenant_id,
        number,
    )


async def _version(tx: Tx, number: int) -> Version:
    row = await tx.row(
        f"SELECT {_COLUMNS} FROM program_version WHERE tenant_id = $1 AND number = $2", tx.tenant_id, number
    )
    if row is None:
        raise NotFound("input.number", kind="program version", value=number)
    return _read(row)


def _read(row: Row) -> Version:
    return Version(**{**row, "status": VersionStatus(row["status"])})


async def _content(tx: Tx, number: int, condition: str = "") -> Program:
    """The stored document; it was a whole program when it was saved, and documents stay readable."""
    text = await tx.value(
        f"SELECT content FROM program_version WHERE tenant_id = $1 AND number = $2 {condition}", tx.tenant_id, number
    )
    if text is None:
        raise NotFound("input.number", kind="program version", value=number)
    return Program.model_validate(orjson.loads(text))


async def _findings(content: Program) -> Sequence[Finding]:
    """What the document itself shows, and whether it fits the brand."""
    brand = await registry.this_brand()
    found = validate(content)
    if content.currency != brand.currency:
        found.append(
            Finding(
                path="currency",
                severity=Severity.ERROR,
                code="CURRENCY_NOT_THE_BRANDS",
                en=f"{content.currency} is not the currency of this brand; use {brand.currency}.",
                zh=f"{content.currency} 不是该品牌的结算货币，请使用 {brand.currency}。",
            )
        )
    return found
