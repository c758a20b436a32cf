"""A brand that has lived a while: sales, a closed settlement, a payout, an exit. Another brand beside it."""

from dataclasses import replace
from datetime import timedelta

from saas.base import clock
from saas.base.ids import new_id
from saas.catalog.commands import put_products
from saas.catalog.rules import PutProduct
from saas.network.commands import enrol_many
from saas.network.rules import Enrol
from saas.orders.commands import PlaceLine, PlaceOrder, place_orders
from saas.payouts.commands import RequestPayout, SetDestination, request_payout, set_destination, verify_destination
from saas.settlement.commands import CloseSettlement, close
from tenants.actors import Actor, Role, system
from tenants.program import as_data
from tenants.program.presets import preset
from tenants.program.versions import SaveDraft, activate, save_draft
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants

AGO = timedelta(days=100)


async def populate() -> None:
    """Fill every kind of table for Lotus, and give Cedar an active program."""
    await make_tenants()
    for tenant_id, slug in ((LOTUS, "lotus"), (CEDAR, "cedar")):
        with as_tenant(tenant_id):
            actor = system(tenant_id, "tests")
            with clock.at(clock.now() - AGO):
                saved = await save_draft(SaveDraft(document=as_data(preset(slug))), actor)
                await activate(saved.version.number, actor)
    with as_tenant(LOTUS):
        await _live()


async def _live() -> None:
    actor = system(LOTUS, "tests")
    finance = Actor(tenant_id=LOTUS, role=Role.FINANCE, id=new_id(), label="finance")
    await put_products([PutProduct(sku="LOTUS-CREAM", name="Cream")], actor)
    with clock.at(clock.now() - AGO):
        people = [
            Enrol(code=code, name=code, idempotency_key=code, sponsor=sponsor, reviewed=True)
            for code, sponsor in (("A", None), ("B", "A"), ("C", "B"))
        ]
        _, _, seller = await enrol_many(people, actor)
    sold = clock.now() - AGO / 2
    order = PlaceOrder(
        seller_id=seller,
        lines=[PlaceLine(sku="LOTUS-CREAM", quantity=10, unit_price_minor=19_800)],
        idempotency_key="first",
        placed_at=sold,
        paid_at=sold,
        shipped_at=sold,
        delivered_at=sold,
    )
    verdicts = await place_orders([order], actor)
    assert verdicts[0].order_id
    await close(CloseSettlement(idempotency_key="close"), finance)
    card = SetDestination(
        distributor_id=seller,
        holder="C",
        bank="Bank",
        account="6214830012345678",
        has_invoice=True,
        idempotency_key="card",
    )
    await verify_destination(
        (await set_destination(card, replace(finance, id=new_id(), signed_in_at=clock.now()))).id, finance
    )
    await request_payout(RequestPayout(distributor_id=seller, amount_minor=None, idempotency_key="payout"), finance)
