"""What comes in with a request: the operation, the caller's token and address; and how much may come."""

import orjson
from cross_web import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Receive, Scope
from strawberry.http import GraphQLRequestData

from schema.people import cookie_name

BODY_MAX = 1_000_000
"""Bytes a request may have."""
_MEMBERS = ("query", "variables", "operationName", "extensions")


def plainly_asked(scope: Scope, body: bytes) -> GraphQLRequestData | None:
    """The operation of a POST of JSON that is answered at once; None for whatever else it is, or is wrong with it."""
    headers = dict(reversed(scope["headers"]))  # the first of a name counts, as it does for Starlette
    accept, type_ = headers.get(b"accept", b"").lower(), headers.get(b"content-type", b"")
    streams = b"event-stream" in accept or b"multipart" in accept
    if scope["method"] != "POST" or streams or not type_.startswith(b"application/json"):
        return None
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if type(asked) is not dict:
        return None
    query, variables, name, extensions = (asked.get(one) for one in _MEMBERS)
    texts = type(query) is str and isinstance(name, str | None)
    if not texts or not isinstance(variables, dict | None) or not isinstance(extensions, dict | None):
        return None
    return GraphQLRequestData(query=query, variables=variables, operation_name=name, extensions=extensions)


def token_of(request: HTTPConnection) -> tuple[str | None, bool]:
    """The caller's token, and whether it came as a cookie."""
    bearer = bearer_of(request.headers.get("authorization", ""))
    return (bearer, False) if bearer else (request.cookies.get(cookie_name()), True)


def bearer_of(authorization: str) -> str | None:
    """The token of an ``Authorization`` header."""
    scheme, _, bearer = authorization.partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" and bearer else None


def address_of(request: Request) -> str:
    """Where the request came from, as far as the server in front says."""
    return request.client.host if request.client else ""


def limited(receive: Receive) -> Receive:
    """A body that is refused as soon as more than ``BODY_MAX`` of it has come."""
    size = 0

    async def receive_some() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_MAX:
            raise HTTPException(413, f"The request is larger than {BODY_MAX} bytes. Send it in parts.")
        return message

    return receive_some
