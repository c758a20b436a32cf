"""Programs whose orders need to be told facts, and what such orders leave behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from saas.base import clock
from saas.base.ids import DistributorId, OrderId
from saas.base.scope import current_tenant
from saas.commissions.queries import of_orders
from saas.network.commands import enrol_many
from saas.orders.commands import place_order
from tenants.actors import system
from tenants.program import as_data
from tenants.program.lifecycle import SaveDraft, activate, save_draft
from tenants.program.presets import preset
from tests.network.world import T0, request, staff
from tests.orders.world import NOON, order, paid, table

LEVELS: Mapping[str, object] = {
    "key": "levels",
    "kind": "level_table",
    "levels": [{"rate_bps": rate} for rate in (1000, 1500, 2000)],
}
EAST, WEST, NORTH = "310000", "510000", "110000"


def pieces(**changes: object) -> dict[str, object]:
    """20.00 a piece, every piece above 30 in the month 2.00 more."""
    bands = [{"above_pieces": 30, "extra_minor": 200}]
    return {"key": "pieces", "kind": "per_piece_volume", "per_piece_minor": 2000, "bands": bands, **changes}


async def use(
    *components: Mapping[str, object],
    at: datetime = T0,
    commission: Mapping[str, object] = MappingProxyType({}),
    **territory: object,
) -> None:
    """Activate a program with these components for the active brand."""
    base: Any = as_data(preset("lotus"))
    base["hierarchy"] |= {"applicant_review": "automatic", "depth_limit": None, "level_names": []}
    base["commission"] |= {"components": [dict(one) for one in components], **commission}
    base["territory"] = {"regions": "shared", **territory}
    with clock.at(at):
        draft = await save_draft(SaveDraft(document=base), system(current_tenant(), "test"))
        await activate(draft.version.number, system(current_tenant(), "test"))


async def earned(id_: OrderId) -> list[int]:
    """What an order brings its beneficiaries, by line and level."""
    return [view.share.amount_minor for view in (await of_orders([id_]))[id_]]


async def sells(seller: DistributorId, quantity: int, **changes: Any) -> OrderId:
    """A paid order of so many pieces at 100.00."""
    return await paid(seller, 10_000 * quantity, quantity=quantity, **changes)


async def counted() -> dict[tuple[object, ...], object]:
    """The counters by code, component and first day of the period."""
    rows = await table(
        "SELECT d.code, v.component, v.period_from, v.pieces FROM period_volume v JOIN distributor d "
        "ON d.tenant_id = v.tenant_id AND d.id = v.distributor_id WHERE v.tenant_id = $1 AND v.component <> ''"
    )
    return {(code, component, str(first)): count for code, component, first, count in rows}


async def sells_now(seller: DistributorId, quantity: int) -> None:
    """Place an order that is paid at once."""
    await place_order(order(seller, amount_minor=10_000 * quantity, quantity=quantity, paid_at=NOON), staff())


async def regions(**codes: str | None) -> dict[str, DistributorId]:
    """Distributors at the top, each with its region."""
    with clock.at(T0):
        asked = [request(code, region=region) for code, region in codes.items()]
        return dict(zip(codes, await enrol_many(asked, staff()), strict=True))


async def partners() -> Sequence[tuple[object, ...]]:
    """Order numbers with the code of whoever shares them."""
    return await table(
        "SELECT o.number, d.code FROM cross_region_lead l JOIN sales_order o ON o.tenant_id = l.tenant_id "
        "AND o.id = l.order_id JOIN distributor d ON d.tenant_id = l.tenant_id AND d.id = l.distributor_id "
        "WHERE l.tenant_id = $1 ORDER BY o.number"
    )


async def table_of_sales() -> dict[object, tuple[object, ...]]:
    """Orders, pieces and amount of each distributor's days."""
    rows = await table(
        "SELECT d.code, s.orders, s.pieces, s.amount_minor FROM sales_day s JOIN distributor d "
        "ON d.tenant_id = s.tenant_id AND d.id = s.distributor_id WHERE s.tenant_id = $1"
    )
    return {code: tuple(rest) for code, *rest in rows}
