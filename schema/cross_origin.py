"""Pages of other origins (CORS): a brand names those that may use its API with the cookies of its people."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from schema.answers import VARIES, Refusal
from tenants.api_policy import policy_of
from tenants.registry import Brand

PREFLIGHT_SECONDS = 600
METHODS = "GET, POST"
HEADERS = "accept, accept-language, authorization, content-type, if-none-match"
EXPOSED = "etag, retry-after, x-request-id"


def same_origin(request: Request) -> bool:
    """A browser that sends a cookie also says from where; a page of another site may not use it."""
    origin = request.headers.get("origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        return False


def lent_to(request: Request, brand: Brand | None) -> str | None:
    """The origin of the asking page, when it is another one that the brand has registered."""
    origin = request.headers.get("origin")
    if origin is None or brand is None or origin not in policy_of(brand).origins:
        return None
    return origin


def preflight(request: Request, brand: Brand | None) -> Response:
    """What a browser asks before it lets a page of another origin ask. Raises ``Refusal`` for an unknown one."""
    origin = lent_to(request, brand)
    if origin is None or "access-control-request-method" not in request.headers:
        raise Refusal(403, "FORBIDDEN", "This origin is not registered here. The brand's owner can: setApiPolicy.")
    own = {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": HEADERS,
        "access-control-max-age": str(PREFLIGHT_SECONDS),
    }
    return lend(Response(status_code=204, headers=own), origin)


def lend(answer: Response, origin: str) -> Response:
    """Let pages of an origin read the answer."""
    answer.headers.update(
        {
            "access-control-allow-origin": origin,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": EXPOSED,
            "vary": VARIES,
        }
    )
    return answer
