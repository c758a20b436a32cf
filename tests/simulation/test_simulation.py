"""History under a draft: what it would have paid, beside what was really paid, without a trace in the ledger."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from saas.base import clock
from saas.base.db import Database
from saas.base.errors import InvalidInput, NotFound
from saas.base.ids import DistributorId, OrderId
from saas.base.paging import PageRequest
from saas.base.scope import tenant_scope
from saas.commissions.rules import Reason
from saas.jobs.commands import cancel
from saas.jobs.queries import job
from saas.jobs.rules import JobStatus
from saas.jobs.worker import run_due
from saas.network.commands import Move, move, reinstate, suspend
from saas.orders import steps
from saas.orders.commands import PlaceLine, place_order, place_orders
from saas.simulation import processes
from saas.simulation.commands import KIND, Simulate, run_simulation, simulate
from saas.simulation.errors import OrderNotReplayed, SimulationSpanRefused, SimulationUnfinished
from saas.simulation.queries import (
    ChangeSort,
    compare,
    distributors,
    distributors_csv,
    simulated_order,
    simulation,
    simulations,
)
from saas.simulation.replay import Span
from tenants.errors import ProgramUnreadable
from tenants.program import dump
from tenants.program.versions import activate, active_program, content_of
from tests.factories import CEDAR, LOTUS
from tests.network.world import staff
from tests.orders.world import NOON, order, paid, step, two_shops
from tests.simulation.world import MARCH, changed, draft, levels, money_rows, pieces, places, simulated, sold

Shop = Mapping[str, DistributorId]


@pytest.fixture
async def shop(db: Database) -> Any:
    """Lotus with its chain A → B → C → D."""
    people, _ = await two_shops()
    with tenant_scope(LOTUS):
        yield people


async def test_other_rates_are_paid_to_the_chain_of_the_sale(shop: Shop) -> None:
    await paid(shop["D"])
    await paid(shop["C"], 20_000)
    view, summary = await simulated(await draft(levels(500, 600)))
    assert await changed(view) == {
        "D": (1_000, 500),
        "C": (1_500 + 2_000, 600 + 1_000),
        "B": (2_000 + 3_000, 1_200),
        "A": (4_000, 0),
    }
    assert places(summary.draft.places) == {("levels", 0): 1_500, ("levels", 1): 1_800}
    assert places(summary.real.places) == {("levels", 0): 3_000, ("levels", 1): 4_500, ("levels", 2): 6_000}
    assert (summary.orders, summary.lines, summary.goods_minor) == (2, 2, 30_000)
    assert (summary.draft.company_minor, summary.real.company_minor) == (26_700, 16_500)
    assert (summary.draft.ratio_bps(30_000), summary.real.ratio_bps(30_000)) == (1_100, 4_500)
    assert (summary.winners, summary.losers) == (0, 4)


async def test_the_program_in_force_pays_what_was_paid(shop: Shop) -> None:
    """Random sales, moves, and orders that are undone: replayed, everybody has what everybody has."""
    rng = random.Random(20_260_301)
    made: list[OrderId] = []
    for number in range(40):
        lines = [
            PlaceLine(sku=rng.choice(("PLAIN", "LOTUS-GIFT")), quantity=1, amount_minor=rng.choice((333, 59_800)))
            for _ in range(rng.randint(1, 3))
        ]
        lines = [
            line if line.sku == "PLAIN" else PlaceLine(sku=line.sku, quantity=1, amount_minor=59_800) for line in lines
        ]
        moment = NOON + timedelta(hours=number)
        with clock.at(moment):
            asked = order(shop[rng.choice("ABCD")], lines=lines, paid_at=moment, self_purchase=rng.random() < 0.2)
            made.append(await place_order(asked, staff()))
    with clock.at(NOON + timedelta(days=3)):
        await steps.cancel(step(made[7]), staff())
        await move(Move(distributor=shop["D"], sponsor=shop["A"], reason="closer"), staff())
    number = (await active_program()).number
    view, summary = await simulated(number)
    assert summary.orders == 39
    assert all(real == ours for real, ours in (await changed(view)).values())
    assert summary.draft == summary.real
    assert (summary.winners, summary.losers) == (0, 0)
    assert summary.draft.commission_minor > 100_000


async def test_nothing_but_the_simulation_is_written(shop: Shop) -> None:
    await paid(shop["D"])
    before = await money_rows()
    await simulated(await draft(levels(900)))
    assert await money_rows() == before


async def test_tiers_and_states_are_those_of_the_sale(shop: Shop) -> None:
    """Suspended before the first sale, back before the second, another tier after both."""
    with clock.at(NOON - timedelta(days=1)):
        await suspend(shop["C"], "a reason", staff())
    await sold(shop["D"], NOON, ("PLAIN", 1, 10_000))
    with clock.at(NOON + timedelta(hours=1)):
        await reinstate(shop["C"], "a reason", staff())
    await sold(shop["D"], NOON + timedelta(days=1), ("PLAIN", 1, 20_000))
    view, summary = await simulated((await active_program()).number)
    assert (await changed(view))["C"] == (3_000, 3_000)
    assert summary.draft == summary.real
    by_tier = {"levels": [{"rate_bps": 1_000}, {"rate_bps": 100, "by_tier": {"silver": 200, "gold": 900}}]}
    view, _ = await simulated(await draft({**levels(), **by_tier}))
    assert (await changed(view))["C"] == (3_000, 400)


async def test_pieces_are_counted_from_the_beginning_of_the_month(shop: Shop) -> None:
    """28 already sold, then 5: 5 × 20 + 3 × 2 (docs/rules.md §3.2), also when the replay begins between the two."""
    await sold(shop["D"], NOON, ("PLAIN", 28, 280_000))
    await sold(shop["D"], NOON + timedelta(days=2), ("PLAIN", 5, 50_000))
    number = await draft(pieces(2_000, 30, 200))
    view, _ = await simulated(number, (date(2026, 3, 12), date(2026, 4, 1)))
    assert (await changed(view))["D"][1] == 10_600
    whole = await draft(pieces(2_000, 30, 200, applies="WHOLE"))
    view, _ = await simulated(whole)
    assert (await changed(view))["D"][1] == 33 * 2_200
    await sold(shop["D"], NOON + timedelta(days=25), ("PLAIN", 5, 50_000))  # in April, which begins anew
    view, _ = await simulated(number, (date(2026, 3, 1), date(2026, 5, 1)))
    assert (await changed(view))["D"][1] == 33 * 2_000 + 3 * 200 + 5 * 2_000


async def test_uplines_qualify_by_what_they_really_sold_before(shop: Shop) -> None:
    await sold(shop["D"], NOON, ("PLAIN", 1, 10_000))
    for day, seller, amount in ((1, "C", 50_000), (2, "D", 10_000), (30, "D", 10_000)):
        await sold(shop[seller], NOON + timedelta(days=day), ("PLAIN", 1, amount))
    asked = {"own_sales_minor": 50_000, "period": "month"}
    view, _ = await simulated(await draft(levels(0, 1_000, qualify=asked)), (date(2026, 3, 1), date(2026, 5, 1)))
    assert (await changed(view))["C"][1] == 1_000  # of the second sale only; April begins anew


async def test_of_sales_of_one_moment_those_booked_before_qualify(shop: Shop) -> None:
    """A file with days and no hours: C had sold nothing when D's first order was booked, and enough at the second."""
    rule = levels(1_000, 1_000, qualify={"own_sales_minor": 500, "period": "month"})
    await activate(await draft(rule), staff())
    now = clock.now() + timedelta(minutes=1)
    with clock.at(now):
        sellers = (shop["D"], shop["C"], shop["D"], shop["D"])
        verdicts = await place_orders([order(seller, amount_minor=1_000, paid_at=now) for seller in sellers], staff())
        assert all(verdict.order_id for verdict in verdicts)
    with clock.at(now + timedelta(minutes=1)):
        view, summary = await simulated(
            (await active_program()).number, (now.date() - timedelta(2), now.date() + timedelta(2))
        )
    assert await changed(view) == {"D": (300, 300), "C": (300, 300)}
    assert summary.draft == summary.real


