"""What orders bring to their commission (docs/rules.md §3.2, §3.8), as people of a brand do it over HTTP."""

from typing import Any

import orjson

from tenants.program import as_data
from tenants.program.presets import preset
from tests.api.client import Api
from tests.api.conftest import Brand, World

ORDER = (
    "order { id servedById servedBy { code } forMember commissions { component amount { amountMinor } explanation } }"
)
EAST, WEST = "310000", "510000"


async def use(brand: Brand, component: dict[str, Any], **territory: object) -> None:
    """Put a program with this one component in force."""
    document: Any = as_data(preset("lotus"))
    document["commission"]["components"] = [component]
    document["territory"] = {"regions": "shared", **territory}
    text = orjson.dumps(document).decode()
    draft = await brand.owner.do("saveProgramDraft", "program { number }", document=text, format="JSON")
    await brand.owner.do("activateProgram", "program { status }", number=draft["program"]["number"])


def asked(seller: str, key: str, quantity: int = 1, **more: object) -> dict[str, object]:
    """An order of so many pieces at 100.00."""
    line = {"sku": "CREAM", "quantity": quantity, "amountMinor": 10_000 * quantity}
    return {"sellerId": seller, "idempotencyKey": key, "lines": [line], **more}


async def test_case_3_2_the_order_that_crosses_the_line_says_so(world: World) -> None:
    lotus = world.lotus
    await lotus.put_products("CREAM")
    seller = await lotus.enrol("A")
    bands = [{"above_pieces": 30, "extra_minor": 200}]
    pieces = {"key": "pieces", "kind": "per_piece_volume", "per_piece_minor": 2_000, "bands": bands}
    await use(lotus, pieces)
    amounts = []
    for quantity in (28, 5):
        placed = await lotus.operations.do("placeOrder", ORDER, **asked(seller, f"{quantity}", quantity))
        paid = await lotus.operations.do(
            "payOrder", ORDER, orderId=placed["order"]["id"], idempotencyKey=f"pay-{quantity}"
        )
        amounts.append([one["amount"]["amountMinor"] for one in paid["order"]["commissions"]])
    assert amounts == [[56_000], [10_600]]
    assert "106.00" in paid["order"]["commissions"][0]["explanation"]
    await use(lotus, {**pieces, "applies": "WHOLE"})
    placed = await lotus.operations.do("placeOrder", ORDER, **asked(seller, "two", 2))
    paid = await lotus.operations.do("payOrder", ORDER, orderId=placed["order"]["id"], idempotencyKey="pay-two")
    assert paid["order"]["commissions"][0]["amount"]["amountMinor"] == 4_400, "33 pieces and these are lifted"


async def test_case_3_8_a_lead_is_shared_with_the_customers_region(world: World) -> None:
    lotus = world.lotus
    await lotus.put_products("CREAM")
    east, west = [await lotus.enrol(code, region=region) for code, region in (("E", EAST), ("W", WEST))]
    foreign = await world.cedar.enrol("W", region=WEST)
    assert await lotus.operations.refused("placeOrder", **asked(east, "early", servedById=west)) == ["LEADS_NOT_SHARED"]
    await use(lotus, {"key": "levels", "kind": "level_table", "levels": [{"rate_bps": 1_000}]}, cross_region_lead={})
    seller = await lotus.log_in_as(east, "east")
    named = await seller.do("placeOrder", ORDER, **asked(east, "named", 10, servedById=west, forMember=True))
    assert (named["order"]["servedById"], named["order"]["forMember"]) == (west, True)
    assert named["order"]["servedBy"] is None, "a distributor sees its own team"
    found = await lotus.operations.do("placeOrder", ORDER, **asked(east, "found", 10, region=WEST))
    assert found["order"]["servedById"] is None, "found when it is paid"
    for placed in (named, found):
        id_ = placed["order"]["id"]
        paid = await lotus.operations.do("payOrder", ORDER, orderId=id_, idempotencyKey=f"pay-{id_}")
        assert (paid["order"]["servedById"], paid["order"]["servedBy"]["code"]) == (west, "W")
        amounts = {one["component"]: one["amount"]["amountMinor"] for one in paid["order"]["commissions"]}
        assert amounts == {"levels": 3_000, "levels/lead": 7_000}
    partner = await lotus.log_in_as(west, "west")
    for caller in (lotus.operations, seller, partner):
        query = "query($id: ID!) { order(id: $id) { servedById } }"
        if caller is partner:
            assert await caller.errors(query, id=id_) == ["NOT_FOUND"]
        else:
            assert (await caller.ask(query, id=id_))["order"] == {"servedById": west}
    before = await lotus.operations.ask("{ orders { nodes { number } } }")
    assert await seller.refused("placeOrder", **asked(east, "k", servedById=foreign)) == ["NOT_FOUND"]
    assert await lotus.operations.refused("placeOrder", **asked(east, "k", servedById=foreign)) == ["NOT_FOUND"]
    assert await seller.refused("placeOrder", **asked(east, "k", servedById=east)) == ["PARTNER_REFUSED"]
    assert await lotus.operations.ask("{ orders { nodes { number } } }") == before


