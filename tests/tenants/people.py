"""Brands and people for the tests of this room."""

from collections.abc import Sequence

from saas.base.db import reading
from saas.base.ids import PLATFORM, TenantId, new_id
from saas.base.scope import tenant_scope
from tenants.accounts import CreateMember, Member, create_member
from tenants.actors import Actor, Role, system
from tests.factories import make_distributor

PASSWORD = "correct horse battery"
OPERATOR = Actor(tenant_id=PLATFORM, role=Role.OPERATOR, id=new_id(), label="operator")


def command(login: str, role: Role = Role.OWNER, **changes: object) -> CreateMember:
    """A valid new account."""
    values: dict[str, object] = {"login": login, "password": PASSWORD, "name": login.title(), "role": role} | changes
    return CreateMember(**values)  # type: ignore[arg-type]  # a test may pass what no caller should


async def member(tenant_id: TenantId, login: str, role: Role = Role.OWNER) -> Member:
    """An account in a brand (or an operator in the platform), with ``PASSWORD``."""
    distributor_id = await make_distributor(tenant_id) if role is Role.DISTRIBUTOR else None
    with tenant_scope(tenant_id):
        made = command(login, role, distributor_id=distributor_id)
        return await create_member(made, system(tenant_id, "test"))


def acting(tenant_id: TenantId, person: Member) -> Actor:
    """The person as an actor."""
    return Actor(
        tenant_id=tenant_id,
        role=person.role,
        id=person.id,
        label=person.login,
        distributor_id=person.distributor_id,
    )


async def audited(tenant_id: TenantId) -> Sequence[tuple[str, str]]:
    """Who did what in a brand, in order."""
    with tenant_scope(tenant_id):
        async with reading() as tx:
            rows = await tx.rows(
                "SELECT actor_label, action FROM audit_log WHERE tenant_id = $1 ORDER BY at, id", tx.tenant_id
            )
    return [(row["actor_label"], row["action"]) for row in rows]


async def table_of(tenant_id: TenantId, table: str) -> Sequence[object]:
    """All rows of a table a brand has, to show that nothing changed."""
    with tenant_scope(tenant_id):
        async with reading() as tx:
            rows = await tx.rows(f"SELECT * FROM {table} WHERE tenant_id = $1 ORDER BY id", tx.tenant_id)
    return [dict(row) for row in rows]
