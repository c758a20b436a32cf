"""Exits over the API: quoted with heir and stock, approved, executed, closed, certified, erased; and proposed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from orjson import dumps

from saas.base import clock
from saas.base.db import Database
from tenants.program import as_data
from tenants.program.presets import preset
from tests.api.conftest import LONG_AGO, Brand, World
from tests.api.test_round_trips import asked as statements

POLICY: dict[str, Any] = {
    "voluntary": {"downline_to": "heir", "pending": "keep"},
    "buy_back": {"rate_bps": 9000, "months": 12},
    "retention_days": 30,
}
QUOTE = """downlineTo heirId buyBack { amountMinor } buyBackBps finalAmount { amountMinor } payableOn
    unsettledAwards { amountMinor } stock { sku bought gone quantity paid { amountMinor } buyBack { amountMinor } }"""


@pytest.fixture
async def lotus(world: World) -> tuple[Brand, dict[str, str]]:
    """Lotus, which buys stock back and lets heirs be named: A → B → C, and B bought two creams for itself."""
    brand = world.lotus
    data = as_data(preset("lotus"))
    saved = await brand.owner.do(
        "saveProgramDraft", "program { number }", document=dumps({**data, "exit": {**data["exit"], **POLICY}}).decode()
    )
    with clock.at(clock.now() - LONG_AGO + timedelta(hours=1)):
        await brand.owner.do("activateProgram", "program { status }", number=saved["program"]["number"])
    ids: dict[str, str] = {}
    for code, sponsor in (("A", None), ("B", "A"), ("C", "B")):
        ids[code] = await brand.enrol(code, sponsor, phone=f"1381234000{ord(code) % 10}")
    await brand.put_products("tea")
    then = (clock.now() - timedelta(days=100)).isoformat()
    await brand.operations.do(
        "placeOrder",
        "order { id }",
        sellerId=ids["B"],
        selfPurchase=True,
        idempotencyKey="own",
        lines=[{"sku": "tea", "quantity": 2, "amountMinor": 20_000}],
        **dict.fromkeys(("placedAt", "paidAt", "shippedAt", "deliveredAt"), then),
    )
    return brand, ids


async def test_an_exit_from_the_quote_to_the_last_word(lotus: tuple[Brand, dict[str, str]]) -> None:
    brand, ids = lotus
    me = await brand.log_in_as(ids["B"], "bee")
    gone = [{"sku": "tea", "quantity": 1}]
    preview = await brand.auditor.ask(
        f"query($of: ID!, $heir: ID, $gone: [GoneInput!]) {{ "
        f"exitPreview(of: $of, kind: VOLUNTARY, heirId: $heir, gone: $gone) {{ {QUOTE} }} }}",
        of=ids["B"],
        heir=ids["C"],
        gone=gone,
    )
    given = {"distributorId": ids["B"], "kind": "VOLUNTARY", "reason": "moves away", "gone": gone}
    assert await me.refused("quoteExit", **given, idempotencyKey="1") == ["HEIR_NEEDED"]
    assert await me.refused("quoteExit", **given, heirId=ids["A"], idempotencyKey="2") == ["NOT_FOUND"]
    twice = await brand.operations.attempt(
        "quoteExit", "", **{**given, "gone": gone * 2}, heirId=ids["C"], idempotencyKey="3"
    )
    assert [(e["code"], e["field"]) for e in twice["userErrors"]] == [("STOCK_TWICE", "input.gone[1].sku")]
    asked = await me.do("quoteExit", f"exit {{ id quote {{ {QUOTE} }} }}", **given, heirId=ids["C"], idempotencyKey="4")
    exit_id, quote = asked["exit"]["id"], asked["exit"]["quote"]
    assert quote == preview["exitPreview"]
    assert (quote["downlineTo"], quote["heirId"], quote["buyBackBps"]) == ("HEIR", ids["C"], 9000)
    assert [(x["sku"], x["bought"], x["gone"], x["quantity"]) for x in quote["stock"]] == [("tea", 2, 1, 1)]
    assert (quote["stock"][0]["paid"]["amountMinor"], quote["buyBack"]["amountMinor"]) == (10_000, 9_000)
    await brand.owner.do("approveExit", "exit { status }", id=exit_id)
    done = await brand.operations.do(
        "executeExit",
        "exit { status certificate { number text } finalStatement { until } }",
        id=exit_id,
        idempotencyKey="go",
    )
    assert (done["exit"]["status"], done["exit"]["finalStatement"]) == ("EXECUTED", None)
    assert "still being settled" in done["exit"]["certificate"]["text"]
    assert await me.errors("{ me { id } }") == ["UNAUTHENTICATED"]
    tree = await brand.auditor.ask("query($id: ID) { distributor(id: $id) { sponsorId } }", id=ids["C"])
    assert tree["distributor"]["sponsorId"] == ids["A"]
    entries = await brand.finance.ask(
        "query($of: ID!) { ledgerEntries(of: $of, kind: BUY_BACK) { nodes { account amount { amountMinor } } } }",
        of=ids["B"],
    )
    assert entries["ledgerEntries"]["nodes"] == [{"account": "SETTLED", "amount": {"amountMinor": 9_000}}]
    assert await brand.operations.refused("closeExit", id=exit_id) == ["EXIT_NOT_SETTLED"]


async def leave(brand: Brand, ids: list[str]) -> None:
    """All of them leave."""
    for id_ in ids:
        asked = await brand.operations.do(
            "quoteExit", "exit { id }", distributorId=id_, kind="BRAND_DECISION", reason="r", idempotencyKey=id_
        )
        await brand.owner.do("approveExit", "exit { id }", id=asked["exit"]["id"])
        await brand.operations.do("executeExit", "exit { id }", id=asked["exit"]["id"], idempotencyKey=f"{id_} leaves")


async def test_a_closed_exit_has_a_final_statement_a_certificate_and_an_end(
    lotus: tuple[Brand, dict[str, str]], world: World, db: Database
) -> None:
    brand, _ = lotus
    with clock.at(clock.now() - timedelta(days=60)):
        before = await brand.enrol("Z", "A", phone="13812345678")
    asked = await brand.operations.do(
        "quoteExit", "exit { id }", distributorId=before, kind="BRAND_DECISION", reason="r", idempotencyKey="z"
    )
    exit_id = asked["exit"]["id"]
    await brand.owner.do("approveExit", "exit { id }", id=exit_id)
    await brand.operations.do("executeExit", "exit { id }", id=exit_id, idempotencyKey="z")
    await brand.operations.do("closeExit", "exit { status }", id=exit_id)
    text = """query($id: ID!) { exit(id: $id) { kind erasedAt finalStatement { opening { settled { amountMinor } }
        movements { kind } }
        certificate { number kind code name leftOn closedOn text html } } }"""
    english = (await brand.auditor.ask(text, id=exit_id))["exit"]
    chinese = (await replace(brand.auditor, language="zh-CN").ask(text, id=exit_id))["exit"]
    assert english["finalStatement"] == {"opening": {"settled": {"amountMinor": 0}}, "movements": []}
    assert english["certificate"]["name"] == "Name of Z"
    assert "by decision of the brand" in english["certificate"]["text"]
    assert "品牌方决定" in chinese["certificate"]["text"]
    assert "<title>退出证明 E" in chinese["certificate"]["html"]
    assert await world.cedar.auditor.errors(text, id=exit_id) == ["NOT_FOUND"]

    await leave(brand, [await brand.enrol(f"Z{n}", "A") for n in range(3)])
    page = "{ exits(first: %d) { nodes { certificate { code number } } } }"
    shown = (await brand.auditor.ask(page % 4))["exits"]["nodes"]
    assert sorted(one["certificate"]["code"] for one in shown) == ["Z", "Z0", "Z1", "Z2"]
    assert await statements(db, brand.auditor, page % 4) == await statements(db, brand.auditor, page % 1)

    person = "erased { exitId code }"
    assert (await brand.owner.do("erasePersonalData", person, dryRun=True))["erased"] == []
    with clock.at(clock.now() + timedelta(days=31)):
        owner = await brand.anonymous.log_in("owner")
        expected = [{"exitId": exit_id, "code": "Z"}]
        assert (await owner.do("erasePersonalData", person, dryRun=True))["erased"] == expected
        assert (await owner.do("erasePersonalData", person))["erased"] == expected
        assert (await owner.do("erasePersonalData", person))["erased"] == []
        after = (await owner.ask(text, id=exit_id))["exit"]
    assert after["erasedAt"] is not None
    assert (after["certificate"]["name"], after["certificate"]["code"]) == ("–", "Z")
    for other in (brand.operations, brand.finance, brand.auditor):
        refused = await other.errors("mutation { erasePersonalData(input: {dryRun: true}) { erased { code } } }")
        assert set(refused) == {"FORBIDDEN"}


async def test_the_inactive_are_proposed_and_quoted_together(lotus: tuple[Brand, dict[str, str]]) -> None:
    brand, ids = lotus
    text = "query($d: Int!) { inactiveDistributors(days: $d) { nodes { distributor { code } lastSaleOn } } }"
    nobody = (await brand.auditor.ask(text, d=99))["inactiveDistributors"]["nodes"]
    assert [(x["distributor"]["code"], x["lastSaleOn"]) for x in nobody[:1]] == [("A", None)]
    assert sorted(x["distributor"]["code"] for x in nobody) == ["A", "B", "C"]
    listed = (await brand.auditor.ask(text, d=101))["inactiveDistributors"]["nodes"]
    assert sorted(x["distributor"]["code"] for x in listed) == ["A", "C"]
    given = {"distributorIds": [ids["A"], ids["C"]], "days": 101, "reason": "no sales", "idempotencyKey": "k"}
    fields = "exits { distributorId exit { kind status } quote { team } }"
    looked = await brand.operations.do("quoteInactiveExits", fields, **given, dryRun=True)
    assert [(x["exit"], x["quote"]["team"]) for x in looked["exits"]] == [(None, 2), (None, 0)]
    made = await brand.operations.do("quoteInactiveExits", fields, **given)
    assert [x["exit"] for x in made["exits"]] == [{"kind": "INACTIVITY", "status": "QUOTED"}] * 2
    assert made == await brand.operations.do("quoteInactiveExits", fields, **given)
    refused = await replace(brand.operations, language="zh-CN").attempt(
        "quoteInactiveExits", "", **{**given, "distributorIds": [ids["B"]], "idempotencyKey": "b"}
    )
    assert [(e["code"], e["field"]) for e in refused["userErrors"]] == [("NOT_INACTIVE", "input.distributorIds[0]")]
    assert "未经营名单" in refused["userErrors"][0]["message"]


async def test_many_exits_are_approved_and_executed_with_a_verdict_each(lotus: tuple[Brand, dict[str, str]]) -> None:
    brand, ids = lotus
    given = {"distributorIds": [ids["A"], ids["C"]], "days": 101, "reason": "no sales", "idempotencyKey": "k"}
    made = await brand.operations.do("quoteInactiveExits", "exits { exit { id } }", **given)
    exits = [one["exit"]["id"] for one in made["exits"]]
    nothing = f"ext_{'0' * 32}"
    fields = "verdicts { exitId exit { id status } userErrors { code field } }"
    own = await brand.operations.do("approveExits", fields, ids=exits)
    assert [one["userErrors"] for one in own["verdicts"]] == [
        [{"code": "EXIT_NEEDS_SECOND_PERSON", "field": f"input.ids[{i}]"}] for i in (0, 1)
    ]
    looked = await brand.owner.do("approveExits", fields, ids=[*exits, nothing], dryRun=True)
    assert [one["exit"] and one["exit"]["status"] for one in looked["verdicts"]] == ["QUOTED", "QUOTED", None]
    assert [len(one["userErrors"]) for one in looked["verdicts"]] == [0, 0, 1]
    await brand.owner.do("approveExits", fields, ids=exits[1:])
    go = {"ids": [*exits, nothing], "idempotencyKey": "go"}
    dry = await brand.operations.do("executeExits", fields, **go, dryRun=True)
    done = await brand.operations.do("executeExits", fields, **go)
    for found, status in ((dry, "APPROVED"), (done, "EXECUTED")):
        assert [one["exitId"] for one in found["verdicts"]] == go["ids"]
        assert [one["exit"] and one["exit"]["status"] for one in found["verdicts"]] == ["QUOTED", status, None]
        assert [[e["code"] for e in one["userErrors"]] for one in found["verdicts"]] == [
            ["WRONG_STATE"], [], ["NOT_FOUND"],
        ]  # fmt: skip
    assert await brand.operations.do("executeExits", fields, **go) == done
    assert await brand.operations.refused("executeExits", ids=exits, idempotencyKey="go") == ["IDEMPOTENCY_CONFLICT"]
    assert await brand.operations.refused("approveExits", ids=[]) == ["INVALID_INPUT"]
    for other in (brand.finance, brand.auditor):
        refused = await other.errors(f'mutation {{ approveExits(input: {{ids: ["{exits[0]}"]}}) {{ {fields} }} }}')
        assert set(refused) == {"FORBIDDEN"}