async def test_what_a_period_brings_is_part_of_it_when_the_whole_period_is(shop: Shop) -> None:
    await paid(shop["D"], 60_000)
    bonus = {
        "kind": "target_bonus",
        "key": "target",
        "period": "month",
        "targets": [{"at_least": 50_000, "bonus_minor": 700}],
    }
    number = await draft(levels(1_000), bonus)
    _, summary = await simulated(number)
    assert (summary.draft.awards_minor, summary.periods) == (700, [("month", date(2026, 3, 1))])
    assert places(summary.draft.places)["target", None] == 700
    assert summary.draft.company_minor == 60_000 - 6_000 - 700
    _, part = await simulated(number, (date(2026, 3, 2), date(2026, 4, 1)))
    assert (part.draft.awards_minor, part.periods) == (0, [])


async def test_lines_that_the_cap_shrinks_are_counted(shop: Shop) -> None:
    await paid(shop["D"], 10_000)
    await paid(shop["A"], 10_000)
    _, summary = await simulated(await draft(levels(2_000, 1_500, 1_000), cap_bps=3_000))
    assert (summary.draft.capped_lines, summary.real.capped_lines) == (1, 0)
    assert places(summary.draft.places) == {("levels", 0): 1_333 + 2_000, ("levels", 1): 1_000, ("levels", 2): 667}


