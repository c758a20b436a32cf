"""Simulations and jobs over the API: asked for by an owner, read by the staff, told to nobody else."""

from datetime import UTC, datetime, timedelta

import pytest

from saas.jobs.worker import run_due
from saas.simulation.commands import KIND, run_simulation
from tests.api.conftest import Brand, World

ASK = "simulation { id label job { id status } result { orderCount } } findings { message }"
RESULT = """
query($id: ID!) { simulation(id: $id) {
  programNumber finishedAt csv job { status done total step }
  result { orderCount lineCount goods { amountMinor } winners losers periods findings { severity code }
    draft { commission { amountMinor } awards { amountMinor } paid { amountMinor } company { amountMinor }
      payoutRatioBps cappedLines places { component level tier shares amount { amountMinor } } }
    real { paid { amountMinor } payoutRatioBps } }
  losers: distributors(sort: LOSERS) { nodes { code change { amountMinor } } }
  found: distributors(search: "x-2") { nodes { code real { amountMinor } draft { amountMinor } } }
} }
"""


async def sell(brand: Brand) -> dict[str, str]:
    """A chain of three, and an order of 200.00 at its end."""
    await brand.put_products("PLAIN")
    made, above = {}, None
    for code in ("X-1", "X-2", "X-3"):
        made[code] = await brand.enrol(code, above)
        above = code
    moment = (datetime.now(UTC) - timedelta(days=20)).isoformat()
    payload = await brand.operations.do(
        "placeOrder",
        "order { id }",
        sellerId=made["X-3"],
        idempotencyKey="sold",
        lines=[{"sku": "PLAIN", "quantity": 1, "amountMinor": 20_000}],
        placedAt=moment,
        paidAt=moment,
    )
    return {**made, "order": payload["order"]["id"]}


def days() -> dict[str, str]:
    today = datetime.now(UTC).date()
    return {"since": (today - timedelta(days=30)).isoformat(), "until": today.isoformat()}


async def asked(brand: Brand, rates: str, **more: object) -> str:
    """A simulation of the program in force with other rates, that a worker has done."""
    document = (await brand.owner.ask("{ program { document(format: JSON) } }"))["program"]["document"]
    document = document.replace('"rate_bps":1000', f'"rate_bps":{rates}').replace(
        '"rate_bps": 1000', f'"rate_bps": {rates}'
    )
    made = await brand.owner.do("simulateProgram", ASK, document=document, format="JSON", **days(), **more)
    assert made["simulation"]["job"]["status"] == "QUEUED"
    assert made["simulation"]["result"] is None
    await run_due({KIND: run_simulation})
    return str(made["simulation"]["id"])


async def test_an_owner_simulates_and_everybody_of_the_staff_reads(world: World) -> None:
    brand = world.lotus
    await sell(brand)
    id_ = await asked(brand, "400")
    found = (await brand.auditor.ask(RESULT, id=id_))["simulation"]
    assert found["programNumber"] is None
    assert found["job"] == {"status": "DONE", "done": 1, "total": 1, "step": "comparing"}
    result = found["result"]
    assert (result["orderCount"], result["lineCount"], result["goods"]["amountMinor"]) == (1, 1, 20_000)
    assert (result["draft"]["paid"]["amountMinor"], result["real"]["paid"]["amountMinor"]) == (7_800, 9_000)
    assert (result["draft"]["payoutRatioBps"], result["real"]["payoutRatioBps"]) == (3_900, 4_500)
    assert result["draft"]["company"]["amountMinor"] == 12_200
    assert [place["amount"]["amountMinor"] for place in result["draft"]["places"]] == [800, 3_000, 4_000]
    assert (result["winners"], result["losers"]) == (0, 1)
    assert found["losers"]["nodes"][0] == {"code": "X-3", "change": {"amountMinor": -1_200}}
    assert found["found"]["nodes"] == [{"code": "X-2", "real": {"amountMinor": 3_000}, "draft": {"amountMinor": 3_000}}]
    assert found["csv"].splitlines()[1] == "X-3,Name of X-3,20.00,8.00,-12.00,CNY"


