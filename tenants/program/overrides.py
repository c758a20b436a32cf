"""Operators of the platform let single objections of a compliance profile pass (docs/rules.md §2.8).

What is let pass is one rule at one place of one content. Other content is judged anew, whoever asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from saas.base import clock
from saas.base.db import reading, transaction
from saas.base.db.where import Where
from saas.base.ids import TenantId, new_id
from saas.base.paging import Page, PageRequest, decode_cursor, encode_cursor, page_of
from saas.base.text import reason_of
from tenants import audit
from tenants.actors import Actor, Role
from tenants.crossing import across_tenants
from tenants.errors import AlreadyOverridden, FindingNotThere, Forbidden, NotOverridable
from tenants.program import Finding, Severity
from tenants.program.review import OVERRIDE_COLUMNS, Override, Reviewed, validate_version


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideFinding:
    """Which objection to let pass, and why. ``rule`` and ``path`` as the finding names them."""

    tenant_id: TenantId
    number: int
    rule: str
    path: str
    reason: str


async def override_finding(command: OverrideFinding, actor: Actor) -> Reviewed:
    """Let one objection to a brand's program pass; answers the version with its findings afterwards.

    The brand's audit log says who entered, what was let pass and why. Raises ``Forbidden`` unless an operator asks,
    ``ReasonRefused``, ``NotFound``, ``FindingNotThere``, ``NotOverridable`` or
    ``AlreadyOverridden``.
    """
    if actor.role is not Role.OPERATOR or actor.id is None:
        raise Forbidden("input", role=actor.role, needed=Role.OPERATOR)
    reason = reason_of(command.reason)
    async with across_tenants(actor, reason=reason, only={command.tenant_id}) as brands:
        async for _ in brands:
            async with transaction() as tx:
                # nobody replaces the draft between its review and the decision about it
                await tx.rows(
                    f"SELECT id FROM program_version WHERE tenant_id = $1 AND number = $2{tx.for_update}",
                    tx.tenant_id,
                    command.number,
                )
                before = await validate_version(command.number)
                _check(before.findings, command)
                await _write(before, command, reason, actor.id, actor)
                return await validate_version(command.number)
    raise LookupError(f"there is no brand {command.tenant_id}")


def _check(findings: Sequence[Finding], command: OverrideFinding) -> None:
    """Refuse to let pass what is no error, or may not pass."""
    named = {"rule": command.rule[:60], "path": command.path[:200]}
    here = [finding for finding in findings if (finding.rule, finding.path) == (command.rule, command.path)]
    if any(finding.overridden for finding in here):
        raise AlreadyOverridden("input.rule", **named)
    errors = [finding for finding in here if finding.severity is Severity.ERROR]
    if not errors:
        raise FindingNotThere("input.rule", number=command.number, **named)
    if not all(finding.overridable for finding in errors):
        raise NotOverridable("input.rule", **named)


async def _write(before: Reviewed, command: OverrideFinding, reason: str, operator: UUID, actor: Actor) -> None:
    version = before.version
    async with transaction() as tx:
        columns = OVERRIDE_COLUMNS.split(", ")
        written = (version.number, version.content_hash, command.rule, command.path, reason, actor.label, operator)
        row = (new_id(), *written, clock.now())
        if not await tx.insert_many("compliance_override", columns, [row], or_ignore=True):
            raise AlreadyOverridden("input.rule", rule=command.rule, path=command.path)
        detail = {"number": version.number, "hash": version.content_hash, "rule": command.rule, "path": command.path}
        await audit.record(actor, "program.override", str(version.id), **detail, reason=reason)


async def overrides(page: PageRequest) -> Page[Override]:
    """Everything that was let pass for the brand of the active scope, the latest first."""
    async with reading() as tx:
        where = Where(tx)
        if page.after:
            moment, id_ = decode_cursor(page.after, datetime, UUID)
            where.after(("overridden_at", "id"), (moment, id_), descending=True)
        rows = await tx.rows(
            f"SELECT {OVERRIDE_COLUMNS} FROM compliance_override WHERE {where.sql} "
            f"ORDER BY overridden_at DESC, id DESC LIMIT {page.first + 1}",
            *where.args,
        )
    found = [Override(**row) for row in rows]
    return page_of(found, page, [encode_cursor(one.overridden_at, one.id) for one in found])


async def overrides_in(tenant_id: TenantId, page: PageRequest, actor: Actor) -> Page[Override]:
    """The same of any brand, for operators; the brand's audit log keeps a line of it. Raises ``Forbidden``."""
    async with across_tenants(actor, reason="list of compliance overrides", only={tenant_id}) as brands:
        async for _ in brands:
            return await overrides(page)
    raise LookupError(f"there is no brand {tenant_id}")
