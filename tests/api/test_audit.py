"""The audit log as auditors read it: who, for whom, what, before and after; found, exported, and nobody else's."""

import csv
import io
import json
from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.proof.checks import seal_chains, verify_chains
from tenants import audit, audit_export, registry
from tenants.actors import FRESH_FOR
from tests.api.client import Api
from tests.api.conftest import World
from tests.factories import as_tenant

LINES = (
    "query($action: String, $actor: String, $subject: String, $since: DateTime, $until: DateTime) { "
    "auditLog(action: $action, actor: $actor, subject: $subject, since: $since, until: $until, first: 100) { "
    "nodes { at actor actorKind onBehalfOf action subject detail } } }"
)
FILE = (
    "query($form: AuditForm!, $action: String) { auditDocument(form: $form, action: $action) "
    "{ fileName mediaType content } }"
)


async def lines(api: Api, **sought: Any) -> list[Any]:
    """The lines sought, the latest first, with their detail read."""
    found = (await api.ask(LINES, **sought))["auditLog"]["nodes"]
    return [{**line, "detail": json.loads(line["detail"])} for line in found]


async def test_a_line_tells_before_and_after_and_for_whom(world: World) -> None:
    await a_card_is_told_masked(world)
    await only_what_is_different_is_told(world)


async def only_what_is_different_is_told(world: World) -> None:
    lotus = world.lotus
    await lotus.put_products("TEA")
    await lotus.operations.do(
        "putProducts", "products { sku }", products=[{"sku": "TEA", "name": "Green", "category": "c"}]
    )
    again, first = await lines(lotus.auditor, action="product.put")
    assert first["detail"]["before"] == {}
    assert again["detail"]["before"] == {"TEA": {"name": "TEA", "category": None, "status": "active"}}
    assert again["detail"]["after"] == {"TEA": {"name": "Green", "category": "c", "status": "active"}}
    await lotus.owner.do("setSecurityPolicy", "policy { secondFactorRoles }", secondFactorRoles=["FINANCE"])
    (line,) = await lines(lotus.auditor, action="tenant.second_factor_roles")
    assert line["detail"] == {"before": {"roles": []}, "after": {"roles": ["finance"]}}
    people = (await lotus.owner.ask('{ members(search: "auditor") { nodes { id } } }'))["members"]["nodes"]
    await lotus.owner.do("changeRole", "member { role }", memberId=people[0]["id"], role="OPERATIONS")
    (line,) = await lines(lotus.owner, subject=people[0]["id"], action="member.change_role")
    assert line["detail"] == {"before": {"role": "auditor"}, "after": {"role": "operations"}}
    await lotus.owner.do("setMemberStatus", "member { status }", memberId=people[0]["id"], status="DISABLED")
    (line,) = await lines(lotus.owner, subject=people[0]["id"], action="member.disable")
    assert line["detail"] == {"before": {"status": "active"}, "after": {"status": "disabled"}}


async def a_card_is_told_masked(world: World) -> None:
    """And for whom it was given."""
    lotus = world.lotus
    dealer = await lotus.enrol("DEALER")
    given = {"distributorId": dealer, "holder": "Mei Holder", "bank": "Bank"}
    for number, account in enumerate(("6222020200012345678", "6222020200012349999")):
        await lotus.finance.do(
            "setPayoutDestination", "destination { id }", **given, account=account, idempotencyKey=f"card-{number}"
        )
    second, first = await lines(lotus.auditor, action="payout_destination.set")
    assert {first["onBehalfOf"], second["onBehalfOf"]} == {dealer}
    assert first["detail"]["after"]["masked"] == second["detail"]["before"]["masked"]
    assert second["detail"]["after"]["masked"].endswith("9999")
    assert not any(secret in str([first, second]) for secret in ("Mei", "622202020001", "62220202"))
    itself = await lotus.log_in_as(dealer, "dealer")
    await itself.do(
        "setPayoutDestination", "destination { id }", **given, account="6222020200012341111", idempotencyKey="own"
    )
    latest = (await lines(lotus.auditor, action="payout_destination.set"))[0]
    assert (latest["actor"], latest["onBehalfOf"]) == ("dealer", dealer)


