"""What a resolver knows about its request: the tenant, who is asking, the language, the loaders."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from strawberry.dataloader import DataLoader
from strawberry.types import Info as StrawberryInfo

from saas.base.errors import LANGUAGES
from saas.base.ids import TenantId
from saas.network.views import Visibility
from schema.observing import Told
from tenants import registry
from tenants.actors import Actor

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Unauthenticated(Exception):
    """The operation needs somebody signed in. The access table refuses before a resolver could meet this."""


@dataclass(slots=True)
class Context:
    """One request. Loaders live and die with it, so nothing of one tenant is ever kept for another."""

    request: Request
    response: Response
    request_id: str
    host_tenant_id: TenantId
    tenant_id: TenantId
    actor: Actor | None
    token: str | None
    locale: str
    address: str
    told: Told
    cost_most: int = 0
    """What an operation of this caller may cost here."""
    explores: bool = True
    """Whether the caller may learn the schema: by introspection, and by what is suggested in place of a wrong name."""
    only_trusted: bool = False
    """Whether the operation must be one that the brand has registered, and is not."""
    loaders: dict[str, DataLoader[Any, Any]] = field(default_factory=dict)
    visibility: Visibility | None = None
    cost: int = 0
    connection_params: dict[str, Any] | None = None
    """What a WebSocket's caller said first."""
    streams: bool = False
    """Whether the answer can go on, as those of subscriptions do."""
    cut: Callable[[], None] = lambda: None  # a default, not a name
    """Ends the connection of a stream that takes nothing any more."""

    @property
    def who(self) -> Actor:
        """The signed-in caller."""
        if self.actor is None:
            raise Unauthenticated
        return self.actor

    async def currency(self) -> str:
        """The brand's currency."""
        return (await registry.this_brand()).currency

    def loader(self, name: str, load: Callable[[list[K]], Awaitable[list[V]]]) -> DataLoader[K, V]:
        """The request's loader of that name; made at first use."""
        if name not in self.loaders:
            self.loaders[name] = DataLoader(load_fn=load)
        return self.loaders[name]

    def forget(self) -> None:
        """Let go of what was read: something is about to be changed, and the answer to that shall not be older."""
        self.loaders.clear()
        self.visibility = None


Info: TypeAlias = StrawberryInfo[Context, None]


def locale_of(accepted: str | None, preferred: str) -> str:
    """The language of messages: the first of ours the caller's header names, else the preferred one."""
    for part in (accepted or "").split(","):
        tag = part.partition(";")[0].strip().lower()
        for language in LANGUAGES:
            if tag and tag.split("-")[0] == language.split("-")[0].lower():
                return language
    return preferred if preferred in LANGUAGES else LANGUAGES[0]


def by_key(keys: list[UUID], rows: dict[UUID, V]) -> list[V | None]:
    """Answers of a loader in the order of its keys."""
    return [rows.get(key) for key in keys]