async def test_a_single_order_is_explained_in_both_versions(world: World) -> None:
    brand = world.lotus
    sold = await sell(brand)
    found = await brand.finance.ask(
        "query($id: ID!, $order: ID!) { simulatedOrder(simulation: $id, order: $order) { lines { sku "
        "real { level amount { amountMinor } explanation programNumber } realCompany { amountMinor } "
        "draft { level amount { amountMinor } explanation beneficiary { code } } draftCompany { amountMinor } } } }",
        id=await asked(brand, "400"),
        order=sold["order"],
    )
    line = found["simulatedOrder"]["lines"][0]
    assert [share["amount"]["amountMinor"] for share in line["real"]] == [2_000, 3_000, 4_000]
    assert [share["amount"]["amountMinor"] for share in line["draft"]] == [800, 3_000, 4_000]
    assert [share["beneficiary"]["code"] for share in line["draft"]] == ["X-3", "X-2", "X-1"]
    assert "4 %" in line["draft"][0]["explanation"] and "unsaved" in line["draft"][0]["explanation"]
    assert (line["realCompany"]["amountMinor"], line["draftCompany"]["amountMinor"]) == (11_000, 12_200)


async def test_two_simulations_side_by_side(world: World) -> None:
    brand = world.lotus
    await sell(brand)
    found = await brand.owner.ask(
        "query($a: ID!, $b: ID!) { compareSimulations(simulation: $a, other: $b) { first { label } second { label } "
        "places { level first { amountMinor } second { amountMinor } change { amountMinor } } } "
        "simulations(first: 1) { nodes { label } pageInfo { hasNextPage } } }",
        a=await asked(brand, "400", label="four"),
        b=await asked(brand, "500", label="five"),
    )
    assert found["compareSimulations"]["places"][0]["change"]["amountMinor"] == 200
    assert found["simulations"] == {"nodes": [{"label": "five"}], "pageInfo": {"hasNextPage": True}}


async def test_a_waiting_simulation_is_cancelled_and_says_so(world: World) -> None:
    brand = world.lotus
    made = await brand.owner.do("simulateProgram", ASK, number=1, **days())
    job = made["simulation"]["job"]["id"]
    gone = await brand.operations.do("cancelJob", "job { status cancelRequested }", jobId=job)
    assert gone["job"] == {"status": "CANCELLED", "cancelRequested": True}
    again = await brand.operations.attempt("cancelJob", "job { id }", jobId=job)
    assert again["userErrors"][0]["code"] == "WRONG_STATE"
    listed = await brand.auditor.ask('{ jobs(kinds: ["simulation"], statuses: [CANCELLED]) { nodes { id error } } }')
    assert listed["jobs"]["nodes"] == [{"id": job, "error": None}]


async def test_what_is_refused_names_its_field(world: World) -> None:
    owner = world.lotus.owner
    span = days()
    for given, code, field in (
        ({"number": 99, **span}, "NOT_FOUND", "input.number"),
        ({**span}, "INVALID_INPUT", "input"),
        ({"number": 1, "since": span["until"], "until": span["since"]}, "SIMULATION_SPAN_REFUSED", "input.until"),
        ({"document": "not: a program", **span}, "PROGRAM_UNREADABLE", "input.document"),
    ):
        refused = await owner.attempt("simulateProgram", ASK, **given)
        assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [(code, field)]
        assert refused["simulation"] is None
    assert refused["findings"]


@pytest.mark.parametrize("role", ["finance", "operations", "auditor"])
async def test_nobody_but_an_owner_simulates(world: World, role: str) -> None:
    given = {"input": {"number": 1, **days()}}
    answer = await getattr(world.lotus, role).send(
        "mutation($input: SimulateProgramInput!) { simulateProgram(input: $input) { userErrors { code } } }", given
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_another_brand_finds_none_of_it(world: World) -> None:
    sold = await sell(world.lotus)
    id_ = await asked(world.lotus, "400")
    job = (await world.lotus.owner.ask("{ jobs { nodes { id } } }"))["jobs"]["nodes"][0]["id"]
    for query, given in (
        ("query($id: ID!) { simulation(id: $id) { id } }", {"id": id_}),
        ("query($id: ID!) { job(id: $id) { id } }", {"id": job}),
        (
            "query($id: ID!, $o: ID!) { simulatedOrder(simulation: $id, order: $o) { number } }",
            {"id": id_, "o": sold["order"]},
        ),
        ("query($id: ID!) { compareSimulations(simulation: $id, other: $id) { places { level } } }", {"id": id_}),
    ):
        answer = (await world.cedar.owner.send(query, given)).json()
        assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND", query
    assert (await world.cedar.owner.ask("{ jobs { nodes { id } } simulations { nodes { id } } }")) == {
        "jobs": {"nodes": []},
        "simulations": {"nodes": []},
    }
    refused = await world.cedar.owner.attempt("cancelJob", "job { id }", jobId=job)
    assert refused["userErrors"][0]["code"] == "NOT_FOUND"
