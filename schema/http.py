"""GraphQL over HTTP: finds the tenant by host, the caller by token, and runs each request in that tenant's scope."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.unset import UNSET, UnsetType

from saas.base.db import reading, reading_on
from saas.base.errors import NotFound
from saas.base.ids import PLATFORM, TenantId, new_id
from saas.base.scope import current_tenant, tenant_scope
from saas.base.settings import Environment, Settings
from schema.callbacks import callback
from schema.context import Context, locale_of
from schema.failures import told
from schema.people import COOKIE
from schema.schema import schema
from schema.sockets import EventStream, Socket, Subscriptions, TextSocket, cutting
from tenants import registry, sessions
from tenants.actors import Actor

NOTHING_MORE: UnsetType = UNSET
"""What a connection is acknowledged with."""

WEB = Path(__file__).parent.parent / "web"
GRAPHIQL_ASSETS = WEB / "graphiql" / "node_modules"
BODY_MAX = 1_000_000
"""Bytes a request may have."""

log = logging.getLogger("banyan.http")


def make_app(settings: Settings, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """The server: ``/graphql``, ``/callbacks/…``, ``/livez``, ``/readyz``, and GraphiQL in development."""
    developing, api = settings.environment is Environment.DEVELOPMENT, Api(settings)
    routes: list[BaseRoute] = [
        Route("/livez", _live),
        Route("/readyz", _ready),
        Route("/graphql", api),
        WebSocketRoute("/graphql", api),
        Route("/callbacks/{provider}", callback, methods=["POST"]),
    ]
    if developing:
        routes.append(Route("/", _to_graphiql))
        if GRAPHIQL_ASSETS.is_dir():
            routes.append(Mount("/graphiql", app=StaticFiles(directory=GRAPHIQL_ASSETS)))
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(RequestLog)])


async def _live(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _ready(_: Request) -> Response:
    with tenant_scope(PLATFORM):
        async with reading() as tx:
            await tx.value("SELECT count(*) FROM tenant WHERE id = 0")
    return JSONResponse({"status": "ok"})


async def _to_graphiql(_: Request) -> Response:
    return RedirectResponse("/graphql")


class Caller(NamedTuple):
    """Who asks, at whose site."""

    host_tenant_id: TenantId
    actor: Actor | None
    token: str | None
    locale: str


class Api(GraphQL[Context, None]):
    """The GraphQL endpoint of every brand."""

    graphql_transport_ws_handler_class = Socket
    websocket_adapter_class = TextSocket
    stream_transport_classes_by_protocol = {GRAPHQL_SSE_PROTOCOL: Subscriptions}

    def __init__(self, settings: Settings) -> None:
        developing = settings.environment is Environment.DEVELOPMENT
        super().__init__(
            schema,
            graphql_ide="graphiql" if developing else None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=10),
            max_subscriptions_per_connection=None,  # our own handler counts, and says so with a code
        )
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._connected(WebSocket(scope, receive, send))
            return
        request = Request(scope, _limited(receive))
        try:
            await request.body()  # all of it has come before a connection to the database is held
        except HTTPException as wrong:
            await _refuse(wrong.status_code, "BAD_REQUEST", wrong.reason)(scope, receive, send)
            return
        async with reading_on():
            answer = await self._asked(request)
        await answer(scope, receive, send)

    async def _connected(self, socket: WebSocket) -> None:
        """A WebSocket of a site there is; who is asking is known once the connection has begun."""
        try:
            brand = await registry.by_host(socket.headers.get("host", ""))
        except NotFound:
            await self.reject_websocket(socket)
            return
        host_tenant_id = brand.id if brand else PLATFORM
        socket.scope["request_id"] = new_id().hex
        socket.scope["caller"] = Caller(host_tenant_id, None, _token(socket)[0], brand.locale if brand else "en")
        with tenant_scope(host_tenant_id):
            await self.run(socket)

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Let in who is known: by the cookie of the site, or by a token in a header or in what it says first."""
        given = (context.connection_params or {}).get("authorization")
        token = _bearer(given) if isinstance(given, str) else context.token
        host = None if context.host_tenant_id == PLATFORM else context.host_tenant_id
        actor = await sessions.authenticate(token, host) if token else None
        if actor is None:
            raise ConnectionRejectionError
        context.actor, context.token, context.tenant_id = actor, token, actor.tenant_id
        context.locale = locale_of(context.request.headers.get("accept-language"), actor.locale)
        return NOTHING_MORE

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
        """The answer to whoever asks."""
        try:
            brand = await registry.by_host(request.headers.get("host", ""))
        except NotFound:
            return _refuse(404, "NOT_FOUND", "There is nothing here.")
        token, by_cookie = _token(request)
        if by_cookie and not _same_origin(request):
            return _refuse(403, "FORBIDDEN", "Send the request from the site itself.")
        actor = await sessions.authenticate(token, brand.id if brand else None) if token else None
        if token and actor is None and not by_cookie:
            return _refuse(401, "UNAUTHENTICATED", "The token is not valid here. Log in again.")
        host_tenant_id = brand.id if brand else PLATFORM
        caller = Caller(host_tenant_id, actor, token, actor.locale if actor else brand.locale if brand else "en")
        request.scope["caller"] = caller
        with tenant_scope(actor.tenant_id if actor else host_tenant_id):
            return await self._answer(request)

    async def _answer(self, request: Request) -> Response:
        """The operation's answer; what is no operation is refused in the same shape."""
        try:
            return await self.run(request)
        except HTTPException as wrong:
            return _refuse(wrong.status_code, "BAD_REQUEST", wrong.reason)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData | list[GraphQLRequestData]:
        """The operation asked for; also of what Strawberry takes for an object without looking."""
        try:
            asked = await super().parse_http_body(request)
        except AttributeError as exc:  # of a number, a text or null, which have no members to look up
            raise HTTPException(400, "Send a JSON object with a query in it.") from exc
        if isinstance(asked, GraphQLRequestData) and not isinstance(asked.operation_name, str | None):
            raise HTTPException(400, "The operationName must be a text or null.")
        return asked

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
            address=request.client.host if request.client else "",
            streams=request.scope["type"] == "websocket" or "text/event-stream" in request.headers.get("accept", ""),
            cut=cutting(request.scope),
        )

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """The answer's data and errors; every error has a code."""
        if result.errors:
            locale = locale_of(request.headers.get("accept-language"), request.scope["caller"].locale)
            request_id = request.scope["request_id"]
            result.errors = [told(error, locale=locale, request_id=request_id) for error in result.errors]
        return await super().process_result(request, result)

    def encode_json(self, data: object) -> bytes:
        """Serialise with orjson."""
        return orjson.dumps(data)

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """The answer; never kept by caches, since it belongs to one caller."""
        response = super().create_response(response_data, sub_response)
        response.headers["cache-control"] = "no-store"
        return response

    async def render_graphql_ide(self, request: Request) -> Response:
        """GraphiQL from this server's own files."""
        return HTMLResponse((WEB / "graphiql" / "index.html").read_text(encoding="utf-8"))


