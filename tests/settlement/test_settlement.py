"""Release and close on both databases."""

import asyncio
import csv
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from saas.base import clock
from saas.base.db import ConstraintViolated, Database, reading, transaction
from saas.base.errors import IdempotencyConflict, NotFound
from saas.base.ids import DistributorId, new_id
from saas.base.paging import PageRequest
from saas.ledger.checks import run_checks
from saas.ledger.commands import post
from saas.ledger.queries import EntryFilter, balance_as_of, balances_of, entries_of
from saas.ledger.rules import Account, Kind, Posting, transfer
from saas.performance.errors import PeriodNotOver
from saas.settlement import queries
from saas.settlement.commands import CloseSettlement, close, release_due
from saas.settlement.errors import NothingToSettle, PeriodOutOfOrder
from saas.settlement.queries import SettlementView, StatementView
from tenants.actors import Actor, system
from tenants.errors import NoActiveProgram
from tests.factories import CEDAR, LOTUS, as_tenant, make_tenants
from tests.factories_money import make_distributors, make_order, use_program

APRIL = datetime(2026, 3, 31, 16, tzinfo=UTC)
"""The first moment of April in Shanghai: the end of the period 2026-03."""

MARCH = CloseSettlement(day=date(2026, 3, 15), idempotency_key="march")


def actor() -> Actor:
    return system(LOTUS, "test")


async def amounts(owner: DistributorId) -> tuple[int, int, int]:
    """Pending, available, settled."""
    found = (await balances_of([owner]))[owner]
    return found.of(Account.PENDING, "CNY"), found.of(Account.AVAILABLE, "CNY"), found.of(Account.SETTLED, "CNY")


async def statement_of(owner: DistributorId) -> StatementView:
    return (await queries.statements(PageRequest(), distributor_id=owner)).items[0]


async def close_at(moment: datetime, command: CloseSettlement) -> SettlementView:
    with clock.at(moment):
        return await close(command, actor())


@pytest.fixture
async def people(db: Database) -> AsyncIterator[list[DistributorId]]:
    """Two distributors of a brand with a program, whose books are sound after the test."""
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program()
        yield await make_distributors("ANN", "BEN")
        assert await run_checks() == []


async def test_a_hold_is_over_at_its_end_and_not_before(people: list[DistributorId]) -> None:
    ann, ben = people
    end = datetime(2026, 3, 9, 8, tzinfo=UTC)
    with as_tenant(LOTUS):
        await make_order({ann: 1000, ben: 1500}, hold_until=end)
        await make_order({ann: 70})
        with clock.at(end - timedelta.resolution):
            assert await release_due(actor()) == 0
        with clock.at(end + timedelta(days=30)):
            assert await release_due(actor()) == 2
            assert await release_due(actor()) == 0
        assert await amounts(ann) == (70, 1000, 0)
        assert await amounts(ben) == (0, 1500, 0)
        released = (await entries_of(ann, EntryFilter(kind=Kind.RELEASE), PageRequest())).items
        assert {entry.effective_at for entry in released} == {end}
        assert (await balance_as_of(ann, end)).of(Account.AVAILABLE, "CNY") == 1000


async def test_releases_at_once_release_once(people: list[DistributorId]) -> None:
    ann, ben = people
    with as_tenant(LOTUS):
        for hours in range(12):
            await make_order({ann: 10, ben: 20}, hold_until=datetime(2026, 3, 9, hours, tzinfo=UTC))
        with clock.at(APRIL):
            assert sum(await asyncio.gather(*[release_due(actor()) for _ in range(6)])) == 24
        assert await amounts(ann) == (0, 120, 0)


async def test_closing_writes_one_statement_each_and_moves_the_money(people: list[DistributorId]) -> None:
    ann, ben = people
    with as_tenant(LOTUS):
        await make_order({ann: 1000, ben: 1500}, hold_until=APRIL - timedelta(days=3))
        await make_order({ann: 333}, hold_until=APRIL - timedelta(days=2))
        settlement = await close_at(APRIL, MARCH)
        assert (settlement.period.label, settlement.statements, settlement.commission_minor) == ("2026-03", 2, 2833)
        assert (settlement.period.since, settlement.period.until) == (datetime(2026, 2, 28, 16, tzinfo=UTC), APRIL)
        statement = await statement_of(ann)
        assert (statement.number, statement.label, statement.lines) == ("S20260301-CNY-000001", "2026-03", 2)
        assert (statement.opening_minor, statement.commission_minor, statement.closing_minor) == (0, 1333, 1333)
        assert statement.payable_on == date(2026, 4, 6)
        assert await amounts(ann) == (0, 0, 1333)
        lines = (await queries.statement_lines(statement, PageRequest())).items
        assert sorted(line.share.amount_minor for line in lines) == [333, 1000]
        assert {line.statement_id for line in lines} == {statement.id}
        everyone = await queries.statements(PageRequest(first=1), settlement_id=settlement.id)
        rest = await queries.statements(PageRequest(after=everyone.cursors[0]), settlement_id=settlement.id)
        assert everyone.has_next
        assert {one.distributor_id for one in (*everyone.items, *rest.items)} == {ann, ben}


