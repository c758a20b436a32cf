"""Prices over HTTP: quotes, the price list, listings and what a raised floor would catch."""

from typing import Any

import pytest

from tests.api.client import Api
from tests.api.conftest import World

QUOTE = (
    "query($input: PriceQuoteInput!) { priceQuote(input: $input) { goods { amountMinor } lines { sku quantity source "
    "amount { amountMinor } freePieces promotion { key name kind buy get } guide { amountMinor } why } "
    "userErrors { code field message } } }"
)
LISTING = "listing { id sku channel price { amountMinor } status outsideBand distributor { code } }"
SPRING = """  promotions:
    - key: spring
      name: {zh: 买九赠一, en: Nine and one}
      kind: buy_get
      buy: 9
      get: 1
      effective_from: 2020-01-01
      effective_until: 2199-01-01
      products: [CEDAR-GREEN]
"""


@pytest.fixture
async def selling(world: World) -> tuple[World, str, Api]:
    """Cedar with a promotion inside its band of 10 %, a distributor, and that distributor's own access."""
    cedar = world.cedar
    await cedar.put_products("CEDAR-GREEN", "CEDAR-CAKE", "PLAIN")
    seller = await cedar.enrol("SELLER")
    await reprice(cedar.owner, ("  promotions: []\n", SPRING), activate=True)
    return world, seller, await cedar.log_in_as(seller, "seller")


async def reprice(owner: Api, *changes: tuple[str, str], activate: bool = False) -> int:
    """Save the program in force with changes of its text as a draft; answers its number."""
    document = (await owner.ask("{ program { document } }"))["program"]["document"]
    for before, after in changes:
        assert before in document, document
        document = document.replace(before, after, 1)
    saved = await owner.do("saveProgramDraft", "program { number }", document=document)
    number = int(saved["program"]["number"])
    if activate:
        await owner.do("activateProgram", "program { status }", number=number)
    return number


async def quoted(caller: Api, seller: str, sku: str, quantity: int, **more: Any) -> dict[str, Any]:
    given = {"sellerId": seller, "lines": [{"sku": sku, "quantity": quantity}], **more}
    found: dict[str, Any] = (await caller.ask(QUOTE, input=given))["priceQuote"]
    return found


async def test_a_quote_is_what_the_order_then_costs(selling: tuple[World, str, Api]) -> None:
    _, seller, me = selling
    found = await quoted(me, seller, "CEDAR-GREEN", 20)
    (line,) = found["lines"]
    assert (line["source"], line["freePieces"], line["guide"]["amountMinor"]) == ("PROMOTION", 2, 256_000)
    assert line["promotion"] == {"key": "spring", "name": "买九赠一", "kind": "BUY_GET", "buy": 9, "get": 1}
    assert line["why"].startswith("买九赠一：买 9 赠 1，20 件中 2 件免费：18 × ")
    placed = await me.do(
        "placeOrder",
        "order { goods { amountMinor } lines { amount { amountMinor } } }",
        sellerId=seller,
        lines=[{"sku": "CEDAR-GREEN", "quantity": 20}],
        idempotencyKey="as quoted",
    )
    assert placed["order"]["goods"] == found["goods"] == {"amountMinor": 18 * 12_800}
    own = await quoted(me, seller, "CEDAR-GREEN", 20, selfPurchase=True)
    assert (own["lines"][0]["source"], own["goods"]["amountMinor"]) == ("PURCHASE", 20 * 9_600)


async def test_what_has_no_price_is_told_with_its_remedy(selling: tuple[World, str, Api]) -> None:
    world, seller, me = selling
    found = await quoted(me, seller, "PLAIN", 1)
    assert (found["goods"], found["lines"]) == (None, None)
    (error,) = found["userErrors"]
    assert (error["code"], error["field"]) == ("PRICE_NOT_KNOWN", "input.lines[0]")
    assert "PLAIN" in error["message"]
    for caller, whom in ((me, await world.cedar.enrol("OTHER")), (world.lotus.operations, seller)):
        refused = await quoted(caller, whom, "CEDAR-GREEN", 1)
        assert refused["lines"] is None
        assert "NOT_FOUND" in [one["code"] for one in refused["userErrors"]]