def _token(request: HTTPConnection) -> tuple[str | None, bool]:
    """The caller's token, and whether it came as a cookie."""
    bearer = _bearer(request.headers.get("authorization", ""))
    return (bearer, False) if bearer else (request.cookies.get(COOKIE), True)


def _bearer(authorization: str) -> str | None:
    scheme, _, bearer = authorization.partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" and bearer else None


def _same_origin(request: Request) -> bool:
    """A browser that sends a cookie also says from where; another site's page may not use it."""
    origin = request.headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False


def _limited(receive: Receive) -> Receive:
    """A body that is refused as soon as more than ``BODY_MAX`` of it has come."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_MAX:
            raise HTTPException(413, f"The request is larger than {BODY_MAX} bytes. Send it in parts.")
        return message

    return limited


def _refuse(status: int, code: str, message: str) -> Response:
    return JSONResponse({"data": None, "errors": [{"message": message, "extensions": {"code": code}}]}, status)


class RequestLog:
    """Gives every request an id, says it in the answer, and writes one line without personal data."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = new_id().hex
        scope["request_id"] = request_id
        began = perf_counter()
        status = 0

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *SECURITY_HEADERS, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, tell)
        finally:
            log.info("%s %s %d %.1fms %s", scope["method"], scope["path"], status, _ms(began), request_id)


SECURITY_HEADERS: Sequence[tuple[bytes, bytes]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)


def _ms(began: float) -> float:
    return (perf_counter() - began) * 1000