@pytest.mark.parametrize("released", [False, True])
async def test_what_becomes_available_at_the_bound_belongs_to_the_next_period(
    people: list[DistributorId], released: bool
) -> None:
    ann, ben = people
    with as_tenant(LOTUS):
        await make_order({ann: 100}, hold_until=APRIL - timedelta.resolution)
        await make_order({ben: 200}, hold_until=APRIL)
        with clock.at(APRIL + timedelta(days=5)):
            assert not released or await release_due(actor()) == 2
            assert (await queries.preview()).commission_minor == 100
            assert [one.distributor_id for one in (await queries.previewed(PageRequest())).items] == [ann]
        settlement = await close_at(APRIL + timedelta(days=5), MARCH)
        assert settlement.commission_minor == 100
        assert await amounts(ben) == (0, 200, 0)
        april = await close_at(
            APRIL + timedelta(days=40), CloseSettlement(day=date(2026, 4, 1), idempotency_key="april")
        )
        assert (april.period.label, april.commission_minor) == ("2026-04", 200)
        first = await close_at(APRIL + timedelta(days=40), CloseSettlement(day=date(2026, 3, 1), idempotency_key="m"))
        assert first == settlement


async def test_closing_again_changes_nothing(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        await make_order({ann: 100}, hold_until=APRIL - timedelta(days=1))
        first = await close_at(APRIL, MARCH)
        await make_order({ann: 50}, hold_until=APRIL - timedelta(days=2))
        again = [
            await close_at(APRIL + timedelta(days=1), MARCH),
            await close_at(APRIL, CloseSettlement(day=date(2026, 3, 31), idempotency_key="another")),
        ]
        assert again == [first, first]
        with pytest.raises(IdempotencyConflict):
            await close_at(APRIL, CloseSettlement(day=date(2026, 4, 1), idempotency_key="march"))
        assert await amounts(ann) == (50, 0, 100)
        april = await close_at(APRIL + timedelta(days=40), CloseSettlement(day=date(2026, 4, 2), idempotency_key="a"))
        assert april.commission_minor == 50
        assert (await statement_of(ann)).opening_minor == 100
        listed = await queries.settlements(PageRequest(first=1))
        assert listed.items == [april]
        assert (await queries.settlements(PageRequest(after=listed.cursors[0]))).items == [first]


async def test_the_next_one_in_line_under_one_key_is_closed_once(people: list[DistributorId]) -> None:
    with as_tenant(LOTUS):
        await make_order({people[0]: 100}, hold_until=APRIL - timedelta(days=1))
        later = APRIL + timedelta(days=70)
        first = await close_at(later, CloseSettlement(idempotency_key="next"))
        assert await close_at(later, CloseSettlement(idempotency_key="next")) == first
        assert (await close_at(later, CloseSettlement(idempotency_key="then"))).period.label == "2026-04"


async def test_a_period_that_still_runs_or_is_not_next_is_refused(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        await make_order({ann: 100}, hold_until=APRIL - timedelta(days=1))
        with pytest.raises(PeriodNotOver):
            await close_at(APRIL - timedelta.resolution, MARCH)
        for day in (date(2026, 4, 1), date(2026, 2, 28)):
            with pytest.raises(PeriodOutOfOrder) as refused:
                await close_at(APRIL + timedelta(days=90), CloseSettlement(day=day, idempotency_key="k"))
            assert refused.value.params["label"] == "2026-03"
        assert await amounts(ann) == (100, 0, 0)


async def test_without_a_program_nothing_is_settled(db: Database) -> None:
    await make_tenants()
    with as_tenant(CEDAR), pytest.raises(NoActiveProgram):
        await close(MARCH, system(CEDAR, "test"))


async def test_an_empty_period_is_closed_too(people: list[DistributorId]) -> None:
    with as_tenant(LOTUS):
        await make_order({people[0]: 100}, hold_until=APRIL - timedelta(days=1))
        await close_at(APRIL, MARCH)
        april = CloseSettlement(day=date(2026, 4, 2), idempotency_key="april")
        settlement = await close_at(APRIL + timedelta(days=40), april)
        assert (settlement.statements, settlement.commission_minor, settlement.period.label) == (0, 0, "2026-04")


@pytest.mark.parametrize("period", [{"kind": "monthly", "day": 1}, {"kind": "quarterly"}, {"kind": "per_order"}])
async def test_a_brand_with_nothing_due_is_not_pinned_to_a_day(
    people: list[DistributorId], period: dict[str, object]
) -> None:
    with as_tenant(LOTUS):
        await use_program(period=period)
        await make_order({people[0]: 100})
        for day in (date(2016, 1, 1), MARCH.day, None):
            with pytest.raises(NothingToSettle):
                await close_at(APRIL, CloseSettlement(day=day, idempotency_key=f"{day}"))
        with clock.at(APRIL):
            assert (await queries.preview()).lines == 0
        assert (await queries.settlements(PageRequest())).items == []


async def test_the_first_period_is_where_commission_first_falls_due(people: list[DistributorId]) -> None:
    with as_tenant(LOTUS):
        await make_order({people[0]: 100}, hold_until=APRIL - timedelta(days=1))
        with pytest.raises(PeriodOutOfOrder):
            await close_at(APRIL, CloseSettlement(day=date(2016, 1, 1), idempotency_key="long ago"))
        assert (await close_at(APRIL, MARCH)).commission_minor == 100


@pytest.mark.unsound  # payouts and a correction that are nothing but movements
async def test_statements_carry_the_balance_with_payouts_and_adjustments(db: Database) -> None:
    await make_tenants()
    with as_tenant(LOTUS):
        await use_program()
        (ann,) = await make_distributors("ANN")
        await make_order({ann: 1000}, hold_until=APRIL - timedelta(days=1))
        await close_at(APRIL, MARCH)
        await post(
            [moved(ann, Kind.PAYOUT_REQUEST, 600), moved(ann, Kind.PAYOUT_FAILED, -100), moved(ann, Kind.RELEASE, 30)]
        )
        await make_order({ann: 250}, hold_until=APRIL + timedelta(days=1))
        await close_at(APRIL + timedelta(days=40), CloseSettlement(idempotency_key="april"))
        found = await statement_of(ann)
        assert (found.opening_minor, found.commission_minor, found.payout_minor) == (1000, 250, -500)
        assert (found.adjustment_minor, found.closing_minor) == (-30, 720)
        assert (await amounts(ann))[2] == 720


def moved(owner: DistributorId, kind: Kind, amount: int) -> Posting:
    entries = transfer(owner, Account.SETTLED, Account.PAYOUT, amount, "CNY")
    key = new_id()
    return Posting(
        kind=kind, reference_kind="adjustment", reference_id=key, idempotency_key=str(key), effective_at=APRIL,
        entries=tuple(entries),
    )  # fmt: skip


async def test_the_preview_says_what_closing_does_and_changes_nothing(people: list[DistributorId]) -> None:
    ann, ben = people
    with as_tenant(LOTUS):
        await make_order({ann: 1000, ben: 1500}, hold_until=APRIL - timedelta(days=1))
        with clock.at(APRIL - timedelta(hours=1)):
            early = await queries.preview()
        with clock.at(APRIL):
            seen, drafts = await queries.preview(), (await queries.previewed(PageRequest())).items
        assert (early.over, seen.over, seen.period.label) == (False, True, "2026-03")
        assert await amounts(ann) == (1000, 0, 0)
        done = await close_at(APRIL, MARCH)
        assert (seen.commission_minor, seen.statements, seen.lines) == (done.commission_minor, done.statements, 2)
        statement = await statement_of(ann)
        planned = next(one for one in drafts if one.distributor_id == ann)
        assert planned.closing_minor == statement.closing_minor == 1000


async def test_closers_at_once_close_once(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        await make_order({ann: 100}, hold_until=APRIL - timedelta(days=1))
        with clock.at(APRIL):
            same = [close(MARCH, actor()) for _ in range(4)]
            others = [close(CloseSettlement(day=MARCH.day, idempotency_key=f"k{n}"), actor()) for n in range(4)]
            found = await asyncio.gather(*same, *others)
        assert len({one.id for one in found}) == 1
        assert await amounts(ann) == (0, 0, 100)


async def test_closing_waits_for_a_release_under_way_and_settles_what_it_released(
    people: list[DistributorId],
) -> None:
    ann, _ = people
    with as_tenant(LOTUS), clock.at(APRIL):
        await make_order({ann: 100}, hold_until=APRIL - timedelta(days=1))
        async with transaction():
            await release_due(actor())
            closing = asyncio.create_task(close(MARCH, actor()))
            assert not (await asyncio.wait({closing}, timeout=0.2))[0]
        assert (await closing).commission_minor == 100


async def test_a_close_cut_off_anywhere_leaves_nothing_and_can_be_run_again(people: list[DistributorId]) -> None:
    ann, ben = people
    with as_tenant(LOTUS):
        for hour in range(10):
            await make_order({ann: 10, ben: 20}, hold_until=datetime(2026, 3, 9, hour, tzinfo=UTC))
        for step in range(1, 15):
            with suppress(TimeoutError):
                async with asyncio.timeout(step * 0.002):
                    await close_at(APRIL, MARCH)
            assert await amounts(ann) in {(100, 0, 0), (0, 0, 100)}
        done = await close_at(APRIL, MARCH)
        assert (done.commission_minor, done.statements) == (300, 2)
        assert await amounts(ben) == (0, 0, 200)


@pytest.mark.parametrize("table", ["settlement", "statement"])
@pytest.mark.parametrize("change", ["UPDATE {} SET currency = 'USD'", "DELETE FROM {}"])
async def test_what_is_closed_cannot_be_changed(people: list[DistributorId], table: str, change: str) -> None:
    with as_tenant(LOTUS):
        await make_order({people[0]: 100}, hold_until=APRIL - timedelta(days=1))
        await close_at(APRIL, MARCH)
        with pytest.raises((ConstraintViolated, asyncpg.InsufficientPrivilegeError)):
            async with transaction() as tx:
                await tx.execute(f"{change.format(table)} WHERE tenant_id = $1", LOTUS)


async def test_per_order_settles_what_is_over_by_each_run(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        await use_program(period={"kind": "per_order"})
        await make_order({ann: 100}, hold_until=APRIL)
        await make_order({ann: 70}, hold_until=APRIL + timedelta(hours=2))
        first = await close_at(APRIL + timedelta(hours=1), CloseSettlement(idempotency_key="1"))
        second = await close_at(APRIL + timedelta(hours=3), CloseSettlement(idempotency_key="2"))
        assert (first.commission_minor, second.commission_minor) == (100, 70)
        assert first.period.until == second.period.since == APRIL + timedelta(hours=1)


async def test_another_brand_is_neither_settled_nor_shown(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(CEDAR):
        await use_program()
        (cara,) = await make_distributors("ANN")
        await make_order({cara: 900}, hold_until=APRIL - timedelta(days=1))
    with as_tenant(LOTUS):
        await make_order({ann: 100}, hold_until=APRIL - timedelta(days=1))
        settlement = await close_at(APRIL, MARCH)
        statement = await statement_of(ann)
        assert settlement.commission_minor == 100
    with as_tenant(CEDAR):
        assert await amounts(cara) == (900, 0, 0)
        assert (await queries.settlements(PageRequest())).items == []
        assert (await queries.statement_lines(statement, PageRequest())).items == []
        for read in (queries.settlement_by_id(settlement.id), queries.statement_by_id(statement.id)):
            with pytest.raises(NotFound):
                await read
        with pytest.raises(NotFound):
            await queries.statement_csv(statement.id)


async def test_a_statement_as_a_file(people: list[DistributorId]) -> None:
    ann, _ = people
    with as_tenant(LOTUS):
        order = await make_order({ann: 1234}, hold_until=APRIL - timedelta(days=1))
        async with transaction() as tx:
            await tx.execute("UPDATE commission SET tier = '=cmd()' WHERE tenant_id = $1", LOTUS)
        await close_at(APRIL, MARCH)
        rows = list(csv.reader((await queries.statement_csv((await statement_of(ann)).id)).splitlines()))
        assert rows[0] == ["statement", "S20260301-CNY-000001"]
        assert ["closing", "12.34"] in rows
        assert rows[-1] == ["2026-03-01T00:00:00+00:00", str(order), "levels", "0", "'=cmd()", "123.40", "1", "12.34"]


async def test_statements_of_the_database_do_not_grow_with_distributors(db: Database) -> None:
    await make_tenants()
    counts = []
    with as_tenant(LOTUS):
        await use_program()
        for month, size in ((3, 2), (4, 40)):
            people = await make_distributors(*[f"{month}-{number}" for number in range(size)])
            await make_order(dict.fromkeys(people, 100), hold_until=datetime(2026, month, 9, tzinfo=UTC))
            seen: list[str] = []
            db.observer = seen.append
            await close_at(datetime(2026, month + 1, 9, tzinfo=UTC), CloseSettlement(idempotency_key=str(month)))
            db.observer = None
            counts.append(len(seen))
        async with reading() as tx:
            assert await tx.value("SELECT count(*) FROM statement WHERE tenant_id = $1", LOTUS) == 42
    assert counts[0] >= counts[1] > 0
