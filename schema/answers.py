"""Answers over HTTP (GraphQL over HTTP): their media type and status, and what of them a browser may keep."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

JSON: Final = "application/json"
RESPONSE: Final = "application/graphql-response+json"
"""The type that says by itself that an answer is one, whatever its status."""
STATUSES: Final[Mapping[str, int]] = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "SECOND_FACTOR_REQUIRED": 403,
    "DOCUMENT_NOT_TRUSTED": 403,
}
"""Of operations refused before anything ran, by code; every other one is 400."""
VARIES: Final = "accept, accept-language, authorization, cookie, origin"


class Refusal(Exception):
    """A request that is no operation, or that may not be one now. Answered with this status whatever was accepted."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def media_type(accept: str | None) -> str:
    """The type a caller prefers of the two; who does not name the newer one gets JSON."""
    if not accept or RESPONSE not in accept.lower():
        return JSON
    weights = dict(_weighed(part) for part in accept.lower().split(","))
    return RESPONSE if 0 < weights.get(RESPONSE, 0) >= weights.get(JSON, 0) else JSON


def _weighed(part: str) -> tuple[str, int]:
    """A type and its weight in thousandths."""
    name, *parameters = (one.strip() for one in part.split(";"))
    quality = next((one[2:] for one in parameters if one.startswith("q=")), "1")
    digits = quality.replace(".", "", 1).ljust(4, "0")[:4]
    return name, int(digits) if digits.isdecimal() and digits.isascii() else 0


def status_of(errors: Sequence[Any]) -> int:
    """The status of an operation that was refused before anything ran."""
    codes = (error.get("extensions", {}).get("code", "") for error in errors)
    return max((STATUSES.get(code, 400) for code in codes), default=400)


def refused(request: Request, refusal: Refusal) -> Response:
    """A refusal in the shape of an answer."""
    told: dict[str, Any] = {"errors": [{"message": refusal.message, "extensions": {"code": refusal.code}}]}
    type_ = media_type(request.headers.get("accept"))
    if type_ == JSON:
        told = {"data": None, **told}
    headers = {"cache-control": "no-store", **refusal.headers}
    return Response(orjson.dumps(told), refusal.status, headers, type_)


def kept(request: Request, answer: Response) -> Response:
    """The answer of a read by GET: a browser may keep it for this caller, and ask whether it is still the same."""
    if answer.status_code != 200 or b'"errors":' in answer.body:
        return answer
    tag = f'"{sha256(answer.body).hexdigest()[:32]}"'
    own = {"cache-control": "private, no-cache", "etag": tag, "vary": VARIES}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        unchanged = Response(status_code=304, headers=own)
        unchanged.raw_headers += [(name, value) for name, value in answer.raw_headers if name == b"set-cookie"]
        return unchanged
    answer.headers.update(own)
    return answer
