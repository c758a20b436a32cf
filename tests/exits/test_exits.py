"""A distributor leaves, on both databases, beside a brand that must not notice (docs/rules.md §7)."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from itertools import count

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import DomainError, IdempotencyConflict, NotFound, Rejected, WrongState
from saas.base.ids import DistributorId, new_id
from saas.base.paging import PageRequest
from saas.exits.commands import (
    ExecuteExit,
    ExitRequest,
    QuoteExit,
    approve_exit,
    close_exit,
    execute_exit,
    preview_exit,
    quote_exit,
    reject_exit,
    withdraw_exit,
)
from saas.exits.errors import ExitAlreadyOpen, ExitNeedsSecondPerson, ExitNotSettled, ExitNotVoluntary
from saas.exits.queries import ExitFilter, ExitView, exit_by_id, exits
from saas.exits.rules import ExitKind, ExitState
from saas.ledger.checks import run_checks
from saas.listings.commands import open_listing
from saas.listings.queries import listing
from saas.network.commands import Move, enrol, move, suspend
from saas.network.queries import history
from saas.network.rules import Status
from saas.orders.commands import deliver, place_order, ship
from saas.settlement.commands import release_due
from tenants.accounts import create_member
from tenants.actors import Role, system
from tenants.errors import Forbidden
from tenants.sessions import authenticate, issue_token
from tests.exits.world import Ids, approved, executed, quoted, refused
from tests.factories import CEDAR, LOTUS, as_tenant
from tests.listings.test_listings import offer
from tests.network.world import distributor, request, row, staff, stored
from tests.orders.world import NOON, balances, everything, order, paid, step
from tests.tenants.people import audited, command, table_of


async def test_the_quote_shows_everything_before_anybody_decides(shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    with as_tenant(CEDAR):
        await paid(theirs["B"], 50_000)
    with as_tenant(LOTUS):
        delivered = await paid(ids["B"], 10_000)  # B 10.00, A 15.00
        waiting = await paid(ids["C"], 20_000)  # C 20.00, B 30.00, A 40.00
        with clock.at(NOON + timedelta(days=1)):
            await place_order(order(ids["B"], amount_minor=7_700), staff())
            await ship([*step(delivered), *step(waiting)], staff())
        with clock.at(NOON + timedelta(days=2)):
            await deliver(step(delivered), staff())
        before = await table_of(LOTUS, "exit_case")
        preview = await preview_exit(ExitRequest(distributor_id=ids["B"], kind=ExitKind.VOLUNTARY))
        assert await table_of(LOTUS, "exit_case") == before == []
        case = await quoted(ids["B"])
        quote = case.quote
        assert quote == preview
        assert (quote.currency, quote.pending, quote.downline_to) == ("CNY", "keep", "sponsor")
        assert (quote.heir_id, quote.direct_downline, quote.team) == (ids["A"], 1, 2)
        assert (quote.open_orders, quote.open_orders_minor) == (1, 7_700)
        assert (quote.pending_minor, quote.available_minor, quote.settled_minor) == (4_000, 0, 0)
        assert (quote.final_minor, quote.final_at, quote.undelivered) == (4_000, None, 1)
        with clock.at(NOON + timedelta(days=3)):
            await deliver(step(waiting), staff())
        assert (
            await preview_exit(ExitRequest(distributor_id=ids["B"], kind=ExitKind.VOLUNTARY))
        ).final_at == NOON + timedelta(days=10)
        breach = await preview_exit(ExitRequest(distributor_id=ids["B"], kind=ExitKind.BREACH))
        assert (breach.forfeited_minor, breach.final_minor, breach.final_at) == (4_000, 0, None)
        with clock.at(NOON + timedelta(days=9, seconds=1)):
            await release_due(staff())
        assert (await preview_exit(ExitRequest(distributor_id=ids["B"], kind=ExitKind.BREACH))).available_minor == 1_000
        assert (await exit_by_id(case.id)).quote == quote, "the quote stays what it was when it was given"
        assert (await row("B")).status is Status.ACTIVE


async def test_a_voluntary_exit_from_quote_to_close(db: Database, shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    with as_tenant(CEDAR):
        await paid(theirs["B"])
        cedar = (await everything(), await stored())
    with as_tenant(LOTUS):
        order_id = await paid(ids["B"])
        await create_member(command("bee", Role.DISTRIBUTOR, distributor_id=ids["B"]), system(LOTUS, "test"))
        token = (await issue_token("lotus", "bee", "test")).token
        assert await authenticate(token, LOTUS) is not None
        case = await quote_exit(
            QuoteExit(distributor_id=ids["B"], kind=ExitKind.VOLUNTARY, reason="moves away", idempotency_key="k"),
            distributor(ids["B"]),
        )
        await approve_exit(case.id, staff())
        assert await authenticate(token, LOTUS) is not None
        done = await executed(case.id)
        assert (done.status, done.executed_at is not None) == (ExitState.EXECUTED, True)
        assert await executed(case.id) == done, "the same key changes nothing"
        assert ((await row("B")).status, (await row("B")).exited_at is not None) == (Status.EXITED, True)
        assert await authenticate(token, LOTUS) is None
        assert await refused(place_order(order(ids["B"]), staff())) == ["SELLER_NOT_ACTIVE"]
        tree = await stored()
        assert (tree["B"], tree["C"], tree["D"]) == (("A", "A/B", 1), ("A", "A/C", 1), ("C", "A/C/D", 2))
        assert [h.sponsor_id for h in await history(ids["C"])] == [ids["B"], ids["A"]]
        assert await balances() == {("B", "pending"): 1_000, ("A", "pending"): 1_500}
        assert await run_checks() == []
        with pytest.raises(ExitNotSettled, match=r"pending 10\.00 CNY"):
            await close_exit(case.id, staff())
        with clock.at(NOON + timedelta(days=1)):
            await ship(step(order_id), staff())
            await deliver(step(order_id), staff())
        with clock.at(NOON + timedelta(days=30)):
            await release_due(staff())
        with pytest.raises(ExitNotSettled, match=r"available 10\.00 CNY"):
            await close_exit(case.id, staff())
        assert [action for _, action in await audited(LOTUS) if action.startswith(("exit", "member.d"))] == [
            "exit.quote",
            "exit.approve",
            "member.disable",
            "exit.execute",
        ]
    with as_tenant(CEDAR):
        assert (await everything(), await stored()) == cedar


async def test_an_exit_without_money_closes_and_stays_closed(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        case = await approved(ids["D"])
        with pytest.raises(WrongState):
            await close_exit(case.id, staff())
        await executed(case.id)
        closed = await close_exit(case.id, staff())
        assert (closed.status, closed.closed_at is not None) == (ExitState.CLOSED, True)
        for late in (
            close_exit(case.id, staff()),
            withdraw_exit(case.id, staff()),
            reject_exit(case.id, "no", staff()),
        ):
            with pytest.raises(WrongState):
                await late
        with pytest.raises(WrongState):
            await quoted(ids["D"])


async def test_a_breach_forfeits_and_bars(shops: tuple[Ids, Ids]) -> None:
    ids, theirs = shops
    person = {"phone": "138 1234 5678", "id_number": "31010119900101123X"}
    with as_tenant(LOTUS):
        with clock.at(NOON):
            bad = await enrol(request("X", ids["A"], **person), staff())
            await enrol(request("Y", bad), staff())
        await paid(bad)  # X 10.00, A 15.00
        with clock.at(NOON + timedelta(days=1)):
            kept = await paid(bad)
            await ship(step(kept), staff())
            await deliver(step(kept), staff())
        with clock.at(NOON + timedelta(days=20)):
            await release_due(staff())
        await suspend(bad, "diversion", staff())
        case = await approved(bad, ExitKind.BREACH)
        with pytest.raises(ExitNotVoluntary):
            await withdraw_exit(case.id, staff())
        await executed(case.id)
        assert await balances() == {("X", "available"): 1_000, ("A", "pending"): 1_500, ("A", "available"): 1_500}
        assert (await stored())["Y"] == ("A", "A/Y", 1)
        for number in ({"phone": "+86-13812345678"}, {"id_number": "31010119900101123x"}):
            assert await refused(enrol(request("Z", ids["A"], **number), staff())) == ["ENROLMENT_BARRED"]
    assert "1234567" not in repr(await table_of(LOTUS, "orange_list"))
    with as_tenant(CEDAR):
        await enrol(request("Z", theirs["A"], **person), staff())


async def test_a_voluntary_exit_bars_nobody(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        leaving = await enrol(request("X", ids["A"], phone="13812345678"), staff())
        await executed((await approved(leaving)).id)
        await enrol(request("X2", ids["A"], phone="13812345678"), staff())


async def test_a_second_person_of_the_brand_approves(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        asking = staff()
        first = QuoteExit(distributor_id=ids["B"], kind=ExitKind.BREACH, reason="r", idempotency_key="k")
        case = await quote_exit(first, asking)
        assert await quote_exit(first, asking) == case
        with pytest.raises(IdempotencyConflict):
            await quote_exit(
                QuoteExit(distributor_id=ids["C"], kind=first.kind, reason="r", idempotency_key="k"), asking
            )
        with pytest.raises(ExitNeedsSecondPerson):
            await approve_exit(case.id, asking)
        for nobody in (distributor(ids["A"]), distributor(ids["B"]), system(LOTUS, "job")):
            for act in (approve_exit(case.id, nobody), reject_exit(case.id, "no", nobody), close_exit(case.id, nobody)):
                with pytest.raises(Forbidden):
                    await act
            with pytest.raises(Forbidden):
                await execute_exit(ExecuteExit(exit_id=case.id, idempotency_key="x"), nobody)
        with pytest.raises(WrongState):
            await executed(case.id)
        assert (await exit_by_id(case.id)).status is ExitState.QUOTED
        assert (await row("B")).status is Status.ACTIVE
        await approve_exit(case.id, staff())
        with pytest.raises(WrongState):
            await approve_exit(case.id, staff())


async def test_a_distributor_asks_for_its_own_exit_and_takes_it_back(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        mine = QuoteExit(distributor_id=ids["B"], kind=ExitKind.VOLUNTARY, reason="r", idempotency_key="k")
        with pytest.raises(NotFound):
            await quote_exit(mine, distributor(ids["A"]))
        breach = QuoteExit(distributor_id=ids["B"], kind=ExitKind.BREACH, reason="r", idempotency_key="b")
        with pytest.raises(ExitNotVoluntary):
            await quote_exit(breach, distributor(ids["B"]))
        case = await quote_exit(mine, distributor(ids["B"]))
        with pytest.raises(ExitAlreadyOpen):
            await quoted(ids["B"], ExitKind.BREACH)
        await approve_exit(case.id, staff())
        with pytest.raises(NotFound):
            await withdraw_exit(case.id, distributor(ids["A"]))
        with pytest.raises(NotFound):
            await exit_by_id(case.id, ids["A"])
        assert (await withdraw_exit(case.id, distributor(ids["B"]))).status is ExitState.WITHDRAWN
        with pytest.raises(WrongState):
            await executed(case.id)
        assert (await row("B")).status is Status.ACTIVE
        again = await quoted(ids["B"], ExitKind.BREACH)
        assert (await reject_exit(again.id, "no proof", staff())).status is ExitState.REJECTED
        page = await exits(ExitFilter(distributor_id=ids["B"]), PageRequest(first=1))
        rest = await exits(ExitFilter(distributor_id=ids["B"]), PageRequest(first=1, after=page.cursors[0]))
        assert ([c.id for c in page.items], [c.id for c in rest.items]) == ([again.id], [case.id])
        assert (page.has_next, rest.has_next) == (True, False)
        found = await exits(ExitFilter(kinds=[ExitKind.BREACH], statuses=[ExitState.REJECTED]), PageRequest())
        assert [c.id for c in found.items] == [again.id]
        assert (await exits(ExitFilter(statuses=[]), PageRequest())).items == []


async def test_the_other_brand_has_no_such_exit(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        case = await approved(ids["B"])
        before = await table_of(LOTUS, "exit_case")
    with as_tenant(CEDAR):
        assert (await exits(ExitFilter(), PageRequest())).items == []
        for act in (
            exit_by_id(case.id),
            approve_exit(case.id, staff()),
            reject_exit(case.id, "no", staff()),
            withdraw_exit(case.id, staff()),
            executed(case.id),
            close_exit(case.id, staff()),
            quoted(ids["C"]),
            preview_exit(ExitRequest(distributor_id=ids["C"], kind=ExitKind.VOLUNTARY)),
        ):
            with pytest.raises(NotFound):
                await act
    assert await table_of(LOTUS, "exit_case") == before


async def test_the_downline_of_the_exited_can_be_moved_on(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        with clock.at(NOON):
            await executed((await approved(ids["A"])).id)
            assert (await stored())["D"] == ("C", "B/C/D", 2)
            top = await enrol(request("T"), staff())
            assert await move(Move(distributor=ids["C"], sponsor=top, reason="region"), staff()) == 2
        assert (await stored())["D"] == ("C", "T/C/D", 2)
        await paid(ids["D"])
        assert await balances() == {("D", "pending"): 1_000, ("C", "pending"): 1_500, ("T", "pending"): 2_000}


async def test_an_exit_and_orders_at_once_leave_nothing_behind(shops: tuple[Ids, Ids]) -> None:
    """Each order is either refused, or paid before the exit and then forfeited with the rest."""
    ids, _ = shops
    with as_tenant(LOTUS):
        cases = {code: await approved(ids[code], ExitKind.BREACH) for code in "BD"}
        sales = [paid(ids[code]) for code in "BCDBCD"]
        first, exit_, *rest = sales[0], executed(cases["B"].id), *sales[1:]
        results = await asyncio.gather(first, exit_, *rest, executed(cases["D"].id), return_exceptions=True)
        for result in results:
            assert not isinstance(result, BaseException) or isinstance(result, Rejected), result
        left = await balances()
        assert {code for code, _ in left} <= {"A", "C"}
        assert {(await row(code)).status for code in "BD"} == {Status.EXITED}


async def test_an_exit_is_executed_once(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await paid(ids["B"])
        case = await approved(ids["B"], ExitKind.BREACH)
        tries = [execute_exit(ExecuteExit(exit_id=case.id, idempotency_key=f"t{i % 3}"), staff()) for i in range(9)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        done = [i for i, result in enumerate(results) if isinstance(result, ExitView)]
        assert len({i % 3 for i in done}) == 1
        assert len(done) == 3
        assert all(isinstance(result, WrongState) for i, result in enumerate(results) if i not in done)
        assert await balances() == {("A", "pending"): 1_500}


async def test_an_exit_interrupted_anywhere_happens_wholly_or_not_at_all(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        await paid(ids["B"])
        case = await approved(ids["B"], ExitKind.BREACH)
        before = (await everything(), await stored(), await table_of(LOTUS, "exit_case"))
        for undone in count():
            task = asyncio.create_task(executed(case.id))
            await asyncio.wait({task}, timeout=undone / 2000)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            if (await exit_by_id(case.id)).status is ExitState.EXECUTED:  # a commit under way is not interrupted
                break
            assert (await everything(), await stored(), await table_of(LOTUS, "exit_case")) == before
        assert undone > 2
        assert await balances() == {("A", "pending"): 1_500}
        assert ((await row("B")).status, (await stored())["C"][0]) == (Status.EXITED, "A")


async def test_whoever_left_cannot_be_quoted_again(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        with pytest.raises(NotFound):
            await quoted(DistributorId(new_id()))
        await executed((await approved(ids["D"])).id)
        with pytest.raises(DomainError):
            await preview_exit(ExitRequest(distributor_id=ids["D"], kind=ExitKind.BREACH))


async def test_7_who_left_offers_nothing_any_more(shops: tuple[Ids, Ids]) -> None:
    ids, _ = shops
    with as_tenant(LOTUS):
        gone, stays = [await open_listing(offer(ids[code]), staff()) for code in "CB"]
        await executed((await approved(ids["C"])).id)
        assert [(await listing(one.id)).status for one in (gone, stays)] == ["closed", "open"]
        with pytest.raises(DomainError, match="C is exited"):
            await open_listing(offer(ids["C"]), staff())
