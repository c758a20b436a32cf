"""What there is to say about a program in a brand: the document's own findings, its currency, what was let pass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from saas.base.db import reading
from saas.base.idempotency import fingerprint
from tenants import registry
from tenants.program import Finding, Program, Severity, as_data, parse, validate
from tenants.program.findings import Overridden
from tenants.program.stored import Version, content_of, version_of
from tenants.program.text import Format


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A version with everything there is to say about its content."""

    version: Version
    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One objection of a compliance profile that an operator let pass, for one content and no other."""

    id: UUID
    program_number: int
    content_hash: str
    rule: str
    path: str
    reason: str
    operator: str
    overridden_by: UUID
    overridden_at: datetime


OVERRIDE_COLUMNS = "id, program_number, content_hash, rule, path, reason, operator, overridden_by, overridden_at"


async def overrides_of(content_hash: str) -> Sequence[Override]:
    """What operators let pass of a content, whichever version has it; the first one first."""
    async with reading() as tx:
        rows = await tx.rows(
            f"SELECT {OVERRIDE_COLUMNS} FROM compliance_override "
            f"WHERE tenant_id = $1 AND content_hash = $2 ORDER BY overridden_at, id",
            tx.tenant_id,
            content_hash,
        )
    return [Override(**row) for row in rows]


async def findings_on(content: Program, content_hash: str) -> Sequence[Finding]:
    """What the document itself shows, and whether it fits the brand. What an operator let pass is a warning."""
    brand = await registry.this_brand()
    found = list(validate(content))
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
    if not any(finding.overridable for finding in found):
        return found
    passed = {(override.rule, override.path): override for override in await overrides_of(content_hash)}
    return [_let_pass(finding, passed.get((finding.rule or "", finding.path))) for finding in found]


def _let_pass(finding: Finding, override: Override | None) -> Finding:
    if override is None or not finding.overridable or finding.severity is not Severity.ERROR:
        return finding
    passed = Overridden(operator=override.operator, reason=override.reason, at=override.overridden_at)
    return replace(finding, severity=Severity.WARNING, overridden=passed)


async def check_document(document: str | bytes, form: Format = "yaml") -> Sequence[Finding]:
    """What there is to say about a document that nobody saved, in the brand of the active scope. Never raises."""
    parsed = parse(document, form)
    return await findings_on(parsed, fingerprint(as_data(parsed))) if isinstance(parsed, Program) else parsed


async def validate_version(number: int) -> Reviewed:
    """A version with its findings as of today's checks."""
    async with reading():
        version = await version_of(number)
        return Reviewed(version, await findings_on(await content_of(number), version.content_hash))
