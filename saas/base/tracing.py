"""OpenTelemetry traces: a span for each request and one for each statement in it, where an installation asks for them.

Off, nothing is imported and nothing runs but one comparison a request. A span holds what was asked for and how it
ended; values never: statements are told with their placeholders, exceptions by their kind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from saas.base.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, Tracer

_tracers: list["Tracer"] = []


@contextmanager
def traced(settings: Settings, processor: "SpanProcessor | None" = None) -> Iterator[None]:
    """Make spans within the block and send them to TRACES_URL, or to ``processor``; nothing when there is neither."""
    if not settings.traces_url and processor is None:
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

    provider = TracerProvider(
        resource=Resource.create({"service.name": "banyan"}),
        sampler=TraceIdRatioBased(settings.traces_percent / 100),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.traces_url)))
    _tracers.append(provider.get_tracer("banyan"))
    try:
        yield
    finally:
        _tracers.pop()
        provider.shutdown()


def tracing() -> bool:
    """Whether anybody asked for traces."""
    return bool(_tracers)


@contextmanager
def span(name: str, **attributes: str | int) -> "Iterator[Span | None]":
    """A span around the block; none where nobody asked for traces."""
    if not _tracers:
        yield None
        return
    from opentelemetry.trace import SpanKind, StatusCode

    begun = _tracers[-1].start_as_current_span(
        name,
        kind=SpanKind.CLIENT if "db.system.name" in attributes else SpanKind.SERVER,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )
    with begun as current:
        try:
            yield current
        except BaseException as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(StatusCode.ERROR)
            raise
