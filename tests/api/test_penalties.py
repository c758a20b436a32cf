"""Penalties over the API: asked for, agreed to by a second person, stated apart, found, and given back."""

from typing import Any

from saas.base.db import Database
from tests.api.conftest import Brand, World
from tests.api.test_month import FIND, month
from tests.api.test_round_trips import asked as statements

__all__ = ["month"]

STATED = "penalties { amountMinor } adjustments { amountMinor } closing { amountMinor }"
LINES = "penaltyLines { reason lifts amount { amountMinor } } adjustmentLines { reason }"


async def _imposed(brand: Brand, owner: str) -> str:
    """A penalty of 3.00 that two people agreed to."""
    given = {"distributorId": owner, "amountMinor": 300, "reason": "sold outside", "kind": "PENALTY"}
    made = "taken { amountMinor } adjustments { id kind }"
    asked = await brand.finance.do("requestAdjustments", made, adjustments=[given], idempotencyKey="penalty")
    assert (asked["taken"], asked["adjustments"][0]["kind"]) == ({"amountMinor": -300}, "PENALTY")
    id_: str = asked["adjustments"][0]["id"]
    assert await brand.finance.refused("liftPenalties", **_lift(id_)) == ["WRONG_STATE"]
    assert await brand.finance.refused("approveAdjustments", ids=[id_]) == ["ADJUSTMENT_NEEDS_SECOND_PERSON"]
    await brand.owner.do("approveAdjustments", "adjustments { status }", ids=[id_])
    return id_


def _lift(id_: str, key: str = "lift") -> dict[str, Any]:
    return {"penalties": [{"id": id_, "reason": "it was another"}], "idempotencyKey": key}


async def test_a_penalty_is_stated_apart_and_read_by_whom_it_is_about(
    month: tuple[Brand, dict[str, str], str], db: Database
) -> None:
    brand, people, _ = month
    seller = await brand.log_in_as(people["B"], "seller")
    nothing = {"distributorId": people["B"], "amountMinor": 0, "reason": "r", "kind": "PENALTY"}
    wrong = await brand.finance.attempt("requestAdjustments", "count", adjustments=[nothing], idempotencyKey="w")
    assert [(one["code"], one["field"]) for one in wrong["userErrors"]] == [
        ("PENALTY_REFUSED", "input.adjustments[0].amountMinor")
    ]
    penalty = await _imposed(brand, people["B"])
    seen = "{ settlementPreview { penalties { amountMinor } } }"
    assert (await brand.auditor.ask(seen))["settlementPreview"] == {"penalties": {"amountMinor": -300}}
    settled = "settlement { penalties { amountMinor } }"
    closed = await brand.finance.do("closeSettlement", settled, idempotencyKey="september")
    assert closed["settlement"] == {"penalties": {"amountMinor": -300}}
    (own,) = (await seller.ask(f"{{ statements {{ nodes {{ {STATED} {LINES} }} }} }}"))["statements"]["nodes"]
    assert own == {
        "penalties": {"amountMinor": -300},
        "adjustments": {"amountMinor": 0},
        "closing": {"amountMinor": 14_700},
        "penaltyLines": [{"reason": "sold outside", "lifts": None, "amount": {"amountMinor": -300}}],
        "adjustmentLines": [],
    }
    page = f"{{ statements(first: %d) {{ nodes {{ {LINES} }} }} }}"
    counts = {await statements(db, brand.auditor, page % rows) for rows in (1, 3)}
    assert len(counts) == 1, "a page of statements asks for their lines once"
    entries = "{ ledgerEntries(kind: PENALTY) { nodes { account amount { amountMinor } reference } } }"
    assert (await seller.ask(entries))["ledgerEntries"]["nodes"] == [
        {"account": "SETTLED", "amount": {"amountMinor": -300}, "reference": penalty}
    ]
    books = await brand.auditor.ask("{ reconciliation { agrees totals { penalties { amountMinor } } } }")
    assert books["reconciliation"] == {"agrees": True, "totals": {"penalties": {"amountMinor": -300}}}
    found = await brand.auditor.ask(FIND, amount=300, kinds=["PENALTY"])
    assert [(one["id"], one["status"]) for one in found["findMoney"]["nodes"]] == [(penalty, "settled")]


async def test_a_penalty_is_given_back_once_by_those_who_may(
    month: tuple[Brand, dict[str, str], str], world: World
) -> None:
    brand, people, _ = month
    penalty = await _imposed(brand, people["B"])
    seller = await brand.log_in_as(people["B"], "seller")
    text = "mutation($input: LiftPenaltiesInput!) { liftPenalties(input: $input) { count } }"
    for caller in (brand.operations, brand.auditor, seller):
        assert set(await caller.errors(text, input=_lift(penalty))) == {"FORBIDDEN"}
    assert await world.cedar.finance.refused("liftPenalties", **_lift(penalty)) == ["NOT_FOUND"]
    asked = "count given { amountMinor } adjustments { id kind lifts amount { amountMinor } }"
    tried = await brand.finance.do("liftPenalties", asked, **_lift(penalty), dryRun=True)
    assert (tried["count"], tried["given"], tried["adjustments"]) == (1, {"amountMinor": 300}, [])
    (back,) = (await brand.finance.do("liftPenalties", asked, **_lift(penalty)))["adjustments"]
    assert (back["kind"], back["lifts"], back["amount"]) == ("PENALTY", penalty, {"amountMinor": 300})
    assert await brand.finance.refused("liftPenalties", **_lift(penalty, "again")) == ["PENALTY_LIFTED"]
    await brand.owner.do("approveAdjustments", "adjustments { id }", ids=[back["id"]])
    await brand.finance.do("closeSettlement", "settlement { id }", idempotencyKey="september")
    (own,) = (await seller.ask(f"{{ statements {{ nodes {{ {STATED} }} }} }}"))["statements"]["nodes"]
    assert (own["penalties"], own["closing"]) == ({"amountMinor": 0}, {"amountMinor": 15_000})
    listed = await brand.auditor.ask("{ adjustments(kind: PENALTY) { nodes { id } } }")
    assert [one["id"] for one in listed["adjustments"]["nodes"]] == [back["id"], penalty]
