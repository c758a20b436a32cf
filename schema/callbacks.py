"""What payment services tell without being asked: ``POST /callbacks/PROVIDER`` at the brand's own site."""

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from saas.base.errors import DomainError, NotFound
from saas.base.scope import tenant_scope
from saas.payouts.commands import NoticeForged, receive_notice
from saas.payouts.errors import ProviderNotSetUp
from tenants import registry

log = logging.getLogger("banyan.callbacks")

BODY_MAX = 65_536
"""Bytes a notice may have."""


async def callback(request: Request) -> Response:
    """Verify a notice and take it down: 204 when it is true, however often it comes; the provider repeats others."""
    provider = request.path_params["provider"]
    try:
        brand = await registry.by_host(request.headers.get("host", ""))
    except NotFound:
        brand = None
    if brand is None:
        return _refused(404, "NOT_FOUND", "There is nothing here.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_MAX:
            return _refused(413, "TOO_LARGE", f"The notice is larger than {BODY_MAX} bytes.")
    with tenant_scope(brand.id):
        try:
            await receive_notice(provider, request.headers, body)
        except ProviderNotSetUp:
            return _refused(404, "NOT_FOUND", "There is nothing here.")
        except NoticeForged as forged:
            log.warning("a notice of %s to brand %d is refused: %s", provider, brand.id, forged)
            return _refused(401, "FORGED", "The notice cannot be verified.")
        except DomainError as refused:
            log.warning("a notice of %s to brand %d is refused: %s", provider, brand.id, refused.code)
            return _refused(409, refused.code, refused.message())
    return Response(status_code=204)


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status)
