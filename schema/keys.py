"""API keys of shop systems."""

from datetime import datetime, timedelta

import strawberry

from schema.context import Info
from schema.enums import described
from schema.errors import In, Payload, refusals
from schema.ids import from_global, maybe_global, to_global
from tenants import api_keys
from tenants.access import Scope

described(
    "What an API key can be limited to.",
    name="ApiKeyScope",
    CATALOG_READ="Read products.",
    CATALOG_WRITE="Put and archive products.",
    COMMISSIONS_READ="Read commission.",
    DOCUMENTS_WRITE="Register the operations of apps.",
    NETWORK_READ="Read distributors and the tree.",
    NETWORK_WRITE="Enrol distributors.",
    ORDERS_READ="Read orders.",
    ORDERS_WRITE="Place orders and move them on.",
)(Scope)


@strawberry.type(description="A key of a shop system.")
class ApiKey:
    """An API key without its secret."""

    id: strawberry.ID = strawberry.field(description="Global id.")
    name: str = strawberry.field(description="What it is for.")
    prefix: str = strawberry.field(description="Its beginning, enough to recognise it.")
    scopes: list[Scope] = strawberry.field(description="What it is limited to.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="When it ends by itself.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used, to the minute.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked.")
    replaces: strawberry.ID | None = strawberry.field(description="The key whose place it took.")


def api_key(found: api_keys.ApiKey) -> ApiKey:
    """A key for the API."""
    return ApiKey(
        id=to_global("ApiKey", found.id),
        name=found.name,
        prefix=found.prefix,
        scopes=sorted(found.scopes),
        created_at=found.created_at,
        expires_at=found.expires_at,
        last_used_at=found.last_used_at,
        revoked_at=found.revoked_at,
        replaces=maybe_global("ApiKey", found.replaces),
    )


@strawberry.input(description="A new API key.")
class CreateApiKeyInput:
    """A key for one system."""

    name: str = strawberry.field(description="What it is for.")
    scopes: list[Scope] = strawberry.field(description="What it is limited to.")
    expires_at: datetime | None = strawberry.field(default=None, description="When it shall end by itself.")


@strawberry.input(description="A key to end.")
class RevokeApiKeyInput:
    """A key."""

    id: strawberry.ID = strawberry.field(description="The key.")


@strawberry.input(description="A key to replace by a new one.")
class RotateApiKeyInput:
    """A key, and how long it holds beside the new one."""

    id: strawberry.ID = strawberry.field(description="The key.")
    overlap_hours: int = strawberry.field(
        default=24, description="How long it still holds beside the new one, up to 720 hours; 0 ends it at once."
    )


@strawberry.type(description="A key as it is now.")
class ApiKeyPayload(Payload):
    """Answer of the mutations of keys."""

    api_key: ApiKey | None = strawberry.field(default=None, description="The key; none when refused.")
    token: str | None = strawberry.field(default=None, description="A new key's secret, told this once.")


@strawberry.type
class KeyQuery:
    """Reads of keys."""

    @strawberry.field(description="The brand's API keys, the latest first.")
    async def api_keys(self) -> list[ApiKey]:
        """All keys, revoked ones among them."""
        return [api_key(found) for found in await api_keys.api_keys()]


@strawberry.type
class KeyMutation:
    """Writes of keys."""

    @strawberry.mutation(description="Make an API key. Its secret is told this once.")
    @refusals(ApiKeyPayload)
    async def create_api_key(self, info: Info, input: In[CreateApiKeyInput]) -> ApiKeyPayload:
        """A new key."""
        command = api_keys.CreateApiKey(name=input.name, scopes=frozenset(input.scopes), expires_at=input.expires_at)
        made = await api_keys.create_api_key(command, info.context.who)
        return ApiKeyPayload(api_key=api_key(made.key), token=made.token)

    @strawberry.mutation(
        description="A new key in place of one: same name, scopes and end. Its secret is told this once; the old one "
        "holds a while longer."
    )
    @refusals(ApiKeyPayload)
    async def rotate_api_key(self, info: Info, input: In[RotateApiKeyInput]) -> ApiKeyPayload:
        """Rotate it."""
        key_id = from_global("ApiKey", input.id, "input.id")
        made = await api_keys.rotate_api_key(key_id, timedelta(hours=input.overlap_hours), info.context.who)
        return ApiKeyPayload(api_key=api_key(made.key), token=made.token)

    @strawberry.mutation(description="End an API key at once.")
    @refusals(ApiKeyPayload)
    async def revoke_api_key(self, info: Info, input: In[RevokeApiKeyInput]) -> ApiKeyPayload:
        """Revoke it."""
        key_id = from_global("ApiKey", input.id, "input.id")
        return ApiKeyPayload(api_key=api_key(await api_keys.revoke_api_key(key_id, info.context.who)))
