"""Finance of a brand closes a month, pays it, and finds every cent of it again, from GraphQL alone."""

import csv
import io
from base64 import b64decode
from typing import Any

import pytest

from tests.api.conftest import Brand, World

SOLD = "2026-09-10T04:00:00Z"


@pytest.fixture
async def month(world: World) -> tuple[Brand, dict[str, str], str]:
    """Lotus after a sale of 1,000.00 by C, below B, below A, of which the hold is over; its people and the order."""
    brand = world.lotus
    people: dict[str, str] = {}
    above = None
    for code in "ABC":
        people[code] = await brand.enrol(code, above)
        above = code
    await brand.put_products("tea")
    sold = await brand.operations.do(
        "placeOrder",
        "order { id }",
        sellerId=people["C"],
        idempotencyKey="sale",
        lines=[{"sku": "tea", "quantity": 1, "amountMinor": 100_000}],
        **dict.fromkeys(("placedAt", "paidAt", "shippedAt", "deliveredAt"), SOLD),
    )
    return brand, people, sold["order"]["id"]


async def _close(brand: Brand, people: dict[str, str]) -> dict[str, Any]:
    """Look ahead, adjust, close; answers the settlement."""
    line = {"distributorId": people["B"], "amountMinor": 500, "reason": "missed in August", "reference": "mail 12"}
    tried = await brand.finance.do(
        "requestAdjustments", "count given { amountMinor } adjustments { id }", adjustments=[line], dryRun=True,
        idempotencyKey="try",
    )  # fmt: skip
    assert (tried["count"], tried["given"], tried["adjustments"]) == (1, {"amountMinor": 500}, [])
    asked = await brand.finance.do(
        "requestAdjustments", "adjustments { id status }", adjustments=[line], idempotencyKey="adjust"
    )
    ids = [one["id"] for one in asked["adjustments"]]
    assert await brand.finance.refused("approveAdjustments", ids=ids) == ["ADJUSTMENT_NEEDS_SECOND_PERSON"]
    await brand.owner.do("approveAdjustments", "adjustments { status }", ids=ids)
    seen = await brand.finance.ask(
        "{ settlementPreview { label over statementCount adjustments { amountMinor } payable { amountMinor } "
        "statements { nodes { closing { amountMinor } adjustments { amountMinor } } } } }"
    )
    preview = seen["settlementPreview"]
    assert (preview["label"], preview["over"], preview["statementCount"]) == ("2026-09", True, 3)
    assert (preview["adjustments"], preview["payable"]) == ({"amountMinor": 500}, {"amountMinor": 45_500})
    drafts = preview["statements"]["nodes"]
    assert sorted(one["closing"]["amountMinor"] for one in drafts) == [10_000, 15_500, 20_000]
    closed = await brand.finance.do(
        "closeSettlement", "settlement { id statementCount adjustments { amountMinor } }", idempotencyKey="september"
    )
    assert closed["settlement"]["adjustments"] == {"amountMinor": 500}
    settlement: dict[str, Any] = closed["settlement"]
    return settlement


async def _pay(brand: Brand, people: dict[str, str]) -> dict[str, str]:
    """Sweep, gather, approve, send; the bank pays A and B, and not C. Answers the payouts."""
    for code, id_ in people.items():
        given = {"holder": code, "bank": "ICBC", "account": "6222020200012345678"}
        card = await brand.finance.do(
            "setPayoutDestination", "destination { id }", distributorId=id_, idempotencyKey=f"card {code}", **given
        )
        await brand.owner.do("verifyPayoutDestination", "destination { id }", id=card["destination"]["id"])
    swept = await brand.finance.do("sweepPayouts", "payouts", idempotencyKey="sweep")
    assert swept["payouts"] == 3
    batch = await brand.finance.do("createPayoutBatch", "batch { id }", idempotencyKey="batch")
    batch_id = batch["batch"]["id"]
    await brand.owner.do("approvePayoutBatch", "batch { status }", id=batch_id)
    await brand.finance.do("submitPayoutBatch", "content", id=batch_id)
    found = await brand.finance.ask("{ payouts { nodes { id distributorId } } }")
    payouts = {one["distributorId"]: one["id"] for one in found["payouts"]["nodes"]}
    made = {code: payouts[id_] for code, id_ in people.items()}
    for code in "ABC":
        outcome = {"outcome": "FAILED", "reason": "account closed"} if code == "C" else {"outcome": "PAID"}
        await brand.finance.do(
            "recordPayoutResult", "payout { status }", payoutId=made[code], reference=f"bank-{code}",
            idempotencyKey=f"result {code}", **outcome,
        )  # fmt: skip
    return made


