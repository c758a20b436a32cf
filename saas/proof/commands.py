"""Proving that the books hold: as a job, whoever schedules it is told when they do not, and by the command line."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from saas.base.chain import Chain
from saas.base.checks import Violation
from saas.base.db import transaction
from saas.base.ids import PLATFORM
from saas.base.scope import current_tenant, tenant_scope
from saas.jobs.worker import Progress
from saas.proof.checks import CHAINS, CHECKS, broken, seal_chains, verify_chains
from saas.proof.errors import BooksBroken
from tenants import audit, registry
from tenants.actors import system
from tenants.crossing import across_tenants

KIND = "check_books"
"""The kind of its jobs."""

Teller: TypeAlias = Callable[[str, Sequence[Violation], Sequence[Chain]], None]
"""Told of each brand by its slug: what does not hold, and its chains as they were verified."""

log = logging.getLogger("banyan.alert")


async def check_books(_: Mapping[str, Any], progress: Progress) -> None:
    """Run every check and verify the chains, then seal what is not sealed yet, however late it was written.

    What does not hold is logged as an alert, written into the audit log and ends the job as failed, with
    ``BooksBroken``; nothing more is sealed then.
    """
    total = len(CHECKS) + len(CHAINS)
    await progress.report(0, total, "checks")
    found = await broken()
    await progress.report(len(CHECKS), total, "chains")
    found += [violation for chain in await verify_chains() for violation in chain.violations]
    if found:
        checks = ", ".join(sorted({violation.check for violation in found}))
        log.critical("the books of brand %d do not hold: %s: %s", current_tenant(), checks, found[:10])
        async with transaction() as tx:
            await audit.record(system(tx.tenant_id, KIND), "books.broken", None, checks=checks, count=len(found))
        raise BooksBroken(checks=checks, count=len(found))
    await seal_chains(everything=True)
    await progress.report(total, total, "sealed")


async def prove_books(tell: Teller) -> int:
    """Run every check and verify the chains of every brand, and the audit log of the platform; answers the findings.

    Where all holds, what was written since is sealed.
    """
    async with across_tenants(system(PLATFORM, "main.py check"), reason="verification of the ledger") as brands:
        found = sum([await _prove((await registry.this_brand()).slug, await broken(), tell) async for _ in brands])
    with tenant_scope(PLATFORM):
        return found + await _prove("platform", [], tell)


async def _prove(slug: str, violations: Sequence[Violation], tell: Teller) -> int:
    chains = await verify_chains()
    found = [*violations, *(violation for chain in chains for violation in chain.violations)]
    tell(slug, found, chains)
    if not found:
        await seal_chains(everything=True)
    return len(found)
