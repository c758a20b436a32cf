"""Tiers and standing over the API: who sets them, who is told why, and what refusals point at."""

from datetime import UTC, datetime, timedelta
from typing import Any

from saas.base import clock
from saas.base.scope import tenant_scope
from saas.jobs.worker import run_due
from saas.network.commands import JOB, apply_tiers
from tenants import registry
from tests.api.client import Api
from tests.api.conftest import Brand, World

HISTORY = """query($id: ID!, $first: Int!, $after: String) { distributor(id: $id) { tier tierPin { until reason }
standingHistory(first: $first, after: $after) { pageInfo { hasNextPage endCursor }
nodes { tier status cause reason actor validUntil } } } }"""
SOON = timedelta(days=3)


async def people(brand: Brand) -> dict[str, str]:
    return {code: await brand.enrol(code, above) for code, above in (("A", None), ("B", "A"), ("C", "B"))}


async def history(caller: Api, id_: str) -> list[dict[str, Any]]:
    """All of it, a row at a time."""
    rows: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await caller.ask(HISTORY, id=id_, first=1, after=after))["distributor"]["standingHistory"]
        rows += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        after = page["pageInfo"]["endCursor"]


async def test_the_office_reads_why_and_by_whom_and_the_distributor_when(world: World) -> None:
    brand = world.lotus
    ids = await people(brand)
    office = brand.operations
    done = await office.do(
        "setTier",
        "distributor { tier tierPin { until reason } } jobId",
        distributorId=ids["A"],
        tier="gold",
        reason="year target",
        pinUntil="2199-01-01",
    )
    pin = {"until": "2199-01-01", "reason": "year target"}
    assert done["distributor"] == {"tier": "gold", "tierPin": pin}
    assert done["jobId"] is None
    await office.do("suspendDistributor", "distributor { status }", distributorId=ids["A"], reason="price")
    rows = await history(brand.auditor, ids["A"])
    told = [(row["cause"], row["tier"], row["status"], row["reason"], row["actor"]) for row in rows]
    assert told == [
        ("ENROLMENT", "silver", "ACTIVE", None, "operations"),
        ("MANUAL", "gold", "ACTIVE", "year target", "operations"),
        ("STATUS", "gold", "SUSPENDED", "price", "operations"),
    ]
    assert [row["validUntil"] is None for row in rows] == [False, False, True]
    await office.do("reinstateDistributor", "distributor { status }", distributorId=ids["A"], reason="paid")
    own = await brand.log_in_as(ids["A"], "alice")
    seen = await history(own, ids["A"])
    assert [(row["cause"], row["tier"]) for row in seen][1:3] == [("MANUAL", "gold"), ("STATUS", "gold")]
    assert {(row["reason"], row["actor"]) for row in seen} == {(None, None)}
    mine = (await own.ask(HISTORY, id=ids["A"], first=5))["distributor"]
    assert mine["tierPin"] == {"until": "2199-01-01", "reason": None}
    lower = await brand.log_in_as(ids["B"], "bob")
    assert await lower.errors(HISTORY, id=ids["A"], first=5) == ["NOT_FOUND"]
    assert await world.cedar.owner.errors(HISTORY, id=ids["A"], first=5) == ["NOT_FOUND"]


async def test_many_tiers_are_tried_and_then_set(world: World) -> None:
    brand = world.lotus
    ids = await people(brand)
    wanted = [{"distributorId": ids["A"], "tier": "diamond"}, {"distributorId": ids["B"], "tier": "gold"}]
    selection = "settings { distributorId before after } jobId"
    expected = [
        {"distributorId": ids["A"], "before": "silver", "after": "diamond"},
        {"distributorId": ids["B"], "before": "silver", "after": "gold"},
    ]
    for dry_run, tier in ((True, "silver"), (False, "diamond")):
        done = await brand.operations.do("setTiers", selection, tiers=wanted, reason="plan", dryRun=dry_run)
        assert done["settings"] == expected
        found = await brand.auditor.ask("query($id: ID!) { distributor(id: $id) { tier } }", id=ids["A"])
        assert found["distributor"]["tier"] == tier
    bad = [*wanted, {"distributorId": ids["B"], "tier": "bronze"}]
    refused = await brand.operations.attempt("setTiers", selection, tiers=bad, reason="plan")
    assert [(error["field"], error["code"]) for error in refused["userErrors"]] == [
        ("input.tiers[2].tier", "TIER_UNKNOWN"),
        ("input.tiers[2].distributorId", "TIER_TWICE"),
    ]
    assert ids["B"] in refused["userErrors"][1]["message"]
    strangers = await world.cedar.operations.attempt("setTiers", selection, tiers=wanted, reason="plan")
    assert {error["code"] for error in strangers["userErrors"]} >= {"NOT_FOUND"}


