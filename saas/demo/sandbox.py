"""A brand to build a front-end against: made like the demo's, and made anew whenever its data are used up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from saas.base.db import reading, transaction
from saas.base.errors import NotFound
from saas.base.ids import PLATFORM, JobId
from saas.base.scope import current_tenant, tenant_scope
from saas.base.settings import Environment, get_settings
from saas.demo import LOTUS, Login, logins_of, make_brand
from saas.demo.errors import NotASandbox, NotInProduction
from saas.jobs.commands import enqueue
from saas.jobs.queries import JobView, job
from saas.jobs.worker import Progress
from tenants import audit, registry
from tenants.actors import Actor, Role, check_fresh, system
from tenants.registry import Brand

SANDBOX = replace(LOTUS, slug="sandbox", name="Sandbox", program=LOTUS.slug, sandbox=True)
KIND = "sandbox.reset"
"""The kind of the jobs that make a sandbox anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """A sandbox that is to be made anew, what will be put aside with it, and the job; none of a dry run."""

    brand: Brand
    orders: int
    distributors: int
    job: JobView | None


async def reset() -> list[Login]:
    """Make the sandbox with the data of its first day, and answer its log-ins, which are always the same.

    The one there was is put aside, not emptied: a ledger is never taken back. Raises ``NotInProduction``.
    """
    _check_not_in_production()
    await registry.put_aside(SANDBOX.slug, system(PLATFORM, "sandbox"))
    await make_brand(SANDBOX)
    return list(logins_of(SANDBOX))


async def ask_reset(slug: str | None, actor: Actor, *, dry_run: bool = False) -> Reset:
    """Have a sandbox made anew by a worker: one's own, or for operators that of a ``slug``.

    Raises ``LoginNotFresh``, ``NotFound``, ``NotASandbox`` for any other brand, or ``NotInProduction``.
    """
    check_fresh(actor)
    brand = await _meant(slug, actor)
    if not brand.sandbox:
        raise NotASandbox("input.slug", slug=brand.slug)
    _check_not_in_production()
    with tenant_scope(brand.id):
        async with reading() as tx:
            orders = await tx.value("SELECT count(*) FROM sales_order WHERE tenant_id = $1", brand.id)
            distributors = await tx.value("SELECT count(*) FROM distributor WHERE tenant_id = $1", brand.id)
        asked = None if dry_run else await _enqueued(brand, actor)
    return Reset(brand=brand, orders=orders, distributors=distributors, job=asked)


async def _meant(slug: str | None, actor: Actor) -> Brand:
    """The brand that is meant. Whoever is of a brand learns of no other."""
    if actor.role is Role.OPERATOR:
        return await registry.by_slug(slug or "")
    brand = await registry.this_brand()
    if slug not in {None, brand.slug}:
        raise NotFound("input.slug", kind="brand", value=slug)
    return brand


async def _enqueued(brand: Brand, actor: Actor) -> JobView:
    async with transaction():
        await audit.record(actor, "sandbox.reset", str(brand.id), slug=brand.slug)
        job_id: JobId = await enqueue(KIND, {"slug": brand.slug}, actor=actor)
        return await job(job_id)


async def run_reset(given: Mapping[str, Any], progress: Progress) -> None:
    """The job: a new brand beside the old one, which then takes its place and its domains at one moment.

    Everybody's log-ins end with that, since they were of the old one. Done again, it changes nothing; what an attempt
    left that did not come to its end is put aside.
    """
    slug, actor = given["slug"], system(PLATFORM, "sandbox")
    beside = replace(SANDBOX, slug=f"next-{progress.job_id.hex[:20]}")
    try:
        if (await registry.by_slug(slug)).id != current_tenant():
            return
    except NotFound:
        return
    await progress.report(0, 2, "making a new one")
    await registry.put_aside(beside.slug, actor)
    await make_brand(beside)
    await progress.report(1, 2, "putting it in place")
    await registry.put_aside(slug, actor, for_other=beside.slug)


def _check_not_in_production() -> None:
    if get_settings().environment is Environment.PRODUCTION:
        raise NotInProduction
