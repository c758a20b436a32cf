"""What peers spent on each order and entry, and ours does not: statements are counted (docs/rules.md §3, §4)."""

from saas.base.db import Database
from saas.orders.commands import pay, place_order
from tests.factories import LOTUS, as_tenant
from tests.network.world import plant, staff
from tests.orders.world import order, step, two_shops


async def test_statements_do_not_grow_with_orders_or_the_tree(db: Database) -> None:
    ids, _ = await two_shops()
    counts = []
    with as_tenant(LOTUS):
        deep = await plant({f"T{n}": f"T{n - 1}" if n else None for n in range(30)})
        for sellers in ([ids["A"]], list(deep.values())):
            waiting = [await place_order(order(seller), staff()) for seller in sellers]
            seen: list[str] = []
            db.observer = seen.append
            await pay([one for id_ in waiting for one in step(id_)], staff())
            db.observer = None
            counts.append(len(seen))
    assert counts[0] == counts[1] <= 20
