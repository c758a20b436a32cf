"""What is done to the versions of a brand's program: saved, scheduled, activated, rolled back (docs/rules.md §1, §2).

Whoever changes which version is in force, or when, takes the row of the brand's first version, and brings the table up
to date before anything else. So all of it happens one after the other, on both databases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import orjson

from saas.base import clock
from saas.base.db import Tx, reading, transaction
from saas.base.errors import InvalidInput, Said, WrongState
from saas.base.idempotency import fingerprint
from saas.base.ids import new_id
from tenants import audit
from tenants.actors import Actor, system
from tenants.errors import MomentNotAhead, MomentTaken, ProgramAboutToStart, ProgramHasErrors, ProgramUnreadable
from tenants.program import Program, as_data, errors_in, parse
from tenants.program.review import Reviewed, findings_on
from tenants.program.stored import DUE, Version, VersionStatus, content_of, number_in_force, version_of
from tenants.program.text import Format

TRIES = 20
"""How many numbers are tried because others took the ones before at the same moment."""

NOTICE = timedelta(seconds=5)
"""A schedule is neither made nor undone closer to its moment: nobody may decide by the one or the other meanwhile."""

LABEL_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft:
    """A program document, as text of a format or as plain data. ``number`` replaces that draft, none makes a new."""

    document: str | bytes | Mapping[str, Any]
    format: Format = "yaml"
    label: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What putting a version in force does: since when, instead of which version, and which one follows it."""

    at: datetime
    replaces: int | None
    followed_by: int | None


@dataclass(frozen=True, slots=True)
class Activated(Reviewed):
    """A version that was put in force, or is scheduled, or would be."""

    effect: Effect


async def save_draft(command: SaveDraft, actor: Actor) -> Reviewed:
    """Save a document as a draft, with its findings; errors among them keep it from being activated.

    Raises ``ProgramUnreadable`` with the findings when the document has not the structure of a program, ``WrongState``
    when the version to replace is no draft.
    """
    parsed = parse(command.document, command.format)
    if not isinstance(parsed, Program):
        raise ProgramUnreadable("input.document", count=len(errors_in(parsed)), findings=parsed)
    label = _label(command.label) or parsed.name.en
    async with transaction() as tx:
        if command.number is None:
            number = await _insert(tx, parsed, label, actor)
        else:
            number = command.number
            await _replace(tx, number, parsed, label)
        version = await version_of(number)
        findings = await findings_on(parsed, version.content_hash)
        await audit.record(actor, "program.save_draft", str(version.id), number=number, hash=version.content_hash)
    return Reviewed(version, findings)


async def activate(number: int, actor: Actor, *, dry_run: bool = False) -> Activated:
    """Make a draft the active version and retire the one before, in one step; warnings do not keep it from that.

    Scheduled versions stay scheduled. With ``dry_run`` everything is decided and nothing written.
    Raises ``WrongState`` unless it is a draft, ``ProgramHasErrors`` with all findings when an error is among them.
    """
    if dry_run:
        async with reading() as tx:
            ready = await _ready(number)
            return Activated(ready.version, ready.findings, await _effect(tx, clock.now(), number))
    async with transaction() as tx:
        await _lock(tx, number)
        ready = await _ready(number)
        return await _activate(tx, ready, actor, "program.activate")


async def schedule(number: int, at: datetime, actor: Actor, *, dry_run: bool = False) -> Activated:
    """Put a draft in force at a future moment; from now on its content is as fixed as that of an active one.

    An order at the very moment belongs to it. With ``dry_run`` everything is decided and nothing written.
    Raises ``WrongState`` unless it is a draft, ``ProgramHasErrors``, ``MomentNotAhead``, or ``MomentTaken`` when
    another version is scheduled for the same moment.
    """
    if dry_run:
        async with reading() as tx:
            return await _schedulable(tx, number, at)
    async with transaction() as tx:
        await _lock(tx, number)
        ready = await _schedulable(tx, number, at)
        await _set(tx, number, VersionStatus.SCHEDULED, at, actor)
        detail = {"number": number, "hash": ready.version.content_hash, "from": at.isoformat()}
        await audit.record(actor, "program.schedule", str(ready.version.id), **detail)
        return Activated(await version_of(number), ready.findings, ready.effect)


