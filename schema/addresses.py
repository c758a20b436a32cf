"""Addresses as RFC 3986 has them: in ASCII. What reads them further in would stumble over anything else."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class PlainAddress:
    """Around the application: refuses a query string that no client may send."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["query_string"].isascii():
            await self.app(scope, receive, send)
            return
        told = {
            "message": "The address holds bytes that must be percent-encoded.",
            "extensions": {"code": "BAD_REQUEST"},
        }
        await JSONResponse({"data": None, "errors": [told]}, 400)(scope, receive, send)
