"""Spans of statements: one each, with placeholders, on both databases; none where nobody asked for traces."""

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from saas.base import tracing
from saas.base.db import Database, open_database, reading
from saas.base.db.tx import ConstraintViolated
from saas.base.settings import Settings
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from tenants.actors import system
from tests.factories import LOTUS, as_tenant, make_tenants

READ = "SELECT sku FROM product WHERE tenant_id = $1 ORDER BY sku"


async def test_each_statement_is_a_span_without_its_values(database_url: str) -> None:
    spans = InMemorySpanExporter()
    with tracing.traced(Settings(_env_file=None), SimpleSpanProcessor(spans)):
        async with open_database(database_url) as database:
            await make_tenants()
            spans.clear()
            with tracing.span("job of tests"), as_tenant(LOTUS):
                await put_products([PutProduct(sku="SECRET", name="x")], system(LOTUS, "tests"))
                async with reading() as tx:
                    assert [list(row) async for batch in tx.batches(READ, LOTUS) for row in batch] == [["SECRET"]]
            kind = database.kind
    *statements, whole = spans.get_finished_spans()
    assert whole.name == "job of tests"
    assert whole.context
    assert {span.parent.span_id for span in statements if span.parent} == {whole.context.span_id}
    assert len([span for span in statements if span.parent is None]) == 0
    texts = [str((span.attributes or {})["db.query.text"]) for span in statements]
    assert {(span.attributes or {})["db.system.name"] for span in statements} == {kind}
    assert texts.count(READ) == 1
    for table in ("product", "audit_log"):
        assert any(f"INSERT INTO {table} (tenant_id, " in text for text in texts), texts
    assert "SECRET" not in str([dict(span.attributes or {}) for span in statements])


async def test_a_statement_that_fails_is_told_by_the_kind_of_its_failure(database_url: str) -> None:
    spans = InMemorySpanExporter()
    with tracing.traced(Settings(_env_file=None), SimpleSpanProcessor(spans)):
        async with open_database(database_url):
            await make_tenants()
            spans.clear()
            with pytest.raises(ConstraintViolated):
                await make_tenants()
            (failed,) = spans.get_finished_spans()
    assert failed.attributes is not None
    assert failed.attributes["error.type"] == "ConstraintViolated"
    assert not failed.events
    assert failed.status.description is None


async def test_nobody_else_pays_for_it(db: Database) -> None:
    with as_tenant(LOTUS):
        async with reading() as tx:
            assert type(tx).__name__ in {"SqliteTx", "PostgresTx"}
