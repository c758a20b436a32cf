"""The versions of a brand's program as they are read: draft → scheduled → active → retired (docs/rules.md §1, §2).

A scheduled version is in force from its moment on, by the clock: reads show at once what the table says only after the
next write. The content of a version that was ever in force never changes, so it is remembered without end.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import orjson

from saas.base import clock
from saas.base.db import Row, Tx, reading
from saas.base.db.memory import Remembered
from saas.base.db.tx import as_time
from saas.base.db.where import Where
from saas.base.errors import NotFound
from saas.base.ids import ProgramId, TenantId
from saas.base.paging import Int32, Page, PageRequest, decode_cursor, encode_cursor, page_of
from tenants.errors import NoActiveProgram
from tenants.program import CompiledProgram, Program, compile_program, dump
from tenants.program.text import Format


class VersionStatus(StrEnum):
    """Where a version is in its life."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version without its content. ``content_hash`` tells two contents apart.

    ``activated_at`` of a scheduled version is the moment it will be in force from. ``based_on``: the version it was
    rolled back to.
    """

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
    based_on: int | None


@dataclass(frozen=True, slots=True)
class StoredProgram:
    """A program that is or was in force, with its version number, also compiled for computing commission.

    ``activated_at``: since when it was in force.
    """

    number: int
    program: Program
    compiled: CompiledProgram
    activated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFilter:
    """Which versions a list shows. ``search`` finds a part of the label, small and capital letters alike."""

    status: VersionStatus | None = None
    search: str | None = None


_programs: Remembered[tuple[TenantId, int], StoredProgram] = Remembered(most=1_000)

DUE = "status IN ('active', 'scheduled') AND (status = 'active' OR activated_at <= $2)"
"""Of these, the one with the greatest moment is in force at ``$2``, the others were."""

_LATER = """
    FROM program_version n WHERE n.tenant_id = $1 AND n.status = 'scheduled' AND n.activated_at <= $2
    AND (n.activated_at, n.number) > (v.activated_at, v.number)
"""
_SEEN = f"""(
    SELECT v.tenant_id, v.id, v.number, v.label, v.content_hash, v.created_by, v.created_at, v.updated_at,
        v.activated_by, v.activated_at, v.based_on,
        CASE WHEN v.status IN ('draft', 'retired') OR v.status = 'scheduled' AND v.activated_at > $2 THEN v.status
            WHEN EXISTS (SELECT 1 {_LATER}) THEN 'retired' ELSE 'active' END AS status,
        CASE WHEN v.status = 'retired' THEN v.retired_at
            WHEN v.status = 'active' OR v.status = 'scheduled' AND v.activated_at <= $2
            THEN (SELECT min(n.activated_at) {_LATER}) END AS retired_at
    FROM program_version v WHERE v.tenant_id = $1
) AS version"""
"""The table as it would be, were it brought up to date at ``$2``."""


async def versions(page: PageRequest, wanted: VersionFilter | None = None) -> Page[Version]:
    """The brand's versions, the latest first."""
    wanted = wanted or VersionFilter()
    async with reading() as tx:
        where = Where(tx)
        where.arg(clock.now())
        if wanted.status is not None:
            where.add("status = $", wanted.status)
        if wanted.search:
            escaped = wanted.search.replace("!", "!!").replace("%", "!%").replace("_", "!_")
            where.add("lower(label) LIKE lower($) ESCAPE '!'", f"%{escaped}%")
        if page.after:
            where.add("number < $", decode_cursor(page.after, Int32)[0])
        rows = await tx.rows(
            f"SELECT * FROM {_SEEN} WHERE {where.sql} ORDER BY number DESC LIMIT {page.first + 1}", *where.args
        )
    found = [_read(row) for row in rows]
    return page_of(found, page, [encode_cursor(version.number) for version in found])


async def version_of(number: int) -> Version:
    """One version. Raises ``NotFound``."""
    async with reading() as tx:
        row = await tx.row(
            f"SELECT * FROM {_SEEN} WHERE tenant_id = $1 AND number = $3", tx.tenant_id, clock.now(), number
        )
    if row is None:
        raise NotFound("input.number", kind="program version", value=number)
    return _read(row)


async def content_of(number: int) -> Program:
    """The content of a version of any status. Raises ``NotFound``."""
    async with reading() as tx:
        return await _content(tx, number)


async def export(number: int, form: Format = "yaml") -> str:
    """The content of a version as one document that can be saved as a draft again."""
    return dump(await content_of(number), form)


async def number_in_force(at: datetime | None = None) -> int | None:
    """The number of the version in force now, or at a moment that decides about something; one statement."""
    async with reading() as tx:
        number = await tx.value(
            f"SELECT number FROM program_version WHERE tenant_id = $1 AND {DUE} "
            f"ORDER BY activated_at DESC, number DESC LIMIT 1",
            tx.tenant_id,
            at or clock.now(),
        )
    return None if number is None else int(number)


async def active_program(at: datetime | None = None) -> StoredProgram:
    """The program in force now, one statement when it was asked for before. Raises ``NoActiveProgram``.

    ``at``: a moment of the present that everything else is decided by; a version scheduled for that very moment is in
    force. What was in force long ago is known by what names its version.
    """
    async with reading():
        number = await number_in_force(at)
        if number is None:
            raise NoActiveProgram
        return await program(number, at)


async def program(number: int, at: datetime | None = None) -> StoredProgram:
    """A program that is or was in force, without a statement when it was asked for before. Raises ``NotFound``."""
    async with reading() as tx:
        key = (tx.tenant_id, number)
        if (known := _programs.get(key)) is not None:
            return known
        started = "AND status <> 'draft' AND (status <> 'scheduled' OR activated_at <= $3)"
        moment = at or clock.now()
        content = await _content(tx, number, started, moment)
        since = await tx.value(
            "SELECT activated_at FROM program_version WHERE tenant_id = $1 AND number = $2", tx.tenant_id, number
        )
        stored = StoredProgram(number, content, compile_program(content), since)
        _programs.put(key, stored)
    return stored


def _read(row: Row) -> Version:
    known = {name: value for name, value in row.items() if name != "tenant_id"}
    return Version(**{**known, "status": VersionStatus(row["status"]), "retired_at": as_time(row["retired_at"])})


async def _content(tx: Tx, number: int, condition: str = "", *args: object) -> Program:
    """The stored document; it was a whole program when it was saved, and documents stay readable."""
    text = await tx.value(
        f"SELECT content FROM program_version WHERE tenant_id = $1 AND number = $2 {condition}",
        tx.tenant_id,
        number,
        *args,
    )
    if text is None:
        raise NotFound("input.number", kind="program version", value=number)
    return Program.model_validate(orjson.loads(text))
