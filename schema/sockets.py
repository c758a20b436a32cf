"""Subscriptions over WebSocket (graphql-transport-ws) and SSE: who is asking, in whose scope, and how a stream ends.

Nothing but subscriptions goes this way: everything else is asked over plain HTTP, where its limits stand.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, MutableMapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from graphql import GraphQLError
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.http.streaming import SSETransport
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import CompleteMessage, Message, SubscribeMessage
from strawberry.types.graphql import OperationType

from saas.base.ids import TenantId, new_id
from saas.base.scope import tenant_scope
from saas.events.errors import FollowedTooSlowly, SessionOver, TooManyStreams
from saas.events.hub import STREAMS_OF_ONE_MOST
from schema.context import Context
from schema.errors import message_of
from schema.failures import told
from schema.observing import Told
from tenants import trusted

log = logging.getLogger("banyan.streams")

SESSION_OVER = 4401
TOO_SLOW = 1013
"""Codes a connection is closed with: the protocol's own for who may not go on, and "try again later"."""


class Subscriptions(SSETransport):
    """SSE of "distinct connections": one request, one subscription."""

    def allowed_operation_types(self, allowed_operation_types: set[OperationType]) -> set[OperationType]:
        """Subscriptions."""
        return {OperationType.SUBSCRIPTION}


class TextSocket(ASGIWebSocketAdapter):
    """Messages as text frames, which is what the protocol asks for."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        """Send one; a connection that was closed meanwhile takes none."""
        try:
            await self.ws.send_text(self.view.encode_json_string(message))
        except (WebSocketDisconnect, RuntimeError) as gone:  # Starlette refuses to send after a close
            raise WebSocketDisconnected from gone


class Socket(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection. Each of its operations has a context of its own, in the scope of the caller's brand."""

    async def handle_message(self, message: Message) -> None:
        """Take a message; what has another shape than the protocol says ends the connection."""
        given: object = message
        if not isinstance(given, dict) or not isinstance(given.get("id", ""), str):
            await self.handle_invalid_message("Failed to parse message")
            return
        await super().handle_message(message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Begin an operation. A connection has only so many."""
        payload: object = message["payload"]
        shapes = {"query": str, "variables": dict | None, "operationName": str | None}
        if not isinstance(payload, dict) or not all(isinstance(payload.get(k), kind) for k, kind in shapes.items()):
            await self.handle_invalid_message("Failed to parse message")
            return
        if len(self.operations) >= STREAMS_OF_ONE_MOST and message["id"] not in self.operations:
            refused = TooManyStreams(None, most=STREAMS_OF_ONE_MOST)
            said = GraphQLError(message_of(refused, self.context.locale), extensions={"code": refused.code})
            await self.send_message({"id": message["id"], "type": "error", "payload": [said.formatted]})
            return
        with tenant_scope(self.context.tenant_id):  # the task that runs it begins here, and stays in this scope
            await super().handle_subscribe(message)

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Hand on what is followed until it ends, and say why it did."""
        own = replace(
            self.context,
            loaders={},
            visibility=None,
            request_id=new_id().hex,
            told=Told(),
            only_trusted=self.context.only_trusted and await trusted.text_of(trusted.hash_of(operation.query)) is None,
            cut=self._cutting(operation),
        )
        try:
            source = await self.schema.subscribe(
                operation.query,
                variable_values=operation.variables,
                context_value=own,
                operation_name=operation.operation_name,
            )
            async with aclosing(source):
                await self._send_result_stream(operation, self._told(source, own))
            await operation.send_operation_message(CompleteMessage(id=operation.id, type="complete"))
        except WebSocketDisconnected:
            return
        except Exception as fault:
            await self.handle_task_exception(fault)
            raise

    async def _told(self, source: Any, own: Context) -> AsyncGenerator[Any, None]:
        async for result in source:
            codes = set()
            if result.errors:
                result.errors = [told(one, locale=own.locale, request_id=own.request_id) for one in result.errors]
                codes = {(one.extensions or {}).get("code") for one in result.errors}
            yield result
            if SessionOver.code in codes:
                await self.websocket.close(SESSION_OVER, SessionOver(None).message("en"))

    def _cutting(self, operation: Operation[Context, None]) -> Callable[[], None]:
        """Closes the connection with a reason, without waiting for what is stuck."""

        def cut() -> None:
            if operation.task is not None:
                operation.task.cancel()
            closing = asyncio.create_task(self.websocket.close(TOO_SLOW, FollowedTooSlowly(None).message("en")))
            closing.add_done_callback(_closed)
            _closings.add(closing)

        return cut


_closings: set["asyncio.Task[None]"] = set()


def _closed(task: "asyncio.Task[None]") -> None:
    _closings.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.info("a connection that was too slow went by itself")


class EventStream(StreamingResponse):
    """An answer that goes on, in the scope of the caller's brand, and can be cut."""

    def __init__(self, tenant_id: TenantId, connection: MutableMapping[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tenant_id = tenant_id
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with tenant_scope(self._tenant_id):
                async with asyncio.timeout(None) as limit:
                    now = asyncio.get_running_loop().time
                    self._connection["cut"] = lambda: limit.reschedule(now())
                    await super().__call__(scope, receive, send)
        except TimeoutError:
            log.info("a stream that was too slow is cut")


def cutting(connection: MutableMapping[str, Any]) -> Callable[[], None]:
    """Cuts the answer to a request, once it is being sent."""

    def cut() -> None:
        if (found := connection.get("cut")) is not None:
            found()

    return cut