async def test_shrunk_shares_that_moved_up_or_were_split_are_counted_and_cancelled_ones_are_not(shop: Shop) -> None:
    """B gets D's upline level in place of C; then A shares what it earns with B; then an order is undone."""
    lead: Any = {"territory": {"regions": "shared", "cross_region_lead": {}}, "inactive_upline": "compress"}
    await activate(await draft(levels(0, 4_000), cap_bps=3_000, **lead), staff())
    now = clock.now() + timedelta(minutes=1)
    with clock.at(now):
        await suspend(shop["C"], "a reason", staff())
    with clock.at(now + timedelta(minutes=1)):
        await place_order(order(shop["D"], paid_at=clock.now()), staff())
        tiny = await place_order(order(shop["D"], amount_minor=2, paid_at=clock.now()), staff())
    days = (now.date() - timedelta(days=2), now.date() + timedelta(days=2))
    with clock.at(now + timedelta(minutes=2)):
        _, summary = await simulated((await active_program()).number, days)
        assert (summary.draft.capped_lines, summary.real.capped_lines) == (2, 2)
        await steps.cancel(step(tiny), staff())
        await activate(await draft(levels(4_000), cap_bps=3_000, **lead), staff())
    with clock.at(now + timedelta(minutes=3)):
        _, summary = await simulated(await draft(levels(0, 4_000), cap_bps=3_000, **lead), days)
        assert (summary.draft.capped_lines, summary.real.capped_lines) == (1, 1)
        await place_order(order(shop["A"], paid_at=clock.now(), served_by_id=shop["B"]), staff())
    with clock.at(now + timedelta(minutes=4)):
        _, summary = await simulated((await active_program()).number, days)
        assert (summary.draft.capped_lines, summary.real.capped_lines) == (2, 2)


async def test_findings_of_the_draft_are_told(shop: Shop) -> None:
    await paid(shop["D"], 10_000)
    _, summary = await simulated(await draft(levels(100, 100, 100, 100, 100)))
    assert [one for one in summary.findings if one.rule] != []


async def test_over_two_processes_it_comes_to_the_same(shop: Shop) -> None:
    await paid(shop["D"], 10_000)
    await paid(shop["C"], 20_000, quantity=40)
    await paid(shop["A"], 30_000)
    bonus = {"kind": "target_bonus", "key": "target", "targets": [{"at_least": 50_000, "bonus_minor": 700}]}
    group = {**bonus, "key": "group", "measure": "group_sales"}
    program = await content_of(await draft(levels(1_000, 500), pieces(100, 3, 10), bonus, group))
    span = Span(
        since=datetime(2026, 2, 28, 16, tzinfo=UTC),
        until=datetime(2026, 3, 31, 16, tzinfo=UTC),
        time_zone="Asia/Shanghai",
    )
    told: list[tuple[int, int]] = []

    async def report(done: int, total: int) -> None:
        told.append((done, total))

    here = await processes.replay(program, span, report)
    assert told[-1] == (3, 3)
    apart = await processes.replay(program, span, report, small=0)
    assert told[-1] == (3, 3)
    books = [(sums.books.pop(next(iter(sums.books)))) for sums in (here, apart)]
    assert here == apart
    assert {scope: tally.by_path for scope, tally in books[0].tallies.items()} == {
        scope: tally.by_path for scope, tally in books[1].tallies.items()
    }
    assert here.orders == 3


async def test_a_replay_in_processes_ends_when_it_is_given_up(shop: Shop) -> None:
    await paid(shop["D"], 10_000)
    program = (await active_program()).program
    span = Span(since=NOON - timedelta(days=1), until=NOON + timedelta(days=1), time_zone="Asia/Shanghai")

    class GivenUp(Exception):
        pass

    async def report(done: int, total: int) -> None:
        raise GivenUp

    with pytest.raises(GivenUp):
        await processes.replay(program, span, report, small=0)


async def test_a_simulation_is_given_up(shop: Shop) -> None:
    await paid(shop["D"], 10_000)
    asked = await simulate(Simulate(number=await draft(levels(100)), since=MARCH[0], until=MARCH[1]), staff())
    await cancel(asked.job_id, staff())
    assert await run_due({KIND: run_simulation}) == 0
    assert (await simulation(asked.id)).summary is None
    assert (await job(asked.job_id)).status is JobStatus.CANCELLED


async def test_a_job_done_twice_keeps_one_result(shop: Shop) -> None:
    await paid(shop["D"], 10_000)
    view, _ = await simulated(await draft(levels(100)))

    class Nobody:
        async def report(self, *_: object) -> None:
            raise AssertionError

    await run_simulation({"simulation": str(view.id)}, Nobody())  # type: ignore[arg-type]  # never asked
    assert len(await changed(view)) == 3


