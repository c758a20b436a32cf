"""The main job over HTTP: program, network, orders, commission - as the people of two brands do it."""

from tests.api.conftest import World

ORDER = (
    "order { id number status goods { amountMinor formatted } "
    "commissions { level amount { amountMinor } reason explanation beneficiary { code } } }"
)


async def test_a_sale_pays_three_levels_and_says_why(world: World) -> None:
    """docs/rules.md §3.1: 100.00 → 10.00 / 15.00 / 20.00."""
    lotus = world.lotus
    await lotus.put_products("CREAM")
    await lotus.enrol("A")
    await lotus.enrol("B", "A")
    seller = await lotus.enrol("C", "B")
    placed = await lotus.operations.do(
        "placeOrder",
        ORDER,
        sellerId=seller,
        idempotencyKey="first",
        lines=[{"sku": "CREAM", "quantity": 1, "amountMinor": 10_000}],
    )
    paid = await lotus.operations.do("payOrder", ORDER, orderId=placed["order"]["id"], idempotencyKey="pay")
    shares = [(c["level"], c["beneficiary"]["code"], c["amount"]["amountMinor"]) for c in paid["order"]["commissions"]]
    assert shares == [(0, "C", 1000), (1, "B", 1500), (2, "A", 2000)]
    assert "15 %" in paid["order"]["commissions"][1]["explanation"]
    lotus.operations.language = "zh-CN"
    again = await lotus.operations.do("payOrder", ORDER, orderId=placed["order"]["id"], idempotencyKey="pay")
    assert "佣金" in again["order"]["commissions"][1]["explanation"]
    for brand in (world.cedar.owner, world.cedar.operations):
        assert await brand.errors("query($id: ID!) { order(id: $id) { id } }", id=placed["order"]["id"]) == [
            "NOT_FOUND"
        ]
