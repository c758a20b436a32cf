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


async def test_7_the_tree_of_before_can_still_be_read(world: World) -> None:
    lotus = world.lotus
    await lotus.enrol("A")
    await lotus.enrol("B")
    moved = await lotus.enrol("C", "A")
    child = await lotus.enrol("D", "C")
    before = (await lotus.owner.ask('{ distributor(code: "C") { joinedAt } }'))["distributor"]["joinedAt"]
    b = (await lotus.owner.ask('{ distributor(code: "B") { id } }'))["distributor"]["id"]
    await lotus.operations.do("moveDistributor", "moved", distributorId=moved, sponsorId=b, reason="asked for it")
    text = (
        "query($id: ID!, $then: DateTime) { distributor(id: $id, asOf: $then) "
        "{ sponsor { code } upline { code } children { nodes { code } } sponsorships { sponsorId reason } } }"
    )
    now = (await lotus.owner.ask(text, id=moved))["distributor"]
    then = (await lotus.owner.ask(text, id=moved, then=before))["distributor"]
    assert (now["sponsor"]["code"], [u["code"] for u in now["upline"]]) == ("B", ["B"])
    assert (then["sponsor"]["code"], [u["code"] for u in then["upline"]]) == ("A", ["A"])
    assert [c["code"] for c in now["children"]["nodes"]] == ["D"]
    assert then["children"]["nodes"] == [], "D joined later"
    assert len(now["sponsorships"]) == 2
    assert await world.cedar.owner.errors(text, id=child) == ["NOT_FOUND"]


async def test_what_is_somebody_elses_is_told_like_what_is_not(world: World) -> None:
    """The same words, and ids as callers know them."""
    theirs = await world.lotus.enrol("A")
    nobody = "dst_" + "0" * 31 + "1"

    async def words(id_: str) -> str:
        answer = await world.cedar.owner.send("query($id: ID!) { distributor(id: $id) { id } }", {"id": id_})
        return str(answer.json()["errors"][0]["message"]).replace(id_, "…")

    assert await words(theirs) == await words(nobody)
    world.cedar.operations.language = "zh-CN"
    refused = await world.cedar.operations.attempt("approveDistributor", "", distributorId=theirs)
    assert refused["userErrors"][0]["message"] == f"未找到分销商：{theirs}。请检查标识。"