BOOKS = (
    "agrees differing totals { opening { amountMinor } commission { amountMinor } adjustments { amountMinor } "
    "clawedBack { amountMinor } paid { amountMinor } fees { amountMinor } withheld { amountMinor } "
    "closing { amountMinor } closingElsewhere { amountMinor } differences { what } }"
)
TRAIL = """query($of: ID!) { moneyTrail(of: $of) { kind id distributorId amount { amountMinor } status sku component
    orderId orderNumber lineId releaseId statementId statementNumber settlementId transactionId left { amountMinor }
    uses { kind id amount { amountMinor } transactionId status batchNumber provider providerReference } } }"""


def minor(line: dict[str, Any], *names: str) -> tuple[int, ...]:
    return tuple(line[name]["amountMinor"] for name in names)


async def test_a_month_is_closed_paid_and_every_cent_found(month: tuple[Brand, dict[str, str], str]) -> None:
    brand, people, order = month
    settlement = await _close(brand, people)
    payouts = await _pay(brand, people)
    finance = brand.finance

    now = (await finance.ask(f"{{ reconciliation {{ {BOOKS} lines {{ nodes {{ distributorId differences {{ what }} "
                             "closing { amountMinor } } } } }"))["reconciliation"]  # fmt: skip
    assert (now["agrees"], now["differing"], now["totals"]["differences"]) == (True, [], [])
    assert minor(now["totals"], "opening", "commission", "adjustments", "paid", "fees", "withheld") == (
        0, 45_000, 500, -28_187, -213, -7_100,
    )  # fmt: skip
    assert minor(now["totals"], "closing", "closingElsewhere") == (10_000, 10_000)
    closing = {one["distributorId"]: one["closing"]["amountMinor"] for one in now["lines"]["nodes"]}
    assert closing == {people["A"]: 0, people["B"]: 0, people["C"]: 10_000}
    of_month = await finance.ask(
        f"query($s: ID!) {{ reconciliation(settlement: $s) {{ {BOOKS} csv {{ content }} }} }}", s=settlement["id"]
    )
    found = of_month["reconciliation"]
    assert minor(found["totals"], "closing", "paid") == (45_500, 0)
    rows = list(csv.reader(io.StringIO(b64decode(found["csv"]["content"]).decode("utf-8-sig"))))
    assert [row[:2] + row[-3:] for row in rows[-3:]] == [
        [code, f"Name of {code}", amount, amount, ""]
        for code, amount in (("A", "200.00"), ("B", "155.00"), ("C", "100.00"))
    ]

    shares = {one["distributorId"]: one for one in (await finance.ask(TRAIL, of=order))["moneyTrail"]}
    top = shares[people["A"]]
    assert (top["kind"], top["sku"], top["component"], top["status"]) == ("COMMISSION", "tea", "levels", "settled")
    assert top["statementNumber"].startswith("S20260901-CNY-")
    assert all(top[name] for name in ("orderNumber", "lineId", "releaseId", "statementId", "transactionId"))
    assert top["settlementId"] == settlement["id"]
    (use,) = top["uses"]
    assert (use["kind"], use["id"], use["amount"]["amountMinor"]) == ("PAYOUT", payouts["A"], 20_000)
    assert (use["status"], use["provider"], use["providerReference"]) == ("paid", "manual", "bank-A")
    assert use["batchNumber"].startswith("P") and use["transactionId"]
    assert (shares[people["C"]]["uses"], shares[people["C"]]["left"]) == ([], {"amountMinor": 10_000})

    back = (await finance.ask(TRAIL, of=payouts["B"]))["moneyTrail"]
    assert sorted((one["kind"], one["uses"][0]["amount"]["amountMinor"]) for one in back) == [
        ("ADJUSTMENT", 500),
        ("COMMISSION", 15_000),
    ]
    entries = await finance.ask(
        "query($of: ID) { ledgerEntries(of: $of, kind: SETTLEMENT) { nodes { transactionId } } }", of=people["A"]
    )
    moved = entries["ledgerEntries"]["nodes"][0]["transactionId"]
    assert [one["id"] for one in (await finance.ask(TRAIL, of=moved))["moneyTrail"]] == [top["id"]]
    assert await finance.errors(TRAIL, of="pay_" + "0" * 32) == ["NOT_FOUND"]


