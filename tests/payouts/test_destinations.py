"""Destinations of each kind: how they are written, that changing one takes a fresh log-in and some days of waiting."""

from dataclasses import replace
from datetime import timedelta

import pytest

from saas.base import clock
from saas.base.db import reading
from saas.base.ids import DistributorId
from saas.payouts import queries
from saas.payouts.commands import (
    CreateBatch,
    RequestPayout,
    SweepPayouts,
    create_batch,
    request_payout,
    reveal_destination,
    set_destination,
    sweep_payouts,
    verify_destination,
)
from saas.payouts.errors import DestinationRefused
from saas.payouts.rules import DestinationKind, PayTo, masked, pay_to
from tests.factories_money import SETTLED_AT, make_distributors, use_program
from tests.payouts.people import CHECKER, MAKER, ask, card_of, money_of, oneself, outcomes

OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
W, A = DestinationKind.WECHAT, DestinationKind.ALIPAY


@pytest.mark.parametrize(
    ("kind", "account", "shown"),
    [
        (W, OPENID, "微信 ****eS6o"),
        (A, " 13800138000 ", "支付宝 ****8000"),
        (A, "ann.lee@example.com", "支付宝 a****@example.com"),
        (A, "2088123412341234", "支付宝 ****1234"),
    ],
)
def test_wallets_are_read_and_masked(kind: DestinationKind, account: str, shown: str) -> None:
    to = pay_to(kind, " Ann ", None, account)
    assert to == PayTo(kind=kind, holder="Ann", bank=None, account=account.strip())
    assert masked(to) == shown


@pytest.mark.parametrize(
    ("kind", "bank", "account", "field"),
    [
        (W, None, "6222021234567890", "input.account"),
        (W, None, OPENID + "!", "input.account"),
        (W, "ICBC", OPENID, "input.bank"),
        (A, None, "23800138000", "input.account"),
        (A, None, "a@b", "input.account"),
        (A, None, OPENID, "input.account"),
        (DestinationKind.BANK_CARD, None, "6222021234567890", "input.bank"),
    ],
)
def test_what_cannot_be_right_is_refused(kind: DestinationKind, bank: str | None, account: str, field: str) -> None:
    with pytest.raises(DestinationRefused) as refused:
        pay_to(kind, "Ann", bank, account)
    assert refused.value.field == field


def test_a_name_that_fits_no_block_is_refused() -> None:
    assert pay_to(W, "名" * 60, None, OPENID).holder == "名" * 60
    with pytest.raises(DestinationRefused):
        pay_to(W, "𠮷" * 51, None, OPENID)


@pytest.mark.parametrize(("kind", "account"), [(W, OPENID), (A, "ann@example.com")])
async def test_wallets_are_kept_sealed_and_paid_by_hand_too(
    people: list[DistributorId], kind: DestinationKind, account: str
) -> None:
    ann = people[0]
    wish = replace(card_of(ann, key="wallet"), kind=kind, bank=None, account=account)
    made = await set_destination(wish, oneself(ann))
    assert (made.kind, made.usable_from) == (kind, None)
    await verify_destination(made.id, MAKER)
    assert (await reveal_destination(made.id, MAKER)).account == account
    async with reading() as tx:
        row = await tx.row("SELECT * FROM payout_destination WHERE tenant_id = $1 AND id = $2", tx.tenant_id, made.id)
    assert account not in str(row)
    await ask(ann)
    assert (await create_batch(CreateBatch(idempotency_key="b"), MAKER)).payouts == 1


@pytest.mark.parametrize(("age", "expected"), [(900, "ok"), (901, "LOGIN_NOT_FRESH"), (None, "LOGIN_NOT_FRESH")])
async def test_a_destination_is_changed_after_a_fresh_log_in_only(
    people: list[DistributorId], age: int | None, expected: str
) -> None:
    ann = people[0]
    began = None if age is None else SETTLED_AT - timedelta(seconds=age)
    for number, actor in enumerate((replace(oneself(ann), signed_in_at=began), replace(MAKER, signed_in_at=began))):
        assert await outcomes(set_destination(card_of(ann, key=f"k{number}"), actor)) == [expected]


async def test_payouts_to_a_changed_destination_wait(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    await use_program(cooling_days=3)
    changed = await set_destination(card_of(ann, key="changed"), oneself(ann))
    await verify_destination(changed.id, MAKER)
    assert changed.usable_from == SETTLED_AT + timedelta(days=3)
    await ask(ann)
    assert await outcomes(create_batch(CreateBatch(idempotency_key="a"), MAKER)) == ["NOTHING_TO_BATCH"]
    await ask(ben)
    assert (await create_batch(CreateBatch(idempotency_key="b"), MAKER)).payouts == 1
    with clock.at(SETTLED_AT + timedelta(days=3) - timedelta(seconds=1)):
        assert await outcomes(create_batch(CreateBatch(idempotency_key="c"), MAKER)) == ["NOTHING_TO_BATCH"]
    with clock.at(SETTLED_AT + timedelta(days=3)):
        assert (await create_batch(CreateBatch(idempotency_key="d"), MAKER)).payouts == 1
    first = (await queries.destination_of(ben)) or changed
    assert first.usable_from is None
    (dan,) = await make_distributors("DAN")
    assert (await set_destination(card_of(dan), MAKER)).usable_from is None  # nobody's money ever went elsewhere


async def test_a_maximum_is_kept_and_a_sweep_asks_for_as_much(people: list[DistributorId]) -> None:
    ann, ben, _ = people
    await use_program(maximum_payout_minor=60_000)
    command = RequestPayout(distributor_id=ann, amount_minor=60_001, idempotency_key="k")
    assert await outcomes(request_payout(command, CHECKER)) == ["ABOVE_MAXIMUM_PAYOUT"]
    swept = await sweep_payouts(SweepPayouts(idempotency_key="s"), MAKER)
    assert (swept.payouts, swept.requested_minor) == (2, 110_000)
    assert (await money_of(ann), await money_of(ben)) == ((40_000, 60_000), (0, 50_000))


async def test_brackets_of_the_program_withhold(people: list[DistributorId]) -> None:
    brackets = [{"from_minor": 80_000, "rate_bps": 2000}, {"from_minor": 90_000, "rate_bps": 4000}]
    await use_program(withholding_without_invoice_bps=0, withholding_brackets=brackets)
    assert (await ask(people[0])).amounts.withheld_minor == 2_000 + 4_000
    assert (await ask(people[1])).amounts.withheld_minor == 0
