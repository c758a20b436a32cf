"""GraphQL over HTTP: finds the tenant by host, the caller by token, and runs each request in that tenant's scope."""

from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult

from saas.base.db import reading_on
from saas.base.errors import NotFound
from saas.base.ids import PLATFORM, TenantId
from saas.base.scope import current_tenant, tenant_scope
from saas.base.settings import Environment, Settings
from schema.addresses import PlainAddress
from schema.callbacks import callback
from schema.context import Context, locale_of
from schema.failures import told
from schema.health import live, ready
from schema.observing import Observed, Told
from schema.people import COOKIE
from schema.schema import schema
from tenants import registry, sessions
from tenants.actors import Actor

WEB = Path(__file__).parent.parent / "web"
GRAPHIQL_ASSETS = WEB / "graphiql" / "node_modules"
BODY_MAX = 1_000_000
"""Bytes a request may have."""


def make_app(settings: Settings, lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    """The server: ``/graphql``, ``/callbacks/…``, ``/livez``, ``/readyz``, and GraphiQL in development."""
    developing = settings.environment is Environment.DEVELOPMENT
    routes: list[BaseRoute] = [
        Route("/livez", live),
        Route("/readyz", ready),
        Route("/graphql", Api(settings)),
        Route("/callbacks/{provider}", callback, methods=["POST"]),
    ]
    if developing:
        routes.append(Route("/", _to_graphiql))
        if GRAPHIQL_ASSETS.is_dir():
            routes.append(Mount("/graphiql", app=StaticFiles(directory=GRAPHIQL_ASSETS)))
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(Observed), Middleware(PlainAddress)])


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

    def __init__(self, settings: Settings) -> None:
        developing = settings.environment is Environment.DEVELOPMENT
        super().__init__(
            schema,
            graphql_ide="graphiql" if developing else None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
        )
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
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
        noted: Told = request.scope["told"]
        noted.tenant = actor.tenant_id if actor else host_tenant_id
        noted.role = actor.role if actor else None
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
            told=request.scope.setdefault("told", Told()),
        )

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """The answer's data and errors; every error has a code."""
        if result.errors:
            locale = locale_of(request.headers.get("accept-language"), request.scope["caller"].locale)
            request_id = request.scope["request_id"]
            result.errors = [told(error, locale=locale, request_id=request_id) for error in result.errors]
            request.scope["told"].codes += [str((error.extensions or {})["code"]) for error in result.errors]
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


def _token(request: Request) -> tuple[str | None, bool]:
    """The caller's token, and whether it came as a cookie."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and bearer:
        return bearer.strip(), False
    return request.cookies.get(COOKIE), True


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
