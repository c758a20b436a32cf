"""The Tortoise models and the migrations say the same about every column, on both databases."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module

import pytest
from tortoise import fields
from tortoise.models import Model

import saas
import tenants
from saas.base.db import Database, GlobalModel, TenantModel, reading
from saas.base.ids import PLATFORM
from saas.base.scope import tenant_scope

for package in (saas, tenants):
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if found.name.rpartition(".")[2] == "models":
            import_module(found.name)

KINDS: Mapping[type, set[str]] = {
    fields.UUIDField: {"uuid"},
    fields.SmallIntField: {"smallint"},
    fields.BigIntField: {"bigint"},
    fields.IntField: {"integer"},
    fields.DatetimeField: {"timestamptz", "timestamp with time zone"},
    fields.DateField: {"date"},
    fields.BooleanField: {"boolean"},
    fields.JSONField: {"jsonb"},
    fields.TextField: {"text"},
    fields.CharField: {"text"},
}

POSTGRES_COLUMNS = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS kind, a.attnotnull AS required
FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
"""
SQLITE_COLUMNS = 'SELECT name, type AS kind, "notnull" AS required FROM pragma_table_info($1)'


def models() -> Iterator[type[Model]]:
    """Every model of the project that stands for a table."""
    waiting: list[type[Model]] = [GlobalModel, TenantModel]
    while waiting:
        for model in waiting.pop().__subclasses__():
            waiting.append(model)
            if not model._meta.abstract and model.__module__.startswith(("saas.", "tenants.")):
                yield model


def test_there_are_models() -> None:
    assert {model._meta.db_table for model in models()} >= {"tenant", "member", "program_version"}


async def columns(db: Database, table: str) -> dict[str, tuple[str, bool]]:
    sql = SQLITE_COLUMNS if db.kind == "sqlite" else POSTGRES_COLUMNS
    with tenant_scope(PLATFORM):
        async with reading() as tx:
            return {row["name"]: (row["kind"].lower(), bool(row["required"])) for row in await tx.rows(sql, table)}


@pytest.mark.parametrize("model", sorted(models(), key=str), ids=str)
async def test_model_matches_its_table(db: Database, model: type[Model]) -> None:
    table = await columns(db, model._meta.db_table)
    described = {field.source_field or name: field for name, field in model._meta.fields_map.items()}
    assert described.keys() == table.keys()
    for name, field in described.items():
        kind, required = table[name]
        assert kind in next(kinds for base, kinds in KINDS.items() if isinstance(field, base)), name
        assert required is not field.null, name
