"""Brands as their own people see them, and as operators make them."""

from datetime import datetime

import strawberry

from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.paging import PAGE_DEFAULT, After, Connection, First, connection, request
from tenants import registry
from tenants.accounts import CreateMember
from tenants.actors import Role
from tenants.program import starting
from tenants.registry import Brand, BrandStatus

described(
    "Whether a brand can be reached.",
    ACTIVE="It can be reached.",
    SUSPENDED="It looks as if it did not exist, to everybody but operators.",
)(BrandStatus)


@strawberry.type(description="A brand of this installation (品牌方).")
class Tenant:
    """A tenant."""

    slug: str = strawberry.field(description="Short name; the brand's site is `slug.` and the base domain.")
    name: str = strawberry.field(description="Its name.")
    status: BrandStatus = strawberry.field(description="Whether it can be reached.")
    currency: str = strawberry.field(description="The currency of its prices and commission, ISO 4217.")
    time_zone: str = strawberry.field(description="The zone its days and periods are counted in.")
    locale: str = strawberry.field(description="Its default language.")
    created_at: datetime = strawberry.field(description="When it was made.")
    sandbox: bool = strawberry.field(description="Whether it is a sandbox, whose data may be used up and made anew.")


def tenant(brand: Brand) -> Tenant:
    """A brand for the API."""
    return Tenant(
        slug=brand.slug,
        name=brand.name,
        status=brand.status,
        currency=brand.currency,
        time_zone=brand.time_zone,
        locale=brand.locale,
        created_at=brand.created_at,
        sandbox=brand.sandbox,
    )


@strawberry.input(description="A new brand and its first owner.")
class CreateTenantInput:
    """What an operator gives."""

    slug: str = strawberry.field(description="Short name: letters a-z, digits, hyphens.")
    name: str = strawberry.field(description="The brand's name.")
    owner_login: str = strawberry.field(description="Log-in of its first owner.")
    owner_name: str = strawberry.field(description="Name of that owner.")
    owner_password: str | None = strawberry.field(
        default=None, description="First password of that owner; without one the owner is invited, by `ownerLink`."
    )
    currency: str = strawberry.field(default="CNY", description="ISO 4217; for good.")
    time_zone: str = strawberry.field(default="Asia/Shanghai", description="IANA zone; for good.")
    locale: str = strawberry.field(default="zh-CN", description="Default language: `zh-CN` or `en`.")
    preset: str | None = strawberry.field(
        default=None, description="A preset to put in force at once, from `programPresets`; none starts without."
    )


@strawberry.input(description="A brand to suspend or to reactivate.")
class TenantStatusInput:
    """By slug, with a reason."""

    slug: str = strawberry.field(description="The brand.")
    status: BrandStatus = strawberry.field(description="What it shall be.")
    reason: str = strawberry.field(description="Why; it stands in the brand's audit log.")


@strawberry.input(description="A domain of a brand's own.")
class AddDomainInput:
    """A host."""

    slug: str = strawberry.field(description="The brand.")
    host: str = strawberry.field(description="The full domain name, such as `partners.lotus.example`.")


@strawberry.type(description="How an invited owner gets in.")
class OwnerLink:
    """A token to pass on."""

    token: str = strawberry.field(description="For `followLink`, told this once.")
    expires_at: datetime = strawberry.field(description="Until when it holds.")


@strawberry.type(description="A brand as it is now.")
class TenantPayload(Payload):
    """Answer of the mutations of brands."""

    tenant: Tenant | None = strawberry.field(default=None, description="The brand; none when refused.")
    owner_link: OwnerLink | None = strawberry.field(
        default=None, description="The link of its owner, where `createTenant` invited one."
    )


@strawberry.type
class BrandQuery:
    """Reads of brands."""

    @strawberry.field(description="The brand of this site or of the caller; none on the platform's own site.")
    async def tenant(self, info: Info) -> Tenant | None:
        """This brand."""
        brand = await registry.by_id(info.context.tenant_id)
        return tenant(brand) if brand.id else None

    @strawberry.field(description="All brands by slug, for operators.")
    async def tenants(self, first: First = PAGE_DEFAULT, after: After = None) -> Connection[Tenant]:
        """A page of brands."""
        return connection(await registry.brands(request(first, after)), tenant, after)


@strawberry.type
class BrandMutation:
    """What operators do to brands."""

    @strawberry.mutation(description="Make a brand and its first owner, who is invited unless a password is given.")
    @refusals(TenantPayload)
    async def create_tenant(self, info: Info, input: In[CreateTenantInput]) -> TenantPayload:
        """A new brand."""
        owner = CreateMember(
            login=input.owner_login,
            password=input.owner_password or "",
            name=input.owner_name,
            role=Role.OWNER,
            locale=input.locale,
        )
        command = registry.CreateTenant(
            slug=input.slug,
            name=input.name,
            owner=owner,
            currency=input.currency,
            time_zone=input.time_zone,
            locale=input.locale,
        )
        made = await starting.create_brand(
            command, info.context.who, preset_name=input.preset, invites_owner=input.owner_password is None
        )
        link = made.owner_link
        told = OwnerLink(token=link.token, expires_at=link.expires_at) if link else None
        return TenantPayload(tenant=tenant(made.brand), owner_link=told)

    @strawberry.mutation(description="Suspend a brand, or bring it back.")
    @refusals(TenantPayload)
    async def set_tenant_status(self, info: Info, input: In[TenantStatusInput]) -> TenantPayload:
        """Suspend or reactivate."""
        change = registry.suspend_tenant if input.status is BrandStatus.SUSPENDED else registry.reactivate_tenant
        brand = await registry.any_by_slug(input.slug, info.context.who)
        return TenantPayload(tenant=tenant(await change(brand.id, input.reason, info.context.who)))

    @strawberry.mutation(description="Serve a brand at a domain of its own.")
    @refusals(TenantPayload)
    async def add_tenant_domain(self, info: Info, input: In[AddDomainInput]) -> TenantPayload:
        """Add a domain."""
        brand = await registry.by_slug(input.slug)
        await registry.add_domain(brand.id, input.host, info.context.who)
        return TenantPayload(tenant=tenant(brand))
