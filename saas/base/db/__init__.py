"""The database: one ``transaction()`` and one ``reading()`` for SQLite and PostgreSQL, safe under cancellation.

``Database`` opens either engine from a URL. Inside a block, ``Tx`` runs SQL written once for both, and the Tortoise
models (``TenantModel``) are bound to the same connection; outside a block nothing answers.
"""

from saas.base.db.database import Database, Point, open_database, passing, reading, transaction
from saas.base.db.going_on import reading_on
from saas.base.db.model import GlobalModel, TenantModel
from saas.base.db.tx import ConstraintViolated, Row, Taken, Tx, as_time, current_tx

__all__ = [
    "ConstraintViolated",
    "Database",
    "GlobalModel",
    "Point",
    "Row",
    "Taken",
    "TenantModel",
    "Tx",
    "as_time",
    "current_tx",
    "open_database",
    "passing",
    "reading",
    "reading_on",
    "transaction",
]
