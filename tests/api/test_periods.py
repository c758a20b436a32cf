"""Periods over the API: due, previewed, closed, awards explained in both languages, each distributor its own."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from orjson import dumps

from saas.base import clock
from tests.api.conftest import Brand, World
from tests.factories import without_periods

MARCH = datetime(2026, 3, 10, 4, tzinfo=UTC)
APRIL = datetime(2026, 3, 31, 16, tzinfo=UTC)
COMPONENTS: list[dict[str, Any]] = [
    {"kind": "tiered_rebate", "key": "month", "bands": [{"from_minor": 0, "rate_bps": 100}]},
    {"kind": "ranking_award", "key": "top", "awards_minor": [500]},
]


@pytest.fixture
async def lotus(world: World) -> Brand:
    """Lotus, which pays by the month and reviews tiers, and has sold in March."""
    brand = world.lotus
    data = without_periods("lotus")
    data["commission"]["components"] += COMPONENTS
    data["tiers"][1]["promotion"] = {"kind": "own_sales", "at_least_minor": 600_000}
    data["tier_rules"] = {"period": "month"}
    saved = await brand.owner.do("saveProgramDraft", "program { number }", document=dumps(data).decode())
    with clock.at(datetime(2026, 3, 1, tzinfo=UTC)):
        await brand.owner.do("activateProgram", "program { status }", number=saved["program"]["number"])
        await brand.put_products("tea")
        for code in ("ANN", "BEN"):
            given = {"code": code, "name": code, "idempotencyKey": code, "reviewed": True}
            made = await brand.operations.do("enrol", "distributor { id }", **given)
            await _sell(brand, made["distributor"]["id"], 600_000 if code == "ANN" else 100_000)
    return brand


async def _sell(brand: Brand, seller: str, amount: int) -> None:
    with clock.at(MARCH):
        await brand.operations.do(
            "placeOrder",
            "order { id }",
            sellerId=seller,
            idempotencyKey=f"sale of {seller}",
            lines=[{"sku": "tea", "quantity": 1, "amountMinor": amount}],
            paidAt=MARCH.isoformat(),
            placedAt=MARCH.isoformat(),
        )


AWARD = "component kind amount { amountMinor } reason status label explanation distributor { code }"


async def test_a_month_is_due_previewed_closed_and_read(lotus: Brand) -> None:
    asked = f"""{{ periodsDue {{ label length }} periodPreview(length: MONTH, day: "2026-03-31") {{
        over awardCount awardsTotal {{ amountMinor }} tierChanges
        awards(first: 3) {{ nodes {{ {AWARD} arithmetic {{ measure measured parts {{ rateBps }} }} }}
            pageInfo {{ hasNextPage endCursor }} }}
        tierReviews {{ nodes {{ outcome tierAfter explanation figures {{ ownSales {{ amountMinor }} }} }} }} }} }}"""
    with clock.at(APRIL):
        found = await lotus.finance.ask(asked)
        assert found["periodsDue"] == [{"label": "2026-03", "length": "MONTH"}]
        seen = found["periodPreview"]
        assert (seen["over"], seen["awardCount"], seen["awardsTotal"], seen["tierChanges"]) == (
            True, 3, {"amountMinor": 7500}, 1,
        )  # fmt: skip
        assert [one["component"] for one in seen["awards"]["nodes"]] == ["month", "month", "top"]
        assert seen["awards"]["nodes"][0]["arithmetic"] == {
            "measure": "OWN_SALES", "measured": 600_000, "parts": [{"rateBps": 100}],
        }  # fmt: skip
        rest = await lotus.finance.ask(
            'query($a: String) { periodPreview(length: MONTH, day: "2026-03-01") { awards(after: $a) '
            "{ nodes { reason distributor { code } } pageInfo { hasNextPage } } } }",
            a=seen["awards"]["pageInfo"]["endCursor"],
        )
        assert rest["periodPreview"]["awards"] == {
            "nodes": [{"reason": "NO_PLACE", "distributor": {"code": "BEN"}}],
            "pageInfo": {"hasNextPage": False},
        }
        assert [one["outcome"] for one in seen["tierReviews"]["nodes"]] == ["PROMOTED", "KEPT"]
        assert "Rises from Silver to Gold" in seen["tierReviews"]["nodes"][0]["explanation"]
        given = {"length": "MONTH", "day": "2026-03-15", "idempotencyKey": "march"}
        closed = await lotus.finance.do("closePeriod", "periodClose { id label awardCount tierChanges }", **given)
        assert closed["periodClose"]["awardCount"] == 3
        again = await lotus.finance.do("closePeriod", "periodClose { id label awardCount tierChanges }", **given)
        assert again == closed
        assert (await lotus.finance.ask("{ periodsDue { label } }"))["periodsDue"] == []
        written = await lotus.auditor.ask(
            f"{{ awards {{ nodes {{ {AWARD} }} }} periodCloses {{ nodes {{ label }} }} }}"
        )
    nodes = written["awards"]["nodes"]
    assert sorted((one["distributor"]["code"], one["component"], one["status"]) for one in nodes) == [
        ("ANN", "month", "AVAILABLE"), ("ANN", "top", "AVAILABLE"),
        ("BEN", "month", "AVAILABLE"), ("BEN", "top", "NOTHING"),
    ]  # fmt: skip
    reviews = await lotus.auditor.ask("{ tierReviews(outcomes: [PROMOTED]) { nodes { distributor { code tier } } } }")
    assert reviews["tierReviews"]["nodes"] == [{"distributor": {"code": "ANN", "tier": "gold"}}]


async def test_a_distributor_reads_its_own_awards_in_its_language(lotus: Brand, world: World) -> None:
    with clock.at(APRIL):
        await lotus.finance.do(
            "closePeriod", "periodClose { id }", length="MONTH", day="2026-03-15", idempotencyKey="m"
        )
        await lotus.finance.do("closeSettlement", "settlement { awards { amountMinor } }", idempotencyKey="m")
    people = (await lotus.operations.ask("{ downline { nodes { id code } } }"))["downline"]["nodes"]
    ids = {one["code"]: one["id"] for one in people}
    ben = replace(await lotus.log_in_as(ids["BEN"], "ben"), language="en")
    asked = "query($of: ID) { awards(of: $of) { nodes { component explanation status } } }"
    own = (await ben.ask(asked, of=ids["BEN"]))["awards"]["nodes"]
    assert (await ben.ask(asked, of=None))["awards"]["nodes"] == own
    assert {one["component"]: one["status"] for one in own} == {"month": "SETTLED", "top": "NOTHING"}
    said = {one["component"]: one["explanation"] for one in own}
    assert said["top"].startswith("No ranking award for 2026-03: place 2 with own sales of")
    chinese = await replace(ben, language="zh-CN").ask(asked, of=None)
    assert any("未获排名奖励" in one["explanation"] for one in chinese["awards"]["nodes"])
    lines = await ben.ask("{ statements { nodes { awards { amountMinor } awardLines { component } csv } } }")
    (statement,) = lines["statements"]["nodes"]
    assert (statement["awards"], statement["awardLines"]) == ({"amountMinor": 1000}, [{"component": "month"}])
    refused = (await ben.send(asked, {"of": ids["ANN"]})).json()
    assert refused["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    for text in ("{ periodsDue { label } }", "{ periodCloses { nodes { label } } }"):
        assert (await ben.send(text)).json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await world.cedar.auditor.ask("{ awards { nodes { id } } }"))["awards"]["nodes"] == []


async def test_refusals_name_the_field_and_the_remedy(lotus: Brand) -> None:
    with clock.at(MARCH):
        for length, day, code in (
            ("MONTH", "2026-03-15", "PERIOD_NOT_OVER"),
            ("YEAR", "2025-03-15", "NOTHING_IN_PERIOD"),
        ):
            given = {"length": length, "day": day, "idempotencyKey": code}
            assert await lotus.finance.refused("closePeriod", **given) == [code]
