"""Sandboxes: brands to build front-ends against, whose data are made anew when they are used up."""

import strawberry

from saas.demo.sandbox import ask_reset
from schema.brands import Tenant, tenant
from schema.context import Info
from schema.errors import In, Payload, refusals
from schema.jobs import Job, job


@strawberry.input(description="A sandbox to make anew.")
class ResetSandboxInput:
    """Which one."""

    slug: str | None = strawberry.field(
        default=None, description="The sandbox's slug, for operators; the caller's own brand by default."
    )
    dry_run: bool = strawberry.field(default=False, description="Tell what would be put aside, write nothing.")


@strawberry.type(description="What becomes of a sandbox.")
class ResetSandboxPayload(Payload):
    """Answer of ``resetSandbox``."""

    tenant: Tenant | None = strawberry.field(default=None, description="The sandbox; none when refused.")
    orders: int = strawberry.field(default=0, description="How many orders it has, which are put aside with it.")
    distributors: int = strawberry.field(default=0, description="How many distributors it has.")
    job: Job | None = strawberry.field(
        default=None, description="The job that does it; none in a dry run. When it is done, all log-ins have ended."
    )


@strawberry.type
class SandboxMutation:
    """Writes of sandboxes."""

    @strawberry.mutation(
        description="Make a sandbox anew, with the data and the log-ins of its first day, as a job; the used one is "
        "put aside. Refused for any other brand. Needs a fresh log-in."
    )
    @refusals(ResetSandboxPayload)
    async def reset_sandbox(self, info: Info, input: In[ResetSandboxInput]) -> ResetSandboxPayload:
        """Reset it."""
        asked = await ask_reset(input.slug, info.context.who, dry_run=input.dry_run)
        return ResetSandboxPayload(
            tenant=tenant(asked.brand),
            orders=asked.orders,
            distributors=asked.distributors,
            job=job(asked.job) if asked.job else None,
        )
