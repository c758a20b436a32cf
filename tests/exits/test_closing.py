"""After an exit: the last hold, the final statement, the certificate, and the end of what is known of a person."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import NotFound, Rejected
from saas.base.ids import DistributorId, new_id
from saas.exits.commands import close_exit, close_finished, erase_expired
from saas.exits.errors import ExitAwaits, ExitNotSettled
from saas.exits.queries import certificate_of, exit_by_id
from saas.exits.rules import ExitKind, ExitState
from saas.ledger.rules import Account, Kind
from saas.network.commands import enrol, reveal_phone
from saas.network.leaving import close_account
from saas.orders.commands import deliver, ship
from saas.payouts.commands import record_result, reveal_destination
from saas.payouts.rules import Outcome
from saas.performance.commands import ClosePeriod, close_period
from saas.returns.commands import reject_return
from saas.settlement.adjusted import Waiting, waiting_of
from saas.settlement.adjustments import approve_adjustments, reject_adjustments, request_adjustments
from saas.settlement.commands import CloseSettlement, close
from saas.settlement.errors import AccountClosed
from saas.settlement.penalties import lift_penalties
from tenants.accounts import create_member
from tenants.actors import Actor, Role, system
from tenants.errors import Forbidden
from tests.exits.world import Ids, approved, executed, quoted, refused, use_exit
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.network.world import request, row, staff
from tests.orders.world import NOON, balances, paid, step, table
from tests.payouts.people import CHECKER, MAKER, ask, give_card, result, sent_batch
from tests.performance.world import REBATE, use
from tests.returns.world import DELIVERED, delivered
from tests.returns.world import approved as agreed_to_take_back
from tests.settlement.test_adjustments import asked, line
from tests.settlement.test_penalties import imposed, lift, penalty
from tests.tenants.people import audited, command, table_of

PERSON = {"phone": "138 1234 5678", "id_number": "31010119900101123X"}
APRIL = NOON + timedelta(days=22)
OWNER = Actor(tenant_id=LOTUS, role=Role.OWNER, id=new_id(), label="owner")


async def test_the_final_statement_closes_after_the_last_hold(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await use_exit(buy_back={"rate_bps": 9000, "months": 12})
        sold, bought = await paid(ids["B"], 20_000), await paid(ids["B"], 10_000, self_purchase=True)
        with clock.at(NOON + timedelta(days=1)):
            await give_card(ids["B"], has_invoice=True)
            await ship([*step(sold), *step(bought)], staff())
            case = await approved(ids["B"])
            await executed(case.id)
            assert await close_finished(system(LOTUS, "schedule")) == 0
            with pytest.raises(ExitNotSettled, match=r"pending \d+\.00 CNY, settled 90\.00 CNY"):
                await close_exit(case.id, staff())
        with clock.at(NOON + timedelta(days=2)):
            await deliver([*step(sold), *step(bought)], staff())
        pending = (await balances())["B", "pending"]
        assert isinstance(pending, int)
        with clock.at(APRIL):
            await close(CloseSettlement(idempotency_key="march"), MAKER)
            payout = await ask(ids["B"])
            await sent_batch()
            with pytest.raises(ExitNotSettled, match="payout"):
                await close_exit(case.id, staff())
            await record_result(result(payout, Outcome.PAID), MAKER)
            both = await asyncio.gather(*(close_finished(system(LOTUS, "schedule")) for _ in range(2)))
            assert sum(both) == 1, "two workers close it once"
        done = await exit_by_id(case.id)
        assert (done.status, done.closed_at) == (ExitState.CLOSED, APRIL)
        final = done.final_statement
        assert final is not None
        assert (final.since, final.until) == (done.executed_at, APRIL)
        assert [(x.account, x.amount_minor) for x in final.openings] == [(Account.PENDING, pending)]
        moved = {(x.account, x.kind): x.amount_minor for x in final.movements}
        assert moved == {
            (Account.PENDING, Kind.RELEASE): -pending,
            (Account.AVAILABLE, Kind.RELEASE): pending,
            (Account.AVAILABLE, Kind.SETTLEMENT): -pending,
            (Account.SETTLED, Kind.SETTLEMENT): pending,
            (Account.SETTLED, Kind.BUY_BACK): 9_000,
            (Account.SETTLED, Kind.PAYOUT_REQUEST): -pending - 9_000,
            (Account.PAYOUT, Kind.PAYOUT_REQUEST): pending + 9_000,
            (Account.PAYOUT, Kind.PAYOUT_PAID): -pending - 9_000,
        }


async def test_certificates_are_numbered_and_say_what_happened(shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    with as_tenant(LOTUS):
        case = await approved(ids["D"], ExitKind.INACTIVITY)
        assert await certificate_of(case) is None
        with clock.at(NOON):
            left = await certificate_of(await executed(case.id))
        assert left is not None
        assert (left.number, left.kind, left.code, left.closed_on) == ("E2026-000001", ExitKind.INACTIVITY, "D", None)
        assert (str(left.joined_on), str(left.left_on)) == ("2026-03-01", "2026-03-10")
        assert "still being settled" in left.text("en")
        assert "D left" not in left.text("en")
        assert "distributor D, left its network on 2026-03-10 (for inactivity)" in left.text("en")
        assert "已于 2026-03-10 退出分销体系（长期未经营清退）" in left.text("zh-CN")
        with clock.at(NOON + timedelta(days=1)):
            await close_exit(case.id, staff())
            second = await certificate_of(await executed((await approved(ids["C"])).id))
        assert second is not None
        assert second.number == "E2026-000002"
        closed = await certificate_of(await exit_by_id(case.id))
        assert closed is not None
        assert "settled and closed on 2026-03-11" in closed.text("en")
    with as_tenant(CEDAR):
        bad = await enrol(replace(request("X", theirs["A"]), name="<b>Bad & Co</b>"), staff())
        with clock.at(NOON + timedelta(days=300)):
            other = await certificate_of(await executed((await approved(bad)).id))
        assert other is not None
        assert other.number == "E2027-000001", "each brand counts for itself, in its own calendar"
        page = other.html("zh-CN")
        assert "<b>" not in page
        assert "&lt;b&gt;Bad &amp; Co&lt;/b&gt;" in page
        assert page.startswith('<!DOCTYPE html><html lang="zh-CN">')


async def _left_long_ago(ids: Ids, kind: ExitKind) -> DistributorId:
    """X of Lotus: with phone, ID number, card and log-in, gone and settled in March."""
    await use_exit(retention_days=30)
    with clock.at(NOON):
        gone = await enrol(request("X", ids["A"], **PERSON), staff())
        await create_member(command("xavier", Role.DISTRIBUTOR, distributor_id=gone), system(LOTUS, "test"))
        await give_card(gone)
        case = await approved(gone, kind)
        await executed(case.id)
        await close_exit(case.id, staff())
    return gone


async def test_personal_data_is_erased_when_its_retention_ends(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        gone = await _left_long_ago(ids, ExitKind.BREACH)
        tables = ("distributor", "member", "payout_destination")
        for name, known in zip(tables, ("Name of X", "xavier", "7890"), strict=True):
            assert known in repr(await table_of(LOTUS, name)), name
        with clock.at(NOON + timedelta(days=30) - timedelta(seconds=1)):
            assert await erase_expired(OWNER) == []
        with clock.at(NOON + timedelta(days=30)):
            before = {name: await table_of(LOTUS, name) for name in (*tables, "exit_case", "audit_log")}
            listed = await erase_expired(OWNER, dry_run=True)
            assert [(one.code, one.distributor_id) for one in listed] == [("X", gone)]
            assert {name: await table_of(LOTUS, name) for name in before} == before, "a dry run changes nothing"
            for nobody in (staff(), MAKER):
                with pytest.raises(Forbidden):
                    await erase_expired(nobody)
            at_once = await asyncio.gather(*(erase_expired(system(LOTUS, "schedule")) for _ in range(3)))
            assert sorted(len(one) for one in at_once) == [0, 0, 1]
            assert await erase_expired(OWNER) == []
        left = await row("X")
        assert (left.name, left.phone_masked, left.id_number_masked, left.code) == ("–", None, None, "X")
        assert await reveal_phone(gone, staff()) is None
        kept = await table("SELECT phone_hash, id_number_hash FROM distributor WHERE tenant_id = $1 AND code = 'X'")
        assert kept == [(None, None)]
        everything = "".join([repr(await table_of(LOTUS, name)) for name in tables])
        for secret in ("Name of X", "xavier", "1234", "5678", "3101", "7890"):
            assert secret not in everything.replace("Name of A", ""), secret
        [(card,)] = await table("SELECT id FROM payout_destination WHERE tenant_id = $1")
        with pytest.raises(NotFound):
            await reveal_destination(UUID(str(card)), MAKER)
        assert [action for _, action in await audited(LOTUS)].count("exit.erase") == 1
        for number, value in PERSON.items():
            again = enrol(request("Z", ids["A"], **{number: value}), staff())
            assert await refused(again) == ["ENROLMENT_BARRED"], "the orange list knows hashes alone, and keeps them"


async def test_nothing_is_erased_while_it_is_needed(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        settled, waiting = ids["D"], ids["C"]
        await paid(waiting)
        with clock.at(NOON + timedelta(days=1)):
            for who in (settled, waiting):
                case = await approved(who)
                await executed(case.id)
            await close_finished(system(LOTUS, "schedule"))
        with clock.at(NOON + timedelta(days=10_000)):
            assert await erase_expired(OWNER) == [], "the program keeps what it does not say how long to keep"
            await use_exit(retention_days=30)
            assert [one.code for one in await erase_expired(OWNER)] == ["D"], "C's money is still on its way"
        assert (await row("C")).name == "Name of C"


async def test_an_exit_waits_for_adjustments_and_its_quote_tells_those_agreed_to(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await delivered(ids["A"])
    with as_tenant(LOTUS), clock.at(NOON):
        agreed = await request_adjustments(asked(line(ids["D"], 250)), MAKER)
        await approve_adjustments([one.id for one in agreed.adjustments], CHECKER)
        waiting = await request_adjustments(asked(line(ids["D"], -40), key="late"), MAKER)
        case = await approved(ids["D"])
        quote = case.quote
        assert (quote.adjustments_minor, quote.final_minor, str(quote.payable_on)) == (250, 250, "2026-04-06")
        await executed(case.id)
        with pytest.raises(ExitAwaits) as caught:
            await close_exit(case.id, staff())
        assert "2 adjustments on no statement yet" in caught.value.message("en")
        assert "2 条调整尚未计入结算单" in caught.value.message("zh-CN")
        assert await close_finished(system(LOTUS, "schedule")) == 0
        await reject_adjustments([one.id for one in waiting.adjustments], CHECKER)
        with pytest.raises(ExitAwaits, match="1 adjustments"):
            await close_exit(case.id, staff())
    with as_tenant(LOTUS), clock.at(APRIL):
        await close(CloseSettlement(idempotency_key="march"), MAKER)
        with pytest.raises(ExitNotSettled, match=r"settled 2\.50 CNY"):
            await close_exit(case.id, staff())


async def test_what_is_settled_amid_a_closing_is_seen(
    shops: tuple[Ids, Ids], db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A settlement ends between the two looks of the closing: what waited is on the balance by the second."""
    ids, _ = shops
    with as_tenant(LOTUS):
        await delivered(ids["A"])
        agreed = await request_adjustments(asked(line(ids["D"], 250)), MAKER)
        await approve_adjustments([one.id for one in agreed.adjustments], CHECKER)
        case = await executed((await approved(ids["D"])).id)
        turn = asyncio.Event()

        async def settle() -> None:
            await turn.wait()
            with clock.at(APRIL):
                await close(CloseSettlement(idempotency_key="march"), MAKER)

        async def meanwhile(owner: DistributorId, currency: str) -> Waiting:
            turn.set()
            if db.kind == "postgresql":  # of two writers SQLite lets one wait for the other's end
                await settling
            return await waiting_of(owner, currency)

        settling = asyncio.create_task(settle())
        monkeypatch.setattr("saas.exits.closing.waiting_of", meanwhile)
        with clock.at(APRIL), pytest.raises((ExitAwaits, ExitNotSettled)):
            await close_exit(case.id, staff())
        await settling
        assert (await exit_by_id(case.id)).status is ExitState.EXECUTED


