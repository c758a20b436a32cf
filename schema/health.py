"""Whether this process lives, and whether it is ready for requests: for load balancers and whatever restarts it."""

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from saas.base.db.migrate import missing_migrations

log = logging.getLogger("banyan.http")

ANSWERS_WITHIN_SECONDS = 3
"""How long the database may take to say that it is there."""


class Stopping:
    """Whether the server was told to stop. One per process, like the process."""

    def __init__(self) -> None:
        self.begun = False


stopping = Stopping()


async def live(_: Request) -> Response:
    """200 while the process answers at all."""
    return JSONResponse({"status": "ok"})


async def ready(_: Request) -> Response:
    """200 when requests can be answered; 503 with the reason otherwise."""
    reason = await _why_not()
    return JSONResponse({"status": "ok"} if reason is None else {"status": "not ready", "why": reason}, _status(reason))


def _status(reason: str | None) -> int:
    return 200 if reason is None else 503


async def _why_not() -> str | None:
    if stopping.begun:
        return "stopping"
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            missing = await missing_migrations()
    except Exception:
        log.exception("the database does not answer")
        return "database"
    return "migrations" if missing else None
