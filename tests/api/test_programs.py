"""Programs over GraphQL: their whole life as a brand's owner lives it, with the neighbour looking on."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from saas.base import clock
from tenants.program.presets import PRESETS
from tests.api.client import PASSWORD, Api
from tests.api.conftest import Brand, World

VERSION = "number label status scheduledAt activatedAt retiredAt basedOn createdBy"
DONE = (
    f"program {{ {VERSION} }} findings {{ code }} "
    "effect { at replaces { number } followedBy { number } diff { total changes { nodes { sentence } } } }"
)
DIFF = "{ total changes { nodes { path kind before after sentence } pageInfo { hasNextPage endCursor } } }"


async def document(brand: Brand) -> str:
    return str((await brand.owner.ask("{ program { document } }"))["program"]["document"])


async def draft(brand: Brand, *replaced: tuple[str, str], label: str = "") -> int:
    """The program in force with other settings, as a draft."""
    text = await document(brand)
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new, 1)
    saved = await brand.owner.do("saveProgramDraft", "program { number }", document=text, label=label)
    return int(saved["program"]["number"])


async def versions(api: Api, **arguments: Any) -> dict[int, str]:
    given = "($status: VersionStatus, $search: String)"
    text = f"query{given} {{ programVersions(status: $status, search: $search) {{ nodes {{ number status }} }} }}"
    found = (await api.ask(text, **arguments))["programVersions"]["nodes"]
    return {one["number"]: one["status"] for one in found}


async def test_the_life_of_a_program(world: World) -> None:
    lotus = world.lotus
    second = await draft(lotus, ("rate_bps: 1500", "rate_bps: 1200"), label="spring 春")
    words = "Commission, component levels, level 1: rate 15 % → 12 %"
    would = await lotus.owner.do("activateProgram", DONE, number=second, dryRun=True)
    assert would["program"]["status"] == "DRAFT"
    assert would["effect"]["replaces"] == {"number": 1}
    assert [one["sentence"] for one in would["effect"]["diff"]["changes"]["nodes"]] == [words]
    assert await versions(lotus.auditor) == {2: "DRAFT", 1: "ACTIVE"}

    moment = (datetime.now(UTC) + timedelta(minutes=45)).replace(microsecond=0)
    done = await lotus.owner.do("scheduleProgram", DONE, number=second, at=moment.isoformat())
    assert done["program"]["status"] == "SCHEDULED"
    assert done["program"]["activatedAt"] is None
    assert datetime.fromisoformat(done["program"]["scheduledAt"]) == moment
    assert await lotus.owner.refused("scheduleProgram", number=second, at=moment.isoformat()) == ["WRONG_STATE"]
    assert await lotus.owner.refused("activateProgram", number=second) == ["WRONG_STATE"]
    assert await lotus.owner.refused("saveProgramDraft", document=await document(lotus), number=second) == [
        "WRONG_STATE"
    ]
    assert await versions(lotus.finance, status="SCHEDULED") == {2: "SCHEDULED"}
    assert await versions(lotus.finance, search="SPRING") == await versions(lotus.finance, search="春")
    with clock.at(moment):
        assert await versions(lotus.operations) == {2: "ACTIVE", 1: "RETIRED"}
        back = await lotus.owner.do("rollBackProgram", DONE, number=1, label="as before")
        assert (back["program"]["number"], back["program"]["basedOn"]) == (3, 1)
        assert back["program"]["label"] == "as before"
        assert back["effect"]["replaces"] == {"number": 2}
        assert await versions(lotus.owner) == {3: "ACTIVE", 2: "RETIRED", 1: "RETIRED"}
    assert (await lotus.owner.ask("{ me { id } }"))["me"]["id"] == back["program"]["createdBy"]
    log = await lotus.owner.ask('{ auditLog(action: "program.") { nodes { action actor } } }')
    assert [one["action"] for one in log["auditLog"]["nodes"]] == [
        "program.roll_back",
        "program.in_force",
        "program.schedule",
        "program.save_draft",
        "program.save_draft",
        "program.activate",  # the brand began long ago
    ]
    assert await versions(world.cedar.owner) == {1: "ACTIVE"}


async def test_what_is_scheduled_can_be_called_off(world: World) -> None:
    lotus = world.lotus
    number = await draft(lotus)
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await lotus.owner.do("scheduleProgram", "program { number }", number=number, at=later)
    done = await lotus.owner.do("unscheduleProgram", "program { status scheduledAt }", number=number)
    assert done["program"] == {"status": "DRAFT", "scheduledAt": None}
    assert await lotus.owner.refused("unscheduleProgram", number=number) == ["WRONG_STATE"]
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    refused = await lotus.owner.attempt("scheduleProgram", "", number=number, at=past)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [("MOMENT_NOT_AHEAD", "input.at")]
    without_zone = await lotus.owner.send(
        "mutation($at: DateTime!) { scheduleProgram(input: { number: 2, at: $at }) { userErrors { code } } }",
        {"at": "2099-01-01T00:00:00"},
    )
    assert without_zone.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_differences_as_data_and_in_the_callers_language(world: World) -> None:
    lotus = world.lotus
    number = await draft(lotus, ("hold_days: 7", "hold_days: 14"), ("rate_bps: 1500", "rate_bps: 1200"))
    text = f"query($a: Int!, $b: Int!) {{ programDiff(from: $a, to: $b) {DIFF} }}"
    found = (await lotus.auditor.ask(text, a=1, b=number))["programDiff"]
    assert found["total"] == 2
    assert found["changes"]["nodes"][1] == {
        "path": "settlement.hold_days",
        "kind": "CHANGED",
        "before": "7",
        "after": "14",
        "sentence": "Settlement: hold in days 7 → 14",
    }
    chinese = Api(lotus.auditor.app, lotus.auditor.host, lotus.auditor.token, "zh-CN")
    told = (await chinese.ask(text, a=number, b=1))["programDiff"]["changes"]["nodes"]
    assert [one["sentence"] for one in told] == [
        "佣金，组件 levels，第 1 层：比例 12 % → 15 %",
        "结算：冻结天数 14 → 7",
    ]
    assert (await chinese.ask(text, a=1, b=1))["programDiff"]["total"] == 0


async def test_differences_to_a_document_come_page_by_page(world: World) -> None:
    lotus = world.lotus
    other = (await world.cedar.owner.ask("{ program { document(format: JSON) } }"))["program"]["document"]
    text = (
        "query($d: String!, $after: String) { programDiff(from: 1, document: $d, format: JSON) "
        "{ total changes(first: 10, after: $after) "
        "{ nodes { path before after } pageInfo { hasNextPage endCursor } } } }"
    )
    paths: list[str] = []
    after = None
    while True:
        page = (await lotus.owner.ask(text, d=other, after=after))["programDiff"]
        for one in page["changes"]["nodes"]:
            paths.append(one["path"])
            assert [json.loads(value) for value in (one["before"], one["after"]) if value is not None]
        if not page["changes"]["pageInfo"]["hasNextPage"]:
            break
        after = page["changes"]["pageInfo"]["endCursor"]
    assert len(paths) == len(set(paths)) == page["total"] > 20
    for wrong in ("from: 1", 'from: 1, to: 1, document: "x"'):
        assert await lotus.owner.errors(f"{{ programDiff({wrong}) {{ total }} }}") == ["INVALID_INPUT"]
    assert await lotus.owner.errors('{ programDiff(from: 1, document: "x") { total } }') == ["PROGRAM_UNREADABLE"]
    assert await lotus.owner.errors("{ programDiff(from: 1, to: 9) { total } }") == ["NOT_FOUND"]


async def test_an_operator_lets_one_objection_pass_and_the_brand_sees_why(world: World) -> None:
    lotus = world.lotus
    number = await draft(lotus, ("cap_bps: 5000", "cap_bps: 6000"), ("rate_bps: 1500", "rate_bps: 2500"))
    finding = "path rule severity overridable overridden { operator reason }"
    refused = await lotus.owner.attempt("activateProgram", f"findings {{ {finding} }}", number=number)
    assert [one["code"] for one in refused["userErrors"]] == ["PROGRAM_HAS_ERRORS"]
    objections = [one for one in refused["findings"] if one["severity"] == "ERROR"]
    assert {one["rule"] for one in objections} == {"CN.total_payout"}
    for one in objections:
        assert one["overridable"]
        given = {"tenantSlug": "lotus", "number": number, "rule": one["rule"], "path": one["path"]}
        for person in (lotus.owner, lotus.auditor):
            answer = await person.send(
                "mutation($input: OverrideFindingInput!) { overrideFinding(input: $input) { userErrors { code } } }",
                {"input": {**given, "reason": "we want it"}},
            )
            assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert await world.operator.refused("overrideFinding", **given, reason="\u200b") == ["REASON_REFUSED"]
        other = {**given, "tenantSlug": "cedar", "reason": "another brand"}
        assert await world.operator.refused("overrideFinding", **other) == ["NOT_FOUND"]
        await world.operator.do("overrideFinding", f"findings {{ {finding} }}", **given, reason="audited, file 12")
        assert await world.operator.refused("overrideFinding", **given, reason="again") == ["ALREADY_OVERRIDDEN"]
    done = await lotus.owner.do("activateProgram", f"program {{ status }} findings {{ {finding} }}", number=number)
    passed = [one["overridden"] for one in done["findings"] if one["overridden"]]
    assert passed == [{"operator": "root", "reason": "audited, file 12"}] * len(objections)
    listed = "nodes { rule path reason operator programNumber }"
    mine = await lotus.auditor.ask(f"{{ complianceOverrides {{ {listed} }} program {{ overrides {{ reason }} }} }}")
    theirs = await world.operator.ask(f'{{ complianceOverrides(tenantSlug: "lotus") {{ {listed} }} }}')
    assert mine["complianceOverrides"] == theirs["complianceOverrides"]
    assert len(mine["complianceOverrides"]["nodes"]) == len(mine["program"]["overrides"]) == len(objections)
    cedar = "{ complianceOverrides { nodes { rule } } }"
    assert (await world.cedar.owner.ask(cedar))["complianceOverrides"]["nodes"] == []
    for slug in ("lotus", "nowhere"):
        asked = f'{{ complianceOverrides(tenantSlug: "{slug}") {{ nodes {{ rule }} }} }}'
        assert await world.cedar.owner.errors(asked) == ["NOT_FOUND"]
    assert await world.operator.errors(cedar) == ["NOT_FOUND"]
    log = await lotus.owner.ask('{ auditLog(action: "program.override") { nodes { actor detail } } }')
    assert [one["actor"] for one in log["auditLog"]["nodes"]] == ["root"] * len(objections)


async def test_profiles_say_that_they_are_no_advice(world: World) -> None:
    told = (await world.lotus.auditor.ask("{ program { notices } }"))["program"]["notices"]
    assert len(told) == 1
    assert "not legal advice" in told[0]


async def test_a_new_brand_begins_with_a_preset_in_one_call(world: World) -> None:
    presets = (await world.operator.ask("{ programPresets { name title description document } }"))["programPresets"]
    assert [one["name"] for one in presets] == list(PRESETS)
    assert all(one["title"] and one["description"] for one in presets)
    given = {"name": "Maple", "ownerLogin": "owner", "ownerPassword": PASSWORD, "ownerName": "Owner", "currency": "USD"}
    await world.operator.do("createTenant", "tenant { slug }", slug="maple", preset="two_level_referral", **given)
    owner = await Api(world.operator.app, "maple.localhost").log_in("owner")
    begun = (await owner.ask("{ program { number status label document } }"))["program"]
    assert (begun["number"], begun["status"], begun["label"]) == (1, "ACTIVE", "two_level_referral")
    assert "currency: USD" in begun["document"]
    refused = await world.operator.attempt("createTenant", "", slug="birch", preset="no such", **given)
    assert [(one["code"], one["field"]) for one in refused["userErrors"]] == [("INVALID_INPUT", "input.preset")]
    saved = await owner.do("startFromPreset", "program { number status label }", name="dealer_rebate", label="rebates")
    assert saved["program"] == {"number": 2, "status": "DRAFT", "label": "rebates"}
    assert await owner.refused("startFromPreset", name="no such") == ["INVALID_INPUT"]


@pytest.mark.parametrize("role", ["finance", "operations", "auditor"])
async def test_only_owners_change_programs(world: World, role: str) -> None:
    number = await draft(world.lotus)
    person: Api = getattr(world.lotus, role)
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for mutation, given in {
        "activateProgram": {"number": number},
        "scheduleProgram": {"number": number, "at": later},
        "unscheduleProgram": {"number": number},
        "rollBackProgram": {"number": 1},
        "startFromPreset": {"name": "lotus"},
    }.items():
        name = mutation[0].upper() + mutation[1:]
        text = f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}"
        answer = (await person.send(text, {"input": given})).json()
        assert {one["extensions"]["code"] for one in answer["errors"]} == {"FORBIDDEN"}, mutation
    assert await versions(world.lotus.owner) == {1: "ACTIVE", number: "DRAFT"}


async def test_orders_keep_their_version_for_ever(world: World) -> None:
    """Paid under the first, whatever is scheduled, activated, retired and rolled back afterwards."""
    lotus = world.lotus
    await lotus.put_products("TEA")
    await lotus.enrol("TOP")
    seller = await lotus.enrol("SELLER", "TOP")
    lines = [{"sku": "TEA", "quantity": 1, "amountMinor": 10_000}]

    async def place(key: str) -> str:
        payload = await lotus.operations.do(
            "placeOrder", "order { id }", sellerId=seller, idempotencyKey=key, lines=lines
        )
        order = {"orderId": payload["order"]["id"], "idempotencyKey": f"pay-{key}"}
        return str((await lotus.operations.do("payOrder", "order { id }", **order))["order"]["id"])

    async def kept(id_: str) -> tuple[int, set[int], list[int]]:
        told = await lotus.auditor.ask(
            "query($id: ID!) { order(id: $id) "
            "{ programNumber commissions { programNumber level amount { amountMinor } explanation } } }",
            id=id_,
        )
        order = told["order"]
        shares = sorted(order["commissions"], key=lambda share: share["level"])
        amounts = [share["amount"]["amountMinor"] for share in shares]
        return order["programNumber"], {share["programNumber"] for share in shares}, amounts

    first = await place("first")
    assert (before := await kept(first))[:2] == (1, {1})
    assert before[2][:2] == [1000, 1500]
    second = await draft(lotus, ("rate_bps: 1500", "rate_bps: 1200"))
    moment = datetime.now(UTC) + timedelta(minutes=45)
    await lotus.owner.do("scheduleProgram", "program { number }", number=second, at=moment.isoformat())
    with clock.at(moment - timedelta(microseconds=1)):
        early = await place("early")
    with clock.at(moment):
        late = await place("late")
        await lotus.owner.do("rollBackProgram", "program { number }", number=1)
    with clock.at(moment + timedelta(hours=1)):
        last = await place("last")
        delivered = {"orderId": first, "idempotencyKey": "ship"}
        await lotus.operations.do("shipOrder", "order { id }", **delivered)
        await lotus.operations.do("deliverOrder", "order { id }", **{**delivered, "idempotencyKey": "deliver"})
        assert await kept(first) == before
        assert [(await kept(one))[0] for one in (early, late, last)] == [1, second, 3]
        assert [(await kept(one))[2][1] for one in (early, late, last)] == [1500, 1200, 1500]
