"""Whose rows may be touched: the active tenant. No tenant, no query.

The scope lives in a context variable, so it follows a request through every await and ends with it. Whoever needs a
row must have entered a scope; there is no default and no way to name "all tenants" in one statement. Work on many
brands enters them one after the other through ``tenants.crossing.across_tenants``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from saas.base.ids import TenantId

_active: ContextVar[TenantId | None] = ContextVar("tenant", default=None)


class ScopeMissing(RuntimeError):
    """A programming error: a query was attempted before anybody said for which tenant."""


def current_tenant() -> TenantId:
    """The tenant of the active scope. Raises ``ScopeMissing`` when there is none."""
    tenant = _active.get()
    if tenant is None:
        raise ScopeMissing("no tenant scope is active; enter saas.base.scope.tenant_scope() first")
    return tenant


@contextmanager
def tenant_scope(tenant_id: TenantId) -> Iterator[None]:
    """Act for one tenant within the block."""
    token = _active.set(tenant_id)
    try:
        yield
    finally:
        _active.reset(token)