async def unschedule(number: int, actor: Actor) -> Version:
    """Make a scheduled version a draft again, before its moment.

    Raises ``WrongState`` unless it is scheduled, ``ProgramAboutToStart`` in the last seconds before.
    """
    async with transaction() as tx:
        await _lock(tx, number)
        version = await version_of(number)
        if version.status is not VersionStatus.SCHEDULED or version.activated_at is None:
            raise WrongState("input.number", kind="program version", state=version.status, needed="scheduled")
        if version.activated_at < clock.now() + NOTICE:
            raise ProgramAboutToStart("input.number", number=number, seconds=int(NOTICE.total_seconds()))
        await tx.execute(
            "UPDATE program_version SET status = 'draft', activated_at = NULL, activated_by = NULL "
            "WHERE tenant_id = $1 AND number = $2 AND status = 'scheduled'",
            tx.tenant_id,
            number,
        )
        await audit.record(actor, "program.unschedule", str(version.id), number=number)
        return await version_of(number)


async def roll_back(number: int, actor: Actor, label: str = "") -> Activated:
    """Put the content of a version that was in force before into force again, as a new version, in one step.

    Orders of the versions between keep theirs. Its own label by default. Raises ``WrongState`` unless it is retired,
    ``ProgramHasErrors`` when today's checks object to it.
    """
    name = _label(label)
    async with transaction() as tx:
        await _lock(tx, number)
        older = await version_of(number)
        if older.status is not VersionStatus.RETIRED:
            raise WrongState("input.number", kind="program version", state=older.status, needed="retired")
        fresh = await _insert(tx, await content_of(number), name or older.label, actor, based_on=number)
        return await _activate(tx, await _ready(fresh), actor, "program.roll_back", based_on=number)


async def bring_up_to_date() -> Sequence[int]:
    """Write down which scheduled versions have come into force meanwhile; answers their numbers, in order.

    For a worker: nothing depends on it but what the audit log says and when.
    """
    async with reading() as tx:
        due = await tx.value(
            "SELECT count(*) FROM program_version WHERE tenant_id = $1 AND status = 'scheduled' AND activated_at <= $2",
            tx.tenant_id,
            clock.now(),
        )
    if not due:
        return []
    async with transaction() as tx:
        return await _lock(tx, 1)


async def _activate(tx: Tx, ready: Reviewed, actor: Actor, action: str, **detail: object) -> Activated:
    now = clock.now()
    number = ready.version.number
    effect = await _effect(tx, now, number)
    await tx.execute(
        "UPDATE program_version SET status = 'retired', retired_at = $2 WHERE tenant_id = $1 AND status = 'active'",
        tx.tenant_id,
        now,
    )
    await _set(tx, number, VersionStatus.ACTIVE, now, actor)
    detail = {"number": number, "hash": ready.version.content_hash, **detail}
    changed = audit.change({"in_force": effect.replaces}, {"in_force": number})
    await audit.record(actor, action, str(ready.version.id), **changed, **detail)
    return Activated(await version_of(number), ready.findings, effect)


async def _schedulable(tx: Tx, number: int, at: datetime) -> Activated:
    """A draft without errors and a moment for it. Raises what ``schedule`` does."""
    ready = await _ready(number)
    if at.tzinfo is None or at < clock.now() + NOTICE:
        raise MomentNotAhead("input.at", at=at.isoformat(), seconds=int(NOTICE.total_seconds()))
    taken = await tx.value(
        "SELECT number FROM program_version WHERE tenant_id = $1 AND status = 'scheduled' AND activated_at = $2",
        tx.tenant_id,
        at,
    )
    if taken is not None:
        raise MomentTaken("input.at", number=taken)
    return Activated(ready.version, ready.findings, await _effect(tx, at, number))


