"""Two brands that pay by period: A → B → C and D each, sales in March 2026 in Shanghai."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from saas.base import clock
from saas.base.ids import DistributorId
from saas.base.paging import PAGE_MAX, PageRequest
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.orders.commands import PlaceLine, place_order
from saas.performance import queries
from saas.performance.commands import ClosePeriod, close_period
from saas.performance.queries import AwardFilter, AwardView, PeriodCloseView
from tenants.actors import Actor, Role, system
from tenants.program.versions import SaveDraft, activate, save_draft
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants, without_periods
from tests.network.world import T0, plant, staff
from tests.orders.world import order

APRIL = datetime(2026, 3, 31, 16, tzinfo=UTC)
"""The first moment of April in Shanghai."""

MARCH = date(2026, 3, 15)
TREE = {"A": None, "B": "A", "C": "B", "D": "B"}
REBATE: dict[str, Any] = {
    "kind": "tiered_rebate",
    "key": "rebate",
    "measure": "group_sales",
    "bands": [{"from_minor": 0, "rate_bps": 500}, {"from_minor": 1_000_000, "rate_bps": 800}],
}
TARGET: dict[str, Any] = {
    "kind": "target_bonus",
    "key": "target",
    "targets": [{"at_least": 500_000, "bonus_minor": 50_000}],
}
FIRST: dict[str, Any] = {"kind": "event_bonus", "key": "first", "bonus_minor": 70_000, "once": "brand"}
RANKING: dict[str, Any] = {"kind": "ranking_award", "key": "top", "awards_minor": [3000, 2000]}
EVERY = (REBATE, TARGET, FIRST, RANKING)
PRODUCTS = (("TEA", "tea"), ("CAKE", "cake"))


def finance(tenant_id: Any = LOTUS) -> Actor:
    """Somebody who may close periods."""
    return Actor(tenant_id=tenant_id, role=Role.FINANCE, id=None, label="finance")


async def use(*components: dict[str, Any], at: datetime = T0, **parts: Any) -> int:
    """Put a program with these period components in force for the active brand; answers its number."""
    data = without_periods("lotus")
    data["commission"]["components"] += components
    data["commission"]["cap_bps"] = 1000
    data["hierarchy"] |= {"applicant_review": "automatic"}
    data |= parts
    actor = system(LOTUS, "test")
    with clock.at(at):
        number = (await save_draft(SaveDraft(document=data), actor)).version.number
        await activate(number, actor)
    return number


async def two_brands(*components: dict[str, Any], **parts: Any) -> dict[str, DistributorId]:
    """Lotus and Cedar, alike; answers Lotus' distributors by code. Cedar has sold as well."""
    await make_tenants()
    made = []
    for tenant_id in (LOTUS, CEDAR):
        with as_tenant(tenant_id):
            await use(*components, **parts)
            await put_products(
                [PutProduct(sku=sku, name=sku, category=category) for sku, category in PRODUCTS], staff()
            )
            made.append(await plant(TREE))
    with as_tenant(CEDAR):
        await sold(made[1]["D"], 9_999_999, channel="douyin")
    return made[0]


async def sold(
    seller: DistributorId, amount_minor: int, *, day: int = 10, sku: str = "TEA", pieces: int = 1, **more: Any
) -> Any:
    """An order paid at noon of a day of March."""
    noon = datetime(2026, 3, day, 4, tzinfo=UTC)
    line = PlaceLine(sku=sku, quantity=pieces, amount_minor=amount_minor)
    with clock.at(noon + timedelta(hours=1)):
        values: dict[str, Any] = {"lines": [line], "placed_at": noon, "paid_at": noon, **more}
        return await place_order(order(seller, **values), staff())


async def close_march(*, at: datetime = APRIL, key: str = "march", **changes: Any) -> PeriodCloseView:
    """Close March at the first moment it can be."""
    command = ClosePeriod(**{"length": "month", "day": MARCH, "idempotency_key": key, **changes})
    with clock.at(at):
        return await close_period(command, finance())


async def awards(**wanted: Any) -> Sequence[AwardView]:
    """All awards of the active brand."""
    return (await queries.awards(AwardFilter(**wanted), PageRequest(PAGE_MAX))).items


async def paid(codes: dict[str, DistributorId], **wanted: Any) -> dict[tuple[str, str], int]:
    """What is paid, by component and code."""
    names = {id_: code for code, id_ in codes.items()}
    found = await awards(**wanted)
    return {(one.component, names[one.distributor_id]): one.amount_minor for one in found if one.amount_minor}