async def test_a_tier_of_a_coming_moment_is_a_job(world: World) -> None:
    brand = world.lotus
    ids = await people(brand)
    moment = datetime.now(UTC) + SOON
    given = {"distributorId": ids["A"], "tier": "gold", "reason": "from next week"}
    selection = "distributor { tier } jobId"
    done = await brand.operations.do("setTier", selection, **given, effectiveFrom=moment.isoformat())
    assert done["distributor"] == {"tier": "silver"}
    assert done["jobId"].startswith("job_")
    many = [{"distributorId": ids["B"], "tier": "gold"}]
    later = await brand.operations.do(
        "setTiers", "settings { after } jobId", tiers=many, reason="too", effectiveFrom=moment.isoformat()
    )
    assert (later["settings"], later["jobId"] is None) == ([], False)
    past = (moment - 2 * SOON).isoformat()
    assert await brand.operations.refused("setTier", **given, effectiveFrom=past) == ["TIER_MOMENT_IN_PAST"]
    tried = {"tiers": many, "reason": "too", "dryRun": True}
    assert await brand.operations.refused("setTiers", **tried, effectiveFrom=past) == ["TIER_MOMENT_IN_PAST"]
    before = (moment - timedelta(days=1)).date().isoformat()
    pinned = {**tried, "effectiveFrom": moment.isoformat(), "pinUntil": before}
    assert await brand.operations.refused("setTiers", **pinned) == ["TIER_PIN_IN_PAST"]
    with tenant_scope((await registry.by_slug("lotus")).id), clock.at(moment):
        assert await run_due({JOB: apply_tiers}) == 2
    last = (await history(brand.auditor, ids["A"]))[-1]
    assert (last["tier"], last["reason"], last["actor"]) == ("gold", "from next week", "operations")


async def test_refusals_name_the_inputs_as_the_api_does(world: World) -> None:
    brand = world.lotus
    ids = await people(brand)
    office, nobody = brand.operations, f"dst_{'0' * 32}"
    given: list[tuple[str, dict[str, Any], str, str]] = [
        ("setTier", {"distributorId": nobody, "tier": "gold", "reason": "r"}, "NOT_FOUND", "input.distributorId"),
        ("setTier", {"distributorId": ids["A"], "tier": "x", "reason": "r"}, "TIER_UNKNOWN", "input.tier"),
        ("setTier", {"distributorId": ids["A"], "tier": "gold", "reason": " "}, "REASON_REFUSED", "input.reason"),
        ("approveDistributor", {"distributorId": ids["A"]}, "WRONG_STATE", "input.distributorId"),
        ("suspendDistributor", {"distributorId": ids["A"], "reason": "x" * 501}, "REASON_REFUSED", "input.reason"),
        ("reinstateDistributor", {"distributorId": ids["A"], "reason": "r"}, "WRONG_STATE", "input.distributorId"),
        ("rejectDistributor", {"distributorId": nobody, "reason": "r"}, "NOT_FOUND", "input.distributorId"),
        ("revealPhone", {"distributorId": nobody}, "NOT_FOUND", "input.distributorId"),
        (
            "moveDistributor",
            {"distributorId": ids["A"], "sponsorId": ids["C"], "reason": "r"},
            "MOVE_MAKES_CYCLE",
            "input.sponsorId",
        ),
        (
            "moveDistributor",
            {"distributorId": ids["A"], "sponsorId": nobody, "reason": "r"},
            "NOT_FOUND",
            "input.sponsorId",
        ),
        ("moveDistributor", {"distributorId": ids["C"], "reason": ""}, "REASON_REFUSED", "input.reason"),
        (
            "enrol",
            {"code": "N", "name": "N", "idempotencyKey": "n", "sponsorCode": "NOBODY"},
            "NOT_FOUND",
            "input.sponsorCode",
        ),
        (
            "enrol",
            {"code": "N", "name": "N", "idempotencyKey": "n", "sponsorId": nobody},
            "NOT_FOUND",
            "input.sponsorId",
        ),
        ("barNumber", {"kind": "PHONE", "number": "13800001111", "reason": ""}, "REASON_REFUSED", "input.reason"),
        ("liftBar", {"id": f"org_{'0' * 32}", "reason": "r"}, "NOT_FOUND", "input.id"),
        (
            "quoteExit",
            {"distributorId": ids["A"], "kind": "BREACH", "reason": "", "idempotencyKey": "q"},
            "REASON_REFUSED",
            "input.reason",
        ),
        ("rejectExit", {"id": f"ext_{'0' * 32}", "reason": "r"}, "NOT_FOUND", "input.id"),
    ]
    for mutation, values, code, field in given:
        answer = await office.attempt(mutation, "__typename", **values)
        assert [(error["code"], error["field"]) for error in answer["userErrors"]] == [(code, field)], mutation
    refused = await world.operator.refused("setTenantStatus", slug="cedar", status="SUSPENDED", reason="")
    assert refused == ["REASON_REFUSED"]


async def test_a_full_region_is_refused_by_name(world: World) -> None:
    brand = world.lotus
    found = await brand.owner.ask("{ program { document } }")
    document = found["program"]["document"].replace("regions: shared", "regions: exclusive")
    draft = await brand.owner.do("saveProgramDraft", "program { number }", document=document)
    await brand.owner.do("activateProgram", "program { status }", number=draft["program"]["number"])
    await brand.enrol("A", region="320500")
    given = {"code": "B", "name": "B", "idempotencyKey": "b", "region": "320500"}
    answer = await brand.operations.attempt("enrol", "distributor { id }", **given)
    (error,) = answer["userErrors"]
    assert (error["code"], error["field"], answer["distributor"]) == ("REGION_FULL", "input.region", None)
    assert "320500" in error["message"]


async def test_each_change_of_an_operation_answers_what_it_left_and_not_what_was_read_before(world: World) -> None:
    brand = world.lotus
    ids = await people(brand)
    fields = 'setTier(input: { distributorId: $id, tier: "gold", reason: "r", pinUntil: %s }) '
    fields += "{ distributor { tierPin { until } } }"
    first, second = (fields % f'"{day}"' for day in ("2199-01-01", "2199-06-01"))
    done = await brand.operations.ask(f"mutation($id: ID!) {{ first: {first} second: {second} }}", id=ids["A"])
    pins = [done[name]["distributor"]["tierPin"] for name in ("first", "second")]
    assert pins == [{"until": "2199-01-01"}, {"until": "2199-06-01"}]
