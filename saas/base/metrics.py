"""What a process counts for Prometheus, served at a port of its own that no user comes to.

Labels hold operations of the schema, states and numbers of brands: nothing of a person, and never more of them than
the schema and the brands have.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from saas.base.db.database import DatabaseNotOpen, current_database
from saas.base.settings import Settings

REGISTRY = CollectorRegistry()
"""All that is counted here."""

OPERATIONS = Counter(
    "banyan_operations",
    "Operations answered, by what they ask for and how it ended.",
    ["operation", "outcome"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "banyan_operation_seconds",
    "How long operations took.",
    ["operation"],
    buckets=[milliseconds / 1000 for milliseconds in (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)],
    registry=REGISTRY,
)
JOBS_ENDED = Counter("banyan_jobs_ended", "Jobs that came to an end here.", ["kind", "status"], registry=REGISTRY)
JOBS = Gauge("banyan_jobs", "Jobs of a brand that have not ended, by status.", ["tenant", "status"], registry=REGISTRY)
DEAD_JOBS = Gauge(
    "banyan_dead_jobs", "Jobs of a brand that failed and wait for a person.", ["tenant"], registry=REGISTRY
)
BOOKS_HOLD = Gauge("banyan_books_hold", "1 when the last check of a brand's books held.", ["tenant"], registry=REGISTRY)
BOOKS_CHECKED = Gauge(
    "banyan_books_checked_timestamp_seconds", "When a brand's books were checked last.", ["tenant"], registry=REGISTRY
)


class _Connections(Collector):
    """Connections to the database, asked for when somebody looks."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        found = GaugeMetricFamily(
            "banyan_database_connections", "Connections to the database: open, busy, and the most.", labels=["state"]
        )
        with suppress(DatabaseNotOpen):
            for state, count in current_database().connections().items():
                found.add_metric([state], count)
        yield found


REGISTRY.register(_Connections())


class PortUnusable(ValueError):
    """METRICS_PORT cannot be listened on."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: who looks is no news."""


@contextmanager
def served(settings: Settings) -> Iterator[int | None]:
    """Serve the figures within the block when METRICS_PORT says so; answers the port."""
    if settings.metrics_port is None:
        yield None
        return
    app = guarded(make_wsgi_app(REGISTRY), settings.metrics_token.get_secret_value())
    try:
        listening = make_server(settings.metrics_host, settings.metrics_port, app, _Server, _Silent)
    except OSError as exc:
        raise PortUnusable(f"METRICS_PORT {settings.metrics_port} cannot be listened on: {exc.strerror}.") from exc
    with listening as server:
        thread = Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def guarded(app: Callable[..., Any], token: str) -> Callable[..., Any]:
    """The figures for whoever shows the token; for everybody where there is none."""
    expected = f"Bearer {token}".encode()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        shown = str(environ.get("HTTP_AUTHORIZATION", "")).encode()
        if environ.get("PATH_INFO") != "/metrics":
            start_response("404 Not Found", [("content-type", "text/plain")])
            return [b"The figures are at /metrics.\n"]
        if token and not secrets.compare_digest(shown, expected):
            start_response("401 Unauthorized", [("content-type", "text/plain"), ("www-authenticate", "Bearer")])
            return [b"Show METRICS_TOKEN as a bearer token.\n"]
        return app(environ, start_response)

    return answer