async def _ready(number: int) -> Reviewed:
    """A draft without errors. Raises ``WrongState`` or ``ProgramHasErrors``."""
    version = await version_of(number)
    if version.status is not VersionStatus.DRAFT:
        raise WrongState("input.number", kind="program version", state=version.status, needed="draft")
    findings = await findings_on(await content_of(number), version.content_hash)
    if errors := errors_in(findings):
        raise ProgramHasErrors("input.number", count=len(errors), findings=findings)
    return Reviewed(version, findings)


async def _effect(tx: Tx, at: datetime, number: int) -> Effect:
    following = await tx.value(
        "SELECT number FROM program_version WHERE tenant_id = $1 AND status = 'scheduled' AND activated_at > $2 "
        "AND number <> $3 ORDER BY activated_at LIMIT 1",
        tx.tenant_id,
        at,
        number,
    )
    return Effect(at=at, replaces=await number_in_force(at), followed_by=following)


async def _set(tx: Tx, number: int, status: VersionStatus, at: datetime, actor: Actor) -> None:
    changed = await tx.execute(
        "UPDATE program_version SET status = $3, activated_at = $4, activated_by = $5 "
        "WHERE tenant_id = $1 AND number = $2 AND status = 'draft'",
        tx.tenant_id,
        number,
        status,
        at,
        actor.id,
    )
    if not changed:
        raise RuntimeError(f"version {number} changed under its lock")


async def _lock(tx: Tx, number: int) -> Sequence[int]:
    """Take the brand's first version, which never goes, and the one asked for; then bring the table up to date.

    Answers the versions that came into force since the last write.
    """
    await tx.rows(
        f"SELECT id FROM program_version WHERE tenant_id = $1 AND number IN (1, $2) ORDER BY number{tx.for_update}",
        tx.tenant_id,
        number,
    )
    rows = await tx.rows(
        f"SELECT id, number, status, activated_at FROM program_version WHERE tenant_id = $1 AND {DUE} "
        f"ORDER BY activated_at, number",
        tx.tenant_id,
        clock.now(),
    )
    for before, after in pairwise(rows):
        await tx.execute(
            "UPDATE program_version SET status = 'retired', retired_at = $3 WHERE tenant_id = $1 AND number = $2",
            tx.tenant_id,
            before["number"],
            after["activated_at"],
        )
    came = [row for row in rows if row["status"] == VersionStatus.SCHEDULED]
    if came and rows[-1]["status"] == VersionStatus.SCHEDULED:
        await tx.execute(
            "UPDATE program_version SET status = 'active' WHERE tenant_id = $1 AND number = $2",
            tx.tenant_id,
            rows[-1]["number"],
        )
    for row in came:
        detail = {"number": row["number"], "from": row["activated_at"].isoformat()}
        await audit.record(system(tx.tenant_id, "schedule"), "program.in_force", str(row["id"]), **detail)
    return [row["number"] for row in came]


async def _insert(tx: Tx, content: Program, label: str, actor: Actor, based_on: int | None = None) -> int:
    """Write a new draft under the next number; of two who take the same number the second takes the one after."""
    data, now = as_data(content), clock.now()
    columns = ("id", "number", "label", "status", "content", "content_hash", "created_by", "created_at", "updated_at")
    text, digest = orjson.dumps(data).decode(), fingerprint(data)
    for _ in range(TRIES):
        number = await tx.value(
            "SELECT coalesce(max(number), 0) + 1 FROM program_version WHERE tenant_id = $1", tx.tenant_id
        )
        values = (new_id(), number, label, VersionStatus.DRAFT, text, digest, actor.id, now, now, based_on)
        if await tx.insert_many("program_version", (*columns, "based_on"), [values], or_ignore=True):
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
        version = await version_of(number)
        raise WrongState("input.number", kind="program version", state=version.status, needed="draft")


def _label(label: str) -> str:
    name = label.strip()
    if len(name) > LABEL_LONGEST or not name.isprintable():
        remedy = Said(
            f"give a label of at most {LABEL_LONGEST} printable characters",
            f"请填写不超过 {LABEL_LONGEST} 个可见字符的标签",
        )
        raise InvalidInput("input.label", value=ascii(name[:LABEL_LONGEST]), remedy=remedy)
    return name
