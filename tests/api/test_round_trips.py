"""How many statements the main operations send: fixed numbers, however many rows a page has."""

from saas.base.db import Database
from tests.api.client import Api
from tests.api.conftest import World

NODE = "nodes { code name status tier region level joinedAt sponsor { code } tierPin { until } }"
MONTH = 'period: { first: "2026-01-01", until: "2026-02-01" }'
SOLD = "ownSales { amountMinor } groupSales { formatted } headCount"
ORDER = (
    "id number goods { formatted } seller { code } lines { sku amount { amountMinor } } "
    "commissions { level outcome explanation amount { formatted } beneficiary { code } }"
)
READS = {
    "downline": (f"{{ downline(first: 50) {{ {NODE} }} }}", 4),
    "downline by sales": (f"{{ downline(first: 50, sort: GROUP_SALES, {MONTH}) {{ nodes {{ code }} }} }}", 2),
    "totals of children": (
        f'{{ distributor(code: "TOP") {{ children(first: 50) {{ nodes {{ totals({MONTH}) {{ {SOLD} }} }} }} }} }}',
        4,
    ),
    "upline": ('{ distributor(code: "C0") { upline { code totals { headCount } } } }', 4),
    "orders": (f"{{ orders(first: 50) {{ nodes {{ {ORDER} }} }} }}", 7),
    "trace codes": ("{ orders(first: 50) { nodes { lines { sku traceCodes { code } } } } }", 4),
    "products": ("{ products(first: 50) { nodes { sku name } } }", 3),
    "commissions": ("{ commissionSummary { component level shares earned { formatted } } }", 2),
    "members": ("{ members(first: 50) { nodes { login role tenant { slug } } } }", 3),
    "audit": ("{ auditLog(first: 50) { nodes { action subject } } }", 2),
}
"""Operations by name, and their statements, the one that authenticates included."""
PLACED = 7
"""Statements at most of an order placed, paid and told on PostgreSQL, one of them for the host, which is read at times:
who asks, the tree held still, the version in force, the chain, the products, and all that is written. On SQLite each
insert is a statement, and costs no round trip."""


async def asked(db: Database, caller: Api, query: str) -> int:
    """How many statements an operation sends: the least of several, as what is remembered is read again at times."""
    counts = []
    before = db.observer
    for _ in range(4):
        seen: list[str] = []
        db.observer = seen.append
        await caller.ask(query)
        counts.append(len(seen))
    db.observer = before
    return min(counts)


async def grow(world: World, start: int, end: int) -> None:
    """Distributors under the first one, each with an order."""
    for number in range(start, end):
        id_ = await world.lotus.enrol(f"C{number}", "TOP")
        await place(world, id_, f"order-{number}")


async def place(world: World, seller: str, key: str) -> None:
    """An order of two lines, placed and paid."""
    lines = [
        {"sku": sku, "quantity": 1, "amountMinor": 9_900, "traceCodes": [f"{key}/{sku}"]} for sku in ("A-SKU", "B-SKU")
    ]
    await world.lotus.operations.do(
        "placeOrder", f"order {{ {ORDER} }}", sellerId=seller, lines=lines, idempotencyKey=key, paidAt=PAID
    )


PAID = "2026-09-01T00:00:00Z"


async def test_statements_do_not_grow_with_rows(world: World, db: Database) -> None:
    top = await world.lotus.enrol("TOP")
    await world.lotus.put_products("A-SKU", "B-SKU")
    await grow(world, 0, 2)
    few = {name: await asked(db, world.lotus.owner, query) for name, (query, _) in READS.items()}
    await grow(world, 2, 7)
    many = {name: await asked(db, world.lotus.owner, query) for name, (query, _) in READS.items()}
    assert few == many == {name: most for name, (_, most) in READS.items()}
    seen: list[str] = []
    before, db.observer = db.observer, seen.append
    await place(world, top, "counted")
    db.observer = before
    if db.kind == "postgresql":
        assert len(seen) <= PLACED, seen