async def test_the_price_list_shows_a_distributor_its_own_price(selling: tuple[World, str, Api]) -> None:
    world, _, me = selling
    text = (
        "query($of: ID) { priceList(of: $of) { nodes { product { sku } guide { amountMinor } lowest { amountMinor } "
        "highest { amountMinor } purchase { amountMinor } promotions { key } } } }"
    )
    mine = {one["product"]["sku"]: one for one in (await me.ask(text))["priceList"]["nodes"]}
    green, plain = mine["CEDAR-GREEN"], mine["PLAIN"]
    prices = [green[name]["amountMinor"] for name in ("guide", "lowest", "highest", "purchase")]
    assert (prices, green["promotions"]) == ([12_800, 11_520, 14_080, 9_600], [{"key": "spring"}])
    assert (plain["guide"], plain["purchase"], plain["promotions"]) == (None, None, [])
    office = {one["product"]["sku"]: one for one in (await world.cedar.operations.ask(text))["priceList"]["nodes"]}
    assert office["CEDAR-GREEN"] == {**green, "purchase": None}
    other = await world.cedar.enrol("OTHER")
    (error,) = (await me.send(text, {"of": other})).json()["errors"]
    assert (error["extensions"]["code"], other in error["message"]) == ("NOT_FOUND", True)


async def test_a_listing_lives_and_a_draft_finds_it_below_its_floor(selling: tuple[World, str, Api]) -> None:
    world, seller, me = selling
    cedar = world.cedar
    given = {"distributorId": seller, "sku": "CEDAR-GREEN", "channel": "mini program", "priceMinor": 11_000}
    made = (await me.do("openListing", LISTING, **given))["listing"]
    assert made == {
        "id": made["id"],
        "sku": "CEDAR-GREEN",
        "channel": "mini program",
        "price": {"amountMinor": 11_000},
        "status": "OPEN",
        "outsideBand": "BELOW",
        "distributor": {"code": "SELLER"},
    }
    again = await me.attempt("openListing", LISTING, **given)
    assert [error["code"] for error in again["userErrors"]] == ["LISTED_ALREADY"]
    changed = await me.do("changeListingPrice", LISTING, listingId=made["id"], priceMinor=12_000)
    assert (changed["listing"]["price"], changed["listing"]["outsideBand"]) == ({"amountMinor": 12_000}, None)
    number = await reprice(cedar.owner, ("guide_price_minor: 12800", "guide_price_minor: 14000"))
    text = (
        "query($n: Int!) { belowFloorCount(number: $n) { listings orderLines } belowFloor(number: $n) { nodes { "
        "listingId orderId distributor { code } sku quantity amount { amountMinor } floor { amountMinor } "
        "missing { amountMinor } } } }"
    )
    found = await cedar.auditor.ask(text, n=number)
    assert found["belowFloorCount"] == {"listings": 1, "orderLines": 0}
    (one,) = found["belowFloor"]["nodes"]
    assert (one["listingId"], one["orderId"], one["distributor"]) == (made["id"], None, {"code": "SELLER"})
    assert [one[name]["amountMinor"] for name in ("amount", "floor", "missing")] == [12_000, 12_600, 600]
    assert set(await me.errors(text, n=number)) == {"FORBIDDEN"}
    assert set(await world.lotus.owner.errors(text, n=number)) == {"NOT_FOUND"}
    closed = await me.do("closeListing", LISTING, listingId=made["id"])
    assert closed["listing"]["status"] == "CLOSED"
    listed = "{ listings { nodes { id status } } }"
    assert (await me.ask(listed))["listings"]["nodes"] == [{"id": made["id"], "status": "CLOSED"}]
    assert (await world.lotus.operations.ask(listed))["listings"]["nodes"] == []


async def test_an_exit_closes_what_the_leaver_offers(selling: tuple[World, str, Api]) -> None:
    world, seller, _ = selling
    cedar = world.cedar
    stays = await cedar.enrol("STAYS")
    for whom in (seller, stays):
        await cedar.operations.do(
            "openListing", LISTING, distributorId=whom, sku="PLAIN", channel="shop", priceMinor=100
        )
    leaver = {"distributorId": seller, "kind": "VOLUNTARY", "reason": "moves away", "idempotencyKey": "leave"}
    exit_id = (await cedar.operations.do("quoteExit", "exit { id }", **leaver))["exit"]["id"]
    await cedar.owner.do("approveExit", "exit { status }", id=exit_id)
    await cedar.operations.do("executeExit", "exit { status }", id=exit_id, idempotencyKey="go")
    found = await cedar.operations.ask("{ listings { nodes { distributorId status } } }")
    assert {one["distributorId"]: one["status"] for one in found["listings"]["nodes"]} == {
        seller: "CLOSED",
        stays: "OPEN",
    }
