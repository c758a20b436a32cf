"""Returns over the API: a distributor asks, the brand takes in, finance refunds; refusals in both languages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.api.conftest import Brand, World

CASE = """returnCase { id status whole goods { amountMinor } refunded { amountMinor } lines { lineNo sku quantity
    refund { amountMinor } } reversals { component level account amount { amountMinor } } }"""


async def _bought(brand: Brand, seller: str) -> tuple[str, str]:
    then = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    sold = await brand.operations.do(
        "placeOrder",
        "order { id lines { id } }",
        sellerId=seller,
        idempotencyKey="sale",
        lines=[{"sku": "tea", "quantity": 3, "amountMinor": 10_000}],
        **dict.fromkeys(("placedAt", "paidAt", "shippedAt", "deliveredAt"), then),
    )
    return sold["order"]["id"], sold["order"]["lines"][0]["id"]


async def test_a_distributor_sends_one_piece_back(world: World) -> None:
    brand = world.lotus
    await brand.put_products("tea")
    top = await brand.enrol("TOP")
    low = await brand.enrol("LOW", "TOP")
    seller, upline = await brand.log_in_as(low, "low"), await brand.log_in_as(top, "top")
    order, line = await _bought(brand, low)
    asked = {"orderId": order, "reason": "too small", "idempotencyKey": "r", "lines": [{"lineId": line, "quantity": 1}]}
    made = (await seller.do("requestReturn", CASE, **asked))["returnCase"]
    assert (made["status"], made["goods"], made["lines"][0]["quantity"]) == ("REQUESTED", None, 1)
    assert (await seller.do("requestReturn", CASE, **asked))["returnCase"] == made
    await brand.operations.do("approveReturn", CASE, id=made["id"])
    taken = {"id": made["id"], "sellable": True, "idempotencyKey": "in"}
    received = (await brand.operations.do("receiveReturn", CASE, **taken))["returnCase"]
    assert received["goods"] == {"amountMinor": 3333} and not received["whole"]
    assert received["reversals"] == [
        {"component": "levels", "level": 0, "account": "PENDING", "amount": {"amountMinor": 333}},
        {"component": "levels", "level": 1, "account": "PENDING", "amount": {"amountMinor": 500}},
    ]
    refunded = (await brand.finance.do("refundReturn", CASE, id=made["id"], idempotencyKey="out"))["returnCase"]
    assert (refunded["status"], refunded["refunded"]) == ("REFUNDED", {"amountMinor": 3333})
    own = await seller.ask(f"{{ returns {{ nodes {{ {CASE[13:-2]} }} }} commissions {{ nodes {{ level takenBack "
                           f"{{ amountMinor }} amount {{ amountMinor }} }} }} }}")  # fmt: skip
    assert [one["level"] for one in own["returns"]["nodes"][0]["reversals"]] == [0], "an upline's is the upline's"
    assert own["commissions"]["nodes"] == [
        {"level": 0, "takenBack": {"amountMinor": 333}, "amount": {"amountMinor": 1000}}
    ]
    booked = await upline.ask("{ returns { nodes { id } } ledgerEntries(kind: CLAWBACK) { nodes { account reference "
                              "amount { amountMinor } } } }")  # fmt: skip
    assert booked == {
        "returns": {"nodes": []},
        "ledgerEntries": {"nodes": [{"account": "PENDING", "reference": made["id"], "amount": {"amountMinor": -500}}]},
    }


async def test_refusals_name_the_field_and_what_to_do(world: World) -> None:
    brand = world.lotus
    await brand.put_products("tea")
    seller = await brand.enrol("LOW")
    order, line = await _bought(brand, seller)
    asked = {"orderId": order, "reason": "too small", "lines": [{"lineId": line, "quantity": 4}]}
    sent = "mutation($i: RequestReturnInput!) { requestReturn(input: $i) { userErrors { code field message } } }"
    for language, message in (
        ("en", "4 pieces of SKU tea cannot be returned; 3 can. Correct the quantity."),
        ("zh-CN", "SKU tea 无法退 4 件，最多可退 3 件。请修改数量。"),
    ):
        caller = replace(brand.operations, language=language)
        found = await caller.ask(sent, i={**asked, "idempotencyKey": language})
        assert found["requestReturn"]["userErrors"] == [
            {"code": "RETURN_TOO_MANY", "field": "input.lines[0].quantity", "message": message}
        ]
    owed = {"distributorId": seller, "amountMinor": 1, "reason": "small", "idempotencyKey": "w"}
    refused = await brand.finance.ask(
        "mutation($i: RequestWriteOffInput!) { requestWriteOff(input: $i) { userErrors { code field } } }", i=owed
    )
    assert refused["requestWriteOff"]["userErrors"] == [{"code": "NOTHING_OWED", "field": "input.amountMinor"}]
