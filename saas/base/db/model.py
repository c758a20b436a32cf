"""Bases of the Tortoise models. Fail closed: no scope, no rows; the tenant is added to every query and every row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NoReturn, Self

from tortoise import fields
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.manager import Manager
from tortoise.models import Model
from tortoise.queryset import QuerySet

from saas.base.db.tx import current_tx

_modules: set[str] = set()


@asynccontextmanager
async def bound_models(engine: str) -> AsyncIterator[None]:
    """Prepare every imported model for the SQL of one kind of database, within the block.

    Tortoise is given a client that refuses to connect: models reach the open transaction, or nothing.
    """
    config = {
        "connections": {engine: {"engine": engine, "credentials": {}}},
        "apps": {"banyan": {"models": sorted(_modules), "default_connection": engine}},
    }
    context = TortoiseContext()
    if _modules:
        with context:
            await context.init(config=config, _enable_global_fallback=True)
    try:
        yield
    finally:
        await context.close_connections()


class GlobalManager(Manager):
    """Queries of a global table, on the open transaction."""

    def get_queryset(self) -> QuerySet[Any]:
        return QuerySet(self._model).using_db(current_tx().orm)


class TenantManager(Manager):
    """Queries of a tenant's table: the open transaction and its tenant, or an error."""

    def get_queryset(self) -> QuerySet[Any]:
        tx = current_tx()
        return QuerySet(self._model).using_db(tx.orm).filter(tenant_id=tx.tenant_id)


class _Bound(Model):
    """Every path to a connection leads to the open transaction."""

    class Meta:
        abstract = True

    @classmethod
    def _choose_db(cls, for_write: bool = False) -> BaseDBAsyncClient:
        return current_tx().orm

    @classmethod
    def raw(cls, *args: object, **kwargs: object) -> NoReturn:
        """Not here: SQL goes through ``Tx``, where the tenant is named."""
        raise TypeError("raw() bypasses the tenant; use Tx.rows()")


class GlobalModel(_Bound):
    """A row of a table that belongs to no tenant."""

    class Meta:
        abstract = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._meta.manager = GlobalManager(cls)
        _modules.add(cls.__module__)


class TenantModel(_Bound):
    """A row that belongs to one tenant. Written by ``create`` and by conditional ``filter(…).update(…)`` only."""

    id = fields.UUIDField(primary_key=True)
    tenant_id = fields.IntField()

    class Meta:
        abstract = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._meta.manager = TenantManager(cls)
        _modules.add(cls.__module__)

    @classmethod
    async def create(cls, using_db: BaseDBAsyncClient | None = None, **kwargs: Any) -> Self:
        """Insert a row for the tenant of the open transaction."""
        kwargs["tenant_id"] = current_tx().tenant_id
        return await super().create(using_db=using_db, **kwargs)

    async def save(
        self,
        using_db: BaseDBAsyncClient | None = None,
        update_fields: Iterable[str] | None = None,
        force_create: bool = False,
        force_update: bool = False,
    ) -> None:
        """Only ``create`` may save: an update by primary key alone would not name the tenant."""
        if not force_create or self.tenant_id != current_tx().tenant_id:
            raise TypeError("write with create() or filter(…).update(…), which name the tenant")
        await super().save(using_db, update_fields, force_create, force_update)

    @classmethod
    def bulk_create(cls, *args: Any, **kwargs: Any) -> NoReturn:
        """Not here: many rows go through ``Tx.insert_many``, which adds the tenant."""
        raise TypeError("use Tx.insert_many()")

    async def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not here: a delete by primary key alone would not name the tenant."""
        raise TypeError("use filter(…).delete(), which names the tenant")

    async def refresh_from_db(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not here: read again through the manager."""
        raise TypeError("use get(id=…), which names the tenant")
