"""Payouts through WeChat Pay, against a platform that misbehaves: each is paid once or comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from saas.base import clock
from saas.base.db import reading
from saas.base.errors import NotFound
from saas.base.ids import DistributorId, PayoutBatchId, new_id
from saas.base.paging import PageRequest
from saas.base.settings import Settings, get_settings
from saas.jobs.queries import jobs
from saas.payouts import errors, queries
from saas.payouts.accounts import account_at
from saas.payouts.commands import (
    CreateBatch,
    NoticeForged,
    SetAccount,
    approve_batch,
    create_batch,
    receive_notice,
    record_result,
    set_account,
    set_destination,
    submit_batch,
    verify_destination,
)
from saas.payouts.providers import GATEWAYS, Item, Word, wechat_pay
from saas.payouts.queries import PayoutView
from saas.payouts.rules import BatchState, DestinationKind, Outcome, PayoutState, PayTo
from saas.payouts.sending import JOB, ask_again, carry_out
from schema.http import make_app
from tests.factories import CEDAR, as_tenant
from tests.factories_money import SETTLED_AT
from tests.payouts.people import CHECKER, MAKER, ask, card_of, money_of, oneself, outcomes, result
from tests.payouts.wechat import MERCHANT, Platform, serving, settings

OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


@pytest.fixture
async def platform(people: list[DistributorId], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platform]:
    """WeChat Pay, where Lotus has an account, and Ann and Ben are users."""
    for owner in people[:2]:
        wish = replace(card_of(owner, key="wechat"), kind=DestinationKind.WECHAT, bank=None, account=OPENID)
        await verify_destination((await set_destination(wish, oneself(owner))).id, MAKER)
    await set_account(SetAccount(provider="wechat_pay", settings=settings()), CHECKER)
    monkeypatch.setattr(wechat_pay, "PATIENCE", timedelta(seconds=2))
    async with serving(Platform(moment=SETTLED_AT)) as running:
        monkeypatch.setenv("WECHAT_PAY_URL", running.url)
        get_settings.cache_clear()
        yield running
    get_settings.cache_clear()


async def submitted(*payouts: PayoutView) -> PayoutBatchId:
    batch = await create_batch(CreateBatch(provider="wechat_pay", idempotency_key=str(new_id())), MAKER)
    assert batch.payouts == len(payouts)
    await approve_batch(batch.id, CHECKER)
    assert await submit_batch(batch.id, MAKER) is None
    return batch.id


async def now(payout: PayoutView) -> PayoutView:
    return await queries.payout_by_id(payout.id)


async def test_a_batch_is_taken_and_paid_one_by_one(people: list[DistributorId], platform: Platform) -> None:
    first, second = await ask(people[0]), await ask(people[1])
    batch_id = await submitted(first, second)
    waiting = [job.kind for job in (await jobs(PageRequest())).items]
    assert waiting == [JOB]
    platform.manners = ["slow", "good"]
    assert await carry_out(batch_id) == 2
    assert [(await now(one)).status for one in (first, second)] == [PayoutState.SENT] * 2
    told = platform.bills[first.id.hex]
    assert (told["openid"], told["name"], told["transfer_amount"]) == (OPENID, "Ann", 79_400)
    assert told["notify_url"] == "https://lotus.localhost/callbacks/wechat_pay"
    platform.finish(first.id.hex)
    platform.finish(second.id.hex, "FAIL", "ACCOUNT_FROZEN")
    assert await carry_out(batch_id) == 0
    assert ((await now(first)).status, (await now(first)).provider_reference) == (
        PayoutState.PAID,
        told["transfer_bill_no"],
    )
    assert ((await now(second)).status, (await now(second)).failure) == (PayoutState.FAILED, "ACCOUNT_FROZEN")
    assert (await money_of(people[0]), await money_of(people[1])) == ((0, 0), (50_000, 0))
    assert (await queries.batch_by_id(batch_id)).status is BatchState.COMPLETED
    assert set(platform.sent.values()) == {1}


async def test_what_timed_out_after_success_is_asked_for_and_not_sent_again(
    people: list[DistributorId], platform: Platform
) -> None:
    payout = await ask(people[0])
    batch_id = await submitted(payout)
    platform.manners = ["late", "good"]
    assert await carry_out(batch_id) == 1
    assert (await now(payout)).status is PayoutState.UNKNOWN
    assert (await queries.batch_by_id(batch_id)).unknown == 1
    platform.finish(payout.id.hex)
    assert await carry_out(batch_id) == 0
    assert (await now(payout)).status is PayoutState.PAID
    assert platform.sent == {payout.id.hex: 1}


@pytest.mark.parametrize("manner", ["bare", "forged", "broken", "other bill", "new state"])
async def test_an_answer_that_cannot_be_believed_leaves_it_unknown(
    people: list[DistributorId], platform: Platform, manner: str
) -> None:
    payout = await ask(people[0])
    platform.manners, platform.first_state = [manner], "SUCCESS"
    batch_id = await submitted(payout)
    await carry_out(batch_id)
    assert (await now(payout)).status is PayoutState.UNKNOWN
    assert await money_of(people[0]) == (0, 100_000)
    if manner != "broken":
        await carry_out(batch_id)
        assert (await now(payout)).status is PayoutState.PAID
    assert platform.sent == {payout.id.hex: 1}


async def test_what_never_arrived_comes_back_once_it_cannot_arrive_any_more(
    people: list[DistributorId], platform: Platform
) -> None:
    payout = await ask(people[0])
    batch_id = await submitted(payout)
    platform.manners = ["drop"]
    await carry_out(batch_id)
    for minutes, expected in ((1, PayoutState.UNKNOWN), (30, PayoutState.UNKNOWN), (31, PayoutState.FAILED)):
        platform.moment = SETTLED_AT + timedelta(minutes=minutes)
        with clock.at(platform.moment):
            await carry_out(batch_id)
        assert (await now(payout)).status is expected
    assert await money_of(people[0]) == (100_000, 0)
    assert platform.sent == {payout.id.hex: 1}


async def test_who_falls_over_between_writing_and_sending_sends_nothing_later(
    people: list[DistributorId], platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    payout = await ask(people[0])
    batch_id = await submitted(payout)

    async def fall_over(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(wechat_pay.WeChatPay, "send", fall_over)
        with pytest.raises(ExceptionGroup):
            await carry_out(batch_id)
    assert (await now(payout)).status is PayoutState.UNKNOWN
    await carry_out(batch_id)
    assert (await now(payout)).status is PayoutState.UNKNOWN
    assert (platform.sent, platform.asked[payout.id.hex]) == ({}, 1)


async def test_a_request_that_was_held_up_is_refused_by_the_platform(
    people: list[DistributorId], platform: Platform
) -> None:
    account = await account_at("wechat_pay")
    to = PayTo(kind=DestinationKind.WECHAT, holder="Ann", account=OPENID)
    item = Item(payout_id=(await ask(people[0])).id, to=to, net_minor=100, currency="CNY")
    platform.moment = SETTLED_AT + timedelta(minutes=6)
    with clock.at(platform.moment):
        answer = await GATEWAYS["wechat_pay"].send(item, account, at=SETTLED_AT, notify_url="https://x")
    assert (answer.word, platform.bills) == (Word.REFUSED, {})


async def test_a_refusal_counts_when_the_platform_has_no_such_transfer(
    people: list[DistributorId], platform: Platform
) -> None:
    first, second = await ask(people[0]), await ask(people[1])
    batch_id = await submitted(first, second)
    platform.manners = ["refuse"]
    await carry_out(batch_id)
    assert ((await now(first)).status, (await now(first)).failure) == (PayoutState.FAILED, "NOT_ENOUGH: 商户余额不足")
    assert await money_of(people[0]) == (100_000, 0)
    third = await ask(people[0], key="again")
    platform.manners, platform.first_state = ["lie"], "SUCCESS"
    await carry_out(await submitted(third))
    assert (await now(third)).status is PayoutState.PAID


async def test_two_workers_at_once_send_each_payout_once(people: list[DistributorId], platform: Platform) -> None:
    first, second = await ask(people[0]), await ask(people[1])
    batch_id = await submitted(first, second)
    platform.manners, platform.first_state = ["slow"], "SUCCESS"
    await asyncio.gather(*[carry_out(batch_id) for _ in range(4)])
    await carry_out(batch_id)
    assert platform.sent == {first.id.hex: 1, second.id.hex: 1}
    assert [(await now(one)).status for one in (first, second)] == [PayoutState.PAID] * 2


async def test_a_notice_is_taken_down_once_and_may_come_before_the_answer(
    people: list[DistributorId], platform: Platform
) -> None:
    payout = await ask(people[0])
    batch_id = await submitted(payout)
    platform.manners = ["late"]
    sending = asyncio.create_task(carry_out(batch_id))
    await platform.arrived.wait()
    headers, body = platform.notice(payout.id.hex, state="SUCCESS")
    await asyncio.gather(*[receive_notice("wechat_pay", headers, body) for _ in range(5)])
    await sending
    assert (await now(payout)).status is PayoutState.PAID
    assert await money_of(people[0]) == (0, 0)
    failed = platform.notice(payout.id.hex, state="FAIL")
    with pytest.raises(errors.ContradictoryResult):
        await receive_notice("wechat_pay", *failed)
    assert (await now(payout)).status is PayoutState.PAID


FORGERIES: Mapping[str, Callable[[Platform, str], tuple[dict[str, str], bytes]]] = {
    "signed by somebody": lambda p, bill: p.notice(bill, by="somebody"),
    "sealed with another key": lambda p, bill: p.notice(bill, api_key="k" * 32),
    "for another merchant": lambda p, bill: p.notice(bill, mch_id="1900000002"),
    "another body": lambda p, bill: (p.notice(bill)[0], p.notice(bill, state="FAIL")[1] + b" "),
    "unsigned": lambda p, bill: ({}, p.notice(bill)[1]),
    "another serial": lambda p, bill: ({**p.notice(bill)[0], "wechatpay-serial": "X" * 16}, p.notice(bill)[1]),
    "no moment": lambda p, bill: ({**p.notice(bill)[0], "wechatpay-timestamp": "²"}, p.notice(bill)[1]),
    "no number": lambda p, bill: p.notice(bill, out_bill_no="nothing"),
}


@pytest.mark.parametrize("forgery", list(FORGERIES))
async def test_a_forged_notice_changes_nothing(people: list[DistributorId], platform: Platform, forgery: str) -> None:
    payout = await ask(people[0])
    await carry_out(await submitted(payout))
    platform.finish(payout.id.hex)
    with pytest.raises(NoticeForged):
        await receive_notice("wechat_pay", *FORGERIES[forgery](platform, payout.id.hex))
    assert (await now(payout)).status is PayoutState.SENT


async def test_a_notice_counts_for_its_moment_its_amount_and_its_brand(
    people: list[DistributorId], platform: Platform
) -> None:
    payout, other = await ask(people[0]), await ask(people[1])
    await carry_out(await submitted(payout, other))
    platform.finish(payout.id.hex)
    headers, body = platform.notice(payout.id.hex)
    with clock.at(SETTLED_AT + timedelta(minutes=6)), pytest.raises(NoticeForged):
        await receive_notice("wechat_pay", headers, body)
    with pytest.raises(NotFound):
        await receive_notice("wechat_pay", *platform.notice(payout.id.hex, transfer_amount=1))
    with pytest.raises(NotFound):
        await receive_notice("wechat_pay", *platform.notice(payout.id.hex, out_bill_no=new_id().hex))
    with as_tenant(CEDAR):
        with pytest.raises(errors.ProviderNotSetUp):
            await receive_notice("wechat_pay", headers, body)
        await set_account(SetAccount(provider="wechat_pay", settings=settings()), replace(CHECKER, tenant_id=CEDAR))
        with pytest.raises(NotFound):
            await receive_notice("wechat_pay", headers, body)
    assert (await now(payout)).status is PayoutState.SENT


async def test_notices_come_over_http_at_the_brands_own_site(people: list[DistributorId], platform: Platform) -> None:
    payout = await ask(people[0])
    await carry_out(await submitted(payout))
    platform.finish(payout.id.hex)
    headers, body = platform.notice(payout.id.hex)

    async def post(host: str, path: str, headers: dict[str, str], body: bytes) -> int:
        transport = httpx.ASGITransport(app=make_app(Settings()))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return (await client.post(path, headers=headers, content=body)).status_code

    path = "/callbacks/wechat_pay"
    assert await post("lotus.localhost", path, {}, b"{}") == 401
    assert await post("lotus.localhost", path, headers, b"x" * 70_000) == 413
    for host, where in (("cedar.localhost", path), ("localhost", path), ("lotus.localhost", "/callbacks/manual")):
        assert await post(host, where, headers, body) == 404
    assert (await now(payout)).status is PayoutState.SENT
    for _ in range(2):
        assert await post("lotus.localhost", path, headers, body) == 204
    assert (await now(payout)).status is PayoutState.PAID
    assert await post("lotus.localhost", path, *platform.notice(payout.id.hex, state="FAIL")) == 409


async def test_a_person_can_say_what_the_platform_cannot(people: list[DistributorId], platform: Platform) -> None:
    payout = await ask(people[0])
    platform.manners = ["broken"]
    batch_id = await submitted(payout)
    await carry_out(batch_id)
    await record_result(result(payout, Outcome.FAILED), MAKER)
    assert await money_of(people[0]) == (100_000, 0)
    assert await carry_out(batch_id) == 0


async def test_missing_results_are_asked_for_by_jobs_of_their_own(
    people: list[DistributorId], platform: Platform
) -> None:
    await submitted(await ask(people[0]))
    await ask_again()
    assert [job.kind for job in (await jobs(PageRequest())).items] == [JOB]


async def test_only_users_of_wechat_are_gathered_and_only_with_an_account(
    people: list[DistributorId], platform: Platform
) -> None:
    await ask(people[0])
    with as_tenant(CEDAR), pytest.raises(errors.ProviderNotSetUp):
        await create_batch(CreateBatch(provider="wechat_pay", idempotency_key="b"), replace(MAKER, tenant_id=CEDAR))
    batch = await create_batch(CreateBatch(provider="wechat_pay", idempotency_key="b"), MAKER)
    assert batch.payouts == 1
    assert await outcomes(create_batch(CreateBatch(provider="pain001", idempotency_key="c"), MAKER)) == [
        "PROVIDER_NOT_SET_UP"
    ]


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("mch_id", "x", "mchId"),
        ("private_key", settings()["platform_key"], "privateKey"),
        ("platform_key", "-----BEGIN X-----" + "x" * 200, "platformKey"),
        ("api_v3_key", "short", "apiV3Key"),
    ],
)
async def test_an_account_that_cannot_be_right_is_refused(
    people: list[DistributorId], name: str, value: str, field: str
) -> None:
    with pytest.raises(errors.ProviderAccountRefused) as refused:
        await set_account(SetAccount(provider="wechat_pay", settings={**settings(), name: value}), CHECKER)
    assert refused.value.field == f"input.wechatPay.{field}"
    assert await queries.accounts() == []


async def test_only_an_owner_who_just_logged_in_gives_an_account_and_nobody_reads_it(
    people: list[DistributorId],
) -> None:
    wish = SetAccount(provider="wechat_pay", settings=settings())
    old = replace(CHECKER, signed_in_at=SETTLED_AT - timedelta(minutes=15, seconds=1))
    assert await outcomes(set_account(wish, MAKER), set_account(wish, old), set_account(wish, CHECKER)) == [
        "FORBIDDEN",
        "LOGIN_NOT_FRESH",
        "ok",
    ]
    changed = await set_account(replace(wish, settings={**settings(), "mch_id": "1900000777"}), CHECKER)
    assert changed.masked == "****0777"
    assert await queries.accounts() == [changed]
    assert "PRIVATE" not in repr(wish) + repr(changed)
    assert (await account_at("wechat_pay"))["mch_id"] == "1900000777"
    async with reading() as tx:
        row = await tx.row("SELECT sealed, masked FROM provider_account WHERE tenant_id = $1", tx.tenant_id)
        log = await tx.rows("SELECT detail FROM audit_log WHERE tenant_id = $1", tx.tenant_id)
    assert row
    for secret in (settings()["api_v3_key"], "PRIVATE", MERCHANT):
        assert secret not in row["sealed"] + str(log)
    with as_tenant(CEDAR):
        assert await queries.accounts() == []
