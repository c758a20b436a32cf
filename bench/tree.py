"""What a paid order costs in a small network and in a large one: it must not depend on how many others there are."""

from dataclasses import dataclass
from statistics import median
from time import perf_counter

from bench.databases import Databases
from bench.figures import Figure, Size
from bench.history import make_brand, plant_tree
from saas.base import clock
from saas.base.db import open_database
from saas.base.ids import DistributorId, TenantId
from saas.base.scope import tenant_scope
from saas.orders.commands import PlaceLine, PlaceOrder, place_order
from tenants.actors import Actor, system

_WIDTH = 10
_EACH = 1 + _WIDTH + _WIDTH * _WIDTH
"""Distributors under each member of the top, itself included."""


@dataclass(frozen=True, slots=True)
class _Network:
    """A brand and those of its lowest generation."""

    tenant_id: TenantId
    actor: Actor
    sellers: list[DistributorId]


async def order_cost(databases: Databases, kind: str, size: Size) -> Figure:
    """Orders placed and paid one after the other in the large network, beside the same in the small one.

    Two brands of one database that take turns; a chain has three members in both.
    """
    url = await databases.fresh(kind)
    async with open_database(url):
        small, large = [
            await _network(slug, members) for slug, members in (("small", size.small_tree), ("large", size.large_tree))
        ]
        await databases.settle(url)
        rates: dict[TenantId, list[float]] = {small.tenant_id: [], large.tenant_id: []}
        for turn in range(size.rounds + 1):
            for network in (small, large):
                rates[network.tenant_id].append(await _rate(network, turn, size.requests))
    suffix = "_sqlite" if kind == "sqlite" else ""
    return Figure(
        name=f"order_by_tree_size{suffix}",
        ours=median(rates[large.tenant_id][1:]),  # the first round warms up
        ceiling=median(rates[small.tenant_id][1:]),
        unit="orders/s",
    )


async def _network(slug: str, members: int) -> _Network:
    tenant_id = await make_brand(slug)
    with tenant_scope(tenant_id):
        sellers = await plant_tree(max(1, members // _EACH), _WIDTH)
    return _Network(tenant_id, system(tenant_id, "bench"), sellers)


async def _rate(network: _Network, turn: int, orders: int) -> float:
    sellers = network.sellers
    with tenant_scope(network.tenant_id):
        started = perf_counter()
        for at in range(orders):
            order = PlaceOrder(
                seller_id=sellers[(turn * orders + at) * 7919 % len(sellers)],
                lines=[PlaceLine(sku="CD", quantity=2, amount_minor=3_333)],
                idempotency_key=f"{turn}-{at}",
                paid_at=clock.now(),
            )
            await place_order(order, network.actor)
        return orders / (perf_counter() - started)
