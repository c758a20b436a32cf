"""What is told of each request when it has been answered: an id to its caller, a line to the log, figures, a span.

The headers of every answer are put on it here, since each middleware more costs every request.

None of it names a person (docs/adr/0035-what-is-told-of-a-request.md). An operation is told by the root fields it asks
for, which the schema knows; the name its author gave it goes into the line alone, since anybody may send any.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from time import perf_counter

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from saas.base import logs, metrics
from saas.base.ids import new_id
from saas.base.tracing import span
from schema.headers import NOTHING, Header

log = logging.getLogger("banyan.http")

ROUTES = ("/graphql", "/livez", "/readyz", "/callbacks", "/graphiql")
POLICY = b"content-security-policy"
DENIED = {"UNAUTHENTICATED", "FORBIDDEN", "SECOND_FACTOR_REQUIRED"}
FAULT = 500
ROOTS_SHOWN = 3
NAME_MOST = 80
_NUMBER = re.compile(r"\d{5,}")


@dataclass(slots=True)
class Told:
    """What is found out about a request on its way."""

    tenant: int | None = None
    role: str | None = None
    operation: str | None = None
    name: str | None = None
    cost: int | None = None
    codes: list[str] = field(default_factory=list)

    def asks(self, kind: str, coordinates: Iterable[str], name: str | None) -> None:
        """Note a valid operation: its kind, the coordinates it touches, the name in its document."""
        roots = [c.partition(".")[2] for c in coordinates if c.startswith(("Query.", "Mutation.", "Subscription."))]
        shown = " ".join(sorted(roots)[:ROOTS_SHOWN]) or "__schema"
        self.operation = f"{kind} {shown}{' …' if len(roots) > ROOTS_SHOWN else ''}"
        self.name = _NUMBER.sub("#", name)[:NAME_MOST] if name else None

    @property
    def counted_as(self) -> str | None:
        """The operation as figures know it: by one field only, since there are endless ways to ask for several."""
        if self.operation is None or self.operation.count(" ") == 1:
            return self.operation
        return f"{self.operation.partition(' ')[0]} several"

    def outcome(self, status: int) -> str:
        """``ok``, ``refused`` with a code, ``denied`` to whoever may not, ``failed`` by us, ``cancelled`` by them."""
        if status >= 500 or "INTERNAL" in self.codes:
            return "failed"
        if status == 0:
            return "cancelled"
        if not DENIED.isdisjoint(self.codes) or status in {401, 403}:
            return "denied"
        return "refused" if self.codes or status >= 400 else "ok"


class Observed:
    """Around the whole application: gives every request an id, says it in the answer, and tells of it afterwards.

    Every answer gets ``headers``, and a policy for browsers: ``scope["policy"]`` where a page has one of its own.
    """

    def __init__(self, app: ASGIApp, headers: Sequence[Header] = ()) -> None:
        self.app = app
        self._headers = headers
        self._of_answers = [*headers, (POLICY, NOTHING)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, told, began, status = new_id().hex, Told(), perf_counter(), 0
        scope["request_id"], scope["told"] = request_id, told

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status, policy = message["status"], scope.get("policy")
                own = self._of_answers if policy is None else [*self._headers, (POLICY, policy)]
                message["headers"] = [*message["headers"], *own, (b"x-request-id", request_id.encode())]
            await send(message)

        with logs.about(request_id=request_id), span("request", **{"banyan.request_id": request_id}) as current:
            try:
                await self.app(scope, receive, tell)
            except Exception:
                status = status or FAULT  # what answers for it stands around this
                raise
            finally:
                route = route_of(scope["path"])
                fields = _fields(told, scope["method"], route, status, perf_counter() - began)
                logs.tell(log, "request", fields)
                if current is not None:
                    current.update_name(told.operation or route)
                    current.set_attributes({f"banyan.{name}": str(value) for name, value in fields.items()})


@lru_cache(maxsize=2_000)
def _figures(operation: str, outcome: str) -> tuple[Counter, Histogram]:
    """The figures of an operation, which take longer to be found than to be counted."""
    return metrics.OPERATIONS.labels(operation, outcome), metrics.SECONDS.labels(operation)


def _fields(told: Told, method: str, route: str, status: int, seconds: float) -> dict[str, object]:
    """The fields of the line, when the figures have been counted."""
    outcome = told.outcome(status)
    operation = told.counted_as or route
    count, times = _figures(operation, outcome)
    count.inc()
    times.observe(seconds)
    fields = {
        "method": method if method in {"GET", "POST", "OPTIONS", "HEAD"} else "other",
        "route": route,
        "status": status,
        "outcome": outcome,
        "codes": sorted(set(told.codes)) or None,
        "operation": told.operation,
        "operation_name": told.name,
        "tenant": told.tenant,
        "role": told.role,
        "cost": told.cost,
        "duration_ms": round(seconds * 1000, 1),
    }
    return {name: value for name, value in fields.items() if value is not None}


def route_of(path: str) -> str:
    """The route a path belongs to; what follows it, or any other path, may say anything."""
    first = f"/{path.split('/', 2)[1]}" if path.startswith("/") else path
    return first if first in ROUTES else "/" if path == "/" else "other"