async def test_a_document_is_simulated_without_being_saved(shop: Shop) -> None:
    await paid(shop["D"], 10_000)
    text = dump(await content_of(await draft(levels(100))))
    asked = await simulate(Simulate(document=text, since=MARCH[0], until=MARCH[1]), staff())
    await run_due({KIND: run_simulation})
    found = await simulation(asked.id)
    assert found.program_number is None
    assert found.summary is not None and found.summary.draft.commission_minor == 100


async def test_what_cannot_be_simulated_is_refused(shop: Shop) -> None:
    number = await draft(levels(100))
    for wrong, refusal in (
        (Simulate(number=number, since=MARCH[1], until=MARCH[0]), SimulationSpanRefused),
        (Simulate(number=number, since=date(2016, 2, 29), until=MARCH[0]), SimulationSpanRefused),
        (Simulate(number=99, since=MARCH[0], until=MARCH[1]), NotFound),
        (Simulate(since=MARCH[0], until=MARCH[1]), InvalidInput),
        (Simulate(document="not: a program", since=MARCH[0], until=MARCH[1]), ProgramUnreadable),
        (Simulate(number=number, since=MARCH[0], until=MARCH[1], label="x" * 101), InvalidInput),
    ):
        with pytest.raises(refusal):
            await simulate(wrong, staff())
    assert (await simulations(PageRequest())).items == []
    await simulate(Simulate(number=number, since=date(2016, 3, 1), until=MARCH[0]), staff())


async def test_a_single_order_in_both_versions(shop: Shop) -> None:
    await sold(shop["D"], NOON, ("PLAIN", 28, 280_000))
    one = await sold(shop["D"], NOON + timedelta(days=2), ("PLAIN", 5, 50_000), ("LOTUS-GIFT", 1, 59_800))
    view, _ = await simulated(await draft(pieces(2_000, 30, 200, only={"products": ["PLAIN"]})))
    found = await simulated_order(view.id, one)
    assert [line.line.sku for line in found.lines] == ["PLAIN", "LOTUS-GIFT"]
    plain, gift = found.lines
    assert [(share.component, share.amount_minor) for share in plain.draft if share.component] == [("pieces", 10_600)]
    assert [share.share.amount_minor for share in plain.real if share.share.amount_minor] == [5_000, 7_500, 10_000]
    assert plain.draft_company_minor == 50_000 - 10_600
    assert [share.reason for share in gift.draft] == [Reason.NO_COMPONENT]
    other, _ = await simulated(await draft(levels(100)), (date(2026, 3, 1), date(2026, 3, 11)))
    with pytest.raises(OrderNotReplayed):
        await simulated_order(other.id, one)


async def test_lists_sheets_and_comparison(shop: Shop) -> None:
    await paid(shop["D"], 10_000)
    first, _ = await simulated(await draft(levels(2_000, 100)), label="more for sellers")
    second, _ = await simulated(await draft(levels(500, 100, 100)), label="less")
    assert [one.label for one in (await simulations(PageRequest())).items] == ["less", "more for sellers"]
    winners = await distributors(first.id, PageRequest(first=1), ChangeSort.WINNERS)
    assert [(one.code, one.change_minor) for one in winners.items] == [("D", 1_000)]
    rest = await distributors(first.id, PageRequest(first=5, after=winners.cursors[0]), ChangeSort.WINNERS)
    assert [one.code for one in rest.items] == ["C", "B"]
    losers = await distributors(first.id, PageRequest(first=5), ChangeSort.LOSERS)
    assert [one.code for one in losers.items] == ["B", "C", "D"]
    assert [
        one.code for one in (await distributors(first.id, PageRequest(), ChangeSort.LOSERS, "name of c")).items
    ] == ["C"]
    assert (await distributors_csv(first.id)).splitlines()[1] == "B,Name of B,20.00,0.00,-20.00,CNY"
    side_by_side = await compare(first.id, second.id)
    assert [(one.level, one.first_minor, one.second_minor) for one in side_by_side.places] == [
        (0, 2_000, 500),
        (1, 100, 100),
        (2, 0, 100),
    ]
    waiting = await simulate(Simulate(number=1, since=MARCH[0], until=MARCH[1]), staff())
    with pytest.raises(SimulationUnfinished):
        await compare(first.id, waiting.id)


async def test_another_brand_sees_nothing_and_is_not_replayed(shop: Shop, db: Database) -> None:
    one = await paid(shop["D"], 10_000)
    view, _ = await simulated(await draft(levels(100)))
    with tenant_scope(CEDAR):
        assert (await simulations(PageRequest())).items == []
        for asking in (
            simulation(view.id),
            simulated_order(view.id, one),
            distributors_csv(view.id),
            compare(view.id, view.id),
        ):
            with pytest.raises(NotFound):
                await asking
        assert (await distributors(view.id, PageRequest(), ChangeSort.LOSERS)).items == []
        _, summary = await simulated(1)
        assert summary.orders == 0 and summary.real.paid_minor == 0