FIND = """query($amount: BigInt!, $kinds: [FoundMoneyKind!], $of: ID) {
    findMoney(amountMinor: $amount, kinds: $kinds, of: $of) {
        nodes { kind part id distributorId number status movement amount { amountMinor } } } }"""


async def test_a_figure_on_a_bank_statement_is_found_and_followed(
    month: tuple[Brand, dict[str, str], str], world: World
) -> None:
    brand, people, order = month
    await _close(brand, people)
    payouts = await _pay(brand, people)

    async def found(amount: int, **more: Any) -> list[dict[str, Any]]:
        answer = await brand.auditor.ask(FIND, amount=amount, **more)
        nodes: list[dict[str, Any]] = answer["findMoney"]["nodes"]
        return nodes

    (payout,) = await found(15_880, kinds=["PAYOUT"])
    assert (payout["id"], payout["part"], payout["status"]) == (payouts["A"], "NET", "paid")
    assert payout["distributorId"] == people["A"] and payout["number"].startswith("P")
    (share,) = (await brand.auditor.ask(TRAIL, of=payout["id"]))["moneyTrail"]
    assert (share["orderId"], share["uses"][0]["providerReference"]) == (order, "bank-A")
    assert [(one["kind"], one["part"]) for one in await found(28_187)] == [("BATCH", "PAID")]
    assert {one["kind"] for one in await found(15_500)} == {"PAYOUT", "STATEMENT"}
    moved = [one["movement"] for one in await found(15_500, of=people["B"]) if one["kind"] == "MOVEMENT"]
    assert moved == ["PAYOUT_PAID", "PAYOUT_REQUEST"]
    assert (await world.cedar.auditor.ask(FIND, amount=15_880))["findMoney"]["nodes"] == []
    assert await brand.auditor.errors(FIND, amount=0) == ["INVALID_INPUT"]
    seller = await brand.log_in_as(people["B"], "seller")
    assert set(await seller.errors("{ findMoney(amountMinor: 1) { nodes { id } } }")) == {"FORBIDDEN"}


FILE = "query($id: ID!, $form: DocumentForm!) { %s(id: $id, form: $form) { fileName mediaType content } }"


async def test_files_of_a_month_and_each_distributor_only_its_own(month: tuple[Brand, dict[str, str], str]) -> None:
    brand, people, _ = month
    settlement = await _close(brand, people)
    found = await brand.finance.ask("{ statements { nodes { id distributorId number closing { amountMinor } } } }")
    statements = {one["distributorId"]: one for one in found["statements"]["nodes"]}
    own, other = statements[people["B"]], statements[people["A"]]
    seller = await brand.log_in_as(people["B"], "seller")
    for form, start in (("PDF", b"%PDF-"), ("XLSX", b"PK"), ("CSV", b"\xef\xbb\xbf")):
        made = (await seller.ask(FILE % "statementDocument", id=own["id"], form=form))["statementDocument"]
        assert made["fileName"] == f"{own['number']}.{form.lower()}"
        assert b64decode(made["content"]).startswith(start)
        assert await seller.errors(FILE % "statementDocument", id=other["id"], form=form) == ["NOT_FOUND"]
        assert await seller.errors(FILE % "settlementDocument", id=settlement["id"], form=form) == ["FORBIDDEN"]
        whole = await brand.auditor.ask(FILE % "settlementDocument", id=settlement["id"], form=form)
        assert b64decode(whole["settlementDocument"]["content"]).startswith(start)
    lines = await seller.ask(
        "query($id: ID!) { statement(id: $id) { adjustments { amountMinor } other { amountMinor } "
        "adjustmentLines { amount { amountMinor } reason status } } adjustments { nodes { id } } }",
        id=own["id"],
    )
    assert lines["statement"]["adjustmentLines"] == [
        {"amount": {"amountMinor": 500}, "reason": "missed in August", "status": "SETTLED"}
    ]
    assert len(lines["adjustments"]["nodes"]) == 1