async def test_auditors_find_lines_and_take_them_along_with_their_links(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lines_are_found_within_the_brand(world)
    await a_file_has_every_line_and_its_link(world)
    monkeypatch.setattr(audit_export, "LINES_MOST", 2)
    assert await world.lotus.auditor.errors(FILE, form="CSV") == ["INVALID_INPUT"]
    assert (await world.lotus.auditor.ask(FILE, form="CSV", action="books."))["auditDocument"][
        "fileName"
    ] == "audit.csv"


async def lines_are_found_within_the_brand(world: World) -> None:
    """By actor, action, object and time."""
    lotus, cedar = world.lotus, world.cedar
    dealer, other = await lotus.enrol("DEALER"), await cedar.enrol("DEALER")
    await lotus.operations.do("suspendDistributor", "distributor { id }", distributorId=dealer, reason="late")
    await lotus.owner.do("reinstateDistributor", "distributor { id }", distributorId=dealer, reason="paid")
    found = await lines(lotus.auditor, subject=dealer)
    assert [(one["actor"], one["action"]) for one in found][:2] == [
        ("owner", "distributor.reinstate"),
        ("operations", "distributor.suspend"),
    ]
    suspended = found[1]
    assert suspended["detail"]["after"] == {"status": "suspended"}
    assert [one["action"] for one in await lines(lotus.auditor, subject=dealer, actor="owner")] == [
        "distributor.reinstate"
    ]
    earlier = await lines(lotus.auditor, subject=dealer, until=found[0]["at"])
    assert [one["action"] for one in earlier] == [one["action"] for one in found[1:]]
    assert await lines(lotus.auditor, subject=dealer, since="2199-01-01T00:00:00Z") == []
    assert await lines(lotus.auditor, subject=other) == []
    assert await lines(cedar.auditor, subject=dealer) == []


async def a_file_has_every_line_and_its_link(world: World) -> None:
    await world.lotus.put_products("TEA")
    await world.cedar.put_products("CEDAR-SECRET")
    tenant_id = (await registry.by_slug("lotus")).id
    with as_tenant(tenant_id):
        await seal_chains(everything=True)
        (end,) = [chain for chain in await verify_chains() if chain.log == audit.AUDIT.name]
    file = (await world.lotus.auditor.ask(FILE, form="JSON_LINES"))["auditDocument"]
    assert (file["fileName"], file["mediaType"]) == ("audit.jsonl", "application/jsonl")
    text = b64decode(file["content"]).decode()
    told = [json.loads(line) for line in text.splitlines()]
    assert len(told) == end.sealed
    assert sorted(one["seq"] for one in told) == list(range(1, end.sealed + 1))
    assert [one["hash"] for one in told if one["seq"] == end.sealed] == [end.head]
    assert [one["at"] for one in told] == sorted(one["at"] for one in told)
    assert told[-1]["detail"]["after"] == {"TEA": {"name": "TEA", "category": None, "status": "active"}}
    assert "CEDAR-SECRET" not in text
    file = (await world.lotus.auditor.ask(FILE, form="CSV", action="product."))["auditDocument"]
    rows = list(csv.DictReader(io.StringIO(b64decode(file["content"]).decode())))
    assert [(row["actor"], row["action"], json.loads(row["detail"])["count"]) for row in rows] == [
        ("operations", "product.put", 1)
    ]


async def test_an_operator_finds_a_person_and_each_brand_sees_who_looked_and_why(world: World) -> None:
    await without_a_reason_a_number_or_a_fresh_log_in_no_brand_is_entered(world)
    for brand in (world.lotus, world.cedar):
        await brand.enrol("MEI", name="Wang Mei", phone="13812345678")
        await brand.enrol("BO", name="Bo", phone="13812340000")
    operator = await Api(world.operator.app, "localhost").log_in("root")
    asked = {"kind": "PHONE", "number": "+86 138-1234-5678", "reason": "asks what is kept of her"}
    found = await operator.do("lookUpPerson", "brandsAsked people { brand code nameMasked status }", **asked)
    assert found["brandsAsked"] == 2
    assert found["people"] == [
        {"brand": slug, "code": "MEI", "nameMasked": "W**", "status": "ACTIVE"} for slug in ("lotus", "cedar")
    ]
    for brand in (world.lotus, world.cedar):
        (read,) = await lines(brand.auditor, action="distributor.look_up")
        (crossed,) = await lines(brand.auditor, action="tenant.cross")
        mei = (await brand.operations.ask('{ distributor(code: "MEI") { id } }'))["distributor"]["id"]
        assert [one["subject"] for one in await lines(brand.auditor, subject=mei, action="distributor.look_up")]
        for line in (read, crossed):
            assert (line["actor"], line["actorKind"]) == ("root", "operator")
            assert line["detail"]["reason"] == "asks what is kept of her"
            assert "13812345678" not in str(line)
    nobody = await operator.do("lookUpPerson", "brandsAsked people { brand }", **{**asked, "number": "13900000000"})
    assert (nobody["brandsAsked"], nobody["people"]) == (2, [])
    assert len(await lines(world.lotus.auditor, action="tenant.cross")) == 2
    assert len(await lines(world.lotus.auditor, action="distributor.look_up")) == 1


async def without_a_reason_a_number_or_a_fresh_log_in_no_brand_is_entered(world: World) -> None:
    asked = {"kind": "PHONE", "number": "13812345678", "reason": "why"}
    assert await world.operator.refused("lookUpPerson", **{**asked, "reason": " "}) == ["REASON_REFUSED"]
    assert await world.operator.refused("lookUpPerson", **{**asked, "number": "1"}) == ["PHONE_INVALID"]
    text = "mutation($i: LookUpPersonInput!) { lookUpPerson(input: $i) { brandsAsked } }"
    assert "FORBIDDEN" in await world.lotus.owner.errors(text, i=asked)
    with clock.at(clock.now() + FRESH_FOR + timedelta(minutes=1)):
        assert await world.operator.refused("lookUpPerson", **asked) == ["LOGIN_NOT_FRESH"]
    for brand in (world.lotus, world.cedar):
        assert await lines(brand.auditor, action="tenant.cross") == []
