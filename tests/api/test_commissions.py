"""What the API tells of every kind of share: read back from the database, with its arithmetic, in both languages."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson

from saas.base import clock
from tenants.program import as_data
from tenants.program.presets import preset
from tests.api.client import Api
from tests.api.conftest import Brand, World

EAST, WEST = "310000", "510000"
SHARES = (
    "query ($id: ID!) { order(id: $id) { commissions { component level tier rateBps reason amount { amountMinor } "
    "explanation arithmetic { full { amountMinor } piecesBefore lifts { pieces extra { amountMinor } } ownRateBps "
    "rateBelowBps ownSales { amountMinor } neededSales { amountMinor } splitBps whole { amountMinor } } } } }"
)
COMPONENTS: Sequence[dict[str, Any]] = (
    {
        "key": "levels",
        "kind": "level_table",
        "qualify": {"own_sales_minor": 1000},
        "levels": [{"rate_bps": 1000}, {"rate_bps": 500}],
    },
    {
        "key": "pieces",
        "kind": "per_piece_volume",
        "per_piece_minor": 2000,
        "bands": [{"above_pieces": 30, "extra_minor": 200}],
    },
    {
        "key": "gap",
        "kind": "differential",
        "rates_bps": {"silver": 1000, "gold": 1500, "diamond": 2200},
        "same_tier_bonus_bps": 250,
    },
)


async def begin(brand: Brand) -> dict[str, str]:
    """A program of every line component, C below B below A, and W in the West; ids by code."""
    made: Any = as_data(preset("lotus"))
    made["commission"] = {"components": list(COMPONENTS), "cap_bps": 5000}
    made["price_policy"] |= {"products": {}, "promotions": []}
    made["territory"] = {"cross_region_lead": {"commission_to_seller_bps": 3000}}
    with clock.at(clock.now() - timedelta(days=100)):
        draft = await brand.owner.do(
            "saveProgramDraft", "program { number } findings { message }", document=orjson.dumps(made).decode()
        )
        await brand.owner.do("activateProgram", "program { status }", number=draft["program"]["number"])
        ids = {}
        for code, sponsor, tier in (
            ("A", None, "diamond"),
            ("B", "A", "silver"),
            ("C", "B", "silver"),
            ("W", None, "gold"),
        ):
            region = WEST if code == "W" else EAST
            given = {"name": code, "idempotencyKey": code, "reviewed": True, "tier": tier, "region": region}
            payload = await brand.operations.do("enrol", "distributor { id }", code=code, sponsorCode=sponsor, **given)
            ids[code] = str(payload["distributor"]["id"])
    await brand.put_products("TEA")
    return ids


async def sell(brand: Brand, seller: str, quantity: int, **more: Any) -> str:
    """A paid order at 1,000.00 a piece."""
    payload = await brand.operations.do(
        "placeOrder",
        "order { id }",
        sellerId=seller,
        lines=[{"sku": "TEA", "quantity": quantity, "amountMinor": 100_000 * quantity}],
        paidAt=clock.now().isoformat(),
        idempotencyKey=f"{seller} {quantity} {more}",
        **more,
    )
    return str(payload["order"]["id"])


async def shares(api: Api, id_: str) -> dict[tuple[str, int], Any]:
    """The shares of an order by component and level, with the numbers of their arithmetic that there are."""
    found = {}
    for share in (await api.ask(SHARES, id=id_))["order"]["commissions"]:
        numbers = share["arithmetic"]
        share["arithmetic"] = {
            name: value["amountMinor"] if isinstance(value, dict) else value
            for name, value in numbers.items()
            if value not in (None, [])
        }
        found[share["component"], share["level"]] = share | {"amount": share["amount"]["amountMinor"]}
    return found


async def test_every_kind_of_share_is_told_with_its_arithmetic(world: World) -> None:
    brand = world.lotus
    ids = await begin(brand)
    await sell(brand, ids["C"], 28)
    found = await shares(brand.operations, await sell(brand, ids["C"], 5))
    assert {place: share["amount"] for place, share in found.items()} == {
        ("levels", 0): 50_000,
        ("levels", 1): 0,
        ("pieces", 0): 10_600,
        ("gap", 0): 50_000,
        ("gap", 1): 0,
        ("gap/same_tier", 1): 12_500,
        ("gap", 2): 60_000,
    }
    assert found["pieces", 0]["arithmetic"] == {
        "full": 10_600,
        "piecesBefore": 28,
        "lifts": [{"pieces": 3, "extra": {"amountMinor": 200}}],
    }
    assert found["pieces", 0]["explanation"].endswith(
        "5 × CN¥20.00 + 3 × CN¥2.00 = CN¥106.00, after 28 pieces in the period "
        "(program 2, component pieces, tier silver)."
    )
    assert found["levels", 1]["reason"] == "NOT_QUALIFIED"
    assert found["levels", 1]["arithmetic"] == {"full": 25_000, "ownSales": 0, "neededSales": 1000}
    assert found["gap", 2]["arithmetic"] == {"full": 60_000, "ownRateBps": 2200, "rateBelowBps": 1000}
    brand.operations.language = "zh-CN"
    found = await shares(brand.operations, await sell(brand, ids["A"], 1))
    assert found["gap", 0]["explanation"].startswith("销售者（第 0 层）获得佣金 ¥220.00：22 % × ¥1,000.00")


async def test_a_lead_is_told_to_each_of_the_two(world: World) -> None:
    brand = world.lotus
    ids = await begin(brand)
    id_ = await sell(brand, ids["A"], 1, region=WEST)
    found = await shares(brand.operations, id_)
    assert {place: share["amount"] for place, share in found.items()} == {
        ("levels", 0): 3000,
        ("levels/lead", 0): 7000,
        ("levels", 1): 0,
        ("pieces", 0): 600,
        ("pieces/lead", 0): 1400,
        ("gap", 0): 6600,
        ("gap/lead", 0): 15_400,
    }
    assert found["gap", 0]["arithmetic"] == {
        "full": 22_000,
        "ownRateBps": 2200,
        "rateBelowBps": 0,
        "splitBps": 3000,
        "whole": 22_000,
    }
    assert found["gap/lead", 0]["arithmetic"] == {"full": 15_400, "splitBps": 7000, "whole": 22_000}
    partner = await brand.log_in_as(ids["W"], "west")
    listed = await partner.ask("{ commissions { nodes { component explanation } } }")
    assert {node["component"] for node in listed["commissions"]["nodes"]} == {"levels/lead", "pieces/lead", "gap/lead"}
    assert all("的 70 %" in node["explanation"] for node in listed["commissions"]["nodes"])


async def test_what_was_evened_because_another_order_was_cancelled_is_told(world: World) -> None:
    brand = world.lotus
    ids = await begin(brand)
    first, second = await sell(brand, ids["C"], 28), await sell(brand, ids["C"], 5)
    cancel = (
        'mutation ($id: ID!) { cancelOrder(input: { idempotencyKey: "undo", orderId: $id }) { userErrors { code } } }'
    )
    assert await brand.operations.ask(cancel, id=first) == {"cancelOrder": {"userErrors": []}}
    asked = (
        "query ($id: ID!) { order(id: $id) { commissions { component evened { amountMinor } takenBack { amountMinor } "
    )
    found = await brand.operations.ask(asked + "arithmetic { madeUp { amountMinor } } } } }", id=second)
    (pieces,) = [share for share in found["order"]["commissions"] if share["component"] == "pieces"]
    assert (pieces["evened"], pieces["takenBack"]) == ({"amountMinor": 600}, {"amountMinor": 600})
    assert pieces["arithmetic"] == {"madeUp": None}
