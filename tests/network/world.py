"""Two brands with a program each, and quick ways to plant trees in them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from saas.base import clock
from saas.base.db import reading, transaction
from saas.base.ids import DistributorId, TenantId, new_id
from saas.base.scope import current_tenant
from saas.network.commands import enrol_many
from saas.network.queries import DistributorRow, by_code
from saas.network.rules import Enrol
from tenants.actors import Actor, Role, system
from tenants.program import as_data
from tenants.program.presets import preset
from tenants.program.versions import SaveDraft, activate, save_draft
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

T0 = datetime(2026, 3, 1, tzinfo=UTC)
LOW_TIER = "silver"


def staff(tenant_id: TenantId | None = None) -> Actor:
    """Somebody of the brand's office."""
    return Actor(
        tenant_id=tenant_id or current_tenant(),
        role=Role.OPERATIONS,
        id=new_id(),
        label="office",
        signed_in_at=clock.now(),
    )


def distributor(id_: DistributorId) -> Actor:
    """A distributor acting for itself."""
    return Actor(tenant_id=current_tenant(), role=Role.DISTRIBUTOR, id=new_id(), label="own", distributor_id=id_)


async def use_program(program: str = "cedar", **hierarchy: object) -> None:
    """Activate a preset for the active tenant at ``T0``, with parts of its hierarchy replaced."""
    base = preset(program)
    data = {**as_data(base), "hierarchy": {**as_data(base)["hierarchy"], **hierarchy}}
    with clock.at(T0):
        draft = await save_draft(SaveDraft(document=data), system(current_tenant(), "test"))
        await activate(draft.version.number, system(current_tenant(), "test"))


async def two_brands(program: str = "lotus", **hierarchy: object) -> None:
    """Lotus and Cedar under the same program: automatic review and trees without end unless told otherwise."""
    await make_tenants()
    shape = {"applicant_review": "automatic", "depth_limit": None, "level_names": [], **hierarchy}
    for tenant_id in (LOTUS, CEDAR):
        with as_tenant(tenant_id):
            await use_program(program, **shape)


def request(code: str, sponsor: DistributorId | str | None = None, **changes: object) -> Enrol:
    """An application with nothing unusual about it."""
    return Enrol(code=code, name=f"Name of {code}", sponsor=sponsor, idempotency_key=f"enrol:{code}", **changes)  # type: ignore[arg-type]  # a test may pass what no caller should


async def plant(tree: Mapping[str, str | None], *, at: datetime = T0) -> dict[str, DistributorId]:
    """Enrol a whole tree, given as code → sponsor's code; answer the ids by code."""
    with clock.at(at):
        ids = await enrol_many([request(code, sponsor) for code, sponsor in tree.items()], staff())
    return dict(zip(tree, ids, strict=True))


async def row(code: str) -> DistributorRow:
    """A distributor by its code, which must exist."""
    found = await by_code(code)
    assert found is not None, code
    return found


async def stored() -> dict[str, tuple[str | None, str, int]]:
    """Of every distributor of the tenant: sponsor's code, path by codes, depth; checked against the stored path."""
    async with reading() as tx:
        rows = await tx.rows(
            "SELECT id, code, no, sponsor_id, path, depth FROM distributor WHERE tenant_id = $1", tx.tenant_id
        )
    by_id = {r["id"]: r for r in rows}
    by_segment = {r["path"][-6:]: r["code"] for r in rows}
    return {
        r["code"]: (
            by_id[r["sponsor_id"]]["code"] if r["sponsor_id"] else None,
            "/".join(by_segment[r["path"][i : i + 6]] for i in range(0, len(r["path"]), 6)),
            r["depth"],
        )
        for r in rows
    }


async def sell(sales: Sequence[tuple[DistributorId, date, int]], currency: str = "CNY") -> None:
    """Sales by distributor and day, as paid orders leave them."""
    async with transaction() as tx:
        await tx.insert_many(
            "sales_day",
            ("distributor_id", "day", "currency", "orders", "pieces", "amount_minor"),
            [(id_, day, currency, 1, 1, amount) for id_, day, amount in sales],
        )