WHOLE = (
    "id number status source customer channel region selfPurchase forMember programNumber placedAt paidAt shippedAt "
    "deliveredAt closedAt cancelledAt holdUntil sellerId seller { code name } servedById servedBy { code } "
    "goods { formatted } freight { amountMinor } tax { amountMinor } "
    "lines { id lineNo sku quantity amount { formatted } traceCodes { code freedAt } } "
    "commissions { id lineId orderId component programNumber level beneficiaryId tier rateBps perPiece { amountMinor } "
    "base { amountMinor } quantity amount { formatted currency } takenBack { amountMinor } evened { amountMinor } "
    "outcome reason status earnedAt holdUntil statementId explanation "
    "arithmetic { full { amountMinor } piecesBefore lifts { pieces } } "
    "beneficiary { id code name kind status tier region level depth sponsorId appliedAt joinedAt exitedAt } }"
)


async def test_the_answer_to_placing_is_what_asking_for_the_order_answers(world: World) -> None:
    lotus = world.lotus
    await lotus.put_products("CREAM")
    top = await lotus.enrol("T", region=EAST)
    seller = await lotus.enrol("S", "T", region=EAST)
    key = await lotus.owner.do("createApiKey", "token", name="shop", scopes=["ORDERS_WRITE", "ORDERS_READ"])
    shop = Api(lotus.owner.app, lotus.owner.host, key["token"])
    herself = await lotus.log_in_as(seller, "herself")
    said = {"customer": "C-1", "channel": "shop", "freightMinor": 800, "taxMinor": 7}
    for number, caller in enumerate((lotus.owner, lotus.operations, shop, herself)):
        more = {} if caller is herself else {"paidAt": "2026-09-01T08:00:00+08:00", **said}
        wish = asked(seller, f"key-{number}", 1, **more)
        line: Any = wish["lines"]
        line[0]["traceCodes"] = [f"T-{number}"]
        placed = await caller.do("placeOrder", f"order {{ {WHOLE} }}", **wish)
        assert placed["order"]["lines"][0]["traceCodes"] == [{"code": f"T-{number}", "freedAt": None}]
        again = await caller.ask(f"query($id: ID!) {{ order(id: $id) {{ {WHOLE} }} }}", id=placed["order"]["id"])
        assert placed["order"] == again["order"]
        found = await caller.ask('query { orders(traceCode: "T-0") { nodes { number } } }')
        assert len(found["orders"]["nodes"]) == 1
        if more:
            earned = [
                one["beneficiary"]["code"] for one in placed["order"]["commissions"] if one["outcome"] == "EARNED"
            ]
            assert earned == ["S", "T"]
            named = [one["beneficiary"]["id"] for one in placed["order"]["commissions"] if one["beneficiary"]]
            assert set(named) == {top, seller}
