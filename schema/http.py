"""GraphQL over HTTP: finds the tenant by host, the caller by token, and runs each request in that tenant's scope."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult, SubscriptionExecutionResult
from strawberry.types.unset import UNSET, UnsetType

from saas.base.db import reading_on
from saas.base.errors import DomainError, NotFound
from saas.base.ids import PLATFORM, TenantId, new_id
from saas.base.scope import current_tenant, tenant_scope
from saas.base.settings import Environment, Settings
from schema.addresses import PlainAddress
from schema.answers import JSON, Refusal, kept, media_type, refused, status_of
from schema.callbacks import callback
from schema.context import Context, locale_of
from schema.cross_origin import lend, lent_to, preflight, same_origin
from schema.failures import told
from schema.headers import headers_of, policy_of_page
from schema.health import live, ready
from schema.incoming import address_of, bearer_of, limited, plainly_asked, token_of
from schema.observing import Observed, Told
from schema.rates import Rates
from schema.schema import schema
from schema.sockets import EventStream, Socket, Subscriptions, TextSocket, cutting
from schema.texts import new_store, not_found, text_for
from tenants import registry, sessions
from tenants.actors import Actor
from tenants.api_policy import ApiPolicy, asker_of, policy_of, this_policy
from tenants.errors import RateLimited, TimedOut
from tenants.registry import Brand

NOTHING_MORE: UnsetType = UNSET
"""What a connection is acknowledged with."""

NEVER_KEPT = (b"cache-control", b"no-store")
WEB = Path(__file__).parent.parent / "web"
GRAPHIQL_ASSETS = WEB / "graphiql" / "node_modules"


def make_app(settings: Settings, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """The server: ``/graphql``, ``/callbacks/…``, ``/livez``, ``/readyz``, and GraphiQL in development."""
    developing, api = settings.environment is Environment.DEVELOPMENT, Api(settings)
    routes: list[BaseRoute] = [
        Route("/livez", live),
        Route("/readyz", ready),
        Route("/graphql", api),
        WebSocketRoute("/graphql", api),
        Route("/callbacks/{provider}", callback, methods=["POST"]),
    ]
    if developing:
        routes.append(Route("/", _to_graphiql))
        if GRAPHIQL_ASSETS.is_dir():
            routes.append(Mount("/graphiql", app=StaticFiles(directory=GRAPHIQL_ASSETS)))
    observed = Middleware(Observed, headers=headers_of(settings))
    return Starlette(routes=routes, lifespan=lifespan, middleware=[observed, Middleware(PlainAddress)])


async def _to_graphiql(_: Request) -> Response:
    return RedirectResponse("/graphql")


class Caller(NamedTuple):
    """Who asks, at whose site, and what the brand says of its API."""

    host_tenant_id: TenantId
    actor: Actor | None
    token: str | None
    locale: str
    policy: ApiPolicy


class Api(GraphQL[Context, None]):
    """The GraphQL endpoint of every brand."""

    graphql_transport_ws_handler_class = Socket
    websocket_adapter_class = TextSocket
    stream_transport_classes_by_protocol = {GRAPHQL_SSE_PROTOCOL: Subscriptions}

    def __init__(self, settings: Settings) -> None:
        self.developing = settings.environment is Environment.DEVELOPMENT
        super().__init__(
            schema,
            graphql_ide="graphiql" if self.developing else None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=None,  # our own handler counts, and says so with a code
        )
        self.settings = settings
        self.rates = Rates(settings)
        self.texts = new_store()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._connected(WebSocket(scope, receive, send))
            return
        request = Request(scope, limited(receive))
        try:
            answer = await self._in_time(request)
        except HTTPException as wrong:
            headers = {"allow": "GET, POST"} if wrong.status_code == 405 else {}
            answer = refused(request, Refusal(wrong.status_code, "BAD_REQUEST", wrong.reason, headers))
        except Refusal as refusal:
            answer = refused(request, refusal)
        if (origin := scope.get("lent_to")) is not None:
            lend(answer, origin)
        await answer(scope, receive, send)

    async def _in_time(self, request: Request) -> Response:
        """The answer, unless it takes too long: what was not committed by then is undone. Raises ``Refusal``."""
        seconds = self.settings.request_seconds
        try:
            async with asyncio.timeout(seconds) as limit:
                await request.body()  # all of it has come before a connection to the database is held
                async with reading_on():
                    return await self._asked(request)
        except TimeoutError:
            if not limit.expired():
                raise
        raise _refusal(503, TimedOut(seconds=seconds), request, "en")

    async def _connected(self, socket: WebSocket) -> None:
        """A WebSocket of a site there is; who is asking is known once the connection has begun."""
        try:
            brand = await registry.by_host(socket.headers.get("host", ""))
        except NotFound:
            await self.reject_websocket(socket)
            return
        host_tenant_id = brand.id if brand else PLATFORM
        socket.scope["request_id"] = new_id().hex
        with tenant_scope(host_tenant_id):
            policy = policy_of(brand) if brand else await this_policy()
            locale = brand.locale if brand else "en"
            socket.scope["caller"] = Caller(host_tenant_id, None, token_of(socket)[0], locale, policy)
            await self.run(socket)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Let in who is known: by the cookie of the site, or by a token in a header or in what it says first."""
        given = (context.connection_params or {}).get("authorization")
        token = bearer_of(given) if isinstance(given, str) else context.token
        host = None if context.host_tenant_id == PLATFORM else context.host_tenant_id
        actor = await self._follower(token, host, context.address) if token else None
        if actor is None:
            raise ConnectionRejectionError
        context.actor, context.token, context.tenant_id = actor, token, actor.tenant_id
        with tenant_scope(actor.tenant_id):
            policy = await this_policy()
        context.cost_most, context.only_trusted = policy.cost_most(asker_of(actor)), policy.trusted_only
        context.explores = True
        context.locale = locale_of(context.request.headers.get("accept-language"), actor.locale)
        return NOTHING_MORE

    async def _follower(self, token: str, host: TenantId | None, address: str) -> Actor | None:
        """Who connects, unless that is one too many."""
        try:
            actor = await self.rates.known(token, address, partial(sessions.authenticate, token, host))
            if actor is not None:
                self.rates.count(actor, address)
        except RateLimited:
            return None
        return actor

    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], AsyncIterator[str]],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        """An answer that goes on; like every other, in the caller's scope and never kept."""
        plain = {name.lower(): value for name, value in headers.items()} | {"cache-control": "no-store, no-transform"}
        return EventStream(current_tenant(), request.scope, stream(), headers=plain)

    async def _asked(self, request: Request) -> Response:
        """The answer to whoever asks. Raises ``Refusal``."""
        try:
            brand = await registry.by_host(request.headers.get("host", ""))
        except NotFound:
            raise Refusal(404, "NOT_FOUND", "There is nothing here.") from None
        request.scope["lent_to"] = origin = lent_to(request, brand)
        if request.method == "OPTIONS" and "origin" in request.headers:
            return preflight(request, brand)
        token, by_cookie = token_of(request)
        if by_cookie and origin is None and not same_origin(request):
            raise Refusal(403, "FORBIDDEN", "Send the request from the site itself.")
        actor = await self._caller(request, token, brand)
        locale = actor.locale if actor else brand.locale if brand else "en"
        if token and actor is None and not by_cookie:
            raise Refusal(401, "UNAUTHENTICATED", "The token is not valid here. Log in again.")
        return await self._answer(request, brand, actor, token, locale)

    async def _caller(self, request: Request, token: str | None, brand: Brand | None) -> Actor | None:
        """Who asks. Raises ``Refusal`` for a request too many: before a token is looked up that nobody knows here."""
        actor, address = None, address_of(request)
        try:
            if token:
                host = brand.id if brand else None
                actor = await self.rates.known(token, address, partial(sessions.authenticate, token, host))
            if actor is not None or not token:
                self.rates.count(actor, address)
        except RateLimited as limited:
            refusal = _refusal(429, limited, request, actor.locale if actor else brand.locale if brand else "en")
            refusal.headers = {"retry-after": str(limited.params["seconds"])}
            raise refusal from None
        return actor

    async def _answer(
        self, request: Request, brand: Brand | None, actor: Actor | None, token: str | None, locale: str
    ) -> Response:
        """The operation's answer, in the scope of whoever asks."""
        host_tenant_id = brand.id if brand else PLATFORM
        tenant_id = actor.tenant_id if actor else host_tenant_id
        noted: Told = request.scope["told"]
        noted.tenant, noted.role = tenant_id, actor.role if actor else None
        with tenant_scope(tenant_id):
            policy = policy_of(brand) if brand and brand.id == tenant_id else await this_policy()
            request.scope["caller"] = Caller(host_tenant_id, actor, token, locale, policy)
            answer = await self._run(request)
        return kept(request, answer) if request.method == "GET" else answer

    async def _run(self, request: Request) -> Response:
        """The answer; to an operation as nearly every program sends it, without asking what else it could be."""
        asked = plainly_asked(request.scope, await request.body())
        if asked is None:
            return await self.run(request)
        sub_response = await self.get_sub_response(request)
        context = await self.get_context(request, sub_response)
        adapter = self.request_adapter_class(request)
        result = await self.execute_operation(request, adapter, asked, context, None, sub_response)
        return self.create_response(await self.process_result(request, cast(ExecutionResult, result)), sub_response)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """The operation asked for; also of what Strawberry takes for an object without looking."""
        try:
            asked = await super().parse_http_body(request)
        except AttributeError as exc:  # of a number, a text or null, which have no members to look up
            raise HTTPException(400, "Send a JSON object with a query in it.") from exc
        if isinstance(asked, GraphQLRequestData) and not isinstance(asked.operation_name, str | None):
            raise HTTPException(400, "The operationName must be a text or null.")
        return asked

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """A person's browser wants the page; a program that names an operation by its hash wants the answer."""
        wants_page = "text/html" in request.headers.get("accept", "")
        return (
            wants_page and request.query_params.get("extensions") is None and super().should_render_graphql_ide(request)
        )

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: Context,
        root_value: None,
        sub_response: Response,
    ) -> ExecutionResult | list[ExecutionResult] | SubscriptionExecutionResult:
        """The result of an operation, whose text may have come before (``schema.texts``)."""
        asked = cast(GraphQLRequestData, request_data)  # several at once were refused before
        only_trusted = request.scope["caller"].policy.trusted_only
        found = await text_for(asked, self.texts, trusted_only=only_trusted)
        if found.text is None and (asked.extensions or {}).get("persistedQuery") is not None:
            return ExecutionResult(data=None, errors=[not_found()])
        context.only_trusted = only_trusted and not found.is_trusted
        asked = replace(asked, query=found.text)
        return await super().execute_operation(request, request_adapter, asked, context, root_value, sub_response)

    def decode_json(self, data: str | bytes) -> object:
        """Parse with orjson, which refuses half characters, bad UTF-8 and endless nesting as bad JSON."""
        return orjson.loads(data)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """What resolvers know about this request."""
        caller: Caller = request.scope["caller"]
        return Context(
            request=cast(Request, request),
            response=cast(Response, response),
            request_id=request.scope["request_id"],
            host_tenant_id=caller.host_tenant_id,
            tenant_id=current_tenant(),
            actor=caller.actor,
            token=caller.token,
            locale=locale_of(request.headers.get("accept-language"), caller.locale),
            address=address_of(cast(Request, request)),
            told=request.scope.setdefault("told", Told()),
            cost_most=caller.policy.cost_most(asker_of(caller.actor)),
            explores=self._explores(caller),
            streams=request.scope["type"] == "websocket" or "text/event-stream" in request.headers.get("accept", ""),
            cut=cutting(request.scope),
        )

    def _explores(self, caller: Caller) -> bool:
        return self.developing or caller.actor is not None

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """The answer's data and errors; every error has a code."""
        if not result.errors:
            return await super().process_result(request, result)
        caller: Caller = request.scope["caller"]
        locale = locale_of(request.headers.get("accept-language"), caller.locale)
        request_id, suggests = request.scope["request_id"], self._explores(caller)
        nothing_ran = result.data is None and all(error.path is None for error in result.errors)
        result.errors = [
            told(error, locale=locale, request_id=request_id, suggests=suggests) for error in result.errors
        ]
        request.scope["told"].codes += [str((error.extensions or {})["code"]) for error in result.errors]
        answer = await super().process_result(request, result)
        if nothing_ran and media_type(request.headers.get("accept")) != JSON:
            del answer["data"]
        return answer

    def encode_json(self, data: object) -> bytes:
        """Serialise with orjson."""
        return orjson.dumps(data)

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """What resolvers may add to: cookies, and the type that the caller accepts."""
        response = await super().get_sub_response(request)
        response.media_type = media_type(request.headers.get("accept"))
        return response

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """The answer; never kept by caches, since it belongs to one caller."""
        status, type_ = sub_response.status_code or 200, sub_response.media_type or JSON
        response = Response(self.encode_json(response_data), status, media_type=type_)
        response.background = sub_response.background
        response.raw_headers += [*sub_response.raw_headers, NEVER_KEPT]
        if isinstance(response_data, dict) and "data" not in response_data:
            response.status_code = status_of(response_data.get("errors") or [])
        return response

    async def render_graphql_ide(self, request: Request) -> Response:
        """GraphiQL from this server's own files."""
        page = (WEB / "graphiql" / "index.html").read_text(encoding="utf-8")
        request.scope["policy"] = policy_of_page(page)
        return HTMLResponse(page)


def _refusal(status: int, error: DomainError, request: Request, preferred: str) -> Refusal:
    """A refusal with its code and message, in the caller's language."""
    return Refusal(status, error.code, error.message(locale_of(request.headers.get("accept-language"), preferred)))
