"""A full walk through the API: each request is told to the log, the figures and the traces, and nobody is named."""

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from saas.base import logs, tracing
from saas.base.db import Database, open_database
from saas.base.metrics import REGISTRY
from saas.base.settings import Environment, Settings
from schema.observing import Told, route_of
from tenants import accounts
from tests.api.attack import ENDS_SESSIONS, request
from tests.api.client import PASSWORD
from tests.api.conftest import World, make_world
from tests.api.generated import roots
from tests.api.population import Populated, nothing, populate

PERSONAL = ("Name of ", "Person of ", "Holder ", "customer of ", "1381234", "13912345678", "13800001111", "62220202")
"""Parts of the names, phones and cards that the walk brings."""


@dataclass
class Walk:
    """What was written while a brand was made and everything was asked for."""

    world: World
    brand: Populated
    lines: io.StringIO
    spans: InMemorySpanExporter
    database: Database

    def requests(self) -> list[dict[str, object]]:
        """The lines of requests."""
        told = [json.loads(line) for line in self.lines.getvalue().splitlines()]
        return [line for line in told if line["event"] == "request"]

    def secrets(self) -> list[str]:
        """What nobody may find in any line or span."""
        callers = self.brand.callers.values()
        return [*PERSONAL, PASSWORD, *(caller.token for caller in callers if caller.token)]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What production writes."""
    before, level, stream = logging.root.handlers[:], logging.root.level, io.StringIO()
    logs.configure(Environment.PRODUCTION, stream)
    yield stream
    logging.root.handlers[:] = before
    logging.root.setLevel(level)


@pytest.fixture
async def walk(postgres_url: str, lines: io.StringIO) -> AsyncIterator[Walk]:
    """A brand with something of everything, whose owner asks for every root field.

    On PostgreSQL, which is the one whose refusals quote rows.
    """
    spans = InMemorySpanExporter()
    with tracing.traced(Settings(_env_file=None), SimpleSpanProcessor(spans)):
        async with open_database(postgres_url, pool_size=8) as database:
            world = await make_world()
            brand = await populate(world.lotus, "lotus")
            names = replace(brand.names, ids={**nothing().ids, **brand.names.ids})
            owner = brand.callers["owner"]
            for root in roots():
                await owner.send(*request(root, "owner", names))
                if root.name in ENDS_SESSIONS:
                    owner = await world.lotus.anonymous.log_in("owner")
            yield Walk(world, brand, lines, spans, database)


def _of(spans: InMemorySpanExporter) -> Iterator[tuple[ReadableSpan, str]]:
    for span in spans.get_finished_spans():
        yield span, json.dumps([span.name, dict(span.attributes or {}), [str(e.attributes) for e in span.events]])


async def test_a_walk_is_told_request_by_request_and_nobody_is_named(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One walk for all of it: it takes its time."""
    everything_is_told(walk)
    await a_span_holds_its_statements(walk)
    await a_fault_is_told_by_its_id(walk, monkeypatch)
    told = walk.lines.getvalue() + "".join(text for _, text in _of(walk.spans))
    assert [secret for secret in walk.secrets() if secret in told] == []


def everything_is_told(walk: Walk) -> None:
    found = walk.requests()
    assert len({line["request_id"] for line in found}) == len(found) > len(roots())
    asked = {str(line.get("operation")) for line in found}
    assert {f"{root.operation} {root.name}" for root in roots()} <= asked
    assert {line["outcome"] for line in found} == {"ok", "refused", "denied"}
    assert {line.get("tenant") for line in found[-len(roots()) :]} == {walk.brand.tenant_id}
    counted = {s.labels["operation"] for m in REGISTRY.collect() for s in m.samples if "operation" in s.labels}
    assert counted >= {f"{root.operation} {root.name}" for root in roots()}
    told = walk.lines.getvalue() + "".join(text for _, text in _of(walk.spans))
    assert [secret for secret in walk.secrets() if secret in told] == []


async def a_span_holds_its_statements(walk: Walk) -> None:
    """And none of their values."""
    owner = await walk.world.lotus.anonymous.log_in("owner")
    walk.spans.clear()
    await owner.ask('{ distributor(code: "LOTUS-DEALER-B") { name } }')
    spans = [span for span, _ in _of(walk.spans)]
    (whole,) = [span for span in spans if span.parent is None]
    assert whole.name == "query distributor"
    assert whole.attributes is not None
    assert whole.attributes["banyan.outcome"] == "ok"
    texts = [str((span.attributes or {})["db.query.text"]) for span in spans if span.parent is not None]
    assert any(text.startswith("SELECT") and "FROM distributor" in text for text in texts)
    assert all("tenant_id = $1" in text for text in texts if "FROM distributor" in text)
    assert len({span.context.trace_id for span in spans if span.context}) == 1
    assert not any("LOTUS-DEALER-B" in text for _, text in _of(walk.spans))
    walk.spans.clear()
    await owner.do("putProducts", "products { sku }", products=[{"sku": "NEW", "name": "New tea"}])
    written = [str((span.attributes or {}).get("db.query.text")) for span, _ in _of(walk.spans)]
    assert any("INSERT INTO audit_log" in text for text in written), written
    assert not any("New tea" in text for _, text in _of(walk.spans))


async def a_fault_is_told_by_its_id(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not by what it quotes."""

    async def fail(_: object) -> None:
        raise ValueError("Name of LOTUS-DEALER-B, 13812340066, is there already")

    owner = await walk.world.lotus.anonymous.log_in("owner")
    monkeypatch.setattr(accounts, "find_member", fail)
    answer = await owner.send("query Number13812340066 { me { name } }")
    fault, line = (json.loads(one) for one in walk.lines.getvalue().splitlines()[-2:])
    assert fault["fault"][0].startswith("ValueError at ")
    assert (line["outcome"], line["codes"], line["operation"]) == ("failed", ["INTERNAL"], "query me")
    assert fault["request_id"] == line["request_id"] == answer.headers["x-request-id"]
    assert line["operation_name"] == "Number#"


def test_the_figures_know_an_operation_by_one_field() -> None:
    """Whoever asks for ever other fields together would otherwise fill the memory of everybody who counts."""
    told = Told()
    told.asks("query", ["Query.me", "Member.id"], None)
    assert (told.operation, told.counted_as) == ("query me", "query me")
    told.asks("query", [f"Query.f{n}" for n in range(9)], "Many")
    assert (told.operation, told.counted_as) == ("query f0 f1 f2 …", "query several")
    told.asks("query", [], None)
    assert told.counted_as == "query __schema"
    routes = [route_of(path) for path in ("/graphql", "/callbacks/wechat_pay", "/", "/13812345678", "", "/graphql/x")]
    assert routes == ["/graphql", "/callbacks", "/", "other", "other", "/graphql"]


@pytest.mark.parametrize(
    ("codes", "status", "outcome"),
    [
        ([], 200, "ok"),
        (["INVALID_INPUT"], 200, "refused"),
        ([], 404, "refused"),
        (["FORBIDDEN"], 200, "denied"),
        ([], 401, "denied"),
        (["INTERNAL"], 200, "failed"),
        ([], 500, "failed"),
        ([], 0, "cancelled"),
    ],
)
def test_every_end_has_a_name(codes: list[str], status: int, outcome: str) -> None:
    assert Told(codes=codes).outcome(status) == outcome


def test_without_an_address_no_trace_is_made() -> None:
    with tracing.traced(Settings(_env_file=None)), tracing.span("request", tenant=1) as span:
        assert span is None
        assert not tracing.tracing()