async def test_7_nothing_is_decided_about_the_money_of_a_closed_exit(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await delivered(ids["A"])
        taken, _ = sorted(await imposed(penalty(ids["D"], 40), line(ids["D"], 40)), key=lambda one: one.amount_minor)
        late = (await request_adjustments(asked(line(ids["D"], 7), key="late"), MAKER)).adjustments
        case = await approved(ids["D"])
        await executed(case.id)
        with clock.at(APRIL):
            await close(CloseSettlement(idempotency_key="march"), MAKER)
            await reject_adjustments([one.id for one in late], CHECKER)
            await close_exit(case.id, staff())
            for dry_run in (True, False):
                for one in (line(ids["D"], 7), penalty(ids["D"], 7)):
                    with pytest.raises(Rejected) as caught:
                        await request_adjustments(asked(line(ids["C"], 1), one, key="x", dry_run=dry_run), MAKER)
                    (error,) = caught.value.errors
                    assert (error.code, error.field) == ("ACCOUNT_CLOSED", "input.adjustments[1].distributorId")
                    assert "D is closed" in error.message("en")
                with pytest.raises(Rejected, match="D is closed"):
                    await lift_penalties(lift(taken.id, key="y", dry_run=dry_run), MAKER)


@pytest.mark.unsound
async def test_what_was_asked_for_before_is_not_agreed_to_after(shops: tuple[Ids, Ids]) -> None:
    """As an earlier version left it: an exit was closed although something waited."""
    ids, _ = shops
    with as_tenant(LOTUS), clock.at(NOON):
        late = (await request_adjustments(asked(line(ids["D"], 7), key="late"), MAKER)).adjustments
        await executed((await approved(ids["D"])).id)
        await close_account(ids["D"])
        with pytest.raises(AccountClosed):
            await approve_adjustments([one.id for one in late], CHECKER)
        await reject_adjustments([one.id for one in late], CHECKER)


async def test_an_exit_waits_for_goods_that_may_come_back(shops: tuple[Ids, Ids]) -> None:
    """D's commission was forfeited, C's was paid: only C has something to lose."""
    ids, _ = shops
    with as_tenant(LOTUS):
        bought = await delivered(ids["D"], 1_000_000)
        with clock.at(DELIVERED + timedelta(days=1)):
            await give_card(ids["C"], has_invoice=True)
            forfeited, kept = await approved(ids["D"], ExitKind.BREACH), await approved(ids["C"])
            for one in (forfeited, kept):
                await executed(one.id)
        with clock.at(APRIL):
            await close(CloseSettlement(idempotency_key="march"), MAKER)
            payout = await ask(ids["C"])
            await sent_batch()
            await record_result(result(payout, Outcome.PAID), MAKER)
        late = await agreed_to_take_back(bought, at=APRIL)
        with clock.at(APRIL):
            with pytest.raises(ExitAwaits, match="1 returns under way"):
                await close_exit(kept.id, staff())
            assert await close_finished(system(LOTUS, "schedule")) == 1
            assert (await exit_by_id(forfeited.id)).status is ExitState.CLOSED
            await reject_return(late, "changed their mind", staff())
            assert await close_finished(system(LOTUS, "schedule")) == 1


async def test_7_the_quote_tells_a_payout_under_way(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await delivered(ids["B"], 1_000_000)
        with clock.at(DELIVERED):
            await give_card(ids["B"], has_invoice=True)
        with clock.at(APRIL):
            await close(CloseSettlement(idempotency_key="march"), MAKER)
            await ask(ids["B"], 40_000)
            quote = (await quoted(ids["B"])).quote
            assert (quote.in_payout_minor, quote.payouts_in_flight) == (40_000, 1)
            assert (quote.settled_minor, quote.final_minor) == (60_000, 100_000)
            other = (await quoted(ids["A"])).quote
            assert (other.in_payout_minor, other.payouts_in_flight) == (0, 0)


async def test_the_quote_tells_returns_of_its_orders_under_way(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await agreed_to_take_back(await delivered(ids["D"]))
        assert [(await quoted(ids[code])).quote.open_returns for code in "DC"] == [1, 0]


@pytest.mark.parametrize("who", ["D", "C"])
async def test_an_exit_waits_for_periods_that_may_pay_it(shops: tuple[Ids, Ids], who: str) -> None:
    """By its own sales or its team's; a period in which it left pays it nothing, and one without sales neither."""
    ids, _ = shops
    with as_tenant(LOTUS):
        await use(REBATE)
        await paid(ids["D"], 100_000)
        with clock.at(NOON + timedelta(days=1)):
            early = await approved(ids["A"])
            await executed(early.id)
        with clock.at(APRIL):
            newcomer = await enrol(request("E", ids["B"]), staff())
            case, idle = await approved(ids[who], ExitKind.BREACH), await approved(newcomer)
            for one in (case, idle):
                await executed(one.id)
            with pytest.raises(ExitAwaits, match=r"periods not closed \(2026-03\)"):
                await close_exit(case.id, staff())
            assert await close_finished(system(LOTUS, "schedule")) == 2
            assert (await exit_by_id(case.id)).status is ExitState.EXECUTED
            await close_period(ClosePeriod(length="month", day=NOON.date(), idempotency_key="march"), MAKER)
            with pytest.raises(ExitNotSettled, match=r"available 50\.00 CNY"):
                await close_exit(case.id, staff())
